import { createProcess } from '../coredll/process.ts'
import type { CeProcess, ProcessOptions } from '../coredll/process.ts'
import { liveThreads } from '../machine/threads.ts'
import { Claims, claimsBuffer } from './claims.ts'
import { processEnded } from '../collect.ts'
import type { Crew, Ending } from './crew.ts'
import { endFault } from './endstate.ts'
import { HistoryWriter, merge, unpack } from './history.ts'
import type { Call } from './history.ts'
import { thrownBy, turn } from './job.ts'
import type { Job, Work } from './job.ts'
import { endingFaults, enteredFaults, findingFaults } from './faults.ts'
import { invariantFault } from './invariant.ts'
import { judge } from './judge.ts'
import type { Fault } from './judge.ts'
import type { WorkloadSource } from './load.ts'
import { randomOf } from './random.ts'
import { StressError } from './workload.ts'
import { isConcurrent } from './options.ts'
import { contentionOf, drain, scheduledOf } from './observed.ts'
import type { Scheduled } from './observed.ts'
import type { SectionContention } from './report.ts'
import type { Workload } from './workload.ts'

/** One run: which work, by how many threads, on what process, in which order. */
export interface RunPlan {
  readonly source: WorkloadSource
  readonly workload: Workload
  readonly threads: number
  /** Operations a thread, or milliseconds; one of them is Infinity. */
  readonly ops: number
  readonly ms: number
  readonly seed: number
  readonly schedule: string
  readonly process: ProcessOptions
  /** Longest time for the threads' work, in milliseconds. */
  readonly timeout: number
}

export interface RunOutcome extends Scheduled {
  readonly schedule: string
  /** What is wrong, cause first. */
  readonly faults: readonly Fault[]
  /** Every call in the order of grants, where threads went one at a time. */
  readonly history: readonly Call[]
  /** What each thread did; undefined for one that did not come to its end. */
  readonly works: readonly (Work | undefined)[]
  /** API calls of the threads. */
  readonly calls: number
  /** From the start to the last thread's end, in milliseconds. */
  readonly ms: number
  /** After the threads have ended, before `finish`; '' if they did not all come to their end. */
  readonly imageHash: string
  readonly contention: readonly SectionContention[]
  /** Why the sequential model was not asked; undefined if it was. */
  readonly unjudged: string | undefined
}

export interface RunHooks {
  /** Told some times a second while the threads work: operations done so far. */
  readonly onProgress?: (done: number) => void
  /** Told before the work of setup, of the threads, of finish and of the judge. */
  readonly onPhase?: (phase: 'setup' | 'run' | 'finish' | 'judge') => void
}

const TICK = 50
/** A thread's log of grants holds some milliseconds of work. */
const DRAIN = 2
let runs = 0

/** Makes one run and judges it. Throws a StressError if it cannot begin. */
export async function runOnce(crew: Crew, plan: RunPlan, hooks: RunHooks = {}): Promise<RunOutcome> {
  const { workload, threads, schedule, seed } = plan
  const concurrent = isConcurrent(schedule)
  const process = startProcess(plan)
  const ce = process.thread
  const writer = new HistoryWriter()
  ce.onFinding((finding) => writer.note(finding))
  const claims = concurrent ? claimsBuffer(ce.memory.bytes.length) : undefined
  const books = claims === undefined ? undefined : new Claims(claims)
  const stop = books === undefined ? ce.record(writer) : books.watch(ce)
  hooks.onPhase?.('setup')
  const { data, copy } = prepare(plan, process)
  const prepared = writer.calls

  hooks.onPhase?.('run')
  const done = new SharedArrayBuffer(threads * 4)
  const gate = concurrent ? new SharedArrayBuffer(4) : undefined
  const tokens = Array.from({ length: threads }, () => process.share())
  const run = ++runs
  const jobs = tokens.map((token, thread): Job => {
    const { source, ops, ms } = plan
    return { run, token, workload: source, thread, threads, seed, ops, ms, data: copy, claims, done, gate }
  })
  const endings = await work(crew, plan, process, { jobs, gate, done }, hooks)
  const works = endings.map((ending) => ('work' in ending ? ending.work : undefined))
  const whole = endings.every(({ how }) => how === 'done')

  const imageHash = whole ? process.imageHash() : ''
  const thrown = endingFaults(endings, timeOf(plan))
  // Of a thread that threw it is no wonder.
  const entered = whole ? enteredFaults(works, workload.tolerates ?? []) : []
  if (whole) {
    thrown.push(...strangers(process))
    hooks.onPhase?.('finish')
    const fault = finish(plan, process, data, endings)
    if (fault !== undefined) thrown.push(fault)
    // What it leaves for the end of its turn belongs to it, so that its time is bounded as well.
    await turn()
  }
  stop()
  hooks.onPhase?.('judge')
  const own = writer.pack(1)
  const calls = works.reduce((sum, one) => sum + (one?.calls ?? 0), 0)
  const ms = Math.max(0, ...works.map((one) => one?.ms ?? 0))
  const common = { schedule, works, calls, ms, imageHash, ...scheduledOf(process, schedule), contention: contentionOf(process, concurrent) }
  try {
    if (books !== undefined || own.cut || works.some((one) => one?.history.cut === true)) {
      const found = [own, ...works.flatMap((one) => (one === undefined ? [] : [one.history]))]
      const faults: Fault[] = [
        ...entered,
        ...findingFaults(found, workload.tolerates ?? []),
        ...(books?.faults ?? []),
        ...works.flatMap((one) => one?.claimFaults ?? []),
        ...thrown
      ]
      const state = books !== undefined && faults.length === 0 ? endFault(process, books.list()) : invariantFault(process)
      if (state !== undefined) faults.push(state)
      return { ...common, faults, history: [], unjudged: books === undefined ? 'there were too many calls to keep them all' : undefined }
    }
    const mine = unpack(own)
    const theirs = merge(works.map((one) => (one === undefined ? [] : unpack(one.history))))
    const history = [...mine.slice(0, prepared), ...theirs, ...mine.slice(prepared)]
    const { faults, unasked } = judge({
      history,
      threads,
      options: plan.process,
      processHeap: ce.GetProcessHeap(),
      after: whole && thrown.length + entered.length === 0 ? process : undefined,
      tolerates: workload.tolerates ?? [],
      refuses: common.refuses
    })
    return { ...common, faults: [...entered, ...faults, ...thrown], history, unjudged: unasked }
  } finally {
    close(process)
    processEnded(ce.memory.bytes.length)
  }
}

/** How long the threads of a run have, in milliseconds. */
function timeOf({ timeout, ms }: RunPlan): number {
  return timeout + (ms === Number.POSITIVE_INFINITY ? 0 : ms)
}

function startProcess(plan: RunPlan): CeProcess {
  const { process, schedule, threads, timeout } = plan
  // A section that is never left must not outlast the run: its waiter's error names the owner, the run's end only the waiter.
  const lockTimeout = Math.max(1, Math.floor(timeout / 2))
  const scheduled = schedule === 'free' ? {} : { schedule, threads, program: programOf(plan) }
  const counting = isConcurrent(schedule) ? { clock: () => performance.now() } : {}
  try {
    return createProcess({ lockTimeout, ...process, ...scheduled, ...counting })
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new StressError(error.message, { cause: error })
    throw error
  }
}

/** What a schedule string is good for: the same work by as many threads. The module itself may change, for that is how a failure is mended. */
function programOf({ workload, ops, seed, process }: RunPlan): string {
  const options = Object.entries(process).map(([key, value]) => `${key} ${value}`)
  return [workload.name, `ops ${ops}`, `seed ${seed}`, ...options].join(', ')
}

/** What setup() returned, for finish(), and a copy for the threads. */
function prepare({ workload, threads, seed }: RunPlan, process: CeProcess): { data: unknown; copy: unknown } {
  let data: unknown
  try {
    data = workload.setup?.(process.thread, { threads, random: randomOf(seed, -1) })
  } catch (error) {
    throw new StressError(`${workload.name}: setup() threw, so that nothing could be run: ${thrownBy(error).message}`, { cause: error })
  }
  try {
    // Copied once more for each of them: by now it is plain, and nothing has a say in how.
    return { data, copy: structuredClone(data) }
  } catch (error) {
    throw new StressError(
      `${workload.name}: setup() returned what cannot be handed to other threads (${thrownBy(error).message}); return plain data`,
      { cause: error }
    )
  }
}

interface Crewed {
  readonly jobs: readonly Job[]
  readonly gate: SharedArrayBuffer | undefined
  readonly done: SharedArrayBuffer
}

async function work(crew: Crew, plan: RunPlan, process: CeProcess, { jobs, gate, done }: Crewed, hooks: RunHooks): Promise<Ending[]> {
  const counts = new Int32Array(done)
  const timer = setInterval(
    () => {
      drain(process, plan.schedule)
      hooks.onProgress?.(counts.reduce((sum, count) => sum + count, 0))
    },
    plan.schedule === 'recorded' ? DRAIN : TICK
  )
  try {
    return await crew.run(jobs, {
      timeout: timeOf(plan),
      together: gate === undefined ? undefined : new Int32Array(gate),
      onGone: ({ token }) => void process.workerEnded(token)
    })
  } finally {
    clearInterval(timer)
  }
}

function finish({ workload }: RunPlan, process: CeProcess, data: unknown, endings: readonly Ending[]): Fault | undefined {
  try {
    const results = endings.map((ending) => (ending.how === 'done' ? ending.result : undefined))
    workload.finish?.(process.thread, data, results)
    return undefined
  } catch (error) {
    const { kind, message } = thrownBy(error)
    return { kind: kind === 'cookie' ? 'cookie' : 'threw', message: `finish() threw: ${message}`, thread: 1 }
  }
}

/** Threads that outlive the run: whoever attaches a thread detaches it. */
function strangers({ thread }: CeProcess): Fault[] {
  const left = liveThreads(thread.machine).filter((tid) => tid !== thread.tid)
  if (left.length === 0) return []
  const which = left.length === 1 ? `thread ${left[0]} is` : `threads ${left.join(', ')} are`
  return [{ kind: 'attached', message: `${which} still attached at the end: run() detaches what it attaches` }]
}

function close(process: CeProcess): void {
  try {
    process.close()
  } catch {
    // A thread that was ended may have left a section that cannot be had; nobody uses the process any more.
  }
}
