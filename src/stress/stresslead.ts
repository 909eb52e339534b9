import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { BEAT, phases } from './beat.ts'
import type { Phase } from './beat.ts'
import { lead } from './lead.ts'
import type { StressPlan } from './options.ts'
import type { StressReport } from './report.ts'
import { StressError } from './workload.ts'

/**
 * The thread that creates the processes and leads the runs. It is a worker so that a workload whose setup or finish never ends, or ends
 * the process, takes only this thread with it.
 */
export interface LeadData {
  readonly plan: StressPlan
  readonly beat: SharedArrayBuffer
  readonly port: MessagePort
}

export type LeadTold =
  | { readonly step: 'report'; readonly report: StressReport }
  /** The report as it is before the failure is made smaller. */
  | { readonly step: 'found'; readonly report: StressReport }
  | { readonly step: 'refused'; readonly message: string }
  | { readonly step: 'print'; readonly text: string }
  | { readonly step: 'broken'; readonly error: unknown }

/** How often the thread shows that its event loop turns, in milliseconds. */
const TURN = 100

const { plan, beat, port } = workerData as LeadData
const words = new Int32Array(beat)
const tell = (told: LeadTold): void => port.postMessage(told)

function enter(phase: Phase): void {
  if (phase === 'setup') Atomics.store(words, BEAT.DONE, 0)
  // The phase comes last: who sees it sees that its time has only begun.
  Atomics.add(words, BEAT.TURNS, 1)
  Atomics.add(words, BEAT.CHANGES, 1)
  Atomics.store(words, BEAT.PHASE, phases.indexOf(phase))
}

// Keeps nothing alive: a module that awaits what never comes shall be seen to.
setInterval(() => Atomics.add(words, BEAT.TURNS, 1), TURN).unref()
enter('load')

try {
  const report = await lead(plan, {
    onPhase: enter,
    onProgress: (done) => Atomics.store(words, BEAT.DONE, done),
    onRun: (runs, of) => {
      Atomics.store(words, BEAT.RUNS, runs)
      Atomics.store(words, BEAT.OF, of)
    },
    onFound: (report) => tell({ step: 'found', report }),
    onPrint: (text) => tell({ step: 'print', text })
  })
  tell({ step: 'report', report })
} catch (error) {
  tell(error instanceof StressError ? { step: 'refused', message: error.message } : { step: 'broken', error })
}
port.close()
