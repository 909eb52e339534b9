// A request that waits: another thread, a worker, gives memory back.
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHost } from '../../src/hosting/index.ts'
import {
  createProcess,
  eTaskCritical,
  HOST_E_TIMEOUT,
  MALLOC_THREADSAFE,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import type { Held } from './holder-worker.ts'

/** Has a worker take bytes through a host of its own and give them back when it is told to. */
async function holder(
  process: ReturnType<typeof createProcess>,
  held: Omit<Held, 'token'>
): Promise<{ free(): void; ended: Promise<unknown> }> {
  const worker = new Worker(new URL('./holder-worker.js', import.meta.url), {
    workerData: { ...held, token: process.share() } satisfies Held
  })
  const ended = new Promise((settle, fail) => {
    worker.on('exit', settle)
    worker.on('error', fail)
  })
  await new Promise((settle, fail) => {
    worker.once('message', settle)
    worker.once('error', fail)
  })
  return { free: () => worker.postMessage('free'), ended }
}

const waits = suite('a request that waits')

waits('HO-6, C-86, C-88: it is met as soon as another host of the process gives enough back', async () => {
  const process = createProcess({ memory: 0x400000 })
  const host = openHost(process.thread, { budget: { task: 10_000 }, wait: { task: 60_000 } })
  const malloc = host.CreateMalloc(MALLOC_THREADSAFE).ppMalloc
  assert.ok(malloc)
  const other = await holder(process, { bytes: 9_000, virtual: false })
  other.free()
  // Parks this thread: the worker hears of it from the queue that is full already.
  assert.is(malloc.Alloc(5_000, eTaskCritical).hr, S_OK)
  await other.ended
  process.check()
})

waits("HO-6: it is met when the device's memory comes free without a word to the host", async () => {
  const process = createProcess({ memory: 0x400000, physical: 0x100000 })
  const host = openHost(process.thread, { wait: { task: 60_000 } })
  const other = await holder(process, { bytes: 0xc0000, virtual: true })
  other.free()
  assert.is(host.VirtualAlloc(0, 0xc0000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, eTaskCritical).hr, S_OK)
  await other.ended
  process.check()
})

waits('HOST_E_TIMEOUT when nobody gives enough back in time', async () => {
  const process = createProcess({ memory: 0x400000 })
  const host = openHost(process.thread, { budget: { task: 10_000 }, wait: { task: 50 } })
  const other = await holder(process, { bytes: 9_000, virtual: false })
  assert.is(host.CreateMalloc(0).ppMalloc?.Alloc(5_000, eTaskCritical).hr, HOST_E_TIMEOUT)
  other.free()
  await other.ended
})
waits.run()
