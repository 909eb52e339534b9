import { Worker } from 'node:worker_threads'
import type { CeProcess } from '../../src/index.ts'
import type { Done, Job } from './task-worker.ts'

export type { Done } from './task-worker.ts'

/** Runs one worker; settles when it has ended. */
export function start(process: CeProcess, job: Omit<Job, 'token'>): Promise<Done> {
  const data: Job = { ...job, token: process.share() }
  const worker = new Worker(new URL('./task-worker.js', import.meta.url), { workerData: data })
  return new Promise((settle, fail) => {
    let told: Done = { spied: 0, passed: 0, error: 'the worker ended without a word' }
    worker.on('message', (message: Done) => {
      told = message
    })
    worker.on('error', fail)
    worker.on('exit', () => settle(told))
  })
}
