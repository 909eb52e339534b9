import { wholeNumber } from '../errors.ts'
import { NEVER, REC, setHot } from '../heap/record.ts'
import { HDR, MAX_THREADS } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { Seat } from '../machine/scheduleseat.ts'
import { enterSoon, leave, TID } from '../machine/section.ts'
import { DEAD, DYING, FREE, LIVE, moveThread, threadState } from '../machine/threads.ts'
import { wakeAll } from '../machine/wait.ts'
import { letGo, recordsOf, sectionsOf } from './death.ts'

/**
 * The emulated TerminateThread (C-93). Nothing can stop another thread's JavaScript, so the thread is told, and ends itself:
 *
 *   LIVE --terminateThread--> DYING --its next call, or the wait that it is in (needLife)--> DEAD, its sections free, ThreadTerminated thrown
 *                                   --its worker ends (death.ts)--> DEAD
 *
 *   header.DYING = threads that are DYING; while it is not 0, no call is hot, and every call looks
 */
export function terminateThread(machine: Machine, who: number, id: number): boolean {
  wholeNumber('terminateThread: id', id, 1, MAX_THREADS)
  if (id === who)
    throw new RangeError('terminateThread: expected the id of an attached thread, got that of the creating thread; process.close() ends it')
  const { sys } = machine
  if (threadState(machine, id) === FREE)
    throw new RangeError(`terminateThread: expected the id of an attached thread, got ${id}, which no thread has`)
  // Counted before it is true: the thread may notice, and count itself out, at once.
  Atomics.add(sys, HDR.DYING, 1)
  if (!moveThread(machine, id, LIVE, DYING)) {
    Atomics.sub(sys, HDR.DYING, 1)
    return false
  }
  for (const at of sectionsOf(machine)) wakeAll(sys, at)
  // One at a time no call is hot, and whoever is inside of a heap may be waiting for its turn.
  if (machine.seat instanceof Seat) return true
  for (const record of recordsOf(machine)) {
    if (enterSoon(machine, record, who)) {
      setHot(machine, record)
      leave(machine, record)
    } else {
      // Whoever stays inside that long is not in the middle of saying otherwise; and may be dead, so that nothing is to be waited for.
      sys[record + REC.HOT] = NEVER
    }
  }
  return true
}

/** Ends this thread, which was terminated, unless it is inside a section of the process itself: then its call ends first, and this comes with its next one. */
export function fall(machine: Machine, tid: number): void {
  const { sys } = machine
  const inside = [...recordsOf(machine), HDR.SPY_LOCK, HDR.LOCK, HDR.RING_LOCK].some((at) => ((sys[at] as number) & TID) === tid)
  if (inside || !moveThread(machine, tid, DYING, DEAD)) return
  machine.ended = true
  // Its view on the process is its own: no other thread loses the hot path.
  machine.hot = { alloc: () => 0, free: () => 0 }
  Atomics.sub(sys, HDR.DYING, 1)
  letGo(machine, tid, tid)
  machine.seat?.leaves()
}
