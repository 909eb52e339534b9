import { HDR } from './layout.ts'
import type { Machine, Scheduling } from './machine.ts'
import {
  ABSENT,
  ATTACHED,
  BOARD,
  CLOSED,
  CUT,
  DEADLOCK,
  deedOf,
  DIVERGED,
  ENDED,
  FAILED,
  GATHERING,
  GONE,
  LATE,
  LEAVING,
  LEFT,
  NOT_ATTACHED,
  NOT_CALLED,
  OVER,
  RUNNING,
  SEAT,
  seatAt,
  sectionOfDeed,
  TAKE,
  THERE,
  threadOfSeat,
  TRY
} from './scheduleboard.ts'
import { decide, NOBODY, STUCK } from './scheduledecide.ts'
import { failureOf } from './scheduleerrors.ts'
import { endsOf, plannedEnd } from './schedulereplay.ts'
import { Touches } from './schedulesteps.ts'
import { DIVERGES, GRANTS, GUIDED } from './schedulestrategy.ts'
import { isOthers, isOwn, NAP, TID } from './section.ts'
import { alarm, DYING, LIVE, moveThread, needNotDying } from './threads.ts'
import { park, spin, wakeAll } from './wait.ts'

/** The creating thread, which has no part in the run. */
export const OUTSIDE = -1

/**
 * One thread's part in a schedule where threads go one at a time: it has the machine's two steps of a lock word make a point before each take and
 * after each give, and hands the turn on where the strategy says so.
 *
 * The turn always has a way on: who hands it to a seat looks afterwards whether that seat was emptied meanwhile, and who empties a seat
 * looks afterwards whether it has the turn. One of the two sees it.
 */
export class Seat implements Scheduling {
  /** The board as it is shared. */
  readonly buffer: SharedArrayBuffer
  readonly #machine: Machine
  readonly #board: Int32Array
  readonly #seat: number
  readonly #at: number
  /** What stands for this thread in the turn. */
  #mark: number
  /** The step of this thread's last grant, or of what others could tell it by: a try in vain, a section of the program's that it left. 0 before the first. */
  order = 0
  /** The turn was given for the take that follows, which makes no point of its own. */
  #due = false
  #trying = false
  /** Writes down what this thread's steps touch, in a run that is guided. */
  readonly #touches: Touches | undefined
  /** The creating thread mends what a dead thread left. */
  #mending = false
  /** Where this thread ended at a call in the recorded run that is replayed (schedulereplay.ts); calls that have begun since its last event, and which that was. */
  readonly #ends: Map<number, number> | undefined
  #calls = 0
  #event = 0
  /** The threads whose end the creating thread has asked for in a replay that says itself when that is. */
  readonly #asked: Set<number> = new Set()

  /** Makes `machine`, which nobody uses yet, follow the schedule on the board. */
  constructor(machine: Machine, buffer: SharedArrayBuffer, seat: number) {
    this.buffer = buffer
    this.#machine = machine
    this.#board = new Int32Array(buffer)
    this.#seat = seat
    this.#at = seatAt(seat)
    this.#mark = seat === OUTSIDE ? (this.#board[BOARD.SEATS] as number) + 1 : seat + 1
    this.#touches = this.#board[BOARD.KIND] === GUIDED && seat !== OUTSIDE ? new Touches(this.#board) : undefined
    this.#ends = this.#board[BOARD.KIND] === GRANTS && seat !== OUTSIDE ? endsOf(this.#board, seat) : undefined
    const { take, give } = machine
    if (seat === OUTSIDE) {
      machine.take = (address, who) => {
        this.#mayEnter(address >>> 2)
        return take(address, who)
      }
    } else {
      machine.take = (address, who) => this.#take(take, address, who)
      machine.give = (address) => {
        const seen = give(address)
        // LeaveCriticalSection makes no grant, but others see when it was.
        if (address >>> 2 >= machine.layout.sectionsAt) this.order = this.#board[BOARD.STEP] as number
        if (address >>> 2 !== HDR.RING_LOCK) {
          this.#touches?.section(address >>> 2)
          this.#point(deedOf(address >>> 2, LEFT))
        }
        return seen
      }
    }
    machine.seat = this
  }

  /** Before a section is tried without waiting for it. */
  tries(at: number, who: number): void {
    if (this.#seat === OUTSIDE || at === HDR.RING_LOCK || isOwn(this.#machine.sys[at] as number, who)) return
    this.#point(deedOf(at, TRY))
    this.#due = true
    this.#trying = true
  }

  /** Returns when the section at `at`, which another thread owns, may be entered; at once if that thread has no part in the run. */
  awaits(at: number): void {
    if (this.#seat === OUTSIDE || at === HDR.RING_LOCK || ((this.#machine.sys[at] as number) & TID) === 1) return
    this.#point(deedOf(at, TAKE))
    this.#due = true
  }

  dozes(): void {}

  inherits(at: number): void {
    if (this.#seat === OUTSIDE || at === HDR.RING_LOCK) return
    // The turn was given for this, and not for a take to come.
    this.#due = false
    this.#touches?.section(at)
    this.order = this.#board[BOARD.STEP] as number
  }

  /** The thread reads or writes user memory through a check of the page table. */
  touches(address: number, length: number, changes: boolean): void {
    // What a thread does before the run is no step, and in the same moment others do as much.
    if (this.#touches !== undefined && Atomics.load(this.#board, BOARD.TURN) === this.#mark) this.#touches.memory(address, length, changes)
  }

  calls(): void {
    const ends = this.#ends
    if (ends === undefined || ends.size === 0) return
    const events = this.#board[this.#at + SEAT.EVENTS] as number
    if (events !== this.#event) this.#calls = 0
    this.#event = events
    this.#calls++
    if (ends.get(events) !== this.#calls) return
    this.#board[this.#at + SEAT.EVENTS] = events + 1
    this.#board[this.#at + SEAT.ENDS] = (this.#board[this.#at + SEAT.ENDS] as number) + 1
    this.#die()
  }

  ends(): void {
    // The turn was given for a section that it does not get.
    this.#due = false
    this.#trying = false
  }

  falls(): void {}

  terminates(tid: number): boolean | undefined {
    return plannedEnd(this.#board, tid - 2, this.#asked)
  }

  /** This thread takes no part any more: it has detached. */
  leaves(): void {
    if (this.#seat === OUTSIDE) return
    if (this.#isCut() && Atomics.load(this.#board, this.#at + SEAT.STATE) !== GONE)
      this.#fail(DIVERGED, this.#seat, deedOf(CUT, ENDED), deedOf(CUT, ENDED))
    // Who handed the turn to this seat may look for it only now, and must not take it for unclaimed.
    this.#mark |= LEAVING
    this.#empty(this.#seat)
  }

  /** Does what mends after a dead thread, and then empties its seat: the k-th token is the (k - 1)-th seat's. */
  bury<T>(ticket: number, mend: () => T): T {
    this.#mending = true
    try {
      return mend()
    } finally {
      this.#mending = false
      if (ticket >= 1 && ticket <= (this.#board[BOARD.SEATS] as number)) this.#empty(ticket - 1)
    }
  }

  /** Ends the run: the process is closed. */
  close(): void {
    if (Atomics.load(this.#board, BOARD.PHASE) !== OVER) this.#fail(CLOSED, 0, 0, 0)
  }

  #take(take: Machine['take'], address: number, who: number): number {
    const at = address >>> 2
    if (at === HDR.RING_LOCK) return take(address, who)
    const trying = this.#trying
    this.#trying = false
    if (!this.#due) {
      const seen = Atomics.load(this.#machine.sys, at)
      // Who is inside already cannot be kept out, and whose section it is shows when he asks to wait.
      if (isOwn(seen, who) || isOthers(seen, who)) return seen
      this.#point(deedOf(at, TAKE))
    }
    this.#due = false
    if (trying && this.#board[this.#at + SEAT.REFUSED] !== 0) {
      this.#board[this.#at + SEAT.REFUSED] = 0
      this.order = this.#board[BOARD.STEP] as number
      return 1
    }
    this.#touches?.section(at)
    const seen = take(address, who)
    // A try in vain has its moment too: what it tells of another thread is true now.
    if (seen === 0 || trying) this.order = this.#board[BOARD.STEP] as number
    if (trying && isOthers(seen, who)) this.#board[this.#at + SEAT.YIELDS] = 1
    return seen
  }

  /**
   * Where the turn may go to another thread. Throws if the run has failed, but not after a section was left: an error on the way out
   * would leave the sections around it shut.
   */
  #point(deed: number): void {
    const board = this.#board
    const phase = Atomics.load(board, BOARD.PHASE)
    const leaving = (deed & 3) === LEFT
    if (phase === FAILED || phase === OVER || Atomics.load(board, this.#at + SEAT.STATE) === GONE) {
      if (leaving) return
      throw this.#error()
    }
    board[this.#at + SEAT.DEED] = deed
    if (!leaving && this.#isCut()) {
      this.#fail(DIVERGED, this.#seat, deedOf(CUT, ENDED), deed)
      throw this.#error()
    }
    if (phase === GATHERING) {
      if (leaving) return
      Atomics.store(board, this.#at + SEAT.STATE, THERE)
      Atomics.add(board, BOARD.ARRIVED, 1)
      this.#begin()
    } else {
      const next = this.#next()
      this.#touches?.begin()
      if (next !== this.#seat) this.#pass(next)
      else if (board[this.#at + SEAT.STOPS] === 0) return
    }
    if (!this.#hasTurn() && !leaving) throw this.#error()
    if (board[this.#at + SEAT.STOPS] === 0) return
    board[this.#at + SEAT.STOPS] = 0
    this.#die()
    needNotDying(this.#machine, threadOfSeat(this.#seat), sectionOfDeed(deed))
  }

  /** process.terminateThread ended this thread here, in the recorded run. */
  #die(): void {
    moveThread(this.#machine, threadOfSeat(this.#seat), LIVE, DYING)
    alarm(this.#machine)
  }

  /** Whether this thread had made its last grant in the recorded run, and then its worker ended. */
  #isCut(): boolean {
    return this.#ends !== undefined && this.#ends.get(this.#board[this.#at + SEAT.EVENTS] as number) === CUT
  }

  /** Starts the run once every seat is at its first point or empty. */
  #begin(): void {
    const board = this.#board
    for (let seat = 0; seat < (board[BOARD.SEATS] as number); seat++) {
      const state = Atomics.load(board, seatAt(seat) + SEAT.STATE)
      if (state === ABSENT || state === ATTACHED) return
    }
    if (Atomics.compareExchange(board, BOARD.TURN, 0, this.#mark) === 0) this.#start()
  }

  #start(): void {
    Atomics.compareExchange(this.#board, BOARD.PHASE, GATHERING, RUNNING)
    this.#pass(this.#next())
  }

  /** The seat that makes the next step, or why there is none. */
  #next(): number {
    return decide(this.#board, this.#machine.sys)
  }

  /** Precondition: this thread has the turn. */
  #pass(chosen: number): void {
    const board = this.#board
    for (let next = chosen; ; next = this.#next()) {
      if (next < 0) {
        this.#end(next)
        return
      }
      board[BOARD.SINCE] = board[BOARD.STEP] as number
      Atomics.store(board, BOARD.TURN, next + 1)
      this.#wake(next)
      if (next === this.#seat || Atomics.load(board, seatAt(next) + SEAT.STATE) !== GONE) return
      if (Atomics.compareExchange(board, BOARD.TURN, next + 1, this.#mark) !== next + 1) return
    }
  }

  /** There is no next step. */
  #end(why: number): void {
    if (why === NOBODY) Atomics.store(this.#board, BOARD.PHASE, OVER)
    else if (why === DIVERGES) this.#raise()
    // Whoever was faster has yet to raise it: until then nobody has the turn.
    else if (why !== STUCK || !this.#fail(DEADLOCK, 0, 0, 0)) Atomics.store(this.#board, BOARD.TURN, 0)
  }

  #wake(seat: number): void {
    Atomics.add(this.#board, seatAt(seat) + SEAT.GO, 1)
    wakeAll(this.#board, seatAt(seat) + SEAT.GO)
  }

  /** Waits for the turn; false if the run fails meanwhile, as it does when nothing goes on for the process's `lockTimeout`. */
  #hasTurn(): boolean {
    const board = this.#board
    const timeout = this.#machine.sys[HDR.LOCK_TIMEOUT] || Number.POSITIVE_INFINITY
    const progress = (): number => Atomics.load(board, BOARD.STEP) + Atomics.load(board, BOARD.ARRIVED)
    let waited = 0
    let before = -1
    for (;;) {
      const go = Atomics.load(board, this.#at + SEAT.GO)
      if (Atomics.load(board, BOARD.PHASE) === FAILED) return false
      if (Atomics.load(board, BOARD.TURN) === this.#mark && Atomics.load(board, BOARD.PHASE) === RUNNING) return true
      if (spin(board, this.#at + SEAT.GO, go)) continue
      const now = progress()
      if (now !== before) waited = 0
      before = now
      const nap = Math.min(NAP, timeout - waited)
      if (park(board, this.#at + SEAT.GO, go, nap)) continue
      waited += nap
      if (waited < timeout || progress() !== before) continue
      this.#late(timeout)
      return false
    }
  }

  #late(timeout: number): void {
    const board = this.#board
    const phase = Atomics.load(board, BOARD.PHASE)
    const state = (seat: number): number => Atomics.load(board, seatAt(seat) + SEAT.STATE)
    let holder = (Atomics.load(board, BOARD.TURN) & ~LEAVING) - 1
    if (phase === GATHERING) {
      holder = 0
      while (state(holder) >= THERE && holder < (board[BOARD.SEATS] as number) - 1) holder++
    }
    this.#fail(LATE, holder, timeout, phase !== GATHERING ? 0 : state(holder) === ABSENT ? NOT_ATTACHED : NOT_CALLED)
  }

  /** Empties a seat, and hands on the turn if it had it. */
  #empty(seat: number): void {
    const board = this.#board
    Atomics.store(board, seatAt(seat) + SEAT.STATE, GONE)
    const claim = (turn: number): boolean => Atomics.compareExchange(board, BOARD.TURN, turn, this.#mark) === turn
    if (claim(seat + 1) || (this.#seat === OUTSIDE && claim((seat + 1) | LEAVING))) {
      const phase = Atomics.load(board, BOARD.PHASE)
      if (phase === GATHERING || phase === RUNNING) this.#start()
    } else if (Atomics.load(board, BOARD.PHASE) === GATHERING) this.#begin()
  }

  /** False if the run fails already. */
  #fail(failure: number, seat: number, a: number, b: number): boolean {
    const board = this.#board
    if (Atomics.compareExchange(board, BOARD.FAILING, 0, 1) !== 0) return false
    board[BOARD.FAILURE] = failure
    board[BOARD.FAILED_STEP] = board[BOARD.STEP] as number
    board[BOARD.FAILED_SEAT] = seat
    board[BOARD.FAILED_A] = a
    board[BOARD.FAILED_B] = b
    this.#raise()
    return true
  }

  /** Lets every thread of the run know that it has failed. Precondition: this one has written down why. */
  #raise(): void {
    const board = this.#board
    const { sys } = this.#machine
    for (let seat = 0; seat < (board[BOARD.SEATS] as number); seat++) {
      const at = seatAt(seat)
      const deed = board[at + SEAT.DEED] as number
      const waits = board[at + SEAT.STATE] === THERE && (deed & 3) === TAKE
      board[at + SEAT.WAITED] = waits ? deed : 0
      board[at + SEAT.OWNER] = (sys[sectionOfDeed(deed)] as number) & TID
    }
    Atomics.store(board, BOARD.PHASE, FAILED)
    for (let seat = 0; seat < (board[BOARD.SEATS] as number); seat++) this.#wake(seat)
  }

  #error(): Error {
    if (Atomics.load(this.#board, BOARD.PHASE) === FAILED) return failureOf(this.#board, this.#machine.layout)
    return new TypeError(
      `thread ${threadOfSeat(this.#seat)} has no part in the schedule any more: it has detached, or process.workerEnded was told of it`
    )
  }

  #mayEnter(at: number): void {
    if (at === HDR.RING_LOCK || this.#mending || Atomics.load(this.#board, BOARD.PHASE) !== RUNNING) return
    throw new TypeError(
      'expected no call of the creating thread while the threads of a schedule run one at a time: wait until all of them have detached'
    )
  }
}
