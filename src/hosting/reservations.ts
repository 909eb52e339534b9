import { MEM_COMMIT, MEM_RESERVE } from '../constants.ts'
import { HDR, PAGE, UNIT, UNIT_SHIFT } from '../machine/layout.ts'
import type { CeThread } from '../coredll/thread.ts'
import { KIND_APP, PAGE_COMMITTED, pageState, RES, res, reservationAt } from '../machine/pages.ts'
import { enter, leave } from '../machine/section.ts'

/** A reservation that was made through a host, in bytes. */
export interface HostReservation {
  readonly address: number
  readonly size: number
  readonly committed: number
}

/** The reservations that a host has made, and what it has charged for their committed pages. */
export class Reservations {
  readonly #ce: CeThread
  readonly #charged = new Map<number, number>()

  constructor(ce: CeThread) {
    this.#ce = ce
  }

  /** The host's reservation that holds `address`, as its first address; 0 if it is not the host's. */
  at(address: number): number {
    const { machine } = this.#ce
    const unit = address >>> UNIT_SHIFT
    const home = unit < machine.layout.units ? reservationAt(machine, unit) : -1
    // What is left of its last 64 KB is nobody's (C-64).
    const within = home >= 0 && address < home * UNIT + res(machine, home, RES.PAGES) * PAGE
    return within && this.#charged.has(home * UNIT) ? home * UNIT : 0
  }

  /** Whether the call can touch nothing but the host's: a new reservation, or pages of one that it has made. */
  covers(address: number, type: number): boolean {
    return address === 0 || (type & MEM_RESERVE) !== 0 || this.at(address) !== 0
  }

  /** Bytes of the pages that a call would commit: of a reservation to be made every one that it touches, of the host's own those that are not committed. */
  missing(address: number, bytes: number, type: number): number {
    if ((type & MEM_COMMIT) === 0 || bytes === 0) return 0
    const made = address === 0 || (type & MEM_RESERVE) !== 0
    const first = made ? address - (address % UNIT) : address - (address % PAGE)
    const pages = Math.min(Math.ceil((address + bytes - first) / PAGE), 2 ** 20 - 1)
    if (made) return pages * PAGE
    let missing = 0
    const end = Math.min(first / PAGE + pages, this.#ce.machine.layout.pages)
    for (let page = first / PAGE; page < end; page++) if (pageState(this.#ce.machine, page) !== PAGE_COMMITTED) missing++
    return missing * PAGE
  }

  /** Notes what is committed now in the reservation at `base`, new or known; returns by how many bytes that is more than before. */
  settle(base: number): number {
    const { committed, there } = this.#look(base)
    const before = this.#charged.get(base) ?? 0
    if (there) this.#charged.set(base, committed)
    else this.#charged.delete(base)
    return committed - before
  }

  all(): HostReservation[] {
    return [...this.#charged.keys()].map((address) => ({
      address,
      size: this.#look(address).size,
      committed: this.#look(address).committed
    }))
  }

  /** Precondition: `base` is a multiple of 64 KB. */
  #look(base: number): { there: boolean; size: number; committed: number } {
    const { machine, tid } = this.#ce
    const unit = base >>> UNIT_SHIFT
    enter(machine, HDR.LOCK, tid)
    const there = reservationAt(machine, unit) === unit && res(machine, unit, RES.KIND) === KIND_APP
    const size = there ? res(machine, unit, RES.PAGES) * PAGE : 0
    const committed = there ? res(machine, unit, RES.COMMITTED) * PAGE : 0
    leave(machine, HDR.LOCK)
    return { there, size, committed }
  }
}
