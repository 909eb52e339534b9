import { GRANULE_SHIFT, HDR } from './layout.ts'
import { BOARD, GONE, SEAT, seatAt, TAKE } from './scheduleboard.ts'

/**
 * What the search over orders (stress/explore.ts) learns from a run that it guides: each step, who else could have made it, and what the step
 * touched. Behind the choices on the board:
 *
 *   | steps                                                   | touched                          |
 *     5 a step: seat, able (a bit a seat), deed, how the        a word for each thing that a step
 *     one before stood, end of what the step before touched     touched: thing * 2 + 1 if it was changed
 *
 *   thing     a section: its word in system memory * 2; a granule of user memory: its number * 2 + 1
 */
export interface Step {
  readonly seat: number
  /** The seats that could have made the step. */
  readonly able: readonly number[]
  /** What the seat was about to do: section << 2 | what (scheduleboard.ts). */
  readonly deed: number
  /** How the seat that made the step before stood: ABLE, YIELDING, or ENDED; else it waited, and this is for which section (its word). */
  readonly before: number
  /** What the step touched: thing * 2, and 1 if it changed it. UNKNOWN if there was no room to write it down. */
  readonly touched: readonly number[]
}

export const ABLE = 0
export const YIELDING = -1
export const ENDED = -2

/** As the only thing touched: it may be anything. */
export const UNKNOWN = -1

const STEP_WORDS = 5
const MOST_STEPS = 1 << 14
const MOST_TOUCHED = 1 << 18
/** Seats of a run that is guided: a bit each. */
export const MOST_GUIDED = 30

export const STEPS_ROOM: number = MOST_STEPS * STEP_WORDS + MOST_TOUCHED

/** Writes down who makes a step. */
export function noteStep(board: Int32Array, seat: number, able: readonly number[], last: number): void {
  const count = board[BOARD.STEPS] as number
  board[BOARD.STEPS] = count + 1
  if (count >= MOST_STEPS) return
  const at = (board[BOARD.STEPS_AT] as number) + count * STEP_WORDS
  board[at] = seat
  board[at + 1] = able.reduce((bits, one) => bits | (1 << one), 0)
  board[at + 2] = board[seatAt(seat) + SEAT.DEED] as number
  board[at + 3] = standing(board, able, last)
  board[at + 4] = board[BOARD.TOUCHED] as number
}

function standing(board: Int32Array, able: readonly number[], last: number): number {
  if (last < 0) return ENDED
  const at = seatAt(last)
  if (board[at + SEAT.STATE] === GONE) return ENDED
  if (able.includes(last)) return board[at + SEAT.YIELDS] === 0 ? ABLE : YIELDING
  return (board[at + SEAT.DEED] as number) >>> 2
}

/** One thread's part in writing down what steps touch. */
export class Touches {
  readonly #board: Int32Array
  /** What this step has touched already. */
  readonly #known: Set<number> = new Set()

  constructor(board: Int32Array) {
    this.#board = board
  }

  /** The thread begins another step. */
  begin(): void {
    this.#known.clear()
  }

  section(at: number): void {
    this.#add(at * 4 + 1)
  }

  /** An access to user memory, checked by the page table, which changes inside the process section. */
  memory(address: number, length: number, changes: boolean): void {
    this.#add(HDR.LOCK * 4)
    if (length === 0) return
    const last = (address + length - 1) >>> GRANULE_SHIFT
    for (let granule = address >>> GRANULE_SHIFT; granule <= last; granule++) this.#add(granule * 4 + 2 + (changes ? 1 : 0))
  }

  #add(touched: number): void {
    if (this.#known.has(touched)) return
    this.#known.add(touched)
    const board = this.#board
    const count = board[BOARD.TOUCHED] as number
    board[BOARD.TOUCHED] = count + 1
    if (count < MOST_TOUCHED) board[(board[BOARD.STEPS_AT] as number) + MOST_STEPS * STEP_WORDS + count] = touched
  }
}

/** A guided run, as it was written down. */
export interface Trace {
  readonly steps: readonly Step[]
  /** In a deadlock: who could not go on, with his deed. */
  readonly stuck: readonly { readonly seat: number; readonly deed: number }[]
  /** The run had more steps than can be written down: the last ones are missing. */
  readonly cut: boolean
}

export function traceOf(board: Int32Array, deadlocked: boolean): Trace {
  const count = board[BOARD.STEPS] as number
  const from = board[BOARD.STEPS_AT] as number
  const touchedAt = from + MOST_STEPS * STEP_WORDS
  const kept = Math.min(count, MOST_STEPS)
  const steps: Step[] = []
  for (let n = 0; n < kept; n++) {
    const at = from + n * STEP_WORDS
    const bits = board[at + 1] as number
    const begin = board[at + 4] as number
    const end = n + 1 < kept ? (board[at + STEP_WORDS + 4] as number) : (board[BOARD.TOUCHED] as number)
    steps.push({
      seat: board[at] as number,
      able: Array.from({ length: MOST_GUIDED }, (_, seat) => seat).filter((seat) => (bits & (1 << seat)) !== 0),
      deed: board[at + 2] as number,
      before: board[at + 3] as number,
      touched: end > MOST_TOUCHED ? [UNKNOWN] : [...board.subarray(touchedAt + begin, touchedAt + end)]
    })
  }
  return { steps, stuck: deadlocked ? stuckOf(board) : [], cut: count > kept }
}

function stuckOf(board: Int32Array): { seat: number; deed: number }[] {
  const found: { seat: number; deed: number }[] = []
  for (let seat = 0; seat < (board[BOARD.SEATS] as number); seat++) {
    const deed = board[seatAt(seat) + SEAT.WAITED] as number
    if ((deed & 3) === TAKE) found.push({ seat, deed })
  }
  return found
}
