import { HDR, PAGES_PER_UNIT } from './layout.ts'
import type { Machine } from './machine.ts'
import { KIND_APP, KIND_LENT, PAGE_COMMITTED, PAGE_STATE, RES, res, reservationAt } from './pages.ts'

/**
 * The invariants of address space and physical memory (pages.ts):
 *
 *   a unit belongs to exactly one reservation or to none, and a reservation's units follow each other
 *   reservation.COMMITTED = its pages in state committed
 *   header.COMMITTED      = sum of COMMITTED over all reservations <= header.PHYSICAL, or OVERDRAWN if the budget was lowered below it
 *   header.PEAK_COMMITTED >= header.COMMITTED
 *   a page outside every reservation is free
 *
 * Returns the first fault in words, undefined if there is none. Precondition: inside the process section.
 */
export function pagesFault(machine: Machine): string | undefined {
  let committed = 0
  for (let unit = 0; unit < machine.layout.units; unit++) {
    const home = reservationAt(machine, unit)
    if (home < 0) {
      if (used(machine, unit, 0, PAGES_PER_UNIT) !== undefined) return `unit ${unit}: a page outside every reservation is in use`
      continue
    }
    if (unit === 0) return 'unit 0 is reserved: the first 64 KB are never mapped'
    const pages = res(machine, home, RES.PAGES)
    if (home > unit || reservationAt(machine, home) !== home || pages <= (unit - home) * PAGES_PER_UNIT) {
      return `unit ${unit} belongs to a reservation at unit ${home} that does not hold it`
    }
    if (home !== unit) continue
    const fault = reservationFault(machine, unit, pages)
    if (fault !== undefined) return fault
    committed += res(machine, unit, RES.COMMITTED)
  }
  const counted = machine.sys[HDR.COMMITTED] as number
  if (counted !== committed) return `the process counts ${counted} committed pages, its reservations have ${committed}`
  if (committed > Math.max(machine.sys[HDR.PHYSICAL] as number, machine.sys[HDR.OVERDRAWN] as number))
    return `${committed} pages committed, physical memory has ${machine.sys[HDR.PHYSICAL]}`
  const peak = machine.sys[HDR.PEAK_COMMITTED] as number
  if (peak < committed) return `${committed} pages committed, more than the peak of ${peak}`
  return undefined
}

function reservationFault(machine: Machine, unit: number, pages: number): string | undefined {
  const first = unit * PAGES_PER_UNIT
  let committed = 0
  for (let page = first; page < first + pages; page++) {
    const state = (machine.pages[page] as number) & PAGE_STATE
    if (state === 0) return `page ${page}: free inside the reservation at unit ${unit}`
    if (state === PAGE_COMMITTED) committed++
  }
  if (committed !== res(machine, unit, RES.COMMITTED))
    return `the reservation at unit ${unit} counts ${res(machine, unit, RES.COMMITTED)} committed pages, has ${committed}`
  for (let u = unit; u < unit + Math.ceil(pages / PAGES_PER_UNIT); u++)
    if (reservationAt(machine, u) !== unit) return `unit ${u} is missing from the reservation at unit ${unit}`
  if (used(machine, unit, pages, Math.ceil(pages / PAGES_PER_UNIT) * PAGES_PER_UNIT) !== undefined)
    return `a page behind the reservation at unit ${unit} is in use`
  return undefined
}

function used(machine: Machine, unit: number, from: number, to: number): number | undefined {
  for (let page = unit * PAGES_PER_UNIT + from; page < unit * PAGES_PER_UNIT + to; page++) {
    if (((machine.pages[page] as number) & PAGE_STATE) !== 0) return page
  }
  return undefined
}

/** First units of the app's own reservations, lent ones included. */
export function* appReservations(machine: Machine): Generator<number> {
  for (let unit = 1; unit < machine.layout.units; unit++) {
    if (reservationAt(machine, unit) !== unit) continue
    const kind = res(machine, unit, RES.KIND)
    if (kind === KIND_APP || kind === KIND_LENT) yield unit
  }
}
