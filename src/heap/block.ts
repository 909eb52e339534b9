import type { Machine } from '../machine/machine.ts'

/**
 * The block map: four words for each granule of user memory, out of the app's reach. A block's header is the entry of
 * its first granule; its boundary tag is word 3 of the entry of its last granule.
 *
 *           word 0                 word 1             word 2            word 3 (of the last granule)
 *   live    granules << 4 | flags  requested bytes    heap record       first granule << 1
 *   free    granules << 4 | flags  next free block    previous free     first granule << 1 | 1     (words 1 and 2 on segregated heaps alone)
 *
 *   flags   START 1      a block starts here
 *           FREE 2       it is free
 *           HOLES 4      of a free block: some of its pages may not be committed
 *           BIG 4        of a live block: it is a reservation of its own
 *           CONTROL 8    of a live block: a fixed heap's own structures (HC-10), not the app's
 *
 * A granule inside a block has no START; FREE without START (STALE) remembers that a block which started there was freed and
 * merged, so that a stale pointer can be told from one that never was.
 *
 *   next(b)     = b + granules(b)            the chain that tiles a region; every other word can be rebuilt from it
 *   previous(b) = tag(b) >> 1, free if its lowest bit is set, where tag(b) is word 3 of granule b - 1; only where b is not the first of its
 *                 region. With the bit in the tag, freeing next to a live block need not touch that block's header.
 *
 * A step that changes the chain is committed by the one store to a word 0 that makes it reachable.
 */
export const START = 1
export const FREE = 2
export const HOLES = 4
export const BIG = 4
export const CONTROL = 8
export const SIZE_SHIFT = 4
export const STALE: number = FREE

export function headerOf(machine: Machine, block: number): number {
  return machine.map[block << 2] as number
}

export function granulesOf(machine: Machine, block: number): number {
  return (machine.map[block << 2] as number) >>> SIZE_SHIFT
}

/** Precondition: a block starts at `block`. */
export function isFree(machine: Machine, block: number): boolean {
  return ((machine.map[block << 2] as number) & FREE) !== 0
}

export function isStale(machine: Machine, granule: number): boolean {
  return machine.map[granule << 2] === STALE
}

export function requestedOf(machine: Machine, block: number): number {
  return machine.map[(block << 2) + 1] as number
}

export function setRequested(machine: Machine, block: number, bytes: number): void {
  machine.map[(block << 2) + 1] = bytes
}

/** The record of the heap that the live block belongs to. */
export function ownerOf(machine: Machine, block: number): number {
  return machine.map[(block << 2) + 2] as number
}

/** The boundary tag before `block`. Precondition: `block` is not the first of its region. */
export function tagBefore(machine: Machine, block: number): number {
  return machine.map[(block << 2) - 1] as number
}

/** The boundary tag that `block` must have at its end. */
export function tagFor(block: number, free: boolean): number {
  return (block << 1) | (free ? 1 : 0)
}

/** Writes a free block; leaves its index entry to the caller. */
export function writeFree(machine: Machine, block: number, granules: number, holes: number): void {
  const map = machine.map
  const at = block << 2
  map[at + (granules << 2) - 1] = (block << 1) | 1
  map[at] = (granules << SIZE_SHIFT) | START | FREE | holes
}

/** Writes a live block; the store of word 0 is the last. */
export function writeLive(machine: Machine, block: number, granules: number, requested: number, record: number, kind: number): void {
  const map = machine.map
  const at = block << 2
  map[at + 1] = requested
  map[at + 2] = record
  map[at + (granules << 2) - 1] = block << 1
  map[at] = (granules << SIZE_SHIFT) | START | kind
}

/** Gives a live block another number of granules; what it loses or takes must have its header already. */
export function writeSize(machine: Machine, block: number, granules: number): void {
  machine.map[((block + granules) << 2) - 1] = tagFor(block, false)
  machine.map[block << 2] = (granules << SIZE_SHIFT) | START
}

/** Marks where a block started that is gone: merged into the block before it, or given back with its memory. */
export function eraseStart(machine: Machine, block: number): void {
  machine.map[block << 2] = STALE
}
