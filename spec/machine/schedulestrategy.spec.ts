// Who goes on, decided on a board of its own in one JavaScript thread: threads that make a number of steps and touch nothing.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HDR, HEADER_WORDS, THREAD_WORDS } from '../../src/machine/layout.ts'
import { DEAD, DYING, LIVE, THREAD } from '../../src/machine/threads.ts'
import { BOARD, BOARD_WORDS, deedOf, GONE, LEFT, SEAT, SEAT_WORDS, seatAt, TAKE, THERE } from '../../src/machine/scheduleboard.ts'
import { decide, NOBODY, STUCK } from '../../src/machine/scheduledecide.ts'
import { GUIDED, PCT, preparePct, SEEDED } from '../../src/machine/schedulestrategy.ts'

const SECTION = 8

interface Setting {
  readonly kind: number
  readonly seed?: number
  readonly depth?: number
  /** Steps that pct reckons with. */
  readonly steps?: number
}

function boardOf(seats: number, { kind, seed = 0, depth = 1, steps = 1 }: Setting): Int32Array {
  const plan = BOARD_WORDS + seats * SEAT_WORDS
  const board = new Int32Array(plan + depth + 2000)
  board[BOARD.SEATS] = seats
  board[BOARD.KIND] = kind
  board[BOARD.RANDOM] = seed
  board[BOARD.PLAN] = plan
  board[BOARD.CHOICES_AT] = plan + depth
  board[BOARD.CHOICES_LIMIT] = 500
  if (kind === PCT) preparePct(board, depth, steps)
  for (let seat = 0; seat < seats; seat++) {
    board[seatAt(seat) + SEAT.STATE] = THERE
    board[seatAt(seat) + SEAT.DEED] = deedOf(SECTION, LEFT)
  }
  return board
}

/** The order in which threads of `count` steps each go. */
function orderOf(seats: number, count: number, setting: Setting): { order: string; preemptions: number } {
  const board = boardOf(seats, setting)
  const left = new Array<number>(seats).fill(count)
  let order = ''
  for (let next = decide(board, new Int32Array(16)); next !== NOBODY; next = decide(board, new Int32Array(16))) {
    order += next
    left[next]!--
    if (left[next] === 0) board[seatAt(next) + SEAT.STATE] = GONE
  }
  return { order, preemptions: board[BOARD.PREEMPTIONS] as number }
}

const strategies = suite('schedule: strategies')

strategies('the same seed gives the same order', () => {
  for (const kind of [SEEDED, PCT]) {
    const orders = Array.from({ length: 50 }, (_, seed) => orderOf(3, 6, { kind, seed, depth: 3, steps: 18 }).order)
    assert.equal(
      Array.from({ length: 50 }, (_, seed) => orderOf(3, 6, { kind, seed, depth: 3, steps: 18 }).order),
      orders
    )
    assert.ok(new Set(orders).size > 25)
  }
})

strategies('seeded: as many of the seeds begin with each thread', () => {
  const first = [0, 0, 0, 0]
  for (let seed = 0; seed < 4000; seed++) first[Number(orderOf(4, 1, { kind: SEEDED, seed }).order[0])]!++
  for (const count of first) assert.ok(count > 900 && count < 1100, first.join())
})

strategies('pct with d = 1: whole threads one after the other, in each order as often', () => {
  const orders = new Map<string, number>()
  for (let seed = 0; seed < 6000; seed++) {
    const { order, preemptions } = orderOf(3, 4, { kind: PCT, seed })
    assert.is(preemptions, 0)
    orders.set(order, (orders.get(order) ?? 0) + 1)
  }
  assert.is(orders.size, 6)
  for (const count of orders.values()) assert.ok(count > 850 && count < 1150, [...orders.values()].join())
})

strategies('pct finds what needs d ordered steps in at least one run of n * k^(d - 1)', () => {
  const RUNS = 8000
  // One thread is interrupted at a certain step by all of the other one.
  const two = (seed: number): boolean => orderOf(2, 5, { kind: PCT, seed, depth: 2, steps: 10 }).order === '0001111100'
  // It is interrupted, and so is who interrupted it.
  const three = (seed: number): boolean => /^0+1+0+1+$/.test(orderOf(2, 4, { kind: PCT, seed, depth: 3, steps: 8 }).order)
  const found = (hit: (seed: number) => boolean): number => Array.from({ length: RUNS }, (_, seed) => hit(seed)).filter(Boolean).length
  // Where exactly one draw hits, the bound is the chance itself: three standard deviations of the number of hits are allowed for.
  const least = (chance: number): number => RUNS * chance - 3 * Math.sqrt(RUNS * chance)
  assert.ok(found(two) >= least(1 / (2 * 10)), `${found(two)} of ${RUNS}`)
  assert.ok(found(three) >= least(1 / (2 * 8 ** 2)), `${found(three)} of ${RUNS}`)
})

strategies('pct changes at most d - 1 times, and points of change behind the end of a run are none', () => {
  for (let seed = 0; seed < 500; seed++) {
    for (const [depth, steps] of [
      [2, 20],
      [5, 20],
      [5, 1000]
    ] as const)
      assert.ok(orderOf(4, 5, { kind: PCT, seed, depth, steps }).preemptions < depth)
  }
})

strategies('who only tries in vain does not keep the turn from who could go on', () => {
  for (const kind of [PCT, GUIDED]) {
    const board = boardOf(2, { kind })
    const first = decide(board, new Int32Array(16))
    board[seatAt(first) + SEAT.YIELDS] = 1
    assert.is(decide(board, new Int32Array(16)), 1 - first)
    assert.is(board[BOARD.PREEMPTIONS], 0, 'and it is no preemption')
  }
})

strategies(
  'a thread that wants a section goes on when that is free, dead or the creating thread’s, or when it was terminated; else all are stuck',
  () => {
    for (const [word, able, state] of [
      [0, true, LIVE],
      [3, false, LIVE],
      [0x40000003, true, LIVE],
      [1, true, LIVE],
      [3, true, DYING],
      [3, false, DEAD]
    ] as const) {
      const board = boardOf(1, { kind: SEEDED })
      board[seatAt(0) + SEAT.DEED] = deedOf(SECTION, TAKE)
      const sys = new Int32Array(HEADER_WORDS + 2 * THREAD_WORDS)
      sys[SECTION] = word
      sys[HDR.DYING] = state === DYING ? 1 : 0
      // The thread of the first seat has the second slot.
      sys[HEADER_WORDS + THREAD_WORDS + THREAD.STATE] = state
      assert.is(decide(board, sys), able ? 0 : STUCK)
      assert.is(board[BOARD.STEP], able ? 1 : 0)
    }
  }
)
strategies.run()
