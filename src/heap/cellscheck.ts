import { GRANULE, GRANULES_PER_UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res, reservationAt } from '../machine/pages.ts'
import { granulesOf, headerOf, START } from './block.ts'
import { boundsAt, CELL_SHIFT, freeStarts, WORD_SHIFT } from './cells.ts'
import { reservationsOf } from './region.ts'
import { regionEnd } from './freelist.ts'
import { REC } from './record.ts'

/** The invariants of the next-fit index (cells.ts) against the free blocks that a walk found; the first fault in words. */
export function cellFault(machine: Machine, record: number, free: readonly number[]): string | undefined {
  const starts = new Map<number, number>()
  for (const block of free) {
    const size = granulesOf(machine, block)
    const { cell, unit, group } = boundsAt(machine, block >>> CELL_SHIFT)
    if (Math.min(cell, unit, group) < size)
      return `${at(block)}: ${size} free granules, above a bound of the index (${cell}, ${unit}, ${group})`
    starts.set(block >>> WORD_SHIFT, (starts.get(block >>> WORD_SHIFT) ?? 0) | (1 << block))
  }
  for (const region of reservationsOf(machine, record, REC.REGIONS)) {
    // To the end of the last unit: nothing may be left of an earlier region there.
    const end = Math.ceil(regionEnd(machine, region) / GRANULES_PER_UNIT) * GRANULES_PER_UNIT
    for (let first = region * GRANULES_PER_UNIT; first < end; first += 1 << CELL_SHIFT) {
      const { cell, unit, group } = boundsAt(machine, first >>> CELL_SHIFT)
      // Freeing stops at the first bound that is high enough already.
      if (cell > unit || unit > group) return `cell ${at(first)}: bounds ${cell}, ${unit}, ${group} do not rise from cell to unit to group`
    }
    for (let word = (region * GRANULES_PER_UNIT) >>> WORD_SHIFT; word < end >>> WORD_SHIFT; word++) {
      const wrong = freeStarts(machine, word) ^ (starts.get(word) ?? 0)
      if (wrong !== 0) {
        const block = (word << WORD_SHIFT) + 31 - Math.clz32(wrong & -wrong)
        return `${at(block)}: ${(freeStarts(machine, word) & wrong & -wrong) !== 0 ? 'the index has a free block there, the walk none' : 'a free block that the index has not'}`
      }
    }
  }
  const rover = machine.sys[record + REC.ROVER] as number
  if (rover === 0) return undefined
  const home = reservationAt(machine, Math.floor(rover / GRANULES_PER_UNIT))
  const mine =
    [...reservationsOf(machine, record, REC.REGIONS)].includes(home) && rover - home * GRANULES_PER_UNIT < res(machine, home, RES.GRANULES)
  return mine && (headerOf(machine, rover) & START) !== 0 ? undefined : `the rover at ${at(rover)} stands on no block of the heap`
}

function at(block: number): string {
  return `0x${(block * GRANULE).toString(16)}`
}
