import type { Machine } from '../machine/machine.ts'
import { granulesOf, SIZE_SHIFT } from './block.ts'
import { REC } from './record.ts'

/**
 * Two-level segregated fit: the index of free blocks of a `segregated` heap. Sizes are in granules.
 *
 *   size < 32     level 0, one list a size
 *   size >= 32    level b - 4 where 2^b <= size < 2^(b+1), cut into 32 lists of 2^(b-5) sizes each
 *   bin           = level * 32 + list
 *
 *   record        FL_MAP bit l: level l has a block     SL_MAPS[l] bit s: list (l, s) has a block     BINS[bin]: its first block
 *   free block    word 1: next in the list, 0 = none    word 2: previous in the list, of no meaning in the first (heap/block.ts)
 *
 *   FL_MAP bit l = (SL_MAPS[l] != 0)        SL_MAPS[l] bit s = (BINS[l * 32 + s] != 0)
 *
 * A block goes to the front of its list and is taken from there; one that only changes its size or start within a list keeps its place.
 * Taking and giving cost the same at any size of the heap.
 *
 * These functions take all of system memory as one array, with the place of the block map in it, rather than the machine: fewer registers, a third
 * less time. hot.as has them once more.
 */
const clz32 = Math.clz32

/** The bin of free blocks of exactly `size`. */
export function binOf(size: number): number {
  // Up to 63 a list holds one size, and the formula below comes to the size itself.
  if (size < 64) return size
  const shift = 26 - clz32(size)
  return (shift << 5) + (size >>> shift)
}

/** Puts `block` in front of the list `bin`. */
export function binLink(mem: Int32Array, mapAt: number, record: number, block: number, bin: number): void {
  const head = record + REC.BINS + bin
  const first = mem[head] as number
  mem[head] = block
  mem[mapAt + (block << 2) + 1] = first
  if (first !== 0) mem[mapAt + (first << 2) + 2] = block
  else setBits(mem, record, bin)
}

/** Takes `block` out of the list `bin`. */
export function binUnlink(mem: Int32Array, mapAt: number, record: number, block: number, bin: number): void {
  const head = record + REC.BINS + bin
  const at = block << 2
  const next = mem[mapAt + at + 1] as number
  if (mem[head] === block) {
    // The next one becomes the first as it is: taking a block need not touch another.
    mem[head] = next
    if (next === 0) clearBits(mem, record, bin)
    return
  }
  const previous = mem[mapAt + at + 2] as number
  mem[mapAt + (previous << 2) + 1] = next
  if (next !== 0) mem[mapAt + (next << 2) + 2] = previous
}

/** Puts `block` into the place that `old` has in the list `bin`. */
function binReplace(mem: Int32Array, mapAt: number, record: number, old: number, block: number, bin: number): void {
  const head = record + REC.BINS + bin
  const next = mem[mapAt + (old << 2) + 1] as number
  const previous = mem[mapAt + (old << 2) + 2] as number
  mem[mapAt + (block << 2) + 1] = next
  mem[mapAt + (block << 2) + 2] = previous
  if (next !== 0) mem[mapAt + (next << 2) + 2] = block
  if (mem[head] === old) mem[head] = block
  else mem[mapAt + (previous << 2) + 1] = block
}

// A shift counts modulo 32, so `1 << bin` is the bit of the list within its level.

function setBits(mem: Int32Array, record: number, bin: number): void {
  const level = bin >>> 5
  mem[record + REC.SL_MAPS + level] = (mem[record + REC.SL_MAPS + level] as number) | (1 << bin)
  mem[record + REC.FL_MAP] = (mem[record + REC.FL_MAP] as number) | (1 << level)
}

function clearBits(mem: Int32Array, record: number, bin: number): void {
  const level = bin >>> 5
  const lists = (mem[record + REC.SL_MAPS + level] as number) & ~(1 << bin)
  mem[record + REC.SL_MAPS + level] = lists
  if (lists === 0) mem[record + REC.FL_MAP] = (mem[record + REC.FL_MAP] as number) & ~(1 << level)
}

/**
 * A free block of at least `size` granules, 0 if the quick look finds none; it stays in its list. The first block of the size's own list if
 * that is large enough, so that a freed block serves the same request again; else the first of the lowest list all of whose blocks are.
 */
export function binFind(mem: Int32Array, mapAt: number, record: number, size: number): number {
  let bin = size
  if (size >= 64) {
    const own = binOwn(mem, mapAt, record, size)
    if (own !== 0) return own
    bin = binOf(size + (1 << (26 - clz32(size))) - 1)
  }
  let level = bin >>> 5
  let lists = (mem[record + REC.SL_MAPS + level] as number) & (-1 << bin)
  if (lists === 0) {
    const levels = (mem[record + REC.FL_MAP] as number) & (-2 << level)
    if (levels === 0) return 0
    level = 31 - clz32(levels & -levels)
    lists = mem[record + REC.SL_MAPS + level] as number
  }
  return mem[record + REC.BINS + (level << 5) + 31 - clz32(lists & -lists)] as number
}

function binOwn(mem: Int32Array, mapAt: number, record: number, size: number): number {
  const first = mem[record + REC.BINS + binOf(size)] as number
  return (mem[mapAt + (first << 2)] as number) >>> SIZE_SHIFT < size ? 0 : first
}

/**
 * The list of `size` itself may still hold a block that is large enough. It is looked through only where the call would fail
 * or the heap grow: so a fixed heap refuses a request only when no free block is large enough.
 */
export function binScan(machine: Machine, record: number, size: number): number {
  let block = machine.sys[record + REC.BINS + binOf(size)] as number
  while (block !== 0 && granulesOf(machine, block) < size) block = machine.map[(block << 2) + 1] as number
  return block
}

/** The lists when a free block at `block` loses its front: `rest`, of `left` granules, stays free; `left` is 0 if nothing does. */
export function binCarve(mem: Int32Array, mapAt: number, record: number, block: number, have: number, rest: number, left: number): void {
  const from = binOf(have)
  const to = binOf(left)
  if (from === to) {
    binReplace(mem, mapAt, record, block, rest, from)
    return
  }
  binUnlink(mem, mapAt, record, block, from)
  if (left !== 0) binLink(mem, mapAt, record, rest, to)
}

/**
 * The lists when [block, block + size) becomes free between a free block `before` of `ahead` granules and one behind it of `behind`
 * granules; 0 where the neighbour is not free. The merged block starts at `before` or at `block`.
 */
export function binMerge(
  mem: Int32Array,
  mapAt: number,
  record: number,
  block: number,
  size: number,
  before: number,
  ahead: number,
  behind: number
): void {
  const to = binOf(ahead + size + behind)
  const from = binOf(behind)
  if (before === 0 && from === to) {
    binReplace(mem, mapAt, record, block + size, block, to)
    return
  }
  if (behind !== 0) binUnlink(mem, mapAt, record, block + size, from)
  const old = binOf(ahead)
  if (old === to) return
  if (before !== 0) binUnlink(mem, mapAt, record, before, old)
  binLink(mem, mapAt, record, before === 0 ? block : before, to)
}
