import { GRANULES_PER_PAGE, GRANULES_PER_UNIT, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res, reservationAt } from '../machine/pages.ts'
import { binCarve, binFind, binLink, binMerge, binOf, binScan, binUnlink } from './bins.ts'
import { eraseStart, FREE, headerOf, HOLES, SIZE_SHIFT, tagBefore, writeFree } from './block.ts'
import { cellAdd, cellDrop, cellFind } from './cells.ts'
import { REC } from './record.ts'

/** Free blocks, whichever index the heap keeps of them. Sizes and positions are in granules; the caller is inside the heap's section. */

/** The unit at which the region of `block` starts. */
export function regionOf(machine: Machine, block: number): number {
  return reservationAt(machine, block >>> UNIT_OF_GRANULE)
}

/** First granule behind the region that starts at unit `region`. */
export function regionEnd(machine: Machine, region: number): number {
  return region * GRANULES_PER_UNIT + res(machine, region, RES.GRANULES)
}

/** A free block of at least `size` granules by the heap's placement, 0 if there is none. It stays in the index. */
export function findFree(machine: Machine, record: number, size: number): number {
  if (machine.sys[record + REC.NEXT_FIT] !== 0) return cellFind(machine, record, size)
  return binFind(machine.mem, machine.mapAt, record, size) || binScan(machine, record, size)
}

/** Takes `block` out of the index; its header stays. */
export function removeFree(machine: Machine, record: number, block: number, size: number): void {
  if (machine.sys[record + REC.NEXT_FIT] === 0) binUnlink(machine.mem, machine.mapAt, record, block, binOf(size))
  else cellDrop(machine, block)
}

/** Writes a free block and puts it into the index. Precondition: neither neighbour is free. */
export function addFree(machine: Machine, record: number, block: number, size: number, holes: number): void {
  writeFree(machine, block, size, holes)
  if (machine.sys[record + REC.NEXT_FIT] === 0) binLink(machine.mem, machine.mapAt, record, block, binOf(size))
  else cellAdd(machine, regionOf(machine, block), block, size)
}

/** Takes the first `size` of the `have` granules of a free block out of the index; what is left of it stays a free block. */
export function carveFree(machine: Machine, record: number, block: number, have: number, size: number, holes: number): void {
  const rest = block + size
  const left = have - size
  if (machine.sys[record + REC.NEXT_FIT] === 0) binCarve(machine.mem, machine.mapAt, record, block, have, rest, left)
  else {
    cellDrop(machine, block)
    if (left !== 0) cellAdd(machine, regionOf(machine, rest), rest, left)
  }
  if (left !== 0) writeFree(machine, rest, left, holes)
}

/**
 * Frees the granules [block, block + size) and merges them with free neighbours at once. The free block that holds them then
 * is where a next-fit search starts (HI-2). Absorbed starts become STALE. heap/hot.as does the same for the common case.
 */
export function mergeFree(machine: Machine, record: number, block: number, size: number): void {
  const sys = machine.sys
  const after = block + size
  const next = endsRegion(machine, block, size) ? 0 : headerOf(machine, after)
  const behind = (next & FREE) === 0 ? 0 : next >>> SIZE_SHIFT
  const tag = startsRegion(machine, block) ? 0 : tagBefore(machine, block)
  const before = (tag & 1) === 0 ? 0 : tag >>> 1
  const previous = before === 0 ? 0 : headerOf(machine, before)
  const ahead = previous >>> SIZE_SHIFT
  const start = before === 0 ? block : before
  const total = ahead + size + behind
  const holes = ((behind === 0 ? 0 : next) | previous) & HOLES
  const nextFit = sys[record + REC.NEXT_FIT] !== 0
  // The header before the index: a block that lives still has what was requested where a free one has its links.
  writeFree(machine, start, total, holes)
  if (before !== 0) eraseStart(machine, block)
  if (behind !== 0) eraseStart(machine, after)
  if (nextFit) {
    if (behind !== 0) cellDrop(machine, after)
    cellAdd(machine, regionOf(machine, start), start, total)
  } else binMerge(machine.mem, machine.mapAt, record, block, size, before, ahead, behind)
  sys[record + REC.ROVER] = start
}

// Only a block that ends at a page's end can be the last of its region, and only one that starts a unit can be the first.

function endsRegion(machine: Machine, block: number, size: number): boolean {
  return ((block + size) & (GRANULES_PER_PAGE - 1)) === 0 && block + size === regionEnd(machine, regionOf(machine, block))
}

function startsRegion(machine: Machine, block: number): boolean {
  return (block & (GRANULES_PER_UNIT - 1)) === 0 && regionOf(machine, block) * GRANULES_PER_UNIT === block
}
