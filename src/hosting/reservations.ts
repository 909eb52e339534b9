import { MEM_COMMIT, MEM_RESERVE } from '../constants.ts'
import { HDR, PAGE, PAGE_SHIFT, PAGES_PER_UNIT, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import type { CeThread } from '../coredll/thread.ts'
import { hostOf, MOST_HOSTS, PAGE_COMMITTED, pageState, RES, res, reservationAt } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'

/** A reservation that was made through a host, in bytes. */
export interface HostReservation {
  readonly address: number
  readonly size: number
  readonly committed: number
}

/**
 * The reservations that a host has made, and what it has charged for their committed pages.
 *
 *   a reservation is the host's if its record bears the host's number (machine/pages.ts): one that the program has freed past the host, and
 *   what the program then reserves at the same place, is not
 */
export class Reservations {
  /** This host's number. */
  readonly number: number
  readonly #ce: CeThread
  readonly #charged = new Map<number, number>()

  constructor(ce: CeThread) {
    this.#ce = ce
    this.number = Atomics.add(ce.machine.sys, HDR.HOSTS, 1) + 1
    if (this.number > MOST_HOSTS)
      throw new RangeError(`openHost: expected at most ${MOST_HOSTS} hosts over the life of a process, got one more`)
  }

  /** The host's reservation that holds `address`, as its first address; 0 if it is not the host's. */
  at(address: number): number {
    return this.#inside(() => {
      const home = homeOf(this.#ce.machine, address)
      return home > 0 && this.#isOwn(home) ? home * UNIT : 0
    })
  }

  /** Whether the call can touch nothing but the host's: a new reservation, or pages of one that it has made. */
  covers(address: number, type: number): boolean {
    return address === 0 || (type & MEM_RESERVE) !== 0 || this.at(address) !== 0
  }

  /**
   * Bytes of the pages that a call would commit: of a reservation to be made every one that it touches, of the host's own those that are not
   * committed. 0 for a call that must fail, as its range is taken already or does not lie in one reservation: it asks for nothing.
   */
  missing(address: number, bytes: number, type: number): number {
    if ((type & MEM_COMMIT) === 0 || bytes === 0) return 0
    const made = address === 0 || (type & MEM_RESERVE) !== 0
    const first = made ? (address >>> UNIT_SHIFT) * PAGES_PER_UNIT : address >>> PAGE_SHIFT
    const end = Math.ceil((address + bytes) / PAGE)
    return this.#inside(() => {
      const { machine } = this.#ce
      if (made) return address === 0 || isFree(machine, first, end) ? Math.min(end - first, 2 ** 20 - 1) * PAGE : 0
      const home = homeOf(machine, address)
      if (home < 0 || end > home * PAGES_PER_UNIT + res(machine, home, RES.PAGES)) return 0
      let missing = 0
      for (let page = first; page < end; page++) if (pageState(machine, page) !== PAGE_COMMITTED) missing++
      return missing * PAGE
    })
  }

  /** Notes a reservation that was made. */
  add(base: number): void {
    if (!this.#charged.has(base)) this.#charged.set(base, 0)
  }

  /** Looks what is committed now in the host's reservations, and which are left; returns by how many bytes that is more than at the last look. */
  settle(): number {
    if (this.#charged.size === 0) return 0
    return this.#inside(() => {
      let more = 0
      for (const [base, before] of this.#charged) {
        const own = this.#isOwn(base >>> UNIT_SHIFT)
        const committed = own ? res(this.#ce.machine, base >>> UNIT_SHIFT, RES.COMMITTED) * PAGE : 0
        if (own) this.#charged.set(base, committed)
        else this.#charged.delete(base)
        more += committed - before
      }
      return more
    })
  }

  /** Precondition: settled. */
  all(): HostReservation[] {
    const { machine } = this.#ce
    return [...this.#charged].map(([address, committed]) => ({
      address,
      size: res(machine, address >>> UNIT_SHIFT, RES.PAGES) * PAGE,
      committed
    }))
  }

  /** Whether a reservation of this host's begins at `unit`. Precondition: inside the process section. */
  #isOwn(unit: number): boolean {
    const { machine } = this.#ce
    return reservationAt(machine, unit) === unit && hostOf(machine, unit) === this.number
  }

  #inside<T>(look: () => T): T {
    const { machine, tid } = this.#ce
    enter(machine, HDR.LOCK, tid)
    try {
      return look()
    } finally {
      leave(machine, HDR.LOCK)
    }
  }
}

/** First unit of the reservation that holds `address`, -1 if none does: what is left of its last 64 KB is nobody's (C-64). */
function homeOf(machine: Machine, address: number): number {
  const unit = address >>> UNIT_SHIFT
  const home = unit < machine.layout.units ? reservationAt(machine, unit) : -1
  return home >= 0 && address < home * UNIT + res(machine, home, RES.PAGES) * PAGE ? home : -1
}

/** Whether no reservation has a unit of the pages [first, end). */
function isFree(machine: Machine, first: number, end: number): boolean {
  const last = Math.ceil(end / PAGES_PER_UNIT)
  if (first < PAGES_PER_UNIT || last > machine.layout.units) return false
  for (let unit = first / PAGES_PER_UNIT; unit < last; unit++) if (reservationAt(machine, unit) >= 0) return false
  return true
}
