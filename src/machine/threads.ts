import { HDR, MAX_THREADS, THREAD_WORDS } from './layout.ts'
import type { Machine } from './machine.ts'

/**
 * The thread table: one slot a thread. A thread's id is its slot plus one; 0 is nobody.
 *
 *   | STATE | LAST_ERROR | ... |
 */
export const THREAD = { STATE: 0, LAST_ERROR: 1 } as const

const FREE = 0
const LIVE = 1

/** Word offset of a thread's slot in system memory. */
export function threadAt(machine: Machine, tid: number): number {
  return machine.layout.threadsAt + (tid - 1) * THREAD_WORDS
}

/** Takes the lowest free slot and returns the new thread's id. Its last error is 0. Throws a RangeError when 1,024 threads are attached. */
export function joinThread(machine: Machine): number {
  const sys = machine.sys
  for (let tid = 1; tid <= MAX_THREADS; tid++) {
    const slot = threadAt(machine, tid)
    if (Atomics.compareExchange(sys, slot + THREAD.STATE, FREE, LIVE) !== FREE) continue
    sys[slot + THREAD.LAST_ERROR] = 0
    noteUsed(machine, tid)
    return tid
  }
  throw new RangeError(`attachThread: expected at most ${MAX_THREADS} threads at a time, got one more; detach() those that have ended`)
}

/** Without the process section: a thread that waits for it in vain would leave a slot that nobody has. */
function noteUsed(machine: Machine, tid: number): void {
  let most = Atomics.load(machine.sys, HDR.THREADS)
  while (most < tid) most = Atomics.compareExchange(machine.sys, HDR.THREADS, most, tid)
}

/** Gives the slot back; its id may be handed out again. */
export function partThread(machine: Machine, tid: number): void {
  Atomics.store(machine.sys, threadAt(machine, tid) + THREAD.STATE, FREE)
}

export function liveThreads(machine: Machine): number[] {
  const found: number[] = []
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) {
    if (machine.sys[threadAt(machine, tid) + THREAD.STATE] === LIVE) found.push(tid)
  }
  return found
}
