import { GRANULES_PER_UNIT, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { RES, res, reservationAt } from '../machine/pages.ts'
import { SIZE_SHIFT } from './block.ts'
import { REC } from './record.ts'

/**
 * The index of free blocks of a `next-fit` heap: the placements of a plain list in address order searched from the last
 * allocated or freed block (HI-2), found without walking the list.
 *
 *   granules   |   32   |   32   |   32   | ...        a bit each: a free block starts there
 *   cells      |        c        |        c ...        64 granules, 32 cells a unit; BOUND >= every free size that starts in it
 *   units      |     u (32 cells)       |   u   | ...  BOUND >= the bounds of its cells
 *   groups     |        32 units of one region  | ...  BOUND >= the bounds of its units
 *
 *   words      [0, 64 U) bits, 32 a word   [64 U + c] bound of cell c   [96 U + u] of unit u   [97 U + r + k] of group k of the region at unit r   (U units in all)
 *
 *   bit(g) = 1 exactly where a free block starts at granule g
 *
 * Freeing raises the bounds above a block; a search skips what its bound rules out, looks through what is promising, and
 * lowers the bound to the exact value where it finds nothing. It looks at the headers of free blocks alone: those of the live ones between
 * them are most of what a full heap has, each in a cache line of its own. Groups are counted from the start of their region, so that no word is
 * shared by two heaps, each under its own section.
 */
export const CELL_SHIFT = 6
export const CELLS_PER_UNIT: number = GRANULES_PER_UNIT >>> CELL_SHIFT
export const GROUP_SHIFT = 5
export const WORD_SHIFT = 5

const clz32 = Math.clz32

function cellBoundAt(machine: Machine, cell: number): number {
  return machine.layout.units * 64 + cell
}

function unitBoundAt(machine: Machine, unit: number): number {
  return machine.layout.units * 96 + unit
}

function groupBoundAt(machine: Machine, region: number, unit: number): number {
  return machine.layout.units * 97 + region + ((unit - region) >>> GROUP_SHIFT)
}

/** Clears the index over a new region. */
export function cellsOpen(machine: Machine, region: number): void {
  const cells = machine.cells
  const end = region + Math.ceil(res(machine, region, RES.GRANULES) / GRANULES_PER_UNIT)
  cells.fill(0, region * 64, end * 64)
  cells.fill(0, cellBoundAt(machine, region * CELLS_PER_UNIT), cellBoundAt(machine, end * CELLS_PER_UNIT))
  for (let unit = region; unit < end; unit++) {
    cells[unitBoundAt(machine, unit)] = 0
    cells[groupBoundAt(machine, region, unit)] = 0
  }
}

// A shift counts modulo 32, so `1 << block` is the bit of the block within its word.

/** Puts the free block at `block`, of `size` granules, into the index of the region that starts at unit `region`. */
export function cellAdd(machine: Machine, region: number, block: number, size: number): void {
  const word = block >>> WORD_SHIFT
  machine.cells[word] = (machine.cells[word] as number) | (1 << block)
  cellRaise(machine, region, block, size)
}

/** Takes `block` out of the index: it is free no more, or merged into the block before it. The bounds may stay too high. */
export function cellDrop(machine: Machine, block: number): void {
  const word = block >>> WORD_SHIFT
  machine.cells[word] = (machine.cells[word] as number) & ~(1 << block)
}

/** Raises the bounds above a block that became free or grew. */
function cellRaise(machine: Machine, region: number, block: number, size: number): void {
  const cells = machine.cells
  const cellBound = cellBoundAt(machine, block >>> CELL_SHIFT)
  if ((cells[cellBound] as number) >= size) return
  cells[cellBound] = size
  const unit = block >>> UNIT_OF_GRANULE
  const unitBound = unitBoundAt(machine, unit)
  if ((cells[unitBound] as number) < size) cells[unitBound] = size
  const groupBound = groupBoundAt(machine, region, unit)
  if ((cells[groupBound] as number) < size) cells[groupBound] = size
}

/** The first free block of at least `size` granules from the rover on, round to the block before it; 0 if there is none. */
export function cellFind(machine: Machine, record: number, size: number): number {
  const start = machine.sys[record + REC.REGIONS] as number
  if (start === 0) return 0
  const rover = machine.sys[record + REC.ROVER] as number
  if (rover === 0) return findInRegions(machine, start, 0, size)
  const near = findFrom(machine, rover, size)
  if (near !== 0) return near
  const cell = rover >>> CELL_SHIFT
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
    let bound = cells[cellBoundAt(machine, cell)] as number
    if (bound >= size) {
      const found = findInCell(machine, cell, size)
      if (found !== 0) return found
      bound = cells[cellBoundAt(machine, cell)] as number
    }
    if (bound > most) most = bound
  }
  if (from === first && end === first + CELLS_PER_UNIT - 1) cells[unitBound] = most
  return 0
}

function findInCell(machine: Machine, cell: number, size: number): number {
  const low = firstFit(machine, cell << 1, -1, size)
  if (low > 0) return low
  const high = firstFit(machine, (cell << 1) + 1, -1, size)
  if (high > 0) return high
  machine.cells[cellBoundAt(machine, cell)] = -Math.min(low, high)
  return 0
}

/** Searches the cell of `block` from `block` on. Its bound stays, because not the whole cell is seen. */
function findFrom(machine: Machine, block: number, size: number): number {
  if ((machine.cells[cellBoundAt(machine, block >>> CELL_SHIFT)] as number) < size) return 0
  const word = block >>> WORD_SHIFT
  const found = firstFit(machine, word, -1 << block, size)
  if (found > 0) return found
  return (word & 1) === 0 ? Math.max(0, firstFit(machine, word + 1, -1, size)) : 0
}

/** The first free block of at least `size` granules that starts in `word`, of those that `mask` lets through; else minus the size of the largest. */
function firstFit(machine: Machine, word: number, mask: number, size: number): number {
  const map = machine.map
  let most = 0
  for (let bits = (machine.cells[word] as number) & mask; bits !== 0; bits &= bits - 1) {
    const block = (word << WORD_SHIFT) + 31 - clz32(bits & -bits)
    const granules = (map[block << 2] as number) >>> SIZE_SHIFT
    if (granules >= size) return block
    if (granules > most) most = granules
  }
  return -most
}

/** The bits of a word, for the check of invariants. */
export function freeStarts(machine: Machine, word: number): number {
  return machine.cells[word] as number
}

/** The bounds of a cell and above it, for the check of invariants. */
export function boundsAt(machine: Machine, cell: number): { cell: number; unit: number; group: number } {
  const unit = Math.floor(cell / CELLS_PER_UNIT)
  return {
    cell: machine.cells[cellBoundAt(machine, cell)] as number,
    unit: machine.cells[unitBoundAt(machine, unit)] as number,
    group: machine.cells[groupBoundAt(machine, reservationAt(machine, unit), unit)] as number
  }
}
