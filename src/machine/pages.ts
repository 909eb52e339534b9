import { PAGE_GUARD, PAGE_READWRITE } from '../constants.ts'
import { failsInjected, ON_COMMIT, ON_RESERVE } from './failures.ts'
import { zeroGranules } from './fill.ts'
import { HDR, PAGE, PAGE_SHIFT, PAGES_PER_UNIT, UNIT, UNIT_SHIFT, UNIT_WORDS } from './layout.ts'
import type { Machine } from './machine.ts'
import { becomeLow, weigh } from './pressure.ts'
import { enter, leave } from './section.ts'
import { forgetMade, THREAD } from './threads.ts'

/**
 * Address space and physical memory. A reservation is a run of whole units; its record stands at its first unit.
 *
 *   units   | OWNER | PAGES | KIND | HEAP | NEXT | PREV | GRANULES | COMMITTED |   at the first unit
 *           | OWNER |   -   |  -   |  -   |  -   |  -   |    -     |     -     |   at the others
 *   pages   | protection (bits 8..19) | DIRTY (bit 2) | state (bits 0..1) |
 *
 *   reservation.COMMITTED = its pages in state committed
 *   header.COMMITTED      = sum of COMMITTED over all reservations <= header.PHYSICAL, or OVERDRAWN if the budget was lowered below it
 *
 * HEAP is the index of the heap that has the reservation (bits 0..15), and the number of the CLR host that has made it (bits 16..30), 0 for none.
 * OWNER is the first unit plus one, 0 where the unit is free. DIRTY marks a page that was committed before: it is zeroed when it
 * is committed again, so that a fresh page is always zero (VA-2) and a page used once is never zeroed for nothing.
 * OWNER, PAGES, KIND, HEAP, COMMITTED and the pages change inside the process section; NEXT, PREV and GRANULES of a heap's reservation
 * inside that heap's section, in which its pages are read too.
 *
 * A thread may end between any two stores; machine/repair.ts then completes or undoes what it was at:
 *
 *   a reservation is there from the store on that makes its first unit name itself as owner, and gone with the one that clears it: all else
 *   of it is written before and cleared after
 *   a change of many pages is written down first, as REDO in the header, and done again from the start: once or twice gives the same
 *   the counters are added up again from the pages
 */
export const RES = { OWNER: 0, PAGES: 1, KIND: 2, HEAP: 3, NEXT: 4, PREV: 5, GRANULES: 6, COMMITTED: 7 } as const

/** KIND of a reservation. */
export const KIND_APP = 1
export const KIND_REGION = 2
export const KIND_BIG = 3
/** A region of a heap inside a reservation of the app's (CeHeapCreate, CH-4). */
export const KIND_LENT = 4

export const PAGE_STATE = 3
export const PAGE_RESERVED = 1
export const PAGE_COMMITTED = 2
const DIRTY = 4
const HOST_SHIFT = 16
/** Numbers of hosts run from 1 to this. */
export const MOST_HOSTS = 0x7fff
const PROTECT_SHIFT = 8

export function reservationAt(machine: Machine, unit: number): number {
  return (machine.units[unit * UNIT_WORDS] as number) - 1
}

export function res(machine: Machine, unit: number, field: number): number {
  return machine.units[unit * UNIT_WORDS + field] as number
}

export function setRes(machine: Machine, unit: number, field: number, value: number): void {
  machine.units[unit * UNIT_WORDS + field] = value
}

/** The index of the heap that has the reservation; 0 for one of the app's own. */
export function heapOf(machine: Machine, unit: number): number {
  return res(machine, unit, RES.HEAP) & ((1 << HOST_SHIFT) - 1)
}

/** The number of the host that has made the reservation, 0 if none has: it stays when the pages are lent to a heap and ends with the reservation. */
export function hostOf(machine: Machine, unit: number): number {
  return res(machine, unit, RES.HEAP) >>> HOST_SHIFT
}

/** Gives the app's reservation to a heap, or takes it back with 0; whose it is stays. */
export function setHeapOf(machine: Machine, unit: number, heap: number): void {
  setRes(machine, unit, RES.HEAP, (hostOf(machine, unit) << HOST_SHIFT) | heap)
}

/** HEAP of a new reservation of the app's that is made for the host with this number, or for none. */
export function madeFor(host: number): number {
  return host << HOST_SHIFT
}

export function pageState(machine: Machine, page: number): number {
  return (machine.pages[page] as number) & PAGE_STATE
}

export function pageProtection(machine: Machine, page: number): number {
  return (machine.pages[page] as number) >>> PROTECT_SHIFT
}

/** How a committed page is protected, 0 where there is none: state and protection of one moment, for other threads change them. */
export function protectionAt(machine: Machine, page: number): number {
  const word = page < machine.layout.pages ? (machine.pages[page] as number) : 0
  return (word & PAGE_STATE) === PAGE_COMMITTED ? word >>> PROTECT_SHIFT : 0
}

/** Whether every page that holds a byte of [address, address + length) is committed. Precondition: the range lies in user memory. */
export function allCommitted(machine: Machine, address: number, length: number): boolean {
  const end = (address + length - 1) >>> PAGE_SHIFT
  for (let page = address >>> PAGE_SHIFT; page <= end; page++) if (pageState(machine, page) !== PAGE_COMMITTED) return false
  return true
}

/** The lowest run of `count` free units, the highest with `topDown`, above the unit that is never mapped (VL-3); 0 if there is none. Precondition: inside the process section. */
function findUnits(machine: Machine, count: number, topDown: boolean): number {
  const total = machine.layout.units
  let run = 0
  if (topDown) {
    for (let unit = total - 1; unit >= 1; unit--) {
      run = res(machine, unit, RES.OWNER) === 0 ? run + 1 : 0
      if (run === count) return unit
    }
    return 0
  }
  for (let unit = 1; unit < total; unit++) {
    run = res(machine, unit, RES.OWNER) === 0 ? run + 1 : 0
    if (run === count) return unit - count + 1
  }
  return 0
}

function claim(machine: Machine, unit: number, bytes: number, kind: number, heap: number, protection: number): void {
  const pages = Math.ceil(bytes / PAGE)
  setRes(machine, unit, RES.PAGES, pages)
  setRes(machine, unit, RES.KIND, kind)
  setRes(machine, unit, RES.HEAP, heap)
  setRes(machine, unit, RES.NEXT, 0)
  setRes(machine, unit, RES.PREV, 0)
  setRes(machine, unit, RES.GRANULES, 0)
  setRes(machine, unit, RES.COMMITTED, 0)
  const first = unit * PAGES_PER_UNIT
  if (kind === KIND_APP) machine.sys[machine.slot + THREAD.RESERVED] = unit
  for (let page = first; page < first + pages; page++) {
    machine.pages[page] = ((machine.pages[page] as number) & DIRTY) | PAGE_RESERVED | (protection << PROTECT_SHIFT)
  }
  for (let u = unit; u < unit + Math.ceil(bytes / UNIT); u++) setRes(machine, u, RES.OWNER, unit + 1)
}

/** Whether an injected failure refuses a request for `bytes` of address space. Precondition: inside the process section. */
function isRefused(machine: Machine, who: number, bytes: number): boolean {
  return failsInjected(machine, who, ON_RESERVE, Math.ceil(bytes / PAGE) * PAGE)
}

/** Reserves `bytes` (rounded up to pages) at an address of the system's choice; returns the first unit, 0 if no run is long enough or a failure is injected. */
export function reserve(
  machine: Machine,
  who: number,
  bytes: number,
  kind: number,
  heap: number,
  protection: number = PAGE_READWRITE,
  topDown = false
): number {
  const count = Math.ceil(bytes / UNIT)
  if (count === 0 || count >= machine.layout.units) return 0
  enter(machine, HDR.LOCK, who)
  const unit = isRefused(machine, who, bytes) ? 0 : findUnits(machine, count, topDown)
  if (unit !== 0) claim(machine, unit, bytes, kind, heap, protection)
  leave(machine, HDR.LOCK)
  return unit
}

/** Reserves [address, address + bytes) where `address` is a multiple of 64 KB; returns 0 if any of it is taken or outside memory, -1 if a failure is injected. */
export function reserveAt(
  machine: Machine,
  who: number,
  address: number,
  bytes: number,
  kind: number,
  heap: number,
  protection: number
): number {
  const unit = address >>> UNIT_SHIFT
  const count = Math.ceil(bytes / UNIT)
  if (unit < 1 || unit + count > machine.layout.units) return 0
  enter(machine, HDR.LOCK, who)
  let free = true
  for (let u = unit; u < unit + count && free; u++) free = res(machine, u, RES.OWNER) === 0
  const refused = free && isRefused(machine, who, bytes)
  if (free && !refused) claim(machine, unit, bytes, kind, heap, protection)
  leave(machine, HDR.LOCK)
  return refused ? -1 : free ? unit : 0
}

/**
 * Commits every page that holds a byte of [address, address + bytes), zero-filled where it was not committed (VA-2); committed
 * pages keep what they hold (VA-8) and get the protection too (C-66). Returns how many pages were newly committed, or -1 if physical memory does not suffice: then nothing changed.
 * Precondition: the range lies in one reservation.
 */
export function commit(machine: Machine, who: number, address: number, bytes: number, protection: number = PAGE_READWRITE): number {
  const { sys } = machine
  const first = address >>> PAGE_SHIFT
  const last = (address + bytes - 1) >>> PAGE_SHIFT
  enter(machine, HDR.LOCK, who)
  let missing = 0
  for (let page = first; page <= last; page++) if (pageState(machine, page) !== PAGE_COMMITTED) missing++
  const used = (sys[HDR.COMMITTED] as number) + missing
  if (missing > 0 && (failsInjected(machine, who, ON_COMMIT, missing * PAGE) || used > (sys[HDR.PHYSICAL] as number))) {
    becomeLow(machine)
    leave(machine, HDR.LOCK)
    return -1
  }
  plan(machine, REDO_COMMIT, first, last, PAGE_COMMITTED | DIRTY | (protection << PROTECT_SHIFT))
  redo(machine)
  const unit = reservationAt(machine, address >>> UNIT_SHIFT)
  setRes(machine, unit, RES.COMMITTED, res(machine, unit, RES.COMMITTED) + missing)
  sys[HDR.COMMITTED] = used
  if (used > (sys[HDR.PEAK_COMMITTED] as number)) sys[HDR.PEAK_COMMITTED] = used
  sys[HDR.REDO] = 0
  weigh(machine)
  leave(machine, HDR.LOCK)
  return missing
}

/** Gives the physical memory of pages [first, last] back; returns how many were committed. Precondition: one reservation. */
export function decommitPages(machine: Machine, who: number, first: number, last: number): number {
  enter(machine, HDR.LOCK, who)
  const count = committedAmong(machine, first, last)
  if (count > 0) {
    plan(machine, REDO_DECOMMIT, first, last, 0)
    redo(machine)
    const unit = reservationAt(machine, first >>> (UNIT_SHIFT - PAGE_SHIFT))
    setRes(machine, unit, RES.COMMITTED, res(machine, unit, RES.COMMITTED) - count)
    machine.sys[HDR.COMMITTED] = (machine.sys[HDR.COMMITTED] as number) - count
    machine.sys[HDR.REDO] = 0
  }
  weigh(machine)
  leave(machine, HDR.LOCK)
  return count
}

function committedAmong(machine: Machine, first: number, last: number): number {
  let count = 0
  for (let page = first; page <= last; page++) if (pageState(machine, page) === PAGE_COMMITTED) count++
  return count
}

/** Ends the reservation whose first unit is `unit`, whatever state its pages are in; returns the pages that were committed. */
export function release(machine: Machine, who: number, unit: number): number {
  enter(machine, HDR.LOCK, who)
  const pages = res(machine, unit, RES.PAGES)
  const first = unit * PAGES_PER_UNIT
  const committed = committedAmong(machine, first, first + pages - 1)
  const end = unit + Math.ceil(pages / PAGES_PER_UNIT)
  // The first word of it is the first unit's OWNER.
  for (let word = unit * UNIT_WORDS; word < end * UNIT_WORDS; word++) machine.units[word] = 0
  for (let page = first; page < first + pages; page++) machine.pages[page] = forgotten(machine.pages[page] as number)
  machine.sys[HDR.COMMITTED] = (machine.sys[HDR.COMMITTED] as number) - committed
  weigh(machine)
  leave(machine, HDR.LOCK)
  return committed
}

/** Ends a reservation of the program's, and no thread undoes it any more: the units may be another's next. Precondition: inside the process section. */
export function releaseApp(machine: Machine, who: number, unit: number): void {
  release(machine, who, unit)
  forgetMade(machine, THREAD.RESERVED, unit)
}

/** The word of a page that no reservation holds any more. */
export function forgotten(word: number): number {
  return word & DIRTY
}

/** Gives committed pages [first, last] another protection. Precondition: inside the process section. */
export function protectPages(machine: Machine, first: number, last: number, protection: number): void {
  plan(machine, REDO_PROTECT, first, last, PAGE_COMMITTED | DIRTY | (protection << PROTECT_SHIFT))
  redo(machine)
  machine.sys[HDR.REDO] = 0
}

const REDO_COMMIT = 1
const REDO_DECOMMIT = 2
const REDO_PROTECT = 3

/** Writes down a change of pages [first, last]; from its last store on the change is done by whoever comes. Precondition: inside the process section. */
function plan(machine: Machine, what: number, first: number, last: number, word: number): void {
  const { sys } = machine
  sys[HDR.REDO_FIRST] = first
  sys[HDR.REDO_LAST] = last
  sys[HDR.REDO_WORD] = word
  sys[HDR.REDO] = what
}

/** Does the change that is written down, all of it or the rest of it. Precondition: inside the process section. */
export function redo(machine: Machine): void {
  const { sys, pages } = machine
  const what = sys[HDR.REDO] as number
  const word = sys[HDR.REDO_WORD] as number
  if (what === 0) return
  for (let page = sys[HDR.REDO_FIRST] as number; page <= (sys[HDR.REDO_LAST] as number); page++) {
    const seen = pages[page] as number
    const committed = (seen & PAGE_STATE) === PAGE_COMMITTED
    if (what === REDO_COMMIT && !committed && ((seen & DIRTY) !== 0 || sys[HDR.USER_DIRTY] !== 0)) zeroGranules(machine, page * PAGE, PAGE)
    if (what !== REDO_DECOMMIT) pages[page] = word
    else if (committed) pages[page] = (seen & ~PAGE_STATE) | PAGE_RESERVED
  }
}

/** Takes the guard from a page: it has gone off (VP-4). Precondition: inside the process section. */
export function clearGuard(machine: Machine, page: number): void {
  machine.pages[page] = (machine.pages[page] as number) & ~(PAGE_GUARD << PROTECT_SHIFT)
}
