import type { Machine, Scheduling } from './machine.ts'
import {
  ATTACHED,
  BOARD,
  CUT,
  deedOf,
  ENDED,
  GONE,
  IN_VAIN,
  isEnd,
  LEFT,
  SEAT,
  seatAt,
  sectionOfDeed,
  STOPPED,
  TAKE,
  threadOfSeat
} from './scheduleboard.ts'
import { close, ENTRY_WORDS, LOG_WORDS, logOf, LOST, numberAt, PUBLISHED, TAIL } from './schedulegrants.ts'
import { mergeGrants } from './schedulemerge.ts'
import { MOST_EVENTS } from './schedulestring.ts'
import { ORPHAN, TID } from './section.ts'
import { wakeAll } from './wait.ts'

/** What the creating thread has read of all logs. */
export class GrantReader implements Scheduling {
  readonly order = 0
  readonly #machine: Machine
  readonly #board: Int32Array
  readonly #seats: number
  /** A seat's entries: deed, number, how often. */
  readonly #read: { words: Int32Array; length: number }[]
  /** Seats whose threads process.terminateThread was called for. */
  readonly #asked: Set<number> = new Set()
  /** Grants and refused tries that were read. */
  count = 0

  constructor(machine: Machine, board: Int32Array) {
    this.#machine = machine
    this.#board = board
    this.#seats = board[BOARD.SEATS] as number
    this.#read = Array.from({ length: this.#seats }, () => ({ words: new Int32Array(1024), length: 0 }))
    machine.seat = this
  }

  tries(): void {}

  awaits(): void {}

  /** A thread that waits for room in its log may own what this one waits for. */
  dozes(): void {
    this.drain()
  }

  inherits(): void {}

  touches(): void {}

  calls(): void {}

  ends(): void {}

  falls(): void {}

  terminates(tid: number): undefined {
    const seat = tid - 2
    if (seat < this.#seats && Atomics.load(this.#board, seatAt(seat) + SEAT.STATE) === ATTACHED) this.#asked.add(seat)
  }

  leaves(): void {}

  /** Also reads what a dead thread has written last, and which sections it leaves only now. */
  bury<T>(ticket: number, mend: () => T): T {
    const seat = ticket - 1
    if (seat >= 0 && seat < this.#seats && this.#board[seatAt(seat) + SEAT.STATE] !== GONE) {
      const { at, entries } = logOf(this.#machine.layout, this.#seats, seat)
      close(this.#machine, at, entries)
      Atomics.store(this.#board, seatAt(seat) + SEAT.STATE, GONE)
      this.drain()
      this.#note(seat, STOPPED, CUT, 1)
      this.#leaveAll(seat)
    }
    return mend()
  }

  /** The dead thread was cut off in nothing before its last grant of a section was written down; between that and the counting it may have been. */
  #leaveAll(seat: number): void {
    const { mem, layout } = this.#machine
    const { words, length } = this.#read[seat] as { words: Int32Array; length: number }
    const last = new Map<number, number>()
    for (let n = 0; n < length; n += 3) {
      const deed = words[n] as number
      if ((deed & 3) === TAKE) last.set(deed, (words[n + 1] as number) + (words[n + 2] as number) - 1)
    }
    for (const [deed, number] of last) {
      const at = sectionOfDeed(deed)
      const counted = numberAt(layout, at)
      if (((mem[at] as number) & (ORPHAN | TID)) !== threadOfSeat(seat) || number < (mem[counted] as number)) continue
      mem[counted] = number
      this.#note(seat, deedOf(at, LEFT), number, 1)
    }
  }

  close(): void {}

  /** Whether all threads have come to their end. */
  get over(): boolean {
    for (let seat = 0; seat < this.#seats; seat++) if (Atomics.load(this.#board, seatAt(seat) + SEAT.STATE) !== GONE) return false
    return true
  }

  /** Reads what the threads have let be read; returns how many grants that were, and refused tries. */
  drain(): number {
    const { mem, layout } = this.#machine
    const before = this.count
    for (let seat = 0; seat < this.#seats; seat++) {
      const { at, entries } = logOf(layout, this.#seats, seat)
      const published = Atomics.load(mem, at + PUBLISHED)
      const tail = mem[at + TAIL] as number
      if (published === tail) continue
      for (let n = tail; n !== published; n = (n + 1) | 0) this.#keep(seat, at + LOG_WORDS + (n & (entries - 1)) * ENTRY_WORDS)
      Atomics.store(mem, at + TAIL, published)
      wakeAll(mem, at + TAIL)
    }
    return this.count - before
  }

  #keep(seat: number, entry: number): void {
    const { mem } = this.#machine
    this.#note(seat, mem[entry] as number, mem[entry + 1] as number, mem[entry + 2] as number)
  }

  #note(seat: number, deed: number, number: number, often: number): void {
    if ((deed & 3) <= TAKE) this.count += often
    // The first entry of a log is an empty one.
    if (this.count > MOST_EVENTS || often === 0) return
    const read = this.#read[seat] as { words: Int32Array; length: number }
    if (read.length + 3 > read.words.length) {
      const wider = new Int32Array(read.words.length * 2)
      wider.set(read.words)
      read.words = wider
    }
    read.words[read.length++] = deed
    read.words[read.length++] = number
    read.words[read.length++] = often
  }

  /** The grants and ends of all threads in one order; undefined if they are too many to keep, or one is missing because it found no room. */
  merged(): (readonly [seat: number, deed: number])[] | undefined {
    if (this.count > MOST_EVENTS) return undefined
    for (let seat = 0; seat < this.#seats; seat++)
      if (this.#machine.mem[logOf(this.#machine.layout, this.#seats, seat).at + LOST] !== 0) return undefined
    const events = mergeGrants(this.#read.map(({ words, length }) => words.subarray(0, length)))
    if (events === undefined) return undefined
    for (const seat of this.#asked)
      if (!events.some(([who, deed]) => who === seat && isEnd(deed))) events.push([seat, deedOf(IN_VAIN, ENDED)])
    return events.length > MOST_EVENTS ? undefined : events
  }
}
