import { Worker } from 'node:worker_threads'
import type * as ceheapTypes from '../src/index.ts'
import { median } from './measure.ts'
import type { ThreadJob } from './threadworker.ts'

const { createProcess } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof ceheapTypes

export const threadsName = 'threads: two workers against one'

/** What two workers do together, against what one does alone, in the same minute on the same machine. */
export interface ThreadsFigures {
  /** Pairs of HeapFree and HeapAlloc a millisecond by one worker alone. */
  readonly alone: number
  /** Throughput of two workers on one heap, over that of one. */
  readonly oneHeap: number
  /** Throughput of two workers with a heap each, over that of one. */
  readonly twoHeaps: number
  /** Throughput of two workers on one heap with their grants written down, over the same without. */
  readonly recorded: number
  /** The smallest part of its fair share that a worker got on the one heap. */
  readonly share: number
}

/** Pairs a millisecond of each worker; `heaps`: how many heaps they spread over. */
async function work(workers: number, heaps: number, ms: number, recorded = false): Promise<number[]> {
  const process = createProcess({ memory: 1 << 22, ...(recorded ? { schedule: 'recorded', threads: workers } : {}) })
  const timer = recorded ? setInterval(() => process.drainGrants(), 5) : undefined
  const handles = Array.from({ length: heaps }, () => process.thread.HeapCreate(0, 0, 0))
  const ready = new SharedArrayBuffer(4)
  const rates = await Promise.all(
    Array.from({ length: workers }, (_, at) => {
      const job: ThreadJob = { token: process.share(), heap: handles[at % heaps] as number, ms, ready, workers }
      const worker = new Worker(new URL('./threadworker.js', import.meta.url), { workerData: job })
      return new Promise<number>((settle, fail) => {
        worker.on('message', settle)
        worker.on('error', fail)
      })
    })
  )
  clearInterval(timer)
  process.check()
  return rates
}

const sum = (rates: readonly number[]): number => rates.reduce((total, rate) => total + rate, 0)

/** Rounds of one worker, two on one heap, the same recorded, two on two heaps; medians over the rounds, the share at its worst. */
export async function measureThreads(seconds: number, rounds: number): Promise<ThreadsFigures> {
  const found: ThreadsFigures[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = sum(await work(1, 1, seconds * 1000))
    const shared = await work(2, 1, seconds * 1000)
    const recorded = sum(await work(2, 1, seconds * 1000, true)) / sum(shared)
    const apart = await work(2, 2, seconds * 1000)
    const share = (Math.min(...shared) / sum(shared)) * shared.length
    found.push({ alone, oneHeap: sum(shared) / alone, twoHeaps: sum(apart) / alone, recorded, share })
  }
  const middle = (key: keyof ThreadsFigures): number => median(found.map((one) => one[key]))
  return {
    alone: middle('alone'),
    oneHeap: middle('oneHeap'),
    twoHeaps: middle('twoHeaps'),
    recorded: middle('recorded'),
    share: Math.min(...found.map(({ share }) => share))
  }
}

export function threadsTable({ alone, oneHeap, twoHeaps, recorded, share }: ThreadsFigures): string {
  return [
    threadsName,
    `  ${'one worker, one heap'.padEnd(28)}${alone.toFixed(0).padStart(8)} pairs a millisecond`,
    `  ${'two workers, one heap'.padEnd(28)}${oneHeap.toFixed(2).padStart(8)} x`,
    `  ${'two workers, two heaps'.padEnd(28)}${twoHeaps.toFixed(2).padStart(8)} x`,
    `  ${'one heap, recorded'.padEnd(28)}${recorded.toFixed(2).padStart(8)} x the same, free`,
    `  ${'smallest part of a fair share'.padEnd(28)}${share.toFixed(2).padStart(7)}`,
    ''
  ].join('\n')
}
