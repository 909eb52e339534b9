// What the specs of threads run in real workers: one job a worker, its result or its error by message.
import { parentPort, workerData } from 'node:worker_threads'
import { attachThread, type CeThread, type ShareToken } from '../../src/index.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { writeCookie } from './cookie.ts'
import { generator, hammer, type Left } from './hammer.ts'

export interface Job {
  readonly token: ShareToken
  readonly job: JobName
  readonly seed: number
  readonly rounds: number
  readonly heap: number
  /** Address of what the threads share: slots for pointers, or a counter. */
  readonly shared: number
  /** Word of a section in system memory. */
  readonly section: number
}

/** Makes and ends heaps of its own beside the others, with the process heap as their common ground. */
function heaps(ce: CeThread, { seed, rounds }: Job): Left {
  const random = generator(seed)
  for (let n = 0; n < rounds; n++) {
    const heap = ce.HeapCreate(0, random(3) * 4096, random(2) * 0x10000)
    const common = ce.HeapAlloc(ce.GetProcessHeap(), 0, 64)
    if (heap !== 0) {
      for (let k = 0; k < 5; k++) {
        const p = ce.HeapAlloc(heap, 0, 8 + random(20_000))
        if (p !== 0) writeCookie(ce, p, 8)
      }
      if (ce.HeapDestroy(heap) !== 1 || ce.HeapDestroy(heap) !== 0) throw new Error('a heap ends once')
    }
    if (common !== 0 && ce.HeapFree(ce.GetProcessHeap(), 0, common) !== 1) throw new Error('a block of the process heap could not be freed')
  }
  return []
}

/** Adds to a plain counter, which only a section keeps exact; enters it twice at times. */
function count(ce: CeThread, { rounds, shared, section }: Job): Left {
  const counter = new Int32Array(ce.memory.bytes.buffer, shared, 1)
  for (let n = 0; n < rounds; n++) {
    enter(ce.machine, section, ce.tid)
    if (n % 3 === 0) enter(ce.machine, section, ce.tid)
    counter[0] = (counter[0] as number) + 1
    if (n % 3 === 0) leave(ce.machine, section)
    leave(ce.machine, section)
  }
  return []
}

/** Holds a section for `rounds` milliseconds; of the two shared words one tells that it is inside, the other that it is about to leave. */
function hold(ce: CeThread, { rounds, shared, section }: Job): Left {
  const flags = new Int32Array(ce.memory.bytes.buffer, shared, 2)
  enter(ce.machine, section, ce.tid)
  Atomics.store(flags, 0, 1)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, rounds)
  Atomics.store(flags, 1, 1)
  leave(ce.machine, section)
  return []
}

/** Makes `rounds` calls that are wrong, each in its own way. */
function wrong(ce: CeThread, { rounds, heap }: Job): Left {
  for (let n = 0; n < rounds; n++) ce.HeapFree(heap, 0, 0x10000 + n)
  return []
}

/** Sets and reads its own last error. */
function errors(ce: CeThread, { rounds }: Job): Left {
  if (ce.GetLastError() !== 0) throw new Error('a new thread has a last error')
  for (let n = 1; n <= rounds; n++) {
    ce.SetLastError(ce.tid * 1_000_000 + n)
    ce.HeapFree(0, 0, 0)
    if (ce.GetLastError() !== 87) throw new Error("another thread's last error")
  }
  ce.SetLastError(ce.tid)
  return []
}

/** Calls until the process is closed. */
function untilClosed(ce: CeThread, { heap }: Job): Left {
  for (;;) ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 100))
}

type JobName = 'hammer' | 'heaps' | 'count' | 'hold' | 'wrong' | 'errors' | 'untilClosed'

const jobs: Record<JobName, (ce: CeThread, job: Job) => Left> = {
  hammer: (ce, job) => hammer(ce, { ...job, random: generator(job.seed), mine: [] }),
  heaps,
  count,
  hold,
  wrong,
  errors,
  untilClosed
}

if (parentPort !== null) {
  const job = workerData as Job
  try {
    const ce = attachThread(job.token)
    parentPort.postMessage({ tid: ce.tid, left: jobs[job.job](ce, job) })
  } catch (error) {
    parentPort.postMessage({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
  }
}
