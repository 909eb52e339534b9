import { type Build, builds, type Placement, type ProfileName, placements, profileNames } from '../profile.ts'
import { wordsOfSeed } from './words.ts'

/** One run of ceheap stress as a seed or a failure file names it. */
export interface ThreadsRun {
  readonly workload: string
  readonly threads: number
  readonly ops: number
  readonly seed: number
  readonly schedule: string
  readonly profile: ProfileName
  readonly build: Build
  readonly placement: Placement
  readonly physical?: number
}

/** What the threads do, out of ceheap/stress: most often everything on the process heap. */
const WORKLOADS = ['mixed', 'many-heaps', 'bleeding', 'mixed', 'resize-storm', 'producer-consumer', 'create-destroy', 'recursion'] as const
/** User memory of these runs: what ceheap stress takes if nothing else is asked for. */
const MEMORY = 4 * 1024 * 1024
const MOST_THREADS = 4
const MOST_OPS = 1_000_000
const PAGE = 4096

/** The stress run that a seed is: 2 to 4 threads, one at a time as `seeded:seed` says, which do so many operations together. */
export function stressOf(seed: number, commands: number): ThreadsRun {
  const [first = 0, second = 0] = wordsOfSeed(seed, 0)
  const threads = 2 + (first % (MOST_THREADS - 1))
  const workload = WORKLOADS[(first >>> 8) % WORKLOADS.length] as string
  // The other workloads need what they ask for.
  const low = workload === 'mixed' && (second & 1) === 1
  return {
    workload,
    threads,
    ops: Math.ceil(commands / threads),
    seed,
    schedule: `seeded:${seed}`,
    profile: profileNames[(first >>> 16) % profileNames.length] as ProfileName,
    build: builds[(first >>> 24) % builds.length] as Build,
    placement: placements[(second >>> 8) % placements.length] as Placement,
    ...(low ? { physical: MEMORY / 32 + ((second >>> 16) % 64) * PAGE } : {})
  }
}

/** What each field of a run may be: nothing that reads a file or starts other code, and nothing without an end. */
const FIELDS: Readonly<Record<keyof ThreadsRun, readonly [expected: string, holds: (value: unknown) => boolean]>> = {
  workload: [[...new Set(WORKLOADS)].join(', '), (value) => WORKLOADS.some((name) => name === value)],
  threads: [`1 to ${MOST_THREADS}`, (value) => within(value, 1, MOST_THREADS)],
  ops: [`1 to ${MOST_OPS}`, (value) => within(value, 1, MOST_OPS)],
  seed: ['0 to 2^32 - 1', (value) => within(value, 0, 2 ** 32 - 1)],
  schedule: [
    'seeded:N, pct:N:d or replay:v1_...',
    (value) => typeof value === 'string' && /^(?:seeded:\d{1,10}|pct:\d{1,10}:\d{1,2}(?::\d{1,9})?|replay:v\d+_[\w-]+)$/.test(value)
  ],
  profile: [profileNames.join(', '), (value) => profileNames.some((name) => name === value)],
  build: [builds.join(', '), (value) => builds.some((name) => name === value)],
  placement: [placements.join(', '), (value) => placements.some((name) => name === value)],
  physical: [
    `none, or whole pages up to ${MEMORY} bytes`,
    (value) => value === undefined || (within(value, PAGE, MEMORY) && value % PAGE === 0)
  ]
}

function within(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}

/** The run that a failure file tells. Throws a RangeError that names the field which cannot be used. */
export function parseThreadsRun(program: unknown): ThreadsRun {
  if (typeof program !== 'object' || program === null || Array.isArray(program))
    throw new RangeError('expected the options of a run of ceheap stress as program, got something else: the file is damaged')
  const fields = program as Record<string, unknown>
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(FIELDS, name))
  if (unknown !== undefined) throw new RangeError(`expected a program of ${Object.keys(FIELDS).join(', ')}, got ${JSON.stringify(unknown)}`)
  for (const [name, [expected, holds]] of Object.entries(FIELDS))
    if (!holds(fields[name]))
      throw new RangeError(`expected ${expected} as ${name} of the program, got ${(JSON.stringify(fields[name]) ?? 'none').slice(0, 80)}`)
  return program as ThreadsRun
}
