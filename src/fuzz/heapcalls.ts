import { ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY } from '../constants.ts'
import { HEAP_NO_SERIALIZE, HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY } from '../constants.ts'
import { disagree, hex } from './disagreement.ts'
import type { Heap } from './heapmodel.ts'
import { sizeOf } from './sizes.ts'
import type { World } from './world.ts'

/**
 * The Heap* calls of a program. A command is two words:
 *
 *     first    | op 8 | thread 1 | heap 4 | how 3 | block 16 |
 *     second   | kind 8 | flags 8 | amount 16 |
 */

const MOST_HEAPS = 8
const NO_SIZE = 0xffffffff
/** HEAP_GENERATE_EXCEPTIONS, which CE does not know (FL-5, C-13). */
const UNLISTED = 4
const SHARED_READONLY = 0x1000

export function threadOf(first: number): number {
  return (first >>> 8) & 1
}

export function heapOf(world: World, first: number): Heap {
  const { heaps } = world.heaps
  return heaps[((first >>> 9) & 15) % heaps.length] as Heap
}

function howOf(first: number): number {
  return (first >>> 13) & 7
}

/** The number of a live block that the program may free; 0 if the heap has none. */
export function blockOf(heap: Heap, first: number): number {
  return heap.live.length === 0 ? 0 : (heap.live[(first >>> 16) % heap.live.length] as number)
}

/** A heap with many blocks rather loses some: what is looked at is how they meet, not how many there are. */
export function crowded(world: World, heap: Heap, first: number): boolean {
  return heap.live.length > world.setup.crowd && (first & 0x6000) !== 0
}

/** Flags that change nothing: HEAP_NO_SERIALIZE (FL-1) and one that is not listed. */
function idle(second: number): number {
  const n = (second >>> 8) & 15
  return n === 15 ? UNLISTED : n >= 12 ? HEAP_NO_SERIALIZE : 0
}

export function heapAlloc(world: World, first: number, second: number): void {
  const heap = heapOf(world, first)
  if (crowded(world, heap, first)) {
    heapFree(world, first, second)
    return
  }
  const thread = threadOf(first)
  const bytes = sizeOf(second & 0xff, second >>> 16, world.profile.bigBlock)
  const zero = ((second >>> 12) & 3) === 3
  world.begin()
  const result = world.ce(thread).HeapAlloc(heap.handle, (zero ? HEAP_ZERO_MEMORY : 0) | idle(second), bytes)
  took(world, thread, 'HeapAlloc', heap, bytes, zero, result, world.profile.allocSetsError ? ERROR_NOT_ENOUGH_MEMORY : -1)
}

/** A call asked a heap for a block and got `result`; `error` is what its failure leaves. */
export function took(
  world: World,
  thread: number,
  call: string,
  heap: Heap,
  bytes: number,
  zero: boolean,
  result: number,
  error: number
): void {
  const refused = world.injections.list.length > 0 && world.injections.refuses(bytes, '')
  if (result !== 0) {
    if (refused) disagree(`${call} worked although a failure was injected`)
    world.keep(heap, result, bytes, zero)
    world.left(thread, call, -1)
    return
  }
  if (!refused && !world.refused && world.heaps.canPlace(heap, bytes)) disagree(`${call} of ${bytes} bytes failed although there is room`)
  world.left(thread, call, error)
}

export function heapFree(world: World, first: number, second: number): void {
  const heap = heapOf(world, first)
  const id = blockOf(heap, first)
  if (id === 0) return
  const thread = threadOf(first)
  world.inspect(id)
  world.begin()
  world.expect(thread, 'HeapFree', world.ce(thread).HeapFree(heap.handle, idle(second), world.heaps.address[id] as number), 1, -1)
  world.gone(heap, id)
}

export function heapReAlloc(world: World, first: number, second: number): void {
  const heap = heapOf(world, first)
  const id = blockOf(heap, first)
  if (id === 0) return
  const thread = threadOf(first)
  const bytes = sizeOf(second & 0xff, second >>> 16, world.profile.bigBlock)
  const zero = ((second >>> 12) & 3) === 3
  const inPlace = howOf(first) === 7
  const flags = (zero ? HEAP_ZERO_MEMORY : 0) | (inPlace ? HEAP_REALLOC_IN_PLACE_ONLY : 0) | idle(second)
  world.begin()
  const result = world.ce(thread).HeapReAlloc(heap.handle, flags, world.heaps.address[id] as number, bytes)
  resized(world, thread, 'HeapReAlloc', heap, id, bytes, zero, inPlace, result)
}

/** A call asked for another size of a live block and got `result`: HR-2, HR-7, FL-4, C-8, C-9, C-48. */
export function resized(
  world: World,
  thread: number,
  call: string,
  heap: Heap,
  id: number,
  bytes: number,
  zero: boolean,
  inPlace: boolean,
  result: number
): void {
  const { heaps, injections } = world
  const old = heaps.bytes[id] as number
  const address = heaps.address[id] as number
  // Shrinking never fails, and is no request that is counted.
  const refused = bytes > old && injections.list.length > 0 && injections.refuses(bytes, '')
  if (result === 0) {
    if (bytes <= old) disagree(`${call} from ${old} to ${bytes} bytes failed`)
    const could = heaps.staysPut(heap, id, bytes, inPlace) || heaps.couldStay(id, bytes) || (!inPlace && heaps.canPlace(heap, bytes))
    if (could && !refused && !world.refused)
      disagree(`${call} of ${hex(address)} from ${old} to ${bytes} bytes failed although there is room`)
    world.left(thread, call, ERROR_NOT_ENOUGH_MEMORY)
    return
  }
  if (refused) disagree(`${call} worked although a failure was injected`)
  if (result === address) {
    const stays = heaps.staysPut(heap, id, bytes, inPlace) || heaps.couldStay(id, bytes)
    if (!stays) disagree(`${call} to ${bytes} bytes left ${hex(address)} where it has no room`)
  } else {
    if (inPlace) disagree(`${call} moved a block that must stay`)
    if (!world.refused && heaps.staysPut(heap, id, bytes, inPlace))
      disagree(`${call} moved ${hex(address)}, which had room for ${bytes} bytes where it was`)
  }
  world.resized(heap, id, result, bytes, zero)
  world.left(thread, call, -1)
}

export function heapLook(world: World, first: number, second: number): void {
  const heap = heapOf(world, first)
  const id = blockOf(heap, first)
  const thread = threadOf(first)
  if (id === 0) {
    heapAlloc(world, first, second)
    return
  }
  if (second >>> 24 === 255) {
    world.begin()
    world.expect(thread, 'HeapValidate', world.ce(thread).HeapValidate(heap.handle, 0, 0), 1, -1)
    return
  }
  const address = world.heaps.address[id] as number
  world.inspect(id)
  world.begin()
  if (howOf(first) < 5) {
    const expected = world.heaps.sizeOf(world.heaps.bytes[id] as number)
    world.expect(thread, 'HeapSize', world.ce(thread).HeapSize(heap.handle, idle(second), address), expected, -1)
  } else world.expect(thread, 'HeapValidate', world.ce(thread).HeapValidate(heap.handle, idle(second), address), 1, -1)
}

export function heapCompact(world: World, first: number): void {
  const heap = heapOf(world, first)
  const thread = threadOf(first)
  world.begin()
  const result = world.ce(thread).HeapCompact(heap.handle, 0)
  const largest = world.heaps.compact(heap)
  world.expect(thread, 'HeapCompact', result, largest, largest === 0 ? 0 : -1)
}

const INITIALS = [0, 0, 1, 4096, 4097, 0, 20_000, 0x10000, 0x10001, 0, 0, 0, 1, 0, 0xffffffff]
const MAXIMA = [0, 0x8000, 0, 1, 4096, 0, 8192, 0x10000, 0, 0x40000, 0, 0x90000, 0x7fffffff, 0, 0xffffffff, 0x20000, 0, 0x10000]

export function heapCreate(world: World, first: number, second: number): void {
  if (world.heaps.heaps.length >= MOST_HEAPS) {
    heapDestroy(world, first)
    return
  }
  const thread = threadOf(first)
  const initial = INITIALS[(second & 0xff) % INITIALS.length] as number
  const maximum = MAXIMA[(second >>> 16) % MAXIMA.length] as number
  const options = ((second >>> 8) & 0xff) === 0xff ? SHARED_READONLY : 0
  world.begin()
  const handle = world.ce(thread).HeapCreate(options, initial, maximum)
  if (options !== 0)
    world.expect(thread, 'HeapCreate', handle, 0, ERROR_ACCESS_DENIED) // FL-8
  else if (maximum !== 0 && initial > maximum)
    world.expect(thread, 'HeapCreate', handle, 0, ERROR_INVALID_PARAMETER) // C-10
  else if (handle === 0) {
    if (!world.refused && world.heaps.canCreate(initial, maximum))
      disagree(`HeapCreate(${initial}, ${maximum}) failed although there is room`)
    world.left(thread, 'HeapCreate', ERROR_NOT_ENOUGH_MEMORY)
  } else {
    if (world.refused || !world.heaps.canCreate(initial, maximum)) disagree('HeapCreate worked although there is no room')
    world.heaps.create(handle, world.discover(), initial, maximum)
    world.left(thread, 'HeapCreate', -1)
  }
}

export function heapDestroy(world: World, first: number): void {
  // A process with few heaps rather keeps them.
  if (world.heaps.heaps.length < 4 && howOf(first) !== 0) return
  const heap = heapOf(world, first)
  const thread = threadOf(first)
  world.begin()
  const result = world.ce(thread).HeapDestroy(heap.handle)
  if (heap === world.processHeap)
    world.expect(thread, 'HeapDestroy', result, 0, ERROR_INVALID_PARAMETER) // C-12
  else {
    world.expect(thread, 'HeapDestroy', result, 1, -1)
    world.heaps.destroy(heap)
  }
}

const NOWHERE = [0, 0, 7, 0x10000, 0x80000000, 0xffffffe0, 0xffffffff]

/** A pointer that is most likely no live block of a heap: stale, inside or behind one, another heap's, the program's pages, or nothing. */
export function badPointer(world: World, first: number, second: number): number {
  const heap = heapOf(world, second)
  const id = blockOf(heap, first)
  const { address, room, bytes } = world.heaps
  const kind = howOf(first)
  if (kind < 3) return world.stale.length === 0 ? 0 : (world.stale[(first >>> 16) % world.stale.length] as number)
  if (kind === 3 && id !== 0) return (address[id] as number) + ((bytes[id] as number) >>> 1)
  if (kind === 4 && id !== 0) return (address[id] as number) + (room[id] as number)
  if (kind === 5 && id !== 0) return address[id] as number
  if (kind === 6 && world.reservations.length > 0) {
    const base = world.reservations[(first >>> 16) % world.reservations.length] as number
    return base + (second & 1) * 4096
  }
  return NOWHERE[(first >>> 16) % NOWHERE.length] as number
}

/** Calls with a pointer that is no block of the heap, or a handle that is no heap: C-4 to C-6, C-36, C-38. */
export function heapOnNothing(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  const ce = world.ce(thread)
  const pointer = badPointer(world, first, second)
  const strange = second >>> 30 === 0
  const handle = strange ? HANDLES[(second >>> 16) % HANDLES.length] || pointer : heapOf(world, first).handle
  const heap = world.heaps.find(handle)
  if (heap !== undefined && world.heaps.blockAt(heap, pointer) !== 0) return
  world.begin()
  const call = (second & 0xff) % (heap === undefined ? 7 : 4)
  const bad = ERROR_INVALID_PARAMETER
  if (call === 0) world.expect(thread, 'HeapFree', ce.HeapFree(handle, 0, pointer), 0, bad)
  else if (call === 1) world.expect(thread, 'HeapReAlloc', ce.HeapReAlloc(handle, 0, pointer, 100), 0, bad)
  else if (call === 2) world.expect(thread, 'HeapSize', ce.HeapSize(handle, 0, pointer), NO_SIZE, -1)
  else if (call === 3) {
    const whole = heap !== undefined && pointer === 0
    world.expect(thread, 'HeapValidate', ce.HeapValidate(handle, 0, pointer), whole ? 1 : 0, -1)
  } else if (call === 4) world.expect(thread, 'HeapAlloc', ce.HeapAlloc(handle, 0, 32), 0, world.profile.allocSetsError ? bad : -1)
  else if (call === 5) world.expect(thread, 'HeapDestroy', ce.HeapDestroy(handle), 0, bad)
  else world.expect(thread, 'HeapCompact', ce.HeapCompact(handle, 0), 0, bad)
}

const HANDLES = [0, 3, 0x7ffffffe, 0xfffffffe, 0x30002]
