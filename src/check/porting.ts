import {
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
  LMEM_DISCARDABLE,
  MEM_COMMIT,
  MEM_RESERVE,
  MEM_RESET
} from '../constants.ts'
import { habits } from './habits.ts'
import type { Habit } from './run.ts'
import { hex } from './words.ts'

const sizeLimit = 0x100000000

/** Whether a size has 32 bits, as sizes on CE do (W-15); what has more cannot be given to the emulator. */
export function fits(size: number): boolean {
  return size < sizeLimit
}

const SNAPPROCESS = 0x2
const SNAPNOHEAPS = 0x40000000
const INHERIT = 0x80000000

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

/** The size that a call takes at this place. */
function size(at: number): Habit {
  return (run, event) => {
    if (fits(event.args[at]!)) return
    const group = run.groups.hit(habits.size64, event)
    if (run.groups.fresh)
      group.onCe = `the size is cut to ${event.args[at]! % sizeLimit} bytes: a much smaller block or an error comes back`
  }
}

/** One habit after the other, all of them. */
function all(...list: readonly Habit[]): Habit {
  return (run, event) => {
    for (const habit of list) habit(run, event)
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

const virtualAlloc =
  (at: number): Habit =>
  (run, event) => {
    const bytes = event.args[at]!
    const type = event.args[at + 1]!
    if (bytes === 0) run.groups.hit(habits.virtualZero, event)
    if ((type & MEM_RESET) !== 0) run.groups.hit(habits.memReset, event)
    else if (event.args[at - 1] === 0 && (type & (MEM_COMMIT | MEM_RESERVE)) === MEM_COMMIT) {
      run.groups.hit(run.profile.name === 'ce-5.0' ? habits.commitNullCe5 : habits.commitNull, event)
    }
  }

const reserves: Habit = (run, event) => run.reservations.allocated(event)

const releases: Habit = (run, event) => {
  if (run.reservations.freed(event)) run.groups.hit(habits.mixedRelease, event)
}

const since6: Habit = (run, event) => {
  if (run.profile.name === 'ce-5.0') run.groups.hit(habits.virtualEx, event)
}

const snapshot: Habit = (run, event) => {
  const flags = event.args[0]! | 0
  const group = run.groups.hit(habits.snapshot, event)
  if (run.groups.fresh && (flags & SNAPPROCESS) !== 0 && (flags & SNAPNOHEAPS) === 0) {
    group.onCe += '; without TH32CS_SNAPNOHEAPS it also holds the heaps of every process'
  }
  if ((flags & INHERIT) !== 0) run.groups.hit(habits.inherit, event)
}

const taskRealloc: Habit = (run, event) => {
  if (event.args[1] === 0 && event.args[0] !== 0) run.groups.hit(habits.realloc0, event)
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
  VirtualAlloc: all(virtualAlloc(1), size(1), reserves),
  VirtualAllocEx: all(since6, virtualAlloc(2), size(2)),
  VirtualFree: all(size(1), releases),
  VirtualFreeEx: all(since6, size(2)),
  VirtualProtect: size(1),
  VirtualProtectEx: all(since6, size(2)),
  VirtualQuery: always('virtualQuery'),
  CeVirtualSharedAlloc: always('ceOnly'),
  CreateToolhelp32Snapshot: snapshot,
  Heap32First: always('heap32'),
  Heap32Next: always('heap32'),
  InitializeCriticalSectionAndSpinCount: spin,
  InitializeCriticalSectionEx: spin,
  CoTaskMemAlloc: size(0),
  CoTaskMemRealloc: all(size(1), taskRealloc),
  malloc: all(size(0), zeroBytes(0)),
  realloc: size(1)
}
