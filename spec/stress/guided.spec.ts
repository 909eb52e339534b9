// The search over orders with real workers: what they write down of a run is what the search needs to try every other order.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LEFT, TAKE } from '../../src/machine/scheduleboard.ts'
import { type Coverage, Explorer } from '../../src/stress/explore.ts'
import type { PartName } from '../machine/schedule-worker.ts'
import { type Run, runOf } from '../machine/scene.ts'

async function explore(
  names: readonly PartName[],
  rounds: number,
  preemptions = Number.POSITIVE_INFINITY
): Promise<{ runs: Run[]; coverage: Coverage }> {
  const explorer = new Explorer({ preemptions })
  const runs: Run[] = []
  for (let prefix = explorer.next(); prefix !== undefined; prefix = explorer.next()) {
    const made = await runOf({ schedule: `guided:${prefix.join(',')}` }, names, rounds)
    assert.is(made.report.diverged, undefined)
    assert.ok(made.report.preemptions <= preemptions)
    runs.push(made)
    explorer.done(made.report.trace as NonNullable<typeof made.report.trace>)
  }
  return { runs, coverage: explorer.coverage }
}

const guided = suite('explore: real workers')

guided('a counter written too late: all orders of two reads and two writes, and what each comes to', async () => {
  const { runs, coverage } = await explore(['race', 'race'], 1)
  // Each thread reads, then writes: six ways to mix them, and in two of them nobody loses.
  assert.is(coverage.schedules, 6)
  assert.is(coverage.complete, true)
  assert.equal(runs.map(({ counter }) => counter).sort(), [1, 1, 1, 1, 2, 2])
})

guided('a counter written inside of its section: every order of the sections, none of which loses', async () => {
  const { runs, coverage } = await explore(['count', 'count'], 2)
  assert.is(coverage.complete, true)
  assert.is(coverage.schedules, (20 / 10) * 3)
  for (const { counter } of runs) assert.is(counter, 4)
})

guided('two sections entered in opposite order: the orders that lock up, and those that do not', async () => {
  const { runs, coverage } = await explore(['nest', 'nest'], 1)
  assert.is(coverage.complete, true)
  const locked = runs.filter(({ report }) => report.deadlock !== undefined)
  assert.ok(locked.length > 0 && locked.length < runs.length)
  // And with a bound of one preemption, which is what it takes.
  const bounded = await explore(['nest', 'nest'], 1, 1)
  assert.ok(bounded.runs.some(({ report }) => report.deadlock !== undefined))
  assert.not.ok((await explore(['nest', 'nest'], 1, 0)).runs.some(({ report }) => report.deadlock !== undefined))
})

guided('what a step touches: the section that it enters and leaves, and the memory in between', async () => {
  const { report } = await runOf({ schedule: 'guided:' }, ['race', 'nothing'], 1)
  const steps = report.trace?.steps ?? []
  assert.is(steps.length, report.steps)
  assert.equal(
    steps.map(({ deed }) => deed & 3),
    [TAKE, LEFT]
  )
  const [reading, writing] = steps.map(({ touched }) => touched)
  const section = (steps[0]?.deed as number) >>> 2
  assert.ok(reading?.includes(section * 4 + 1), 'the section is changed')
  const cell = reading?.find((one) => (one & 3) === 2) as number
  assert.ok(writing?.includes(cell + 1), 'what was read is changed by the other step')
  const inMemory = reading?.filter((one) => (one & 2) !== 0) ?? []
  assert.is(inMemory.length, 2, 'the cell, and the structure of the section')
  assert.ok(
    inMemory.every((one) => (one & 1) === 0),
    'a call on a section only looks at its structure: two that lie side by side are independent'
  )
})

guided('more threads than there are bits for are refused', async () => {
  try {
    await runOf({ schedule: 'guided:', threads: 31 }, [], 1)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /threads of a guided run: expected a whole number from 1 to 30, got 31/)
  }
})
guided.run()
