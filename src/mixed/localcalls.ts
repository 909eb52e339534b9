import { ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, LMEM_MODIFY, LMEM_MOVEABLE, LMEM_ZEROINIT } from '../constants.ts'
import { type Draw, sizeOf } from './draw.ts'
import { askResize, crowded, resized, took } from './heapcalls.ts'
import { anyBlock, badPointer, type World } from './world.ts'

/** Local* and Global*: the process heap under other names (LA-2, GA-1). */
export function localCall(world: World, draw: Draw, thread: number): void {
  const ce = world.ce(thread)
  const global = draw.once(2)
  const heap = world.processHeap
  const kind = crowded(world, heap, draw) ? 5 : draw.below(12)
  if (kind < 5) {
    const bytes = sizeOf(draw, world.process.profile.bigBlock)
    const flags = draw.pick([0, LMEM_ZEROINIT, LMEM_MOVEABLE, LMEM_MOVEABLE | LMEM_ZEROINIT])
    world.begin()
    const result = global ? ce.GlobalAlloc(flags, bytes) : ce.LocalAlloc(flags, bytes)
    world.saysIf((flags & LMEM_MOVEABLE) !== 0, 'C-14')
    took(world, thread, 'LocalAlloc', heap, bytes, (flags & LMEM_ZEROINIT) !== 0, result, true) // LA-7, ce-5.0 included
    return
  }
  const block = anyBlock(draw, heap)
  if (kind >= 11) onNothing(world, draw, thread)
  else if (block === undefined || block.spied) return
  else if (kind < 8) {
    world.inspect(block)
    world.begin()
    world.expect(thread, 'LocalFree', global ? ce.GlobalFree(block.address) : ce.LocalFree(block.address), { result: 0 })
    world.gone(block)
  } else if (kind < 10) {
    const bytes = sizeOf(draw, world.process.profile.bigBlock)
    const flags = draw.pick([0, LMEM_MOVEABLE, LMEM_MOVEABLE, LMEM_MOVEABLE | LMEM_ZEROINIT, LMEM_MODIFY, LMEM_MODIFY | LMEM_MOVEABLE])
    const moveable = (flags & LMEM_MOVEABLE) !== 0
    const zero = (flags & LMEM_ZEROINIT) !== 0
    world.begin()
    const asked = (flags & LMEM_MODIFY) === 0 ? askResize(world, thread, block, bytes, !moveable) : undefined
    const result = global ? ce.GlobalReAlloc(block.address, bytes, flags) : ce.LocalReAlloc(block.address, bytes, flags)
    if (asked === undefined) {
      const made = moveable ? { result: 0, error: ERROR_INVALID_PARAMETER } : { result: block.address } // C-32, C-33
      world.expect(thread, 'LocalReAlloc', result, made)
      return
    }
    resized(world, 'LocalReAlloc', block, bytes, zero, !moveable, result, asked)
    world.left(thread, 'LocalReAlloc', result === 0 ? ERROR_NOT_ENOUGH_MEMORY : undefined)
  } else {
    world.begin()
    const result = global ? ce.GlobalSize(block.address) : ce.LocalSize(block.address)
    world.expect(thread, 'LocalSize', result, { result: world.heaps.sizeOf(block.bytes) })
  }
}

/** LF-1, LF-2, LS-3, LM-1, C-15. */
function onNothing(world: World, draw: Draw, thread: number): void {
  const ce = world.ce(thread)
  const handle = badPointer(world, draw)
  if (world.blockAt(world.processHeap, handle) !== undefined) return
  const call = draw.below(6)
  world.begin()
  const error = ERROR_INVALID_PARAMETER
  world.saysIf(call < 3 && (call !== 0 || handle !== 0), 'C-15')
  if (call === 0) world.expect(thread, 'LocalFree', ce.LocalFree(handle), handle === 0 ? { result: 0 } : { result: handle, error })
  else if (call === 1) world.expect(thread, 'LocalReAlloc', ce.LocalReAlloc(handle, 10, LMEM_MOVEABLE), { result: 0, error })
  else if (call === 2) world.expect(thread, 'GlobalSize', ce.GlobalSize(handle), { result: 0, error })
  else if (call === 3) world.expect(thread, 'LocalLock', ce.LocalLock(handle), { result: handle })
  else if (call === 4) world.expect(thread, 'GlobalFlags', ce.GlobalFlags(handle), { result: 0 })
  else world.expect(thread, 'LocalUnlock', ce.LocalUnlock(handle), { result: 0 })
}
