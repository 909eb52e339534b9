import { freeBlock, liveBlock } from '../heap/free.ts'
import { mendMarks } from '../heap/marks.ts'
import { ABANDONED, BUSY, handleOf, heapCount, indexOf, REC, recordAt } from '../heap/record.ts'
import { endHeap, repairHeap } from '../heap/repair.ts'
import { ashore, leaveByError } from '../machine/adrift.ts'
import { GRANULE, HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { KIND_APP, RES, release, res, reservationAt } from '../machine/pages.ts'
import { repairPages } from '../machine/repair.ts'
import { CALL_SHIFT, enter, enterSoon, isOwn, leave, ORPHAN, orphan, takeOver, TID } from '../machine/section.ts'
import { SEC, sectionRecords } from '../machine/sectiontable.ts'
import {
  BURIED,
  calm,
  DEAD,
  DYING,
  FREE,
  LIVE,
  moveThread,
  partThread,
  settleSlot,
  THREAD,
  threadAt,
  threadState
} from '../machine/threads.ts'
import { leaveEntering, mendStructures } from './critical.ts'
import { callNumber, nameOfCall, postFinding } from './findings.ts'
import type { DeathKind } from './findings.ts'
import { abandon, endIfDue, registered } from './spyregistration.ts'

/**
 * A thread that ends without a word: its worker was terminated, crashed or exited. Whatever section it owned is taken over and what stands
 * behind it is mended, by whoever wants in next or by the sweep here, so that afterwards its id can be given out again.
 *
 *   thread dies --> buryThread: what its slot says of the call goes into the records of its sections (hand over),
 *                               its sections become orphans,
 *                               each is entered by the first who wants it, who mends first (mend) and leaves a finding (C-92),
 *                               what the call had made and was not inside of any more is undone (undoLoose), at once or by the next check (undoBuried)
 */

/** Every section of the process, those that others are taken inside of first. */
export function* sectionsOf(machine: Machine): Generator<number> {
  yield* sectionRecords(machine)
  yield HDR.SPY_LOCK
  yield* recordsOf(machine)
  yield HDR.LOCK
  yield HDR.RING_LOCK
}

/** The records of heaps, those first that others are taken inside of. */
export function* recordsOf(machine: Machine): Generator<number> {
  for (let index = heapCount(machine) - 1; index >= 0; index--) yield recordAt(machine, index)
}

/** Ends the thread `tid` for the process. Precondition: nothing of it runs any more. False if there is no such thread, or it has ended before. */
export function buryThread(machine: Machine, who: number, tid: number): boolean {
  const state = threadState(machine, tid)
  // It ended while it attached or detached: it owns nothing but its place.
  if (state === FREE) {
    partThread(machine, tid)
    return false
  }
  // One that is DEAD may have been cut off before it had let go of everything.
  if (state !== DEAD && !moveThread(machine, tid, state, DEAD)) return false
  calm(machine)
  // If that fails the place stays, and the next burial begins again: a new thread of that id would take itself for the owner.
  disown(machine, tid)
  try {
    inheritAll(machine, who)
  } finally {
    part(machine, who, tid)
  }
  return state === LIVE || state === DYING
}

/** Frees everything that a dead thread held. */
export function letGo(machine: Machine, who: number, tid: number): void {
  disown(machine, tid)
  inheritAll(machine, who)
  undoLoose(machine, who, tid)
}

/**
 * Says of all that a dead thread owned that nobody does. All of it before any of it is mended: who mends behind one section enters others, and must not
 * wait there for the same dead thread.
 */
export function disown(machine: Machine, tid: number): void {
  mendStructures(machine, tid)
  handOver(machine, tid)
  for (const at of sectionsOf(machine)) orphan(machine, at, tid)
  abandon(machine, tid)
}

function inheritAll(machine: Machine, who: number): void {
  for (const at of sectionsOf(machine)) if ((Atomics.load(machine.sys, at) & ORPHAN) !== 0) inherit(machine, at, who)
  revokeLeftSpy(machine, who)
}

/** The spy that lived in a dead thread is revoked (C-55). Never a long wait: then whoever enters the section next finds the revoke pending. */
function revokeLeftSpy(machine: Machine, who: number): void {
  if (registered(machine) === 0 || machine.sys[HDR.SPY_THREAD] !== 0 || !enterSoon(machine, HDR.SPY_LOCK, who)) return
  mendMarks(machine)
  endIfDue(machine)
  leave(machine, HDR.SPY_LOCK)
}

/**
 * Mends behind an orphaned section, unless somebody else does. Never a long wait: whoever has the process section, in which heaps are mended, may be dead as
 * well, and the news of that come through this thread. Then the heap is mended by the next one to enter it.
 */
function inherit(machine: Machine, at: number, who: number): void {
  const heap = at >= machine.heapsAt && at < machine.heapsEnd
  if (heap && !enterSoon(machine, HDR.LOCK, who)) return
  try {
    const seen = Atomics.load(machine.sys, at)
    if ((seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen, false)) leave(machine, at)
  } catch (error) {
    if (heap) leaveByError(machine, HDR.LOCK, error)
    throw error
  }
  if (heap) leave(machine, HDR.LOCK)
}

/** Gives the place of a thread that is no more back; not before all is undone that it left outside of sections. */
export function part(machine: Machine, who: number, tid: number): void {
  // A terminated thread enters nothing any more.
  if (machine.ended ? !leavesLoose(machine, tid) : undoLoose(machine, who, tid)) partThread(machine, tid)
  else {
    Atomics.store(machine.sys, threadAt(machine, tid) + THREAD.STATE, BURIED)
    calm(machine)
  }
}

function leavesLoose(machine: Machine, tid: number): boolean {
  const slot = threadAt(machine, tid)
  return machine.sys[slot + THREAD.HANDOUT] !== 0 || machine.sys[slot + THREAD.RESERVED] !== 0
}

/** Undoes what could not be undone when the threads were buried that left it. Precondition: the creating thread asks, which alone buries. */
export function undoBuried(machine: Machine, who: number): void {
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) if (threadState(machine, tid) === BURIED) part(machine, who, tid)
}

/**
 * Frees what a thread that lives was inside of when an error ended its call: as if it had died there. Inside a page callback or a method of a spy that is the
 * call which was made there, and not the one that asks. What cannot be mended at once is an orphan until the next one enters, this thread included. Of one that
 * is not adrift, but loose, no section is left: it may be in the midst of a call that goes on. Where it is to `insist`, it waits for the sections of what is
 * loose as for any other, or throws.
 */
export function abandonCall(machine: Machine, tid: number, insist = false): void {
  if (machine.ended) return
  if (machine.adrift) leaveAll(machine, tid)
  // An error in this leaves it in sections again.
  machine.adrift = true
  ashore(machine, undoLoose(machine, tid, tid, insist ? enterSurely : enterSoon))
}

/** Whether a section could be entered. */
type Entering = (machine: Machine, at: number, who: number) => boolean

/** Never false: where it waits in vain it throws. */
function enterSurely(machine: Machine, at: number, who: number): true {
  enter(machine, at, who)
  return true
}

function leaveAll(machine: Machine, tid: number): void {
  const { sys } = machine
  leaveEntering(machine, tid)
  const last = machine.spied.at(-1)
  const owns = (at: number): boolean => isOwn(Atomics.load(sys, at), tid)
  if (last !== undefined && owns(HDR.SPY_LOCK)) sys[HDR.SPY_LOCK_COUNT] = last
  for (const { record, entered } of machine.leases) if (owns(record)) sys[record + REC.LOCK_COUNT] = entered
  if (machine.leases.length === 0) machine.callbackErrors.length = 0
  const held = [...(last === undefined ? [HDR.SPY_LOCK] : []), ...recordsOf(machine), HDR.LOCK, HDR.RING_LOCK].filter(
    (at) => owns(at) && !isAsking(machine, at)
  )
  handOver(machine, tid)
  for (const at of held) orphan(machine, at, tid)
  for (const at of held) inherit(machine, at, tid)
}

/** Whether a section is that of a heap whose page callback is running in this thread. */
function isAsking(machine: Machine, at: number): boolean {
  return machine.leases.some(({ record }) => record === at)
}

/** Puts what the dead thread's slot says into the records of the sections that it owns: there it stays until somebody has mended them. */
function handOver(machine: Machine, tid: number): void {
  const { sys } = machine
  const slot = threadAt(machine, tid)
  const owns = (at: number): boolean => (Atomics.load(sys, at) & (ORPHAN | TID)) === tid
  const handout = sys[slot + THREAD.HANDOUT] as number
  const resized = sys[slot + THREAD.RESIZED] as number
  for (const record of recordsOf(machine)) {
    if (owns(record) && isAsking(machine, record)) continue
    if (sys[record + REC.MAKER] === tid) sys[record + REC.MAKER] = ABANDONED
    if (!owns(record)) continue
    const made = isMadeIn(machine, slot, record)
    if (!made && (resized === 0 || liveBlock(machine, record, resized * GRANULE) === 0)) continue
    // Who falls may be cut off here, and all of this be done once more: then the record has it already, and the slot no longer all of it.
    sys[record + REC.LEFT_RESIZED] = resized
    if (made) sys[record + REC.LEFT_BLOCK] = handout
    settleSlot(machine, slot)
  }
  // One that never became live is no loose end: whoever gets the granule next has a right to it.
  if (![...recordsOf(machine)].some((record) => isMadeIn(machine, slot, record))) sys[slot + THREAD.HANDOUT] = 0
  // Who died while mending after another has none of its own, and leaves what the other left.
  if (!owns(HDR.LOCK) || sys[slot + THREAD.RESERVED] === 0) return
  sys[HDR.LEFT_RESERVED] = sys[slot + THREAD.RESERVED] as number
  sys[slot + THREAD.RESERVED] = 0
}

/** Whether what the slot says to be made is a live block of that heap, and so waits for its caller. */
function isMadeIn(machine: Machine, slot: number, record: number): boolean {
  const block = machine.sys[slot + THREAD.HANDOUT] as number
  const loose = machine.sys[slot + THREAD.LOOSE] as number
  return block !== 0 && (loose === 0 || loose === handleIn(machine, record)) && liveBlock(machine, record, block * GRANULE) !== 0
}

/** The handle of the heap that has the record, busy or not. */
function handleIn(machine: Machine, record: number): number {
  return handleOf(indexOf(machine, record), machine.sys[record + REC.GENERATION] as number)
}

/**
 * Undoes what the thread had made when it was outside the section already, and nobody heard of; whether all of it is undone. Not behind a section that `has` does
 * not enter: whose owner stays in it for a nap.
 */
function undoLoose(machine: Machine, who: number, tid: number, has: Entering = enterSoon): boolean {
  const { sys } = machine
  const slot = threadAt(machine, tid)
  const unit = sys[slot + THREAD.RESERVED] as number
  let done = true
  for (const record of recordsOf(machine)) {
    const abandoned = sys[record + REC.MAKER] === ABANDONED
    // A block that HeapReAlloc has moved stays: the old one is gone.
    const made = sys[slot + THREAD.RESIZED] === 0 && isMadeIn(machine, slot, record)
    if (!abandoned && !made) continue
    // By the time that the section is had, or of the next try, the heap may have ended, and another have a block there.
    if (made) sys[slot + THREAD.LOOSE] = handleIn(machine, record)
    if (!undoIn(machine, who, record, made ? slot : 0, made ? has : enterSoon) && made) done = false
  }
  if (unit !== 0) {
    if (has(machine, HDR.LOCK, who)) {
      // Whoever is cut off in this is mended after, and it is not undone once more.
      sys[HDR.LEFT_RESERVED] = unit
      if (reservationAt(machine, unit) === unit && res(machine, unit, RES.KIND) === KIND_APP) release(machine, who, unit)
      sys[slot + THREAD.RESERVED] = 0
      sys[HDR.LEFT_RESERVED] = 0
      leave(machine, HDR.LOCK)
    } else done = false
  }
  if (done) {
    settleSlot(machine, slot)
    sys[slot + THREAD.LOOSE] = 0
  }
  return done
}

/** Ends the heap if it is abandoned, else frees the block of the thread's slot, if one is given; false where it asks for pages, or the sections were not entered. */
function undoIn(machine: Machine, who: number, record: number, slot: number, has: Entering): boolean {
  const { sys } = machine
  if (!has(machine, record, who)) return false
  let held: boolean
  try {
    // From inside a page callback its section can be entered, in the midst of the call that asks.
    held = sys[record + REC.HANDLE] !== BUSY && has(machine, HDR.LOCK, who)
  } catch (error) {
    leaveByError(machine, record, error)
    throw error
  }
  if (held) {
    if (sys[record + REC.MAKER] === ABANDONED) endHeap(machine, who, record)
    else if (slot !== 0) freeLoose(machine, who, record, slot)
    leave(machine, HDR.LOCK)
  }
  leave(machine, record)
  return held
}

/** Whoever is cut off in this is mended after, and the block is not freed once more, when it may be another's. */
function freeLoose(machine: Machine, who: number, record: number, slot: number): void {
  const { sys } = machine
  const block = sys[slot + THREAD.HANDOUT] as number
  if ((sys[record + REC.HANDLE] as number) <= 0 || !isMadeIn(machine, slot, record)) return
  sys[record + REC.LEFT_BLOCK] = block
  freeBlock(machine, who, record, block)
  sys[slot + THREAD.HANDOUT] = 0
  sys[record + REC.LEFT_BLOCK] = 0
}

/** What a finding says of the section: the process's own, the ring of findings, the task allocator's. */
export const INSIDE_PROCESS = 0
export const INSIDE_RING = 1
export const INSIDE_SPY = 2

/** What a finding says of the call. */
export const OUTCOMES = { whole: 0, undone: 1, ended: 2 } as const

const ENTERING: number = callNumber('EnterCriticalSection') << CALL_SHIFT

/** Mends what the dead owner left behind a section, and leaves a finding. The hook of `Machine.repair`. */
export function mend(machine: Machine, at: number, who: number, dead: number): void {
  const { sys } = machine
  if (at === HDR.LOCK) {
    repairPages(machine)
    tell(machine, who, dead, 'diedInside', INSIDE_PROCESS, 0)
  } else if (at === HDR.RING_LOCK) {
    // Findings that were taken are not told twice.
    if ((sys[HDR.RING_HEAD] as number) < (sys[HDR.RING_TAIL] as number)) sys[HDR.RING_TAIL] = 0
    tell(machine, who, dead, 'diedInside', INSIDE_RING, 0)
  } else if (at === HDR.SPY_LOCK) tell(machine, who, dead, 'diedInside', INSIDE_SPY, 0)
  else if (at >= machine.heapsAt && at < machine.heapsEnd) {
    const handle = handleOf(indexOf(machine, at), sys[at + REC.GENERATION] as number)
    tell(machine, who, dead, 'diedInHeap', handle, OUTCOMES[repairHeap(machine, who, at)])
  } else tell(machine, who, (dead & TID) | ENTERING, 'diedOwning', sys[at + SEC.ADDRESS] as number, 0)
}

/** The finding travels through the ring even to the creating thread itself: it may be inside of sections, where nobody is called. */
function tell(machine: Machine, who: number, dead: number, kind: DeathKind, a: number, b: number): void {
  // Who mends after itself and lives has an error to tell of it (abandonCall).
  const lives = ((who ^ dead) & TID) === 0 && !machine.ended
  if (machine.sys[HDR.LISTENING] !== 0 && !lives) postFinding(machine, kind, nameOfCall(dead >>> CALL_SHIFT), dead & TID, a, b, who)
}
