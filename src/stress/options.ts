import { existsSync, readFileSync } from 'node:fs'
import type { Build, Placement, ProfileName } from '../profile.ts'
import { builds, oneOf, placements, profileNames } from '../profile.ts'
import { misuse, wholeNumber } from '../errors.ts'
import { builtinWorkloads } from './builtin.ts'
import { sourceOf } from './load.ts'
import type { WorkloadSource } from './load.ts'

export interface StressOptions {
  /** A built-in workload's name, or a module's path or file: address. Default `bleeding`. */
  readonly workload?: string | URL
  /** Worker threads, 1 to 1,023. Default 4. */
  readonly threads?: number
  /** Operations of each thread, 1 to 1,000,000,000. Default 1,000. */
  readonly ops?: number
  /** Seconds to work instead, up to 86,400; for the schedules `free` and `recorded`. */
  readonly seconds?: number
  /** Decides the workload's own random numbers, 0 to 2^32 - 1. Default 1. */
  readonly seed?: number
  /** `free` (default), `recorded`, `seeded:N`, `pct:N:d`, `explore` or `explore:PREEMPTIONS`, `replay:TEXT` or `replay:FILE`. */
  readonly schedule?: string
  /** How many schedules are tried, each with the next number (in `free` and `recorded`: the next seed). Default 1; the most that `explore` tries, default 10,000. */
  readonly runs?: number
  /** `i/n`: of the runs only every n-th, beginning with the i-th. */
  readonly shard?: string
  readonly profile?: ProfileName
  readonly build?: Build
  readonly placement?: Placement
  /** User memory in bytes. Default 4 MB. */
  readonly memory?: number
  /** Physical memory in bytes. Default: as `memory`. */
  readonly physical?: number
  /** Longest time for one run in seconds, up to 86,400. Default 60. */
  readonly timeout?: number
  /** Called some times a second. */
  readonly onProgress?: (progress: StressProgress) => void
  /** Gets what the workload prints; without it that is lost. */
  readonly onPrint?: (text: string) => void
}

export interface StressProgress {
  /** Runs that have ended. */
  readonly runs: number
  /** Runs at most. */
  readonly of: number
  /** Operations of the present run that are done, and how many there are; 0 where it is bounded by time. */
  readonly done: number
  readonly ops: number
  /** Milliseconds that the present run has worked, and how long it works; 0 where it is bounded by operations. */
  readonly ms: number
  readonly seconds: number
}

/** The options as they hold, all checked: plain data that can be handed to a thread. */
export interface StressPlan {
  readonly source: WorkloadSource
  readonly threads: number
  /** Infinity where `ms` bounds the run. */
  readonly ops: number
  readonly ms: number
  readonly seed: number
  readonly schedule: string
  readonly runs: number
  readonly shard: readonly [part: number, of: number]
  readonly process: {
    readonly profile: ProfileName
    readonly build: Build
    readonly memory: number
    readonly placement?: Placement
    readonly physical?: number
  }
  /** Milliseconds. */
  readonly timeout: number
}

interface Defaults {
  readonly threads: number
  readonly ops: number
  readonly seed: number
  readonly schedule: string
  readonly memory: number
  readonly timeout: number
  readonly exploreRuns: number
}

export const defaults: Defaults = {
  threads: 4,
  ops: 1000,
  seed: 1,
  schedule: 'free',
  memory: 4 * 1024 * 1024,
  timeout: 60,
  exploreRuns: 10_000
}

/** A thread of the table is the creating one's. */
const MOST_STRESS_THREADS = 1023
const MOST_OPS = 1_000_000_000
const DAY = 86_400

const KEYS = [
  'workload',
  'threads',
  'ops',
  'seconds',
  'seed',
  'schedule',
  'runs',
  'shard',
  'profile',
  'build',
  'placement',
  'memory',
  'physical',
  'timeout',
  'onProgress',
  'onPrint'
]

/** Checks every option; a TypeError or RangeError says what was expected, a StressError what is wrong with the workload's file. */
export function planOf(options: StressOptions): StressPlan {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw misuse('stress', 'an object of options', options)
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw misuse('stress: option', `one of ${KEYS.join(', ')}`, unknown)
  const {
    workload = builtinWorkloads[0]?.name ?? '',
    threads = defaults.threads,
    seed = defaults.seed,
    timeout = defaults.timeout
  } = options
  if (typeof workload !== 'string' && !(workload instanceof URL)) throw misuse('workload', "a workload's name or a module's path", workload)
  wholeNumber('threads', threads, 1, MOST_STRESS_THREADS)
  wholeNumber('seed', seed, 0, 2 ** 32 - 1)
  duration('timeout', timeout)
  for (const name of ['onProgress', 'onPrint'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function') throw misuse(name, 'a function', options[name])
  const schedule = scheduleOf(options.schedule ?? defaults.schedule)
  const explores = schedule.startsWith('explore')
  const { runs = explores ? defaults.exploreRuns : 1 } = options
  wholeNumber('runs', runs, 1, MOST_OPS)
  const { profile = 'compact-2013', build = 'retail', placement, memory = defaults.memory, physical } = options
  oneOf('profile', profile, profileNames)
  oneOf('build', build, builds)
  if (placement !== undefined) oneOf('placement', placement, placements)
  const process = {
    profile,
    build,
    memory,
    ...(placement === undefined ? {} : { placement }),
    ...(physical === undefined ? {} : { physical })
  }
  const bounds = boundsOf(options, schedule)
  const shard = shardOf(options.shard)
  if (shard[0] > runs)
    throw new RangeError(`shard: expected i up to the number of runs, ${runs}, got ${shard.join('/')}: there is no such run`)
  if (explores && shard[1] > 1)
    throw new RangeError('shard: expected 1/1 with explore: what a search leaves out depends on what it has seen')
  return {
    source: sourceOf(workload),
    threads,
    ...bounds,
    seed,
    schedule,
    runs,
    shard,
    process,
    timeout: timeout * 1000
  }
}

function duration(what: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value <= DAY)) throw misuse(what, `a number of seconds above 0, up to ${DAY}`, value)
  return value
}

function boundsOf({ ops, seconds }: StressOptions, schedule: string): { ops: number; ms: number } {
  if (seconds === undefined) return { ops: wholeNumber('ops', ops ?? defaults.ops, 1, MOST_OPS), ms: Number.POSITIVE_INFINITY }
  if (ops !== undefined) throw new RangeError('seconds: expected either ops or seconds, got both')
  if (!isConcurrent(schedule))
    throw new RangeError(
      `seconds: expected ops with the schedule ${schedule}: a clock would decide how far a run comes, and it would not repeat`
    )
  return { ops: Number.POSITIVE_INFINITY, ms: duration('seconds', seconds) * 1000 }
}

function shardOf(text: unknown = '1/1'): readonly [number, number] {
  const match = typeof text === 'string' ? /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) : null
  const [part, of] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || part > of)
    throw new RangeError(`shard: expected i/n with whole numbers, i from 1 to n, got ${JSON.stringify(text)}`)
  return [part, of]
}

const FORMS = 'free, recorded, seeded:N, pct:N:d, explore, explore:PREEMPTIONS, replay:TEXT or replay:FILE'

/** Checks the form of a schedule; a replay may name a file, whose text is taken. What stands in it is checked by who replays it. */
function scheduleOf(given: unknown): string {
  if (typeof given !== 'string') throw misuse('schedule', FORMS, given)
  const text = given.trim()
  if (/^(?:free|recorded|explore(?::\d{1,3})?)$/.test(text)) return text
  const seeded = /^(?:seeded:(\d{1,10})|pct:(\d{1,10}):([1-9]\d?)(?::[1-9]\d{0,8})?)$/.exec(text)
  if (seeded !== null && Number(seeded[1] ?? seeded[2]) < 2 ** 32) return text
  if (!text.startsWith('replay:') || text.length === 'replay:'.length)
    throw new RangeError(`schedule: expected ${FORMS}, got ${JSON.stringify(given)}`)
  const file = text.slice('replay:'.length)
  // No string has a point or a slash.
  return /[./\\]/.test(file) || existsSync(file) ? `replay:${textIn(file)}` : text
}

/** The schedule string that is the first line of a file. */
function textIn(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new RangeError(
      `schedule: ${missing ? `there is no file ${file}` : `the file ${file} cannot be read (${(error as Error).message})`}; expected replay: with a file or a schedule string behind it`,
      { cause: error }
    )
  }
  const [line = ''] = text.trim().split(/\r?\n/, 1)
  const found = line.replace(/^replay:/, '').trim()
  if (found === '') throw new RangeError(`schedule: expected a schedule string in the first line of ${file}, which is empty`)
  return found
}

/** Where threads run at once; in every other schedule they go one at a time. */
export function isConcurrent(schedule: string): boolean {
  return schedule === 'free' || schedule === 'recorded'
}

/** The schedule and the seed of a campaign's n-th run, counted from 0. */
export function nthRun({ schedule, seed }: Pick<StressPlan, 'schedule' | 'seed'>, n: number): { schedule: string; seed: number } {
  const numbered = /^(seeded|pct):(\d+)(.*)$/.exec(schedule)
  if (numbered !== null) return { schedule: `${numbered[1]}:${(Number(numbered[2]) + n) % 2 ** 32}${numbered[3]}`, seed }
  return { schedule, seed: schedule.startsWith('replay:') ? seed : (seed + n) % 2 ** 32 }
}
