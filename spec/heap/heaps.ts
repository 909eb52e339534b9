import { type CeProcess, type CeThread, createProcess, type ProcessOptions, type Snapshot } from '../../src/index.ts'

/** One heap as a snapshot shows it. */
export type Shown = Snapshot['heaps'][number]

/** A process with one heap beside the process heap, and short names for the calls on it. */
export interface World {
  readonly process: CeProcess
  readonly ce: CeThread
  readonly heap: number
  readonly info: () => Shown
  readonly alloc: (bytes: number, flags?: number) => number
  readonly free: (pointer: number) => number
}

/** Sizes in bytes; a maximum of 0 makes a growable heap. User memory is 4 MB unless the options say otherwise. */
export function world(options: ProcessOptions = {}, maximum = 0, initial = 0): World {
  const process = createProcess({ memory: 4 * 1024 * 1024, ...options })
  const ce = process.thread
  const heap = ce.HeapCreate(0, initial, maximum)
  const info = (): Shown => {
    const found = process.snapshot().heaps.find(({ handle }) => handle === heap)
    if (found === undefined) throw new Error('the heap is not alive')
    return found
  }
  info()
  return {
    process,
    ce,
    heap,
    info,
    alloc: (bytes, flags = 0) => ce.HeapAlloc(heap, flags, bytes),
    free: (pointer) => ce.HeapFree(heap, 0, pointer)
  }
}
