import { messageOf } from '../mixed/disagreement.ts'
import { Run } from './run.ts'
import type { Wrap } from './subject.ts'
import { commandsIn } from './words.ts'
import type { Tell } from './world.ts'

/** Commands between two looks at everything. */
export const LOOK = 10_000

/** Runs a program from its first command to the last look; returns the API calls that it made. What goes wrong is thrown. */
export function runWords(words: Uint32Array, wrap?: Wrap, tell?: Tell): number {
  const run = new Run(words, LOOK, wrap, tell)
  try {
    run.go(commandsIn(words))
    run.finish()
    return run.world.calls
  } finally {
    run.close()
  }
}

/** What goes wrong in a run of a program; undefined if all is well. */
export function failureOf(words: Uint32Array, wrap?: Wrap): string | undefined {
  try {
    runWords(words, wrap)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
