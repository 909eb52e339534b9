import { FIXED_HEAP_LIMIT } from '../constants.ts'
import { leaveByError } from '../machine/adrift.ts'
import { GRANULE, GRANULES_PER_UNIT, HDR, PAGE, UNIT } from '../machine/layout.ts'
import type { Machine, PageCallbacks } from '../machine/machine.ts'
import { enter, leave, TID, tryEnter } from '../machine/section.ts'
import { freeBig } from './big.ts'
import { dropCallbacks, setCallbacks } from './lent.ts'
import { ABANDONED, CLAIMED, handleOf, heapCount, indexOf, REC, recordAt, setHot } from './record.ts'
import { closeRegion, commitGranules, controlGranules, openRegion } from './region.ts'
import { clearFields, endHeap } from './repair.ts'

export interface HeapOptions {
  readonly options: number
  /** Bytes committed at once (HC-2). */
  readonly initial: number
  /** Bytes of a fixed heap, 0 for a growable one (HC-3, HC-4). */
  readonly maximum: number
  readonly callbacks?: PageCallbacks
}

/** Makes a heap and returns its handle, 0 if there is not enough address space or physical memory. Sizes are 0 to 2^32 - 1. */
export function createHeap(machine: Machine, who: number, wanted: HeapOptions): number {
  const { sys } = machine
  // One hold from the choice of the record to the last page, so that the heap comes to life at one moment among others; but never around a page callback.
  const whole = wanted.callbacks === undefined
  const record = claimRecord(machine, who, whole)
  if (record === 0) return 0
  try {
    // A heap half made must not be walked.
    if (!whole) enter(machine, record, who)
    let handle: number
    try {
      handle = makeHeap(machine, who, record, wanted)
    } catch (error) {
      leaveByError(machine, record, error)
      if (whole) leaveByError(machine, HDR.LOCK, error)
      throw error
    }
    leave(machine, record)
    if (whole) leave(machine, HDR.LOCK)
    // After a failure the record may be another heap's by now; and another thread, which knows the handle from a snapshot, may be ending this one.
    if (handle !== 0) Atomics.compareExchange(sys, record + REC.MAKER, who & TID, 0)
    return handle
  } catch (error) {
    sys[record + REC.MAKER] = ABANDONED
    throw error
  }
}

function makeHeap(machine: Machine, who: number, record: number, wanted: HeapOptions): number {
  const sys = machine.sys
  const index = indexOf(machine, record)
  const generation = (sys[record + REC.GENERATION] as number) + 1
  const maximum = Math.ceil(wanted.maximum / PAGE) * PAGE
  const initial = Math.max(1, Math.ceil(wanted.initial / PAGE)) * PAGE
  sys[record + REC.GENERATION] = generation
  sys[record + REC.OPTIONS] = wanted.options
  sys[record + REC.NEXT_FIT] = sys[HDR.PLACEMENT] as number
  sys[record + REC.GUARD] = sys[HDR.DEBUG] as number
  sys[record + REC.REGION_BYTES] = sys[HDR.REGION] as number
  if (wanted.callbacks !== undefined) setCallbacks(machine, record, wanted.callbacks)
  if (!openFirstRegion(machine, who, record, initial, maximum)) {
    takeDown(machine, who, record)
    enter(machine, HDR.LOCK, who)
    // As if nobody had asked: the next heap here gets the handle that this one would have had.
    sys[record + REC.GENERATION] = generation - 1
    giveRecord(machine, record)
    leave(machine, HDR.LOCK)
    return 0
  }
  const handle = handleOf(index, generation)
  Atomics.store(sys, record + REC.HANDLE, handle)
  // process.close() ends the heaps that it sees; one that comes to life later ends itself.
  if (machine.closed) Atomics.store(sys, record + REC.HANDLE, 0)
  return handle
}

/** Another heap may have the record from now on. Precondition: inside the process section. */
function giveRecord(machine: Machine, record: number): void {
  Atomics.store(machine.sys, record + REC.HANDLE, 0)
  machine.sys[record + REC.MAKER] = 0
}

function openFirstRegion(machine: Machine, who: number, record: number, initial: number, maximum: number): boolean {
  const sys = machine.sys
  const space = machine.layout.units * UNIT
  if (initial > space || maximum > space) return false
  // Stored only now: above 2 GB it would not fit the word.
  sys[record + REC.MAXIMUM] = maximum
  // A growable heap on the caller's pages has nowhere else to get a big block from.
  const growable = sys[record + REC.CALLBACKS] !== 0 ? 0x7fffffff : (sys[HDR.BIG_BLOCK] as number)
  sys[record + REC.LARGEST] = maximum === 0 ? growable : FIXED_HEAP_LIMIT - 1
  setHot(machine, record)
  const bytes = maximum === 0 ? Math.ceil(Math.max(sys[HDR.REGION] as number, initial) / UNIT) * UNIT : maximum
  const control = maximum === 0 ? 0 : controlGranules(bytes / GRANULE)
  if (openRegion(machine, who, record, bytes, control) === 0) return false
  const first = (sys[record + REC.REGIONS] as number) * GRANULES_PER_UNIT
  return commitGranules(machine, who, record, first, Math.max(initial / GRANULE, control))
}

/** A record of the caller's own, 0 if there is none. If `hold`, the caller is inside its section and inside the process section then. */
function claimRecord(machine: Machine, who: number, hold: boolean): number {
  const sys = machine.sys
  for (;;) {
    enter(machine, HDR.LOCK, who)
    let index = 0
    while (index < machine.heapLimit && !isFreeRecord(machine, who, recordAt(machine, index))) index++
    const record = index < machine.heapLimit ? recordAt(machine, index) : 0
    // Before its section is entered: who buries a thread looks at the sections of as many records as there are.
    if (record !== 0 && index >= heapCount(machine)) Atomics.store(sys, HDR.HEAPS, index + 1)
    // Never a wait: the section of a heap comes before the process section.
    const held = record !== 0 && hold && tryEnter(machine, record, who)
    if (record !== 0 && (held || !hold)) {
      sys[record + REC.MAKER] = who & TID
      sys[record + REC.HANDLE] = CLAIMED
    }
    if (held) return record
    leave(machine, HDR.LOCK)
    if (record === 0 || !hold) return record
    // Somebody looks at all records, and will want the process section for that.
    enter(machine, record, who)
    leave(machine, record)
  }
}

/** Whether no heap has the record; one that was abandoned is ended on this occasion. Precondition: inside the process section. */
function isFreeRecord(machine: Machine, who: number, record: number): boolean {
  const { sys } = machine
  // Never a wait: the section of a heap comes before the process section.
  if (sys[record + REC.MAKER] === ABANDONED && tryEnter(machine, record, who)) {
    if (sys[record + REC.MAKER] === ABANDONED) endHeap(machine, who, record)
    leave(machine, record)
  }
  return sys[record + REC.HANDLE] === 0
}

/**
 * Ends a heap: its blocks, regions and big blocks go back to the system, live or not (HD-4).
 * Precondition: the caller is inside the heap's section and has seen that it lives. Whoever waits for the section finds the handle dead.
 */
export function destroyHeap(machine: Machine, who: number, record: number): void {
  const { sys } = machine
  const own = sys[record + REC.CALLBACKS] === 0
  // Before anything changes, so that a wait in vain leaves the heap alive; but never around a page callback, which may wait for other threads.
  if (own) enter(machine, HDR.LOCK, who)
  sys[record + REC.MAKER] = who & TID
  Atomics.store(sys, record + REC.HANDLE, CLAIMED)
  try {
    takeDown(machine, who, record)
    if (!own) enter(machine, HDR.LOCK, who)
  } catch (error) {
    sys[record + REC.MAKER] = ABANDONED
    throw error
  }
  giveRecord(machine, record)
  leave(machine, HDR.LOCK)
}

function takeDown(machine: Machine, who: number, record: number): void {
  const sys = machine.sys
  while (sys[record + REC.BIGS] !== 0) freeBig(machine, who, record, (sys[record + REC.BIGS] as number) * GRANULES_PER_UNIT)
  while (sys[record + REC.REGIONS] !== 0) closeRegion(machine, who, record, sys[record + REC.REGIONS] as number)
  dropCallbacks(machine, record)
  clearFields(machine, record)
}
