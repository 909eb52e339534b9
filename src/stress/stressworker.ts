import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { processEnded } from '../collect.ts'
import type { Job, Told } from './job.ts'
import { participate } from './participant.ts'

/**
 * A thread of a run, kept for the next one. It speaks with the harness over a port of its own: what a workload posts to its parent
 * is not taken for an answer.
 */
const { port } = workerData as { port: MessagePort }

port.on('message', (job: Job) => {
  void participate(job, tell).then(() => processEnded())
})

function tell(told: Told): void {
  try {
    port.postMessage(told)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const message = `run() returned what cannot be handed to another thread (${said}); return plain data`
    if (told.step === 'done')
      port.postMessage({ run: told.run, step: 'failed', work: told.work, error: { kind: 'threw', message } } satisfies Told)
  }
}
