import { leaveByError } from '../machine/adrift.ts'
import { failsInjected, ON_ALLOC } from '../machine/failures.ts'
import { zeroGranules } from '../machine/fill.ts'
import { GRANULE, GRANULE_SHIFT, GRANULES_PER_UNIT, HDR, UNIT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { allCommitted } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'
import { THREAD } from '../machine/threads.ts'
import { allocateBig } from './big.ts'
import { granulesOf, headerOf, HOLES, isFree, writeLive } from './block.ts'
import { carveFree, findFree, regionEnd } from './freelist.ts'
import { writeGuard } from './guard.ts'
import { countBytes, REC } from './record.ts'
import { commitGranules, dropRegion, openRegion, reservationsOf } from './region.ts'

/** Granules that a block of `bytes` takes (HA-7); a block of no bytes takes one, and debug builds add a guard. */
export function granulesFor(machine: Machine, record: number, bytes: number): number {
  return (bytes === 0 ? 1 : (bytes + GRANULE - 1) >>> GRANULE_SHIFT) + (machine.sys[record + REC.GUARD] as number)
}

/**
 * Allocates `bytes` (0 to 2^32 - 1) and returns the block's address, 0 if there is not enough memory or a failure is injected. The block is
 * zeroed on demand only. Precondition: the caller is inside the heap's section. heap/hot.as does the same for the common case.
 */
export function allocate(machine: Machine, who: number, record: number, bytes: number, zero: boolean): number {
  return isInjecting(machine) ? placeUnlessInjected(machine, who, record, bytes, zero) : place(machine, who, record, bytes, zero)
}

/** Apart from `allocate` because a function that makes a closure pays for it at every call. */
function placeUnlessInjected(machine: Machine, who: number, record: number, bytes: number, zero: boolean): number {
  return unlessInjected(machine, who, record, bytes, () => place(machine, who, record, bytes, zero))
}

/** Whether failures are injected into requests for blocks. */
export function isInjecting(machine: Machine): boolean {
  return ((machine.sys[HDR.INJECTING] as number) & ON_ALLOC) !== 0
}

/** Counts a request for `bytes` with the injected failures: 0 if one refuses it, else what `act` gives, in the same hold of the process section. */
export function unlessInjected(machine: Machine, who: number, record: number, bytes: number, act: () => number): number {
  return inOneHold(machine, who, record, () => {
    enter(machine, HDR.LOCK, who)
    const refused = failsInjected(machine, who, ON_ALLOC, bytes)
    leave(machine, HDR.LOCK)
    return refused ? 0 : act()
  })
}

/**
 * Runs `act` with the process section held throughout, so that a call that takes pages several times does so at one moment. Not where the pages
 * come from the caller: a page callback may wait for other threads.
 */
export function inOneHold<T>(machine: Machine, who: number, record: number, act: () => T): T {
  if (machine.sys[record + REC.CALLBACKS] !== 0) return act()
  enter(machine, HDR.LOCK, who)
  let result: T
  try {
    result = act()
  } catch (error) {
    leaveByError(machine, HDR.LOCK, error)
    throw error
  }
  leave(machine, HDR.LOCK)
  return result
}

/** `allocate` for a request that was counted already. */
export function place(machine: Machine, who: number, record: number, bytes: number, zero: boolean): number {
  const sys = machine.sys
  if (bytes > (sys[record + REC.LARGEST] as number)) {
    return sys[record + REC.MAXIMUM] === 0 ? allocateBig(machine, who, record, bytes) : 0
  }
  const size = granulesFor(machine, record, bytes)
  const found = findFree(machine, record, size)
  const backed = found !== 0 && ((headerOf(machine, found) & HOLES) === 0 || allCommitted(machine, found * GRANULE, size * GRANULE))
  const block = backed ? found : back(machine, who, record, found, size)
  if (block === 0) return 0
  carveFree(machine, record, block, granulesOf(machine, block), size, headerOf(machine, block) & HOLES)
  sys[machine.slot + THREAD.HANDOUT] = block
  writeLive(machine, block, size, bytes, record, 0)
  sys[record + REC.ROVER] = block
  countBytes(sys, record, bytes)
  if (zero) zeroGranules(machine, block * GRANULE, size * GRANULE)
  if (sys[record + REC.GUARD] !== 0) writeGuard(machine, block)
  return block * GRANULE
}

/** A free block whose first `size` granules are committed: `found` if that can be, else another, in a new region if none was found; 0 if there is none. */
function back(machine: Machine, who: number, record: number, found: number, size: number): number {
  return inOneHold(machine, who, record, () => {
    if (found === 0) return grow(machine, who, record, size)
    return commitGranules(machine, who, record, found, size) ? found : findBacked(machine, who, record, size)
  })
}

/**
 * The first free block, by address, whose first `size` granules are committed or can be; 0 if there is none. Walks the heap: it is asked only
 * when physical memory is exhausted, so that a request fails for want of memory only if there is enough for no free block. Where the pages
 * come from the caller it is his refusal that counts (C-35).
 */
function findBacked(machine: Machine, who: number, record: number, size: number): number {
  if (machine.sys[record + REC.CALLBACKS] !== 0) return 0
  for (const unit of reservationsOf(machine, record, REC.REGIONS)) {
    const end = regionEnd(machine, unit)
    for (let block = unit * GRANULES_PER_UNIT; block < end; block += granulesOf(machine, block)) {
      const fits = isFree(machine, block) && granulesOf(machine, block) >= size
      if (fits && commitGranules(machine, who, record, block, size)) return block
    }
  }
  return 0
}

/**
 * Adds a region whose one free block holds `size` committed granules (HI-8), and returns that block. 0 on a fixed heap, without address
 * space or without physical memory: then nothing has changed.
 */
function grow(machine: Machine, who: number, record: number, size: number): number {
  if (machine.sys[record + REC.MAXIMUM] !== 0) return 0
  const needed = Math.ceil((size * GRANULE) / UNIT) * UNIT
  const usual = machine.sys[record + REC.REGION_BYTES] as number
  const region =
    openRegion(machine, who, record, Math.max(usual, needed), 0) || (needed < usual ? openRegion(machine, who, record, needed, 0) : 0)
  if (region === 0) return 0
  const block = region * GRANULES_PER_UNIT
  if (commitGranules(machine, who, record, block, size)) return block
  dropRegion(machine, who, record, region)
  return 0
}
