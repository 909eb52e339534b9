import { HDR } from './layout.ts'
import type { Machine } from './machine.ts'
import { needNotDying } from './threads.ts'
import { backOff, park, wakeAll, wakeOne } from './wait.ts'

/**
 * A critical section in system memory: two words.
 *
 *   word 0   0 = free; else who owns it, with WAITERS (the sign bit) when somebody may be parked on it, and ORPHAN when the owner is dead
 *   word 1   how often the owner entered beyond the first time; only the owner touches it
 *
 *   who = call (8 bits) | thread id (11 bits)       the call that the owner is in: what a finding names when the owner dies inside it
 *
 *   free --enter--> who --another enters--> who|WAITERS --leave--> free, one waiter woken
 *                   who --its burial--> who|ORPHAN --another enters--> the other|WAITERS, who mends first what the dead thread left
 *                                           ^---the mending fails------'
 *
 * A woken waiter takes the word with the WAITERS bit kept, because it cannot know whether it was the last one: at worst
 * one wake-up goes to nobody. The free case is one compare-exchange in and one exchange out; there is no fairness (CS-7).
 *
 * That the owner is dead stands in the word and not only in the thread table: between a look at the table and the compare-exchange
 * the id may have been given to a new thread, which has entered meanwhile. section.pml proves this protocol; change both together.
 */
export const WAITERS = -0x80000000
/** The thread that the word names is dead, and its id may be another's by now: whoever enters next takes the section over. */
export const ORPHAN = 0x40000000
const WHO = 0x3fffffff
/** who & TID = the thread */
export const TID = 0x7ff
/** who >>> CALL_SHIFT = the call: its place in coredll's list plus one, 0 for none */
export const CALL_SHIFT = 11

/** The longest that a waiter sleeps before it looks again: the thread that was woken may have died before it got here, and nobody have told of it. */
export const NAP = 250

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

/** Whether a word says that the thread of `who` is inside. */
export function isOwn(seen: number, who: number): boolean {
  return seen !== 0 && ((seen ^ who) & (ORPHAN | TID)) === 0
}

/** Whether a word says that another thread is inside, which is not known to be dead. */
export function isOthers(seen: number, who: number): boolean {
  return seen !== 0 && (seen & ORPHAN) === 0 && ((seen ^ who) & TID) !== 0
}

/** How long the process itself waits (`process.close()`, `check()`) where `lockTimeout` is 0 and the program's calls wait without a bound: what is the default otherwise. */
export const PATIENCE = 30_000

/** Enters the section at word `at` of system memory (CS-1, CS-2). `patience`: the bound of the wait where `lockTimeout` sets none. */
export function enter(machine: Machine, at: number, who: number, patience: number = Number.POSITIVE_INFINITY): void {
  const seen = machine.take(at << 2, who)
  if (seen !== 0) enterContended(machine, at, who, seen, patience)
}

/** Enters the section unless another thread owns it that is not known to be dead; whether it did. Never waits (CS-4). */
export function tryEnter(machine: Machine, at: number, who: number): boolean {
  machine.seat?.tries(at, who)
  const seen = machine.take(at << 2, who)
  if (seen === 0) return true
  if (isOwn(seen, who)) {
    machine.sys[at + 1] = (machine.sys[at + 1] as number) + 1
    return true
  }
  return (seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen)
}

/**
 * Enters the section unless its owner stays in it for a nap: whoever it is may be dead, and the news of that come through this very thread. Whether it did.
 */
export function enterSoon(machine: Machine, at: number, who: number): boolean {
  if (tryEnter(machine, at, who)) return true
  try {
    waitFor(machine, at, who, NAP)
    return true
  } catch (error) {
    if (error instanceof LockTimeoutError) return false
    throw error
  }
}

/** What `enter` does where the word was not free; `first` is what stood there. */
export function enterContended(
  machine: Machine,
  at: number,
  who: number,
  first: number,
  patience: number = Number.POSITIVE_INFINITY
): void {
  const sys = machine.sys
  if (isOwn(first, who)) {
    sys[at + 1] = (sys[at + 1] as number) + 1
    return
  }
  const { counts } = machine
  const since = counts === undefined ? 0 : counts.now()
  // Before an orphan is taken over there is no wait.
  if ((first & ORPHAN) === 0) machine.seat?.awaits(at)
  waitFor(machine, at, who, machine.sys[HDR.LOCK_TIMEOUT] || patience)
  counts?.waited(at, who, since)
}

/** Enters the section once its owner has left it, or is known to be dead; throws when one owner has stayed for `timeout` milliseconds. Precondition: it is not the caller's. */
function waitFor(machine: Machine, at: number, who: number, timeout: number): void {
  const sys = machine.sys
  let claim = who
  let waited = 0
  let before = 0
  for (;;) {
    let seen = Atomics.load(sys, at)
    if (seen === 0) {
      if (machine.take(at << 2, claim) === 0) return
      continue
    }
    if ((seen & ORPHAN) !== 0) {
      if (takeOver(machine, at, who, seen)) return
      continue
    }
    if (seen > 0) {
      if (backOff(sys, at, WAITERS | ORPHAN)) continue
      if (Atomics.compareExchange(sys, at, seen, seen | WAITERS) !== seen) continue
      seen |= WAITERS
    }
    claim = who | WAITERS
    if (sys[HDR.DYING] !== 0) needNotDying(machine, who & TID, at)
    // A change of owner restarts the bound: only one owner that never leaves ends the wait.
    if (seen !== before) waited = 0
    before = seen
    const nap = Math.min(NAP, timeout - waited)
    machine.seat?.dozes()
    if (park(sys, at, seen, nap)) {
      // The owner has left, and may be in again by the same call.
      waited = 0
      continue
    }
    if (Atomics.load(sys, at) !== seen) continue
    waited += nap
    if (waited >= timeout) throw new LockTimeoutError(seen & TID, timeout)
  }
}

/**
 * Enters a section whose owner is dead and mends what it left; `seen` is what stood in word 0, with ORPHAN. False if something else
 * stands there by now. If the mending throws, the section is an orphan as before: nobody gets in who has not mended it. Whoever does not want the section, but
 * to mend it, is `granted` nothing: in an order of grants that is a part of the owner's end.
 */
export function takeOver(machine: Machine, at: number, who: number, seen: number, granted = true): boolean {
  const sys = machine.sys
  if (Atomics.compareExchange(sys, at, seen, who | WAITERS) !== seen) return false
  sys[at + 1] = 0
  machine.counts?.granted(at, who)
  try {
    if (granted) machine.seat?.inherits(at)
    machine.repair?.(at, who & WHO, seen & WHO)
  } catch (error) {
    Atomics.store(sys, at, seen | WAITERS)
    wakeOne(sys, at)
    throw error
  }
  return true
}

/**
 * Marks the section as an orphan if the thread `tid` owns it, and wakes all who wait for it: a wake-up may have gone to the dead thread.
 * Precondition: nothing of that thread runs any more, and its id is not given out again yet.
 */
export function orphan(machine: Machine, at: number, tid: number): void {
  const sys = machine.sys
  for (;;) {
    const seen = Atomics.load(sys, at)
    if ((seen & (ORPHAN | TID)) !== tid) break
    if (Atomics.compareExchange(sys, at, seen, seen | ORPHAN) === seen) break
  }
  wakeAll(sys, at)
}

/** Leaves the section once; the last leave frees it and wakes one waiter, if there may be one. */
export function leave(machine: Machine, at: number): void {
  if (machine.sys[at + 1] !== 0) leaveOnce(machine.sys, at)
  else if (machine.give(at << 2) < 0) wakeOne(machine.sys, at)
}

export function leaveOnce(sys: Int32Array, at: number): void {
  sys[at + 1] = (sys[at + 1] as number) - 1
}
