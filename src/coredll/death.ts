import { freeBlock, liveBlock } from '../heap/free.ts'
import { ABANDONED, handleOf, heapCount, indexOf, REC, recordAt } from '../heap/record.ts'
import { mendMarks } from '../heap/marks.ts'
import { endHeap, repairHeap } from '../heap/repair.ts'
import { GRANULE, HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { KIND_APP, RES, release, res, reservationAt } from '../machine/pages.ts'
import { repairPages } from '../machine/repair.ts'
import { CALL_SHIFT, enterSoon, leave, ORPHAN, orphan, takeOver, TID } from '../machine/section.ts'
import { SEC, sectionRecords } from '../machine/sectiontable.ts'
import { DEAD, DYING, FREE, moveThread, partThread, settle, THREAD, threadAt, threadState } from '../machine/threads.ts'
import { mendStructures } from './critical.ts'
import { callNumber, nameOfCall, postFinding } from './findings.ts'
import type { DeathKind } from './findings.ts'
import { abandon, endIfDue } from './spyregistration.ts'

/**
 * A thread that ends without a word: its worker was terminated, crashed or exited. Whatever section it owned is taken over and what stands
 * behind it is mended, by whoever wants in next or by the sweep here, so that afterwards its id can be given out again.
 *
 *   thread dies --> buryThread: what its slot says of the call goes into the records of its sections (hand over),
 *                               its sections become orphans,
 *                               each is entered by the first who wants it, who mends first (mend) and leaves a finding (C-92),
 *                               what the call had made and was not inside of any more is undone (undoLoose)
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

/** Ends the thread `tid` for the process. Precondition: nothing of it runs any more. False if there is no such thread, or no longer. */
export function buryThread(machine: Machine, who: number, tid: number): boolean {
  const state = threadState(machine, tid)
  // It ended while it attached or detached: it owns nothing but its place.
  if (state === FREE) partThread(machine, tid)
  const ends = state !== FREE && state !== DEAD && moveThread(machine, tid, state, DEAD)
  if (ends && state === DYING) Atomics.sub(machine.sys, HDR.DYING, 1)
  try {
    if (ends) letGo(machine, who, tid)
  } finally {
    if (ends || state === DEAD) partThread(machine, tid)
  }
  return ends
}

/** Frees everything that a dead thread held. */
export function letGo(machine: Machine, who: number, tid: number): void {
  mendStructures(machine, tid)
  handOver(machine, tid)
  // All of them first: who mends behind one section enters others, and this one must not wait there for the same dead thread.
  for (const at of sectionsOf(machine)) orphan(machine, at, tid)
  for (const at of sectionsOf(machine)) if ((Atomics.load(machine.sys, at) & ORPHAN) !== 0) inherit(machine, at, who)
  undoLoose(machine, who, tid)
  revokeSpyOf(machine, who, tid)
}

/** The spy that lived in the dead thread is revoked (C-55). Never a long wait: then whoever enters the section next finds the revoke pending. */
function revokeSpyOf(machine: Machine, who: number, tid: number): void {
  if (!abandon(machine, tid) || !enterSoon(machine, HDR.SPY_LOCK, who)) return
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
    if ((seen & ORPHAN) !== 0 && takeOver(machine, at, who, seen)) leave(machine, at)
  } finally {
    if (heap) leave(machine, HDR.LOCK)
  }
}

/**
 * Frees what a thread that lives was inside of when an error ended its call: as if it had died there. What cannot be mended at once, where the stack has
 * overflowed, is an orphan until the next one enters, this thread included.
 */
export function abandonCall(machine: Machine, tid: number): void {
  handOver(machine, tid)
  const sections = [...recordsOf(machine), HDR.LOCK]
  for (const at of sections) orphan(machine, at, tid)
  for (const at of sections) {
    const seen = Atomics.load(machine.sys, at)
    if ((seen & ORPHAN) !== 0 && takeOver(machine, at, tid, seen)) leave(machine, at)
  }
  undoLoose(machine, tid, tid)
}

/** Puts what the dead thread's slot says into the records of the sections that it owns: there it stays until somebody has mended them. */
function handOver(machine: Machine, tid: number): void {
  const { sys } = machine
  const slot = threadAt(machine, tid)
  const owns = (at: number): boolean => (Atomics.load(sys, at) & (ORPHAN | TID)) === tid
  const handout = sys[slot + THREAD.HANDOUT] as number
  const resized = sys[slot + THREAD.RESIZED] as number
  for (const record of recordsOf(machine)) {
    if (sys[record + REC.MAKER] === tid) sys[record + REC.MAKER] = ABANDONED
    if (!owns(record)) continue
    const made = handout !== 0 && liveBlock(machine, record, handout * GRANULE) !== 0
    if (!made && (resized === 0 || liveBlock(machine, record, resized * GRANULE) === 0)) continue
    sys[record + REC.LEFT_BLOCK] = made ? handout : 0
    sys[record + REC.LEFT_RESIZED] = resized
    settle(machine, slot)
  }
  // One that never became live is no loose end: whoever gets the granule next has a right to it.
  if (!waitsForCaller(machine, sys[slot + THREAD.HANDOUT] as number)) sys[slot + THREAD.HANDOUT] = 0
  // Who died while mending after another has none of its own, and leaves what the other left.
  if (!owns(HDR.LOCK) || sys[slot + THREAD.RESERVED] === 0) return
  sys[HDR.LEFT_RESERVED] = sys[slot + THREAD.RESERVED] as number
  sys[slot + THREAD.RESERVED] = 0
}

/** Whether a block is live, and so waits for its caller. */
function waitsForCaller(machine: Machine, block: number): boolean {
  return block !== 0 && [...recordsOf(machine)].some((record) => liveBlock(machine, record, block * GRANULE) !== 0)
}

/** Undoes what the thread had made when it died outside the section already, and nobody heard of; not behind a section whose owner stays in it for a nap. */
function undoLoose(machine: Machine, who: number, tid: number): void {
  const { sys } = machine
  const slot = threadAt(machine, tid)
  const block = sys[slot + THREAD.HANDOUT] as number
  const unit = sys[slot + THREAD.RESERVED] as number
  for (const record of recordsOf(machine)) {
    const abandoned = sys[record + REC.MAKER] === ABANDONED
    // A block that HeapReAlloc has moved stays: the old one is gone.
    const made = block !== 0 && sys[slot + THREAD.RESIZED] === 0 && liveBlock(machine, record, block * GRANULE) !== 0
    if ((!abandoned && !made) || !enterSoon(machine, record, who)) continue
    try {
      if (!enterSoon(machine, HDR.LOCK, who)) continue
      try {
        if (sys[record + REC.MAKER] === ABANDONED) endHeap(machine, who, record)
        else if (made && (sys[record + REC.HANDLE] as number) > 0 && liveBlock(machine, record, block * GRANULE) !== 0)
          freeBlock(machine, who, record, block)
      } finally {
        leave(machine, HDR.LOCK)
      }
    } finally {
      leave(machine, record)
    }
  }
  if (unit !== 0 && enterSoon(machine, HDR.LOCK, who)) {
    if (reservationAt(machine, unit) === unit && res(machine, unit, RES.KIND) === KIND_APP) release(machine, who, unit)
    leave(machine, HDR.LOCK)
  }
  settle(machine, slot)
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
