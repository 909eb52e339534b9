import type { Machine } from '../machine/machine.ts'
import { leave, LockTimeoutError } from '../machine/section.ts'
import { settle, ThreadTerminated } from '../machine/threads.ts'

/**
 * Leaves the heap's section on the way of an error. A wait in vain has changed nothing that matters. Any other error, a stack that overflowed above
 * all, may have come between any two stores: then the call is treated as that of a thread that died in it, and this thread goes on. Not inside
 * a page callback, which runs in the middle of another call of the thread.
 */
export function escape(machine: Machine, record: number, error: unknown): void {
  if (abandons(machine, error)) return
  leave(machine, record)
  settle(machine)
}

/** Where no heap's section is entered yet, or it was left already: lets go of whatever the thread was in if the error may have come anywhere. Whether it did. */
export function abandons(machine: Machine, error: unknown): boolean {
  const sound = error instanceof LockTimeoutError || error instanceof ThreadTerminated || machine.leases.length > 0
  if (sound || machine.abandon === undefined) return false
  machine.abandon()
  return true
}
