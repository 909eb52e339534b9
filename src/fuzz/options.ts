import { misuse, wholeNumber } from '../errors.ts'
import { parseShard, type Shard } from './shard.ts'
import { MOST_COMMANDS } from './words.ts'

/** A campaign. It ends with the first bound that is reached, and with the first failure. */
export interface FuzzOptions {
  /** Runs of the whole campaign, over all shards. Default 100 where no other bound is given. */
  readonly runs?: number
  /** API calls of the whole campaign, over all shards: each makes at least its part of them. */
  readonly calls?: number
  /** Seconds that each shard works. */
  readonly seconds?: number
  /** Run number r, from 0, is the program of seed + r. 0 to 2^53 - 1; default 1. */
  readonly seed?: number
  /** Which runs are done here: `i/n` for each n-th from the i-th on. Default `1/1`. */
  readonly shard?: string
  /** Commands of one run. Default 30,000. */
  readonly commands?: number
  /** Seconds that making a failure smaller may take. Default 60, and no more than `seconds`. */
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
  readonly runs: number
  readonly calls: number
  readonly ms: number
  readonly seed: number
  readonly shard: Shard
  readonly commands: number
  readonly shrinkMs: number
}

export const COMMANDS = 30_000
const KEYS = ['runs', 'calls', 'seconds', 'seed', 'shard', 'commands', 'shrinkSeconds', 'onProgress', 'signal']
const MOST = Number.MAX_SAFE_INTEGER

/** Checks the options, with defaults filled in. Throws a TypeError or RangeError that names the option. */
export function planOf(options: FuzzOptions): FuzzPlan {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw misuse('fuzz', 'an object of options', options)
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw misuse('fuzz: option', `one of ${KEYS.join(', ')}`, unknown)
  const { runs, calls, seconds, seed = 1, shard = '1/1', commands = COMMANDS, shrinkSeconds = Math.min(60, seconds ?? 60) } = options
  if (typeof shard !== 'string') throw misuse('shard', 'i/n', shard)
  const bounded = calls !== undefined || seconds !== undefined
  const most = runs === undefined ? (bounded ? Number.POSITIVE_INFINITY : 100) : wholeNumber('runs', runs, 1, MOST)
  wholeNumber('seed', seed, 0, MOST)
  if (Number.isFinite(most) && seed + most - 1 > MOST)
    throw new RangeError(`seed: expected at most 2^53 - 1 in the last run, got ${seed} and ${most} runs`)
  return {
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
