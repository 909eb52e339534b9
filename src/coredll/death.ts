import { liveBlock } from '../heap/free.ts'
import { mendMarks } from '../heap/marks.ts'
import { ABANDONED, handleOf, indexOf, REC, recordsOf } from '../heap/record.ts'
import { repairHeap } from '../heap/repair.ts'
import { ashore, leaveByError } from '../machine/adrift.ts'
import { GRANULE, HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { repairPages } from '../machine/repair.ts'
import { CALL_SHIFT, enterSoon, isOwn, leave, ORPHAN, orphan, takeOver, TID } from '../machine/section.ts'
import { SEC, sectionRecords } from '../machine/sectiontable.ts'
import { BURIED, calm, DEAD, DYING, LIVE, moveThread, partThread, settleSlot, THREAD, threadAt, threadState } from '../machine/threads.ts'
import { leaveEntering, mendStructures } from './critical.ts'
import { callNumber, nameOfCall, postFinding } from './findings.ts'
import type { DeathKind } from './findings.ts'
import { enterSurely, isMadeIn, leavesLoose, undoLoose } from './loose.ts'
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

/** Ends the thread `tid` for the process. Precondition: nothing of it runs any more, and it still has its ticket. False if it has ended before. */
export function buryThread(machine: Machine, who: number, tid: number): boolean {
  const state = threadState(machine, tid)
  // One that is DEAD may have been cut off before it had let go of everything; one that is FREE ended while it attached or detached, and owns nothing but its place.
  moveThread(machine, tid, state, DEAD)
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
  const heap = isHeap(machine, at)
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

function isHeap({ heapsAt, heapsEnd }: Machine, at: number): boolean {
  return at >= heapsAt && at < heapsEnd
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
    if (!made && liveBlock(machine, record, resized * GRANULE) === 0) continue
    // Who died while mending after another leaves what the other left: what is loose of its own stays in its slot until then.
    if (isLeftByOther(machine, record, handout, resized)) continue
    // Who falls may be cut off here, and all of this be done once more: then the record has it already, and the slot no longer all of it.
    sys[record + REC.LEFT_RESIZED] = resized
    if (made) sys[record + REC.LEFT_BLOCK] = handout
    settleSlot(machine, slot)
  }
  // One that never became live is no loose end: whoever gets the granule next has a right to it.
  if (![...recordsOf(machine)].some((record) => isMadeIn(machine, slot, record))) sys[slot + THREAD.HANDOUT] = 0
  if (!owns(HDR.LOCK) || sys[slot + THREAD.RESERVED] === 0 || sys[HDR.LEFT_RESERVED] !== 0) return
  sys[HDR.LEFT_RESERVED] = sys[slot + THREAD.RESERVED] as number
  sys[slot + THREAD.RESERVED] = 0
}

/** Whether the record of a heap's section names anything but what the slot of its dead owner does: another left it, after whom that one was mending. */
function isLeftByOther({ sys }: Machine, record: number, handout: number, resized: number): boolean {
  const [block, before] = [sys[record + REC.LEFT_BLOCK], sys[record + REC.LEFT_RESIZED]]
  return (block !== 0 && block !== handout) || (before !== 0 && before !== resized)
}

/** What a finding says of the section: the process's own, the ring of findings, the task allocator's. */
const INSIDE_PROCESS = 0
const INSIDE_RING = 1
const INSIDE_SPY = 2

/** What a finding says of the call. */
export const OUTCOMES = { whole: 0, undone: 1, ended: 2 } as const

const ENTERING: number = callNumber('EnterCriticalSection') << CALL_SHIFT

/** Mends what the dead owner left behind a section, and leaves a finding. The hook of `Machine.repair`. */
export function mend(machine: Machine, at: number, who: number, dead: number): void {
  const { sys } = machine
  if (at === HDR.LOCK) {
    repairPages(machine)
    tell(machine, who, dead, 'diedInside', INSIDE_PROCESS, 0)
  } else if (at === HDR.RING_LOCK) tell(machine, who, dead, 'diedInside', INSIDE_RING, 0)
  else if (at === HDR.SPY_LOCK) tell(machine, who, dead, 'diedInside', INSIDE_SPY, 0)
  else if (isHeap(machine, at)) {
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
