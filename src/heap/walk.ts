import { GRANULE, GRANULES_PER_UNIT, PAGE, UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res } from '../machine/pages.ts'
import { BIG, CONTROL, FREE, granulesOf, headerOf, HOLES, requestedOf } from './block.ts'
import { reservationsOf } from './region.ts'
import { regionEnd } from './freelist.ts'
import { indexOf, REC } from './record.ts'
import { committedIn } from './region.ts'

/** One block as a walk finds it. Addresses and sizes in bytes. */
export interface BlockInfo {
  readonly address: number
  /** Whole size, a multiple of 32. */
  readonly size: number
  /** As requested; 0 for a free block. */
  readonly requested: number
  readonly state: 'live' | 'free' | 'big' | 'control'
  /** A free block some of whose pages may be decommitted. */
  readonly holes: boolean
}

export interface RegionInfo {
  readonly address: number
  readonly size: number
  readonly committed: number
}

/** One heap in plain data. Sizes in bytes. */
export interface HeapInfo {
  readonly handle: number
  readonly index: number
  readonly options: number
  /** 0 for a growable heap. */
  readonly maximum: number
  readonly placement: 'segregated' | 'next-fit'
  readonly liveBlocks: number
  readonly liveBytes: number
  readonly peakBytes: number
  readonly committed: number
  readonly peakCommitted: number
  readonly regions: readonly RegionInfo[]
  readonly blocks: readonly BlockInfo[]
}

function describe(machine: Machine, block: number): BlockInfo {
  const header = headerOf(machine, block)
  const free = (header & FREE) !== 0
  const state = free ? 'free' : (header & CONTROL) !== 0 ? 'control' : (header & BIG) !== 0 ? 'big' : 'live'
  return {
    address: block * GRANULE,
    size: granulesOf(machine, block) * GRANULE,
    requested: state === 'live' || state === 'big' ? requestedOf(machine, block) : 0,
    state,
    holes: free && (header & HOLES) !== 0
  }
}

/** Every block of a heap: its regions in address order, then its big blocks, newest first. Precondition: inside the heap's section. */
export function* blocksOf(machine: Machine, record: number): Generator<BlockInfo> {
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) yield describe(machine, block)
  }
  for (const unit of reservationsOf(machine, record, REC.BIGS)) yield describe(machine, unit * GRANULES_PER_UNIT)
}

export function heapInfo(machine: Machine, record: number): HeapInfo {
  const word = (field: number): number => machine.sys[record + field] as number
  const blocks = [...blocksOf(machine, record)]
  return {
    handle: word(REC.HANDLE),
    index: indexOf(machine, record),
    options: word(REC.OPTIONS) >>> 0,
    maximum: word(REC.MAXIMUM),
    placement: word(REC.NEXT_FIT) === 0 ? 'segregated' : 'next-fit',
    liveBlocks: blockFigures(blocks).liveBlocks,
    liveBytes: word(REC.LIVE_BYTES),
    peakBytes: word(REC.PEAK_BYTES),
    committed: word(REC.COMMITTED) * PAGE,
    peakCommitted: word(REC.PEAK_COMMITTED) * PAGE,
    regions: [...reservationsOf(machine, record, REC.REGIONS)].map((unit) => ({
      address: unit * UNIT,
      size: res(machine, unit, RES.GRANULES) * GRANULE,
      committed: committedIn(machine, unit) * PAGE
    })),
    blocks
  }
}

/** What `blocks` come to: how many are the app's, and in bytes the free ones together and the largest of them, committed or not. */
export function blockFigures(blocks: Iterable<BlockInfo>): { liveBlocks: number; freeBytes: number; largestFree: number } {
  let liveBlocks = 0
  let freeBytes = 0
  let largestFree = 0
  for (const { state, size } of blocks) {
    if (state === 'live' || state === 'big') liveBlocks++
    if (state !== 'free') continue
    freeBytes += size
    largestFree = Math.max(largestFree, size)
  }
  return { liveBlocks, freeBytes, largestFree }
}
