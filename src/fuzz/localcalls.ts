import { ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, LMEM_MODIFY, LMEM_MOVEABLE, LMEM_ZEROINIT } from '../constants.ts'
import { badPointer, blockOf, crowded, resized, threadOf, took } from './heapcalls.ts'
import { sizeOf } from './sizes.ts'
import type { World } from './world.ts'

/** Local* and Global*: the process heap under other names (LA-2, GA-1). */

/** Whether a command goes by the Global* name. */
function isGlobal(first: number): boolean {
  return (first & 0x200) !== 0
}

const ALLOC_FLAGS = [0, LMEM_ZEROINIT, LMEM_MOVEABLE, LMEM_MOVEABLE | LMEM_ZEROINIT]

export function localAlloc(world: World, first: number, second: number): void {
  const heap = world.processHeap
  if (crowded(world, heap, first)) {
    localFree(world, first)
    return
  }
  const thread = threadOf(first)
  const bytes = sizeOf(second & 0xff, second >>> 16, world.profile.bigBlock)
  const flags = ALLOC_FLAGS[(second >>> 8) & 3] as number
  const ce = world.ce(thread)
  world.begin()
  const result = isGlobal(first) ? ce.GlobalAlloc(flags, bytes) : ce.LocalAlloc(flags, bytes)
  took(world, thread, 'LocalAlloc', heap, bytes, (flags & LMEM_ZEROINIT) !== 0, result, ERROR_NOT_ENOUGH_MEMORY) // LA-7, ce-5.0 included
}

export function localFree(world: World, first: number): void {
  const heap = world.processHeap
  const id = blockOf(heap, first)
  if (id === 0) return
  const thread = threadOf(first)
  const address = world.heaps.address[id] as number
  const ce = world.ce(thread)
  world.inspect(id)
  world.begin()
  world.expect(thread, 'LocalFree', isGlobal(first) ? ce.GlobalFree(address) : ce.LocalFree(address), 0, -1) // LF-1
  world.gone(heap, id)
}

const REALLOC_FLAGS = [
  LMEM_MOVEABLE,
  0,
  LMEM_MOVEABLE,
  LMEM_MOVEABLE | LMEM_ZEROINIT,
  LMEM_ZEROINIT,
  LMEM_MOVEABLE,
  LMEM_MODIFY,
  LMEM_MODIFY | LMEM_MOVEABLE
]

export function localReAlloc(world: World, first: number, second: number): void {
  const heap = world.processHeap
  const id = blockOf(heap, first)
  if (id === 0) return
  const thread = threadOf(first)
  const address = world.heaps.address[id] as number
  const bytes = sizeOf(second & 0xff, second >>> 16, world.profile.bigBlock)
  const flags = REALLOC_FLAGS[(second >>> 8) & 7] as number
  const moveable = (flags & LMEM_MOVEABLE) !== 0
  const ce = world.ce(thread)
  world.begin()
  const result = isGlobal(first) ? ce.GlobalReAlloc(address, bytes, flags) : ce.LocalReAlloc(address, bytes, flags)
  if ((flags & LMEM_MODIFY) === 0)
    resized(world, thread, 'LocalReAlloc', heap, id, bytes, (flags & LMEM_ZEROINIT) !== 0, !moveable, result) // LR-4
  else if (moveable)
    world.expect(thread, 'LocalReAlloc', result, 0, ERROR_INVALID_PARAMETER) // C-32
  else world.expect(thread, 'LocalReAlloc', result, address, -1) // C-33
}

export function localSize(world: World, first: number): void {
  const id = blockOf(world.processHeap, first)
  if (id === 0) return
  const thread = threadOf(first)
  const address = world.heaps.address[id] as number
  const ce = world.ce(thread)
  world.begin()
  const size = world.heaps.sizeOf(world.heaps.bytes[id] as number)
  world.expect(thread, 'LocalSize', isGlobal(first) ? ce.GlobalSize(address) : ce.LocalSize(address), size, -1)
}

/** LF-1, LF-2, LS-3, LM-1, C-15. */
export function localOnNothing(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  const ce = world.ce(thread)
  const handle = badPointer(world, first, second)
  if (world.heaps.blockAt(world.processHeap, handle) !== 0) return
  const error = ERROR_INVALID_PARAMETER
  const call = (second >>> 8) % 7
  world.begin()
  if (call === 0) world.expect(thread, 'LocalFree', ce.LocalFree(handle), handle, handle === 0 ? -1 : error)
  else if (call === 1) world.expect(thread, 'LocalReAlloc', ce.LocalReAlloc(handle, 10, LMEM_MOVEABLE), 0, error)
  else if (call === 2) world.expect(thread, 'GlobalSize', ce.GlobalSize(handle), 0, error)
  else if (call === 3) world.expect(thread, 'LocalLock', ce.LocalLock(handle), handle, -1)
  else if (call === 4) world.expect(thread, 'GlobalFlags', ce.GlobalFlags(handle), 0, -1)
  else if (call === 5) world.expect(thread, 'LocalHandle', ce.LocalHandle(handle), handle, -1)
  else world.expect(thread, 'LocalUnlock', ce.LocalUnlock(handle), 0, -1)
}
