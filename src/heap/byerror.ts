import type { Machine } from '../machine/machine.ts'
import { DeadlockError, DivergenceError, TurnTimeoutError } from '../machine/scheduleerrors.ts'
import { leave, LockTimeoutError } from '../machine/section.ts'
import { settle, ThreadTerminated } from '../machine/threads.ts'

/** Errors that come in place of a section that is entered, and so between steps that belong together. */
const BEFORE_A_SECTION = [LockTimeoutError, ThreadTerminated, DeadlockError, DivergenceError, TurnTimeoutError]

/**
 * Leaves the heap's section on the way of an error. A wait in vain has changed nothing that matters. Any other error, a stack that overflowed above
 * all, may have come between any two stores: then the call is treated as that of a thread that died in it, and this thread goes on. Not inside
 * a page callback, which runs in the middle of another call of the thread.
 */
export function leaveByError(machine: Machine, record: number, error: unknown): void {
  if (abandons(machine, error)) return
  leave(machine, record)
  settle(machine)
}

/** Where no heap's section is entered yet, or it was left already: lets go of whatever the thread was in if the error may have come anywhere. Whether it did. */
export function abandons(machine: Machine, error: unknown): boolean {
  const sound = BEFORE_A_SECTION.some((kind) => error instanceof kind)
  if (sound || machine.leases.length > 0 || machine.abandon === undefined) return false
  machine.abandon()
  return true
}
