import { GRANULE, GRANULE_SHIFT, GRANULES_PER_UNIT, UNIT_OF_GRANULE } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { heapOf, KIND_APP, RES, res, reservationAt } from '../machine/pages.ts'
import { freeBig } from './big.ts'
import { BIG, CONTROL, FREE, granulesOf, headerOf, isStale, requestedOf, START } from './block.ts'
import { mergeFree, regionEnd } from './freelist.ts'
import { countBytes, indexOf } from './record.ts'

/** What a pointer that is not a live block of the heap turns out to be. */
export type PointerFault = 'null' | 'foreign' | 'pages' | 'other heap' | 'freed' | 'interior' | 'control'

/** The block that starts at `pointer` if it is a live block of this heap, else 0. Precondition: inside the heap's section. */
export function liveBlock(machine: Machine, record: number, pointer: number): number {
  const block = pointer >>> GRANULE_SHIFT
  // Not %: on a pointer that comes as a double that is a division, slower than the rest of the function.
  if ((pointer & (GRANULE - 1)) !== 0 || block >= machine.granules) return 0
  const at = block << 2
  const live = ((machine.map[at] as number) & (START | FREE | CONTROL)) === START
  return live && machine.map[at + 2] === record ? block : 0
}

/** Frees a block that `liveBlock` found. Precondition: inside the heap's section. heap/hot.as does the same for the common case. */
export function freeBlock(machine: Machine, who: number, record: number, block: number): void {
  if ((headerOf(machine, block) & BIG) !== 0) {
    freeBig(machine, who, record, block)
    return
  }
  countBytes(machine.sys, record, -requestedOf(machine, block))
  mergeFree(machine, record, block, granulesOf(machine, block))
}

/** Why `pointer` is not a live block of this heap, for a finding; `block` is the live block that contains it, if any. */
export function explainPointer(machine: Machine, record: number, pointer: number): { fault: PointerFault; block: number } {
  if (pointer === 0) return { fault: 'null', block: 0 }
  const granule = pointer >>> GRANULE_SHIFT
  if (granule >= machine.granules) return { fault: 'foreign', block: 0 }
  const unit = reservationAt(machine, granule >>> UNIT_OF_GRANULE)
  const stale = isStale(machine, granule) && (pointer & (GRANULE - 1)) === 0
  if (unit < 0) return { fault: stale ? 'freed' : 'foreign', block: 0 }
  if (res(machine, unit, RES.KIND) === KIND_APP) return { fault: 'pages', block: 0 }
  // A reservation may be longer than what the heap has of it.
  if (granule >= regionEnd(machine, unit)) return { fault: stale ? 'freed' : 'foreign', block: 0 }
  if (heapOf(machine, unit) !== indexOf(machine, record)) return { fault: 'other heap', block: 0 }
  const block = containing(machine, granule, unit * GRANULES_PER_UNIT)
  const header = headerOf(machine, block)
  if ((header & CONTROL) !== 0) return { fault: 'control', block: 0 }
  if ((header & FREE) !== 0) return { fault: 'freed', block: 0 }
  // Not live a moment ago, or nobody would ask: another thread has allocated it since.
  if (block * GRANULE === pointer) return { fault: 'freed', block: 0 }
  return { fault: stale ? 'freed' : 'interior', block }
}

/** The start of the block that holds `granule`, by walking its region's chain. Precondition: the region is not changing. */
function containing(machine: Machine, granule: number, first: number): number {
  let block = first
  for (;;) {
    const next = block + granulesOf(machine, block)
    if (next > granule || next === block) return block
    block = next
  }
}
