import { misuse, wholeNumber } from '../errors.ts'
import { oneOf } from '../profile.ts'
import { parseShard, type Shard } from './shard.ts'
import { MOST_COMMANDS } from './words.ts'

/**
 * What the runs of a campaign are:
 *
 *   fast      heaps, Local*, Global*, Virtual*, low memory and injected failures on two threads: most calls a second
 *   mixed     COM, hosts, critical sections, tool help, CeHeapCreate and threads that come and go as well, all on one process
 *   threads   a workload of ceheap/stress on 2 to 4 worker threads, one at a time as `seeded:` and the run's seed say
 */
export const fuzzKinds = ['fast', 'mixed', 'threads'] as const
export type FuzzKind = (typeof fuzzKinds)[number]

/** A campaign. It ends with the first bound that is reached, and with the first failure. */
export interface FuzzOptions {
  /** What its runs are. Default `fast`. */
  readonly kind?: FuzzKind
  /** Runs of the whole campaign, over all shards. Default 100 where no other bound is given. */
  readonly runs?: number
  /** API calls of the whole campaign, over all shards: each makes at least its part of them. */
  readonly calls?: number
  /** Seconds that each shard works. */
  readonly seconds?: number
  /** Run number r, from 0, is the program of seed + r. 0 to 2^53 - 1, for `mixed` and `threads` to 2^32 - 1; default 1. */
  readonly seed?: number
  /** Which runs are done here: `i/n` for each n-th from the i-th on. Default `1/1`. */
  readonly shard?: string
  /** Commands of one run; for `threads`, operations of all its threads. Default 30,000, for `mixed` 10,000, for `threads` 2,000. */
  readonly commands?: number
  /** Seconds that making a failure smaller may take. Default 60, and no more than `seconds`. Not for `threads`, where it is a number of runs that is bounded. */
  readonly shrinkSeconds?: number
  /** Told now and then what was done. */
  readonly onProgress?: (progress: FuzzProgress) => void
  /** Ends the campaign with what was done so far. */
  readonly signal?: AbortSignal
}

export interface FuzzProgress {
  readonly runs: number
  readonly calls: number
  readonly ms: number
  /** How far the campaign is, 0 to 1. */
  readonly done: number
  /** A failure was found and is being made smaller. */
  readonly shrinking: boolean
}

export interface FuzzPlan {
  readonly kind: FuzzKind
  readonly runs: number
  readonly calls: number
  readonly ms: number
  readonly seed: number
  readonly shard: Shard
  readonly commands: number
  readonly shrinkMs: number
}

/** Commands of a run where nothing else is asked for. */
export const COMMANDS: Readonly<Record<FuzzKind, number>> = { fast: 30_000, mixed: 10_000, threads: 2_000 }
const KEYS = ['kind', 'runs', 'calls', 'seconds', 'seed', 'shard', 'commands', 'shrinkSeconds', 'onProgress', 'signal']
const MOST = Number.MAX_SAFE_INTEGER
/** Seeds of the kinds that know 32 bits of them. */
const MOST_SEED: Readonly<Record<FuzzKind, number>> = { fast: MOST, mixed: 2 ** 32 - 1, threads: 2 ** 32 - 1 }

/** Checks the options, with defaults filled in. Throws a TypeError or RangeError that names the option. */
export function planOf(options: FuzzOptions): FuzzPlan {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw misuse('fuzz', 'an object of options', options)
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw misuse('fuzz: option', `one of ${KEYS.join(', ')}`, unknown)
  const { kind = 'fast', runs, calls, seconds, seed = 1, shard = '1/1', shrinkSeconds = Math.min(60, seconds ?? 60) } = options
  oneOf('kind', kind, fuzzKinds)
  const { commands = COMMANDS[kind] } = options
  if (kind === 'threads' && options.shrinkSeconds !== undefined)
    throw new RangeError('shrinkSeconds: expected no such option for the kind threads, which bounds the runs that it tries, not the time')
  if (typeof shard !== 'string') throw misuse('shard', 'i/n', shard)
  const bounded = calls !== undefined || seconds !== undefined
  wholeNumber('seed', seed, 0, MOST_SEED[kind])
  const seeds = MOST_SEED[kind] - seed + 1
  const most = runs === undefined ? (bounded ? seeds : 100) : wholeNumber('runs', runs, 1, MOST)
  if (most > seeds)
    throw new RangeError(`seed: expected at most ${kind === 'fast' ? '2^53' : '2^32'} - 1 in the last run, got ${seed} and ${most} runs`)
  return {
    kind,
    runs: most,
    calls: calls === undefined ? Number.POSITIVE_INFINITY : wholeNumber('calls', calls, 1, MOST),
    ms: seconds === undefined ? Number.POSITIVE_INFINITY : positive('seconds', seconds) * 1000,
    seed,
    shard: parseShard(shard),
    commands: wholeNumber('commands', commands, 1, MOST_COMMANDS),
    shrinkMs: positive('shrinkSeconds', shrinkSeconds) * 1000
  }
}

function positive(what: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1e9)) throw misuse(what, 'a number of seconds above 0', value)
  return value
}
