import { zeroGranules } from '../machine/fill.ts'
import { GRANULE, GRANULE_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { allCommitted } from '../machine/pages.ts'
import { enterContended, leave, leaveOnce } from '../machine/section.ts'
import { wakeOne } from '../machine/wait.ts'
import { allocate } from './allocate.ts'
import { binCarve, binFind, binMerge } from './bins.ts'
import { BIG, CONTROL, FREE, HOLES, SIZE_SHIFT, STALE, START } from './block.ts'
import { cellMerge } from './cells.ts'
import { freeBlock, liveBlock } from './free.ts'
import { endsRegion, regionOf, startsRegion } from './freelist.ts'
import { brokenGuard } from './guard.ts'
import { NEVER, REC, recordOf } from './record.ts'

/**
 * The hot path: HeapAlloc on a segregated heap of a retail build where a free block is at hand, and HeapFree on any heap of a retail build. Each is one function that
 * spells the steps of `allocate` and `freeBlock` out; whatever is not the common case goes to those two, which are the ones to read and
 * the ones that define what happens (spec/heap/hot.spec.ts holds both against each other).
 *
 * Why: V8 inlines a call tree only up to 920 bytecodes. The same steps as calls made a pair of calls cost half as much again.
 */

/** No live heap has the handle; no address is negative. */
export const NO_HEAP = -1
/** The pointer is not a live block of the heap. */
export const NO_BLOCK = 0
export const FREED = 1

/**
 * Allocates `bytes` (0 to 2^32 - 1) from the heap `handle` and returns the block's address; 0 if there is not enough memory, NO_HEAP if no
 * live heap has the handle. The block is zeroed on demand only. Enters the heap's section and leaves it.
 */
export function allocateIn(machine: Machine, tid: number, handle: number, bytes: number, zero: boolean): number {
  const record = recordOf(machine, handle)
  if (record === 0) return NO_HEAP
  const { mem, mapAt } = machine
  // enter
  const seen = machine.take(record << 2, tid)
  if (seen !== 0) enterContended(machine, record, tid, seen)
  const size = bytes === 0 ? 1 : (bytes + GRANULE - 1) >>> GRANULE_SHIFT
  const common = mem[record + REC.HANDLE] === handle && bytes <= (mem[record + REC.HOT] as number)
  const block = common ? binFind(mem, mapAt, record, size) : 0
  const at = mapAt + (block << 2)
  const header = mem[at] as number
  const holes = header & HOLES
  if (block === 0 || (holes !== 0 && !allCommitted(machine, block << GRANULE_SHIFT, size << GRANULE_SHIFT))) {
    return allocateAside(machine, tid, record, handle, bytes, zero)
  }
  const have = header >>> SIZE_SHIFT
  const left = have - size
  const end = at + (size << 2)
  binCarve(mem, mapAt, record, block, have, block + size, left)
  if (left !== 0) {
    mem[end + (left << 2) - 1] = ((block + size) << 1) | 1
    mem[end] = (left << SIZE_SHIFT) | START | FREE | holes
  }
  mem[at + 1] = bytes
  mem[at + 2] = record
  mem[end - 1] = block << 1
  mem[at] = (size << SIZE_SHIFT) | START
  const live = (mem[record + REC.LIVE_BYTES] as number) + bytes
  mem[record + REC.LIVE_BYTES] = live
  if (live > (mem[record + REC.PEAK_BYTES] as number)) mem[record + REC.PEAK_BYTES] = live
  if (zero) zeroGranules(machine, block << GRANULE_SHIFT, size << GRANULE_SHIFT)
  // leave
  if (mem[record + REC.LOCK_COUNT] !== 0) leaveOnce(mem, record)
  else if (machine.give(record << 2) < 0) wakeOne(mem, record)
  return block << GRANULE_SHIFT
}

function allocateAside(machine: Machine, tid: number, record: number, handle: number, bytes: number, zero: boolean): number {
  try {
    return machine.sys[record + REC.HANDLE] === handle ? allocate(machine, tid, record, bytes, zero) : NO_HEAP
  } finally {
    // Also when a wait for the process section ended in a LockTimeoutError.
    leave(machine, record)
  }
}

/**
 * Frees the block at `pointer` in the heap `handle` and returns FREED, or the first overwritten address of its sentinel (debug builds), which is
 * freed all the same; NO_HEAP if no live heap has the handle, NO_BLOCK if the pointer is not a live block of it. Enters the heap's section and leaves it.
 */
export function freeIn(machine: Machine, tid: number, handle: number, pointer: number): number {
  const record = recordOf(machine, handle)
  if (record === 0) return NO_HEAP
  const { mem, mapAt } = machine
  // enter
  const seen = machine.take(record << 2, tid)
  if (seen !== 0) enterContended(machine, record, tid, seen)
  const block = pointer >>> GRANULE_SHIFT
  const known = mem[record + REC.HANDLE] === handle && block < machine.granules
  const at = mapAt + (known ? block << 2 : 0)
  const header = mem[at] as number
  const hot = mem[record + REC.HOT] as number
  // Not %: on a pointer that comes as a double that is a division, slower than the rest of the function.
  const common = (header & (START | FREE | BIG | CONTROL)) === START && (pointer & (GRANULE - 1)) === 0 && hot !== NEVER
  if (!common || mem[at + 2] !== record) return freeAside(machine, tid, record, handle, pointer)
  mem[record + REC.LIVE_BYTES] = (mem[record + REC.LIVE_BYTES] as number) - (mem[at + 1] as number)
  const size = header >>> SIZE_SHIFT
  const after = at + (size << 2)
  const next = endsRegion(machine, block, size) ? 0 : (mem[after] as number)
  const tag = startsRegion(machine, block) ? 0 : (mem[at - 1] as number)
  const behind = (next & FREE) === 0 ? 0 : next >>> SIZE_SHIFT
  const before = (tag & 1) === 0 ? 0 : tag >>> 1
  const previous = before === 0 ? 0 : (mem[mapAt + (before << 2)] as number)
  const ahead = previous >>> SIZE_SHIFT
  const start = before === 0 ? block : before
  const total = ahead + size + behind
  const holes = ((behind === 0 ? 0 : next) | previous) & HOLES
  if (hot >= 0) binMerge(mem, mapAt, record, block, size, before, ahead, behind)
  else {
    cellMerge(machine, regionOf(machine, start), start, total, block, behind === 0 ? 0 : block + size)
    mem[record + REC.ROVER] = start
  }
  mem[mapAt + ((start + total) << 2) - 1] = (start << 1) | 1
  mem[mapAt + (start << 2)] = (total << SIZE_SHIFT) | START | FREE | holes
  if (before !== 0) mem[at] = STALE
  if (behind !== 0) mem[after] = STALE
  // leave
  if (mem[record + REC.LOCK_COUNT] !== 0) leaveOnce(mem, record)
  else if (machine.give(record << 2) < 0) wakeOne(mem, record)
  return FREED
}

function freeAside(machine: Machine, tid: number, record: number, handle: number, pointer: number): number {
  try {
    if (machine.sys[record + REC.HANDLE] !== handle) return NO_HEAP
    const block = liveBlock(machine, record, pointer)
    if (block === 0) return NO_BLOCK
    const broken = machine.sys[record + REC.GUARD] === 0 ? 0 : brokenGuard(machine, block)
    freeBlock(machine, tid, record, block)
    return broken || FREED
  } finally {
    leave(machine, record)
  }
}
