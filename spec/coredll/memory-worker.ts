// What memorythreads.spec.ts runs in real workers: counts of what happened to one thread, by message.
import { parentPort, workerData } from 'node:worker_threads'
import {
  AccessViolation,
  attachThread,
  type CeThread,
  GuardPageException,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEMORY_BASIC_INFORMATION,
  PAGE_GUARD,
  PAGE_READONLY,
  PAGE_READWRITE,
  type ShareToken
} from '../../src/index.ts'

const PAGE = 4096

export interface MemoryJob {
  readonly token: ShareToken
  readonly job: 'allocate' | 'touch' | 'churn'
  readonly rounds: number
  /** The pages to touch, or a heap's handle. */
  readonly at: number
}

/** Requests for blocks; the refused ones. */
function allocate(ce: CeThread, { rounds, at }: MemoryJob): number {
  const done = ce.site('worker')
  let refused = 0
  for (let n = 0; n < rounds; n++) {
    const block = ce.HeapAlloc(at, 0, 1 + (n % 500))
    if (block === 0) refused++
    else ce.HeapFree(at, 0, block)
  }
  done()
  return refused
}

/** Reads every page once, and again what raised; the guards that went off here. */
function touch(ce: CeThread, { rounds, at }: MemoryJob): number {
  let guards = 0
  for (let page = 0; page < rounds; page++) {
    try {
      ce.memory.readU8(at + page * PAGE)
    } catch (error) {
      if (!(error instanceof GuardPageException)) throw error
      guards++
      ce.memory.readU8(at + page * PAGE)
    }
  }
  return guards
}

/** Reserves, commits, protects, asks, writes and gives back pages of its own, each step checked; no other thread may be seen. */
function churn(ce: CeThread, { rounds, at }: MemoryJob): number {
  const out = ce.HeapAlloc(at, 0, 64)
  let refused = 0
  for (let n = 0; n < rounds; n++) {
    const pages = 1 + (n % 20)
    const base = ce.VirtualAlloc(0, pages * PAGE, MEM_RESERVE, PAGE_READWRITE)
    if (base === 0) {
      refused++
      continue
    }
    const some = 1 + (n % pages)
    if (ce.VirtualAlloc(base, some * PAGE, MEM_COMMIT, PAGE_READWRITE) === base) {
      if (!ce.memory.read(base, some * PAGE).every((byte) => byte === 0)) throw new Error('a fresh page is not zero')
      ce.memory.fill(base, ce.tid, some * PAGE)
      if (ce.VirtualQuery(base, out, 28) !== 28) throw new Error('VirtualQuery failed')
      const { RegionSize, State } = MEMORY_BASIC_INFORMATION.read(ce.memory, out)
      if (RegionSize !== some * PAGE || State !== MEM_COMMIT) throw new Error(`${some} committed pages show as ${RegionSize} bytes`)
      if (ce.VirtualProtect(base, PAGE, PAGE_READONLY | PAGE_GUARD, out) !== 1) throw new Error('VirtualProtect failed')
      if (ce.IsBadReadPtr(base, 1) !== 1 || ce.IsBadReadPtr(base, 1) !== 0) throw new Error('a guard is one guard')
      if (!ce.memory.read(base, some * PAGE).every((byte) => byte === ce.tid)) throw new Error('another thread wrote here')
      if (!violates(() => ce.memory.writeU8(base, 0))) throw new Error('a read-only page was written')
    } else refused++
    if (ce.VirtualFree(base, 0, MEM_DECOMMIT) !== 1 || ce.VirtualFree(base, 0, MEM_RELEASE) !== 1) throw new Error('VirtualFree failed')
  }
  return refused
}

function violates(call: () => void): boolean {
  try {
    call()
    return false
  } catch (error) {
    return error instanceof AccessViolation
  }
}

const jobs = { allocate, touch, churn }
const job = workerData as MemoryJob
const ce = attachThread(job.token)
try {
  parentPort?.postMessage({ count: jobs[job.job](ce, job) })
} catch (error) {
  parentPort?.postMessage({ error: String(error) })
}
ce.detach()
