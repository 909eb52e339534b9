import { messageOf } from './disagreement.ts'
import { type OnThread, type Program, play } from './program.ts'
import { Run } from './run.ts'
import { shrink } from './shrink.ts'
import { tell } from './tell.ts'

/** Commands between two looks at the clock. */
const CHUNK = 100

/** Who waits for a run. */
export interface Watch {
  /** Whether there is time for more. */
  readonly goOn: () => boolean
  /** Lets others have their turn; told how many calls were made. */
  readonly turn: (calls: number) => Promise<void>
  /** From now on a failure is made smaller: who waits for that. */
  readonly shrinking: () => Watch
}

export interface MixedOutcome {
  readonly calls: number
  readonly failure?: MixedFailure
}

export interface MixedFailure {
  readonly message: string
  /** Commands that were made, those that are left of them, and the programs that were tried for that. */
  readonly found: number
  readonly left: number
  readonly tried: number
  /** The calls as they can be pasted, and as a trace. */
  readonly text: string
  readonly trace: string
  /** What is left, to be run again; undefined where the commands alone do not go wrong. */
  readonly program: Program | undefined
}

/**
 * Runs the first commands of a seed: all families of calls on one process, beside one model of all of it. What a seed does hangs on its lower 32 bits.
 * A failure is made smaller and told as API calls.
 */
export async function runMixed(seed: number, commands: number, watch: Watch, onThread?: OnThread): Promise<MixedOutcome> {
  return await runWatched({ seed, commands: upTo(commands), finishing: true }, watch, onThread)
}

/** Runs what is left of a failure. */
export async function replayMixed(program: Program, watch: Watch, onThread?: OnThread): Promise<MixedOutcome> {
  return await runWatched(program, watch, onThread, Number.POSITIVE_INFINITY)
}

async function runWatched(program: Program, watch: Watch, onThread?: OnThread, look?: number): Promise<MixedOutcome> {
  const { seed, commands, finishing } = program
  const run = new Run(seed, onThread, look)
  let made = 0
  let ending = false
  try {
    while (made < commands.length && watch.goOn()) {
      for (const end = Math.min(commands.length, made + CHUNK); made < end; ) run.command(commands[made++] as number)
      await watch.turn(run.world.calls)
    }
    ending = finishing
    if (finishing) run.finish()
    else run.agree()
    return { calls: run.world.calls }
  } catch (error) {
    const found = { seed, commands: commands.slice(0, made), finishing: ending }
    return { calls: run.world.calls, failure: await explain(found, messageOf(error), watch.shrinking(), onThread) }
  } finally {
    run.close()
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, command) => command)
}

async function explain(found: Program, message: string, { goOn, turn }: Watch, onThread: OnThread | undefined): Promise<MixedFailure> {
  let tried = 0
  const fails = async (commands: readonly number[]): Promise<boolean> => {
    await turn(0)
    tried++
    return failsWith({ ...found, commands }, onThread)
  }
  const commands = goOn() && (await fails(found.commands)) ? await shortest(found.commands, fails, goOn) : found.commands
  const program = { ...found, commands }
  const told = tell(program, onThread)
  const again = told.message !== ''
  return {
    message: again ? told.message : message,
    found: found.commands.length,
    left: commands.length,
    tried,
    text: again ? told.text : `${told.text}\n// ${message}: in the run of the seed, but not where its commands alone are made`,
    trace: told.trace,
    program: again ? program : undefined
  }
}

function failsWith(program: Program, onThread: OnThread | undefined): boolean {
  try {
    play(program, onThread)
    return false
  } catch {
    return true
  }
}

/** The fewest of the commands that go wrong. */
async function shortest(
  all: readonly number[],
  fails: (commands: readonly number[]) => Promise<boolean>,
  goOn: () => boolean
): Promise<readonly number[]> {
  let [good, bad] = [0, all.length]
  // What a look finds may have been wrong for long.
  while (bad - good > 1 && goOn()) {
    const middle = (good + bad) >>> 1
    // Most often it lies in the last commands, since every thousandth looks.
    const at = Math.max(middle, bad - 500)
    if (await fails(all.slice(0, at))) bad = at
    else good = at
  }
  return await shrink(all.slice(0, bad), fails, goOn)
}
