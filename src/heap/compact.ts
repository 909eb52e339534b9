import { GRANULE, GRANULES_PER_PAGE, GRANULES_PER_UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { PAGE_COMMITTED, pageState } from '../machine/pages.ts'
import { inOneHold } from './allocate.ts'
import { granulesOf, HOLES, isFree } from './block.ts'
import { reservationsOf } from './region.ts'
import { addFree, regionEnd, removeFree } from './freelist.ts'
import { REC } from './record.ts'
import { decommitRegionPages, dropRegion, wholePages } from './region.ts'

/**
 * HeapCompact (HP-2, HP-3): gives back every page that lies wholly in a free block (HI-1), and every region but the first that is
 * wholly free. Free blocks are merged already. Returns the bytes of the largest run of committed free memory inside one block,
 * as it was before pages were given back. Precondition: inside the heap's section.
 */
export function compact(machine: Machine, who: number, record: number): number {
  return inOneHold(machine, who, record, () => compactRegions(machine, who, record))
}

function compactRegions(machine: Machine, who: number, record: number): number {
  let largest = 0
  for (const unit of [...reservationsOf(machine, record, REC.REGIONS)]) {
    const first = unit * GRANULES_PER_UNIT
    const end = regionEnd(machine, unit)
    for (let block = first; block < end; block += granulesOf(machine, block)) {
      if (isFree(machine, block)) largest = Math.max(largest, compactBlock(machine, who, record, unit, block))
    }
    const whole = isFree(machine, first) && granulesOf(machine, first) === end - first
    // The lowest region stays: a heap has at least one.
    if (whole && unit !== machine.sys[record + REC.REGIONS]) dropRegion(machine, who, record, unit)
  }
  return largest
}

function compactBlock(machine: Machine, who: number, record: number, unit: number, block: number): number {
  const size = granulesOf(machine, block)
  const largest = committedRun(machine, block, block + size)
  const { first, last } = wholePages(block, block + size)
  if (first <= last) {
    decommitRegionPages(machine, who, record, unit, first, last)
    removeFree(machine, record, block, size)
    addFree(machine, record, block, size, HOLES)
  }
  return largest
}

/** Bytes of the longest run of [block, end) that lies on committed pages. */
function committedRun(machine: Machine, block: number, end: number): number {
  let longest = 0
  let from = block
  for (let at = block; at < end; ) {
    const pageEnd = Math.min(end, (Math.floor(at / GRANULES_PER_PAGE) + 1) * GRANULES_PER_PAGE)
    if (pageState(machine, Math.floor(at / GRANULES_PER_PAGE)) === PAGE_COMMITTED) longest = Math.max(longest, pageEnd - from)
    else from = pageEnd
    at = pageEnd
  }
  return longest * GRANULE
}
