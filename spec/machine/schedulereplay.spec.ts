// A run comes back from its string; a replay that goes another way says where and how; recorded runs come back too.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeProcess, type CeThread, createProcess } from '../../src/index.ts'
import { COLD } from '../../src/machine/machine.ts'
import { deedOf, LEFT, REFUSED, TAKE } from '../../src/machine/scheduleboard.ts'
import { mergeGrants } from '../../src/machine/schedulemerge.ts'
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

/** A thread that goes from one heap to another and back: each grant begins an entry. */
function alternating(lockTimeout: number): { process: CeProcess; ce: CeThread; pair: () => void } {
  const { process, heap } = scene({ schedule: 'recorded', threads: 1023, lockTimeout })
  const ce = attachThread(process.share())
  const [one, other] = [heap, ce.GetProcessHeap()]
  const [p, q] = [ce.HeapAlloc(one, 0, 1), ce.HeapAlloc(other, 0, 1)]
  return {
    process,
    ce,
    pair: () => {
      ce.HeapSize(one, 0, p)
      ce.HeapSize(other, 0, q)
    }
  }
}

recorded('a log that nobody reads makes its thread wait, and in the end tells it why', () => {
  const { process, ce, pair } = alternating(60)
  const fill = (): void => {
    for (let n = 0; n < 4096; n++) pair()
  }
  assert.throws(fill, /waited 60 ms for room in the log of grants; the creating thread of a recorded process has to call drainGrants\(\)/)
  assert.ok(process.drainGrants() > 1000)
  pair()
  ce.detach()
})

recorded('one that is read goes round: as many grants as were made, each once', () => {
  const { process, ce, pair } = alternating(20_000)
  let drained = 0
  for (let n = 0; n < 6000; n++) {
    pair()
    if (n % 100 === 99) drained += process.drainGrants()
  }
  ce.detach()
  drained += process.drainGrants()
  assert.is(drained, 12_002)
  assert.is(process.scheduleReport().steps, 12_002)
  assert.is(createProcess({ schedule: 'recorded', threads: 2 }).drainGrants(), 0)
})

recorded('the hot path writes down what the plain one does', () => {
  const texts = [false, true].map((hot) => {
    const { process, heap } = scene({ schedule: 'recorded', threads: 1 })
    const ce = attachThread(process.share())
    assert.is.not(ce.machine.hot, COLD)
    if (!hot) ce.machine.goBy(COLD)
    for (let n = 0; n < 1000; n++) {
      const p = ce.HeapAlloc(heap, 0, 1 + (n % 50 === 0 ? 9000 : 0))
      if (n % 10 === 0) ce.HeapFree(heap, 0, p + 1)
      ce.HeapFree(heap, 0, p)
    }
    ce.detach()
    assert.ok(process.drainGrants() > 2100)
    return process.scheduleReport().text
  })
  assert.is(texts[0], texts[1])
})

recorded('grants of free threads merge into an order of which each thread and each section has made its own (seeds 1 to 200)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const state = new Int32Array([seed])
    const random = (below: number): number => draw(state, 0, below)
    const threads = 1 + random(4)
    // What happened, as it happened: section and thread of each grant, with sections held for a while.
    const logs: number[][] = Array.from({ length: threads }, () => [])
    const own: { deed: number; number: number }[][] = Array.from({ length: threads }, () => [])
    const held: number[][] = Array.from({ length: threads }, () => [])
    const owner = new Map<number, number>()
    const counted = new Map<number, number>()
    /** As a thread writes: what goes on in a row is one entry. */
    const write = (thread: number, deed: number, number: number): void => {
      const log = logs[thread] as number[]
      const often = log.at(-1) ?? 0
      if ((deed & 3) !== LEFT) own[thread]?.push({ deed, number })
      if (log.at(-3) === deed && ((deed & 3) === REFUSED || ((deed & 3) === TAKE && (log.at(-2) ?? 0) + often === number)))
        log[log.length - 1] = often + 1
      else log.push(deed, number, 1)
    }
    const leave = (thread: number, section: number): void => {
      owner.delete(section)
      if (logs[thread]?.at(-3) !== deedOf(section, TAKE)) write(thread, deedOf(section, LEFT), counted.get(section) ?? 0)
    }
    for (let n = 0; n < 150; n++) {
      const thread = random(threads)
      const section = 8 + random(4)
      const mine = held[thread] as number[]
      if (mine.length > 0 && random(2) === 0) leave(thread, mine.splice(random(mine.length), 1)[0] as number)
      else if (!owner.has(section)) {
        owner.set(section, thread)
        mine.push(section)
        counted.set(section, (counted.get(section) ?? 0) + 1)
        write(thread, deedOf(section, TAKE), counted.get(section) as number)
      } else if (!mine.includes(section)) write(thread, deedOf(section, REFUSED), 0)
    }
    for (const [thread, mine] of held.entries()) for (const section of mine) leave(thread, section)
    const events = mergeGrants(logs.map((log) => Int32Array.from(log)))
    assert.ok(events !== undefined, `seed ${seed}`)
    const numbers = new Map<number, number[]>()
    const next = logs.map(() => 0)
    for (const [thread, deed] of events) {
      const expected = own[thread]?.[next[thread]!++]
      assert.is(deed, expected?.deed, `seed ${seed}, thread ${thread}`)
      if ((deed & 3) === TAKE) numbers.set(deed, [...(numbers.get(deed) ?? []), expected?.number ?? 0])
    }
    assert.equal(
      next,
      own.map((one) => one.length),
      `seed ${seed}`
    )
    for (const [section, count] of counted) {
      const all = Array.from({ length: count }, (_, n) => n + 1)
      assert.equal(numbers.get(deedOf(section, TAKE)), all, `seed ${seed}, section ${section}`)
    }
  }
})

recorded('a grant that is missing makes no order', () => {
  const take = deedOf(8, TAKE)
  assert.equal(mergeGrants([Int32Array.of(take, 1, 1), Int32Array.of(take, 2, 1)]), [
    [0, take],
    [1, take]
  ])
  assert.is(mergeGrants([Int32Array.of(take, 1, 1), Int32Array.of(take, 3, 1)]), undefined)
  assert.equal(mergeGrants([]), [])
})
recorded.run()
