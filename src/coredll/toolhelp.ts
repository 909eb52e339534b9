import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NO_MORE_FILES,
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
import { firstFault } from '../machine/access.ts'
import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { fail, needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'
import type { Taker } from './out.ts'
import { frozen } from './snapshot.ts'
import { HEAPENTRY32, HEAPLIST32 } from './structures.ts'
import type { HeapEntry32 } from './structures.ts'

/** The id of the emulated process as tool help tells it (C-73). */
export const PROCESS_ID = 0x00400002

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
  const heaps = wantsHeaps(dwFlags) ? listHeaps(ce) : []
  // Ends in 01: neither a pointer nor a heap's handle. The thread's id keeps two workers from giving out the same one.
  const handle = (((++table.made & 0xfffff) << 12) | ((ce.tid & 0x3ff) << 2) | 1) >>> 0
  table.open.set(handle, { heaps, nextHeap: 0, walked: undefined, nextBlock: 0 })
  return handle
}

function listHeaps(ce: Caller): HeapList[] {
  const { machine } = ce
  return frozen(machine, ce.tid, (records) =>
    records.map((record) => {
      const handle = machine.sys[record + REC.HANDLE] as number
      return {
        id: heapId(handle),
        isDefault: handle === machine.sys[HDR.PROCESS_HEAP],
        // What a fixed heap spends on itself is no item of it.
        blocks: [...blocksOf(machine, record)].filter(({ state }) => state !== 'control')
      }
    })
  )
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

/** Whether the structure can be written and its dwSize holds all of it (TH-11, C-62); raises what is wrong. */
function ready(ce: Taker, call: CallName, pointer: number, size: number): boolean {
  if (firstFault(ce.machine, pointer, size, 'write') >= 0) {
    ce.raise('badOut', call, pointer, size)
    return false
  }
  const told = ce.memory.readU32(pointer)
  if (told < size) ce.raise('dwSize', call, told, size)
  return told >= size
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
  if (!ready(ce, call, lphl, HEAPLIST32.size)) return fail(ce, ERROR_INVALID_PARAMETER)
  const at = first ? 0 : snapshot.nextHeap
  const heap = snapshot.heaps[at]
  if (heap === undefined) return fail(ce, ERROR_NO_MORE_FILES)
  HEAPLIST32.write(ce.memory, lphl, {
    dwSize: HEAPLIST32.size,
    th32ProcessID: PROCESS_ID,
    th32HeapID: heap.id,
    dwFlags: heap.isDefault ? HF32_DEFAULT : 0
  })
  snapshot.nextHeap = at + 1
  return 1
}

export function entryFirst(ce: Taker, hSnapshot: number, lphe: number, th32ProcessID: number, th32HeapID: number): number {
  const call = 'Heap32First'
  if (!isDword(lphe)) throw notDword(call, 'lphe', lphe)
  if (!isDword(th32ProcessID)) throw notDword(call, 'th32ProcessID', th32ProcessID)
  if (!isDword(th32HeapID)) throw notDword(call, 'th32HeapID', th32HeapID)
  const snapshot = snapshotOf(ce, call, hSnapshot)
  if (snapshot === undefined) return 0
  if (!ready(ce, call, lphe, HEAPENTRY32.size)) return fail(ce, ERROR_INVALID_PARAMETER)
  const own = th32ProcessID === 0 || th32ProcessID === PROCESS_ID
  const heap = own ? snapshot.heaps.find(({ id }) => id === th32HeapID) : undefined
  if (heap === undefined) {
    // The usual mistake: HeapCreate's handle in place of the list's id.
    if (snapshot.heaps.some(({ id }) => id === heapId(th32HeapID))) ce.raise('heapIdIsHandle', call, th32HeapID)
    return fail(ce, ERROR_NO_MORE_FILES)
  }
  return entryAt(ce, snapshot, heap, 0, lphe)
}

export function entryNext(ce: Taker, hSnapshot: number, lphe: number): number {
  const call = 'Heap32Next'
  if (!isDword(lphe)) throw notDword(call, 'lphe', lphe)
  const snapshot = snapshotOf(ce, call, hSnapshot)
  if (snapshot === undefined) return 0
  if (!ready(ce, call, lphe, HEAPENTRY32.size)) return fail(ce, ERROR_INVALID_PARAMETER)
  if (snapshot.walked === undefined) return fail(ce, ERROR_NO_MORE_FILES)
  return entryAt(ce, snapshot, snapshot.walked, snapshot.nextBlock, lphe)
}

function entryAt(ce: Taker, snapshot: Snapshot, heap: HeapList, at: number, lphe: number): number {
  const block = heap.blocks[at]
  if (block === undefined) return fail(ce, ERROR_NO_MORE_FILES)
  HEAPENTRY32.write(ce.memory, lphe, entryOf(heap, block))
  // Only now: a bad pointer must not cost the caller an entry.
  snapshot.walked = heap
  snapshot.nextBlock = at + 1
  return 1
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
