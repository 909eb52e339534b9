import { freeBlock, liveBlock } from '../heap/free.ts'
import { ABANDONED, BUSY, handleOf, indexOf, REC, recordsOf } from '../heap/record.ts'
import { endHeap } from '../heap/repair.ts'
import { leaveByError } from '../machine/adrift.ts'
import { GRANULE, HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { KIND_APP, RES, releaseApp, res } from '../machine/pages.ts'
import { enter, enterSoon, leave } from '../machine/section.ts'
import { settleSlot, THREAD, threadAt } from '../machine/threads.ts'

/**
 * What a call had made that an error or a death ended outside of the section already, before anybody heard of it: the thread's slot names it
 * (machine/threads.ts), and it is undone in the thread's name.
 */

/** Whether a section could be entered. */
type Entering = (machine: Machine, at: number, who: number) => boolean

/** Never false: where it waits in vain it throws. */
export function enterSurely(machine: Machine, at: number, who: number): true {
  enter(machine, at, who)
  return true
}

/** Whether the thread's slot names something that is not undone. */
export function leavesLoose(machine: Machine, tid: number): boolean {
  const slot = threadAt(machine, tid)
  return machine.sys[slot + THREAD.HANDOUT] !== 0 || machine.sys[slot + THREAD.RESERVED] !== 0
}

/** Whether what the slot says to be made is a live block of that heap, and so waits for its caller. */
export function isMadeIn(machine: Machine, slot: number, record: number): boolean {
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
export function undoLoose(machine: Machine, who: number, tid: number, has: Entering = enterSoon): boolean {
  const { sys } = machine
  const slot = threadAt(machine, tid)
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
  if (sys[slot + THREAD.RESERVED] !== 0) {
    if (has(machine, HDR.LOCK, who)) {
      // Not before: until here somebody else may have released it.
      const unit = sys[slot + THREAD.RESERVED] as number
      if (res(machine, unit, RES.KIND) === KIND_APP) releaseApp(machine, who, unit)
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
