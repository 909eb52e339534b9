import { GRANULE, GRANULE_SHIFT, GRANULES_PER_UNIT, HDR, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { heapOf, KIND_APP, RES, res, reservationAt } from '../machine/pages.ts'
import { headerOf, START } from './block.ts'

/**
 * Which blocks of the process heap the task allocator's spy has seen allocated (SP-16), and where it handed them out: a spy may put a header of
 * its own in front, so that the program's pointer lies inside the block. One word for each granule, used at a block's first one.
 *
 *   marks   | 0                 |   not spied
 *           | offset + 1        |   spied, and handed out at the start of the block plus offset
 *
 *   header.SPY_BLOCKS = marks that are not 0 = blocks that a revoke waits for (SP-22)
 *   header.SPY = 0    => no marks
 *
 * Marks change inside the spy section and the process heap's, with SPY_MARKING set, so that a thread that dies between a mark and its count leaves word of
 * it: the next one in the spy section counts anew. A mark outlives a block that is freed past the allocator, by HeapFree: to COM that block is still live.
 */

/** The mark of the block at `block`, a granule. */
export function markOf(machine: Machine, block: number): number {
  return machine.marks[block] as number
}

/** Sets the mark of a block (0 to take it away) and keeps count. Precondition: inside the spy section and the process heap's. */
export function setMark(machine: Machine, block: number, mark: number): void {
  const { sys, marks } = machine
  const before = marks[block] === 0 ? 0 : 1
  sys[HDR.SPY_MARKING] = 1
  marks[block] = mark
  sys[HDR.SPY_BLOCKS] = (sys[HDR.SPY_BLOCKS] as number) + (mark === 0 ? 0 : 1) - before
  sys[HDR.SPY_MARKING] = 0
}

/** Counts the marks anew if the thread that was changing them died over it. Precondition: inside the spy section. */
export function mendMarks(machine: Machine): void {
  const { sys } = machine
  if (sys[HDR.SPY_MARKING] === 0) return
  sys[HDR.SPY_BLOCKS] = countMarks(machine)
  sys[HDR.SPY_MARKING] = 0
}

function countMarks({ marks }: Machine): number {
  let found = 0
  for (const mark of marks) if (mark !== 0) found++
  return found
}

/** The marked block that was handed out at `pointer`, 0 if there is none. Precondition: inside the process heap's section. */
export function markedAt(machine: Machine, pointer: number): number {
  let block = pointer >>> GRANULE_SHIFT
  if (block >= machine.granules) return 0
  const unit = reservationAt(machine, block >>> UNIT_OF_GRANULE)
  // The process heap is heap 0, and so is the heap of the app's own pages, which have none.
  if (unit < 0 || heapOf(machine, unit) !== 0 || res(machine, unit, RES.KIND) === KIND_APP) return 0
  const first = unit * GRANULES_PER_UNIT
  // A granule inside a block has no START: going back from the pointer, the first one with it begins the block.
  while (block > first && (headerOf(machine, block) & START) === 0) block--
  return markOf(machine, block) - 1 === pointer - block * GRANULE ? block : 0
}

/** What contradicts the equations above, in words; undefined if nothing does. */
export function marksFault(machine: Machine): string | undefined {
  const { sys } = machine
  const found = countMarks(machine)
  const counted = sys[HDR.SPY_BLOCKS] as number
  if (found !== counted && sys[HDR.SPY_MARKING] === 0) return `the task allocator counts ${counted} spied blocks, ${found} are marked`
  if (sys[HDR.SPY] === 0 && found > 0) return `${found} blocks are marked as spied, and no spy is registered`
  return undefined
}
