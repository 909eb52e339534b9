import { FIXED_HEAP_LIMIT } from '../constants.ts'
import { memoryFigures } from '../coredll/figures.ts'
import { PAGE } from '../machine/layout.ts'
import type { TraceEvent } from '../trace/event.ts'
import { faults } from './faults.ts'
import type { TraceHeap } from './heaps.ts'
import type { TraceProcess } from './process.ts'
import type { Run } from './run.ts'
import type { Verdict } from './verdict.ts'
import { bytesText } from './words.ts'

/** Physical memory of the emulated process that is not committed. */
function freePhysical(run: Run, process: TraceProcess): number {
  return run.physical - memoryFigures(process.ce).committed
}

/** An allocation or a growth worked in the recording and not on CE: says why. */
export function reportFailure(run: Run, process: TraceProcess, event: TraceEvent, heap: TraceHeap, size: number): void {
  const { groups } = run
  if (heap.kind === 'fixed') {
    const tooLarge = size >= FIXED_HEAP_LIMIT
    const group = groups.hit(tooLarge ? faults.fixedLimit : faults.fixedFull, event)
    if (!groups.fresh) return
    group.onCe = tooLarge
      ? `${bytesText(size)} in one block are refused, as a heap with a maximum size gives less than 524,280 (0x7FFF8): NULL and ERROR_NOT_ENOUGH_MEMORY (8)`
      : `no free piece of ${bytesText(size)} is left in the ${bytesText(heap.maximum)} of the heap: NULL and ERROR_NOT_ENOUGH_MEMORY (8)`
    return
  }
  const space = run.profile.name === 'ce-5.0' ? faults.addressSpace5 : faults.addressSpace
  const short = freePhysical(run, process) < size + PAGE
  reportMemory(run, event, short ? faults.physical : space, short, size, size)
}

/** HeapCreate worked in the recording and not on CE. Of the maximum only address space is taken, of the initial size memory. */
export function reportNoHeap(run: Run, process: TraceProcess, event: TraceEvent, initial: number, maximum: number): void {
  if (maximum !== 0 && initial > maximum) {
    run.groups.hit(faults.initialAboveMaximum, event)
    return
  }
  const short = freePhysical(run, process) < initial + PAGE
  const verdict = run.profile.name === 'ce-5.0' && !short ? faults.addressSpace5 : faults.cannotCreate
  reportMemory(run, event, verdict, short, initial, Math.max(initial, maximum))
}

/** VirtualAlloc worked in the recording and not on CE. `commit` bytes were to be committed, `reserve` bytes of addresses taken. */
export function reportNoRegion(run: Run, process: TraceProcess, event: TraceEvent, commit: number, reserve: number): void {
  const short = freePhysical(run, process) < commit || reserve === 0
  const space = run.profile.name === 'ce-5.0' ? faults.addressSpace5 : faults.addressSpace
  reportMemory(run, event, short ? faults.physical : space, short, commit, reserve)
}

/** Neither a maximum size nor a wrong argument: physical memory is `short`, or address space is used up. */
function reportMemory(run: Run, event: TraceEvent, verdict: Verdict, short: boolean, commit: number, reserve: number): void {
  const group = run.groups.hit(verdict, event)
  if (!run.groups.fresh) return
  group.onCe = short
    ? `${bytesText(commit)} do not fit into what is left of ${bytesText(run.physical)} of physical memory: NULL`
    : `no range of addresses for ${bytesText(reserve)} is left in ${bytesText(run.memory)}: NULL`
}

/** It failed in the recording and works on CE. */
export function reportSuccess(run: Run, event: TraceEvent, heap: TraceHeap): void {
  run.groups.hit(heap.kind === 'fixed' ? faults.succeedsFixed : faults.succeedsGrowable, event)
}
