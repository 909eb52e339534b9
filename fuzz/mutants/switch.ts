// In the mutated code every mutant stands beside the original, as `$M === 12 && $H() ? mutant : ($C && $C(12), original)`: this module says which one is
// on, in every thread and child process, since all of them inherit the environment. It is copied beside the mutated build, so it imports nothing of the project.
import { appendFileSync } from 'node:fs'

const { MUTANT, MUTANT_COVERAGE, MUTANT_TEST = 'load' } = process.env

/** The mutant that is on; none has a negative number. */
export const $M: number = MUTANT === undefined ? -1 : Number(MUTANT)

/** What the process that runs the tests sets; other threads and processes have their own, untouched. */
export const state: {
  /** Which test runs, as coverage names it. */
  test: string
  hits: number
  /** How often a test may pass by the mutant: a loop that it made endless shows here long before a time limit. */
  limit: number
} = { test: MUTANT_TEST, hits: 0, limit: Number.POSITIVE_INFINITY }

/** Exit code of a test that passed by the mutant too often. */
export const TOO_OFTEN = 77

export function $H(): true {
  if (++state.hits > state.limit) process.exit(TOO_OFTEN)
  return true
}

let counts = new Uint32Array(1 << 14)
let reached: number[] = []

function cover(mutant: number): void {
  const count = counts[mutant] as number
  if (count < 1_000_000) counts[mutant] = count + 1
  if (count !== 0) return
  reached.push(mutant)
  // A worker may be terminated at any moment: it writes at once what it sees for the first time.
  if (state.test === MUTANT_TEST) appendFileSync(MUTANT_COVERAGE as string, `${MUTANT_TEST} ${mutant}:0\n`)
}

/** Notes that a mutant was reached; undefined when nobody wants to know. */
export const $C: typeof cover | undefined = MUTANT_COVERAGE === undefined ? undefined : cover

/** From here on it is `test` that reaches mutants; writes down what the one before reached. */
export function nowCovers(test: string): void {
  if (MUTANT_COVERAGE === undefined) return
  if (reached.length > 0)
    appendFileSync(MUTANT_COVERAGE, `${state.test} ${reached.map((mutant) => `${mutant}:${counts[mutant]}`).join(' ')}\n`)
  counts = new Uint32Array(counts.length)
  reached = []
  state.test = test
}
