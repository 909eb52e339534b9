import { leaveByError } from '../machine/adrift.ts'
import { zeroGranules } from '../machine/fill.ts'
import { GRANULE, GRANULE_SHIFT } from '../machine/layout.ts'
import type { HotPath, Machine } from '../machine/machine.ts'
import { GrantLog } from '../machine/schedulegrants.ts'
import { GrantReader } from '../machine/schedulereader.ts'
import { enter, leave, TID } from '../machine/section.ts'
import { needLife, needTidy, settle, THREAD } from '../machine/threads.ts'
import { wakeOne } from '../machine/wait.ts'
import { allocate } from './allocate.ts'
import { freeBlock, liveBlock } from './free.ts'
import { brokenGuard } from './guard.ts'
import { HOT_CODE, HOT_LOG_CODE } from './hotcode.ts'
import { REC, recordOf, reheat } from './record.ts'

/**
 * HeapAlloc and HeapFree from the handle to the block: first the hot path, which is WebAssembly (hot.as) and answers 0 where anything is out of the
 * ordinary; then the plain path, which defines what happens. Where WebAssembly may not be compiled (a page's content security policy), and in a process whose
 * threads are scheduled or counted at every section, there is the plain path alone.
 */

/** No live heap has the handle; no address is negative. */
export const NO_HEAP = -1
/** The pointer is not a live block of the heap. */
export const NO_BLOCK = 0
export const FREED = 1

const compiled = new Map<string, WebAssembly.Module>()

/** Puts the machine's calls on the hot path, where they may go it; in a recorded process it writes their grants down. */
export function heat(machine: Machine): void {
  const { layout, heapsEnd, granules, system, sys, seat } = machine
  const log = seat instanceof GrantLog ? seat.place : undefined
  if (seat !== undefined && log === undefined && !(seat instanceof GrantReader)) return
  const heap = { ...layout, ...log, heapsEnd, granules, wake: (at: number) => wakeOne(sys, at) }
  try {
    const { alloc, free } = new WebAssembly.Instance(moduleOf(log === undefined ? HOT_CODE : HOT_LOG_CODE), {
      env: { memory: system },
      heap
    }).exports as unknown as HotPath
    machine.goBy({ alloc, free })
  } catch {
    // The plain path does the same.
  }
}

function moduleOf(code: string): WebAssembly.Module {
  const known = compiled.get(code)
  if (known !== undefined) return known
  const made = new WebAssembly.Module(Uint8Array.from(atob(code), (character) => character.charCodeAt(0)))
  compiled.set(code, made)
  return made
}

/**
 * Allocates `bytes` (0 to 2^32 - 1) from the heap `handle` and returns the block's address; 0 if there is not enough memory, NO_HEAP if no
 * live heap has the handle. The block is zeroed on demand only. Enters the heap's section and leaves it.
 */
export function allocateIn(machine: Machine, who: number, handle: number, bytes: number, zero: boolean): number {
  const pointer = machine.hot.alloc(who, handle, bytes)
  if (pointer === 0) return allocatePlainly(machine, who, handle, bytes, zero)
  if (zero) {
    // The block is the caller's, and nobody else has reason to look at it; but a loop is where a worker may be terminated, before its app has the address.
    machine.sys[machine.slot + THREAD.HANDOUT] = pointer >>> GRANULE_SHIFT
    zeroGranules(machine, pointer, Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE))
    machine.sys[machine.slot + THREAD.HANDOUT] = 0
  }
  return pointer
}

function allocatePlainly(machine: Machine, who: number, handle: number, bytes: number, zero: boolean): number {
  const record = recordOf(machine, handle)
  if (record === 0) return NO_HEAP
  needLife(machine, who & TID)
  needTidy(machine)
  enter(machine, record, who)
  let pointer: number
  try {
    reheat(machine, record)
    pointer = machine.sys[record + REC.HANDLE] === handle ? allocate(machine, who, record, bytes, zero) : NO_HEAP
  } catch (error) {
    leaveByError(machine, record, error)
    throw error
  }
  leave(machine, record)
  settle(machine)
  return pointer
}

/**
 * Frees the block at `pointer` in the heap `handle` and returns FREED, or the first overwritten address of its sentinel (debug builds), which is
 * freed all the same; NO_HEAP if no live heap has the handle, NO_BLOCK if the pointer is not a live block of it. Enters the heap's section and leaves it.
 */
export function freeIn(machine: Machine, who: number, handle: number, pointer: number): number {
  return machine.hot.free(who, handle, pointer) === 0 ? freePlainly(machine, who, handle, pointer) : FREED
}

function freePlainly(machine: Machine, who: number, handle: number, pointer: number): number {
  const record = recordOf(machine, handle)
  if (record === 0) return NO_HEAP
  needLife(machine, who & TID)
  enter(machine, record, who)
  let freed: number
  try {
    freed = machine.sys[record + REC.HANDLE] === handle ? freeHere(machine, who, record, pointer) : NO_HEAP
  } catch (error) {
    leaveByError(machine, record, error)
    throw error
  }
  leave(machine, record)
  return freed
}

function freeHere(machine: Machine, who: number, record: number, pointer: number): number {
  const block = liveBlock(machine, record, pointer)
  if (block === 0) return NO_BLOCK
  const broken = machine.sys[record + REC.GUARD] === 0 ? 0 : brokenGuard(machine, block)
  freeBlock(machine, who, record, block)
  return broken || FREED
}
