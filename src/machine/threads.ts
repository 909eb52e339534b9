import { HDR, MAX_THREADS, THREAD_WORDS } from './layout.ts'
import type { Machine } from './machine.ts'

/**
 * The thread table: one slot a thread. A thread's id is its slot plus one; 0 is nobody.
 *
 *   | STATE | LAST_ERROR | TICKET | SITE | ... | HANDOUT | RESIZED | RESERVED | ... |
 *
 *   SITE       the label that the thread's calls carry (failures.ts), 0 for none
 *
 *   TICKET     1 + the ticket of the token that the thread came with (0 for the creating thread); 0 = nobody has the slot. It is the first word to be set
 *              and the last to be cleared, each by one atomic step, so that who ends in the middle of attaching or detaching is found by it.
 *
 * The other four say what the call in progress must not leave behind if the thread dies in it; 0 outside of calls. They are set before the
 * store that makes the thing real and cleared after the section is left, so that a death between any two stores is told from a call done.
 *
 *   HANDOUT    granule of a block made and not handed out yet      then it is freed
 *   RESIZED    granule of the block that HeapReAlloc works on      then HANDOUT is freed only if this one lives; its sentinel is written again
 *   RESERVED   first unit of a reservation made for the program    then it is released, unless somebody else has done so, who takes it out of here
 *   LOOSE      handle of the heap whose section could not be had when HANDOUT was to be freed; 0 otherwise
 *
 * Of a thread that lives and is loose (machine/adrift.ts) they say what one of its former calls has left, and no call writes to them before that is undone.
 *
 *   FREE --join--> LIVE --part--> FREE
 *                  LIVE --terminate--> DYING --its next call or wait--> DEAD
 *                  LIVE, DYING, DEAD --its worker ended--> DEAD --its sections are free again--> FREE
 *                                                               `--not all of it could be undone yet--> BURIED --that is done--> FREE
 *
 * A DEAD thread keeps its slot, and so its id, until nothing in the process names it as an owner any more; a BURIED one until what the last four words
 * name is undone, by the creating thread when it next has all sections (death.ts).
 */
export const THREAD = { STATE: 0, LAST_ERROR: 1, TICKET: 2, SITE: 3, HANDOUT: 8, RESIZED: 9, RESERVED: 10, LOOSE: 11 } as const

/** The thread that makes the process. */
export const CREATOR = 1

export const FREE = 0
export const LIVE = 1
export const DYING = 2
export const DEAD = 3
export const BURIED = 4

/** Thrown in a thread that `process.terminateThread` ended, by its next call or wait: nothing after it runs on the device. */
export class ThreadTerminated extends Error {
  readonly thread: number

  constructor(thread: number) {
    super(`thread ${thread} was terminated`)
    this.name = 'ThreadTerminated'
    this.thread = thread
  }
}

/** Word offset of a thread's slot in system memory. */
export function threadAt(machine: Machine, tid: number): number {
  return machine.layout.threadsAt + (tid - 1) * THREAD_WORDS
}

/**
 * Takes the lowest free slot, from `first` on, and returns the new thread's id. Its last error is 0. `ticket` is the token's that it came with
 * (0 for the creating thread). Throws a RangeError when 1,024 threads are attached.
 */
export function joinThread(machine: Machine, ticket: number, first = 1): number {
  const sys = machine.sys
  for (let tid = first; tid <= MAX_THREADS; tid++) {
    const slot = threadAt(machine, tid)
    if (Atomics.load(sys, slot + THREAD.TICKET) !== 0) continue
    noteUsed(machine, tid)
    if (Atomics.compareExchange(sys, slot + THREAD.TICKET, 0, ticket + 1) !== 0) continue
    sys[slot + THREAD.LAST_ERROR] = 0
    sys[slot + THREAD.SITE] = 0
    machine.slot = slot
    settleSlot(machine, slot)
    sys[slot + THREAD.LOOSE] = 0
    Atomics.store(sys, slot + THREAD.STATE, LIVE)
    return tid
  }
  throw new RangeError(`attachThread: expected at most ${MAX_THREADS} threads at a time, got one more; detach() those that have ended`)
}

/** Nothing is under way any more in the call: what it made is handed out. What is loose it has not made, and leaves where it is. */
export function settle(machine: Machine): void {
  if (!machine.loose) settleSlot(machine, machine.slot)
}

/** Nothing is under way any more in the call of the thread at `slot`: what it made is handed out or undone. */
export function settleSlot({ sys }: Machine, slot: number): void {
  // HANDOUT before RESIZED, without which it would be freed; and none but those that are set, so that the last store is the one that decides.
  for (let word = slot + THREAD.HANDOUT; word <= slot + THREAD.RESERVED; word++) if (sys[word] !== 0) sys[word] = 0
}

/** What `word` says of no thread any more: it is undone, and the granule or the unit may be another's by the time that somebody would undo it again. */
export function forgetMade(machine: Machine, word: number, made: number): void {
  const { sys } = machine
  for (let tid = 1; tid <= (sys[HDR.THREADS] as number); tid++)
    if (sys[threadAt(machine, tid) + word] === made) sys[threadAt(machine, tid) + word] = 0
}

/** Before anybody has the slot: one that is not counted is looked at by nobody. Without the process section: a thread may wait for it in vain. */
function noteUsed(machine: Machine, tid: number): void {
  let most = Atomics.load(machine.sys, HDR.THREADS)
  while (most < tid) most = Atomics.compareExchange(machine.sys, HDR.THREADS, most, tid)
}

/** Gives the slot back; its id may be handed out again. */
export function partThread(machine: Machine, tid: number): void {
  Atomics.store(machine.sys, threadAt(machine, tid) + THREAD.STATE, FREE)
  calm(machine)
  Atomics.store(machine.sys, threadAt(machine, tid) + THREAD.TICKET, 0)
}

/** Says that threads are being terminated. The number is a new one each time, so that `calm` does not take this time for an earlier one. */
export function alarm(machine: Machine): void {
  Atomics.store(machine.sys, HDR.DYING, Atomics.add(machine.sys, HDR.TERMINATIONS, 1) + 1)
}

/** Lets calls be hot again if no thread is DYING any more. Whoever should have said so before may have been cut off there. */
export function calm(machine: Machine): void {
  const seen = Atomics.load(machine.sys, HDR.DYING)
  if (seen === 0) return
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) if (threadState(machine, tid) === DYING) return
  Atomics.compareExchange(machine.sys, HDR.DYING, seen, 0)
}

/**
 * Throws in a thread that `process.terminateThread` has ended; one that hears of it only now lets go of what it owns first. It costs five loads
 * while nobody is dying, and the hot path not even these: no call is hot while somebody is (heap/record.ts). A thread that is adrift comes ashore first.
 */
export function needLife(machine: Machine, tid: number): void {
  if (machine.ended) throw new ThreadTerminated(tid)
  if (machine.adrift || machine.loose) machine.abandon?.()
  machine.seat?.calls()
  needNotDying(machine, tid)
}

/** The same in the midst of a call that waits for the section at `at`, whose sections a thread that comes ashore would let go of. */
export function needNotDying(machine: Machine, tid: number, at = 0): void {
  if (machine.ended || machine.sys[HDR.DYING] === 0 || threadState(machine, tid) !== DYING) return
  machine.seat?.ends(at)
  machine.fall?.()
  throw new ThreadTerminated(tid)
}

/**
 * Before a call, or the rest of one, that says in the thread's slot what it makes: what is loose there is undone first, and the thread waits for the sections
 * of that as for any other. Where it waits in vain nothing is made, and nothing lost.
 */
export function needTidy(machine: Machine): void {
  if (machine.loose) machine.abandon?.(true)
}

export function threadState(machine: Machine, tid: number): number {
  return Atomics.load(machine.sys, threadAt(machine, tid) + THREAD.STATE)
}

/** Moves a thread from one state to another; false if it was not in the first. */
export function moveThread(machine: Machine, tid: number, from: number, to: number): boolean {
  return Atomics.compareExchange(machine.sys, threadAt(machine, tid) + THREAD.STATE, from, to) === from
}

/** Threads that are attached and have not ended, by id. */
export function liveThreads(machine: Machine): number[] {
  const found: number[] = []
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) {
    const state = threadState(machine, tid)
    if (state === LIVE || state === DYING) found.push(tid)
  }
  return found
}

/** Threads that attached with this ticket and still have their slot, by id; one whose state is FREE ended while it attached or detached. */
export function threadsOf(machine: Machine, ticket: number): number[] {
  const found: number[] = []
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) {
    if (Atomics.load(machine.sys, threadAt(machine, tid) + THREAD.TICKET) === ticket + 1) found.push(tid)
  }
  return found
}
