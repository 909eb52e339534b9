import { GRANULES_PER_UNIT, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res, reservationAt } from '../machine/pages.ts'
import { FREE, SIZE_SHIFT } from './block.ts'
import { REC } from './record.ts'

/**
 * The index of free blocks of a `next-fit` heap: the placements of a plain list in address order searched from the last
 * allocated or freed block (HI-2), found without walking the list.
 *
 *   granules   | 64 | 64 | 64 | ... 32 cells a unit          a cell of 64 granules: FIRST, the offset of the first block start
 *   cells      |  c |  c |  c | ...                          in it (64 = none), and BOUND >= every free size that starts in it
 *   units      |     u (32 cells)       |   u   | ...        BOUND >= the bounds of its cells
 *   groups     |        32 units of one region      | ...    BOUND >= the bounds of its units
 *
 *   words      [0, 64 U) cell pairs FIRST, BOUND   [64 U + u] bound of unit u   [65 U + r + k] group k of the region at unit r   (U units in all)
 *
 * Freeing raises the bounds above a block; a search skips what its bound rules out, looks through what is promising, and
 * lowers the bound to the exact value where it finds nothing. Groups are counted from the start of their region, so that no word is
 * shared by two heaps, each under its own section.
 */
export const CELL_SHIFT = 6
export const CELL_GRANULES = 64
export const NONE = 64
export const CELLS_PER_UNIT: number = GRANULES_PER_UNIT / CELL_GRANULES
export const GROUP_SHIFT = 5

function unitBoundAt(machine: Machine, unit: number): number {
  return machine.layout.units * 64 + unit
}

function groupBoundAt(machine: Machine, region: number, unit: number): number {
  return machine.layout.units * 65 + region + ((unit - region) >>> GROUP_SHIFT)
}

/** Clears the index over a new region. */
export function cellsOpen(machine: Machine, region: number): void {
  const cells = machine.cells
  const units = Math.ceil(res(machine, region, RES.GRANULES) / GRANULES_PER_UNIT)
  for (let cell = region * CELLS_PER_UNIT; cell < (region + units) * CELLS_PER_UNIT; cell++) {
    cells[cell << 1] = NONE
    cells[(cell << 1) + 1] = 0
  }
  for (let unit = region; unit < region + units; unit++) {
    cells[unitBoundAt(machine, unit)] = 0
    cells[groupBoundAt(machine, region, unit)] = 0
  }
}

/** Notes that a block starts at `block`, live or free. */
export function cellAddStart(machine: Machine, block: number): void {
  const at = (block >>> CELL_SHIFT) << 1
  const offset = block & (CELL_GRANULES - 1)
  if (offset < (machine.cells[at] as number)) machine.cells[at] = offset
}

/** Notes that no block starts at `block` any more; `next` is the first start behind it. */
export function cellDropStart(machine: Machine, block: number, next: number): void {
  const at = (block >>> CELL_SHIFT) << 1
  if (machine.cells[at] !== (block & (CELL_GRANULES - 1))) return
  machine.cells[at] = next >>> CELL_SHIFT === block >>> CELL_SHIFT ? next & (CELL_GRANULES - 1) : NONE
}

/** Raises the bounds above a block that became free or grew, in the region that starts at unit `region`. */
export function cellRaise(machine: Machine, region: number, block: number, size: number): void {
  const cells = machine.cells
  const bound = ((block >>> CELL_SHIFT) << 1) + 1
  if ((cells[bound] as number) >= size) return
  cells[bound] = size
  const unit = block >>> UNIT_OF_GRANULE
  const unitBound = unitBoundAt(machine, unit)
  if ((cells[unitBound] as number) < size) cells[unitBound] = size
  const groupBound = groupBoundAt(machine, region, unit)
  if ((cells[groupBound] as number) < size) cells[groupBound] = size
}

/** The index when the free block `rest` of `size` granules is what an allocation left over. */
export function cellCarve(machine: Machine, rest: number, size: number): void {
  cellAddStart(machine, rest)
  cellRaise(machine, reservationAt(machine, rest >>> UNIT_OF_GRANULE), rest, size)
}

/** The index when the free block `start` of `size` granules has absorbed the starts `block` (if it is not `start`) and `after` (if not 0). */
export function cellMerge(machine: Machine, region: number, start: number, size: number, block: number, after: number): void {
  cellAddStart(machine, start)
  if (block !== start) cellDropStart(machine, block, start + size)
  if (after !== 0) cellDropStart(machine, after, start + size)
  cellRaise(machine, region, start, size)
}

/** The first free block of at least `size` granules from the rover on, round to the block before it; 0 if there is none. */
export function cellFind(machine: Machine, record: number, size: number): number {
  const start = machine.sys[record + REC.REGIONS] as number
  if (start === 0) return 0
  const rover = machine.sys[record + REC.ROVER] as number
  if (rover === 0) return findInRegions(machine, start, 0, size)
  const cell = rover >>> CELL_SHIFT
  // The rover's own cell from the rover on: its bound stays, because not the whole cell is seen.
  if ((machine.cells[(cell << 1) + 1] as number) >= size) {
    const map = machine.map
    for (let block = rover; block >>> CELL_SHIFT === cell; ) {
      const header = map[block << 2] as number
      const granules = header >>> SIZE_SHIFT
      if (granules >= size && (header & FREE) !== 0) return block
      block += granules
    }
  }
  const home = reservationAt(machine, rover >>> UNIT_OF_GRANULE)
  return (
    findInCells(machine, home, cell + 1, lastCell(machine, home), size) ||
    findInRegions(machine, res(machine, home, RES.NEXT), 0, size) ||
    findInRegions(machine, start, home, size) ||
    // What lies between the rover and its cell's end is seen twice and refused twice.
    findInCells(machine, home, home * CELLS_PER_UNIT, cell, size)
  )
}

/** The last cell of the region's last unit; cells behind the region's end are empty. */
function lastCell(machine: Machine, region: number): number {
  return (region + Math.ceil(res(machine, region, RES.GRANULES) / GRANULES_PER_UNIT)) * CELLS_PER_UNIT - 1
}

/** Searches whole regions from `region` in address order, up to but without `stop` (0: to the last). */
function findInRegions(machine: Machine, region: number, stop: number, size: number): number {
  for (let at = region; at !== stop && at !== 0; at = res(machine, at, RES.NEXT)) {
    const found = findInCells(machine, at, at * CELLS_PER_UNIT, lastCell(machine, at), size)
    if (found !== 0) return found
  }
  return 0
}

/** Searches the cells [from, last] of one region. */
function findInCells(machine: Machine, region: number, from: number, last: number, size: number): number {
  const cells = machine.cells
  let cell = from
  while (cell <= last) {
    const unit = (cell / CELLS_PER_UNIT) | 0
    const group = region + (((unit - region) >>> GROUP_SHIFT) << GROUP_SHIFT)
    const groupEnd = (group + (1 << GROUP_SHIFT)) * CELLS_PER_UNIT
    const groupBound = groupBoundAt(machine, region, unit)
    if ((cells[groupBound] as number) >= size) {
      let most = 0
      let at = unit
      for (; at * CELLS_PER_UNIT < groupEnd && at * CELLS_PER_UNIT <= last; at++) {
        const found = findInUnit(machine, at, Math.max(cell, at * CELLS_PER_UNIT), last, size)
        if (found !== 0) return found
        most = Math.max(most, cells[unitBoundAt(machine, at)] as number)
      }
      // Only a group seen from its start to its end, or to the region's, has an exact bound.
      if (cell === group * CELLS_PER_UNIT && at * CELLS_PER_UNIT > Math.min(groupEnd - 1, lastCell(machine, region)))
        cells[groupBound] = most
    }
    cell = groupEnd
  }
  return 0
}

/** Searches the cells [from, last] that lie in `unit`; lowers the unit's bound when it saw them all. */
function findInUnit(machine: Machine, unit: number, from: number, last: number, size: number): number {
  const cells = machine.cells
  const unitBound = unitBoundAt(machine, unit)
  if ((cells[unitBound] as number) < size) return 0
  const first = unit * CELLS_PER_UNIT
  const end = Math.min(last, first + CELLS_PER_UNIT - 1)
  let most = 0
  for (let cell = from; cell <= end; cell++) {
    let bound = cells[(cell << 1) + 1] as number
    if (bound >= size) {
      const found = findInCell(machine, cell, size)
      if (found !== 0) return found
      bound = cells[(cell << 1) + 1] as number
    }
    if (bound > most) most = bound
  }
  if (from === first && end === first + CELLS_PER_UNIT - 1) cells[unitBound] = most
  return 0
}

function findInCell(machine: Machine, cell: number, size: number): number {
  const { cells, map } = machine
  const first = cells[cell << 1] as number
  let most = 0
  if (first !== NONE) {
    // The header is read once a block: this loop is most of a search in a full heap.
    for (let block = (cell << CELL_SHIFT) + first; block >>> CELL_SHIFT === cell; ) {
      const header = map[block << 2] as number
      const granules = header >>> SIZE_SHIFT
      if ((header & FREE) !== 0) {
        if (granules >= size) return block
        if (granules > most) most = granules
      }
      block += granules
    }
  }
  cells[(cell << 1) + 1] = most
  return 0
}

/** The first start (-1 for none) and the bound of the cell of `block`, and the bounds above it: for the check of invariants. */
export function boundsAt(machine: Machine, block: number): { first: number; cell: number; unit: number; group: number } {
  const cell = block >>> CELL_SHIFT
  const unit = block >>> UNIT_OF_GRANULE
  const first = machine.cells[cell << 1] as number
  return {
    first: first === NONE ? -1 : (cell << CELL_SHIFT) + first,
    cell: machine.cells[(cell << 1) + 1] as number,
    unit: machine.cells[unitBoundAt(machine, unit)] as number,
    group: machine.cells[groupBoundAt(machine, reservationAt(machine, unit), unit)] as number
  }
}
