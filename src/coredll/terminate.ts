import { wholeNumber } from '../errors.ts'
import { chill, recordsOf } from '../heap/record.ts'
import { HDR, MAX_THREADS } from '../machine/layout.ts'
import { COLD } from '../machine/machine.ts'
import type { Machine } from '../machine/machine.ts'
import { isOwn } from '../machine/section.ts'
import { alarm, calm, DEAD, DYING, FREE, LIVE, moveThread, threadState } from '../machine/threads.ts'
import { wakeAll } from '../machine/wait.ts'
import { letGo, sectionsOf } from './death.ts'

/**
 * The emulated TerminateThread (C-93). Nothing can stop another thread's JavaScript, so the thread is told, and ends itself:
 *
 *   LIVE --terminateThread--> DYING --its next call, or the wait that it is in (needLife)--> DEAD, its sections free, ThreadTerminated thrown
 *                                   --its worker ends (death.ts)--> DEAD
 *
 *   header.DYING is not 0 while threads are DYING; then no call is hot, and every call looks
 */
export function terminateThread(machine: Machine, who: number, id: number): boolean {
  wholeNumber('terminateThread: id', id, 1, MAX_THREADS)
  if (id === who)
    throw new RangeError('terminateThread: expected the id of an attached thread, got that of the creating thread; process.close() ends it')
  const planned = machine.seat?.terminates(id)
  if (planned !== undefined) return planned
  const { sys } = machine
  if (threadState(machine, id) === FREE)
    throw new RangeError(`terminateThread: expected the id of an attached thread, got ${id}, which no thread has`)
  if (!moveThread(machine, id, LIVE, DYING)) return false
  alarm(machine)
  // It may have heard of it by an earlier alarm, and be DEAD by now.
  calm(machine)
  if (sys[HDR.DYING] !== 0) chill(machine)
  for (const at of sectionsOf(machine)) wakeAll(sys, at)
  return true
}

/** Ends this thread, which was terminated, unless it is inside a section of the process itself: then its call ends first, and this comes with its next one. */
export function fall(machine: Machine, tid: number): void {
  const { sys } = machine
  const inside = [...recordsOf(machine), HDR.SPY_LOCK, HDR.LOCK, HDR.RING_LOCK].some((at) => isOwn(sys[at] as number, tid))
  if (inside || !moveThread(machine, tid, DYING, DEAD)) return
  machine.ended = true
  // Its view on the process is its own: no other thread loses the hot path.
  machine.goBy(COLD)
  calm(machine)
  machine.seat?.falls()
  letGo(machine, tid, tid)
  machine.seat?.leaves()
}
