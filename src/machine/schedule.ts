import { misuse, wholeNumber } from '../errors.ts'
import { MAX_THREADS } from './layout.ts'
import type { Machine } from './machine.ts'
import { ABSENT, ATTACHED, BOARD, BOARD_WORDS, SEAT, SEAT_WORDS, seatAt } from './scheduleboard.ts'
import { GrantLog, grantWords } from './schedulegrants.ts'
import { parseSchedule } from './schedulename.ts'
import type { ScheduleSpec } from './schedulename.ts'
import { GrantReader } from './schedulereader.ts'
import { MOST_GUIDED, STEPS_ROOM } from './schedulesteps.ts'
import { OUTSIDE, Seat } from './scheduleseat.ts'
import { CHOICES, GRANTS, GUIDED, PCT, preparePct, RECORDED, SEEDED } from './schedulestrategy.ts'
import { MOST_EVENTS, readSchedule } from './schedulestring.ts'

/**
 * A schedule says in which order the threads of a process run. Where they go one at a time, a thread is at a point before each section that it
 * takes and after each that it has left, and there the strategy picks who goes on; between two points nobody else runs. So an order of
 * points, and with it every pointer, error and byte, is the same on every machine and however late a worker starts.
 *
 * What is not decided here: what threads do to memory between the same two points, which others never see half done; weak memory; time.
 */
export interface Schedule {
  readonly name: string
  readonly spec: ScheduleSpec
  readonly threads: number
  readonly program: string
}

/** Checks the three options that make a schedule; undefined where threads are free. */
export function scheduleOf(name: unknown, threads: unknown, program: unknown): Schedule | undefined {
  const spec = parseSchedule(name)
  if (typeof program !== 'string') throw misuse('program', 'a string', program)
  if (spec === undefined) {
    if (threads !== undefined) throw new TypeError('threads: expected a schedule other than free, where any number of threads may attach')
    return undefined
  }
  if (spec.kind === 'guided') wholeNumber('threads of a guided run', threads, 1, MOST_GUIDED)
  return { name: name as string, spec, threads: wholeNumber('threads', threads, 1, MAX_THREADS - 1), program }
}

/** Gives the process a board, on which its creating thread has no seat. */
export function openBoard(machine: Machine, { spec, threads, program }: Schedule): void {
  const plan = BOARD_WORDS + threads * SEAT_WORDS
  const replayed = spec.kind === 'replay' ? readSchedule(spec.text, threads, program, machine.layout) : undefined
  const events = replayed?.events.flat() ?? []
  const room = spec.kind === 'pct' ? spec.depth - 1 : spec.kind === 'guided' ? spec.prefix.length : events.length
  const choices = spec.kind === 'recorded' ? 0 : MOST_EVENTS
  const steps = spec.kind === 'guided' ? STEPS_ROOM : 0
  const buffer = new SharedArrayBuffer((plan + room + choices * 2 + steps) * 4)
  const board = new Int32Array(buffer)
  board[BOARD.SEATS] = threads
  board[BOARD.PLAN] = plan
  board[BOARD.CHOICES_AT] = plan + room
  board[BOARD.CHOICES_LIMIT] = choices
  board[BOARD.STEPS_AT] = plan + room + choices * 2
  switch (spec.kind) {
    case 'seeded':
      board[BOARD.KIND] = SEEDED
      board[BOARD.RANDOM] = spec.seed
      break
    case 'pct':
      board[BOARD.KIND] = PCT
      board[BOARD.RANDOM] = spec.seed
      preparePct(board, spec.depth, spec.steps)
      break
    case 'guided':
      board[BOARD.KIND] = GUIDED
      board.set(spec.prefix, plan)
      board[BOARD.PLAN_LENGTH] = spec.prefix.length
      break
    case 'replay':
      board[BOARD.KIND] = replayed?.form === 'grants' ? GRANTS : CHOICES
      board.set(events, plan)
      board[BOARD.PLAN_LENGTH] = events.length / 2
      board[BOARD.PLAN_STEPS] = replayed?.steps ?? 0
      break
    default:
      board[BOARD.KIND] = RECORDED
  }
  machine.schedule = buffer
  if (spec.kind === 'recorded') new GrantReader(machine, board)
  else new Seat(machine, buffer, OUTSIDE)
}

/** Gives a thread that attaches the seat of its token. */
export function sitDown(machine: Machine, buffer: SharedArrayBuffer, ticket: number): void {
  const board = new Int32Array(buffer)
  const seat = ticket - 1
  if (Atomics.compareExchange(board, seatAt(seat) + SEAT.STATE, ABSENT, ATTACHED) !== ABSENT) {
    throw new TypeError(
      `attachThread: expected a token that no thread has used yet, got the one of thread ${ticket + 1}: in a process with a schedule each token of share() is for one thread`
    )
  }
  machine.schedule = buffer
  if (board[BOARD.KIND] === RECORDED) new GrantLog(machine, board, seat)
  else new Seat(machine, buffer, seat)
}

/** Words behind those of the layout that system memory needs for the schedule. */
export function wordsFor({ spec, threads }: Schedule): number {
  return spec.kind === 'recorded' ? grantWords(threads) : 0
}

/** The same for a process whose board that is. */
export function moreWords(buffer: SharedArrayBuffer): number {
  const board = new Int32Array(buffer)
  return board[BOARD.KIND] === RECORDED ? grantWords(board[BOARD.SEATS] as number) : 0
}

/** Throws a RangeError if the process has given out a token for every seat. */
export function needSeat(buffer: SharedArrayBuffer, given: number): void {
  const seats = new Int32Array(buffer)[BOARD.SEATS] as number
  if (given < seats) return
  throw new RangeError(
    `share: expected at most ${seats} tokens, which is the option threads of createProcess, got one more; a schedule needs to know how many take part`
  )
}
