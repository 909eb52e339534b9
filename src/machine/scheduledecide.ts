import { HDR, HEADER_WORDS, THREAD_WORDS } from './layout.ts'
import { BOARD, deedOf, GONE, PLAIN, REFUSED, SEAT, seatAt, sectionOfDeed, TAKE, THERE, TRY } from './scheduleboard.ts'
import { isStopped, replayChoices, replayGrants } from './schedulereplay.ts'
import { noteStep } from './schedulesteps.ts'
import { CHOICES, GRANTS, GUIDED, guided, PCT, pct, SEEDED, seeded, stay } from './schedulestrategy.ts'
import type { Strategy } from './schedulestrategy.ts'
import { ORPHAN, TID } from './section.ts'
import { DYING, THREAD } from './threads.ts'

/** All seats are empty. */
export const NOBODY = -1
/** Nobody can go on. */
export const STUCK = -2

const STRATEGIES: Readonly<Record<number, Strategy>> = {
  [SEEDED]: seeded,
  [PCT]: pct,
  [CHOICES]: replayChoices,
  [GRANTS]: replayGrants,
  [GUIDED]: guided
}

/**
 * Lets the board's strategy choose who makes the next step, and writes the choice down; `sys` is system memory, where the sections are.
 * Precondition: the caller has the turn, and all threads but itself are parked at their points. Returns a seat, or why
 * there is none (DIVERGES too).
 */
export function decide(board: Int32Array, sys: Int32Array): number {
  const able: number[] = []
  let gone = true
  const seats = board[BOARD.SEATS] as number
  for (let seat = 0; seat < seats; seat++) {
    gone &&= board[seatAt(seat) + SEAT.STATE] === GONE
    if (isAble(board, sys, seat)) able.push(seat)
  }
  if (able.length === 0) return gone ? NOBODY : STUCK
  board[BOARD.STEP] = (board[BOARD.STEP] as number) + 1
  const last = (board[BOARD.LAST] as number) - 1
  // Before the strategy, which may change how somebody stands.
  const plain = stay(board, able, last)
  const keen = able.includes(last) && board[seatAt(last) + SEAT.YIELDS] === 0
  const next = (STRATEGIES[board[BOARD.KIND] as number] ?? stay)(board, able, last, sys)
  if (next < 0) return next
  if (able.length > 1 || ((board[seatAt(next) + SEAT.DEED] as number) & 3) === TRY) note(board, next, plain === next)
  if (board[BOARD.KIND] === GUIDED) noteStep(board, next, able, last)
  if (next !== last && keen) board[BOARD.PREEMPTIONS] = (board[BOARD.PREEMPTIONS] as number) + 1
  board[BOARD.LAST] = next + 1
  board[seatAt(next) + SEAT.YIELDS] = 0
  return next
}

/**
 * Whether a seat can go on: what it wants to take is free, dead, or held by the creating thread, which waits for nobody here; or its thread was terminated
 * and ends there (threads.ts), or was in the run that is replayed.
 */
function isAble(board: Int32Array, sys: Int32Array, seat: number): boolean {
  const at = seatAt(seat)
  if (board[at + SEAT.STATE] !== THERE) return false
  const deed = board[at + SEAT.DEED] as number
  if ((deed & 3) !== TAKE) return true
  const word = Atomics.load(sys, sectionOfDeed(deed))
  const owner = word & TID
  return word === 0 || (word & ORPHAN) !== 0 || owner === 1 || isDying(sys, seat) || isStopped(board, seat)
}

function isDying(sys: Int32Array, seat: number): boolean {
  // The thread of the first seat has the second slot.
  return sys[HDR.DYING] !== 0 && Atomics.load(sys, HEADER_WORDS + (seat + 1) * THREAD_WORDS + THREAD.STATE) === DYING
}

function note(board: Int32Array, seat: number, plain: boolean): void {
  const count = board[BOARD.CHOICES] as number
  board[BOARD.CHOICES] = count + 1
  if (count >= (board[BOARD.CHOICES_LIMIT] as number)) return
  const at = (board[BOARD.CHOICES_AT] as number) + count * 2
  const refused = board[seatAt(seat) + SEAT.REFUSED] !== 0
  const deed = board[seatAt(seat) + SEAT.DEED] as number
  board[at] = seat | (plain && !refused ? PLAIN : 0)
  board[at + 1] = refused ? deedOf(sectionOfDeed(deed), REFUSED) : deed
}
