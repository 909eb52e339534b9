import { BOARD, deedOf, GONE, LEFT, REFUSED, SEAT, seatAt, sectionOfDeed, TAKE, TRY } from './scheduleboard.ts'
import { diverge, stay } from './schedulestrategy.ts'
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
 * owner goes on until he has left it.
 */
export function replayGrants(board: Int32Array, able: readonly number[], last: number, sys: Int32Array): number {
  const done = board[BOARD.DONE] as number
  if (done >= (board[BOARD.PLAN_LENGTH] as number)) return stay(board, able, last)
  const event = eventAt(board, done)
  const wanted = seatAt(event.seat)
  if (board[wanted + SEAT.STATE] === GONE) return diverge(board, event.seat, event.deed)
  const deed = board[wanted + SEAT.DEED] as number
  if ((deed & 3) === LEFT) return event.seat
  const refused = (event.deed & 3) === REFUSED
  if (sectionOfDeed(deed) !== sectionOfDeed(event.deed) || (refused && (deed & 3) !== TRY)) return diverge(board, event.seat, event.deed)
  const owner = ownerOf(sys, deed)
  if (!refused && owner > 1) return goesOn(board, sys, owner - 2) ?? diverge(board, event.seat, event.deed)
  board[BOARD.DONE] = done + 1
  if (refused) board[wanted + SEAT.REFUSED] = 1
  return event.seat
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
