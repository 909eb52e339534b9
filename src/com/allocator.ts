import { HEAP_SIZE_FAILED } from '../constants.ts'
import type { Caller } from '../coredll/caller.ts'
import { heapAlloc, heapCompact, heapFree, heapReAlloc, heapSize } from '../coredll/heap.ts'
import { HDR } from '../machine/layout.ts'

/**
 * The six methods of the task allocator without a spy: each is a Heap function on the process heap (C-52). A pointer is the start of a block here.
 */

/** What IMalloc::GetSize and DidAlloc answer for NULL (IM-9, IM-10). */
export const NO_SIZE = 0xffffffff
export const CANNOT_TELL = -1

function processHeap(ce: Caller): number {
  return ce.machine.sys[HDR.PROCESS_HEAP] as number
}

/** The block, 0 if memory is out (IM-3). */
export function allocate(ce: Caller, bytes: number): number {
  return heapAlloc(ce, processHeap(ce), 0, bytes)
}

/** The block at its new place; 0 and the block as it was if memory is out (IM-6, IM-7). Not for NULL or 0 bytes (IM-4, IM-5). */
export function reallocate(ce: Caller, pointer: number, bytes: number): number {
  return heapReAlloc(ce, processHeap(ce), 0, pointer, bytes)
}

/** Whether the block was freed; NULL is none (IM-8). */
export function free(ce: Caller, pointer: number): boolean {
  return pointer !== 0 && heapFree(ce, processHeap(ce), 0, pointer) === 1
}

export function sizeOf(ce: Caller, pointer: number): number {
  return pointer === 0 ? NO_SIZE : heapSize(ce, processHeap(ce), 0, pointer)
}

export function didAllocate(ce: Caller, pointer: number): number {
  if (pointer === 0) return CANNOT_TELL
  // To ask is no fault, whatever the pointer.
  const quiet: Caller = { machine: ce.machine, tid: ce.tid, raise: () => {} }
  return heapSize(quiet, processHeap(ce), 0, pointer) === HEAP_SIZE_FAILED ? 0 : 1
}

export function minimize(ce: Caller): void {
  heapCompact(ce, processHeap(ce), 0)
}
