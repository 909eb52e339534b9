import type { Snapshot } from '../src/index.ts'

const UNIT = 0x10000
const PAGE = 0x1000

/** What a request would need, by the documented rules and choices alone. */
export interface Request {
  readonly snapshot: Snapshot
  readonly heap: number
  readonly bytes: number
  /** Requests above this many bytes leave a growable heap (HC-6). */
  readonly bigBlock: number
  /** Bytes that a debug build adds to a block. */
  readonly guard: number
}

/** The longest run of free 64 KB units; the first is never mapped (VL-3). */
export function longestRun(snapshot: Snapshot): number {
  const taken = new Uint8Array(snapshot.memory / UNIT)
  const mark = (address: number, size: number): void => {
    taken.fill(1, address / UNIT, Math.ceil((address + size) / UNIT))
  }
  mark(0, 1)
  for (const { regions, blocks } of snapshot.heaps) {
    for (const { address, size } of regions) mark(address, size)
    for (const { address, size, state } of blocks) if (state === 'big') mark(address, size)
  }
  for (const { address, size } of snapshot.reservations) mark(address, size)
  let longest = 0
  let run = 0
  for (const unit of taken) {
    run = unit === 0 ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}

/** Why a request that failed had to fail; undefined if it had not. `snapshot` is of the moment of the failure. */
export function whyNot({ snapshot, heap, bytes, bigBlock, guard }: Request): string | undefined {
  const info = snapshot.heaps.find(({ handle }) => handle === heap)
  if (info === undefined) return 'no such heap'
  const freePages = (snapshot.physical - snapshot.committed) / PAGE
  const fixed = info.maximum !== 0
  if (fixed && bytes >= 0x7fff8) return 'HA-2: too large for a fixed heap'
  if (!fixed && bytes > bigBlock) {
    const pages = Math.ceil((bytes + guard) / PAGE)
    if (pages > freePages) return 'no physical memory for a big block'
    return Math.ceil(pages / 16) > longestRun(snapshot) ? 'no address space for a big block' : undefined
  }
  const whole = Math.ceil(Math.max(bytes, 1) / 32) * 32 + guard
  // A block may touch one page more than it fills; whether those pages are committed already is not told by a snapshot.
  if (Math.ceil(whole / PAGE) + 1 > freePages) return 'no physical memory'
  if (info.largestFree >= whole) return undefined
  if (fixed) return 'no free block is large enough'
  return Math.ceil(whole / UNIT) > longestRun(snapshot) ? 'no address space for a region' : undefined
}
