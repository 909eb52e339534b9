import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { CeProcess, CeThread, ShareToken } from '../../src/index.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import type { News, Order } from './critical-worker.ts'

/** A worker at work on a section. */
export interface Hand {
  readonly token: ShareToken
  readonly worker: Worker
  /** The next thing that it tells. */
  next(): Promise<News>
}

export function start(process: CeProcess, order: Omit<Order, 'token'>): Hand {
  const token = process.share()
  const worker = new Worker(new URL('./critical-worker.js', import.meta.url), { workerData: { ...order, token } satisfies Order })
  const told: News[] = []
  worker.on('message', (news: News) => told.push(news))
  const next = async (): Promise<News> => {
    while (told.length === 0) await once(worker, 'message')
    return told.shift() as News
  }
  return { token, worker, next }
}

/** Until somebody may be parked on the only section. */
export async function waitedFor({ machine }: CeThread): Promise<void> {
  const [at = 0] = sectionRecords(machine)
  while (Atomics.load(machine.sys, at) >= 0) await new Promise((go) => setTimeout(go, 1))
}
