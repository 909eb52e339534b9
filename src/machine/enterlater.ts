import { HDR } from './layout.ts'
import type { Machine } from './machine.ts'
import { LockTimeoutError, NAP, ORPHAN, TID, tryEnter, WAITERS } from './section.ts'
import { needLife } from './threads.ts'
import { parkLater, wakeOne } from './wait.ts'

/**
 * Waiting for a section without blocking the thread (a browser's main thread). It is the protocol of section.ts with a promise in the place of
 * the parking, and one more rule: who was woken and does not take the section wakes the next one.
 *
 * The owner is the thread, not the code that waits: a thread that is inside already goes in once more (CS-2), whichever of its tasks asks.
 */

/**
 * Resolves once no other living thread owns the section at word `at`; it may be taken again by then. Rejects with `signal`'s reason, with a
 * LockTimeoutError as enterContended throws it, or with ThreadTerminated.
 */
export async function untilFree(machine: Machine, at: number, who: number, signal?: AbortSignal): Promise<void> {
  const { sys } = machine
  const timeout = sys[HDR.LOCK_TIMEOUT] || Number.POSITIVE_INFINITY
  let waited = 0
  let before = 0
  signal?.throwIfAborted()
  try {
    for (;;) {
      needLife(machine, who & TID)
      let seen = Atomics.load(sys, at)
      if (seen === 0 || (seen & ORPHAN) !== 0 || ((seen ^ who) & TID) === 0) return
      if (machine.seat !== undefined && machine.seat.order !== 0)
        throw new TypeError('expected no wait by a promise where threads go one at a time: the turn would stay with who waits')
      if (seen > 0) {
        if (Atomics.compareExchange(sys, at, seen, seen | WAITERS) !== seen) continue
        seen |= WAITERS
      }
      if (seen !== before) waited = 0
      before = seen
      const nap = Math.min(NAP, timeout - waited)
      const changed = await parkLater(sys, at, seen, nap, signal)
      // Before the bound: a wait that was given up has not lasted that long.
      signal?.throwIfAborted()
      if (changed) {
        // The owner has left, and may be in again by the same call.
        waited = 0
        continue
      }
      if (Atomics.load(sys, at) !== seen) continue
      waited += nap
      if (waited >= timeout) throw new LockTimeoutError(seen & TID, timeout)
    }
  } finally {
    // The wake-up may have been meant for one who parks.
    if (before !== 0) wakeOne(sys, at)
  }
}

/** Enters the section; whether it had to wait for that. Rejects as `untilFree`, outside of the section. */
export async function enterLater(machine: Machine, at: number, who: number, signal?: AbortSignal): Promise<boolean> {
  signal?.throwIfAborted()
  if (tryEnter(machine, at, who)) return false
  const { counts } = machine
  const since = counts === undefined ? 0 : counts.now()
  do {
    await untilFree(machine, at, who, signal)
    // Another task of the thread may have made a call meanwhile, by which it ended.
    needLife(machine, who & TID)
  } while (!tryEnter(machine, at, who | WAITERS))
  counts?.waited(at, who, since)
  return true
}
