import { BOARD, DIVERGED, GONE, SEAT, seatAt } from './scheduleboard.ts'
import { draw } from './schedulerandom.ts'

/**
 * Who makes the next step. A strategy gets the seats that can go on, by number, and the seat that made the last step (-1 at the start); it
 * reads and writes the board alone, and looks at the sections in system memory, so that any thread can work it: the one that comes to a point
 * decides. DIVERGES and FAILS say that it cannot, and the board why.
 */
export type Strategy = (board: Int32Array, able: readonly number[], last: number, sys: Int32Array) => number
export const DIVERGES = -3
/** The same, where somebody else has the run fail already. */
export const FAILS = -4

// What BOARD.KIND says.
export const SEEDED = 1
export const PCT = 2
export const CHOICES = 3
export const GRANTS = 4
export const GUIDED = 5
export const RECORDED = 6

/** Each of those that can go on is as likely as the others. */
export function seeded(board: Int32Array, able: readonly number[]): number {
  return able[able.length === 1 ? 0 : draw(board, BOARD.RANDOM, able.length)] as number
}

/**
 * Stays with who went last as long as that can go on, else goes to the next seat in turn; where somebody only tries a section again and again,
 * to another one if there is one.
 */
export function stay(board: Int32Array, able: readonly number[], last: number): number {
  const keen = (seat: number): boolean => board[seatAt(seat) + SEAT.YIELDS] === 0
  if (able.includes(last) && keen(last)) return last
  const others = [...able.filter((seat) => seat > last), ...able.filter((seat) => seat <= last)]
  return others.find(keen) ?? (others[0] as number)
}

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010): every seat has a priority, drawn from the seed; the
 * highest that can go on makes the step. At d - 1 steps, drawn from the first k, who would go on falls below all others, each below the
 * one that fell before it. Of a run with n threads and k steps, a bug that needs d ordered steps shows with a chance of at least
 *
 *     1 / (n * k^(d - 1))
 *
 * whatever else the program does. k is an estimate: of a run with more steps those behind k are never a point of change, of one
 * with fewer some points of change are never reached, and the chance is less. d = 1 tries orders of whole threads only.
 */
export function pct(board: Int32Array, able: readonly number[]): number {
  const step = board[BOARD.STEP] as number
  for (;;) {
    let best = able[0] as number
    for (const seat of able) if (priority(board, seat) > priority(board, best)) best = seat
    // One that tried in vain would keep the turn for ever.
    if (board[seatAt(best) + SEAT.YIELDS] !== 0 && able.length > 1) {
      board[seatAt(best) + SEAT.YIELDS] = 0
      lower(board, best)
      continue
    }
    const done = board[BOARD.DONE] as number
    const due = done < (board[BOARD.PLAN_LENGTH] as number) && (board[(board[BOARD.PLAN] as number) + done] as number) <= step
    if (!due) return best
    board[BOARD.DONE] = done + 1
    lower(board, best)
  }
}

/** The first steps as the plan has them, the others by `stay`. */
export function guided(board: Int32Array, able: readonly number[], last: number): number {
  const done = board[BOARD.DONE] as number
  if (done >= (board[BOARD.PLAN_LENGTH] as number)) return stay(board, able, last)
  board[BOARD.DONE] = done + 1
  const seat = board[(board[BOARD.PLAN] as number) + done] as number
  return able.includes(seat) ? seat : diverge(board, seat, 0)
}

/** Writes down that the plan has `seat` do `deed` (0 for whatever), which it is not about to; unless a thread that waited too long was faster. */
export function diverge(board: Int32Array, seat: number, deed: number): number {
  const at = seatAt(seat)
  if (Atomics.compareExchange(board, BOARD.FAILING, 0, 1) !== 0) return FAILS
  board[BOARD.FAILURE] = DIVERGED
  board[BOARD.FAILED_STEP] = board[BOARD.STEP] as number
  board[BOARD.FAILED_SEAT] = seat
  board[BOARD.FAILED_A] = deed
  board[BOARD.FAILED_B] = board[at + SEAT.STATE] === GONE ? 0 : (board[at + SEAT.DEED] as number)
  return DIVERGES
}

function priority(board: Int32Array, seat: number): number {
  return board[seatAt(seat) + SEAT.PRIORITY] as number
}

function lower(board: Int32Array, seat: number): void {
  const lowest = (board[BOARD.LOWEST] as number) - 1
  board[BOARD.LOWEST] = lowest
  board[seatAt(seat) + SEAT.PRIORITY] = lowest
}

/** Draws the priorities and the points of change, which the board has room for in its plan. */
export function preparePct(board: Int32Array, depth: number, steps: number): void {
  const seats = board[BOARD.SEATS] as number
  // Fisher and Yates: priorities 1 to n in an order in which each is as likely as the others.
  for (let seat = 0; seat < seats; seat++) {
    const other = draw(board, BOARD.RANDOM, seat + 1)
    board[seatAt(seat) + SEAT.PRIORITY] = board[seatAt(other) + SEAT.PRIORITY] as number
    board[seatAt(other) + SEAT.PRIORITY] = seat + 1
  }
  const at = board[BOARD.PLAN] as number
  for (let n = 0; n < depth - 1; n++) board[at + n] = 1 + drawStep(board, steps)
  board.subarray(at, at + depth - 1).sort()
  board[BOARD.PLAN_LENGTH] = depth - 1
}

/** 0 to `steps` - 1 of up to 2^31: two draws where one would be uneven. */
function drawStep(board: Int32Array, steps: number): number {
  if (steps <= 0x10000) return draw(board, BOARD.RANDOM, steps)
  const high = draw(board, BOARD.RANDOM, 0x10000)
  const low = draw(board, BOARD.RANDOM, 0x10000)
  return Math.floor(((high * 0x10000 + low) / 2 ** 32) * steps)
}
