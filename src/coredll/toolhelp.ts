import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NO_MORE_FILES,
  ERROR_NOT_ENOUGH_MEMORY,
  ERROR_SUCCESS,
  HF32_DEFAULT,
  INVALID_HANDLE_VALUE,
  LF32_BIGBLOCK,
  LF32_DECOMMIT,
  LF32_FIXED,
  LF32_FREE,
  TH32CS_GETALLMODS,
  TH32CS_SNAPALL,
  TH32CS_SNAPHEAPLIST,
  TH32CS_SNAPNOHEAPS,
  TH32CS_SNAPPROCESS
} from '../constants.ts'
import { isDword, notDword } from '../errors.ts'
import { REC } from '../heap/record.ts'
import { blocksOf } from '../heap/walk.ts'
import type { BlockInfo } from '../heap/walk.ts'
import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { enter, leave } from '../machine/section.ts'
import { fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'
import { OutPointer } from './out.ts'
import type { Taker } from './out.ts'
import { PROCESS_ID } from './processid.ts'
import { frozen } from './snapshot.ts'
import type { Structure } from './structure.ts'
import { HEAPENTRY32, HEAPLIST32 } from './structures.ts'
import type { HeapEntry32, HeapList32 } from './structures.ts'
import { whoIn } from './who.ts'

interface HeapList {
  readonly id: number
  readonly isDefault: boolean
  readonly blocks: readonly BlockInfo[]
}

/** One moment of all heaps, and how far the two walks over it have come. */
interface Snapshot {
  readonly heaps: readonly HeapList[]
  nextHeap: number
  /** The heap that Heap32Next goes on with; undefined before the first Heap32First. */
  walked: HeapList | undefined
  nextBlock: number
}

interface Table {
  readonly open: Map<number, Snapshot>
  made: number
}

// By system memory: all threads of the process in this JS thread use each other's snapshots. Those of a worker live in the worker (C-74).
const tables = new WeakMap<WebAssembly.Memory, Table>()

function tableOf(machine: Machine): Table {
  const known = tables.get(machine.system)
  if (known !== undefined) return known
  const table: Table = { open: new Map(), made: 0 }
  tables.set(machine.system, table)
  return table
}

/** The highest number of a snapshot; each is free again once its snapshot is closed. */
const NUMBERS = 0xfffff

const LISTED = TH32CS_SNAPALL | TH32CS_GETALLMODS | TH32CS_SNAPNOHEAPS

/** TH-3: a snapshot of the processes carries their heaps, unless it was asked not to. */
function wantsHeaps(flags: number): boolean {
  return (flags & TH32CS_SNAPHEAPLIST) !== 0 || ((flags & TH32CS_SNAPPROCESS) !== 0 && (flags & TH32CS_SNAPNOHEAPS) === 0)
}

export function createSnapshot(ce: Taker, dwFlags: number, th32ProcessID: number): number {
  const call = 'CreateToolhelp32Snapshot'
  if (!isDword(dwFlags)) throw notDword(call, 'dwFlags', dwFlags)
  if (!isDword(th32ProcessID)) throw notDword(call, 'th32ProcessID', th32ProcessID)
  needOpen(ce, call)
  if ((dwFlags & ~LISTED) !== 0) ce.raise('unlistedFlags', call, dwFlags & ~LISTED)
  const foreign = th32ProcessID !== 0 && th32ProcessID !== PROCESS_ID && (dwFlags & TH32CS_SNAPHEAPLIST) !== 0
  if ((dwFlags & TH32CS_SNAPALL) === 0 || foreign) {
    fail(ce, ERROR_INVALID_PARAMETER)
    return INVALID_HANDLE_VALUE
  }
  const table = tableOf(ce.machine)
  if (table.open.size > NUMBERS) {
    fail(ce, ERROR_NOT_ENOUGH_MEMORY)
    return INVALID_HANDLE_VALUE
  }
  const heaps = wantsHeaps(dwFlags) ? listHeaps(ce) : []
  let handle: number
  // Ends in 01: neither a pointer nor a heap's handle. The thread's id keeps two threads at once from giving out the same one.
  do handle = (((++table.made & NUMBERS) << 12) | ((ce.tid & 0x3ff) << 2) | 1) >>> 0
  while (table.open.has(handle))
  table.open.set(handle, { heaps, nextHeap: 0, walked: undefined, nextBlock: 0 })
  return handle
}

function listHeaps(ce: Caller): HeapList[] {
  const { machine } = ce
  const listed = (record: number): HeapList => {
    const handle = machine.sys[record + REC.HANDLE] as number
    return {
      id: heapId(handle),
      isDefault: handle === machine.sys[HDR.PROCESS_HEAP],
      // What a fixed heap spends on itself is no item of it.
      blocks: [...blocksOf(machine, record)].filter(({ state }) => state !== 'control')
    }
  }
  // A call of the program's: it waits as long as any.
  return frozen(machine, ce.tid, (records) => records.map(listed), Number.POSITIVE_INFINITY)
}

/** Not a heap handle (TH-16): another number for each heap that ever lives, so that code which takes one for the other shows. */
function heapId(handle: number): number {
  return ((handle >>> 2) + 1) * 4
}

/** The snapshot behind a handle; undefined, with the last error set, for anything else (C-74). */
function snapshotOf(ce: Caller, call: CallName, hSnapshot: number): Snapshot | undefined {
  if (!isDword(hSnapshot)) throw notDword(call, 'hSnapshot', hSnapshot)
  needOpen(ce, call)
  const found = tableOf(ce.machine).open.get(hSnapshot)
  if (found === undefined) {
    ce.raise('badSnapshot', call, hSnapshot)
    fail(ce, ERROR_INVALID_HANDLE)
  }
  return found
}

/**
 * Writes `values` to the structure at `pointer`, whose dwSize must say that it holds all of them (TH-11). FALSE and ERROR_NO_MORE_FILES if there
 * are none; what is wrong with the pointer comes first (C-62).
 */
function answer<T extends { readonly [K in keyof T]: number }>(
  ce: Taker,
  call: CallName,
  pointer: number,
  structure: Structure<T>,
  values: T | undefined
): number {
  const { size } = structure
  const out = new OutPointer(ce, call, pointer, size)
  let told = size
  let code: number = ERROR_INVALID_PARAMETER
  enter(ce.machine, HDR.LOCK, whoIn(ce, call))
  out.write(() => {
    told = ce.memory.readU32(pointer)
    if (told < size) return
    code = values === undefined ? ERROR_NO_MORE_FILES : ERROR_SUCCESS
    if (values !== undefined) structure.write(ce.memory, pointer, values)
  })
  leave(ce.machine, HDR.LOCK)
  out.tell()
  if (told < size) ce.raise('dwSize', call, told, size)
  return code === ERROR_SUCCESS ? 1 : fail(ce, code)
}

export function listFirst(ce: Taker, hSnapshot: number, lphl: number): number {
  return listFrom(ce, 'Heap32ListFirst', hSnapshot, lphl, true)
}

export function listNext(ce: Taker, hSnapshot: number, lphl: number): number {
  return listFrom(ce, 'Heap32ListNext', hSnapshot, lphl, false)
}

function listFrom(ce: Taker, call: CallName, hSnapshot: number, lphl: number, first: boolean): number {
  if (!isDword(lphl)) throw notDword(call, 'lphl', lphl)
  const snapshot = snapshotOf(ce, call, hSnapshot)
  if (snapshot === undefined) return 0
  const at = first ? 0 : snapshot.nextHeap
  const heap = snapshot.heaps[at]
  const answered = answer(ce, call, lphl, HEAPLIST32, heap && listOf(heap))
  // A bad pointer must not cost the caller a heap.
  if (answered !== 0) snapshot.nextHeap = at + 1
  return answered
}

function listOf({ id, isDefault }: HeapList): HeapList32 {
  return { dwSize: HEAPLIST32.size, th32ProcessID: PROCESS_ID, th32HeapID: id, dwFlags: isDefault ? HF32_DEFAULT : 0 }
}

export function entryFirst(ce: Taker, hSnapshot: number, lphe: number, th32ProcessID: number, th32HeapID: number): number {
  const call = 'Heap32First'
  if (!isDword(lphe)) throw notDword(call, 'lphe', lphe)
  if (!isDword(th32ProcessID)) throw notDword(call, 'th32ProcessID', th32ProcessID)
  if (!isDword(th32HeapID)) throw notDword(call, 'th32HeapID', th32HeapID)
  const snapshot = snapshotOf(ce, call, hSnapshot)
  if (snapshot === undefined) return 0
  const own = th32ProcessID === 0 || th32ProcessID === PROCESS_ID
  const heap = own ? snapshot.heaps.find(({ id }) => id === th32HeapID) : undefined
  const answered = entryAt(ce, call, snapshot, heap, 0, lphe)
  // The usual mistake: HeapCreate's handle in place of the list's id.
  if (heap === undefined && snapshot.heaps.some(({ id }) => id === heapId(th32HeapID))) ce.raise('heapIdIsHandle', call, th32HeapID)
  return answered
}

export function entryNext(ce: Taker, hSnapshot: number, lphe: number): number {
  const call = 'Heap32Next'
  if (!isDword(lphe)) throw notDword(call, 'lphe', lphe)
  const snapshot = snapshotOf(ce, call, hSnapshot)
  if (snapshot === undefined) return 0
  return entryAt(ce, call, snapshot, snapshot.walked, snapshot.nextBlock, lphe)
}

function entryAt(ce: Taker, call: CallName, snapshot: Snapshot, heap: HeapList | undefined, at: number, lphe: number): number {
  const block = heap?.blocks[at]
  const answered = answer(ce, call, lphe, HEAPENTRY32, heap && block && entryOf(heap, block))
  // A bad pointer must not cost the caller an entry.
  if (answered !== 0) {
    snapshot.walked = heap
    snapshot.nextBlock = at + 1
  }
  return answered
}

function entryOf(heap: HeapList, { address, size, state, holes }: BlockInfo): HeapEntry32 {
  const flags = state === 'free' ? LF32_FREE | (holes ? LF32_DECOMMIT : 0) : LF32_FIXED | (state === 'big' ? LF32_BIGBLOCK : 0)
  return {
    dwSize: HEAPENTRY32.size,
    // CE has no movable blocks: the handle of a block is its address (TH-12).
    hHandle: address,
    dwAddress: address,
    dwBlockSize: size,
    dwFlags: flags,
    dwLockCount: 0,
    dwResvd: 0,
    th32ProcessID: PROCESS_ID,
    th32HeapID: heap.id
  }
}

export function closeSnapshot(ce: Caller, hSnapshot: number): number {
  if (snapshotOf(ce, 'CloseToolhelp32Snapshot', hSnapshot) === undefined) return 0
  tableOf(ce.machine).open.delete(hSnapshot)
  return 1
}
