import { ON_ALLOC } from '../machine/failures.ts'
import { HDR, HEAP_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'

/**
 * The record of one heap: 1,024 words in system memory.
 *
 *   0        32                          56             64 ... 799             800
 *   | fields | first-level map, 23 second-level maps |  | 23 x 32 list heads | left by the dead |   segregated heaps use the middle (bins.ts)
 *
 *   handle = generation (13 bits) | index (16 bits) | 10b      never a multiple of 32: a handle is never mistaken for a pointer
 */
export const REC = {
  LOCK: 0,
  LOCK_COUNT: 1,
  HANDLE: 2, // 0 when the record is free
  GENERATION: 3,
  OPTIONS: 4,
  MAXIMUM: 5, // bytes as rounded to pages; 0 = growable
  NEXT_FIT: 6,
  LARGEST: 7, // most bytes of one block inside a region: the big-block threshold, 0x7FFF7 on a fixed heap, no bound on pages of the caller's
  REGIONS: 8, // first unit of the region with the lowest address
  BIGS: 9, // first unit of the newest big block
  ROVER: 10, // next-fit: the block at which the next search starts, 0 for the heap's first
  GRANTS: 11, // HEAP_GRANTS of machine/layout.ts: how often the section was entered, in a recorded process
  LIVE_BYTES: 12, // as requested; how many blocks that is, nobody asks often enough to count them: walk.ts
  PEAK_BYTES: 13,
  COMMITTED: 14, // pages
  PEAK_COMMITTED: 15,
  GUARD: 16, // granules added behind each block: 1 on debug builds
  CALLBACKS: 17, // pages come from the caller (CeHeapCreate)
  REGION_BYTES: 18, // least size of a further region
  HOT: 19, // most bytes of one block on the hot path (hot.as): LARGEST or NEVER
  FL_MAP: 32,
  SL_MAPS: 33,
  BINS: 64,
  // What a dead thread left to be undone (repair.ts), until that is done.
  MAKER: 800, // the thread that is making or ending the heap, 0 otherwise; ABANDONED when it died or gave up
  LEFT_BLOCK: 801, // its HANDOUT (machine/threads.ts)
  LEFT_RESIZED: 802 // its RESIZED
} as const

/** REC.HANDLE of a record that is being set up or taken down: no handle equals it. */
export const CLAIMED = -1
/** REC.HANDLE while a page callback of the heap runs, which is in the middle of a call on it. */
export const BUSY = -2

/** REC.MAKER of a heap half made or half ended that nobody is at any more: it is to be ended. */
export const ABANDONED = -1

/**
 * REC.HOT on debug builds, whose blocks have sentinels, while failures are injected into requests for blocks, and while a terminated thread is to
 * hear of it: neither HeapAlloc nor HeapFree is hot.
 */
export const NEVER = -1

/** Levels of the segregated index: blocks reach level 21, a request rounded up 22. */
export const LEVELS = 23

export const INDEX_MASK = 0xffff
const GENERATION_MASK = 0x1fff

export function recordAt(machine: Machine, index: number): number {
  return machine.heapsAt + (index << HEAP_SHIFT)
}

export function indexOf(machine: Machine, record: number): number {
  return (record - machine.heapsAt) >>> HEAP_SHIFT
}

export function handleOf(index: number, generation: number): number {
  return ((generation & GENERATION_MASK) << 18) | (index << 2) | 2
}

/**
 * The record that `handle` would name, 0 if it cannot name one. Whether the heap lives is known only inside its section:
 * compare REC.HANDLE there.
 */
export function recordOf(machine: Machine, handle: number): number {
  const record = machine.heapsAt + (((handle >>> 2) & INDEX_MASK) << HEAP_SHIFT)
  return (handle & 3) === 2 && record < machine.heapsEnd ? record : 0
}

/** Records ever used: the bound for walks over all heaps. */
export function heapCount(machine: Machine): number {
  return Atomics.load(machine.sys, HDR.HEAPS)
}

/**
 * Says which calls on the heap are hot. Precondition: inside the heap's section.
 *
 * `chill` enters no section: it would wait for whoever is inside. One of the two sees what the other did, because each writes first and looks afterwards.
 */
export function setHot(machine: Machine, record: number): void {
  const { sys } = machine
  const plain = sys[record + REC.GUARD] !== 0 || ((sys[HDR.INJECTING] as number) & ON_ALLOC) !== 0
  Atomics.store(sys, record + REC.HOT, plain ? NEVER : (sys[record + REC.LARGEST] as number))
  if (Atomics.load(sys, HDR.DYING) !== 0) Atomics.store(sys, record + REC.HOT, NEVER)
}

/** No call is hot until the terminated threads have heard of it. Precondition: HDR.DYING says that there are some. */
export function chill(machine: Machine): void {
  for (let index = heapCount(machine) - 1; index >= 0; index--) Atomics.store(machine.sys, recordAt(machine, index) + REC.HOT, NEVER)
}

/** Lets calls be hot again after the last terminated thread has heard of it. Precondition: inside the heap's section. */
export function reheat(machine: Machine, record: number): void {
  if (machine.sys[record + REC.HOT] === NEVER && machine.sys[HDR.DYING] === 0) setHot(machine, record)
}

/** Counts pages committed to (or taken from) a heap. */
export function countPages(machine: Machine, record: number, pages: number): void {
  const sys = machine.sys
  const now = (sys[record + REC.COMMITTED] as number) + pages
  sys[record + REC.COMMITTED] = now
  if (now > (sys[record + REC.PEAK_COMMITTED] as number)) sys[record + REC.PEAK_COMMITTED] = now
}

/** Counts requested bytes that became live, or went. */
export function countBytes(sys: Int32Array, record: number, bytes: number): void {
  const live = (sys[record + REC.LIVE_BYTES] as number) + bytes
  sys[record + REC.LIVE_BYTES] = live
  if (live > (sys[record + REC.PEAK_BYTES] as number)) sys[record + REC.PEAK_BYTES] = live
}

/** The records of heaps, those first that others are taken inside of. */
export function* recordsOf(machine: Machine): Generator<number> {
  for (let index = heapCount(machine) - 1; index >= 0; index--) yield recordAt(machine, index)
}
