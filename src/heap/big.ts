import { GRANULE, GRANULES_PER_UNIT, HDR, PAGE, UNIT_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { commit, KIND_BIG, release, RES, res, reserve, setRes } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { THREAD } from '../machine/threads.ts'
import { BIG, eraseStart, granulesOf, requestedOf, writeLive } from './block.ts'
import { writeGuard } from './guard.ts'
import { countBytes, countPages, indexOf, REC } from './record.ts'

/**
 * Big blocks: requests above the profile's threshold on a growable heap get a reservation of their own (HC-6, HI-9 to HI-12),
 * committed whole and released when freed. It costs whole units of address space (VA-3).
 *
 *   granules(b) * 32 = pages of the reservation * 4096
 */

/** Bytes of the reservation for a block of `bytes`, with room for the guard on debug builds. */
function bigBytes(machine: Machine, record: number, bytes: number): number {
  return Math.ceil((bytes + (machine.sys[record + REC.GUARD] as number) * GRANULE) / PAGE) * PAGE
}

export function allocateBig(machine: Machine, who: number, record: number, bytes: number): number {
  const heap = indexOf(machine, record)
  const size = bigBytes(machine, record, bytes)
  // Entered before anything changes: a wait in vain then leaves no reservation that no heap links.
  enter(machine, HDR.LOCK, who)
  const unit = reserve(machine, who, size, KIND_BIG, heap)
  const address = unit * 2 ** UNIT_SHIFT
  const pages = unit === 0 ? -1 : commit(machine, who, address, size)
  if (unit !== 0 && pages < 0) release(machine, who, unit)
  leave(machine, HDR.LOCK)
  if (pages < 0) return 0
  const first = machine.sys[record + REC.BIGS] as number
  const block = unit * GRANULES_PER_UNIT
  machine.sys[machine.slot + THREAD.HANDOUT] = block
  setRes(machine, unit, RES.GRANULES, size / GRANULE)
  setRes(machine, unit, RES.NEXT, first)
  writeLive(machine, block, size / GRANULE, bytes, record, BIG)
  // From here on the block is the heap's.
  machine.sys[record + REC.BIGS] = unit
  if (first !== 0) setRes(machine, first, RES.PREV, unit)
  countPages(machine, record, pages)
  countBytes(machine.sys, record, bytes)
  if (machine.sys[record + REC.GUARD] !== 0) writeGuard(machine, block)
  return address
}

/** Precondition: `block` is a live big block of this heap. */
export function freeBig(machine: Machine, who: number, record: number, block: number): void {
  const unit = block / GRANULES_PER_UNIT
  enter(machine, HDR.LOCK, who)
  const next = res(machine, unit, RES.NEXT)
  const previous = res(machine, unit, RES.PREV)
  if (next !== 0) setRes(machine, next, RES.PREV, previous)
  if (previous !== 0) setRes(machine, previous, RES.NEXT, next)
  else machine.sys[record + REC.BIGS] = next
  countBytes(machine.sys, record, -requestedOf(machine, block))
  // A second free of the block is then known as one, until the granule is used again.
  eraseStart(machine, block)
  countPages(machine, record, -release(machine, who, unit))
  leave(machine, HDR.LOCK)
}

/** Whether a big block can have `bytes` inside its reservation. */
export function fitsBig(machine: Machine, record: number, block: number, bytes: number): boolean {
  return bigBytes(machine, record, bytes) <= granulesOf(machine, block) * GRANULE
}
