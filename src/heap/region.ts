import { GRANULE, GRANULES_PER_UNIT, HDR, PAGE, PAGES_PER_UNIT, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import {
  allCommitted,
  commit,
  decommitPages,
  KIND_LENT,
  KIND_REGION,
  PAGE_COMMITTED,
  pageState,
  release,
  RES,
  res,
  reservationAt,
  reserve,
  setRes
} from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { needTidy } from '../machine/threads.ts'
import { CONTROL, eraseStart, granulesOf, HOLES, writeLive } from './block.ts'
import { cellsOpen } from './cells.ts'
import { addFree, regionEnd, removeFree } from './freelist.ts'
import { askCommit, askDecommit, askRelease, borrow, unlend } from './lent.ts'
import { countPages, indexOf, REC } from './record.ts'

/**
 * Regions: the reservations that a heap takes its blocks from, linked in address order through the units' NEXT and PREV.
 *
 *   growable    | block | block | free ...                   |    any number of them (HI-8)
 *   fixed       | control | block | block | free ...         |    exactly one; control = 64 bytes + 2 bits a granule (HC-10)
 *
 *   region.granules = control + sum(block.granules)
 */

/** Granules that a fixed heap of `granules` spends on its own structures. */
export function controlGranules(granules: number): number {
  return Math.ceil((64 + granules / 4) / GRANULE)
}

/** Opens a region of `bytes` (whole pages) with `control` granules set aside; returns its first unit, 0 if there is no address space for it. */
export function openRegion(machine: Machine, who: number, record: number, bytes: number, control: number): number {
  const heap = indexOf(machine, record)
  const lent = machine.sys[record + REC.CALLBACKS] !== 0
  const unit = lent ? borrow(machine, who, record, bytes) : reserve(machine, who, bytes, KIND_REGION, heap)
  if (unit === 0) return 0
  const granules = bytes / GRANULE
  setRes(machine, unit, RES.GRANULES, granules)
  cellsOpen(machine, unit)
  const first = unit * GRANULES_PER_UNIT
  if (control > 0) writeLive(machine, first, control, control * GRANULE, record, CONTROL)
  addFree(machine, record, first + control, granules - control, HOLES)
  // From here on its blocks are the heap's.
  linkRegion(machine, record, unit)
  // A caller may lend a reservation that has committed pages already.
  if (lent) countPages(machine, record, committedIn(machine, unit))
  return unit
}

/** Gives back a region that is one free block. */
export function dropRegion(machine: Machine, who: number, record: number, unit: number): void {
  const block = unit * GRANULES_PER_UNIT
  // Entered before anything changes: a wait in vain leaves the heap as it is.
  enter(machine, HDR.LOCK, who)
  // A rover in the region stands at its start.
  if (machine.sys[record + REC.ROVER] === block) machine.sys[record + REC.ROVER] = 0
  removeFree(machine, record, block, granulesOf(machine, block))
  const bytes = unlinkRegion(machine, who, record, unit)
  leave(machine, HDR.LOCK)
  if (bytes > 0) askBack(machine, record, unit, bytes)
}

/** First units of a heap's regions in address order, or of its big blocks, newest first. */
export function* reservationsOf(machine: Machine, record: number, list: typeof REC.REGIONS | typeof REC.BIGS): Generator<number> {
  for (let unit = machine.sys[record + list] as number; unit !== 0; unit = res(machine, unit, RES.NEXT)) yield unit
}

function linkRegion(machine: Machine, record: number, unit: number): void {
  const head = record + REC.REGIONS
  let before = 0
  let after = machine.sys[head] as number
  while (after !== 0 && after < unit) {
    before = after
    after = res(machine, after, RES.NEXT)
  }
  setRes(machine, unit, RES.PREV, before)
  setRes(machine, unit, RES.NEXT, after)
  if (before !== 0) setRes(machine, before, RES.NEXT, unit)
  else machine.sys[head] = unit
  if (after !== 0) setRes(machine, after, RES.PREV, unit)
}

/** Gives a region back to the system: its blocks are forgotten, its pages decommitted. The free index is the caller's business. */
export function closeRegion(machine: Machine, who: number, record: number, unit: number): void {
  enter(machine, HDR.LOCK, who)
  const bytes = unlinkRegion(machine, who, record, unit)
  leave(machine, HDR.LOCK)
  if (bytes > 0) askBack(machine, record, unit, bytes)
}

/** Takes a region from the heap and releases it; a lent one becomes the app's again, and its size in bytes is returned. Precondition: inside the process section. */
function unlinkRegion(machine: Machine, who: number, record: number, unit: number): number {
  const before = res(machine, unit, RES.PREV)
  const after = res(machine, unit, RES.NEXT)
  if (before !== 0) setRes(machine, before, RES.NEXT, after)
  else machine.sys[record + REC.REGIONS] = after
  if (after !== 0) setRes(machine, after, RES.PREV, before)
  const end = regionEnd(machine, unit)
  for (let block = unit * GRANULES_PER_UNIT; block < end; ) {
    const granules = granulesOf(machine, block)
    eraseStart(machine, block)
    block += granules
  }
  const committed = committedIn(machine, unit)
  countPages(machine, record, -committed)
  if (res(machine, unit, RES.KIND) !== KIND_LENT) {
    release(machine, who, unit)
    return 0
  }
  const bytes = res(machine, unit, RES.GRANULES) * GRANULE
  unlend(machine, unit)
  return bytes
}

/** Asks the caller to give a reservation that it had lent back to the system. */
function askBack(machine: Machine, record: number, unit: number, bytes: number): void {
  // VirtualFree releases only what is in one state (VF-5).
  if (committedPages(machine, unit, bytes) > 0) askDecommit(machine, record, unit * UNIT, bytes)
  askRelease(machine, record, unit * UNIT, bytes)
}

/** Pages of the region in state committed. */
export function committedIn(machine: Machine, unit: number): number {
  return committedPages(machine, unit, res(machine, unit, RES.GRANULES) * GRANULE)
}

function committedPages(machine: Machine, unit: number, bytes: number): number {
  const first = unit * PAGES_PER_UNIT
  let count = 0
  for (let page = first; page < first + bytes / PAGE; page++) if (pageState(machine, page) === PAGE_COMMITTED) count++
  return count
}

/** Makes sure that the granules [block, block + granules) lie on committed pages; false if physical memory does not suffice. */
export function commitGranules(machine: Machine, who: number, record: number, block: number, granules: number): boolean {
  const address = block * GRANULE
  const bytes = granules * GRANULE
  if (allCommitted(machine, address, bytes)) return true
  if (machine.sys[record + REC.CALLBACKS] !== 0) {
    const unit = reservationAt(machine, address >>> UNIT_SHIFT)
    const before = committedIn(machine, unit)
    const done = askCommit(machine, record, address, bytes)
    countPages(machine, record, committedIn(machine, unit) - before)
    // A call of the callback's may have left something loose. Only here are the pages counted.
    if (done) needTidy(machine)
    return done
  }
  const pages = commit(machine, who, address, bytes)
  if (pages < 0) return false
  countPages(machine, record, pages)
  return true
}

/** Gives back the physical memory of pages [first, last] of the region at `unit`. */
export function decommitRegionPages(machine: Machine, who: number, record: number, unit: number, first: number, last: number): void {
  if (res(machine, unit, RES.KIND) !== KIND_LENT) {
    countPages(machine, record, -decommitPages(machine, who, first, last))
    return
  }
  const before = committedIn(machine, unit)
  askDecommit(machine, record, first * PAGE, (last - first + 1) * PAGE)
  countPages(machine, record, committedIn(machine, unit) - before)
}

/** First page of the region that lies wholly in the granules [block, end), and the last such page; first > last if there is none. */
export function wholePages(block: number, end: number): { first: number; last: number } {
  const perPage = PAGE / GRANULE
  return { first: Math.ceil(block / perPage), last: Math.floor(end / perPage) - 1 }
}
