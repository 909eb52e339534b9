// A recorded run in which a worker dies, at any store: what the others did has its order, the dead thread's part is not longer than what it did, and nothing old.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeProcess, type CeThread, createProcess } from '../../src/index.ts'
import { SEC, sectionRecords } from '../../src/machine/sectiontable.ts'
import { CUT, deedName, deedOf, ENDED, sectionOfDeed } from '../../src/machine/scheduleboard.ts'
import { close, GrantLog } from '../../src/machine/schedulegrants.ts'
import { readSchedule } from '../../src/machine/schedulestring.ts'
import { underScissors } from '../coredll/scissors.ts'
import { scene } from './scene.ts'

const program = 'spec'
const END = deedOf(CUT, ENDED)

function eventsOf(process: CeProcess, threads: number): readonly (readonly [number, number])[] {
  const { text } = process.scheduleReport()
  assert.ok(text !== undefined, 'there is a string')
  return readSchedule(text, threads, program, process.thread.machine.layout).events
}

const cuts = suite('recorded: a thread that dies at a store')

function victim(ce: CeThread, heap: number, [first, second]: readonly [number, number]): void {
  ce.EnterCriticalSection(first)
  const p = ce.HeapAlloc(heap, 0, 100)
  ce.EnterCriticalSection(second)
  ce.HeapFree(heap, 0, p)
  ce.LeaveCriticalSection(first)
  ce.EnterCriticalSection(first)
  ce.LeaveCriticalSection(first)
  ce.LeaveCriticalSection(second)
  ce.detach()
}

function other(ce: CeThread, heap: number, sections: readonly [number, number]): void {
  for (const section of sections) {
    ce.EnterCriticalSection(section)
    ce.HeapSize(heap, 0, 0)
    ce.LeaveCriticalSection(section)
  }
}

cuts('each section goes on from hand to hand, and the string tells the end of the thread', () => {
  let steps = Number.POSITIVE_INFINITY
  let whole: readonly number[] = []
  for (let k = -1; k < steps; k++) {
    const { process, heap, sections } = scene({ schedule: 'recorded', threads: 2, program })
    const tokens = [process.share(), process.share()] as const
    const [two, three] = tokens.map((token) => attachThread(token)) as [CeThread, CeThread]
    other(three, heap, sections)
    const scissors = underScissors(two)
    if (k >= 0) scissors.limit = k
    try {
      scissors.during(() => victim(two, heap, sections))
    } catch (error) {
      if (!scissors.cut) throw error
    }
    if (k < 0) steps = scissors.steps
    process.workerEnded(tokens[0])
    other(three, heap, sections)
    three.detach()
    process.check()
    const events = eventsOf(process, 2)
    const mine = events.filter(([seat]) => seat === 0).map(([, deed]) => deed)
    if (k < 0) whole = mine
    const made = mine.filter((deed) => deed !== END)
    assert.equal(made, whole.slice(0, made.length), `cut after ${k} steps`)
    if (k >= 0) assert.is(mine.at(-1), END, `cut after ${k} steps`)
    const { layout, sys } = process.thread.machine
    // As many as each section counted.
    for (const at of sectionRecords(process.thread.machine))
      assert.is(
        events.filter(([, deed]) => (deed & 3) === 1 && sectionOfDeed(deed) === at).length,
        sys[at + SEC.GRANTS],
        `cut after ${k} steps`
      )
    const others = events.filter(([seat]) => seat === 1).map(([, deed]) => deedName(layout, deed, true))
    assert.is(others.length, 8, others.join())
  }
  assert.ok(whole.length === 5 && !whole.includes(END) && steps > 50, `${whole.length} events, ${steps} steps`)
})

cuts('a log that was closed when its thread died is not read on: nothing old comes in', () => {
  const process = createProcess({ memory: 1 << 21, schedule: 'recorded', threads: 1023, program })
  const token = process.share()
  const ce = attachThread(token)
  const heap = ce.GetProcessHeap()
  const second = process.thread.HeapCreate(0, 0, 0)
  let made = 0
  // Once round, so that there are old entries everywhere.
  for (; made < 3000; made++) {
    ce.HeapSize(made % 2 === 0 ? heap : second, 0, 0)
    if (made % 100 === 0) process.drainGrants()
  }
  const { seat } = ce.machine
  assert.instance(seat, GrantLog)
  close(ce.machine, (seat as GrantLog).place.log, (seat as GrantLog).place.logEntries)
  process.workerEnded(token)
  assert.is(process.scheduleReport().steps, made)
  assert.is(eventsOf(process, 1023).length, made + 1)
})

cuts('a grant that was written down and not counted yet is counted', () => {
  const { process, sections } = scene({ schedule: 'recorded', threads: 2, program })
  const token = process.share()
  const two = attachThread(token)
  const three = attachThread(process.share())
  two.EnterCriticalSection(sections[0])
  const [at = 0] = sectionRecords(process.thread.machine)
  process.thread.machine.sys[at + SEC.GRANTS] = 0
  process.workerEnded(token)
  three.EnterCriticalSection(sections[0])
  three.LeaveCriticalSection(sections[0])
  three.detach()
  const take = deedOf(at, 1)
  assert.equal(eventsOf(process, 2), [
    [0, take],
    [0, END],
    [1, take]
  ])
})

cuts.run()
