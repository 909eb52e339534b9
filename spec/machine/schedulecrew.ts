import { Worker } from 'node:worker_threads'
import type { CallRecord, CeProcess, ShareToken } from '../../src/index.ts'
import type { Part } from './schedule-worker.ts'

/** What one thread of a scheduled run did. */
export interface Played {
  readonly tid: number
  readonly calls: readonly CallRecord[]
  /** What it returned. */
  readonly value: unknown
  /** `name: message` of what it threw. */
  readonly error: string | undefined
}

export interface PlayOptions {
  /** Starts the workers in another order than that of their parts. */
  readonly start?: readonly number[]
  /** Called some times a second. */
  readonly onTick?: () => void
  /** Told when a worker says so (`mark` of its part). */
  readonly onMark?: (worker: Worker, token: ShareToken) => void
  /** Whether the process is closed by now. */
  readonly closed?: () => boolean
}

/** Lets each part be played by a worker of its own, by a token of its own; settles when all have ended, in the order of the parts. */
export function play(process: CeProcess, parts: readonly Omit<Part, 'token'>[], options: PlayOptions = {}): Promise<Played[]> {
  const tokens = parts.map(() => process.share())
  const played: Promise<Played>[] = []
  for (const at of options.start ?? parts.keys()) {
    const token = tokens[at] as ShareToken
    const worker = new Worker(new URL('./schedule-worker.js', import.meta.url), { workerData: { ...parts[at], token } })
    played[at] = new Promise((settle, fail) => {
      let told: Played = { tid: 0, calls: [], value: undefined, error: 'the worker ended without a word' }
      worker.on('message', (message: Played | 'mark') => {
        if (message === 'mark') options.onMark?.(worker, token)
        else told = message
      })
      worker.on('error', fail)
      worker.on('exit', () => {
        // Who has detached is gone already; who threw is not.
        if (!options.closed?.()) process.workerEnded(token)
        settle(told)
      })
    })
  }
  const timer = setInterval(() => options.onTick?.(), 5)
  return Promise.all(played).finally(() => clearInterval(timer))
}
