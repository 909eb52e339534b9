import { type MixedOutcome, replayMixed, runMixed, type Watch } from '../mixed/campaign.ts'
import { messageOf } from '../mixed/disagreement.ts'
import { type FailureFile, type FailingRun, failureFile } from './failurefile.ts'
import { failureOf, LOOK, runWords } from './once.ts'
import { COMMANDS, type FuzzOptions, type FuzzPlan, planOf } from './options.ts'
import type { FuzzFailure, FuzzReport } from './report.ts'
import { Run } from './run.ts'
import { shrink } from './shrink.ts'
import type { Wrap } from './subject.ts'
import { tell } from './tell.ts'
import { StressError } from '../stress/index.ts'
import { runStress, runThreads, type ThreadsOutcome } from './threads.ts'
import { COMMAND_WORDS, commandsIn, SETUP_WORDS, wordsOf, wordsOfSeed } from './words.ts'

/** Commands between two looks at the clock. */
const CHUNK = 500
/** Milliseconds between two turns of the event loop, by which a signal is heard. */
const TURN = 100

/**
 * The campaign: programs drawn from seeds, each run on a process of its own beside a model that says of every call what it must answer. `kind` says
 * what they are made of.
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
  return runWords(wordsOf(bytes))
}

/** Runs one program that is given, as bytes or from a failure file, and reports it like a campaign of one run. */
export async function fuzzProgram(
  words: Uint32Array,
  options: Pick<FuzzOptions, 'shrinkSeconds' | 'signal' | 'onProgress'> = {},
  wrap?: Wrap
): Promise<FuzzReport> {
  return await new Campaign(planOf({ ...options, runs: 1 }), options, wrap).one({ kind: 'fast', words }, null)
}

/** Runs what a failure file tells, of whatever kind, and reports it like a campaign of one run. */
export async function fuzzFailure(
  file: FailureFile,
  options: Pick<FuzzOptions, 'shrinkSeconds' | 'signal' | 'onProgress'> = {},
  wrap?: Wrap
): Promise<FuzzReport> {
  return await new Campaign(planOf({ ...options, kind: file.kind, runs: 1 }), options, wrap).one(file, file.seed)
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
      const failure = await this.#seed(seed + number, commands)
      if (failure !== undefined) return this.#report('failure', failure)
    }
    return this.#report(this.#stopped ? 'stopped' : this.#ms >= ms ? 'time' : 'done')
  }

  /** Makes one run that is given, of a seed that is known or not. */
  async one(given: FailingRun, seed: number | null): Promise<FuzzReport> {
    const { failure, commands } = await this.#given(given, seed)
    const report = this.#report(failure !== undefined ? 'failure' : this.#stopped ? 'stopped' : 'done', failure)
    // It is no campaign's.
    return { ...report, seed: 0, seeds: { first: 0, step: 1, count: 0 }, commands }
  }

  async #given(given: FailingRun, seed: number | null): Promise<{ failure: FuzzFailure | undefined; commands: number }> {
    if (given.kind === 'fast') {
      const { words } = given
      const failed = await this.#run(words)
      const failure = failed === undefined ? undefined : await this.#failure(words, failed, seed)
      return { failure: failure && { ...failure, repeat: '' }, commands: commandsIn(words) }
    }
    if (given.kind === 'mixed') {
      const failure = await this.#other(replayMixed(given.program, this.#watch), seed, '')
      return { failure, commands: given.program.commands.length }
    }
    const { run } = given
    try {
      return { failure: await this.#other(runStress(run), seed, ''), commands: run.threads * run.ops }
    } catch (error) {
      // A schedule that is damaged, or of other work.
      throw error instanceof StressError ? new RangeError(error.message, { cause: error }) : error
    }
  }

  /** Makes the run of a seed, of whatever kind. */
  async #seed(seed: number, commands: number): Promise<FuzzFailure | undefined> {
    const { kind } = this.#plan
    if (kind === 'fast') {
      const words = wordsOfSeed(seed, commands)
      const failed = await this.#run(words)
      return failed === undefined ? undefined : await this.#failure(words, failed, seed)
    }
    const outcome = kind === 'mixed' ? runMixed(seed, commands, this.#watch) : runThreads(seed, commands)
    return await this.#other(outcome, seed, repeatOf(this.#plan, seed))
  }

  /** What has become of a run of the other kinds. */
  async #other(running: Promise<MixedOutcome | ThreadsOutcome>, seed: number | null, repeat: string): Promise<FuzzFailure | undefined> {
    this.#runs++
    const { calls, failure } = await running
    this.#calls += calls
    await this.#turn(0, false)
    if (failure === undefined) return undefined
    const { message, found, left, tried, text, trace } = failure
    const told = { message, seed, found, left, tried, text, trace }
    if ('run' in failure)
      return { ...told, file: failureFile({ kind: 'threads', message, seed, run: failure.run }), repeat: failure.repeat }
    const { program } = failure
    return { ...told, file: program === undefined ? '' : failureFile({ kind: 'mixed', message, seed, program }), repeat }
  }

  get #watch(): Watch {
    return {
      goOn: () => !this.#stopped && this.#ms < this.#plan.ms,
      turn: (calls) => this.#turn(calls, false),
      shrinking: () => {
        const end = performance.now() + this.#plan.shrinkMs
        const smaller: Watch = {
          goOn: () => performance.now() < end && !this.#stopped,
          turn: (calls) => this.#turn(calls, true),
          shrinking: () => smaller
        }
        return smaller
      }
    }
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
    const found = words.slice(0, SETUP_WORDS + done * COMMAND_WORDS)
    const told = await explain(found, message, seed, this.#watch.shrinking(), this.#wrap)
    return { ...told, repeat: seed === null ? '' : repeatOf(this.#plan, seed) }
  }

  #report(ended: FuzzReport['ended'], failure?: FuzzFailure): FuzzReport {
    const { kind, seed, shard, commands } = this.#plan
    return {
      version: 1,
      kind,
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

/** Makes a program that fails smaller and tells it in every form. */
async function explain(
  found: Uint32Array,
  message: string,
  seed: number | null,
  { goOn, turn }: Watch,
  wrap: Wrap | undefined
): Promise<Omit<FuzzFailure, 'repeat'>> {
  let tried = 0
  const fails = async (words: Uint32Array): Promise<boolean> => {
    await turn(0)
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
    file: failureFile({ kind: 'fast', message: said, seed, words })
  }
}

/** The command that makes the run of a seed again. */
function repeatOf({ kind, commands }: FuzzPlan, seed: number): string {
  const what = kind === 'fast' ? '' : ` --kind ${kind}`
  return `ceheap fuzz${what} --seed ${seed} --runs 1${commands === COMMANDS[kind] ? '' : ` --commands ${commands}`}`
}
