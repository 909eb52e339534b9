// Virtual memory and injected failures seen by several worker threads at once.
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CeProcess, createProcess, MEM_COMMIT, MEM_RESERVE, PAGE_GUARD, PAGE_READWRITE } from '../../src/index.ts'
import type { MemoryJob } from './memory-worker.ts'

const KB = 1024
const PAGE = 4096

/** Runs the job in `threads` workers at once; what each counted. */
function crew(process: CeProcess, threads: number, job: Omit<MemoryJob, 'token'>): Promise<number[]> {
  const one = (): Promise<number> =>
    new Promise((settle, fail) => {
      const worker = new Worker(new URL('./memory-worker.js', import.meta.url), { workerData: { ...job, token: process.share() } })
      let told: { count?: number; error?: string } = { error: 'the worker ended without a word' }
      worker.on('message', (message: typeof told) => {
        told = message
      })
      worker.on('error', fail)
      worker.on('exit', () => (told.error === undefined ? settle(told.count ?? 0) : fail(new Error(told.error))))
    })
  return Promise.all(Array.from({ length: threads }, one))
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
const threads = suite('memory over worker threads')

threads('VP-4: of all threads that touch a guard page one alone sets it off', async () => {
  const process = createProcess({ memory: 4096 * KB })
  const pages = 400
  const at = process.thread.VirtualAlloc(0, pages * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD)
  assert.is(sum(await crew(process, 3, { job: 'touch', rounds: pages, at })), pages)
  process.check()
})

threads('injected failures are counted over all threads, and the thread that is refused is told', async () => {
  const process = createProcess({ memory: 4096 * KB })
  const heap = process.thread.HeapCreate(0, 0, 0)
  const injected = process.injectFailures({ on: 'alloc', every: 7, site: 'worker' })
  const refused = await crew(process, 3, { job: 'allocate', rounds: 5000, at: heap })
  assert.is.not(process.thread.HeapAlloc(heap, 0, 10), 0, 'under no label')
  injected.end()
  assert.is(injected.seen, 15_000)
  assert.is(injected.failed, Math.floor(15_000 / 7))
  assert.is(sum(refused), injected.failed)
  process.check()
})

threads('each thread sees its own pages alone, while the budget changes and commits are refused', async () => {
  const process = createProcess({ memory: 4096 * KB, physical: 256 * KB })
  let told = 0
  process.onHibernate(() => told++)
  const injected = process.injectFailures({ on: 'commit', probability: 0.1, seed: 5 })
  let over = false
  const done = crew(process, 3, { job: 'churn', rounds: 2000, at: process.thread.GetProcessHeap() }).finally(() => {
    over = true
  })
  for (let kb = 64; !over; kb = kb === 256 ? 64 : 256) {
    process.setPhysical(kb * KB)
    process.check()
    await new Promise((settle) => setTimeout(settle, 1))
  }
  await done
  injected.end()
  assert.ok(injected.failed > 0)
  assert.ok(told > 0)
  process.check()
  assert.equal(process.snapshot().reservations, [])
})

threads.run()
