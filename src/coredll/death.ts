import { heapCount, recordAt } from '../heap/record.ts'
import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { leave, ORPHAN, orphan, takeOver } from '../machine/section.ts'
import { sectionRecords } from '../machine/sectiontable.ts'
import { DEAD, moveThread, partThread, threadState } from '../machine/threads.ts'
import { mendStructures } from './critical.ts'

/**
 * A thread that ends without a word: its worker was terminated, crashed or exited. Whatever section it owned is taken over and what stands
 * behind it is mended (repair), by whoever wants in next or by the sweep here, so that afterwards its id can be given out again.
 */

/** Every section of the process, those that others are taken inside of first. */
function* sectionsOf(machine: Machine): Generator<number> {
  yield* sectionRecords(machine)
  yield HDR.SPY_LOCK
  for (let index = heapCount(machine) - 1; index >= 0; index--) yield recordAt(machine, index)
  yield HDR.LOCK
  yield HDR.RING_LOCK
}

/** Ends the thread `tid` for the process. Precondition: nothing of it runs any more. False if there is no such thread, or no longer. */
export function buryThread(machine: Machine, who: number, tid: number): boolean {
  const state = threadState(machine, tid)
  if (state === DEAD || !moveThread(machine, tid, state, DEAD)) return false
  mendStructures(machine, tid)
  // All of them first: who mends behind one section enters others, and this one must not wait there for the same dead thread.
  for (const at of sectionsOf(machine)) orphan(machine, at, tid)
  try {
    for (const at of sectionsOf(machine)) {
      const seen = Atomics.load(machine.sys, at)
      // Never a wait: whoever has it by now may die in turn, and the news of that come through this thread.
      if ((seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen)) leave(machine, at)
    }
  } finally {
    partThread(machine, tid)
  }
  return true
}
