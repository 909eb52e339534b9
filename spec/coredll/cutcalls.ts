import {
  type Build,
  type CeThread,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_NOACCESS,
  PAGE_READWRITE,
  type Placement
} from '../../src/index.ts'
import { type Call, type Held, type Scene, smallProcess } from './cutting.ts'

const UNIT = 0x10000

/** The heaps of a scene, by the order of their making. */
const FIXED = 1
const GROWING = 2

function heapsOf({ process }: Scene): number[] {
  return process.snapshot().heaps.map(({ handle }) => handle)
}

function heapAt(scene: Scene, n: number): number {
  return heapsOf(scene)[n] as number
}

/**
 * Three heaps (the process heap, a fixed and a growable one) with the same pattern in each: free blocks of several sizes between live ones, and
 * the rest of the region behind them. The growable one has two big blocks, too. Physical memory and address space are near their end.
 */
export function crowded(placement: Placement, build: Build): Scene {
  const process = smallProcess({ placement, build, physical: 40 * 4096 })
  const ce = process.thread
  const held: Held[] = []
  const heaps = [ce.GetProcessHeap(), ce.HeapCreate(0, 0, 0x8000), ce.HeapCreate(0, 0, 0)]
  for (const heap of heaps) {
    const blocks = [100, 300, 32, 2500, 64, 700, 700, 40, 1000, 200].map((bytes) => ({
      heap,
      bytes,
      pointer: ce.HeapAlloc(heap, 0, bytes)
    }))
    blocks.forEach((block, n) => {
      if ([1, 3, 6].includes(n)) ce.HeapFree(heap, 0, block.pointer)
      else held.push(block)
    })
  }
  for (const bytes of [0x6100, 0x7000])
    held.push({ heap: heaps[GROWING] as number, bytes, pointer: ce.HeapAlloc(heaps[GROWING] as number, 0, bytes) })
  return { process, ce, held }
}

/** The `n`-th held block of a heap: in `crowded` those of 100, 32, 64, 700, 40, 1000, 200 bytes, and the big ones of 0x6100 and 0x7000. */
function block(scene: Scene, heap: number, n: number): Held {
  const handle = heapAt(scene, heap)
  return scene.held.filter((one) => one.heap === handle)[n] as Held
}

function allocates(name: string, heap: number, bytes: number, flags = 0): Call {
  return { name: `HeapAlloc: ${name}`, fate: 'undone', make: (ce, scene) => ce.HeapAlloc(heapAt(scene, heap), flags, bytes) }
}

function frees(name: string, heap: number, n: number): Call {
  const subject = (scene: Scene): Held => block(scene, heap, n)
  return {
    name: `HeapFree: ${name}`,
    fate: 'either',
    subject,
    make: (ce, scene) => ce.HeapFree(subject(scene).heap, 0, subject(scene).pointer)
  }
}

function resizes(name: string, heap: number, n: number, bytes: number, flags = 0): Call {
  const subject = (scene: Scene): Held => block(scene, heap, n)
  return {
    name: `HeapReAlloc: ${name}`,
    fate: 'either',
    subject,
    keeps: bytes,
    make: (ce, scene) => ce.HeapReAlloc(subject(scene).heap, flags, subject(scene).pointer, bytes)
  }
}

/** A reservation of the program's: 16 pages, of which the first four are committed. */
function withPages(name: string, fate: 'undone' | 'either', make: (ce: CeThread, base: number) => unknown): Call {
  let base = 0
  return {
    name,
    fate,
    prepare: (ce) => {
      base = ce.VirtualAlloc(0, UNIT, MEM_RESERVE, PAGE_READWRITE)
      ce.VirtualAlloc(base, 4 * 4096, MEM_COMMIT, PAGE_READWRITE)
      ce.memory.bytes.fill(7, base, base + 4 * 4096)
    },
    make: (ce) => make(ce, base)
  }
}

/** A CeHeapCreate heap of the thread that dies, with a block, a hole and a block in it. */
function lent(name: string, fate: 'undone' | 'either', make: (ce: CeThread, heap: number, blocks: readonly number[]) => unknown): Call {
  let heap = 0
  let blocks: number[] = []
  return {
    name: `on lent pages: ${name}`,
    fate,
    lends: true,
    prepare: (ce) => {
      heap = lend(ce)
      blocks = [500, 900, 300].map((bytes) => ce.HeapAlloc(heap, 0, bytes))
      ce.HeapFree(heap, 0, blocks[1] as number)
    },
    make: (ce) => make(ce, heap, blocks)
  }
}

function lend(ce: CeThread): number {
  return ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => ce.VirtualAlloc(address, size, action, PAGE_READWRITE),
    (address, size, action) => ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
  )
}

export const heapCalls: readonly Call[] = [
  allocates('a free block that fits exactly', GROWING, 300),
  allocates('the front of a free block', GROWING, 1000),
  allocates('zeroed', FIXED, 200, HEAP_ZERO_MEMORY),
  allocates('pages are committed for it', FIXED, 9000),
  allocates('a new region is opened for it', GROWING, 0x5ff0),
  allocates('a big block', GROWING, 0x6800),
  allocates('a big block that physical memory does not suffice for', GROWING, 30 * 4096),
  allocates('nothing fits', FIXED, 0x7f00),
  frees('between live blocks', GROWING, 4),
  frees('behind a free block', GROWING, 1),
  frees('before a free block', GROWING, 0),
  frees('between two free blocks', FIXED, 1),
  frees('before the rest of the region', FIXED, 6),
  frees('the newest big block', GROWING, 8),
  frees('the oldest big block', GROWING, 7),
  resizes('grows into the free block behind it, which is used up', GROWING, 0, 400),
  resizes('grows into a part of the free block behind it', GROWING, 1, 1500),
  resizes('grows, zeroed', FIXED, 1, 1500, HEAP_ZERO_MEMORY),
  resizes('grows within its granules', GROWING, 0, 120),
  resizes('shrinks before a live block', GROWING, 5, 200),
  resizes('shrinks before a free block', GROWING, 3, 90),
  resizes('shrinks within its granules', GROWING, 0, 98),
  resizes('moves', GROWING, 4, 900),
  resizes('moves, zeroed', FIXED, 4, 900, HEAP_ZERO_MEMORY),
  resizes('moves into a new region', GROWING, 5, 0x5f00),
  resizes('becomes a big block', GROWING, 6, 0x6200),
  resizes('a big block grows within its pages', GROWING, 7, 0x6800),
  resizes('a big block shrinks within its pages', GROWING, 8, 0x6800),
  resizes('a big block moves to another one', GROWING, 7, 0x8100),
  resizes('a big block becomes an ordinary one', GROWING, 7, 2000),
  resizes('may not move', GROWING, 4, 900, HEAP_REALLOC_IN_PLACE_ONLY),
  { name: 'HeapCompact', fate: 'either', make: (ce, scene) => ce.HeapCompact(heapAt(scene, GROWING), 0) },
  { name: 'HeapCompact of a fixed heap', fate: 'either', make: (ce, scene) => ce.HeapCompact(heapAt(scene, FIXED), 0) },
  { name: 'HeapCreate: growable', fate: 'undone', make: (ce) => ce.HeapCreate(0, 0x3000, 0) },
  { name: 'HeapCreate: fixed', fate: 'undone', make: (ce) => ce.HeapCreate(0, 0x2000, 0x9000) },
  { name: 'HeapCreate: not enough physical memory', fate: 'undone', make: (ce) => ce.HeapCreate(0, 30 * 4096, 0) },
  { name: 'LocalAlloc', fate: 'undone', make: (ce) => ce.LocalAlloc(0x40, 500) }
]

/** The blocks of a heap that is destroyed are not looked at. */
export const heapEnds: readonly Call[] = [
  { name: 'HeapDestroy: fixed', fate: 'either', ends: FIXED, make: (ce, scene) => ce.HeapDestroy(heapAt(scene, FIXED)) },
  { name: 'HeapDestroy: growable', fate: 'either', ends: GROWING, make: (ce, scene) => ce.HeapDestroy(heapAt(scene, GROWING)) }
]

export const lentCalls: readonly Call[] = [
  lent('HeapAlloc', 'undone', (ce, heap) => ce.HeapAlloc(heap, 0, 600)),
  lent('HeapAlloc that asks for pages', 'undone', (ce, heap) => ce.HeapAlloc(heap, 0, 9000)),
  lent('HeapAlloc that asks for a region', 'undone', (ce, heap) => ce.HeapAlloc(heap, 0, 0xff00)),
  lent('HeapReAlloc', 'either', (ce, heap, [p]) => ce.HeapReAlloc(heap, 0, p as number, 5000)),
  lent('HeapFree', 'either', (ce, heap, [p]) => ce.HeapFree(heap, 0, p as number)),
  lent('HeapCompact', 'either', (ce, heap) => ce.HeapCompact(heap, 0)),
  lent('HeapDestroy', 'either', (ce, heap) => ce.HeapDestroy(heap)),
  { name: 'CeHeapCreate', fate: 'undone', lends: true, make: (ce) => lend(ce) }
]

export const pageCalls: readonly Call[] = [
  { name: 'VirtualAlloc: reserves', fate: 'undone', make: (ce) => ce.VirtualAlloc(0, 2 * UNIT, MEM_RESERVE, PAGE_READWRITE) },
  {
    name: 'VirtualAlloc: reserves and commits',
    fate: 'undone',
    make: (ce) => ce.VirtualAlloc(0, 5000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  },
  {
    name: 'VirtualAlloc: not enough physical memory',
    fate: 'undone',
    make: (ce) => ce.VirtualAlloc(0, UNIT, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  },
  withPages('VirtualAlloc: commits', 'either', (ce, base) => ce.VirtualAlloc(base + 0x2000, 5 * 4096, MEM_COMMIT, PAGE_READWRITE)),
  withPages('VirtualFree: decommits', 'either', (ce, base) => ce.VirtualFree(base + 0x1000, 2 * 4096, MEM_DECOMMIT)),
  withPages('VirtualFree: decommits all', 'either', (ce, base) => ce.VirtualFree(base, 0, MEM_DECOMMIT)),
  withPages('VirtualProtect', 'either', (ce, base) => ce.VirtualProtect(base, 4 * 4096, PAGE_NOACCESS, base + 16)),
  {
    name: 'VirtualFree: releases',
    fate: 'either',
    prepare: (ce) => void ce.VirtualAlloc(0, 5000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
    make: (ce, scene) => ce.VirtualFree(scene.process.snapshot().reservations[0]?.address as number, 0, MEM_RELEASE)
  }
]
