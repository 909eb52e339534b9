import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'

/**
 * The registration of a spy (com/), in the header of system memory: the whole process has one at most (SP-1), numbered so that a thread can tell its own
 * from a later one. It stands here because a thread that ends takes its spy with it, whether or not somebody has loaded that layer.
 *
 *   none --register--> registered --revoke, no live spied block--> none
 *                      registered --revoke--> pending --the last spied block is freed--> none      (SP-5, SP-6)
 *
 * pending = SPY_PENDING is set, or SPY_THREAD is 0: the end of the thread that the spy lives in is a revoke (C-55)
 *
 * It changes inside the spy section, which every call of the allocator holds from Pre to Post while there is a spy (SP-13).
 * Order of sections: the spy's, then a heap's, then the process's.
 */

/** The number of the spy that is registered, 0 if there is none. */
export function registered(machine: Machine): number {
  return Atomics.load(machine.sys, HDR.SPY)
}

/** Precondition: inside the spy section, no spy registered. */
export function begin(machine: Machine, tid: number): number {
  const { sys } = machine
  const number = (sys[HDR.SPY_NUMBERS] as number) + 1
  sys[HDR.SPY_NUMBERS] = number
  sys[HDR.SPY_THREAD] = tid
  sys[HDR.SPY_PENDING] = 0
  sys[HDR.SPY_UNSEEN] = 0
  Atomics.store(sys, HDR.SPY, number)
  return number
}

/** The thread ends: if the spy lives in it, its revoke is pending from here on, and it is asked nothing any more. */
export function abandon(machine: Machine, tid: number): void {
  Atomics.compareExchange(machine.sys, HDR.SPY_THREAD, tid, 0)
}

/** Whether a spy that is registered is to end. Precondition: inside the spy section. */
function isPending({ sys }: Machine): boolean {
  return sys[HDR.SPY_PENDING] !== 0 || sys[HDR.SPY_THREAD] === 0
}

/** Does a revoke that is pending if no spied block is left; where no spy is registered nothing changes. Precondition: inside the spy section. */
export function endIfDue(machine: Machine): void {
  if (isPending(machine) && machine.sys[HDR.SPY_BLOCKS] === 0) end(machine)
}

/** Precondition: inside the spy section, no live spied block. */
export function end(machine: Machine): void {
  const { sys } = machine
  sys[HDR.SPY_THREAD] = 0
  sys[HDR.SPY_PENDING] = 0
  Atomics.store(sys, HDR.SPY, 0)
}

/** The task allocator's spy, as plain data. */
export interface SpyState {
  /** The thread that the spy lives in (C-55); 0 once that has ended. */
  readonly thread: number
  /** Its revoke waits for the last of its blocks (SP-6). */
  readonly pending: boolean
  /** Live blocks that were allocated under it (SP-22). */
  readonly blocks: number
  /** Calls that it was not shown: those of other threads (C-55) and those of its own methods (C-56). */
  readonly unseen: number
}

/** Precondition: inside the spy section. */
export function stateOf(machine: Machine): SpyState | undefined {
  const { sys } = machine
  if (sys[HDR.SPY] === 0) return undefined
  return {
    thread: sys[HDR.SPY_THREAD] as number,
    pending: isPending(machine),
    blocks: sys[HDR.SPY_BLOCKS] as number,
    unseen: sys[HDR.SPY_UNSEEN] as number
  }
}
