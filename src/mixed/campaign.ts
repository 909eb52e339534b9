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
}

/**
 * Runs the first commands of a seed: all families of calls on one process, beside one model of all of it. What a seed does hangs on its lower 32 bits.
 * A failure is made smaller and told as API calls.
 */
export async function runMixed(seed: number, commands: number, watch: Watch, onThread?: OnThread): Promise<MixedOutcome> {
  const run = new Run(seed, onThread)
  let made = 0
  let finishing = false
  try {
    while (made < commands && watch.goOn()) {
      for (const end = Math.min(commands, made + CHUNK); made < end; ) run.command(made++)
      await watch.turn(run.world.calls)
    }
    finishing = true
    run.finish()
    return { calls: run.world.calls }
  } catch (error) {
    const failure = await explain({ seed, commands: upTo(made), finishing }, messageOf(error), watch.shrinking(), onThread)
    return { calls: run.world.calls, failure }
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
  const commands = goOn() && (await fails(found.commands)) ? await shortest(found.commands.length, fails, goOn) : found.commands
  const told = tell({ ...found, commands }, onThread)
  return {
    message: told.message === '' ? message : told.message,
    found: found.commands.length,
    left: commands.length,
    tried,
    text: told.text,
    trace: told.trace
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

/** The fewest of the first `count` commands that go wrong. */
async function shortest(
  count: number,
  fails: (commands: readonly number[]) => Promise<boolean>,
  goOn: () => boolean
): Promise<readonly number[]> {
  let [good, bad] = [0, count]
  // What a look finds may have been wrong for long.
  while (bad - good > 1 && goOn()) {
    const middle = (good + bad) >>> 1
    // Most often it lies in the last commands, since every thousandth looks.
    const at = Math.max(middle, bad - 500)
    if (await fails(upTo(at))) bad = at
    else good = at
  }
  return await shrink(upTo(bad), fails, goOn)
}
