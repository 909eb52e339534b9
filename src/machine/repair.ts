import { HDR, INJECTION_WORDS, MAX_INJECTIONS, PAGES_PER_UNIT, UNIT_WORDS } from './layout.ts'
import type { Machine } from './machine.ts'
import { forgotten, KIND_APP, PAGE_COMMITTED, PAGE_STATE, RES, redo, res, reservationAt, setHeapOf, setRes } from './pages.ts'
import { weigh } from './pressure.ts'
import { THREAD, threadAt } from './threads.ts'

/**
 * Address space and physical memory after a thread ended inside the process section, at any store:
 *
 *   call         the store that decides           cut before it                        cut after it
 *   reserve      OWNER of the first unit          the pages are in no reservation      the other units get their OWNER
 *   release      OWNER of the first unit          nothing happened                     units and pages are in no reservation
 *   commit,
 *   decommit,
 *   protect      REDO                             nothing happened                     done again from the first page to the last
 *   lend, end    KIND                             what an app's reservation has no     nothing is missing
 *   of lending                                    use for is cleared
 *
 *   truth        OWNER of first units, PAGES, KIND, HEAP and the state of pages inside reservations      all else follows from it
 *
 * A reservation that the dead thread had made for the program and told nobody of is released (LEFT_RESERVED). Doing all this twice, or
 * again from the start after dying in it, gives what doing it once does. Precondition: inside the process section.
 */
export function repairPages(machine: Machine): void {
  const { sys } = machine
  redo(machine)
  dropLeft(machine)
  tileUnits(machine)
  forgetReleased(machine)
  sys[HDR.COMMITTED] = countPages(machine)
  if ((sys[HDR.COMMITTED] as number) > (sys[HDR.PEAK_COMMITTED] as number)) sys[HDR.PEAK_COMMITTED] = sys[HDR.COMMITTED] as number
  sys[HDR.REDO] = 0
  sys[HDR.INJECTING] = injecting(machine)
  weigh(machine)
}

/** Takes the OWNER from the reservation that nobody was told of; what it leaves is then in no reservation. */
function dropLeft(machine: Machine): void {
  const unit = machine.sys[HDR.LEFT_RESERVED] as number
  if (unit !== 0 && reservationAt(machine, unit) === unit && res(machine, unit, RES.KIND) === KIND_APP) setRes(machine, unit, RES.OWNER, 0)
  machine.sys[HDR.LEFT_RESERVED] = 0
}

/** Whoever has released what a thread had left to be undone may have been cut off before it said so. */
function forgetReleased(machine: Machine): void {
  for (let tid = 1; tid <= (machine.sys[HDR.THREADS] as number); tid++) {
    const at = threadAt(machine, tid) + THREAD.RESERVED
    const unit = machine.sys[at] as number
    if (unit !== 0 && reservationAt(machine, unit) !== unit) machine.sys[at] = 0
  }
}

/** Every unit belongs to the reservation whose first unit says so, or to none. */
function tileUnits(machine: Machine): void {
  for (let unit = 0; unit < machine.layout.units; ) {
    const owned = reservationAt(machine, unit) === unit
    const count = owned ? Math.ceil(res(machine, unit, RES.PAGES) / PAGES_PER_UNIT) : 1
    if (owned && res(machine, unit, RES.KIND) === KIND_APP) {
      setHeapOf(machine, unit, 0)
      for (const field of [RES.NEXT, RES.PREV, RES.GRANULES]) setRes(machine, unit, field, 0)
    }
    for (let other = owned ? unit + 1 : unit; other < unit + count; other++) {
      setRes(machine, other, RES.OWNER, owned ? unit + 1 : 0)
      for (let word = other * UNIT_WORDS + 1; word < (other + 1) * UNIT_WORDS; word++) machine.units[word] = 0
    }
    unit += count
  }
}

/** Clears the pages outside of reservations, and counts the committed ones inside. */
function countPages(machine: Machine): number {
  let all = 0
  for (let unit = 0; unit < machine.layout.units; ) {
    const owned = reservationAt(machine, unit) === unit
    const pages = owned ? res(machine, unit, RES.PAGES) : 0
    const count = Math.max(1, Math.ceil(pages / PAGES_PER_UNIT))
    const first = unit * PAGES_PER_UNIT
    let committed = 0
    for (let page = first; page < first + pages; page++) if (((machine.pages[page] as number) & PAGE_STATE) === PAGE_COMMITTED) committed++
    for (let page = first + pages; page < (unit + count) * PAGES_PER_UNIT; page++)
      machine.pages[page] = forgotten(machine.pages[page] as number)
    if (owned) setRes(machine, unit, RES.COMMITTED, committed)
    all += committed
    unit += count
  }
  return all
}

/** The kinds of requests that injected failures are on for (failures.ts). */
function injecting(machine: Machine): number {
  let kinds = 0
  for (let index = 0; index < MAX_INJECTIONS; index++) kinds |= machine.sys[machine.layout.injectionsAt + index * INJECTION_WORDS] as number
  return kinds
}
