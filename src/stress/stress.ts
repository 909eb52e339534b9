import { MessageChannel, Worker } from 'node:worker_threads'
import { profileOf } from '../profile.ts'
import { BEAT, guarded, phases } from './beat.ts'
import type { Phase } from './beat.ts'
import { commandOf } from './command.ts'
import { planOf } from './options.ts'
import type { StressOptions, StressPlan, StressProgress } from './options.ts'
import { hearRest } from './port.ts'
import type { StressReport } from './report.ts'
import type { LeadData, LeadTold } from './stresslead.ts'
import { StressError } from './workload.ts'

/** How often the leading thread is looked after, in milliseconds. */
const LOOK = 100
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
    await worker.terminate()
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
    let changes = -1
    let since = performance.now()
    const ended = (how: string): void => {
      clearInterval(timer)
      const phase = phases[Atomics.load(beat, BEAT.PHASE)] as Phase
      if (phase === 'finish') settle(unfinished(plan, beat, how))
      else refuse(new StressError(refusal(plan, phase, how)))
    }
    const timer = setInterval(() => {
      const now = performance.now()
      const seen = Atomics.load(beat, BEAT.CHANGES)
      if (seen !== changes) {
        changes = seen
        since = now
      }
      options.onProgress?.(progressOf(plan, beat, now - since))
      const phase = phases[Atomics.load(beat, BEAT.PHASE)] as Phase
      if (guarded.includes(phase) && now - since > plan.timeout) ended(`did not end within ${plan.timeout / 1000} s`)
    }, LOOK)
    const hear = (told: LeadTold): void => {
      if (told.step === 'print') {
        options.onPrint?.(told.text)
        return
      }
      clearInterval(timer)
      if (told.step === 'report') settle(told.report)
      else refuse(told.step === 'refused' ? new StressError(told.message) : told.error)
    }
    port.on('message', hear)
    worker.on('error', (error: unknown) => {
      clearInterval(timer)
      const phase = phases[Atomics.load(beat, BEAT.PHASE)] as Phase
      // An error that nobody awaited: of the workload's own doing, as long as its code was running.
      refuse(guarded.includes(phase) ? new StressError(refusal(plan, phase, `threw later: ${String(error)}`)) : error)
    })
    worker.on('exit', (code) => {
      hearRest(port, hear)
      ended(code === UNSETTLED ? 'awaits what never comes' : `ended its thread with exit code ${code}; a workload never calls process.exit`)
    })
  })
}

function refusal({ source }: StressPlan, phase: Phase, how: string): string {
  const what: Readonly<Record<Phase, string>> = {
    load: 'the module (while it was loaded)',
    setup: 'setup()',
    run: 'code of the workload in the creating thread',
    finish: 'finish()',
    judge: 'the judge'
  }
  return `${source.given}: ${what[phase]} ${how}`
}

function progressOf(plan: StressPlan, beat: Int32Array, ms: number): StressProgress {
  const bounded = plan.ms === Number.POSITIVE_INFINITY
  return {
    runs: beat[BEAT.RUNS] as number,
    of: Math.max(1, beat[BEAT.OF] as number),
    done: beat[BEAT.DONE] as number,
    ops: bounded ? plan.ops * plan.threads : 0,
    ms,
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
