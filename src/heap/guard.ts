import { GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { granulesOf, requestedOf } from './block.ts'

/**
 * The sentinel of debug builds (HI-15): the bytes between the requested size and the block's end hold a pattern, and one granule
 * more than needed makes sure there are at least 32 of them. CE's own size and pattern are not documented (HI-16).
 */
const PATTERN = 0xfd

export function writeGuard(machine: Machine, block: number, requested: number = requestedOf(machine, block)): void {
  const start = block * GRANULE + requested
  machine.bytes.fill(PATTERN, start, (block + granulesOf(machine, block)) * GRANULE)
}

/** The address of the first byte of the sentinel that was overwritten, 0 if it is whole. */
export function brokenGuard(machine: Machine, block: number): number {
  // Not shifted: the end of the last block of 2 GB has the sign bit.
  const end = (block + granulesOf(machine, block)) * GRANULE
  for (let at = block * GRANULE + requestedOf(machine, block); at < end; at++) if (machine.bytes[at] !== PATTERN) return at
  return 0
}
