// Threads that go one at a time: the same seed gives the same run with real workers.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { perform, runOf, scene } from './scene.ts'

const churns = ['churn', 'churn', 'churn', 'churn'] as const

const seeds = suite('schedule: seeds')

const SEEDS = 24
seeds(
  `${SEEDS} seeds of four threads on one heap, each twice with the workers started the other way round: byte-equal images, equal answers`,
  async () => {
    const images = new Set<string>()
    for (let seed = 1; seed <= SEEDS; seed++) {
      const one = await runOf({ schedule: `seeded:${seed}` }, churns, 25)
      const other = await runOf({ schedule: `seeded:${seed}` }, churns, 25, { start: [3, 1, 2, 0] })
      for (const error of [...one.errors, ...other.errors]) assert.is(error, undefined)
      assert.is(other.image, one.image, `seed ${seed}`)
      assert.is(other.calls, one.calls, `seed ${seed}`)
      assert.equal({ ...other.report, text: other.report.text }, { ...one.report, text: one.report.text })
      assert.is(one.report.over, true)
      images.add(one.image)
    }
    assert.ok(images.size > SEEDS / 2, 'seeds differ')
  }
)

seeds('pct is as exact; with d = 1 nobody is preempted, with d at most d - 1 times', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    for (const depth of [1, 3]) {
      const schedule = `pct:${seed}:${depth}:200`
      const one = await runOf({ schedule }, churns, 15)
      const other = await runOf({ schedule }, churns, 15, { start: [2, 0, 3, 1] })
      assert.is(other.image, one.image, schedule)
      assert.is(other.calls, one.calls, schedule)
      assert.ok(one.report.preemptions < depth, schedule)
    }
  }
})

seeds('a race that the program has shows under some seeds and not under others, and always in the same way', async () => {
  const counters = new Map<number, number>()
  for (let seed = 1; seed <= 10; seed++) {
    const one = await runOf({ schedule: `seeded:${seed}` }, ['race', 'race'], 3)
    const other = await runOf({ schedule: `seeded:${seed}` }, ['race', 'race'], 3)
    assert.is(other.counter, one.counter, `seed ${seed}`)
    counters.set(one.counter, seed)
  }
  assert.ok(counters.size > 1, [...counters.keys()].join())
})

seeds('sections hold: a counter inside of one is exact, entered once or twice, tried or waited for', async () => {
  for (const schedule of ['seeded:1', 'seeded:2', 'pct:1:2:50', 'pct:2:4:50']) {
    for (const part of ['count', 'insist'] as const) {
      const { counter, errors } = await runOf({ schedule }, [part, part, part], 8)
      assert.equal(errors, [undefined, undefined, undefined])
      assert.is(counter, 24, `${schedule}, ${part}`)
    }
  }
})

seeds('threads have the ids of their tokens, and each call the step of its last grant', async () => {
  const made = scene({ schedule: 'seeded:5', threads: 3 })
  const played = await perform(made, ['churn', 'churn', 'churn'], 10, { start: [2, 1, 0] })
  assert.equal(
    played.map(({ tid }) => tid),
    [2, 3, 4]
  )
  const orders: number[] = []
  for (const { calls } of played) {
    const own = calls.map(({ order }) => order as number)
    assert.equal(
      own,
      [...own].sort((a, b) => a - b),
      "a thread's calls are in their order"
    )
    orders.push(...new Set(own))
  }
  assert.is(new Set(orders).size, orders.length, 'no step is two threads’')
})

seeds('a heap that is destroyed while others want in is gone for them, and nobody waits for it', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { errors, values } = await runOf({ schedule: `seeded:${seed}` }, ['destroy', 'destroy', 'destroy'], 6)
    assert.equal(errors, [undefined, undefined, undefined])
    assert.is(values[0], 1)
  }
})
seeds.run()
