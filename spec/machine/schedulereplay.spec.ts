// A run comes back from its string; a replay that goes another way says where and how; recorded runs come back too.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, createProcess } from '../../src/index.ts'
import { deedOf, LEFT, TAKE, TRY } from '../../src/machine/scheduleboard.ts'
import { mergeGrants } from '../../src/machine/schedulegrants.ts'
import { draw } from '../../src/machine/schedulerandom.ts'
import { runOf, scene } from './scene.ts'

const replays = suite('schedule: replay')

const program = 'spec'

for (const [part, rounds] of [
  ['churn', 20],
  ['race', 6],
  ['insist', 4],
  ['nest', 3]
] as const) {
  replays(`${part}: the string of a run makes the same run, and is its own string again`, async () => {
    for (const schedule of ['seeded:1', 'seeded:2', 'pct:3:3:60']) {
      const names = [part, part, part]
      const first = await runOf({ schedule, program }, names, rounds)
      const again = await runOf({ schedule: `replay:${first.report.text}`, program }, names, rounds, { start: [2, 1, 0] })
      assert.equal([again.image, again.calls, again.counter], [first.image, first.calls, first.counter], schedule)
      assert.equal(again.errors, first.errors)
      const [{ text, steps, choices, preemptions }, report] = [first.report, again.report]
      assert.equal([report.text, report.steps, report.choices, report.preemptions], [text, steps, choices, preemptions])
      assert.is(report.diverged, undefined)
    }
  })
}

replays('threads that have less to do end the replay where the next step of one was expected', async () => {
  const names = ['race', 'race', 'race'] as const
  const first = await runOf({ schedule: 'seeded:1', program }, names, 6)
  const { errors, report } = await runOf({ schedule: `replay:${first.report.text}`, program }, names, 4)
  const told = report.diverged
  assert.ok(told !== undefined)
  assert.match(
    told.message,
    /^the replay went another way than the recorded run: at step \d+ it expected thread [234] (?:entering|going on after it left) critical section 0, and found that it has ended$/
  )
  assert.ok(told.step > 1 && told.step < first.report.steps)
  assert.is(told.found, 'that it has ended')
  // Those that are left are told; the others have ended by themselves.
  const heard = errors.filter((error) => error !== undefined)
  assert.ok(heard.length > 0)
  for (const error of heard) assert.is(error, `DivergenceError: ${told.message}`)
})

replays('threads that do something else are told what they did, at the first choice that shows it', async () => {
  const first = await runOf({ schedule: 'seeded:1', program }, ['race', 'race'], 6)
  const { errors, report } = await runOf({ schedule: `replay:${first.report.text}`, program }, ['churn', 'churn'], 6)
  assert.is(report.diverged?.step, 1)
  assert.match(
    report.diverged?.message ?? '',
    /at step 1 it expected thread [23] entering critical section 0, and found it entering the section of heap 1$/
  )
  for (const error of errors) assert.is(error, `DivergenceError: ${report.diverged?.message}`)
})

replays('a run that goes on where the recorded one had ended is noticed at its end', async () => {
  const first = await runOf({ schedule: 'pct:1:1', program }, ['race', 'race'], 4)
  const { report } = await runOf({ schedule: `replay:${first.report.text}`, program }, ['race', 'race'], 6)
  assert.is(report.diverged?.expected, `the end after ${first.report.steps} steps`)
  assert.is(report.diverged?.found, `it after ${report.steps}`)
})
replays.run()

const recorded = suite('schedule: recorded')

for (const [part, rounds] of [
  ['churn', 400],
  ['insist', 60],
  ['destroy', 30]
] as const) {
  recorded(`${part}: a run of free threads comes back, answer for answer`, async () => {
    const names = [part, part, part]
    const first = await runOf({ schedule: 'recorded', program }, names, rounds)
    assert.equal(first.errors, [undefined, undefined, undefined])
    assert.is(first.report.over, true)
    const again = await runOf({ schedule: `replay:${first.report.text}`, program }, names, rounds)
    assert.equal(again.errors, first.errors)
    assert.is(again.calls, first.calls)
    // The replay has a string of its own, which says more: who went on after each section that was left.
    const third = await runOf({ schedule: `replay:${again.report.text}`, program }, names, rounds)
    assert.equal([third.image, third.calls], [again.image, again.calls])
  })
}

recorded('a log that nobody reads makes its thread wait, and in the end tells it why', () => {
  const { process, heap } = scene({ schedule: 'recorded', threads: 1023, lockTimeout: 60 })
  const ce = attachThread(process.share())
  const fill = (): void => {
    for (let n = 0; n < 4096; n++) ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 1))
  }
  assert.throws(fill, /waited 60 ms for room in the log of grants; the creating thread of a recorded process has to call drainGrants\(\)/)
  assert.ok(process.drainGrants() > 1000)
  assert.is.not(ce.HeapAlloc(heap, 0, 1), 0, 'there is room again')
  ce.detach()
})

recorded('one that is read goes round: as many grants as were made, each once', () => {
  const { process, heap } = scene({ schedule: 'recorded', threads: 1023 })
  const ce = attachThread(process.share())
  let drained = 0
  for (let n = 0; n < 3000; n++) {
    ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 1))
    if (n % 100 === 99) drained += process.drainGrants()
  }
  ce.detach()
  drained += process.drainGrants()
  assert.is(drained, 6000)
  assert.is(process.scheduleReport().steps, 6000)
  assert.is(createProcess({ schedule: 'recorded', threads: 2 }).drainGrants(), 0)
})

recorded('grants of free threads merge into an order of which each thread and each section has made its own (seeds 1 to 200)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const state = new Int32Array([seed])
    const random = (below: number): number => draw(state, 0, below)
    const threads = 1 + random(4)
    // What happened, as it happened: section and thread of each grant, with sections held for a while.
    const logs: number[][] = Array.from({ length: threads }, () => [])
    const held: number[][] = Array.from({ length: threads }, () => [])
    const owner = new Map<number, number>()
    const counted = new Map<number, number>()
    const last: (number | undefined)[] = []
    for (let n = 0; n < 150; n++) {
      const thread = random(threads)
      const section = 8 + random(4)
      const mine = held[thread] as number[]
      const log = logs[thread] as number[]
      if (mine.length > 0 && random(2) === 0) {
        const left = mine.splice(random(mine.length), 1)[0] as number
        owner.delete(left)
        if (last[thread] !== left) log.push(deedOf(left, LEFT), counted.get(left) ?? 0)
        last[thread] = undefined
      } else if (!owner.has(section)) {
        owner.set(section, thread)
        mine.push(section)
        counted.set(section, (counted.get(section) ?? 0) + 1)
        log.push(deedOf(section, TAKE), counted.get(section) as number)
        last[thread] = section
      } else if (!mine.includes(section)) {
        log.push(deedOf(section, TRY), 0)
        last[thread] = undefined
      }
    }
    for (const [thread, mine] of held.entries()) for (const left of mine) logs[thread]?.push(deedOf(left, LEFT), counted.get(left) ?? 0)
    const events = mergeGrants(logs.map((log) => Int32Array.from(log)))
    assert.ok(events !== undefined, `seed ${seed}`)
    for (const [thread, log] of logs.entries()) {
      const own = log.filter((_, at) => at % 2 === 0 && ((log[at] as number) & 3) !== LEFT)
      assert.equal(
        events.filter(([seat]) => seat === thread).map(([, deed]) => deed),
        own,
        `seed ${seed}, thread ${thread}`
      )
    }
    for (const [section, count] of counted) {
      // The numbers that its grants had, in the order in which they were merged.
      const next = logs.map(() => 0)
      const numbers: number[] = []
      for (const [seat, deed] of events) {
        const log = logs[seat] as number[]
        while (((log[next[seat] as number] as number) & 3) === LEFT) next[seat]! += 2
        if (deed === deedOf(section, TAKE)) numbers.push(log[(next[seat] as number) + 1] as number)
        next[seat]! += 2
      }
      assert.equal(
        numbers,
        Array.from({ length: count }, (_, n) => n + 1),
        `seed ${seed}, section ${section}`
      )
    }
  }
})

recorded('a grant that is missing makes no order', () => {
  const take = deedOf(8, TAKE)
  assert.equal(mergeGrants([Int32Array.of(take, 1), Int32Array.of(take, 2)]), [
    [0, take],
    [1, take]
  ])
  assert.is(mergeGrants([Int32Array.of(take, 1), Int32Array.of(take, 3)]), undefined)
  assert.equal(mergeGrants([]), [])
})
recorded.run()
