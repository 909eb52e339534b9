import {
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_RELEASE,
  PAGE_READWRITE
} from '../constants.ts'
import { type Draw, sizeOf } from './draw.ts'
import { hex, must } from './disagreement.ts'
import type { Block, Heap } from './heapmodel.ts'
import { anyBlock, badPointer, type World } from './world.ts'

/** HeapCreate and CeHeapCreate, HeapAlloc and its kin. */

const MOST_HEAPS = 9
const NO_SIZE = 0xffffffff

/** What of a request was decided before the call was made. */
export interface Asked {
  readonly verdict: 'must' | 'may' | 'cannot'
  readonly refused: boolean
}

export function heapCall(world: World, draw: Draw, thread: number): void {
  const heap = draw.pick(world.heaps.heaps)
  const kind = crowded(world, heap, draw) ? 38 + draw.below(28) : draw.below(100)
  if (heap.host || kind >= 96) onNothing(world, draw, thread)
  else if (kind < 38) alloc(world, draw, thread, heap)
  else if (kind < 66) free(world, draw, thread, heap)
  else if (kind < 84) reAlloc(world, draw, thread, heap)
  else if (kind < 90) look(world, draw, thread, heap)
  else if (kind < 92) compact(world, thread, heap)
  else if (kind < 95) create(world, draw, thread)
  else if (!draw.once(3)) destroy(world, thread, heap)
}

/** A heap with many blocks rather loses some: what is looked at is how they meet, not how many there are. */
export function crowded(world: World, { blocks }: Heap, draw: Draw): boolean {
  return blocks.length > world.crowd && !draw.once(4)
}

/** A block that Heap* calls may change: not one that a spy hands out elsewhere. */
function plainBlock(draw: Draw, heap: Heap): Block | undefined {
  const block = anyBlock(draw, heap)
  return block?.spied ? undefined : block
}

function alloc(world: World, draw: Draw, thread: number, heap: Heap): void {
  const bytes = sizeOf(draw, world.process.profile.bigBlock)
  const zero = draw.once(4)
  const flags = (zero ? HEAP_ZERO_MEMORY : 0) | (draw.once(8) ? HEAP_NO_SERIALIZE : 0)
  world.begin()
  const result = world.ce(thread).HeapAlloc(heap.handle, flags, bytes)
  took(world, thread, 'HeapAlloc', heap, bytes, zero, result, world.process.profile.allocSetsError)
}

/** A call asked a heap for a block and got `result`. */
export function took(
  world: World,
  thread: number,
  what: string,
  heap: Heap,
  bytes: number,
  zero: boolean,
  result: number,
  setsError: boolean
): void {
  const refused = world.refuses(thread, bytes)
  if (result !== 0) {
    world.mustNotBeRefused(what, refused)
    world.keep(heap, result, bytes, { zero })
    world.left(thread, what, undefined)
    return
  }
  if (what === 'HeapAlloc') saysWhy(world, thread, heap, bytes)
  world.mayFail(`${what} of ${bytes} bytes`, world.heaps.canPlace(heap, bytes, world.owns(thread)), refused)
  world.left(thread, what, setsError ? ERROR_NOT_ENOUGH_MEMORY : undefined)
}

/** What a Heap* call that gave no block says of it: W-16, C-43. */
function saysWhy(world: World, thread: number, heap: Heap, bytes: number): void {
  const { maximum, lent, regions } = heap
  const uncommitted = regions.reduce((sum, { address, size }) => sum + world.pages.missing(address, size), 0)
  if (maximum !== 0 && bytes >= 0x7fff8) world.says('W-16')
  else world.saysIf(lent && !world.owns(thread) && (maximum === 0 || uncommitted > 0), 'C-43')
}

function free(world: World, draw: Draw, thread: number, heap: Heap): void {
  const block = plainBlock(draw, heap)
  if (block === undefined) return
  world.inspect(block)
  world.begin()
  world.expect(thread, 'HeapFree', world.ce(thread).HeapFree(heap.handle, 0, block.address), { result: 1 })
  world.gone(block)
}

function reAlloc(world: World, draw: Draw, thread: number, heap: Heap): void {
  const block = plainBlock(draw, heap)
  if (block === undefined) return
  const bytes = sizeOf(draw, world.process.profile.bigBlock)
  const zero = draw.once(4)
  const inPlace = draw.once(4)
  const flags = (zero ? HEAP_ZERO_MEMORY : 0) | (inPlace ? HEAP_REALLOC_IN_PLACE_ONLY : 0)
  world.begin()
  const asked = askResize(world, thread, block, bytes, inPlace)
  const result = world.ce(thread).HeapReAlloc(heap.handle, flags, block.address, bytes)
  if (result === 0) saysWhy(world, thread, heap, bytes)
  resized(world, 'HeapReAlloc', block, bytes, zero, inPlace, result, asked)
  world.left(thread, 'HeapReAlloc', result === 0 ? ERROR_NOT_ENOUGH_MEMORY : undefined)
}

/** What the model says of a resize that is about to be asked for: HR-7, FL-4, C-8, C-9, C-48. */
export function askResize(world: World, thread: number, block: Block, bytes: number, inPlace: boolean): Asked & { stays: boolean } {
  const { heaps } = world
  const own = world.owns(thread)
  // Shrinking never fails, and is no request that is counted.
  const refused = bytes > block.bytes && world.refuses(thread, bytes)
  const how = heaps.staysPut(block, bytes, inPlace, own)
  if (how === 'stays') return { verdict: 'must', refused, stays: true }
  const elsewhere = inPlace ? 'cannot' : heaps.canPlace(block.heap, bytes, own)
  // A big block that shrinks out of its class and finds no room elsewhere stays.
  const fallsBack = block.big && elsewhere !== 'must' && heaps.bigPages(bytes) <= block.room
  return { verdict: fallsBack ? 'must' : elsewhere, refused, stays: fallsBack && elsewhere === 'cannot' }
}

/** A call asked for another size of a live block and got `result`, the block's address or 0. */
export function resized(
  world: World,
  what: string,
  block: Block,
  bytes: number,
  zero: boolean,
  inPlace: boolean,
  result: number,
  { verdict, refused, stays }: Asked & { stays: boolean },
  how: Partial<Pick<Block, 'spied' | 'offset'>> = {}
): Block | undefined {
  // A big block that shrinks may have been refused another place.
  world.mayBeLow = true
  if (result === 0) {
    world.mayFail(`${what} of ${hex(block.address)} from ${block.bytes} to ${bytes} bytes`, verdict, refused)
    must(bytes > block.bytes, () => `${what} to fewer bytes failed`)
    return undefined
  }
  world.mustNotBeRefused(what, refused)
  if (result === block.address) {
    must(stays || block.big, () => `${what} to ${bytes} bytes left ${hex(block.address)} where it has no room`)
    const next = world.resized(block, bytes, zero)
    return how.spied === undefined ? next : world.heaps.replace(next, how)
  }
  must(!inPlace, () => `${what} moved a block that must stay`)
  must(!stays || world.refused, () => `${what} moved ${hex(block.address)}, which had room for ${bytes} bytes where it was`)
  return world.moved(block, result, bytes, zero, how)
}

function look(world: World, draw: Draw, thread: number, heap: Heap): void {
  const block = draw.any(heap.blocks) ?? draw.any(heap.bigs)
  const ce = world.ce(thread)
  world.begin()
  if (block === undefined || draw.once(8)) world.expect(thread, 'HeapValidate', ce.HeapValidate(heap.handle, 0, 0), { result: 1 })
  else if (draw.once(2))
    world.expect(thread, 'HeapSize', ce.HeapSize(heap.handle, 0, block.address), { result: world.heaps.sizeOf(block.bytes) })
  else world.expect(thread, 'HeapValidate', ce.HeapValidate(heap.handle, 0, block.address), { result: 1 })
}

function compact(world: World, thread: number, heap: Heap): void {
  // Pages of callbacks are given back in the thread that has them.
  const by = heap.lent ? 0 : thread
  world.begin()
  const result = world.ce(by).HeapCompact(heap.handle, 0)
  const largest = world.heaps.compact(heap)
  world.expect(by, 'HeapCompact', result, { result: largest, error: largest === 0 ? 0 : undefined })
}

function create(world: World, draw: Draw, thread: number): void {
  if (world.heaps.heaps.length >= MOST_HEAPS) return
  const initial = draw.pick([0, 0, 1, 4096, 4097, 20_000, 0x10000, 0x10001, 0xffffffff])
  const maximum = draw.pick([0, 0, 1, 4096, 8192, 0x10000, 0x40000, 0x90000, 0x7fffffff, 0xffffffff])
  const lent = draw.once(3)
  const by = lent ? 0 : thread
  world.begin()
  const handle = lent ? lend(world, initial, maximum) : world.ce(by).HeapCreate(0, initial, maximum)
  const what = lent ? 'CeHeapCreate' : 'HeapCreate'
  if (maximum !== 0 && initial > maximum) {
    world.expect(by, what, handle, { result: 0, error: ERROR_INVALID_PARAMETER }) // C-10
    return
  }
  const verdict = world.heaps.canCreate(initial, maximum)
  if (handle === 0) {
    world.mayFail(`${what}(${initial}, ${maximum})`, verdict, false)
    world.left(by, what, ERROR_NOT_ENOUGH_MEMORY)
    return
  }
  must(!world.refused && verdict === 'must', () => `${what} worked although there is no room`)
  enroll(world, handle, initial, maximum, { lent, protection: PAGE_READWRITE, host: false })
  world.left(by, what, undefined)
}

/** Takes a new heap into the model, where the emulator has put its first region. */
export function enroll(
  world: World,
  handle: number,
  initial: number,
  maximum: number,
  how: Pick<Heap, 'lent' | 'protection' | 'host'>
): void {
  const region = world.process.snapshot().heaps.find((heap) => heap.handle === handle)?.regions[0]
  must(region !== undefined, () => `the new heap ${hex(handle)} is not in the snapshot`)
  world.heaps.create(handle, region.address, initial, maximum, how)
}

function lend(world: World, initial: number, maximum: number): number {
  const ce = world.ce(0)
  // Callbacks are part of a call, and leave the last error as it was.
  const quietly = (act: () => number): number => {
    const before = ce.GetLastError()
    const answer = act()
    ce.SetLastError(before)
    return answer
  }
  return ce.CeHeapCreate(
    0,
    initial,
    maximum,
    (address, bytes, action) => quietly(() => ce.VirtualAlloc(address, bytes, action, PAGE_READWRITE)),
    (address, bytes, action) => quietly(() => ce.VirtualFree(address, action === MEM_RELEASE ? 0 : bytes, action))
  )
}

function destroy(world: World, thread: number, heap: Heap): void {
  const by = heap.lent ? 0 : thread
  world.begin()
  const result = world.ce(by).HeapDestroy(heap.handle)
  if (heap === world.processHeap) {
    world.says('C-12')
    world.expect(by, 'HeapDestroy', result, { result: 0, error: ERROR_INVALID_PARAMETER }) // C-12
    return
  }
  world.expect(by, 'HeapDestroy', result, { result: 1 })
  world.heaps.destroy(heap)
}

/** Calls with a pointer that is no block of the heap, or a handle that is no heap: C-4 to C-6, C-36, C-38. */
function onNothing(world: World, draw: Draw, thread: number): void {
  const ce = world.ce(thread)
  const pointer = badPointer(world, draw)
  const handle = draw.once(4) ? draw.pick([0, 3, 0x7ffffffe, 0xfffffffe, pointer]) : draw.pick(world.heaps.heaps).handle
  const heap = world.heaps.find(handle)
  if (heap !== undefined && world.blockAt(heap, pointer) !== undefined) return
  world.begin()
  const call = draw.below(heap === undefined ? 7 : 4)
  // To ask whether a pointer is a block is no fault (C-36).
  if (heap === undefined) world.says('C-4')
  else if (call < 3) world.says(['C-5', 'C-6', 'C-38'][call] as string)
  if (call === 0) world.expect(thread, 'HeapFree', ce.HeapFree(handle, 0, pointer), { result: 0, error: ERROR_INVALID_PARAMETER })
  else if (call === 1)
    world.expect(thread, 'HeapReAlloc', ce.HeapReAlloc(handle, 0, pointer, 100), { result: 0, error: ERROR_INVALID_PARAMETER })
  else if (call === 2) world.expect(thread, 'HeapSize', ce.HeapSize(handle, 0, pointer), { result: NO_SIZE })
  else if (call === 3) {
    const whole = heap !== undefined && pointer === 0
    world.expect(thread, 'HeapValidate', ce.HeapValidate(handle, 0, pointer), { result: whole ? 1 : 0 })
  } else if (call === 4) {
    const error = world.process.profile.allocSetsError ? ERROR_INVALID_PARAMETER : undefined
    world.expect(thread, 'HeapAlloc', ce.HeapAlloc(handle, 0, 32), { result: 0, error })
  } else if (call === 5) world.expect(thread, 'HeapDestroy', ce.HeapDestroy(handle), { result: 0, error: ERROR_INVALID_PARAMETER })
  else world.expect(thread, 'HeapCompact', ce.HeapCompact(handle, 0), { result: 0, error: ERROR_INVALID_PARAMETER })
}
