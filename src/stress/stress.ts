import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { profileOf } from '../profile.ts'
import { BEAT, guarded, phases, turning } from './beat.ts'
import type { Phase } from './beat.ts'
import { commandOf } from './command.ts'
import { ENDING, startTime } from './crew.ts'
import { thrownBy } from './job.ts'
import { planOf } from './options.ts'
import type { StressOptions, StressPlan, StressProgress } from './options.ts'
import { hearRest, within } from './port.ts'
import type { StressReport } from './report.ts'
import type { LeadData, LeadTold } from './stresslead.ts'
import { StressError } from './workload.ts'

/** How often the leading thread is looked after, in milliseconds. */
const LOOK = 100
/** How long the leading thread may be busy with the start of one thread where all start at once, in milliseconds. */
const STARTING = 100
/** Node's exit code for a module whose top-level await never settles. */
const UNSETTLED = 13

/**
 * Puts worker threads to work on one emulated process, judges what they did, and reports. Resolves with a report in which `ok` tells whether
 * everything was as it must be; rejects with a TypeError or RangeError for a wrong option, with a StressError for a workload that cannot be used.
 * Prints nothing, ends nothing, always ends.
 *
 *     const report = await stress({ workload: './mine.js', threads: 4, ops: 200, schedule: 'pct:1:3', runs: 500 })
 *     assert.ok(report.ok, report.failure?.message)
 */
export async function stress(options: StressOptions = {}): Promise<StressReport> {
  const plan = planOf(options)
  const beat = new SharedArrayBuffer(BEAT.WORDS * 4)
  const { port1, port2 } = new MessageChannel()
  const data: LeadData = { plan, beat, port: port2 }
  const worker = new Worker(new URL('./stresslead.js', import.meta.url), {
    workerData: data,
    transferList: [port2],
    stdout: true,
    stderr: true
  })
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (text: Buffer) => options.onPrint?.(text.toString()))
  try {
    return await supervised(worker, port1, plan, new Int32Array(beat), options)
  } finally {
    port1.close()
    await within(worker.terminate(), ENDING)
  }
}

function supervised(
  worker: Worker,
  port: MessageChannel['port1'],
  plan: StressPlan,
  beat: Int32Array,
  options: StressOptions
): Promise<StressReport> {
  return new Promise((settle, refuse) => {
    const changed = watch(beat, BEAT.CHANGES)
    const turned = watch(beat, BEAT.TURNS)
    const idle = startTime(plan.timeout) + plan.threads * STARTING
    const phaseNow = (): Phase => phases[Atomics.load(beat, BEAT.PHASE)] as Phase
    let found: StressReport | undefined
    /** A failure that was found comes before whatever happened while it was made smaller. */
    const refused = (error: unknown): void => (found === undefined ? refuse(error) : settle(found))
    const hear = (message: unknown): void => {
      // Code of the workload can find the port.
      if (typeof message !== 'object' || message === null) return
      const told = message as LeadTold
      if (told.step === 'print') {
        apart(() => options.onPrint?.(told.text))
        return
      }
      if (told.step === 'found') {
        found = told.report
        return
      }
      if (!['report', 'refused', 'broken'].includes(told.step)) return
      clearInterval(timer)
      if (told.step === 'report') settle(told.report)
      else refused(told.step === 'refused' ? new StressError(told.message) : told.error)
    }
    const ended = (phase: Phase, how: string): void => {
      clearInterval(timer)
      hearRest(port, hear)
      if (phase === 'finish') settle(found ?? unfinished(plan, beat, how))
      else refused(new StressError(refusal(plan, phase, how)))
    }
    const timer = setInterval(() => {
      // In this order: an age is never older than the phase that it is taken for.
      const phase = phaseNow()
      const now = performance.now()
      const [since, silent] = [changed(now), turned(now)]
      const bound = Atomics.load(beat, BEAT.CHANGES) > 0 ? plan.timeout : idle
      if (guarded.includes(phase) && since > bound) ended(phase, `did not end within ${bound / 1000} s`)
      else if (turning.includes(phase) && silent > idle) ended(phase, `did not end within ${Math.round(silent / 1000)} s`)
      else apart(() => options.onProgress?.(progressOf(plan, beat, phase, since)))
    }, LOOK)
    port.on('message', hear)
    worker.on('error', (error: unknown) => {
      clearInterval(timer)
      hearRest(port, hear)
      refused(laterError(error, plan))
    })
    worker.on('exit', (code) => {
      const how =
        code === UNSETTLED ? 'awaits what never comes' : `ended its thread with exit code ${code}; a workload never calls process.exit`
      ended(phaseNow(), how)
    })
  })
}

/** Calls code of the caller: what it throws is the caller's, and disturbs nothing here. */
function apart(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Tells for how long a word has not changed, in milliseconds. */
function watch(words: Int32Array, at: number): (now: number) => number {
  let last = -1
  let since = performance.now()
  return (now) => {
    const seen = Atomics.load(words, at)
    if (seen !== last) since = now
    last = seen
    return now - since
  }
}

/** What to tell of an error of the leading thread that nobody caught: the workload's, unless no code but this library's was on the way to it. */
function laterError(error: unknown, { source }: StressPlan): unknown {
  const { stack, code } = (error ?? {}) as { stack?: unknown; code?: unknown }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new StressError(`${source.given}: the creating thread has no memory left for what was done; give fewer --ops or --threads`)
  const here = new URL('.', import.meta.url)
  const frames = String(stack)
    .split('\n')
    .filter((line) => /^ +at /.test(line) && !/\(?node:/.test(line))
  const own = frames.length > 0 && frames.every((line) => line.includes(here.href) || line.includes(fileURLToPath(here)))
  if (own || source.url === undefined) return error
  return new StressError(`${source.given}: code of the workload in the creating thread threw later: ${thrownBy(error).message}`)
}

function refusal({ source }: StressPlan, phase: Phase, how: string): string {
  const left = 'code that setup() or finish() left behind in the creating thread'
  const what: Readonly<Record<Phase, string>> = {
    load: 'the module (while it was loaded)',
    setup: 'setup()',
    run: left,
    finish: 'finish()',
    judge: 'the judge',
    close: left
  }
  return `${source.given}: ${what[phase]} ${how}`
}

function progressOf(plan: StressPlan, beat: Int32Array, phase: Phase, since: number): StressProgress {
  const working = phases.indexOf('run') - phases.indexOf(phase)
  const bounded = plan.ms === Number.POSITIVE_INFINITY
  return {
    runs: beat[BEAT.RUNS] as number,
    of: Math.max(1, beat[BEAT.OF] as number),
    done: beat[BEAT.DONE] as number,
    ops: bounded ? plan.ops * plan.threads : 0,
    ms: working > 0 ? 0 : working < 0 && !bounded ? plan.ms : Math.min(since, plan.ms),
    seconds: bounded ? 0 : plan.ms / 1000
  }
}

/** The report of a run whose `finish` never came back: nothing else is known of it. */
function unfinished(plan: StressPlan, beat: Int32Array, how: string): StressReport {
  const { source, schedule, seed, ops, process } = plan
  const bounded = plan.ms === Number.POSITIVE_INFINITY
  const runs = beat[BEAT.RUNS] as number
  return {
    version: 1,
    ok: false,
    workload: source.given,
    schedule,
    seed,
    profile: process.profile,
    build: process.build,
    placement: process.placement ?? profileOf(process.profile).placement,
    memory: process.memory,
    physical: process.physical ?? process.memory,
    ops: bounded ? ops : null,
    seconds: bounded ? null : plan.ms / 1000,
    runs: runs + 1,
    calls: 0,
    imageHash: '',
    throughput: 0,
    threads: [],
    fairness: 0,
    contention: [],
    replay: null,
    coverage: null,
    unjudged: 'the run did not come to its end',
    failure: {
      kind: how.startsWith('did not end') ? 'timeout' : 'exit',
      message: refusal(plan, 'finish', how),
      thread: 1,
      schedule,
      seed,
      runsBefore: runs,
      others: [],
      repeat: commandOf(plan),
      repeats: schedule !== 'free' && schedule !== 'recorded'
    }
  }
}
