import { lineOf } from '../mixed/tell.ts'
import type { CallRecord } from '../coredll/record.ts'
import { formatStress, type StressFailure, stress } from '../stress/index.ts'
import type { FuzzFailure } from './report.ts'
import { stressOf, type ThreadsRun } from './threadsrun.ts'

export interface ThreadsOutcome {
  readonly calls: number
  readonly failure?: Pick<FuzzFailure, 'message' | 'found' | 'left' | 'tried' | 'text' | 'trace' | 'repeat'> & {
    /** The smallest run that fails. */
    readonly run: ThreadsRun
  }
}

/** Calls that are told as a program; the trace has all. */
const MOST_LINES = 400

/** Makes the stress run of a seed. */
export async function runThreads(seed: number, commands: number, make: typeof stress = stress): Promise<ThreadsOutcome> {
  return await runStress(stressOf(seed, commands), make)
}

/** Makes a stress run; the judge of ceheap/stress finds what is wrong, makes it smaller and says how it is repeated. */
export async function runStress(options: ThreadsRun, make: typeof stress = stress): Promise<ThreadsOutcome> {
  const report = await make(options)
  const { calls, failure, unjudged } = report
  if (unjudged !== null && failure === undefined) throw new Error(`${options.workload}: ${unjudged}`)
  if (failure === undefined) return { calls }
  const { message, repeat, shrunk } = failure
  const run = smallest(options, failure)
  const text = formatStress(report).trimEnd()
  return {
    calls,
    failure: {
      message,
      found: commandsOf(options),
      left: commandsOf(run),
      tried: shrunk?.runs ?? 0,
      text: shrunk === undefined ? text : `${text}\n\n${programOf(shrunk.trace)}`,
      trace: shrunk?.trace ?? '',
      repeat,
      run
    }
  }
}

function smallest(options: ThreadsRun, { seed, shrunk }: StressFailure): ThreadsRun {
  if (shrunk === undefined) return options
  const { threads, ops, schedule } = shrunk
  return { ...options, threads, ops, seed, schedule }
}

function commandsOf({ threads, ops }: ThreadsRun): number {
  return threads * ops
}

/** The calls of a trace in their order, as they can be pasted: one JavaScript thread makes them for all. */
function programOf(trace: string): string {
  const [header = '', ...lines] = trace.trimEnd().split('\n')
  const { profile, build, placement, memory, physical } = JSON.parse(header) as Record<string, unknown>
  const calls = lines.map((line) => JSON.parse(line) as CallRecord)
  const threads = Math.max(1, ...calls.map(({ thread }) => thread))
  const left = Math.max(0, calls.length - MOST_LINES)
  return [
    `const process = createProcess(${JSON.stringify({ profile, build, placement, memory, physical })})`,
    `const ce = [process.thread, ...Array.from({ length: ${threads - 1} }, () => attachThread(process.share()))]`,
    ...(left === 0 ? [] : [`// ... ${left} calls before`]),
    ...calls.slice(left).map((call) => lineOf(call.thread - 1, call))
  ].join('\n')
}
