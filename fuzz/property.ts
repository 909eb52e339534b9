import * as fc from 'fast-check'

export interface Runs {
  readonly runs: number
  /** Where the failing case of an earlier run lies; undefined draws a new seed. */
  readonly seed?: number | undefined
  readonly path?: string | undefined
  /** Milliseconds after which no further case is begun. */
  readonly within?: number | undefined
  /** The command that repeats a failure; by default that of a spec. */
  readonly again?: (seed: number, path: string) => string
}

/** A seed drawn when none is given; fast-check's are 32-bit signed. */
export function seedOr(given: number | undefined): number {
  return given ?? (Date.now() ^ (process.pid << 16)) | 0
}

/**
 * Runs `body` on cases of `cases` and prints the seed; a failure throws the shrunk case with its cause and the command that repeats it.
 * The variables CEHEAP_SEED and CEHEAP_PATH, as that command sets them, take the place of a seed that is not given.
 */
export function property<T>(name: string, cases: fc.Arbitrary<T>, body: (value: T) => void, wanted: Runs): void {
  const given = process.env.CEHEAP_SEED
  const seed = wanted.seed ?? seedOr(given === undefined || given === '' ? undefined : Number(given))
  const path = wanted.path ?? (process.env.CEHEAP_PATH || undefined)
  // A path names one case.
  const runs = path === undefined ? wanted.runs : 1
  process.stdout.write(`\n${name}: seed ${seed}, ${path === undefined ? `${runs} cases` : `case ${path}`}\n`)
  const details = fc.check(
    // Bias would make most of the long cases short.
    fc.property(fc.noBias(cases), body),
    {
      numRuns: runs,
      seed,
      ...(path === undefined ? {} : { path }),
      ...(wanted.within === undefined ? {} : { interruptAfterTimeLimit: wanted.within, markInterruptAsFailure: false })
    }
  )
  if (!details.failed) return
  // The path of a shrunk case grows with every step; its first part names the case, which shrinks the same way again.
  const first = (details.counterexamplePath ?? '0').replace(/:.*/, '')
  const again = wanted.again ?? ((seed, path) => `CEHEAP_SEED=${seed} CEHEAP_PATH=${path} npm test -- ${name}`)
  const cause = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance)
  throw new Error(
    `${cause}\n\n  case ${first}, shrunk ${details.numShrinks} times: ${fc.stringify(details.counterexample)}\n` +
      `  again: ${again(details.seed, first)}\n`
  )
}
