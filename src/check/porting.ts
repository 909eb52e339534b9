import {
  E_ACCESSDENIED,
  GMEM_MODIFY,
  GMEM_MOVEABLE,
  GMEM_ZEROINIT,
  HEAP_CREATE_ENABLE_EXECUTE,
  HEAP_GENERATE_EXCEPTIONS,
  HEAP_GROWABLE,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_SHARED_READONLY,
  HEAP_ZERO_MEMORY,
  LMEM_DISCARDABLE
} from '../constants.ts'
import { habits } from './habits.ts'
import { all, size } from './looks.ts'
import type { Habit } from './run.ts'
import { virtualPorting } from './virtualporting.ts'
import { hex } from './words.ts'

/** Looks at the heap flags of a call; `listed` are those in CE's table for it besides HEAP_NO_SERIALIZE. */
function heapFlags(at: number, listed: number): Habit {
  const beyond = ~(listed | HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS)
  return (run, event) => {
    const flags = event.args[at]! | 0
    if ((flags & HEAP_NO_SERIALIZE) !== 0) run.groups.hit(habits.noSerialize, event)
    if ((flags & HEAP_GENERATE_EXCEPTIONS) !== 0) run.groups.hit(habits.exceptions, event)
    const odd = (flags & beyond) >>> 0
    if (odd !== 0) {
      const group = run.groups.hit(habits.oddFlags, event)
      if (run.groups.fresh) group.onCe = `the flags ${hex(odd)} are ignored (our choice, the documentation is silent)`
    }
  }
}

/** A call that is reported whatever its arguments are. */
function always(name: keyof typeof habits): Habit {
  return (run, event) => {
    run.groups.hit(habits[name], event)
  }
}

const zeroBytes =
  (at: number): Habit =>
  (run, event) => {
    if (event.args[at] === 0) run.groups.hit(habits.zeroBytes, event)
  }

const createFlags: Habit = (run, event) => {
  const flags = event.args[0]! | 0
  if ((flags & HEAP_CREATE_ENABLE_EXECUTE) !== 0) run.groups.hit(habits.execute, event)
  if ((flags & HEAP_SHARED_READONLY) !== 0) run.groups.hit(habits.kernelOnly, event)
  // RtlCreateHeap wants the flag that HeapCreate sets by itself.
  if ((flags & HEAP_GROWABLE) !== 0 && !event.via.endsWith('RtlCreateHeap')) run.groups.hit(habits.oddFlags, event)
}

const resizeToZero: Habit = (run, event) => {
  if (event.args[3] === 0 && event.args[2] !== 0) run.groups.hit(habits.shrinkToZero, event)
}

const freeOfNull: Habit = (run, event) => {
  if (event.args[2] === 0) run.groups.hit(habits.freeNull, event)
}

/** Flags of LocalAlloc and GlobalAlloc, or of their ReAlloc, which knows LMEM_MODIFY and for which LMEM_MOVEABLE is a CE flag (LR-4). */
function memoryFlags(at: number, resizing: boolean): Habit {
  const listed = resizing ? GMEM_ZEROINIT | GMEM_MOVEABLE | GMEM_MODIFY : GMEM_ZEROINIT
  return (run, event) => {
    const odd = event.args[at]! & ~listed
    if (odd === 0) return
    const movable = (odd & (GMEM_MOVEABLE | LMEM_DISCARDABLE)) !== 0
    const group = run.groups.hit(movable ? habits.moveable : habits.oddFlags, event)
    if (run.groups.fresh && !movable) group.onCe = `the flags ${hex(odd >>> 0)} are ignored (our choice, the documentation is silent)`
  }
}

/** A function whose answer is always 0 on CE. */
function answersZero(name: 'unlock' | 'memoryFlags'): Habit {
  return (run, event) => {
    if (event.result === undefined || event.result === 0) return
    const group = run.groups.hit(habits[name], event)
    if (run.groups.fresh) group.onCe = `${habits[name].onCe}, where the recording has ${event.result}`
  }
}

const taskRealloc: Habit = (run, event) => {
  if (event.args[1] === 0 && event.args[0] !== 0) run.groups.hit(habits.realloc0, event)
}

/** A walk with the desktop's parameters; a recording of the emulator has CE's. */
function desktopWalk(parameters: number): Habit {
  return (run, event) => {
    if (event.args.length <= parameters) run.groups.hit(habits.heap32, event)
  }
}

/** The blocks of the spy outlive it (SP-5). */
const revoke: Habit = (run, event) => {
  if (event.result === E_ACCESSDENIED) run.groups.hit(habits.pendingRevoke, event)
}

const globalMacro = always('globalMacro')
const absent = always('absentHeap')
const spin = always('spinCount')

/** What the arguments of each call show by themselves. Calls that are not here show nothing. */
export const porting: Readonly<Record<string, Habit>> = {
  HeapCreate: all(heapFlags(0, HEAP_SHARED_READONLY | HEAP_CREATE_ENABLE_EXECUTE | HEAP_GROWABLE), createFlags, size(1), size(2)),
  CeHeapCreate: all(always('ceOnly'), size(1), size(2)),
  HeapAlloc: all(heapFlags(1, HEAP_ZERO_MEMORY), size(2), zeroBytes(2)),
  HeapReAlloc: all(heapFlags(1, HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY), size(3), resizeToZero),
  HeapFree: all(heapFlags(1, 0), freeOfNull),
  HeapSize: (run, event) => {
    if (((event.args[1]! | 0) & HEAP_NO_SERIALIZE) !== 0) run.groups.hit(habits.noSerialize, event)
  },
  HeapValidate: heapFlags(1, 0),
  HeapCompact: heapFlags(1, 0),
  HeapLock: absent,
  HeapUnlock: absent,
  HeapWalk: absent,
  HeapSummary: absent,
  HeapSetInformation: absent,
  HeapQueryInformation: absent,
  GetProcessHeaps: absent,
  LocalAlloc: all(memoryFlags(0, false), size(1), zeroBytes(1)),
  LocalReAlloc: all(memoryFlags(2, true), size(1)),
  LocalUnlock: answersZero('unlock'),
  LocalFlags: answersZero('memoryFlags'),
  LocalCompact: always('localObsolete'),
  LocalShrink: always('localObsolete'),
  GlobalAlloc: all(globalMacro, memoryFlags(0, false), size(1), zeroBytes(1)),
  GlobalReAlloc: all(globalMacro, memoryFlags(2, true), size(1)),
  GlobalFree: globalMacro,
  GlobalSize: globalMacro,
  GlobalLock: globalMacro,
  GlobalUnlock: all(globalMacro, answersZero('unlock')),
  GlobalHandle: globalMacro,
  GlobalFlags: all(globalMacro, answersZero('memoryFlags')),
  GlobalCompact: always('localObsolete'),
  GlobalMemoryStatusEx: always('globalStatusEx'),
  ...virtualPorting,
  CeVirtualSharedAlloc: always('ceOnly'),
  Heap32First: desktopWalk(3),
  Heap32Next: desktopWalk(1),
  InitializeCriticalSectionAndSpinCount: spin,
  InitializeCriticalSectionEx: spin,
  CoRegisterMallocSpy: always('spy'),
  CoRevokeMallocSpy: revoke,
  CoTaskMemAlloc: size(0),
  CoTaskMemRealloc: all(size(1), taskRealloc),
  malloc: all(size(0), zeroBytes(0)),
  realloc: size(1)
}
