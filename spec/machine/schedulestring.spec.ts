// Schedule strings: what goes in comes out, anything else is refused with what to do, and typical ones can be pasted.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess } from '../../src/index.ts'
import { HDR, HEAP_WORDS, layoutFor, SECTION_WORDS } from '../../src/machine/layout.ts'
import { deedOf, LEFT, REFUSED, TAKE, TRY } from '../../src/machine/scheduleboard.ts'
import { BitReader, BitWriter, codeNumber } from '../../src/machine/schedulecode.ts'
import { draw, mix } from '../../src/machine/schedulerandom.ts'
import { readSchedule, type ScheduleText, writeSchedule } from '../../src/machine/schedulestring.ts'

const layout = layoutFor(16)
const PROGRAM = 'churn --ops 10'

function generator(seed: number): (below: number) => number {
  const state = new Int32Array([seed])
  return (below) => draw(state, 0, below)
}

const heap = (index: number): number => layout.heapsAt + index * HEAP_WORDS
const section = (index: number): number => layout.sectionsAt + index * SECTION_WORDS

/** `count` events of threads that enter and leave the section of one heap; `often` in a hundred times the thread changes. */
function regular(seed: number, seats: number, count: number, often: number): ScheduleText {
  const random = generator(seed)
  const inside = new Array<boolean>(seats).fill(false)
  let seat = 0
  const events = Array.from({ length: count }, () => {
    if (random(100) < often) seat = random(seats)
    inside[seat] = !inside[seat]
    return [seat, deedOf(heap(0), inside[seat] ? TAKE : LEFT)] as const
  })
  return { form: 'choices', seats, steps: count * 2, events }
}

function anything(seed: number): ScheduleText {
  const random = generator(seed)
  const seats = 1 + random(random(4) === 0 ? 1023 : 8)
  const places = [HDR.LOCK, HDR.SPY_LOCK, heap(0), heap(1), heap(15), section(0), section(3), section(255)]
  const events = Array.from({ length: random(200) }, () => {
    const at = places[random(places.length)] as number
    return [random(seats), deedOf(at, [TAKE, TRY, LEFT, REFUSED][random(4)] as number)] as const
  })
  return { form: random(2) === 0 ? 'choices' : 'grants', seats, steps: random(2) * random(60_000), events }
}

function message(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof TypeError ? error.message : `no TypeError: ${error}`
  }
  return 'nothing thrown'
}

const strings = suite('schedule strings')

const SEEDS = 500
strings(`what is written is read again (seeds 1 to ${SEEDS})`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const schedule = anything(seed)
    const text = writeSchedule(schedule, PROGRAM, layout)
    assert.match(text, /^v1_[A-Za-z0-9_-]+$/)
    assert.equal(readSchedule(text, schedule.seats, PROGRAM, layout), schedule, `seed ${seed}`)
  }
})

strings('typical ones can be pasted', () => {
  const length = (schedule: ScheduleText): number => writeSchedule(schedule, PROGRAM, layout).length
  assert.ok(length({ form: 'choices', seats: 4, steps: 0, events: [] }) <= 20)
  for (let seed = 1; seed <= 5; seed++) {
    // Two threads, each choice as likely as the other: a bit each is all that can be had.
    assert.ok(length(regular(seed, 2, 600, 100)) < 170, `${length(regular(seed, 2, 600, 100))}`)
    assert.ok(length(regular(seed, 4, 300, 100)) < 170, `${length(regular(seed, 4, 300, 100))}`)
    // A handful of preemptions in a run of a thousand choices.
    assert.ok(length(regular(seed, 4, 1000, 1)) < 90, `${length(regular(seed, 4, 1000, 1))}`)
  }
})

strings('any character changed, left out or doubled is noticed', () => {
  const text = writeSchedule(regular(1, 3, 80, 50), PROGRAM, layout)
  const refused = (other: string): void => {
    assert.match(
      message(() => readSchedule(other, 3, PROGRAM, layout)),
      /^replay: (?:the schedule string is damaged|expected a schedule string)/,
      other
    )
  }
  for (let at = 3; at < text.length; at++) {
    refused(text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1))
    refused(text.slice(0, at) + text.slice(at + 1))
    refused(text.slice(0, at) + text[at] + text.slice(at))
    refused(text.slice(0, at))
  }
  for (const other of ['', 'v1_', 'v1_AAAA', 'v_A', text.slice(3), `${text} `, `${text}=`, text.toUpperCase()]) refused(other)
})

strings('one of more events than any run has is refused before they are read', () => {
  const most = 2 ** 18
  const deed = deedOf(heap(0), TAKE)
  const text = (count: number): string =>
    writeSchedule({ form: 'choices', seats: 1, steps: 0, events: Array(count).fill([0, deed]) }, PROGRAM, layout)
  assert.is(readSchedule(text(most), 1, PROGRAM, layout).events.length, most)
  assert.throws(
    () => readSchedule(text(most + 1), 1, PROGRAM, layout),
    /^replay: the schedule string is of a form that this ceheap does not know/
  )
})

strings('one of another version, another program or another number of threads says what to do', () => {
  const text = writeSchedule(regular(1, 3, 20, 50), PROGRAM, layout)
  assert.is(
    message(() => readSchedule(text.replace('v1_', 'v2_'), 3, PROGRAM, layout)),
    'replay: the schedule string has version 2, this ceheap reads version 1; replay it with the ceheap that wrote it, or make a new one with this one'
  )
  assert.is(
    message(() => readSchedule(text, 3, 'churn --ops 11', layout)),
    'replay: the schedule string is of another program; replay it with the same workload and options (the option program, here "churn --ops 11")'
  )
  assert.is(
    message(() => readSchedule(text, 4, PROGRAM, layout)),
    'replay: the schedule string is of a run with 3 threads, this one has 4; give threads: 3'
  )
  assert.is(readSchedule(text, 3, PROGRAM, layout).events.length, 20)
})
strings('a program that is not named is the empty one', () => {
  const text = (program?: string): string | undefined =>
    createProcess({ memory: 0x20000, schedule: 'recorded', threads: 1, ...(program === undefined ? {} : { program }) }).scheduleReport()
      .text
  assert.is(text(), text(''))
  assert.is.not(text(), text('x'))
})
strings.run()

const coder = suite('schedule strings: the coder')

coder('bits come back in the contexts that they were written in, whatever these foretell', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = generator(seed)
    const bits = Array.from({ length: 1 + random(2000) }, () => {
      const context = random(5)
      // From never to always, by context.
      return [context, random(4) < context ? 1 : 0] as const
    })
    const writer = new BitWriter()
    for (const [context, bit] of bits) writer.code(context, bit)
    const reader = new BitReader(writer.finish())
    for (const [at, [context, bit]] of bits.entries()) assert.is(reader.code(context), bit, `seed ${seed}, bit ${at}`)
  }
})

coder('a bit that is always the same costs next to nothing, one that nobody foretells costs one', () => {
  const random = generator(9)
  const [same, noise] = [new BitWriter(), new BitWriter()]
  for (let n = 0; n < 8000; n++) {
    same.code(1, 1)
    noise.code(1, random(2))
  }
  assert.ok(same.finish().length < 30)
  assert.ok(noise.finish().length > 950 && noise.finish().length < 1100)
})

coder('numbers of any size', () => {
  const numbers = [0, 1, 2, 3, 7, 8, 100, 65_535, 65_536, 2 ** 30, 2 ** 31 - 2]
  const writer = new BitWriter()
  for (const number of numbers) codeNumber(writer, 64, number)
  const reader = new BitReader(writer.finish())
  assert.equal(
    numbers.map(() => codeNumber(reader, 64, 0)),
    numbers
  )
})
coder.run()

const randomness = suite('schedules: the generator')

randomness('splitmix32 gives these numbers, on every machine', () => {
  const state = new Int32Array([1])
  assert.equal(
    Array.from({ length: 6 }, () => draw(state, 0, 1000)),
    [367, 81, 820, 701, 149, 531]
  )
  assert.is(mix(1), 2261973619)
})

randomness('each of a few is drawn as often as the others', () => {
  for (const below of [2, 3, 7]) {
    const random = generator(below)
    const counts = new Array<number>(below).fill(0)
    for (let n = 0; n < 7000; n++) counts[random(below)]!++
    for (const count of counts) assert.ok(Math.abs(count - 7000 / below) < 300, counts.join())
  }
})
randomness.run()
