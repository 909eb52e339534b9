import type { FuzzKind } from './options.ts'

/** What a campaign came to: as JSON the stable result of one shard. */
export interface FuzzReport {
  readonly version: 1
  /** What the runs are; missing in results that are older than the kinds, which are all `fast`. */
  readonly kind?: FuzzKind
  /** Nothing went wrong. */
  readonly ok: boolean
  /** Runs that were done here, a failing one and one that was cut short included, and the API calls that they made; GetLastError is not counted. */
  readonly runs: number
  readonly calls: number
  /** The campaign's seed: run number r, from 0, is the program of seed + r. */
  readonly seed: number
  /** `i/n`: here every n-th run is done, from number i - 1 on. */
  readonly shard: string
  /** The seeds of the runs here: `first`, `first + step`, ... */
  readonly seeds: { readonly first: number; readonly step: number; readonly count: number }
  /** Commands of a run. */
  readonly commands: number
  readonly seconds: number
  /** Why it ended: all runs or calls were done, time was up, somebody stopped it, or a failure. */
  readonly ended: 'done' | 'time' | 'stopped' | 'failure'
  readonly failure?: FuzzFailure
}

export interface FuzzFailure {
  readonly message: string
  /** The seed of the run that failed; null for bytes from elsewhere. */
  readonly seed: number | null
  /** Commands of the program that was found, and of the one that was left of it; programs that were tried for that. */
  readonly found: number
  readonly left: number
  readonly tried: number
  /** The API calls, as they can be pasted into a test; of the kind `threads` the report of ceheap stress comes before them. */
  readonly text: string
  /** The same as a trace: JSON Lines; '' where threads did not come to their end. */
  readonly trace: string
  /** The failure file, which `ceheap fuzz --replay` takes; '' where the run of the seed fails and its commands alone do not. */
  readonly file: string
  /** The command that repeats it, '' for a program that was given; of the kind `threads` the smallest failing run, by ceheap stress. */
  readonly repeat: string
}

export function fuzzJson(report: FuzzReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
