import { HDR } from './layout.ts'
import type { Machine } from './machine.ts'
import { enter, leave, PATIENCE } from './section.ts'

/**
 * Physical memory as a budget that can run short (HI-18).
 *
 *   available = PHYSICAL - COMMITTED            pages that can still be committed; none while the budget lies below what is committed
 *
 *               available < LOW, or a commit was refused
 *   IS_LOW = 0 ------------------------------------------> IS_LOW = 1, HIBERNATIONS + 1
 *              <------------------------------------------
 *               available >= LOW after pages came or went
 *
 * The words change inside the process section. Nobody is called there: who listens compares HIBERNATIONS with what he has seen.
 */

/** Pages that can still be committed. */
export function availablePages(machine: Machine): number {
  return Math.max(0, (machine.sys[HDR.PHYSICAL] as number) - (machine.sys[HDR.COMMITTED] as number))
}

/** Looks whether memory is low now. Precondition: inside the process section, after the budget or the committed pages changed. */
export function weigh(machine: Machine): void {
  if (availablePages(machine) < (machine.sys[HDR.LOW] as number)) becomeLow(machine)
  else machine.sys[HDR.IS_LOW] = 0
}

/** Memory is low: also when more was asked for than there is. Precondition: inside the process section. */
export function becomeLow(machine: Machine): void {
  const { sys } = machine
  if (sys[HDR.IS_LOW] !== 0) return
  sys[HDR.IS_LOW] = 1
  Atomics.store(sys, HDR.HIBERNATIONS, (sys[HDR.HIBERNATIONS] as number) + 1)
}

/** Gives the process another budget. Nothing is taken from it: below what is committed, commits fail until enough was given back. */
export function setPhysicalPages(machine: Machine, who: number, pages: number): void {
  const { sys } = machine
  enter(machine, HDR.LOCK, who, PATIENCE)
  const committed = sys[HDR.COMMITTED] as number
  sys[HDR.OVERDRAWN] = committed > pages ? committed : 0
  sys[HDR.PHYSICAL] = pages
  weigh(machine)
  leave(machine, HDR.LOCK)
}

/** How often memory became low since the process began. */
export function hibernations(machine: Machine): number {
  return Atomics.load(machine.sys, HDR.HIBERNATIONS)
}
