import {
  BOARD,
  CUT,
  deedOf,
  ENDED,
  GONE,
  IN_VAIN,
  LEFT,
  REFUSED,
  SEAT,
  seatAt,
  sectionOfDeed,
  STOPPED,
  TAKE,
  TRY
} from './scheduleboard.ts'
import { diverge, GRANTS, stay } from './schedulestrategy.ts'
import { ORPHAN, TID } from './section.ts'

// The two forms of a schedule string, enforced (schedulestring.ts). The plan has two words an event: seat and deed.

/** Each choice as it was made: the same thread, about to do the same. When they are over, whoever goes on goes on. */
export function replayChoices(board: Int32Array, able: readonly number[], last: number): number {
  const done = board[BOARD.DONE] as number
  const only = able.length === 1 ? (able[0] as number) : -1
  if (only >= 0 && ((board[seatAt(only) + SEAT.DEED] as number) & 3) !== TRY) return only
  if (done >= (board[BOARD.PLAN_LENGTH] as number)) return stay(board, able, last)
  const { seat, deed } = eventAt(board, done)
  board[BOARD.DONE] = done + 1
  const refused = (deed & 3) === REFUSED
  const expected = refused ? deedOf(sectionOfDeed(deed), TRY) : deed
  if (!able.includes(seat) || board[seatAt(seat) + SEAT.DEED] !== expected) return diverge(board, seat, deed)
  if (refused) board[seatAt(seat) + SEAT.REFUSED] = 1
  return seat
}

/**
 * Each section is entered by who had it in the recorded run. Nobody enters one before his turn; where the next to enter waits for a section, its
 * owner goes on until he has left it. Where a thread ended at a call it ends by itself (scheduleseat.ts), which may be before the plan comes to it: what others
 * get by that comes behind it.
 */
export function replayGrants(board: Int32Array, able: readonly number[], last: number, sys: Int32Array): number {
  while (isPast(board)) board[BOARD.DONE] = (board[BOARD.DONE] as number) + 1
  const done = board[BOARD.DONE] as number
  if (done >= (board[BOARD.PLAN_LENGTH] as number)) return stay(board, able, last)
  const event = eventAt(board, done)
  const wanted = seatAt(event.seat)
  if (board[wanted + SEAT.STATE] === GONE) return diverge(board, event.seat, event.deed)
  const deed = board[wanted + SEAT.DEED] as number
  if ((deed & 3) === LEFT) return event.seat
  if ((event.deed & 3) === ENDED) return diverge(board, event.seat, event.deed)
  if ((event.deed & 3) === STOPPED) {
    if (deed !== deedOf(sectionOfDeed(event.deed), TAKE)) return diverge(board, event.seat, event.deed)
    board[wanted + SEAT.STOPS] = 1
    take(board, event.seat)
    return event.seat
  }
  const refused = (event.deed & 3) === REFUSED
  if (sectionOfDeed(deed) !== sectionOfDeed(event.deed) || (refused && (deed & 3) !== TRY)) return diverge(board, event.seat, event.deed)
  const owner = ownerOf(sys, deed)
  if (!refused && owner > 1) return goesOn(board, sys, owner - 2) ?? diverge(board, event.seat, event.deed)
  take(board, event.seat)
  if (refused) board[wanted + SEAT.REFUSED] = 1
  return event.seat
}

/** Whether the plan's next event is an end that has come already, or comes whenever the thread does more than it did. */
function isPast(board: Int32Array): boolean {
  if ((board[BOARD.DONE] as number) >= (board[BOARD.PLAN_LENGTH] as number)) return false
  const { seat, deed } = eventAt(board, board[BOARD.DONE] as number)
  if ((deed & 3) !== ENDED) return false
  const call = sectionOfDeed(deed)
  if (call === CUT || call === IN_VAIN) return true
  const ends = seatAt(seat) + SEAT.ENDS
  if (board[ends] === 0) return false
  board[ends] = (board[ends] as number) - 1
  return true
}

/** The plan's next event is the seat's, and happens. */
function take(board: Int32Array, seat: number): void {
  board[BOARD.DONE] = (board[BOARD.DONE] as number) + 1
  board[seatAt(seat) + SEAT.EVENTS] = (board[seatAt(seat) + SEAT.EVENTS] as number) + 1
}

/** Whether the plan has the seat let out of its wait next, because process.terminateThread ended the thread there. */
export function isStopped(board: Int32Array, seat: number): boolean {
  const done = board[BOARD.DONE] as number
  if (board[BOARD.KIND] !== GRANTS || done >= (board[BOARD.PLAN_LENGTH] as number)) return false
  const next = eventAt(board, done)
  return next.seat === seat && (next.deed & 3) === STOPPED
}

/** Where the plan has a seat's thread end at a call: which call, by how many events of the seat come before. */
export function endsOf(board: Int32Array, seat: number): Map<number, number> {
  const ends = new Map<number, number>()
  let events = 0
  for (let n = 0; n < (board[BOARD.PLAN_LENGTH] as number); n++) {
    const event = eventAt(board, n)
    if (event.seat !== seat) continue
    if ((event.deed & 3) !== ENDED) events++
    else {
      const call = sectionOfDeed(event.deed)
      if (!ends.has(events)) ends.set(events, call)
      if (call !== CUT && call !== IN_VAIN) events++
    }
  }
  return ends
}

/** What process.terminateThread answers where the plan says when the thread of a seat ends; undefined where it does not. `asked`: the seats that it was called for. */
export function plannedEnd(board: Int32Array, seat: number, asked: Set<number>): boolean | undefined {
  if (board[BOARD.KIND] !== GRANTS || !isTerminated(board, seat)) return undefined
  const first = !asked.has(seat)
  asked.add(seat)
  return first
}

/** Whether the plan has process.terminateThread called for the thread of a seat. */
function isTerminated(board: Int32Array, seat: number): boolean {
  for (let n = 0; n < (board[BOARD.PLAN_LENGTH] as number); n++) {
    const event = eventAt(board, n)
    if (event.seat !== seat) continue
    if ((event.deed & 3) === STOPPED || ((event.deed & 3) === ENDED && sectionOfDeed(event.deed) !== CUT)) return true
  }
  return false
}

/** Who can go on without entering anything, so that in the end `seat` leaves what it owns; undefined if there is nobody. */
function goesOn(board: Int32Array, sys: Int32Array, seat: number): number | undefined {
  let at = seat
  for (let n = 0; n < (board[BOARD.SEATS] as number); n++) {
    const deed = board[seatAt(at) + SEAT.DEED] as number
    if (board[seatAt(at) + SEAT.STATE] === GONE) return undefined
    if ((deed & 3) === LEFT) return at
    const owner = ownerOf(sys, deed)
    if ((deed & 3) !== TAKE || owner < 2) return undefined
    at = owner - 2
  }
  return undefined
}

/** The thread that owns a deed's section, 0 for nobody alive. */
function ownerOf(sys: Int32Array, deed: number): number {
  const word = Atomics.load(sys, sectionOfDeed(deed))
  return (word & ORPHAN) !== 0 ? 0 : word & TID
}

function eventAt(board: Int32Array, n: number): { seat: number; deed: number } {
  const at = (board[BOARD.PLAN] as number) + n * 2
  return { seat: board[at] as number, deed: board[at + 1] as number }
}
