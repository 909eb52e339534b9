import type { TraceEvent } from '../trace/event.ts'
import { faults } from './faults.ts'
import type { TraceHeap } from './heaps.ts'
import type { Block } from './ledger.ts'
import type { TraceProcess } from './process.ts'
import type { Run } from './run.ts'
import type { Verdict } from './verdict.ts'
import { bytesText, hex } from './words.ts'

/** How a call treats its pointer, and with which verdict a bad one is reported. */
export interface PointerUse {
  /** The rule for a bad pointer, where it is not C-5. */
  readonly bad: Verdict | undefined
  readonly frees: boolean
  /** What the system allocates inside its own functions ends in this call too (strdup and free, FormatMessage and LocalFree). */
  readonly endsHidden: boolean
}

/**
 * A call was given a pointer that is no live block of the recording. Where the recording itself worked with it, the block came from before
 * its beginning, or from inside a call that it shows only from outside: nothing of the program's is wrong (C-40). Else it is reported.
 */
export function reportPointer(
  run: Run,
  process: TraceProcess,
  event: TraceEvent,
  pointer: number,
  heap: TraceHeap | undefined,
  failed: boolean,
  use: PointerUse
): void {
  const { groups } = run
  const block = process.ledger.find(pointer)
  if (block === undefined && !failed) {
    run.unknownPointers++
    return
  }
  if (block !== undefined && !failed && use.endsHidden && !run.complete) {
    run.unknownPointers++
    const group = groups.hit(faults.perhapsFreedTwice, event)
    if (groups.fresh) group.onCe = `${freedBefore(process, block)}. ${faults.perhapsFreedTwice.onCe}`
    return
  }
  const usual = block === undefined ? faults.foreign : use.frees ? faults.freedTwice : faults.usedAfterFree
  const verdict = use.bad ?? usual
  const group = groups.hit(verdict, event)
  if (groups.fresh)
    group.onCe = `${describe(process, pointer, block)}; ${verdict.onCe}${reused(process, heap ?? process.processHeap, block)}`
}

function describe(process: TraceProcess, pointer: number, block: Block | undefined): string {
  if (pointer === 0) return 'NULL is no block'
  if (block !== undefined) return freedBefore(process, block)
  const inside = process.ledger.around(pointer)
  if (inside === undefined) return `no call of the recording returned ${hex(pointer)}`
  return `${hex(pointer)} lies ${bytesText(pointer - inside.pointer)} inside the block ${hex(inside.pointer)} of ${bytesText(inside.size)}`
}

function freedBefore(process: TraceProcess, block: Block): string {
  const { call, site, position } = process.ledger.freeOf(block)
  return `${hex(block.pointer)} was freed before, by ${site === '' ? call : `${call} at ${site}`} (position ${position})`
}

/**
 * A bad call changes nothing in the emulator, so it is not made there. What is worth telling is when the freed address holds another block by
 * now, as it then would on a device: the second free takes that one.
 */
function reused(process: TraceProcess, heap: TraceHeap, block: Block | undefined): string {
  if (block === undefined || block.own === 0 || heap.own === 0 || process.ce.HeapValidate(heap.own, 0, block.own) === 0) return ''
  return '. By then another block of the program lies at that place, which would be freed under its owner'
}
