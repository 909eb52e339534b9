// What a recorded run writes down where something is out of the ordinary: an owner that dies, a thread that is terminated, sections left by the hundred.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  MEM_RESERVE,
  PAGE_READWRITE,
  ThreadTerminated
} from '../../src/index.ts'
import { deedName } from '../../src/machine/scheduleboard.ts'
import { readSchedule } from '../../src/machine/schedulestring.ts'
import { orphan } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { Cut, underScissors } from '../coredll/scissors.ts'
import { perform, runOf, scene } from './scene.ts'

const program = 'spec'

/** The grants that the string of a process's run is made of, in words. */
function grantsOf(process: CeProcess, threads: number): string[] {
  const { layout } = process.thread.machine
  const { events } = readSchedule(process.scheduleReport().text ?? '', threads, program, layout)
  return events.map(([seat, deed]) => `${seat + 2} ${deedName(layout, deed, true)}`)
}

const dead = suite('recorded: an owner that dies')

dead('its section is a grant of who takes it over, behind all that the dead thread did', () => {
  const { process, heap, sections } = scene({ schedule: 'recorded', threads: 2, program })
  const tokens = [process.share(), process.share()] as const
  const [two, three] = tokens.map((token) => attachThread(token)) as [CeThread, CeThread]
  two.EnterCriticalSection(sections[0])
  two.HeapSize(heap, 0, 0)
  three.HeapSize(heap, 0, 0)
  two.HeapSize(heap, 0, 0)
  const { machine } = process.thread
  const [at = 0] = sectionRecords(machine)
  // As if the thread were dead: the burial makes orphans of its sections, and a thread that waits may be faster than what mends behind them.
  const { seat } = machine
  assert.ok(seat !== undefined)
  seat.bury(tokens[0].ticket, () => orphan(machine, at, two.tid))
  three.EnterCriticalSection(sections[0])
  three.LeaveCriticalSection(sections[0])
  process.workerEnded(tokens[0])
  three.detach()
  assert.equal(grantsOf(process, 2), [
    '2 entering critical section 0',
    '2 entering the section of heap 1',
    '3 entering the section of heap 1',
    '2 entering the section of heap 1',
    '2 ending without a word, as its worker did where it was terminated or crashed, which no replay repeats by itself',
    '3 entering critical section 0'
  ])
})

dead('a run in which a thread threw inside of a section comes back from its string', async () => {
  const names = ['drops', 'count', 'count'] as const
  for (let time = 0; time < 2; time++) {
    const first = await runOf({ schedule: 'recorded', program }, names, 20)
    assert.equal(first.errors, ['Error: planted', undefined, undefined])
    assert.is(first.counter, 40)
    const again = await runOf({ schedule: `replay:${first.report.text}`, program }, names, 20)
    assert.equal(again.errors, first.errors)
    assert.is(again.calls, first.calls)
    assert.is(again.report.diverged, undefined)
  }
})

dead('an error in the midst of a call of the creating thread, at whatever store, upsets no order of what the others did', () => {
  for (let k = 0, cut = true; cut; k++) {
    const process = createProcess({ memory: 1 << 20, schedule: 'recorded', threads: 1, program })
    const ce = attachThread(process.share())
    const reserve = (by: CeThread): number => by.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)
    for (let n = 0; n < 3; n++) reserve(ce)
    const scissors = underScissors(process.thread)
    scissors.limit = k
    scissors.once = true
    try {
      reserve(process.thread)
    } catch (error) {
      if (!(error instanceof Cut)) throw error
    }
    cut = scissors.cut
    scissors.rewind(Number.POSITIVE_INFINITY)
    for (let n = 0; n < 3; n++) reserve(ce)
    ce.detach()
    assert.equal(grantsOf(process, 1), Array(6).fill('2 entering the process section'), `step ${k}`)
  }
})

dead('a thread that lives on after an error is granted nothing for what it mends behind itself', () => {
  const process = createProcess({ memory: 1 << 20, schedule: 'recorded', threads: 1, program })
  const ce = attachThread(process.share())
  const scissors = underScissors(ce)
  scissors.once = true
  const { take } = ce.machine
  ce.machine.take = (address, who) => {
    const seen = take(address, who)
    ce.machine.take = take
    scissors.rewind(0)
    return seen
  }
  const reserve = (): number => ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)
  assert.throws(reserve, (error: unknown) => error instanceof Cut)
  assert.is.not(reserve(), 0)
  ce.detach()
  assert.equal(grantsOf(process, 1), Array(2).fill('2 entering the process section'))
})
dead.run()

const ended = suite('recorded: a thread that is terminated')

ended('writes its last grant down once, and nothing old', () => {
  const process = createProcess({ memory: 1 << 21, schedule: 'recorded', threads: 1023, program })
  const ce = attachThread(process.share())
  const heap = ce.GetProcessHeap()
  const other = process.thread.HeapCreate(0, 0, 0)
  let made = 0
  // Once round, so that there are old entries everywhere.
  for (let n = 0; n < 3000; n++) {
    ce.HeapSize(n % 2 === 0 ? heap : other, 0, 0)
    made++
    if (n % 100 === 0) process.drainGrants()
  }
  process.terminateThread(ce.tid)
  assert.throws(
    () => ce.HeapSize(heap, 0, 0),
    (error: unknown) => error instanceof ThreadTerminated
  )
  ce.detach()
  const { steps, over } = process.scheduleReport()
  assert.equal([steps, over], [made, false])
})
ended.run()

const many = suite('recorded: sections left by the hundred')

const COUNT = 1200

/** A thread of a process whose logs have 2,048 entries, with 1,200 sections of its own. */
function owner(lockTimeout: number): { process: CeProcess; ce: CeThread; enterAll: () => void; leave: (n: number) => void } {
  const process = createProcess({ memory: 1 << 23, schedule: 'recorded', threads: 1023, lockTimeout, program })
  const first = process.thread
  const base = first.HeapAlloc(first.GetProcessHeap(), 8, COUNT * 32)
  for (let n = 0; n < COUNT; n++) first.InitializeCriticalSection(base + n * 32)
  const ce = attachThread(process.share())
  return {
    process,
    ce,
    enterAll: () => {
      for (let n = 0; n < COUNT; n++) ce.EnterCriticalSection(base + n * 32)
    },
    leave: (n) => ce.LeaveCriticalSection(base + n * 32)
  }
}

many('the creating thread reads the logs while it waits for a section itself', async () => {
  const made = scene({ schedule: 'recorded', threads: 1023, program })
  const ce = made.process.thread
  let entered = 0
  const [played] = await perform(made, ['fills'], 6000, {
    onMark: () => {
      ce.EnterCriticalSection(made.sections[0])
      ce.LeaveCriticalSection(made.sections[0])
      entered++
    }
  })
  assert.equal([played?.error, entered], [undefined, 1])
  assert.is(made.process.scheduleReport().steps, 6001)
})

many('in a log that is read, each is there', () => {
  const { process, ce, enterAll, leave } = owner(20_000)
  enterAll()
  for (let n = 0; n < COUNT; n++) {
    leave(n)
    if (n % 100 === 0) process.drainGrants()
  }
  ce.detach()
  assert.is(process.scheduleReport().steps, COUNT)
  assert.is(grantsOf(process, 1023).length, COUNT)
})

many('in a log that nobody reads, what was written stays, no leave fails, and there is no string that would tell another order', () => {
  const { process, ce, enterAll, leave } = owner(30)
  enterAll()
  for (let n = 0; n < COUNT; n++) leave(n)
  assert.equal(
    [...sectionRecords(process.thread.machine)].map((at) => process.thread.machine.sys[at]).filter((word) => word !== 0),
    []
  )
  ce.detach()
  const { steps, text } = process.scheduleReport()
  assert.is(steps, COUNT)
  assert.is(text, undefined)
})
many.run()
