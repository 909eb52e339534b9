import { builds, placements, profileNames } from '../profile.ts'
import { formatStress, type StressOptions, stress } from '../stress/index.ts'
import type { FuzzFailure } from './report.ts'
import { wordsOfSeed } from './words.ts'

export interface ThreadsOutcome {
  readonly calls: number
  readonly failure?: Pick<FuzzFailure, 'message' | 'found' | 'left' | 'tried' | 'text' | 'repeat'>
}

/** What the threads do, out of ceheap/stress: most often everything on the process heap. */
const WORKLOADS = ['mixed', 'many-heaps', 'bleeding', 'mixed', 'resize-storm', 'producer-consumer', 'create-destroy', 'recursion'] as const
const MEMORY = 4 * 1024 * 1024

/** The stress run that a seed is: 2 to 4 threads, one at a time as `seeded:seed` says, which do so many operations together. */
export function stressOf(seed: number, commands: number): StressOptions {
  const [first = 0, second = 0] = wordsOfSeed(seed, 0)
  const threads = 2 + (first % 3)
  const workload = WORKLOADS[(first >>> 8) % WORKLOADS.length] as string
  // The other workloads need what they ask for.
  const low = workload === 'mixed' && (second & 1) === 1
  return {
    workload,
    threads,
    ops: Math.ceil(commands / threads),
    seed,
    schedule: `seeded:${seed}`,
    profile: profileNames[(first >>> 16) % profileNames.length] as (typeof profileNames)[number],
    build: builds[(first >>> 24) % builds.length] as (typeof builds)[number],
    placement: placements[(second >>> 8) % placements.length] as (typeof placements)[number],
    ...(low ? { physical: MEMORY / 32 + ((second >>> 16) % 64) * 4096 } : {})
  }
}

/** Makes the stress run of a seed; the judge of ceheap/stress finds what is wrong, makes it smaller and says how it is repeated. */
export async function runThreads(seed: number, commands: number, run: typeof stress = stress): Promise<ThreadsOutcome> {
  const options = stressOf(seed, commands)
  const report = await run(options)
  const { calls, failure, unjudged } = report
  if (unjudged !== null && failure === undefined) throw new Error(`${options.workload}: ${unjudged}`)
  const found = commandsOf(options)
  const told = { found, left: found, tried: 0, text: formatStress(report).trimEnd() }
  if (failure !== undefined) {
    const { message, repeat, shrunk } = failure
    const smaller = shrunk === undefined ? {} : { left: commandsOf(shrunk), tried: shrunk.runs }
    return { calls, failure: { ...told, ...smaller, message, repeat } }
  }
  return { calls }
}

function commandsOf({ threads = 0, ops = 0 }: Pick<StressOptions, 'threads' | 'ops'>): number {
  return threads * ops
}
