import type { CeProcess } from '../coredll/process.ts'
import { invariantFault } from './invariant.ts'

/** A block that some thread was handed out and nobody has freed, as the judge's own books have it. */
export interface Unfreed {
  readonly address: number
  readonly bytes: number
  readonly thread: number
}

export interface EndFault {
  readonly kind: 'invariant' | 'leak' | 'lost'
  readonly message: string
}

const hex = (address: number): string => `0x${address.toString(16).toUpperCase()}`
/** Blocks that a message lists. */
const LISTED = 3

/**
 * What is wrong with a process in which a workload has ended: every invariant must hold, the blocks that the heaps know must be those of the judge's
 * books (`unfreed`), there must be none, and so one free block in each region (blocks tile a region, and free neighbours are one).
 */
export function endFault(process: CeProcess, unfreed: readonly Unfreed[]): EndFault | undefined {
  const contradiction = invariantFault(process)
  if (contradiction !== undefined) return contradiction
  const { heaps } = process.snapshot()
  const live = new Map<number, number>()
  for (const { blocks } of heaps)
    for (const { address, requested, state } of blocks) if (state === 'live' || state === 'big') live.set(address, requested)
  for (const { address, bytes, thread } of unfreed) {
    const known = live.get(address)
    if (known === undefined)
      return { kind: 'lost', message: `the block ${hex(address)} (${bytes} bytes, of thread ${thread}) is lost: no heap knows it any more` }
    if (known !== bytes) return { kind: 'lost', message: `the block ${hex(address)} has ${known} bytes, ${bytes} were asked for` }
    live.delete(address)
  }
  if (live.size > 0)
    return { kind: 'lost', message: `heaps hold blocks that nobody has: ${[...live.keys()].slice(0, LISTED).map(hex).join(', ')}` }
  if (unfreed.length > 0) {
    const listed = unfreed.slice(0, LISTED).map(({ address, bytes, thread }) => `${hex(address)} (${bytes} bytes, of thread ${thread})`)
    const more = unfreed.length > LISTED ? ` and ${unfreed.length - LISTED} more` : ''
    return {
      kind: 'leak',
      message: `${unfreed.length} ${unfreed.length === 1 ? 'block is' : 'blocks are'} left at the end: ${listed.join(', ')}${more}; finish() must free what run() leaves`
    }
  }
  for (const { handle, regions, blocks } of heaps) {
    const free = blocks.filter(({ state }) => state === 'free').length
    if (free !== regions.length)
      return {
        kind: 'invariant',
        message: `all blocks of the heap ${hex(handle)} are free, but they are ${free} in ${regions.length} ${regions.length === 1 ? 'region' : 'regions'}, not one a region`
      }
  }
  return undefined
}
