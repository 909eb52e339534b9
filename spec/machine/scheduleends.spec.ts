// A recorded run whose threads process.terminateThread has ended comes back from its string, ends included; where a worker was killed the replay says so.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeProcess, type CeThread, type ShareToken, ThreadTerminated } from '../../src/index.ts'
import { deedOf, STOPPED } from '../../src/machine/scheduleboard.ts'
import { draw } from '../../src/machine/schedulerandom.ts'
import { readSchedule } from '../../src/machine/schedulestring.ts'
import { WAITERS } from '../../src/machine/section.ts'
import { SEC, sectionRecords } from '../../src/machine/sectiontable.ts'
import { LIVE, threadAt } from '../../src/machine/threads.ts'
import type { PartName } from './schedule-worker.ts'
import { perform, type Scene, scene } from './scene.ts'

const program = 'spec'

/** All that a run has left, but how often threads met at a section: that is a matter of time. */
function remains({ process, sections, shared, heap }: Scene): unknown {
  for (const section of sections) process.thread.DeleteCriticalSection(section)
  const { machine } = process.thread
  for (const at of sectionRecords(machine)) machine.sys[at + SEC.CONTENDED] = 0
  process.check()
  return [process.imageHash(), process.thread.memory.readU32(shared), process.thread.HeapValidate(heap, 0, 0)]
}

interface Ran {
  readonly calls: string
  readonly errors: readonly (string | undefined)[]
  /** What terminateThread answered, by thread. */
  readonly asked: ReadonlyMap<number, boolean>
  readonly left: unknown
  readonly text: string
  readonly diverged: string | undefined
}

/** Terminates each thread of `victims` once it has begun that many rounds, if it has not ended by then. */
async function run(schedule: string, names: readonly PartName[], rounds: number, victims = new Map<number, number>()): Promise<Ran> {
  const made = scene({ schedule, threads: names.length, program })
  const { process, shared } = made
  const asked = new Map<number, boolean>()
  const words = new Int32Array(process.thread.memory.bytes.buffer)
  const watch = (): void => {
    if (schedule === 'recorded') process.drainGrants()
    // Without a pause while they run: a tick is longer than the run.
    while ([...victims].some(([id]) => Atomics.load(words, shared / 4 + 16 + id) > 0))
      for (const [id, after] of victims) {
        if (Atomics.load(words, shared / 4 + 16 + id) < after && process.thread.machine.sys[threadAt(process.thread.machine, id)] === LIVE)
          continue
        victims.delete(id)
        try {
          asked.set(id, process.terminateThread(id))
        } catch (error) {
          // It has detached already.
          assert.instance(error, RangeError)
        }
      }
  }
  const played = await perform(made, names, rounds, { onTick: watch })
  const { text = '', diverged } = process.scheduleReport()
  return {
    calls: JSON.stringify(played.map(({ calls }) => calls.map(({ call, args, result, lastError }) => [call, ...args, result, lastError]))),
    errors: played.map(({ error }) => error),
    asked,
    left: diverged === undefined ? remains(made) : undefined,
    text,
    diverged: diverged?.message
  }
}

const ends = suite('recorded: threads that process.terminateThread ends')

const RUNS = 6

ends(`the string makes the same run, whenever that was (seeds from 1)`, async () => {
  const found = { ended: 0, whole: 0 }
  const enough = (): boolean => found.ended > RUNS / 2 && found.whole > RUNS / 2
  // On a busy machine threads come to their own end before anybody sees them begin: then more runs are needed.
  for (let seed = 1; seed <= RUNS || (!enough() && seed <= 20 * RUNS); seed++) {
    const state = new Int32Array([seed])
    const random = (below: number): number => draw(state, 0, below)
    const names = Array.from({ length: 2 + random(3) }, () => 'mixed' as const)
    const rounds = 60 + random(240)
    const victims = new Map(names.map((_, at) => [at + 2, 1 + random(rounds + (rounds >>> 2))]))
    const first = await run('recorded', names, rounds, new Map(victims))
    for (const error of first.errors) {
      assert.match(error ?? 'ThreadTerminated', /^ThreadTerminated/, `seed ${seed}`)
      found[error === undefined ? 'whole' : 'ended']++
    }
    assert.is.not(first.text, '', `seed ${seed}`)
    // By itself, and where the program asks for the same again, at another moment.
    const repeated = seed % 2 === 0 ? [...first.asked.keys()].map((id) => [id, 1] as const) : []
    const again = await run(`replay:${first.text}`, names, rounds, new Map(repeated))
    for (const [id, answer] of again.asked) assert.is(answer, first.asked.get(id), `seed ${seed}`)
    assert.is(again.diverged, undefined, `seed ${seed}: ${first.text}`)
    assert.equal([again.errors, again.left], [first.errors, first.left], `seed ${seed}: ${first.text}`)
    assert.ok(again.calls === first.calls, `seed ${seed}: other calls: ${first.text}`)
  }
  assert.ok(enough(), JSON.stringify(found))
})

/** A process with one thread on a schedule, and that thread. */
function alone(schedule: string): { process: CeProcess; token: ShareToken; ce: CeThread; heap: number } {
  const { process, heap } = scene({ schedule, threads: 1, program })
  const token = process.share()
  return { process, token, ce: attachThread(token), heap }
}

const over = (error: unknown): boolean => error instanceof ThreadTerminated

/** The string of a run in which the thread makes two grants, then two other calls, and is terminated before the third. */
function endedAtCall(): string {
  const { process, ce, heap } = alone('recorded')
  ce.HeapSize(heap, 0, 0)
  ce.HeapSize(heap, 0, 0)
  ce.SetLastError(5)
  ce.GetLastError()
  assert.is(process.terminateThread(ce.tid), true)
  assert.throws(() => ce.GetLastError(), over)
  assert.throws(() => ce.HeapSize(heap, 0, 0), over)
  ce.detach()
  return process.scheduleReport().text as string
}

ends('at a call: the very same one, though it enters nothing', () => {
  const { process, ce, heap } = alone(`replay:${endedAtCall()}`)
  ce.HeapSize(heap, 0, 0)
  ce.HeapSize(heap, 0, 0)
  ce.SetLastError(5)
  assert.is(process.terminateThread(ce.tid), true, 'whenever that is')
  assert.is(process.terminateThread(ce.tid), false)
  assert.is(ce.GetLastError(), 5)
  assert.throws(() => ce.GetLastError(), over)
  ce.detach()
  const { over: whole, diverged } = process.scheduleReport()
  assert.equal([whole, diverged], [true, undefined])
})

ends('at a call: a thread that enters something instead is told so', () => {
  const { process, ce, heap } = alone(`replay:${endedAtCall()}`)
  ce.HeapSize(heap, 0, 0)
  ce.HeapSize(heap, 0, 0)
  assert.throws(
    () => ce.HeapSize(heap, 0, 0),
    /it expected thread 2 ending by process\.terminateThread at its call 3 since, and found it entering the section of heap 1$/
  )
  assert.ok(process.scheduleReport().diverged !== undefined)
})

ends('at its first call, and before its first', () => {
  const { process, ce } = alone('recorded')
  process.terminateThread(ce.tid)
  assert.throws(() => ce.GetLastError(), over)
  ce.detach()
  const again = alone(`replay:${process.scheduleReport().text}`)
  assert.throws(() => again.ce.GetLastError(), over)
  again.ce.detach()
  assert.is(again.process.scheduleReport().diverged, undefined)
})

ends('asked for too late: the thread comes to its end in the replay too, though it is asked for there', () => {
  const { process, ce, heap } = alone('recorded')
  ce.HeapSize(heap, 0, 0)
  process.terminateThread(ce.tid)
  ce.detach()
  const again = alone(`replay:${process.scheduleReport().text}`)
  assert.is(again.process.terminateThread(again.ce.tid), true)
  again.ce.HeapSize(heap, 0, 0)
  again.ce.GetLastError()
  again.ce.detach()
  assert.is(again.process.scheduleReport().diverged, undefined)
})

ends('in a wait: the thread is let out of the same one, while the owner of the section stays in it', async () => {
  const recorded = scene({ schedule: 'recorded', threads: 2, program })
  const { machine } = recorded.process.thread
  // What the part `paused` does, so that it is inside before the other begins.
  const two = attachThread(recorded.process.share())
  two.EnterCriticalSection(recorded.sections[0])
  const [at = 0] = sectionRecords(machine)
  let asked = false
  const [ended] = await perform(recorded, ['count'], 3, {
    onTick: () => {
      // Thread 3 is parked on it.
      if (!asked && machine.sys[at] === (2 | WAITERS)) asked = recorded.process.terminateThread(3)
    }
  })
  const error = 'ThreadTerminated: thread 3 was terminated'
  assert.is(ended?.error, error)
  const block = two.HeapAlloc(recorded.heap, 0, 100)
  two.detach()
  const { text } = recorded.process.scheduleReport()
  const { events } = readSchedule(text ?? '', 2, program, machine.layout)
  assert.ok(events.some(([seat, deed]) => seat === 1 && deed === deedOf(at, STOPPED)))
  const replayed = scene({ schedule: `replay:${text}`, threads: 2, program })
  const again = await perform(replayed, ['paused', 'count'], 3, {
    onMark: () => void Atomics.store(replayed.process.thread.memory.bytes, replayed.shared + 32, 1)
  })
  assert.is(replayed.process.scheduleReport().diverged, undefined)
  assert.equal(
    again.map((played) => [played.error, played.value]),
    [
      [undefined, block],
      [error, undefined]
    ]
  )
})
ends.run()

const killed = suite('recorded: threads whose worker is killed')

/** The string of a run in which a thread makes two grants, and its worker ends without a word. */
function cutOff(): string {
  const { process, token, ce, heap } = alone('recorded')
  ce.HeapSize(heap, 0, 0)
  ce.HeapSize(heap, 0, 0)
  process.workerEnded(token)
  return process.scheduleReport().text as string
}

killed('the replay is the same where the worker ends there by itself', () => {
  const { process, token, ce, heap } = alone(`replay:${cutOff()}`)
  ce.HeapSize(heap, 0, 0)
  ce.HeapSize(heap, 0, 0)
  process.workerEnded(token)
  const { over: whole, diverged } = process.scheduleReport()
  assert.equal([whole, diverged], [true, undefined])
})

for (const [does, act, found] of [
  ['enters something', (ce: CeThread, heap: number) => ce.HeapSize(heap, 0, 0), 'it entering the section of heap 1'],
  ['detaches', (ce: CeThread) => ce.detach(), 'that it has detached']
] as const) {
  killed(`the replay says so where the thread goes on and ${does}: nobody kills a worker there`, () => {
    const { process, ce, heap } = alone(`replay:${cutOff()}`)
    ce.HeapSize(heap, 0, 0)
    ce.HeapSize(heap, 0, 0)
    try {
      act(ce, heap)
    } catch (error) {
      assert.is((error as Error).name, 'DivergenceError')
    }
    const { diverged } = process.scheduleReport()
    assert.is(
      diverged?.expected,
      'thread 2 ending without a word, as its worker did where it was terminated or crashed, which no replay repeats by itself'
    )
    assert.is(diverged?.found, found)
  })
}
killed.run()
