// The search over orders, on programs small enough to try every order one by one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Coverage, Explorer, type ExplorerOptions } from '../../src/stress/explore.ts'
import { randomOf } from '../../src/stress/random.ts'
import { enumerate, type Op, type Program, run } from './simulated.ts'

interface Explored {
  readonly outcomes: Set<string>
  readonly coverage: Coverage
  /** Orders that were run, each with its outcome. */
  readonly orders: readonly string[]
}

function explore(program: Program, options: ExplorerOptions = {}): Explored {
  const explorer = new Explorer(options)
  const outcomes = new Set<string>()
  const orders: string[] = []
  for (let prefix = explorer.next(); prefix !== undefined; prefix = explorer.next()) {
    const { trace, outcome, preemptions } = run(program, prefix)
    if (preemptions > (options.preemptions ?? Number.POSITIVE_INFINITY)) throw new Error('a run with too many preemptions')
    outcomes.add(outcome)
    orders.push(trace.steps.map(({ seat }) => seat).join(''))
    explorer.done(trace)
  }
  return { outcomes, coverage: explorer.coverage, orders }
}

/** `count` steps that each enter a section and leave it. */
function hold(section: number, count: number): Op[] {
  return Array.from({ length: count }, (): Op[] => [
    ['take', section],
    ['give', section]
  ]).flat()
}

function binomial(n: number, k: number): number {
  let value = 1
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i
  return value
}

const known = suite('explore: numbers that are known')

known('two threads of n and m steps have as many orders as there are ways to mix them', () => {
  for (const [n, m] of [
    [1, 1],
    [1, 2],
    [2, 3],
    [3, 3]
  ] as const) {
    // Each time: one step until the section is left, and one from there to the next point or the end.
    const { coverage, orders } = explore([hold(1, n), hold(2, m)], { reduce: false })
    assert.is(coverage.schedules, binomial(2 * (n + m), 2 * n))
    assert.is(new Set(orders).size, orders.length, 'no order twice')
    assert.is(coverage.complete, true)
  }
})

known('steps that depend on each other are tried in every order of them, and in no more', () => {
  for (const [n, m] of [
    [1, 1],
    [2, 3],
    [4, 3],
    [5, 5]
  ] as const) {
    const { coverage } = explore([hold(1, n), hold(1, m)])
    assert.is(coverage.schedules - coverage.repeated, binomial(n + m, n), `${n} and ${m}`)
    assert.is(coverage.complete, true)
  }
})

known('threads that have nothing to do with each other are run once', () => {
  const { coverage } = explore([hold(1, 6), hold(2, 6), hold(3, 6)])
  assert.equal(coverage, { schedules: 1, repeated: 0, asleep: 0, bounded: 0, done: true, complete: true })
})

known('with no preemption allowed, what is left is the order in which the threads come', () => {
  const { coverage } = explore([hold(1, 3), hold(1, 3), hold(1, 3)], { reduce: false, preemptions: 0 })
  assert.is(coverage.schedules, 6)
  assert.ok(coverage.bounded > 0)
  assert.is(coverage.done, true)
  assert.is(coverage.complete, false, 'the bound left something out')
})

known('a counter that is written outside of its section is lost at times, and never where it is inside', () => {
  const early: readonly Op[] = [
    ['take', 1],
    ['load', 9],
    ['give', 1],
    ['add', 9]
  ]
  const whole: readonly Op[] = [
    ['take', 1],
    ['load', 9],
    ['add', 9],
    ['give', 1]
  ]
  const counts = ({ outcomes }: Explored): string[] => [...new Set([...outcomes].map((outcome) => outcome.split(' ')[0] ?? ''))].sort()
  assert.equal(counts(explore([early, early])), ['9,1', '9,2'])
  assert.equal(counts(explore([early, early], { preemptions: 1 })), ['9,1', '9,2'])
  assert.equal(counts(explore([early, early], { preemptions: 0 })), ['9,2'])
  assert.equal(counts(explore([whole, whole])), ['9,2'])
})

known('two sections entered in opposite order are found to lock up', () => {
  const both = (one: number, two: number): readonly Op[] => [
    ['take', one],
    ['take', two],
    ['give', two],
    ['give', one]
  ]
  const { outcomes, coverage } = explore([both(1, 2), both(2, 1)])
  assert.ok([...outcomes].some((outcome) => outcome.includes('stuck')))
  assert.ok([...outcomes].some((outcome) => !outcome.includes('stuck')))
  assert.is(coverage.complete, true)
  assert.not.ok([...explore([both(1, 2), both(1, 2)]).outcomes].some((outcome) => outcome.includes('stuck')))
})

known('a program that does not do the same again is told so', () => {
  const explorer = new Explorer({ reduce: false })
  explorer.next()
  explorer.done(run([hold(1, 2), hold(1, 2)], []).trace)
  explorer.next()
  assert.throws(() => explorer.done(run([hold(1, 2), []], []).trace), /does not do the same again: at step \d+ it went another way/)
})
known.run()

const oracle = suite('explore: against every order tried one by one')

/** A program of two or three threads with holds, tries, cells shared and not, sections nested in any order. */
function anyProgram(seed: number): Program {
  const random = randomOf(seed, 0)
  const threads = 2 + random(2)
  return Array.from({ length: threads }, () => {
    const ops: Op[] = []
    const held: number[] = []
    const most = (threads === 2 ? 4 : 2) + random(3)
    const cell = (): number => 100 + random(3)
    const access = (): Op => (random(3) === 0 ? ['set', cell(), random(3)] : [random(2) === 0 ? 'load' : 'add', cell()])
    for (let n = 0; n < most; n++) {
      const section = 1 + random(3)
      if (held.length > 0 && random(2) === 0) ops.push(['give', held.pop() as number])
      else if (held.includes(section)) ops.push(access())
      else if (random(4) === 0) ops.push(['try', section, 2], access(), ['give', section])
      else {
        ops.push(['take', section])
        held.push(section)
      }
      if (random(2) === 0) ops.push(access())
    }
    while (held.length > 0) {
      ops.push(['give', held.pop() as number])
      if (random(3) === 0) ops.push(access())
    }
    return ops[0]?.[0] === 'take' || ops[0]?.[0] === 'try' ? ops : [['take', 50 + random(2)], ...ops]
  })
}

const PROGRAMS = 150
/** Programs with more orders are left out. */
const MOST_ORDERS = 300

for (const preemptions of [Number.POSITIVE_INFINITY, 0, 1, 2, 3]) {
  oracle(`the same outcomes with and without leaving orders out, with at most ${preemptions} preemptions (seeds 1 to ${PROGRAMS})`, () => {
    let all = 0
    let made = 0
    let tried = 0
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const program = anyProgram(seed)
      const every = enumerate(program, preemptions, MOST_ORDERS)
      if (every === undefined) continue
      const plain = explore(program, { reduce: false, preemptions })
      const reduced = explore(program, { preemptions })
      const what = `seed ${seed}, ${preemptions} preemptions: ${JSON.stringify(program)}`
      assert.is(plain.coverage.schedules, every.orders, what)
      assert.equal([...plain.outcomes].sort(), [...every.outcomes].sort(), what)
      assert.equal([...reduced.outcomes].sort(), [...every.outcomes].sort(), what)
      assert.is(new Set(reduced.orders).size, reduced.orders.length, `an order twice: ${what}`)
      tried++
      all += every.orders
      made += reduced.coverage.schedules
    }
    assert.ok(tried > PROGRAMS / 5 && made < all, `${tried} programs, ${made} runs for ${all} orders`)
  })
}
oracle.run()
