import { heapFigures } from '../coredll/figures.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { Block } from './ledger.ts'
import type { HeapReport } from './report.ts'
import { hex } from './words.ts'

/** One heap of the trace. */
export class TraceHeap {
  readonly kind: HeapReport['kind']
  readonly position: number
  readonly maximum: number
  /** In the recording; 0 while it is not known. */
  handle: number
  /** In the emulator; 0 where CE could not create it. */
  own: number
  destroyed = false
  allocations = 0
  frees = 0
  bigBlocks = 0
  /** Its live blocks, the youngest first. */
  first: Block | undefined = undefined

  constructor(kind: HeapReport['kind'], own: number, handle: number, maximum: number, position: number) {
    this.kind = kind
    this.own = own
    this.handle = handle
    this.maximum = maximum
    this.position = position
  }

  get name(): string {
    if (this.kind === 'process heap') return 'process heap'
    return this.handle === 0 ? `heap made at ${this.position}` : `heap ${hex(this.handle)}`
  }
}

/** What the emulator knows of a heap at this moment, with what was counted in the replay. */
export function heapReport(ce: CeThread, heap: TraceHeap, process: number): HeapReport {
  const figures = heapFigures(ce, heap.own) ?? NO_HEAP
  const { freeBytes, largestFree } = figures
  return {
    handle: heap.handle,
    name: heap.name,
    emulatedHandle: heap.own,
    process,
    kind: heap.kind,
    maximum: heap.maximum,
    ...figures,
    fragmentation: freeBytes === 0 ? 0 : 1 - largestFree / freeBytes,
    allocations: heap.allocations,
    frees: heap.frees,
    bigBlocks: heap.bigBlocks,
    destroyed: heap.destroyed,
    position: heap.position
  }
}

/** The figures of a heap that CE could not create. */
const NO_HEAP = { peakBytes: 0, peakCommitted: 0, liveBlocks: 0, liveBytes: 0, committed: 0, regions: 0, freeBytes: 0, largestFree: 0 }
