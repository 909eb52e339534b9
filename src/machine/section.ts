import { HDR } from './layout.ts'
import type { Machine } from './machine.ts'
import { park, spin, wakeOne } from './wait.ts'

/**
 * A critical section in system memory: two words.
 *
 *   word 0   0 = free; else the owner's thread id, with the sign bit set when somebody may be parked on it
 *   word 1   how often the owner entered beyond the first time; only the owner touches it
 *
 *   free --enter--> tid --another enters--> tid|WAITERS --leave--> free, one waiter woken
 *
 * A woken waiter takes the word with the WAITERS bit kept, because it cannot know whether it was the last one: at worst
 * one wake-up goes to nobody. The free case is one compare-exchange in and one exchange out; there is no fairness (CS-7).
 */
const WAITERS = -0x80000000
const OWNER = 0x7fffffff

/** Thrown when a section did not come free within the process's `lockTimeout`: the thread named may have died. */
export class LockTimeoutError extends Error {
  /** The thread that holds the section. */
  readonly owner: number
  /** How long this thread waited, in milliseconds. */
  readonly waited: number

  constructor(owner: number, waited: number) {
    super(
      `waited ${waited} ms for a critical section that thread ${owner} holds; it may have ended inside a call (lockTimeout sets this bound)`
    )
    this.name = 'LockTimeoutError'
    this.owner = owner
    this.waited = waited
  }
}

/** Enters the section at word `at` of system memory (CS-1, CS-2). */
export function enter(machine: Machine, at: number, tid: number): void {
  const seen = machine.take(at << 2, tid)
  if (seen !== 0) enterContended(machine, at, tid, seen)
}

/** What `enter` does where the word was not free; `first` is what stood there. */
export function enterContended(machine: Machine, at: number, tid: number, first: number): void {
  const sys = machine.sys
  if ((first & OWNER) === tid) {
    sys[at + 1] = (sys[at + 1] as number) + 1
    return
  }
  const timeout = sys[HDR.LOCK_TIMEOUT] || Number.POSITIVE_INFINITY
  let claim = tid
  for (;;) {
    let seen = Atomics.load(sys, at)
    if (seen === 0) {
      if (Atomics.compareExchange(sys, at, 0, claim) === 0) return
      continue
    }
    if (seen > 0) {
      if (spin(sys, at, seen)) continue
      if (Atomics.compareExchange(sys, at, seen, seen | WAITERS) !== seen) continue
      seen |= WAITERS
    }
    claim = tid | WAITERS
    // A change of owner restarts the bound: only one owner that never leaves ends the wait.
    if (!park(sys, at, seen, timeout) && Atomics.load(sys, at) === seen) throw new LockTimeoutError(seen & OWNER, timeout)
  }
}

/** Leaves the section once; the last leave frees it and wakes one waiter, if there may be one. */
export function leave(machine: Machine, at: number): void {
  if (machine.sys[at + 1] !== 0) leaveOnce(machine.sys, at)
  else if (machine.give(at << 2) < 0) wakeOne(machine.sys, at)
}

export function leaveOnce(sys: Int32Array, at: number): void {
  sys[at + 1] = (sys[at + 1] as number) - 1
}
