import { failureFile } from './failurefile.ts'
import { failureOf, LOOK, messageOf } from './once.ts'
import { COMMANDS, type FuzzOptions, type FuzzPlan, planOf } from './options.ts'
import type { FuzzFailure, FuzzReport } from './report.ts'
import { Run } from './run.ts'
import { shrink } from './shrink.ts'
import type { Wrap } from './subject.ts'
import { tell } from './tell.ts'
import { COMMAND_WORDS, commandsIn, SETUP_WORDS, wordsOf, wordsOfSeed } from './words.ts'

/** Commands between two looks at the clock. */
const CHUNK = 500
/** Milliseconds between two turns of the event loop, by which a signal is heard. */
const TURN = 100

/**
 * The campaign: programs drawn from seeds, each run on a process of its own beside a model that says of every call what it must answer.
 *
 *     const report = await fuzz({ seconds: 60, seed: 1, shard: '2/8' })
 *     if (!report.ok) console.log(report.failure.text)
 */
export function fuzz(options: FuzzOptions = {}): Promise<FuzzReport> {
  return fuzzThrough(options)
}

/** `fuzz` with something in front of each thread's calls. */
export async function fuzzThrough(options: FuzzOptions, wrap?: Wrap): Promise<FuzzReport> {
  const plan = planOf(options)
  const campaign = new Campaign(plan, options, wrap)
  return await campaign.all()
}

/**
 * Runs the program that any bytes are, for fuzzers that bring their own: two words of setup, then two words a command (words.ts). Returns the API
 * calls that it made; throws what goes wrong.
 *
 *     export const fuzz = (data: Buffer) => fuzzBytes(data)
 */
export function fuzzBytes(bytes: Uint8Array): number {
  const run = new Run(wordsOf(bytes), LOOK)
  try {
    run.go(Number.POSITIVE_INFINITY)
    run.finish()
    return run.world.calls
  } finally {
    run.close()
  }
}

/** Runs one program that is given, as bytes or from a failure file, and reports it like a campaign of one run. */
export async function fuzzProgram(
  words: Uint32Array,
  options: Pick<FuzzOptions, 'shrinkSeconds' | 'signal' | 'onProgress'> = {},
  wrap?: Wrap
): Promise<FuzzReport> {
  const campaign = new Campaign(planOf({ ...options, runs: 1 }), options, wrap)
  return await campaign.one(words)
}

class Campaign {
  readonly #plan: FuzzPlan
  readonly #options: FuzzOptions
  readonly #wrap: Wrap | undefined
  readonly #began = performance.now()
  #turned = performance.now()
  #runs = 0
  #calls = 0

  constructor(plan: FuzzPlan, options: FuzzOptions, wrap: Wrap | undefined) {
    this.#plan = plan
    this.#options = options
    this.#wrap = wrap
  }

  get #ms(): number {
    return performance.now() - this.#began
  }

  get #stopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  async all(): Promise<FuzzReport> {
    const { runs, calls, seed, shard, commands, ms } = this.#plan
    const part = Math.ceil(calls / shard.of)
    for (let number = shard.part - 1; number < runs && this.#calls < part; number += shard.of) {
      if (this.#stopped) return this.#report('stopped')
      if (this.#ms >= ms) return this.#report('time')
      const words = wordsOfSeed(seed + number, commands)
      const failed = await this.#run(words)
      if (failed !== undefined) return this.#report('failure', await this.#failure(words, failed, seed + number))
    }
    return this.#report(this.#stopped ? 'stopped' : this.#ms >= ms ? 'time' : 'done')
  }

  async one(words: Uint32Array): Promise<FuzzReport> {
    const failed = await this.#run(words)
    const report = failed === undefined ? this.#report('done') : this.#report('failure', await this.#failure(words, failed, null))
    // It is no seed's.
    return { ...report, seed: 0, seeds: { first: 0, step: 1, count: 0 }, commands: commandsIn(words) }
  }

  /** Runs one program; returns what goes wrong and after how many commands. */
  async #run(words: Uint32Array): Promise<{ message: string; done: number } | undefined> {
    this.#runs++
    let run: Run | undefined
    try {
      run = new Run(words, LOOK, this.#wrap)
      while (run.go(CHUNK) && !this.#stopped && this.#ms < this.#plan.ms) await this.#turn(run.world.calls, false)
      run.finish()
      return undefined
    } catch (error) {
      return { message: messageOf(error), done: run?.done ?? 0 }
    } finally {
      this.#calls += run?.world.calls ?? 0
      run?.close()
    }
  }

  /** Lets the event loop turn, now and then, and tells how far it is. */
  async #turn(calls: number, shrinking: boolean): Promise<void> {
    if (performance.now() - this.#turned < TURN) return
    const { runs, calls: most, ms, shard } = this.#plan
    const all = this.#calls + calls
    const done = Math.max((this.#runs * shard.of) / runs, (all * shard.of) / most, this.#ms / ms)
    this.#options.onProgress?.({ runs: this.#runs, calls: all, ms: this.#ms, done: Math.min(1, done), shrinking })
    await new Promise<void>((resolve) => setTimeout(resolve, 0))
    this.#turned = performance.now()
  }

  async #failure(words: Uint32Array, { message, done }: { message: string; done: number }, seed: number | null): Promise<FuzzFailure> {
    await this.#turn(0, true)
    const end = performance.now() + this.#plan.shrinkMs
    const found = words.slice(0, SETUP_WORDS + done * COMMAND_WORDS)
    return await explain(found, message, this.#wrap, {
      seed,
      commands: this.#plan.commands,
      goOn: () => performance.now() < end && !this.#stopped,
      turn: () => this.#turn(0, true)
    })
  }

  #report(ended: FuzzReport['ended'], failure?: FuzzFailure): FuzzReport {
    const { seed, shard, commands } = this.#plan
    return {
      version: 1,
      ok: failure === undefined,
      runs: this.#runs,
      calls: this.#calls,
      seed,
      shard: `${shard.part}/${shard.of}`,
      seeds: { first: seed + shard.part - 1, step: shard.of, count: this.#runs },
      commands,
      seconds: Math.round(this.#ms) / 1000,
      ended,
      ...(failure === undefined ? {} : { failure })
    }
  }
}

interface Circumstances {
  readonly seed: number | null
  readonly commands: number
  goOn(): boolean
  turn(): Promise<void>
}

/** Makes a program that fails smaller and tells it in every form. */
async function explain(
  found: Uint32Array,
  message: string,
  wrap: Wrap | undefined,
  { seed, commands, goOn, turn }: Circumstances
): Promise<FuzzFailure> {
  let tried = 0
  const fails = async (words: Uint32Array): Promise<boolean> => {
    await turn()
    tried++
    return failureOf(words, wrap) !== undefined
  }
  const words = goOn() && (await fails(found)) ? await shrink(found, fails, goOn) : found
  const told = tell(words, wrap)
  const said = told.message ?? message
  return {
    message: said,
    seed,
    found: commandsIn(found),
    left: commandsIn(words),
    tried,
    text: told.text,
    trace: told.trace.map((line) => `${line}\n`).join(''),
    file: failureFile({ message: said, seed, words }),
    repeat: seed === null ? '' : `ceheap fuzz --seed ${seed} --runs 1${commands === COMMANDS ? '' : ` --commands ${commands}`}`
  }
}
