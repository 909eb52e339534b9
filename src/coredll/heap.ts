import {
  ERROR_ACCESS_DENIED,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  FIXED_HEAP_LIMIT,
  HEAP_CREATE_ENABLE_EXECUTE,
  HEAP_GENERATE_EXCEPTIONS,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_SHARED_READONLY,
  HEAP_SIZE_FAILED,
  HEAP_ZERO_MEMORY,
  NO_ERROR
} from '../constants.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { heapFault, isOverrun } from '../heap/check.ts'
import { compact } from '../heap/compact.ts'
import { createHeap, destroyHeap } from '../heap/create.ts'
import type { HeapOptions } from '../heap/create.ts'
import { explainPointer, liveBlock } from '../heap/free.ts'
import { allocateIn, FREED, freeIn, NO_BLOCK, NO_HEAP } from '../heap/hot.ts'
import { brokenGuard } from '../heap/guard.ts'
import { hasCallbacks, isBusy } from '../heap/lent.ts'
import { REC, recordOf } from '../heap/record.ts'
import { knownSize, resize } from '../heap/resize.ts'
import { leaveByError } from '../machine/adrift.ts'
import { GRANULE, HDR, PAGE } from '../machine/layout.ts'
import { enter, leave } from '../machine/section.ts'
import { needLife, needTidy, settle } from '../machine/threads.ts'
import { profileNames, profiles } from '../profile.ts'
import type { ProfileName } from '../profile.ts'
import type { CallName } from './calls.ts'
import { afterCallbacks, fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { FindingKind } from './findings.ts'
import { callBits, whoIn } from './who.ts'

/**
 * The page-level allocator of CeHeapCreate (CH-4, C-43). MEM_RESERVE: address 0; returns the base of a reservation of the program's own
 * of at least `dwSize` bytes. MEM_COMMIT: commits these pages of it and returns `lpAddress`. 0 when there is no memory (C-35).
 */
export type PFN_AllocHeapMem = (lpAddress: number, dwSize: number, fdwAction: number) => number
/**
 * Its counterpart: MEM_DECOMMIT takes pages back, MEM_RELEASE the whole reservation, of `dwSize` bytes (VirtualFree wants 0 there, VF-2).
 * Returns nonzero for success; what it really did shows in the pages.
 */
export type PFN_FreeHeapMem = (lpAddress: number, dwSize: number, fdwAction: number) => number

const ALLOC_FLAGS = HEAP_NO_SERIALIZE | HEAP_ZERO_MEMORY
const REALLOC_FLAGS = ALLOC_FLAGS | HEAP_REALLOC_IN_PLACE_ONLY
const CREATE_FLAGS = HEAP_NO_SERIALIZE | HEAP_SHARED_READONLY
const HEAP_ALLOC: number = callBits('HeapAlloc')
const HEAP_FREE: number = callBits('HeapFree')

/** Says what is odd about flag bits outside CE's table (C-13); they are ignored. */
function oddFlags(ce: Caller, call: CallName, flags: number, listed: number): void {
  const odd = flags & ~listed
  if ((odd & HEAP_GENERATE_EXCEPTIONS) !== 0) ce.raise('exceptions', call)
  if ((odd & HEAP_CREATE_ENABLE_EXECUTE) !== 0 && call === 'HeapCreate') ce.raise('execute', call)
  const rest = odd & ~HEAP_GENERATE_EXCEPTIONS & (call === 'HeapCreate' ? ~HEAP_CREATE_ENABLE_EXECUTE : -1)
  if (rest !== 0) ce.raise('unlistedFlags', call, rest)
}

/** The record of the live heap `hHeap` with its section entered; 0, with nothing held, for anything else: that raises C-4's finding. */
function enterHeap(ce: Caller, call: CallName, hHeap: number): number {
  if (!isDword(hHeap)) throw notDword(call, 'hHeap', hHeap)
  const record = recordOf(ce.machine, hHeap)
  if (record === 0) return noHeap(ce, call, hHeap)
  needLife(ce.machine, ce.tid)
  needTidy(ce.machine)
  enter(ce.machine, record, whoIn(ce, call))
  if (ce.machine.sys[record + REC.HANDLE] === hHeap) return record
  leave(ce.machine, record)
  return noHeap(ce, call, hHeap)
}

function noHeap(ce: Caller, call: CallName, hHeap: number): 0 {
  needOpen(ce, call)
  ce.raise(isBusy(ce.machine, hHeap) ? 'busyHeap' : 'badHeap', call, hHeap)
  return 0
}

/** HeapAlloc and HeapReAlloc set the last error on failure from CE 6.0 on (HA-4); CE 5.0's HeapAlloc does not (HA-5). */
function failAlloc(ce: Caller, call: CallName, code: number): 0 {
  const profile = profileNames[ce.machine.sys[HDR.PROFILE] as number] as ProfileName
  return call === 'HeapReAlloc' || profiles[profile].allocSetsError ? fail(ce, code) : 0
}

/** Leaves the heap's section and raises the finding for a pointer that is not a live block of the heap (C-5). */
export function leaveBadPointer(ce: Caller, call: CallName, record: number, pointer: number): void {
  const { fault, block } = explainPointer(ce.machine, record, pointer)
  leave(ce.machine, record)
  const kinds: Record<typeof fault, FindingKind> = {
    null: 'nullPointer',
    foreign: 'foreign',
    pages: 'appPages',
    'other heap': 'otherHeap',
    freed: 'freed',
    interior: 'interior',
    control: 'control'
  }
  ce.raise(kinds[fault], call, pointer, block * GRANULE)
}

/** The first overwritten byte of the block's sentinel, 0 if it is whole or the build has none. Raise it once the section is left. */
export function overrunOf(ce: Caller, record: number, block: number): number {
  return ce.machine.sys[record + REC.GUARD] === 0 ? 0 : brokenGuard(ce.machine, block)
}

/** All three before any answer: a call that is misuse of this library was never made. */
function needSizes(call: CallName, flOptions: number, dwInitialSize: number, dwMaximumSize: number): void {
  if (!isDword(flOptions)) throw notDword(call, 'flOptions', flOptions)
  if (!isDword(dwInitialSize)) throw notDword(call, 'dwInitialSize', dwInitialSize)
  if (!isDword(dwMaximumSize)) throw notDword(call, 'dwMaximumSize', dwMaximumSize)
}

export function heapCreate(ce: Caller, flOptions: number, dwInitialSize: number, dwMaximumSize: number): number {
  needSizes('HeapCreate', flOptions, dwInitialSize, dwMaximumSize)
  needOpen(ce, 'HeapCreate')
  oddFlags(ce, 'HeapCreate', flOptions, CREATE_FLAGS)
  if ((flOptions & HEAP_SHARED_READONLY) !== 0 && ce.machine.sys[HDR.KERNEL_MODE] === 0) {
    ce.raise('sharedReadonly', 'HeapCreate')
    return fail(ce, ERROR_ACCESS_DENIED)
  }
  return create(ce, 'HeapCreate', { options: flOptions, initial: dwInitialSize, maximum: dwMaximumSize })
}

export function ceHeapCreate(
  ce: Caller,
  flOptions: number,
  dwInitialSize: number,
  dwMaximumSize: number,
  pfnAlloc: PFN_AllocHeapMem,
  pfnFree: PFN_FreeHeapMem
): number {
  needSizes('CeHeapCreate', flOptions, dwInitialSize, dwMaximumSize)
  if (typeof pfnAlloc !== 'function') throw misuse('CeHeapCreate: pfnAlloc', 'a function', pfnAlloc)
  if (typeof pfnFree !== 'function') throw misuse('CeHeapCreate: pfnFree', 'a function', pfnFree)
  needOpen(ce, 'CeHeapCreate')
  if (flOptions !== 0) return fail(ce, ERROR_INVALID_PARAMETER)
  const handle = create(ce, 'CeHeapCreate', {
    options: 0,
    initial: dwInitialSize,
    maximum: dwMaximumSize,
    callbacks: { alloc: pfnAlloc, free: pfnFree }
  })
  afterCallbacks(ce, 'CeHeapCreate')
  return handle
}

function create(ce: Caller, call: CallName, wanted: HeapOptions): number {
  if (wanted.maximum !== 0 && wanted.initial > wanted.maximum) return fail(ce, ERROR_INVALID_PARAMETER)
  return createHeap(ce.machine, whoIn(ce, call), wanted) || fail(ce, ERROR_NOT_ENOUGH_MEMORY)
}

export function heapDestroy(ce: Caller, hHeap: number): number {
  const record = enterHeap(ce, 'HeapDestroy', hHeap)
  if (record === 0) return fail(ce, ERROR_INVALID_PARAMETER)
  if (hHeap === ce.machine.sys[HDR.PROCESS_HEAP]) {
    leave(ce.machine, record)
    ce.raise('processHeap', 'HeapDestroy')
    return fail(ce, ERROR_INVALID_PARAMETER)
  }
  try {
    destroyHeap(ce.machine, whoIn(ce, 'HeapDestroy'), record)
  } catch (error) {
    leaveByError(ce.machine, record, error)
    throw error
  }
  leave(ce.machine, record)
  afterCallbacks(ce, 'HeapDestroy')
  return 1
}

export function heapAlloc(ce: Caller, hHeap: number, dwFlags: number, dwBytes: number): number {
  if (!isDword(hHeap) || !isDword(dwFlags) || !isDword(dwBytes)) throw allocMisuse(hHeap, dwFlags, dwBytes)
  const pointer = allocateIn(ce.machine, ce.tid | HEAP_ALLOC, hHeap, dwBytes, (dwFlags & HEAP_ZERO_MEMORY) !== 0)
  return pointer > 0 && (dwFlags & ~ALLOC_FLAGS) === 0 ? pointer : allocAside(ce, hHeap, dwFlags, dwBytes, pointer)
}

function allocMisuse(hHeap: number, dwFlags: number, dwBytes: number): Error {
  if (!isDword(hHeap)) return notDword('HeapAlloc', 'hHeap', hHeap)
  return isDword(dwFlags) ? notDword('HeapAlloc', 'dwBytes', dwBytes) : notDword('HeapAlloc', 'dwFlags', dwFlags)
}

/** Whatever a HeapAlloc has to say beyond its pointer. */
function allocAside(ce: Caller, hHeap: number, dwFlags: number, dwBytes: number, pointer: number): number {
  if (pointer === NO_HEAP) {
    noHeap(ce, 'HeapAlloc', hHeap)
    return failAlloc(ce, 'HeapAlloc', ERROR_INVALID_PARAMETER)
  }
  oddFlags(ce, 'HeapAlloc', dwFlags, ALLOC_FLAGS)
  return pointer !== 0 ? pointer : outOfMemory(ce, 'HeapAlloc', recordOf(ce.machine, hHeap), dwBytes)
}

function outOfMemory(ce: Caller, call: 'HeapAlloc' | 'HeapReAlloc', record: number, bytes: number): 0 {
  const { sys } = ce.machine
  if (sys[record + REC.MAXIMUM] !== 0 && bytes >= FIXED_HEAP_LIMIT) ce.raise('fixedLimit', call, bytes)
  else if (sys[record + REC.CALLBACKS] !== 0 && !hasCallbacks(ce.machine, record) && wantsPages(ce, record)) ce.raise('strayPages', call)
  afterCallbacks(ce, call)
  return failAlloc(ce, call, ERROR_NOT_ENOUGH_MEMORY)
}

/** Whether a heap that is out of memory could have done with more pages: a fixed heap that has all of its own is just full. */
function wantsPages({ machine }: Caller, record: number): boolean {
  const maximum = machine.sys[record + REC.MAXIMUM] as number
  return maximum === 0 || (machine.sys[record + REC.COMMITTED] as number) * PAGE < maximum
}

export function heapReAlloc(ce: Caller, hHeap: number, dwFlags: number, lpMem: number, dwBytes: number): number {
  if (!isDword(dwFlags)) throw notDword('HeapReAlloc', 'dwFlags', dwFlags)
  if (!isDword(lpMem)) throw notDword('HeapReAlloc', 'lpMem', lpMem)
  if (!isDword(dwBytes)) throw notDword('HeapReAlloc', 'dwBytes', dwBytes)
  const record = enterHeap(ce, 'HeapReAlloc', hHeap)
  if (record === 0) return fail(ce, ERROR_INVALID_PARAMETER)
  const block = liveBlock(ce.machine, record, lpMem)
  if (block === 0) {
    leaveBadPointer(ce, 'HeapReAlloc', record, lpMem)
    return fail(ce, ERROR_INVALID_PARAMETER)
  }
  const broken = overrunOf(ce, record, block)
  const inPlace = (dwFlags & HEAP_REALLOC_IN_PLACE_ONLY) !== 0
  let pointer: number
  try {
    pointer = resize(ce.machine, whoIn(ce, 'HeapReAlloc'), record, block, dwBytes, (dwFlags & HEAP_ZERO_MEMORY) !== 0, inPlace)
  } catch (error) {
    leaveByError(ce.machine, record, error)
    throw error
  }
  leave(ce.machine, record)
  settle(ce.machine)
  if (broken !== 0) ce.raise('overrun', 'HeapReAlloc', lpMem, broken)
  if ((dwFlags & ~REALLOC_FLAGS) !== 0) oddFlags(ce, 'HeapReAlloc', dwFlags, REALLOC_FLAGS)
  return pointer !== 0 ? pointer : outOfMemory(ce, 'HeapReAlloc', record, dwBytes)
}

export function heapFree(ce: Caller, hHeap: number, dwFlags: number, lpMem: number): number {
  if (!isDword(hHeap) || !isDword(dwFlags) || !isDword(lpMem)) throw freeMisuse(hHeap, dwFlags, lpMem)
  const freed = freeIn(ce.machine, ce.tid | HEAP_FREE, hHeap, lpMem)
  return freed === FREED && (dwFlags & ~HEAP_NO_SERIALIZE) === 0 ? 1 : freeAside(ce, hHeap, dwFlags, lpMem, freed)
}

function freeMisuse(hHeap: number, dwFlags: number, lpMem: number): Error {
  if (!isDword(hHeap)) return notDword('HeapFree', 'hHeap', hHeap)
  return isDword(dwFlags) ? notDword('HeapFree', 'lpMem', lpMem) : notDword('HeapFree', 'dwFlags', dwFlags)
}

/** Whatever a HeapFree has to say beyond its success. */
function freeAside(ce: Caller, hHeap: number, dwFlags: number, lpMem: number, freed: number): number {
  if (freed === NO_HEAP || freed === NO_BLOCK) {
    // Entered again to look closer: should the heap have gone meanwhile, it is the handle that is bad.
    const record = enterHeap(ce, 'HeapFree', hHeap)
    if (record !== 0) leaveBadPointer(ce, 'HeapFree', record, lpMem)
    return fail(ce, ERROR_INVALID_PARAMETER)
  }
  if (freed !== FREED) ce.raise('overrun', 'HeapFree', lpMem, freed)
  oddFlags(ce, 'HeapFree', dwFlags, HEAP_NO_SERIALIZE)
  return 1
}

export function heapSize(ce: Caller, hHeap: number, dwFlags: number, lpMem: number): number {
  if (!isDword(dwFlags)) throw notDword('HeapSize', 'dwFlags', dwFlags)
  if (!isDword(lpMem)) throw notDword('HeapSize', 'lpMem', lpMem)
  const record = enterHeap(ce, 'HeapSize', hHeap)
  if (record === 0) return HEAP_SIZE_FAILED
  const block = liveBlock(ce.machine, record, lpMem)
  if (block === 0) {
    leaveBadPointer(ce, 'HeapSize', record, lpMem)
    return HEAP_SIZE_FAILED
  }
  const size = knownSize(ce.machine, record, block)
  leave(ce.machine, record)
  return size
}

export function heapValidate(ce: Caller, hHeap: number, dwFlags: number, lpMem: number): number {
  if (!isDword(dwFlags)) throw notDword('HeapValidate', 'dwFlags', dwFlags)
  if (!isDword(lpMem)) throw notDword('HeapValidate', 'lpMem', lpMem)
  const { machine } = ce
  const record = enterHeap(ce, 'HeapValidate', hHeap)
  if (record === 0) return 0
  let valid: boolean
  if (lpMem === 0) {
    valid = heapFault(machine, record) === undefined && !isOverrun(machine, record)
  } else {
    const block = liveBlock(machine, record, lpMem)
    valid = block !== 0 && (machine.sys[record + REC.GUARD] === 0 || brokenGuard(machine, block) === 0)
  }
  leave(machine, record)
  if ((dwFlags & ~HEAP_NO_SERIALIZE) !== 0) oddFlags(ce, 'HeapValidate', dwFlags, HEAP_NO_SERIALIZE)
  return valid ? 1 : 0
}

export function heapCompact(ce: Caller, hHeap: number, dwFlags: number): number {
  if (!isDword(dwFlags)) throw notDword('HeapCompact', 'dwFlags', dwFlags)
  const record = enterHeap(ce, 'HeapCompact', hHeap)
  if (record === 0) return fail(ce, ERROR_INVALID_PARAMETER)
  let largest: number
  try {
    largest = compact(ce.machine, whoIn(ce, 'HeapCompact'), record)
  } catch (error) {
    leaveByError(ce.machine, record, error)
    throw error
  }
  leave(ce.machine, record)
  if ((dwFlags & ~HEAP_NO_SERIALIZE) !== 0) oddFlags(ce, 'HeapCompact', dwFlags, HEAP_NO_SERIALIZE)
  afterCallbacks(ce, 'HeapCompact')
  // Without this a heap that has no free memory could not be told from a failure (HP-4, HP-6).
  return largest !== 0 ? largest : fail(ce, NO_ERROR)
}
