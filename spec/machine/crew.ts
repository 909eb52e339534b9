import { Worker } from 'node:worker_threads'
import type { CeProcess } from '../../src/index.ts'
import type { Left } from './hammer.ts'
import type { Job } from './hammer-worker.ts'

interface Told {
  readonly tid?: number
  readonly left?: Left
  readonly error?: string
}

/** What a worker did: its thread id and the blocks that it left, or what it threw. */
export interface Done {
  readonly tid: number
  readonly left: Left
  readonly error: string | undefined
}

/** Runs one job in a worker of its own; settles when the worker has ended. */
export function work(process: CeProcess, job: Omit<Partial<Job>, 'token'> & Pick<Job, 'job'>): Promise<Done> {
  const data: Job = { seed: 1, rounds: 1, heap: 0, shared: 0, section: 0, ...job, token: process.share() }
  const worker = new Worker(new URL('./hammer-worker.js', import.meta.url), { workerData: data })
  return new Promise((settle, fail) => {
    let told: Told = { error: 'the worker ended without a word' }
    worker.on('message', (message: Told) => {
      told = message
    })
    worker.on('error', fail)
    worker.on('exit', () => settle({ tid: told.tid ?? 0, left: told.left ?? [], error: told.error }))
  })
}
