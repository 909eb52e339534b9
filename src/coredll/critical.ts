import { isDword, notDword } from '../errors.ts'
import { firstFault } from '../machine/access.ts'
import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { mustAccess } from '../machine/memory.ts'
import { enter, enterContended, isOwn, leave, leaveOnce, ORPHAN, TID, tryEnter } from '../machine/section.ts'
import { claimSection, dropSection, SEC, sectionBy, sectionNamed, sectionOf, sectionRecords } from '../machine/sectiontable.ts'
import { wakeAll, wakeOne } from '../machine/wait.ts'
import { needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { Taker } from './out.ts'
import { CRITICAL_SECTION } from './structures.ts'

/**
 * Critical sections of the app (section 5 of the rules). The section itself is a record in system memory (machine/sectiontable.ts), where no
 * wild write reaches it; the structure in user memory names the record by hCrit, and its other fields mirror it for the app to look at (C-75).
 *
 * Order: a section of the app comes before the heaps' sections, and these before the process section.
 */
export type SectionCall =
  | 'InitializeCriticalSection'
  | 'EnterCriticalSection'
  | 'TryEnterCriticalSection'
  | 'LeaveCriticalSection'
  | 'DeleteCriticalSection'

const { size: SIZE, fields } = CRITICAL_SECTION
const LOCK_COUNT = fields.LockCount.at
const OWNER = fields.OwnerThread.at
const H_CRIT = fields.hCrit.at
const CONTENTIONS = fields.dwContentions.at

const BLANK = { LockCount: 0, OwnerThread: 0, hCrit: 0, needtrap: 0, dwContentions: 0 }

// The two below are not ce.memory's accessors: one look at the pages serves a whole call. Precondition: the caller has had it.

function word({ words, bytes }: Machine, address: number): number {
  if ((address & 3) === 0) return words[address >>> 2] as number
  const byte = (at: number): number => bytes[address + at] as number
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)
}

function setWord({ words, bytes }: Machine, address: number, value: number): void {
  if ((address & 3) === 0) words[address >>> 2] = value
  else for (let at = 0; at < 4; at++) bytes[address + at] = value >>> (at * 8)
}

export function check(ce: Taker, call: SectionCall, lpCriticalSection: number): void {
  if (!isDword(lpCriticalSection)) throw notDword(call, 'lpCriticalSection', lpCriticalSection)
  needOpen(ce, call)
  // Outside of the section only hCrit is looked at; what is written there inside of it mirrors the section.
  ce.machine.seat?.touches(lpCriticalSection, SIZE, false)
  mustAccess(ce.machine, ce.tid, lpCriticalSection, SIZE, 'write')
}

export function initializeCriticalSection(ce: Taker, lp: number): void {
  const call = 'InitializeCriticalSection'
  check(ce, call, lp)
  const { machine } = ce
  for (;;) {
    const old = sectionBy(machine, lp)
    noteEntering(machine, old, ce.tid)
    if (old !== 0 && !tryEnter(machine, old, ce.tid)) {
      machine.entering = 0
      ce.raise('sectionHeld', call, lp, ownerOf(machine, old))
      return
    }
    let made = 0
    try {
      enter(machine, HDR.LOCK, ce.tid)
      try {
        // Another thread may have been faster.
        if (sectionBy(machine, lp) !== old) continue
        mustAccess(machine, ce.tid, lp, SIZE, 'write')
        if (old !== 0) dropSection(machine, old)
        made = claimSection(machine, lp)
        CRITICAL_SECTION.write(ce.memory, lp, { ...BLANK, hCrit: made === 0 ? 0 : (machine.sys[made + SEC.HANDLE] as number) })
      } finally {
        leave(machine, HDR.LOCK)
      }
    } finally {
      if (old !== 0) leave(machine, old)
    }
    machine.entering = 0
    if (old !== 0) ce.raise('sectionTwice', call, lp)
    if (made === 0) ce.raise('sectionsFull', call, lp)
    if (lp % 4 !== 0) ce.raise('misalignedOut', call, lp)
    return
  }
}

export function deleteCriticalSection(ce: Taker, lp: number): void {
  const call = 'DeleteCriticalSection'
  check(ce, call, lp)
  const { machine } = ce
  const at = sectionFor(ce, call, lp)
  if (at === 0) return
  const handle = machine.sys[at + SEC.HANDLE] as number
  noteEntering(machine, at, ce.tid)
  if (!tryEnter(machine, at, ce.tid)) {
    machine.entering = 0
    ce.raise('sectionHeld', call, lp, ownerOf(machine, at))
    return
  }
  const own = machine.sys[at + SEC.LOCK_COUNT] !== 0
  let gone = false
  try {
    enter(machine, HDR.LOCK, ce.tid)
    try {
      gone = isGone(machine, at, handle, lp)
      if (!gone) {
        CRITICAL_SECTION.write(ce.memory, lp, BLANK)
        dropSection(machine, at)
      }
    } finally {
      leave(machine, HDR.LOCK)
    }
  } finally {
    // Who waits comes in by and by, and finds the section gone.
    leave(machine, at)
  }
  machine.entering = 0
  if (gone) ce.raise('noSection', call, lp)
  else if (own) ce.raise('sectionOwn', call, lp)
}

export function enterCriticalSection(ce: Taker, lp: number): void {
  const call = 'EnterCriticalSection'
  check(ce, call, lp)
  const at = sectionFor(ce, call, lp)
  if (at === 0) return
  const { machine } = ce
  const handle = machine.sys[at + SEC.HANDLE] as number
  noteEntering(machine, at, ce.tid)
  const seen = machine.take(at << 2, ce.tid)
  if (seen !== 0) enterContended(machine, at, ce.tid, seen)
  entered(ce, call, lp, at, handle, seen !== 0 && ((seen ^ ce.tid) & (ORPHAN | TID)) !== 0)
  machine.entering = 0
}

export function tryEnterCriticalSection(ce: Taker, lp: number): number {
  const call = 'TryEnterCriticalSection'
  check(ce, call, lp)
  const at = sectionFor(ce, call, lp)
  if (at === 0) return 0
  const { machine } = ce
  const handle = machine.sys[at + SEC.HANDLE] as number
  noteEntering(machine, at, ce.tid)
  const inside = tryEnter(machine, at, ce.tid) && entered(ce, call, lp, at, handle, false)
  machine.entering = 0
  return inside ? 1 : 0
}

export function leaveCriticalSection(ce: Taker, lp: number): void {
  const call = 'LeaveCriticalSection'
  check(ce, call, lp)
  const { machine } = ce
  const { sys } = machine
  const at = sectionFor(ce, call, lp)
  if (at === 0) return
  const owner = ownerOf(machine, at)
  if (owner !== ce.tid) {
    ce.raise('notOwner', call, lp, owner)
    return
  }
  const deeper = sys[at + SEC.LOCK_COUNT] as number
  setWord(machine, lp + LOCK_COUNT, deeper)
  // Also where nothing changes: a wild write may have been there.
  setWord(machine, lp + OWNER, deeper === 0 ? 0 : ce.tid)
  if (deeper !== 0) leaveOnce(sys, at)
  else if (machine.give(at << 2) < 0) wakeOne(sys, at)
}

/** Notes what the thread's hold on a section of the program's is before a call enters it, 0 for none; the call clears `entering` when it is done. */
function noteEntering(machine: Machine, at: number, tid: number): void {
  machine.enteredBefore = isOwn(Atomics.load(machine.sys, at), tid) ? (machine.sys[at + SEC.LOCK_COUNT] as number) + 1 : 0
  machine.entering = at
}

/** The thread's hold on the section that an error kept its call from entering, or from leaving again, is what it was before. */
export function leaveEntering(machine: Machine, tid: number): void {
  const { sys, entering: at, enteredBefore: before } = machine
  machine.entering = 0
  if (at === 0 || !isOwn(Atomics.load(sys, at), tid)) return
  sys[at + SEC.LOCK_COUNT] = Math.max(0, before - 1)
  if (before > 0) return
  mendStructure(machine, at)
  leave(machine, at)
}

/** Who owns the section, 0 for nobody that lives (a dead owner's id may be this thread's by now): exact only where the answer is this thread. */
function ownerOf(machine: Machine, at: number): number {
  const seen = machine.sys[at] as number
  return (seen & ORPHAN) !== 0 ? 0 : seen & TID
}

/** The live section of the structure at `lp`; 0, with a finding, if there is none. Precondition: the structure can be accessed. */
export function sectionFor(ce: Taker, call: SectionCall, lp: number): number {
  const handle = word(ce.machine, lp + H_CRIT)
  const at = sectionOf(ce.machine, handle, lp)
  return at !== 0 ? at : sectionAside(ce, call, lp, handle)
}

/** The structure does not name its section: it was overwritten (C-78), is a copy (C-77), or is none (C-76). */
function sectionAside(ce: Taker, call: SectionCall, lp: number, handle: number): number {
  const { machine } = ce
  let own = 0
  let original = 0
  let address = 0
  enter(machine, HDR.LOCK, ce.tid)
  try {
    own = sectionBy(machine, lp)
    if (own !== 0) {
      // The pages may have gone while this waited; the call that goes on from here writes to them.
      mustAccess(machine, ce.tid, lp, SIZE, 'write')
      setWord(machine, lp + H_CRIT, machine.sys[own + SEC.HANDLE] as number)
    }
    original = sectionNamed(machine, handle)
    if (original !== 0) address = machine.sys[original + SEC.ADDRESS] as number
  } finally {
    leave(machine, HDR.LOCK)
  }
  if (own !== 0) ce.raise('sectionOverwritten', call, lp, handle)
  else if (original !== 0) ce.raise('sectionCopied', call, lp, address)
  else ce.raise('noSection', call, lp)
  return own
}

/**
 * What follows when a thread has got in: false, and out again, if the section was deleted while it waited. Raises, out again, if the
 * structure's pages went meanwhile.
 */
export function entered(ce: Taker, call: SectionCall, lp: number, at: number, handle: number, waited: boolean): boolean {
  const { machine } = ce
  const { sys } = machine
  const gone = isGone(machine, at, handle, lp)
  if (gone || (waited && firstFault(machine, lp, SIZE, 'write') >= 0)) {
    leave(machine, at)
    needOpen(ce, call)
    if (gone) ce.raise('sectionDeleted', call, lp)
    else mustAccess(machine, ce.tid, lp, SIZE, 'write')
    return false
  }
  if (waited) {
    const contended = (sys[at + SEC.CONTENDED] as number) + 1
    sys[at + SEC.CONTENDED] = contended
    setWord(machine, lp + CONTENTIONS, contended)
  }
  setWord(machine, lp + LOCK_COUNT, (sys[at + SEC.LOCK_COUNT] as number) + 1)
  setWord(machine, lp + OWNER, ce.tid)
  return true
}

/** Whether the record is no longer that of the structure at `lp`: `handle` was read outside of the section, and may be the next one's already. */
function isGone({ sys }: Machine, at: number, handle: number, lp: number): boolean {
  return sys[at + SEC.HANDLE] !== handle || sys[at + SEC.ADDRESS] !== (lp | 0)
}

/** Makes the structures of the sections that the dead thread `tid` owns tell that nobody does (C-84). Precondition: no other thread can take them over yet. */
export function mendStructures(machine: Machine, tid: number): void {
  for (const at of sectionRecords(machine)) if (ownerOf(machine, at) === tid) mendStructure(machine, at)
}

/** Only where it still is that section's structure. Precondition: the section is the caller's, or nobody's to take. */
function mendStructure(machine: Machine, at: number): void {
  const address = (machine.sys[at + SEC.ADDRESS] as number) >>> 0
  const handle = machine.sys[at + SEC.HANDLE] as number
  if (handle === 0 || firstFault(machine, address, SIZE, 'write') >= 0 || word(machine, address + H_CRIT) !== handle) return
  setWord(machine, address + LOCK_COUNT, 0)
  setWord(machine, address + OWNER, 0)
}

/** The sections that a thread is inside of, by their records. */
function* ownedBy({ machine, tid }: Caller): Generator<number> {
  for (const at of sectionRecords(machine)) if (ownerOf(machine, at) === tid) yield at
}

/** The same, by the addresses of their structures. */
export function enteredSections(ce: Caller): number[] {
  return [...ownedBy(ce)].map((at) => (ce.machine.sys[at + SEC.ADDRESS] as number) >>> 0)
}

/** Lets go of every section that a thread still owns when it detaches (C-84). */
export function abandonSections(ce: Caller): void {
  const { machine } = ce
  for (const at of ownedBy(ce)) {
    mendStructure(machine, at)
    machine.sys[at + SEC.LOCK_COUNT] = 0
    leave(machine, at)
    ce.raise('diedOwning', 'EnterCriticalSection', machine.sys[at + SEC.ADDRESS] as number)
  }
}

/** Ends all sections of a process that closes: who waits in one wakes up and finds the process closed. */
export function endSections(machine: Machine): void {
  for (const at of sectionRecords(machine)) {
    Atomics.store(machine.sys, at + SEC.HANDLE, 0)
    machine.sys[at + SEC.LOCK_COUNT] = 0
    Atomics.store(machine.sys, at, 0)
    wakeAll(machine.sys, at)
  }
}

/** One critical section in plain data. */
export interface SectionInfo {
  /** Where its structure is. */
  readonly address: number
  /** Its hCrit. */
  readonly handle: number
  /** How often an enter had to wait. */
  readonly contentions: number
}

/** The live sections in the order of their records. Precondition: inside the process section. */
export function sectionInfos(machine: Machine): SectionInfo[] {
  const { sys } = machine
  return [...sectionRecords(machine)]
    .filter((at) => sys[at + SEC.HANDLE] !== 0)
    .map((at) => ({
      address: (sys[at + SEC.ADDRESS] as number) >>> 0,
      handle: sys[at + SEC.HANDLE] as number,
      contentions: sys[at + SEC.CONTENDED] as number
    }))
}
