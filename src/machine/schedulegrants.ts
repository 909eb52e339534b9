import { HDR, HEAP_GRANTS } from './layout.ts'
import type { Layout } from './layout.ts'
import type { Machine, Scheduling } from './machine.ts'
import { BOARD, CUT, deedOf, GONE, IN_VAIN, LEFT, REFUSED, SEAT, seatAt, STOPPED, TAKE, threadOfSeat } from './scheduleboard.ts'
import { isOthers, isOwn, NAP, ORPHAN, TID } from './section.ts'
import { SEC, sectionRecords } from './sectiontable.ts'
import { park } from './wait.ts'

/**
 * The schedule `recorded`: threads run as they like, and each writes down its own grants. It all lies behind what else is in system memory, where
 * the hot path reaches it:
 *
 *   | log of seat 0                                                                                   | log of seat 1 | ...
 *     LOG_HEAD | LOG_LIMIT | PUBLISHED | TAIL | LOST | 11 words spare | ring of entries of 4 words each
 *
 *   number      of a grant: which one of its section it was. Counted up in a word beside the section's owner, inside the section, by who has just entered
 *               it: no word is shared but by those who share the section anyway, and no cache line
 *   entry       deed, number, how often, a word spare: a section entered that often in a row, first with that number; or a try that was REFUSED, number
 *               0; or a section that was LEFT, with the number of its grant, where the thread had written another entry since: else it left the
 *               section before its next entry anyway; or STOPPED, where process.terminateThread ended the thread: as it waited for that section, number
 *               0, or with section 0 at its call of that number since its last entry but LEFT. What it owned is LEFT then
 *   LOG_HEAD    entries written, but for the open one, which may grow; its thread's own, as LOG_LIMIT is, where it must look up: every 256 entries
 *   PUBLISHED   entries that may be read      TAIL      entries that have been read; who finds no room parks there. All four go round at 2^32
 *   LOST        an entry found no room where none could be refused: there is no order any more
 *
 * The grants of a section are in the order of their numbers, each after the section was left, and the entries of a thread in that of its log: together
 * that is an order of all of them, in which each section went from hand to hand as it did (`mergeGrants`).
 */
export const LOG_HEAD = 0
export const LOG_LIMIT = 1
export const PUBLISHED = 2
export const TAIL = 3
export const LOST = 4
export const LOG_WORDS = 16
const ROUND = 256

export const ENTRY_WORDS = 4

/** Entries of one log: as many as 2 million for all allow, 1,024 to 32,768. */
function entriesOf(seats: number): number {
  return 2 ** Math.min(15, Math.max(10, Math.floor(Math.log2(2 ** 21 / seats))))
}

/** Words behind the others of system memory that a recorded process needs. */
export function grantWords(seats: number): number {
  return seats * (LOG_WORDS + entriesOf(seats) * ENTRY_WORDS)
}

/** Where a seat's log lies in system memory, and how many entries it holds. */
export function logOf(layout: Layout, seats: number, seat: number): { at: number; entries: number } {
  const entries = entriesOf(seats)
  return { at: layout.words + seat * (LOG_WORDS + entries * ENTRY_WORDS), entries }
}

/** Where the grants of the section at `at` are counted. */
export function numberAt(layout: Layout, at: number): number {
  if (at >= layout.sectionsAt) return at + SEC.GRANTS
  if (at >= layout.heapsAt) return at + HEAP_GRANTS
  return at === HDR.LOCK ? HDR.LOCK_GRANTS : HDR.SPY_GRANTS
}

/** Thrown where a thread's log of grants is full and nobody has read it within the process's `lockTimeout`. */
export class GrantsFullError extends Error {
  constructor(waited: number) {
    super(
      `waited ${waited} ms for room in the log of grants; the creating thread of a recorded process has to call drainGrants() now and then`
    )
    this.name = 'GrantsFullError'
  }
}

/** One thread's writing down. */
export class GrantLog implements Scheduling {
  readonly order = 0
  /** For the hot path: where the log is, and how many entries it has. */
  readonly place: { readonly log: number; readonly logEntries: number }
  readonly #machine: Machine
  readonly #board: Int32Array
  readonly #seat: number
  readonly #at: number
  readonly #entries: number
  #trying = false
  /** Calls that have begun since the last entry but LEFT, and what the log was then: the hot path's grants show in the log alone. */
  #calls = 0
  #head = 0
  #often = 0

  /** Makes `machine`, which nobody uses yet, write its grants down. */
  constructor(machine: Machine, board: Int32Array, seat: number) {
    const { at, entries } = logOf(machine.layout, board[BOARD.SEATS] as number, seat)
    this.#machine = machine
    this.#board = board
    this.#seat = seat
    this.#at = at
    this.#entries = entries
    this.place = { log: at, logEntries: entries }
    const { take, give, mem } = machine
    machine.take = (address, who) => {
      if (address >>> 2 === HDR.RING_LOCK) return take(address, who)
      const trying = this.#trying
      this.#trying = false
      if ((((mem[at + LOG_HEAD] as number) - (mem[at + LOG_LIMIT] as number)) | 0) >= 0) this.#needRoom()
      const seen = take(address, who)
      if (seen === 0) this.#write(address >>> 2)
      else if (trying && isOthers(seen, who)) this.#enter(deedOf(address >>> 2, REFUSED), 0)
      return seen
    }
    machine.give = (address) => {
      if (address >>> 2 !== HDR.RING_LOCK) this.#leave(address >>> 2)
      return give(address)
    }
    machine.seat = this
  }

  tries(at: number, who: number): void {
    this.#trying = at !== HDR.RING_LOCK && !isOwn(this.#machine.sys[at] as number, who)
  }

  awaits(): void {}

  dozes(): void {}

  inherits(at: number): void {
    if (at !== HDR.RING_LOCK && this.#hasRoom()) this.#write(at)
  }

  touches(): void {}

  calls(): void {
    this.#calls = this.#callsSince() + 1
  }

  ends(at: number): void {
    if (!this.#hasRoom()) return
    // Nobody else hears of a wait for the ring.
    if (at === HDR.RING_LOCK) this.#enter(STOPPED, CUT)
    else this.#enter(deedOf(at, STOPPED), at !== 0 ? 0 : this.#calls < IN_VAIN ? this.#calls : CUT)
  }

  falls(): void {
    const { mem, layout } = this.#machine
    for (const at of sectionRecords(this.#machine))
      if (((mem[at] as number) & (ORPHAN | TID)) === threadOfSeat(this.#seat) && this.#hasRoom())
        this.#enter(deedOf(at, LEFT), mem[numberAt(layout, at)] as number)
  }

  terminates(): undefined {}

  leaves(): void {
    const state = seatAt(this.#seat) + SEAT.STATE
    // Who was terminated has left before it detaches.
    if (this.#board[state] === GONE) return
    close(this.#machine, this.#at, this.#entries)
    Atomics.store(this.#board, state, GONE)
  }

  bury<T>(_: number, mend: () => T): T {
    return mend()
  }

  close(): void {}

  #write(at: number): void {
    const { mem, layout } = this.#machine
    const counted = numberAt(layout, at)
    const number = (mem[counted] as number) + 1
    // First: what is written and not counted is seen when the thread is buried.
    this.#enter(deedOf(at, TAKE), number)
    mem[counted] = number
  }

  #leave(at: number): void {
    const { mem, layout } = this.#machine
    if (mem[this.#open()] === deedOf(at, TAKE) || !this.#hasRoom()) return
    const calls = this.#callsSince()
    this.#enter(deedOf(at, LEFT), mem[numberAt(layout, at)] as number)
    this.#callsSince()
    this.#calls = calls
  }

  #callsSince(): number {
    const head = this.#machine.mem[this.#at + LOG_HEAD] as number
    const often = this.#machine.mem[this.#open() + 2] as number
    if (head !== this.#head || often !== this.#often) this.#calls = 0
    this.#head = head
    this.#often = often
    return this.#calls
  }

  /** Where the open entry is, or one behind it. */
  #open(behind = 0): number {
    const head = (this.#machine.mem[this.#at + LOG_HEAD] as number) + behind
    return this.#at + LOG_WORDS + (head & (this.#entries - 1)) * ENTRY_WORDS
  }

  #enter(deed: number, number: number): void {
    const { mem } = this.#machine
    const open = this.#open()
    const often = mem[open + 2] as number
    const what = deed & 3
    if (mem[open] === deed && (what === REFUSED || (what === TAKE && (mem[open + 1] as number) + often === number))) {
      mem[open + 2] = often + 1
      return
    }
    const at = this.#open(1)
    mem[at] = deed
    mem[at + 1] = number
    mem[at + 2] = 1
    // Last: whoever dies before has not begun another entry.
    mem[this.#at + LOG_HEAD] = (mem[this.#at + LOG_HEAD] as number) + 1
  }

  #needRoom(): void {
    if (!this.#makeRoom()) throw new GrantsFullError(this.#machine.sys[HDR.LOCK_TIMEOUT] as number)
  }

  /** Whether there is room for an entry that no take has asked for; an error there would leave sections shut. */
  #hasRoom(): boolean {
    const { mem } = this.#machine
    if ((((mem[this.#at + LOG_HEAD] as number) - (mem[this.#at + LOG_LIMIT] as number) - ROUND + 1) | 0) < 0) return true
    if (mem[this.#at + LOST] === 0 && this.#makeRoom()) return true
    mem[this.#at + LOST] = 1
    return false
  }

  /** Lets the last round be read, and waits until there is room for another. False if nobody makes any within the process's `lockTimeout`. */
  #makeRoom(): boolean {
    const { mem, sys } = this.#machine
    publish(this.#machine, this.#at)
    const head = mem[this.#at + LOG_HEAD] as number
    const timeout = sys[HDR.LOCK_TIMEOUT] || Number.POSITIVE_INFINITY
    for (let waited = 0; ; ) {
      const tail = Atomics.load(mem, this.#at + TAIL)
      // Two rounds: of a section that is left or taken over, and of a try that was refused, nobody asks before the second is full.
      if (((head + 2 * ROUND - tail) | 0) <= this.#entries) break
      const nap = Math.min(NAP, timeout - waited)
      if (park(mem, this.#at + TAIL, tail, nap)) waited = 0
      else waited += nap
      if (waited >= timeout) return false
    }
    mem[this.#at + LOG_LIMIT] = head + ROUND
    return true
  }
}

function publish(machine: Machine, log: number): void {
  Atomics.store(machine.mem, log + PUBLISHED, machine.mem[log + LOG_HEAD] as number)
}

/** Lets the open entry be read too: nothing is written any more. Whoever was cut off in it does it once more, and lets an entry be read that happened 0 times. */
export function close(machine: Machine, log: number, entries: number): void {
  const { mem } = machine
  const head = (mem[log + LOG_HEAD] as number) + 1
  mem[log + LOG_WORDS + (head & (entries - 1)) * ENTRY_WORDS + 2] = 0
  mem[log + LOG_HEAD] = head
  publish(machine, log)
}
