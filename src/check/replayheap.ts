import { HEAP_GROWABLE, HEAP_REALLOC_IN_PLACE_ONLY, HEAP_SIZE_FAILED } from '../constants.ts'
import type { TraceEvent } from '../trace/event.ts'
import { reportFailure, reportNoHeap, reportSuccess } from './failures.ts'
import { faults } from './faults.ts'
import { habits } from './habits.ts'
import { TraceHeap } from './heaps.ts'
import type { Block, Family } from './ledger.ts'
import { type PointerUse, reportPointer } from './pointers.ts'
import { fits } from './looks.ts'
import type { TraceProcess } from './process.ts'
import type { Replay, Run } from './run.ts'
import { inProgram } from './sites.ts'
import { bytesText } from './words.ts'

const frees: PointerUse = { bad: undefined, frees: true, endsHidden: false }
const looks: PointerUse = { bad: undefined, frees: false, endsHidden: false }
const resizes: PointerUse = { bad: faults.badResize, frees: false, endsHidden: false }

// A recording does not show what is in a block, so nothing is zeroed: HEAP_ZERO_MEMORY changes no answer.

/** The heap that a call names, or undefined when there is nothing to replay; what is wrong with the handle is reported. */
function heapOf(run: Run, process: TraceProcess, event: TraceEvent, failed: boolean): TraceHeap | undefined {
  const handle = event.args[0]!
  const worked = !failed && event.result !== undefined
  const heap = process.wasDestroyed(handle) && !worked ? undefined : process.heap(handle, failed)
  if (heap === undefined) {
    if (handle === 0 || process.wasDestroyed(handle)) {
      run.groups.hit(faults.badHeap, event)
    } else run.notReplayed++
  }
  return heap
}

export const heapCreate: Replay = (run, process, event) => {
  const [options, initial, maximum] = event.args as [number, number, number]
  if (event.result === undefined && process.expectProcessHeap()) return
  // Wine's heap log begins with the creation of the process heap itself.
  if (event.result !== undefined && event.via.endsWith('RtlCreateHeap') && (options & HEAP_GROWABLE) !== 0 && process.isFirst()) {
    process.bindProcessHeap(event.result)
    return
  }
  const own = fits(initial) && fits(maximum) ? process.ce.HeapCreate(options & 1, initial, maximum) : 0
  if (event.result === 0) {
    if (own === 0) return
    process.ce.HeapDestroy(own)
    run.groups.hit(faults.createSucceeds, event)
    return
  }
  if (initial === 0) run.emptyHeaps++
  const heap = new TraceHeap(maximum === 0 ? 'growable' : 'fixed', own, event.result ?? 0, maximum, event.position)
  process.created(heap, event.result ?? 0)
  if (own === 0 && fits(initial) && fits(maximum)) reportNoHeap(run, process, event, initial, maximum)
}

export const heapDestroy: Replay = (run, process, event) => {
  const heap = heapOf(run, process, event, event.result === 0)
  if (heap === undefined) return
  if (heap === process.processHeap) {
    run.groups.hit(faults.processHeap, event)
    process.ce.HeapDestroy(heap.own)
    process.raised.length = 0
  } else if (event.result === 0) run.groups.hit(faults.refused, event)
  else process.end(heap, event.call, event.site, event.position)
}

/** Books what an allocation gave in the recording and in the emulator. Precondition: the result is known. */
export function settle(run: Run, process: TraceProcess, event: TraceEvent, block: Block | undefined, heap: TraceHeap, own: number): void {
  const { size } = block ?? { size: 0 }
  if (block === undefined) {
    process.raised.length = 0
    if (own === 0) {
      if (event.call === 'HeapAlloc' && !run.profile.allocSetsError && heap.own !== 0) run.groups.hit(faults.silentFailure, event)
      return
    }
    process.ce.HeapFree(heap.own, 0, own)
    reportSuccess(run, event, heap)
    return
  }
  block.own = own
  if (own === 0) {
    if (heap.own === 0 || !fits(size)) run.notReplayed++
    else reportFailure(run, process, event, heap, size)
    process.raised.length = 0
    return
  }
  if (size > run.profile.bigBlock && heap.kind !== 'fixed') {
    heap.bigBlocks++
    const group = run.groups.hit(habits.bigBlock, event)
    if (run.groups.fresh) {
      group.onCe = `${bytesText(size)} are above the limit of ${bytesText(run.profile.bigBlock)}: the block lies outside the heap and costs whole 64 KB of address space`
    }
  }
}

export const heapAlloc: Replay = (run, process, event) => {
  const { result } = event
  const heap = heapOf(run, process, event, result === 0)
  if (heap === undefined) return
  if (result === undefined) {
    run.notReplayed++
    return
  }
  const size = event.args[2]!
  const block = result === 0 ? undefined : process.allocated(event, result, heap, size, 'heap')
  settle(run, process, event, block, heap, allocate(process, heap, size))
}

/** What the emulator gives; 0 where the heap could not be created or the size has more than 32 bits. */
export function allocate(process: TraceProcess, heap: TraceHeap, size: number): number {
  return heap.own !== 0 && fits(size) ? process.ce.HeapAlloc(heap.own, 0, size) : 0
}

/** A call used a block through another heap's handle. */
function wrongHeap(block: Block, heap: TraceHeap): boolean {
  return block.heap !== heap && block.family === 'heap' && block.own !== 0 && heap.own !== 0
}

/**
 * A block of COM's task allocator went to another family of functions, or the other way round. What the runtime or a DLL does inside its own
 * functions shows like that in a filtered relay log, so only the program's calls count there.
 */
export function reportMixed(run: Run, event: TraceEvent, { family, site }: Block, used: Family): void {
  if (family === used || (family !== 'com' && used !== 'com')) return
  if (!run.complete && !(inProgram(site) && inProgram(event.site))) return
  const group = run.groups.hit(habits.taskBlock, event)
  if (run.groups.fresh && used === 'com') group.onCe = `the block came from elsewhere: ${habits.taskBlock.onCe}`
}

export const heapFree: Replay = (run, process, event) => {
  const failed = event.result === 0
  const heap = heapOf(run, process, event, failed)
  const pointer = event.args[2]!
  if (heap === undefined || pointer === 0) return
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, heap, failed, frees)
    return
  }
  if (wrongHeap(block, heap)) run.groups.hit(faults.otherHeap, event)
  else if (failed) run.groups.hit(faults.refused, event)
  if (failed) return
  reportMixed(run, event, block, 'heap')
  if (block.own === 0) run.notReplayed++
  process.freed(block, event)
}

export const heapReAlloc: Replay = (run, process, event) => {
  const { result, args } = event
  const failed = result === 0
  const heap = heapOf(run, process, event, failed)
  const pointer = args[2]!
  if (heap === undefined) return
  if (pointer === 0) {
    run.groups.hit(faults.resizeNull, event)
    // What follows on that block would differ on CE: it is known, and left out.
    if (!failed && result !== undefined) process.allocated(event, result, heap, args[3]!, 'heap')
    return
  }
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, heap, failed, resizes)
    if (!failed && result !== undefined) adopt(run, process, event, result, heap, args[3]!)
    return
  }
  if (result === undefined) {
    run.notReplayed++
    return
  }
  if (wrongHeap(block, heap)) run.groups.hit(faults.otherHeap, event)
  const flags = args[1]! & HEAP_REALLOC_IN_PLACE_ONLY
  const own = block.own === 0 || !fits(args[3]!) ? 0 : process.ce.HeapReAlloc(block.heap.own, flags, block.own, args[3]!)
  resized(run, process, event, block, own, args[3]!, flags !== 0 ? 'in place' : 'moving')
}

/** A block that came from out of sight was resized: from here on it is known. */
export function adopt(run: Run, process: TraceProcess, event: TraceEvent, result: number, heap: TraceHeap, size: number): void {
  const block = process.allocated(event, result, heap, size, 'heap')
  settle(run, process, event, block, heap, allocate(process, heap, size))
}

/** Books a resizing. `own` is the emulator's answer; `manner` says what could stand in its way. Precondition: the result is known. */
export function resized(
  run: Run,
  process: TraceProcess,
  event: TraceEvent,
  block: Block,
  own: number,
  size: number,
  manner: 'in place' | 'moving' | 'not moveable'
): void {
  const { groups } = run
  const { heap } = block
  const result = event.result!
  const known = block.own !== 0
  if (result === 0) {
    if (own === 0) {
      process.raised.length = 0
      return
    }
    block.own = own
    reportSuccess(run, event, heap)
    return
  }
  if (!known) run.notReplayed++
  else if (own === 0) {
    process.raised.length = 0
    if (!fits(size)) run.notReplayed++
    else if (manner === 'in place') groups.hit(faults.cannotGrowInPlace, event)
    else if (manner === 'not moveable') groups.hit(faults.cannotMove, event)
    else reportFailure(run, process, event, heap, size)
    // What follows would differ for this block alone: one finding says it.
    process.ce.HeapFree(heap.own, 0, block.own)
  }
  const { family } = block
  if (result === block.pointer) {
    block.own = own
    process.describe(block, event, size)
    return
  }
  process.ledger.release(block, event.call, event.site, event.position)
  const moved = process.allocated(event, result, heap, size, family)
  heap.allocations--
  moved.own = own
}

/** Compares what a size query answered; 0xFFFFFFFF and 0 are failures, as `failed` says. */
export function compareSize(run: Run, process: TraceProcess, event: TraceEvent, block: Block, failed: boolean, own: number): void {
  process.raised.length = 0
  if (failed) {
    run.groups.hit(faults.refused, event)
    return
  }
  if (block.own === 0) {
    run.notReplayed++
    return
  }
  const { result } = event
  if (result === undefined || result === own) return
  const rounded = own === Math.ceil(Math.max(block.size, 1) / 32) * 32
  const group = run.groups.hit(rounded ? faults.roundedSize : faults.otherSize, event)
  if (run.groups.fresh) group.onCe = `returns ${own}, where ${block.size} were asked for and the recording has ${result}`
}

export const heapSize: Replay = (run, process, event) => {
  const failed = event.result !== undefined && event.result >= HEAP_SIZE_FAILED
  const heap = heapOf(run, process, event, failed)
  const pointer = event.args[2]!
  if (heap === undefined) return
  if (pointer === 0) {
    run.groups.hit(faults.sizeFails, event)
    return
  }
  const block = process.ledger.find(pointer)
  if (block === undefined || block.freed) {
    reportPointer(run, process, event, pointer, heap, failed, looks)
    return
  }
  if (wrongHeap(block, heap)) run.groups.hit(faults.otherHeap, event)
  compareSize(run, process, event, block, failed, block.own === 0 ? 0 : process.ce.HeapSize(block.heap.own, 0, block.own))
}

/** The books of the emulator are out of the program's reach, so only the recording can tell of a damaged heap. */
export const heapValidate: Replay = (run, process, event) => {
  const heap = heapOf(run, process, event, event.result === 0)
  if (heap === undefined || event.result !== 0) return
  const pointer = event.args[2]!
  const block = process.ledger.find(pointer)
  if (pointer === 0 || (block !== undefined && !block.freed && block.heap === heap)) run.groups.hit(faults.damagedHeap, event)
}

export const heapCompact: Replay = (run, process, event) => {
  const heap = heapOf(run, process, event, false)
  if (heap === undefined) return
  if (heap.own === 0) {
    run.notReplayed++
    return
  }
  const own = process.ce.HeapCompact(heap.own, 0)
  const group = run.groups.hit(own === 0 && event.result !== 0 ? faults.compactZero : faults.compact, event)
  if (run.groups.fresh && own !== 0) group.onCe = `returns ${own}, the largest committed free block; it would return 0 if nothing were free`
}

export const getProcessHeap: Replay = (_run, process, event) => {
  if (event.result !== undefined && event.result !== 0) process.bindProcessHeap(event.result)
}
