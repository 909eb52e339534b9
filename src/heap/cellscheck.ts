import { GRANULE, GRANULES_PER_UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res, reservationAt } from '../machine/pages.ts'
import { granulesOf, headerOf, START } from './block.ts'
import { boundsAt, CELL_GRANULES } from './cells.ts'
import { reservationsOf } from './region.ts'
import { regionEnd } from './freelist.ts'
import { REC } from './record.ts'

/** The invariants of the next-fit index (cells.ts) against the free blocks that a walk found; the first fault in words. */
export function cellFault(machine: Machine, record: number, free: readonly number[]): string | undefined {
  for (const block of free) {
    const size = granulesOf(machine, block)
    const { cell, unit, group } = boundsAt(machine, block)
    if (Math.min(cell, unit, group) < size)
      return `${at(block)}: ${size} free granules, above a bound of the index (${cell}, ${unit}, ${group})`
  }
  for (const region of reservationsOf(machine, record, REC.REGIONS)) {
    const firsts = new Map<number, number>()
    const end = regionEnd(machine, region)
    for (let block = region * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      const cell = Math.floor(block / CELL_GRANULES)
      if (!firsts.has(cell)) firsts.set(cell, block)
    }
    for (let cell = (region * GRANULES_PER_UNIT) / CELL_GRANULES; cell < end / CELL_GRANULES; cell++) {
      const { first, cell: bound, unit, group } = boundsAt(machine, cell * CELL_GRANULES)
      // Freeing stops at the first bound that is high enough already.
      if (bound > unit || unit > group)
        return `cell ${at(cell * CELL_GRANULES)}: bounds ${bound}, ${unit}, ${group} do not rise from cell to unit to group`
      if (first !== (firsts.get(cell) ?? -1))
        return `cell ${at(cell * CELL_GRANULES)}: the index says its first block is ${first}, the walk ${firsts.get(cell) ?? -1}`
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
