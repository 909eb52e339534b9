import type { TraceEvent } from '../trace/event.ts'
import { faults } from './faults.ts'
import { habits } from './habits.ts'
import type { Block, Family } from './ledger.ts'
import { type PointerUse, reportPointer } from './pointers.ts'
import { fits } from './looks.ts'
import type { TraceProcess } from './process.ts'
import { adopt, allocate, compareSize, reportMixed, resized, settle } from './replayheap.ts'
import type { Replay, Run } from './run.ts'
import { inProgram } from './sites.ts'

// The C runtime's functions and COM's task allocator are replayed on the process heap (C-26).
const crtFrees: PointerUse = { bad: undefined, frees: true, endsHidden: true }
const crtUses: PointerUse = { bad: undefined, frees: false, endsHidden: true }
const comUses: PointerUse = { bad: faults.badTask, frees: false, endsHidden: true }

function allot(run: Run, process: TraceProcess, event: TraceEvent, size: number, family: Family): void {
  const { result } = event
  if (result === undefined) {
    run.notReplayed++
    return
  }
  const heap = process.processHeap
  const block = result === 0 ? undefined : process.allocated(event, result, heap, size, family)
  settle(run, process, event, block, heap, allocate(process, heap, size))
}

/**
 * HeapAlloc took the block from another heap than the runtime's. In a relay log that holds for the program's own calls alone: a filtered log shows
 * what a function of the runtime takes from the runtime's heap, as _strdup does, like a call of the program's.
 */
function foreign(run: Run, process: TraceProcess, { heap, family, site, own }: Block): boolean {
  return heap !== process.processHeap && family === 'heap' && own !== 0 && (run.complete || inProgram(site))
}

function free(run: Run, process: TraceProcess, event: TraceEvent, family: Family, use: PointerUse): void {
  const pointer = event.args[0]!
  if (pointer === 0) return
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, undefined, false, use)
    return
  }
  if (foreign(run, process, block)) run.groups.hit(faults.notRuntime, event)
  reportMixed(run, event, block, family)
  if (block.own === 0) run.notReplayed++
  process.freed(block, event)
}

function reallocate(run: Run, process: TraceProcess, event: TraceEvent, family: Family, frees: PointerUse, uses: PointerUse): void {
  const { result } = event
  const [pointer, size] = event.args as [number, number]
  if (pointer === 0) {
    allot(run, process, event, size, family)
    return
  }
  if (size === 0 && (result === undefined || result === 0)) {
    // The desktop's realloc and CoTaskMemRealloc free the block (IM-5).
    free(run, process, event, family, frees)
    return
  }
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, undefined, false, uses)
    if (result !== undefined && result !== 0) adopt(run, process, event, result, process.processHeap, size)
    return
  }
  if (result === undefined) {
    run.notReplayed++
    return
  }
  if (foreign(run, process, block)) run.groups.hit(faults.notRuntime, event)
  reportMixed(run, event, block, family)
  resized(
    run,
    process,
    event,
    block,
    block.own === 0 || !fits(size) ? 0 : process.ce.HeapReAlloc(block.heap.own, 0, block.own, size),
    size,
    'moving'
  )
}

export const malloc: Replay = (run, process, event) => allot(run, process, event, event.args[0]!, 'crt')

export const calloc: Replay = (run, process, event) => {
  const bytes = event.args[0]! * event.args[1]!
  // A product that both sides refuse is no difference.
  if (!fits(bytes) && event.result !== 0) run.groups.hit(habits.size64, event)
  allot(run, process, event, bytes, 'crt')
}

export const realloc: Replay = (run, process, event) => reallocate(run, process, event, 'crt', crtFrees, crtUses)

export const crtFree: Replay = (run, process, event) => free(run, process, event, 'crt', crtFrees)

/** The size of a block, with how its pointer is used where it is none. */
function sizeOf(run: Run, process: TraceProcess, event: TraceEvent, use: PointerUse): void {
  const pointer = event.args[0]!
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, undefined, pointer === 0, use)
    return
  }
  compareSize(run, process, event, block, false, block.own === 0 ? 0 : process.ce.HeapSize(block.heap.own, 0, block.own))
}

export const msize: Replay = (run, process, event) => sizeOf(run, process, event, crtUses)

export const taskAlloc: Replay = (run, process, event) => allot(run, process, event, event.args[0]!, 'com')

export const taskRealloc: Replay = (run, process, event) => reallocate(run, process, event, 'com', comUses, comUses)

export const taskFree: Replay = (run, process, event) => free(run, process, event, 'com', comUses)

/** NULL is allowed and gives -1 (IM-9). */
export const taskSize: Replay = (run, process, event) => {
  if (event.args[0] !== 0) sizeOf(run, process, event, comUses)
}

/** Without a last error of its own (C-52). */
export const taskMinimize: Replay = (_run, process) => {
  process.ce.HeapCompact(process.processHeap.own, 0)
  process.raised.length = 0
}
