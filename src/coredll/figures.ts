import { REC, recordOf } from '../heap/record.ts'
import { reservationsOf } from '../heap/region.ts'
import { blockFigures, blocksOf } from '../heap/walk.ts'
import { HDR, PAGE } from '../machine/layout.ts'
import { availablePages } from '../machine/pressure.ts'
import { enter, leave } from '../machine/section.ts'
import { within } from './border.ts'
import type { Caller } from './caller.ts'

/** What a heap amounts to at a moment, without its list of blocks. In bytes and counts. */
export interface HeapFigures {
  readonly peakBytes: number
  readonly peakCommitted: number
  readonly liveBlocks: number
  readonly liveBytes: number
  readonly committed: number
  readonly regions: number
  readonly freeBytes: number
  readonly largestFree: number
}

/** The figures of a live heap; undefined for any other handle. Walks the heap's blocks once. */
export function heapFigures(ce: Caller, handle: number): HeapFigures | undefined {
  const { machine, tid } = ce
  const record = recordOf(machine, handle)
  if (record === 0) return undefined
  return within(machine, () => {
    enter(machine, record, tid)
    const word = (field: number): number => machine.sys[record + field] as number
    const figures =
      word(REC.HANDLE) !== handle
        ? undefined
        : {
            peakBytes: word(REC.PEAK_BYTES),
            peakCommitted: word(REC.PEAK_COMMITTED) * PAGE,
            liveBytes: word(REC.LIVE_BYTES),
            committed: word(REC.COMMITTED) * PAGE,
            regions: [...reservationsOf(machine, record, REC.REGIONS)].length,
            ...blockFigures(blocksOf(machine, record))
          }
    leave(machine, record)
    return figures
  })
}

/** The process's memory in bytes: user memory, the budget of physical memory, what of it is committed and available, and the most that ever was committed. */
export interface MemoryFigures {
  readonly memory: number
  readonly physical: number
  readonly committed: number
  /** What can still be committed. */
  readonly available: number
  readonly peakCommitted: number
}

export function memoryFigures({ machine }: Pick<Caller, 'machine'>): MemoryFigures {
  const { sys, bytes } = machine
  const pages = (field: number): number => (sys[field] as number) * PAGE
  return {
    memory: bytes.length,
    physical: pages(HDR.PHYSICAL),
    committed: pages(HDR.COMMITTED),
    available: availablePages(machine) * PAGE,
    peakCommitted: pages(HDR.PEAK_COMMITTED)
  }
}
