import { HDR } from './layout.ts'
import type { Machine } from './machine.ts'
import { DEAD, threadState } from './threads.ts'
import { park, spin, wakeOne } from './wait.ts'

/**
 * A critical section in system memory: two words.
 *
 *   word 0   0 = free; else who owns it, with the sign bit set when somebody may be parked on it
 *   word 1   how often the owner entered beyond the first time; only the owner touches it
 *
 *   who = call (8 bits) | thread id (11 bits)       the call that the owner is in: what a finding names when the owner dies inside it
 *
 *   free --enter--> who --another enters--> who|WAITERS --leave--> free, one waiter woken
 *                   who, dead --another enters--> the other|WAITERS, who repairs first what the dead thread left
 *
 * A woken waiter takes the word with the WAITERS bit kept, because it cannot know whether it was the last one: at worst
 * one wake-up goes to nobody. The free case is one compare-exchange in and one exchange out; there is no fairness (CS-7).
 */
export const WAITERS = -0x80000000
const OWNER = 0x7fffffff
/** who & TID = the thread */
export const TID = 0x7ff
/** who >>> CALL_SHIFT = the call: its place in coredll's list plus one, 0 for none */
export const CALL_SHIFT = 11

/** The longest that a waiter sleeps before it looks again whether the owner still lives: the thread that was woken may have died before it got here. */
const NAP = 250

/** Thrown when a section did not come free within the process's `lockTimeout`: the thread named may have died. */
export class LockTimeoutError extends Error {
  /** The thread that holds the section. */
  readonly owner: number
  /** How long this thread waited while the owner held the section, in milliseconds. */
  readonly waited: number

  constructor(owner: number, waited: number) {
    super(
      `waited ${waited} ms for a critical section that thread ${owner} has held all that time; it may have ended inside a call (lockTimeout sets this bound)`
    )
    this.name = 'LockTimeoutError'
    this.owner = owner
    this.waited = waited
  }
}

/** Enters the section at word `at` of system memory (CS-1, CS-2). */
export function enter(machine: Machine, at: number, who: number): void {
  const seen = machine.take(at << 2, who)
  if (seen !== 0) enterContended(machine, at, who, seen)
}

/** What `enter` does where the word was not free; `first` is what stood there. */
export function enterContended(machine: Machine, at: number, who: number, first: number): void {
  const sys = machine.sys
  if (((first ^ who) & TID) === 0) {
    sys[at + 1] = (sys[at + 1] as number) + 1
    return
  }
  const timeout = sys[HDR.LOCK_TIMEOUT] || Number.POSITIVE_INFINITY
  let claim = who
  let waited = 0
  let before = 0
  for (;;) {
    let seen = Atomics.load(sys, at)
    if (seen === 0) {
      if (Atomics.compareExchange(sys, at, 0, claim) === 0) return
      continue
    }
    if (threadState(machine, seen & TID) === DEAD) {
      if (Atomics.compareExchange(sys, at, seen, who | WAITERS) !== seen) continue
      inherit(machine, at, who, seen & OWNER)
      return
    }
    if (seen > 0) {
      if (spin(sys, at, seen)) continue
      if (Atomics.compareExchange(sys, at, seen, seen | WAITERS) !== seen) continue
      seen |= WAITERS
    }
    claim = who | WAITERS
    // A change of owner restarts the bound: only one owner that never leaves ends the wait.
    if (seen !== before) waited = 0
    before = seen
    const nap = Math.min(NAP, timeout - waited)
    if (park(sys, at, seen, nap) || Atomics.load(sys, at) !== seen) continue
    waited += nap
    if (waited >= timeout) throw new LockTimeoutError(seen & TID, timeout)
  }
}

/** Takes over what a dead owner left behind the section. Precondition: the caller has just taken the word from the dead. */
function inherit(machine: Machine, at: number, who: number, dead: number): void {
  const sys = machine.sys
  sys[at + 1] = 0
  try {
    machine.repair?.(at, who, dead)
  } catch (error) {
    leave(machine, at)
    throw error
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
