import { zeroGranules } from '../machine/fill.ts'
import { GRANULE, GRANULE_SHIFT, GRANULES_PER_UNIT, UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { allocateBig } from './big.ts'
import { granulesOf, headerOf, HOLES, isFree, writeLive } from './block.ts'
import { carveFree, findFree, regionEnd } from './freelist.ts'
import { writeGuard } from './guard.ts'
import { countBlock, indexOf, REC } from './record.ts'
import { commitGranules, dropRegion, openRegion, reservationsOf } from './region.ts'

/** Granules that a block of `bytes` takes (HA-7); a block of no bytes takes one, and debug builds add a guard. */
export function granulesFor(machine: Machine, record: number, bytes: number): number {
  return (bytes === 0 ? 1 : (bytes + GRANULE - 1) >>> GRANULE_SHIFT) + (machine.sys[record + REC.GUARD] as number)
}

/**
 * Allocates `bytes` (0 to 2^32 - 1) and returns the block's address, 0 if there is not enough memory. The block is zeroed on demand only.
 * Precondition: the caller is inside the heap's section. heap/hot.ts does the same for the common case.
 */
export function allocate(machine: Machine, tid: number, record: number, bytes: number, zero: boolean): number {
  const sys = machine.sys
  if (bytes > (sys[record + REC.LARGEST] as number)) {
    return sys[record + REC.MAXIMUM] === 0 ? allocateBig(machine, tid, record, bytes) : 0
  }
  const size = granulesFor(machine, record, bytes)
  let block = findFree(machine, record, size) || grow(machine, tid, record, size)
  if (block === 0) return 0
  if ((headerOf(machine, block) & HOLES) !== 0 && !commitGranules(machine, tid, record, block, size)) {
    block = findBacked(machine, tid, record, size)
    if (block === 0) return 0
  }
  carveFree(machine, record, block, granulesOf(machine, block), size, headerOf(machine, block) & HOLES)
  writeLive(machine, block, size, bytes, indexOf(machine, record), 0)
  sys[record + REC.ROVER] = block
  countBlock(sys, record, 1, bytes)
  if (zero) zeroGranules(machine, block * GRANULE, size * GRANULE)
  if (sys[record + REC.GUARD] !== 0) writeGuard(machine, block)
  return block * GRANULE
}

/**
 * The first free block, by address, whose first `size` granules are committed or can be; 0 if there is none. Walks the heap: it is asked only
 * when physical memory is exhausted, so that a request fails for want of memory only if there is enough for no free block. Where the pages
 * come from the caller it is his refusal that counts (C-35).
 */
function findBacked(machine: Machine, tid: number, record: number, size: number): number {
  if (machine.sys[record + REC.CALLBACKS] !== 0) return 0
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      const fits = isFree(machine, block) && granulesOf(machine, block) >= size
      if (fits && commitGranules(machine, tid, record, block, size)) return block
    }
  }
  return 0
}

/**
 * Adds a region whose one free block holds `size` committed granules (HI-8), and returns that block. 0 on a fixed heap, without address
 * space or without physical memory: then nothing has changed.
 */
function grow(machine: Machine, tid: number, record: number, size: number): number {
  if (machine.sys[record + REC.MAXIMUM] !== 0) return 0
  const needed = Math.ceil((size * GRANULE) / UNIT) * UNIT
  const usual = machine.sys[record + REC.REGION_BYTES] as number
  const region =
    openRegion(machine, tid, record, Math.max(usual, needed), 0) || (needed < usual ? openRegion(machine, tid, record, needed, 0) : 0)
  if (region === 0) return 0
  const block = region * GRANULES_PER_UNIT
  if (commitGranules(machine, tid, record, block, size)) return block
  dropRegion(machine, tid, record, region)
  return 0
}
