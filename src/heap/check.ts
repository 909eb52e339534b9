import { GRANULE, GRANULES_PER_UNIT, PAGE, PAGES_PER_UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import {
  allCommitted,
  heapOf,
  KIND_APP,
  KIND_BIG,
  KIND_LENT,
  KIND_REGION,
  PAGE_COMMITTED,
  pageState,
  RES,
  res,
  reservationAt
} from '../machine/pages.ts'
import { binFault } from './binscheck.ts'
import { BIG, CONTROL, FREE, granulesOf, headerOf, HOLES, ownerOf, requestedOf, START, tagBefore, tagFor } from './block.ts'
import { cellFault } from './cellscheck.ts'
import { reservationsOf } from './region.ts'
import { regionEnd } from './freelist.ts'
import { brokenGuard } from './guard.ts'
import { indexOf, REC, recordAt } from './record.ts'
import { committedIn } from './region.ts'

/**
 * The invariants of one heap, re-derived from the chain of block sizes:
 *
 *   the heap's regions are linked in address order, its big blocks newest first, both ways
 *   a fixed heap has exactly one region, which begins with its control area (HC-10); no other block is one
 *   region.granules    = control + sum(block.granules)         blocks tile a region, no gap, no overlap
 *   no two neighbouring free blocks                            coalescing is immediate
 *   a block's boundary tag names its first granule and its state
 *   START flags        = the blocks of the chain               no start inside a block
 *   free index         = the free blocks of the chain
 *   record.LIVE_BYTES, COMMITTED = what the chain and the page table add up to, and no peak is below
 *   a live block lies on committed pages; a free one too unless it has HOLES
 *
 * Returns the first fault in words, undefined if there is none. Precondition: inside the heap's section.
 */
export function heapFault(machine: Machine, record: number): string | undefined {
  const index = indexOf(machine, record)
  const free: number[] = []
  let bytes = 0
  let pages = 0
  const links = linksFault(machine, record, REC.REGIONS) ?? linksFault(machine, record, REC.BIGS)
  if (links !== undefined) return links
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    const control = machine.sys[record + REC.MAXIMUM] === 0 ? -1 : unit * GRANULES_PER_UNIT
    let wasFree = false
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      const fault = blockFault(machine, block, end, record, block === control)
      if (fault !== undefined) return fault
      const header = headerOf(machine, block)
      const isFree = (header & FREE) !== 0
      if (isFree && wasFree) return `${at(block)}: two neighbouring free blocks`
      wasFree = isFree
      if (isFree) free.push(block)
      else if ((header & CONTROL) === 0) bytes += requestedOf(machine, block)
    }
    pages += committedIn(machine, unit)
  }
  for (const unit of reservationsOf(machine, record, REC.BIGS)) {
    const fault = bigFault(machine, unit, record)
    if (fault !== undefined) return fault
    bytes += requestedOf(machine, unit * GRANULES_PER_UNIT)
    pages += res(machine, unit, RES.PAGES)
  }
  const word = (field: number): number => machine.sys[record + field] as number
  if (bytes !== word(REC.LIVE_BYTES)) return `heap ${index} counts ${word(REC.LIVE_BYTES)} live bytes, its chain has ${bytes}`
  if (pages !== word(REC.COMMITTED)) return `heap ${index} counts ${word(REC.COMMITTED)} committed pages, its reservations have ${pages}`
  if (bytes > word(REC.PEAK_BYTES)) return `heap ${index}: ${bytes} live bytes, above the peak of ${word(REC.PEAK_BYTES)}`
  if (pages > word(REC.PEAK_COMMITTED)) return `heap ${index}: ${pages} committed pages, above the peak of ${word(REC.PEAK_COMMITTED)}`
  return word(REC.NEXT_FIT) === 0 ? binFault(machine, record, free) : cellFault(machine, record, free)
}

/** A list of the heap's reservations against the reservations themselves; after it the list can be walked. Who is led to twice, in a circle, has two before him. */
function linksFault(machine: Machine, record: number, list: typeof REC.REGIONS | typeof REC.BIGS): string | undefined {
  const index = indexOf(machine, record)
  const kind = list === REC.BIGS ? KIND_BIG : machine.sys[record + REC.CALLBACKS] === 0 ? KIND_REGION : KIND_LENT
  let before = 0
  let count = 0
  for (const unit of reservationsOf(machine, record, list)) {
    const where = `unit ${unit}`
    // Nor is one where no unit is.
    if (reservationAt(machine, unit) !== unit) return `${where} is linked into heap ${index} but is no reservation`
    const { HEAP, KIND, PREV, GRANULES, PAGES } = RES
    if (res(machine, unit, HEAP) !== index) return `${where} is linked into heap ${index} but belongs to heap ${res(machine, unit, HEAP)}`
    if (res(machine, unit, KIND) !== kind)
      return `${where} is linked into heap ${index} as kind ${kind}, but is of kind ${res(machine, unit, KIND)}`
    if (res(machine, unit, PREV) !== before) return `${where} names unit ${res(machine, unit, PREV)} as the one before it, not ${before}`
    if (list === REC.REGIONS && unit < before) return `${where} is linked behind unit ${before}, against the order of addresses`
    if (res(machine, unit, GRANULES) * GRANULE > res(machine, unit, PAGES) * PAGE)
      return `${where}: the heap has more granules than the reservation`
    count++
    before = unit
  }
  if (list === REC.REGIONS && (count === 0 || (count > 1 && machine.sys[record + REC.MAXIMUM] !== 0)))
    return `heap ${index} has ${count} regions`
  return undefined
}

function blockFault(machine: Machine, block: number, end: number, record: number, control: boolean): string | undefined {
  const header = headerOf(machine, block)
  const granules = granulesOf(machine, block)
  if ((header & START) === 0) return `${at(block)}: the chain reaches a granule where no block starts`
  if (granules === 0 || block + granules > end) return `${at(block)}: a block of ${granules} granules does not fit its region`
  const free = (header & FREE) !== 0
  if (tagBefore(machine, block + granules) !== tagFor(block, free))
    return `${at(block)}: the boundary tag at its end names another block or state`
  for (let inner = block + 1; inner < block + granules; inner++) {
    if ((headerOf(machine, inner) & START) !== 0) return `${at(inner)}: a start inside the block at ${at(block)}`
  }
  const flags = header & (FREE | HOLES | CONTROL)
  const expected = control ? CONTROL : free ? FREE | (flags & HOLES) : 0
  if (flags !== expected) return `${at(block)}: flags ${flags}, which no block here has`
  const address = block * GRANULE
  if (free) {
    if ((header & HOLES) === 0 && !allCommitted(machine, address, granules * GRANULE))
      return `${at(block)}: a free block without HOLES has uncommitted pages`
    return undefined
  }
  const owner = ownerOf(machine, block)
  if (owner !== record) return `${at(block)}: owned by heap ${indexOf(machine, owner)}, found in heap ${indexOf(machine, record)}`
  if (requestedOf(machine, block) > granules * GRANULE)
    return `${at(block)}: ${requestedOf(machine, block)} bytes requested, ${granules * GRANULE} there`
  if (!allCommitted(machine, address, granules * GRANULE)) return `${at(block)}: a live block on uncommitted pages`
  return undefined
}

function bigFault(machine: Machine, unit: number, record: number): string | undefined {
  const block = unit * GRANULES_PER_UNIT
  const pages = res(machine, unit, RES.PAGES)
  if ((headerOf(machine, block) & (START | FREE | BIG | CONTROL)) !== (START | BIG)) return `${at(block)}: not marked as a big block`
  if (ownerOf(machine, block) !== record) return `${at(block)}: a big block of another heap`
  if (granulesOf(machine, block) * GRANULE !== pages * PAGE) return `${at(block)}: a big block that does not fill its reservation`
  const granules = granulesOf(machine, block)
  if (tagBefore(machine, block + granules) !== tagFor(block, false))
    return `${at(block)}: the boundary tag at its end names another block or state`
  for (let inner = block + 1; inner < block + granules; inner++) {
    if ((headerOf(machine, inner) & START) !== 0) return `${at(inner)}: a start inside the block at ${at(block)}`
  }
  if (requestedOf(machine, block) > granules * GRANULE)
    return `${at(block)}: ${requestedOf(machine, block)} bytes requested, ${granules * GRANULE} there`
  for (let page = unit * PAGES_PER_UNIT; page < unit * PAGES_PER_UNIT + pages; page++) {
    if (pageState(machine, page) !== PAGE_COMMITTED) return `${at(block)}: a big block with an uncommitted page`
  }
  return undefined
}

/**
 * What lies outside the heaps of `records`, which are all that live: no block starts there, not even behind a heap's part of a
 * reservation, and no reservation is a dead heap's. Heaps that are being made or ended by another thread are passed over.
 */
export function strayFault(machine: Machine, records: readonly number[]): string | undefined {
  const linked = new Set(
    records.flatMap((record) => [...reservationsOf(machine, record, REC.REGIONS), ...reservationsOf(machine, record, REC.BIGS)])
  )
  for (let unit = 0; unit < machine.layout.units; unit++) {
    const home = reservationAt(machine, unit)
    const inHeap = home >= 0 && res(machine, home, RES.KIND) !== KIND_APP
    if (inHeap && !linked.has(home)) {
      const record = recordAt(machine, heapOf(machine, home))
      if (machine.sys[record + REC.HANDLE] === 0 || records.includes(record))
        return `unit ${home} belongs to heap ${indexOf(machine, record)}, which does not link it`
      continue
    }
    const first = unit * GRANULES_PER_UNIT
    for (let granule = inHeap ? Math.max(first, regionEnd(machine, home)) : first; granule < first + GRANULES_PER_UNIT; granule++) {
      if ((headerOf(machine, granule) & START) !== 0) return `${at(granule)}: a block starts outside every heap`
    }
  }
  return undefined
}

/** Whether the sentinel of a live block was overwritten; never on retail builds. */
export function isOverrun(machine: Machine, record: number): boolean {
  if (machine.sys[record + REC.GUARD] === 0) return false
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      if ((headerOf(machine, block) & (FREE | CONTROL)) === 0 && brokenGuard(machine, block) !== 0) return true
    }
  }
  for (const unit of reservationsOf(machine, record, REC.BIGS)) if (brokenGuard(machine, unit * GRANULES_PER_UNIT) !== 0) return true
  return false
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}

function at(block: number): string {
  return hex(block * GRANULE)
}
