import { closedProcess } from '../errors.ts'
import type { Layout } from './layout.ts'
import {
  BOARD,
  CLOSED,
  CUT,
  DEADLOCK,
  deedName,
  deedOf,
  DIVERGED,
  ENDED,
  NOT_ATTACHED,
  SEAT,
  seatAt,
  sectionName,
  sectionOfDeed,
  threadOfSeat
} from './scheduleboard.ts'
import { GRANTS } from './schedulestrategy.ts'

/** Thrown in every thread of a run that goes one at a time when none of them can go on. */
export class DeadlockError extends Error {
  /** The step that nobody could make. */
  readonly step: number

  constructor(step: number, message: string) {
    super(message)
    this.name = 'DeadlockError'
    this.step = step
  }
}

/** Thrown in every thread of a replay that does something else than the run that the string was made from. */
export class DivergenceError extends Error {
  /** Where the difference was noticed. */
  readonly step: number
  readonly expected: string
  readonly found: string

  constructor(step: number, expected: string, found: string) {
    super(`the replay went another way than the recorded run: at step ${step} it expected ${expected}, and found ${found}`)
    this.name = 'DivergenceError'
    this.step = step
    this.expected = expected
    this.found = found
  }
}

/** Thrown in every thread of a run when the turn has not come within the process's `lockTimeout`. */
export class TurnTimeoutError extends Error {
  /** The thread that holds the turn, or has not come to the start. */
  readonly holder: number
  /** The step in which it got the turn; 0 before the run has begun. */
  readonly since: number

  constructor(holder: number, since: number, message: string) {
    super(message)
    this.name = 'TurnTimeoutError'
    this.holder = holder
    this.since = since
  }
}

/** Why a run of threads that go one at a time has failed, as each of its threads throws it. */
export function failureOf(board: Int32Array, layout: Layout): Error {
  const step = board[BOARD.FAILED_STEP] as number
  const seat = board[BOARD.FAILED_SEAT] as number
  switch (board[BOARD.FAILURE]) {
    case DEADLOCK:
      return new DeadlockError(step, `deadlock at step ${step}: ${waiting(board, layout).join('; ')}`)
    case DIVERGED:
      return new DivergenceError(step, expectedOf(board, layout), foundOf(board, layout))
    case CLOSED:
      return closedProcess('schedule')
    default:
      return late(board, seat)
  }
}

function waiting(board: Int32Array, layout: Layout): string[] {
  const found: string[] = []
  for (let seat = 0; seat < (board[BOARD.SEATS] as number); seat++) {
    const at = seatAt(seat)
    const waited = board[at + SEAT.WAITED] as number
    if (waited === 0) continue
    const section = sectionName(layout, sectionOfDeed(waited))
    found.push(`thread ${threadOfSeat(seat)} waits for ${section}, held by thread ${board[at + SEAT.OWNER]}`)
  }
  return found
}

function late(board: Int32Array, seat: number): TurnTimeoutError {
  const thread = threadOfSeat(seat)
  const ms = board[BOARD.FAILED_A] as number
  const bound = '(lockTimeout sets this bound)'
  if (board[BOARD.FAILED_B] === 0) {
    const since = board[BOARD.SINCE] as number
    const message = `waited ${ms} ms for the turn, which thread ${thread} has had since step ${since} without another call ${bound}; if its worker has ended, tell process.workerEnded`
    return new TurnTimeoutError(thread, since, message)
  }
  const seats = board[BOARD.SEATS] as number
  const what =
    board[BOARD.FAILED_B] === NOT_ATTACHED
      ? `has not been attached (token ${seat + 1} of ${seats})`
      : 'has been attached and has made no call'
  return new TurnTimeoutError(thread, 0, `waited ${ms} ms for the run to begin: thread ${thread} ${what} ${bound}`)
}

function expectedOf(board: Int32Array, layout: Layout): string {
  const deed = board[BOARD.FAILED_A] as number
  const seat = board[BOARD.FAILED_SEAT] as number
  return deed === 0
    ? `thread ${threadOfSeat(seat)}`
    : `thread ${threadOfSeat(seat)} ${deedName(layout, deed, board[BOARD.KIND] === GRANTS)}`
}

function foundOf(board: Int32Array, layout: Layout): string {
  const seat = board[BOARD.FAILED_SEAT] as number
  const found = board[BOARD.FAILED_B] as number
  if (found === 0) return 'that it has ended'
  if (found === deedOf(CUT, ENDED)) return 'that it has detached'
  const owner = board[seatAt(seat) + SEAT.OWNER] as number
  if (board[seatAt(seat) + SEAT.WAITED] === found && owner !== 0 && owner !== threadOfSeat(seat))
    return `that it waits for ${sectionName(layout, sectionOfDeed(found))}, held by thread ${owner}`
  return `it ${deedName(layout, found)}`
}
