import { leaveByError } from '../machine/adrift.ts'
import { GRANULE, GRANULES_PER_UNIT, HDR, PAGES_PER_UNIT, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { allCommitted, heapOf, KIND_APP, KIND_LENT, RES, release, res, reservationAt, setRes } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { forgetMade, THREAD } from '../machine/threads.ts'
import { granulesFor } from './allocate.ts'
import { binLink, binOf } from './bins.ts'
import {
  BIG,
  CONTROL,
  eraseStart,
  FREE,
  granulesOf,
  headerOf,
  HOLES,
  isFree,
  ownerOf,
  requestedOf,
  SIZE_SHIFT,
  START,
  tagFor
} from './block.ts'
import { cellAdd, cellsOpen } from './cells.ts'
import { regionEnd } from './freelist.ts'
import { writeGuard } from './guard.ts'
import { dropCallbacks, unlend } from './lent.ts'
import { ABANDONED, BUSY, CLAIMED, handleOf, indexOf, LEVELS, REC, setHot } from './record.ts'
import { committedIn, reservationsOf } from './region.ts'

/**
 * A heap after a thread ended inside its section, at any store of any call.
 *
 *   truth      NEXT from REGIONS and from BIGS on          which reservations are the heap's
 *              word 0 along the chain of each region       which blocks there are, and which are free
 *              word 1 of a live block                      what was requested: granules beyond what that needs are free
 *              LEFT_BLOCK, LEFT_RESIZED, MAKER             what the dead thread was making (machine/threads.ts)
 *   derived    all else: starts inside blocks, boundary tags, HOLES, the index, the rover, PREV, the counters, HOT
 *
 *   call               the store that decides                cut before it                       cut after it
 *   HeapAlloc          word 0 of the block                   the free block is whole             LEFT_BLOCK: freed again
 *     big              the link from BIGS                    an orphan: released                 LEFT_BLOCK: unlinked, released
 *     new region       the link from before it               an orphan: released                 a region that is free
 *   HeapFree           word 0 of the merged block            the block lives                     it is free
 *     big              the link past it                      the block lives                     an orphan: released
 *   HeapReAlloc grows  word 1 (word 0 grew before)           granules beyond word 1: free again  done
 *     shrinks          word 1                                nothing happened                    granules beyond word 1: free
 *     moves            word 0 of the old block               the new one is freed                the new one stays
 *   HeapCompact        REDO of the page table                nothing happened                    HOLES follow from the pages
 *   HeapCreate         MAKER cleared                         the heap is ended                   done
 *   HeapDestroy        MAKER set                             nothing happened                    the heap is ended
 *
 * Every step below keeps the truth readable for a next repair: a longer chain is written from its far end, a shorter one at its near end,
 * and what says that something is to be undone is cleared last. So the thread that repairs may die, too.
 */
export function repairHeap(machine: Machine, who: number, record: number): Repaired {
  const { sys } = machine
  if (machine.closed) return 'whole'
  if (sys[record + REC.MAKER] === ABANDONED) {
    endHeap(machine, who, record)
    return 'ended'
  }
  if (sys[record + REC.HANDLE] === BUSY)
    sys[record + REC.HANDLE] = handleOf(indexOf(machine, record), sys[record + REC.GENERATION] as number)
  // Somebody came with the handle of a heap that has ended.
  if (sys[record + REC.HANDLE] === 0 || sys[record + REC.HANDLE] === CLAIMED) return 'whole'
  enter(machine, HDR.LOCK, who)
  let undone: boolean
  try {
    for (const unit of reservationsOf(machine, record, REC.REGIONS)) tileRegion(machine, record, unit)
    undone = dropHandout(machine, record)
    relink(machine, record, REC.REGIONS)
    relink(machine, record, REC.BIGS)
    dropOrphans(machine, who, record)
    rebuild(machine, record)
    const resized = sys[record + REC.LEFT_RESIZED] as number
    if (sys[record + REC.GUARD] !== 0 && resized !== 0 && isLive(machine, record, resized)) writeGuard(machine, resized)
    if (sys[record + REC.LEFT_BLOCK] !== 0) forgetMade(machine, THREAD.HANDOUT, sys[record + REC.LEFT_BLOCK] as number)
    forgetLeft(machine, record)
  } catch (error) {
    leaveByError(machine, HDR.LOCK, error)
    throw error
  }
  leave(machine, HDR.LOCK)
  return undone ? 'undone' : 'whole'
}

/** What a repair found: the heap itself was ended; a block that nobody had was freed; or whatever was begun is done or has not happened. */
export type Repaired = 'ended' | 'undone' | 'whole'

/** Makes the chain of a region the only one in it: no start inside a block, no granules of a live block beyond its request, no two neighbouring free blocks. */
function tileRegion(machine: Machine, record: number, unit: number): void {
  const end = regionEnd(machine, unit)
  for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
    eraseStarts(machine, block + 1, block + granulesOf(machine, block))
    if ((headerOf(machine, block) & (FREE | CONTROL)) === 0) cutSurplus(machine, record, block)
  }
  mergeNeighbours(machine, unit)
}

function cutSurplus(machine: Machine, record: number, block: number): void {
  const want = granulesFor(machine, record, requestedOf(machine, block))
  const surplus = granulesOf(machine, block) - want
  if (surplus <= 0) return
  machine.map[(block + want) << 2] = (surplus << SIZE_SHIFT) | START | FREE
  machine.map[block << 2] = (want << SIZE_SHIFT) | START
}

function mergeNeighbours(machine: Machine, unit: number): void {
  const end = regionEnd(machine, unit)
  for (let block = unit * GRANULES_PER_UNIT; block < end; ) {
    const next = block + granulesOf(machine, block)
    if (next < end && isFree(machine, block) && isFree(machine, next)) {
      machine.map[block << 2] = ((next - block + granulesOf(machine, next)) << SIZE_SHIFT) | START | FREE
      eraseStart(machine, next)
    } else block = next
  }
}

function eraseStarts(machine: Machine, from: number, end: number): void {
  for (let granule = from; granule < end; granule++) if ((headerOf(machine, granule) & START) !== 0) eraseStart(machine, granule)
}

/** Whether a live block of the heap starts there. Precondition: the regions are tiled. */
function isLive(machine: Machine, record: number, block: number): boolean {
  const header = headerOf(machine, block)
  if ((header & (START | FREE | CONTROL)) !== START || ownerOf(machine, block) !== record) return false
  const home = reservationAt(machine, block >>> UNIT_OF_GRANULE)
  const list = (header & BIG) === 0 ? REC.REGIONS : REC.BIGS
  for (const unit of reservationsOf(machine, record, list)) if (unit === home) return true
  return false
}

/** Frees the block that the dead thread had made and handed to nobody; not if the block that it was to replace is gone. Whether it did. */
function dropHandout(machine: Machine, record: number): boolean {
  const { sys } = machine
  const block = sys[record + REC.LEFT_BLOCK] as number
  const resized = sys[record + REC.LEFT_RESIZED] as number
  if (block === 0 || !isLive(machine, record, block)) return false
  if (resized !== 0 && !isLive(machine, record, resized)) return false
  const header = headerOf(machine, block)
  const home = reservationAt(machine, block >>> UNIT_OF_GRANULE)
  if ((header & BIG) !== 0) unlinkBig(machine, record, home)
  else {
    machine.map[block << 2] = header | FREE
    mergeNeighbours(machine, home)
  }
  return true
}

function unlinkBig(machine: Machine, record: number, unit: number): void {
  let before = 0
  for (const other of reservationsOf(machine, record, REC.BIGS)) {
    if (other === unit) break
    before = other
  }
  const next = res(machine, unit, RES.NEXT)
  if (before === 0) machine.sys[record + REC.BIGS] = next
  else setRes(machine, before, RES.NEXT, next)
}

function relink(machine: Machine, record: number, list: typeof REC.REGIONS | typeof REC.BIGS): void {
  let before = 0
  for (const unit of reservationsOf(machine, record, list)) {
    setRes(machine, unit, RES.PREV, before)
    before = unit
  }
}

/** Gives back what is reserved for the heap and not linked by it. Precondition: inside the process section. */
function dropOrphans(machine: Machine, who: number, record: number): void {
  const linked = new Set([...reservationsOf(machine, record, REC.REGIONS), ...reservationsOf(machine, record, REC.BIGS)])
  for (let unit = 1; unit < machine.layout.units; unit++) {
    if (reservationAt(machine, unit) !== unit || res(machine, unit, RES.KIND) === KIND_APP) continue
    if (heapOf(machine, unit) === indexOf(machine, record) && !linked.has(unit)) dropReservation(machine, who, unit)
  }
}

function dropReservation(machine: Machine, who: number, unit: number): void {
  const first = unit * GRANULES_PER_UNIT
  eraseStarts(machine, first, first + (res(machine, unit, RES.PAGES) * GRANULES_PER_UNIT) / PAGES_PER_UNIT)
  if (res(machine, unit, RES.KIND) !== KIND_LENT) {
    release(machine, who, unit)
    return
  }
  // Its page callbacks are not told: they lived in the thread that died.
  unlend(machine, unit)
}

/** Everything that follows from the chain and the page table. */
function rebuild(machine: Machine, record: number): void {
  const { sys, map, mem, mapAt } = machine
  const nextFit = sys[record + REC.NEXT_FIT] !== 0
  const rover = sys[record + REC.ROVER] as number
  let stand = 0
  let bytes = 0
  let pages = 0
  sys.fill(0, record + REC.FL_MAP, record + REC.BINS + LEVELS * 32)
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    cellsOpen(machine, unit)
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      const granules = granulesOf(machine, block)
      const free = isFree(machine, block)
      map[((block + granules) << 2) - 1] = tagFor(block, free)
      if (free)
        map[block << 2] = (granules << SIZE_SHIFT) | START | FREE | (allCommitted(machine, block * GRANULE, granules * GRANULE) ? 0 : HOLES)
      else if ((headerOf(machine, block) & CONTROL) === 0) bytes += requestedOf(machine, block)
      if (free && nextFit) cellAdd(machine, unit, block, granules)
      if (free && !nextFit) binLink(mem, mapAt, record, block, binOf(granules))
      if (rover >= block && rover < block + granules) stand = block
    }
    pages += committedIn(machine, unit)
  }
  for (const unit of reservationsOf(machine, record, REC.BIGS)) {
    const block = unit * GRANULES_PER_UNIT
    map[((block + granulesOf(machine, block)) << 2) - 1] = tagFor(block, false)
    bytes += requestedOf(machine, block)
    pages += res(machine, unit, RES.PAGES)
  }
  sys[record + REC.ROVER] = stand
  sys[record + REC.LIVE_BYTES] = bytes
  sys[record + REC.PEAK_BYTES] = Math.max(bytes, sys[record + REC.PEAK_BYTES] as number)
  sys[record + REC.COMMITTED] = pages
  sys[record + REC.PEAK_COMMITTED] = Math.max(pages, sys[record + REC.PEAK_COMMITTED] as number)
  setHot(machine, record)
}

/**
 * Ends a heap that was half made or half ended: everything reserved for it goes back, and the record is free for another one. Precondition: inside
 * its section, with MAKER set, which is cleared last.
 */
export function endHeap(machine: Machine, who: number, record: number): void {
  const { sys } = machine
  enter(machine, HDR.LOCK, who)
  try {
    if (sys[record + REC.HANDLE] !== 0) {
      sys[record + REC.HANDLE] = CLAIMED
      sys[record + REC.REGIONS] = 0
      sys[record + REC.BIGS] = 0
      dropOrphans(machine, who, record)
      dropCallbacks(machine, record)
      clearFields(machine, record)
      Atomics.store(sys, record + REC.HANDLE, 0)
    }
    sys[record + REC.MAKER] = 0
  } catch (error) {
    leaveByError(machine, HDR.LOCK, error)
    throw error
  }
  leave(machine, HDR.LOCK)
}

/** A record that no heap has: only its generation is left. */
export function clearFields(machine: Machine, record: number): void {
  machine.sys.fill(0, record + REC.OPTIONS, record + REC.GRANTS)
  machine.sys.fill(0, record + REC.GRANTS + 1, record + REC.BINS + LEVELS * 32)
  forgetLeft(machine, record)
}

/** The block first: without the one that was to be resized it would be freed, and by now both would be lost. */
function forgetLeft({ sys }: Machine, record: number): void {
  sys[record + REC.LEFT_BLOCK] = 0
  sys[record + REC.LEFT_RESIZED] = 0
}
