import { ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, LMEM_MODIFY, LMEM_MOVEABLE, LMEM_ZEROINIT } from '../constants.ts'
import { isDword, notDword } from '../errors.ts'
import { liveBlock } from '../heap/free.ts'
import { allocateIn, FREED, freeIn, NO_BLOCK, NO_HEAP } from '../heap/hot.ts'
import { recordAt, REC } from '../heap/record.ts'
import { knownSize, resize } from '../heap/resize.ts'
import { leaveByError } from '../machine/adrift.ts'
import { HDR } from '../machine/layout.ts'
import { enter, leave } from '../machine/section.ts'
import { needLife, needTidy, settle } from '../machine/threads.ts'
import type { CallName } from './calls.ts'
import { fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import { leaveBadPointer, overrunOf } from './heap.ts'
import { whoIn } from './who.ts'

/**
 * Local memory is the process heap (LA-2), a handle is the pointer (LA-6). The Global* functions are macros over these on CE
 * (GA-1), so each takes the name that the app called, for its findings.
 */

const REALLOC_FLAGS = LMEM_MODIFY | LMEM_MOVEABLE | LMEM_ZEROINIT

/** Flag bits outside CE's table are ignored and reported (C-13). */
function oddFlags(ce: Caller, call: CallName, flags: number, listed: number): void {
  const odd = flags & ~listed
  if (odd !== 0) ce.raise('unlistedFlags', call, odd)
}

function processHeap(ce: Caller): number {
  return ce.machine.sys[HDR.PROCESS_HEAP] as number
}

/** The process heap's record, with its section entered. */
function enterProcessHeap(ce: Caller, call: CallName): number {
  const record = recordAt(ce.machine, 0)
  needLife(ce.machine, ce.tid)
  needTidy(ce.machine)
  enter(ce.machine, record, whoIn(ce, call))
  if (ce.machine.sys[record + REC.HANDLE] !== ce.machine.sys[HDR.PROCESS_HEAP]) {
    leave(ce.machine, record)
    needOpen(ce, call)
  }
  return record
}

/** Leaves the section and raises what is wrong with a handle that names no live block of the process heap (C-15). */
function badHandle(ce: Caller, call: CallName, record: number, handle: number): void {
  if (handle !== 0) leaveBadPointer(ce, call, record, handle)
  else {
    leave(ce.machine, record)
    ce.raise('nullHandle', call)
  }
  fail(ce, ERROR_INVALID_PARAMETER)
}

export function localAlloc(ce: Caller, call: CallName, uFlags: number, uBytes: number): number {
  if (!isDword(uFlags)) throw notDword(call, 'uFlags', uFlags)
  if (!isDword(uBytes)) throw notDword(call, call === 'GlobalAlloc' ? 'dwBytes' : 'uBytes', uBytes)
  const pointer = allocateIn(ce.machine, whoIn(ce, call), processHeap(ce), uBytes, (uFlags & LMEM_ZEROINIT) !== 0)
  if (pointer === NO_HEAP) needOpen(ce, call)
  if ((uFlags & LMEM_MOVEABLE) !== 0) ce.raise('moveable', call, uFlags)
  oddFlags(ce, call, uFlags, LMEM_MOVEABLE | LMEM_ZEROINIT)
  return pointer > 0 ? pointer : fail(ce, ERROR_NOT_ENOUGH_MEMORY)
}

export function localReAlloc(ce: Caller, call: CallName, hMem: number, uBytes: number, fuFlags: number): number {
  if (!isDword(hMem)) throw notDword(call, 'hMem', hMem)
  if (!isDword(uBytes)) throw notDword(call, call === 'GlobalReAlloc' ? 'dwBytes' : 'uBytes', uBytes)
  if (!isDword(fuFlags)) throw notDword(call, call === 'GlobalReAlloc' ? 'uFlags' : 'fuFlags', fuFlags)
  const record = enterProcessHeap(ce, call)
  const block = liveBlock(ce.machine, record, hMem)
  if (block === 0) {
    badHandle(ce, call, record, hMem)
    return 0
  }
  const moveable = (fuFlags & LMEM_MOVEABLE) !== 0
  if ((fuFlags & LMEM_MODIFY) !== 0) {
    leave(ce.machine, record)
    oddFlags(ce, call, fuFlags, REALLOC_FLAGS)
    // A fixed block cannot be made movable (LR-3); any other change of attributes changes nothing (LR-2).
    return moveable ? fail(ce, ERROR_INVALID_PARAMETER) : hMem
  }
  const broken = overrunOf(ce, record, block)
  let pointer: number
  try {
    pointer = resize(ce.machine, whoIn(ce, call), record, block, uBytes, (fuFlags & LMEM_ZEROINIT) !== 0, !moveable)
  } catch (error) {
    leaveByError(ce.machine, record, error)
    throw error
  }
  leave(ce.machine, record)
  settle(ce.machine)
  if (broken !== 0) ce.raise('overrun', call, hMem, broken)
  oddFlags(ce, call, fuFlags, REALLOC_FLAGS)
  return pointer !== 0 ? pointer : fail(ce, ERROR_NOT_ENOUGH_MEMORY)
}

/** NULL for success, the handle itself for failure (LF-1). */
export function localFree(ce: Caller, call: CallName, hMem: number): number {
  if (!isDword(hMem)) throw notDword(call, 'hMem', hMem)
  if (hMem === 0) {
    needOpen(ce, call)
    return 0
  }
  const freed = freeIn(ce.machine, whoIn(ce, call), processHeap(ce), hMem)
  if (freed === FREED) return 0
  if (freed === NO_HEAP || freed === NO_BLOCK) {
    badHandle(ce, call, enterProcessHeap(ce, call), hMem)
    return hMem
  }
  ce.raise('overrun', call, hMem, freed)
  return 0
}

export function localSize(ce: Caller, call: CallName, hMem: number): number {
  if (!isDword(hMem)) throw notDword(call, 'hMem', hMem)
  const record = enterProcessHeap(ce, call)
  const block = liveBlock(ce.machine, record, hMem)
  if (block === 0) {
    badHandle(ce, call, record, hMem)
    return 0
  }
  const size = knownSize(ce.machine, record, block)
  leave(ce.machine, record)
  return size
}

/** LocalLock and LocalHandle are casts on CE (LM-1): neither looks at the handle. */
export function cast(ce: Caller, call: CallName, handle: number): number {
  if (!isDword(handle)) throw notDword(call, call.endsWith('Handle') ? 'pMem' : 'hMem', handle)
  needOpen(ce, call)
  return handle
}

/** LocalUnlock and LocalFlags are 0 on CE, whatever the handle (LM-1, LM-2). */
export function nothing(ce: Caller, call: CallName, handle: number): 0 {
  cast(ce, call, handle)
  return 0
}
