import type { Caller } from '../coredll/caller.ts'
import { markedAt, markOf, setMark } from '../heap/marks.ts'
import { recordAt } from '../heap/record.ts'
import { GRANULE, GRANULE_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { enter, leave } from '../machine/section.ts'
import { allocate, didAllocate, free, reallocate, sizeOf } from './allocator.ts'

/**
 * Calls while a spy is registered that it is not shown (C-55, C-56). They mind what it has done to blocks before: a spied block is known by the
 * pointer that was handed out, which may lie behind a header of the spy's. Precondition of all: inside the spy section.
 */

/** Runs `look` in the process heap's section, where marks change. */
export function marking<T>({ machine, tid }: Caller, look: (machine: Machine) => T): T {
  const record = recordAt(machine, 0)
  enter(machine, record, tid)
  try {
    return look(machine)
  } finally {
    leave(machine, record)
  }
}

/** The block that was handed out spied at `pointer`, as its address; 0 if none was. */
export function spiedAt(ce: Caller, pointer: number): number {
  return marking(ce, (machine) => markedAt(machine, pointer) * GRANULE)
}

/** Takes the mark from the block at `address`, if it has one. */
export function unmark(ce: Caller, address: number): void {
  marking(ce, (machine) => setMark(machine, address >>> GRANULE_SHIFT, 0))
}

/** Frees the block at `address`, and its mark with it; false if there is none. */
export function freeMarked(ce: Caller, address: number): boolean {
  const freed = free(ce, address)
  if (freed) unmark(ce, address)
  return freed
}

/** Gives the mark of the block at `from`, or none, to the one at `to`: the same block after a resize. */
function moveMark(ce: Caller, from: number, to: number): void {
  marking(ce, (machine) => {
    const mark = markOf(machine, from >>> GRANULE_SHIFT)
    setMark(machine, from >>> GRANULE_SHIFT, 0)
    setMark(machine, to >>> GRANULE_SHIFT, mark)
  })
}

export function allocateUnseen(ce: Caller, bytes: number): number {
  const pointer = allocate(ce, bytes)
  // A block that was freed past the allocator may have left its mark here.
  if (pointer !== 0) unmark(ce, pointer)
  return pointer
}

export function freeUnseen(ce: Caller, pointer: number): boolean {
  return freeMarked(ce, spiedAt(ce, pointer) || pointer)
}

export function reallocateUnseen(ce: Caller, pointer: number, bytes: number): number {
  const start = spiedAt(ce, pointer) || pointer
  const offset = pointer - start
  // Too large a sum is out of memory, and never wraps.
  const moved = reallocate(ce, start, Math.min(bytes + offset, 0xffffffff))
  if (moved === 0) return 0
  moveMark(ce, start, moved)
  return moved + offset
}

export function sizeUnseen(ce: Caller, pointer: number): number {
  const start = spiedAt(ce, pointer)
  return start === 0 ? sizeOf(ce, pointer) : sizeOf(ce, start) - (pointer - start)
}

export function didAllocateUnseen(ce: Caller, pointer: number): number {
  return didAllocate(ce, spiedAt(ce, pointer) || pointer)
}
