// TerminateThread and dead owners in a run that goes one thread at a time: nobody waits for what cannot come, and every order stays one of points.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom, spyState } from '../../src/com/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { attachThread, type CeProcess, createProcess, type ShareToken, ThreadTerminated } from '../../src/index.ts'
import { GRANULE } from '../../src/machine/layout.ts'
import { DYING, FREE, THREAD, threadAt, threadState } from '../../src/machine/threads.ts'
import { BOARD, CLOSED, DEADLOCK, deedOf, FAILED, LATE, RUNNING, SEAT, seatAt, TAKE } from '../../src/machine/scheduleboard.ts'
import { decide } from '../../src/machine/scheduledecide.ts'
import { DIVERGES, FAILS } from '../../src/machine/schedulestrategy.ts'
import { ORPHAN, TID } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { Witness } from '../../src/mixed/spies.ts'
import type { PartName } from './schedule-worker.ts'
import { perform, scene } from './scene.ts'

const program = 'spec'

const terminated = suite('terminateThread in a run that goes one at a time')

/** Terminates thread 2 as soon as it has marked, and lets it go on. */
async function terminating(
  schedule: string,
  names: readonly PartName[]
): Promise<{ process: CeProcess; errors: unknown[]; counter: number }> {
  const made = scene({ schedule, threads: names.length, program })
  const { process, shared } = made
  const answers: boolean[] = []
  const played = await perform(made, names, 3, {
    onMark: () => {
      answers.push(process.terminateThread(2), process.terminateThread(2))
      // The word that it waits for.
      Atomics.store(process.thread.memory.bytes, shared + 32, 1)
    },
    ...(schedule === 'recorded' ? { onTick: () => void process.drainGrants() } : {})
  })
  assert.equal(answers, [true, false])
  process.check()
  return { process, errors: played.map(({ error }) => error), counter: process.thread.memory.readU32(shared) }
}

const names = ['paused', 'count', 'count'] as const

for (const schedule of ['seeded:1', 'seeded:2', 'pct:1:3', 'pct:2:2:20', 'guided:', 'guided:0,1,2', 'recorded']) {
  terminated(`${schedule}: it ends at its next call, and the others go on`, async () => {
    const { process, errors, counter } = await terminating(schedule, names)
    assert.equal(errors, ['ThreadTerminated: thread 2 was terminated', undefined, undefined])
    assert.is(counter, 6)
    const { over, diverged } = process.scheduleReport()
    assert.equal([over, diverged], [true, undefined])
  })
}

terminated('replays: that it is gone is told where its next grant was expected, or at the end where it had no choice', async () => {
  // The same run, but that nobody terminates it.
  const made = scene({ schedule: 'recorded', threads: 3, program })
  await perform(made, names, 3, { onMark: () => void Atomics.store(made.process.thread.memory.bytes, made.shared + 32, 1) })
  const { process, errors } = await terminating(`replay:${made.process.scheduleReport().text}`, names)
  assert.is(errors[0], 'ThreadTerminated: thread 2 was terminated')
  const { diverged } = process.scheduleReport()
  assert.match(diverged?.message ?? '', /at step \d+ it expected thread 2 .*, and found that it has ended$/)
  // Those that are left are told; the others have ended by themselves.
  for (const error of errors.slice(1)) assert.ok(error === undefined || error === `DivergenceError: ${diverged?.message}`, String(error))
  const seeded = scene({ schedule: 'seeded:1', threads: 3, program })
  await perform(seeded, names, 3, { onMark: () => void Atomics.store(seeded.process.thread.memory.bytes, seeded.shared + 32, 1) })
  const other = await terminating(`replay:${seeded.process.scheduleReport().text}`, names)
  assert.equal(other.errors, ['ThreadTerminated: thread 2 was terminated', undefined, undefined])
  assert.match(other.process.scheduleReport().diverged?.message ?? '', /it expected the end after \d+ steps, and found it after \d+$/)
})

terminated('whoever is inside of a heap while others have the turn is not waited for', () => {
  const { process, heap } = scene({ schedule: 'seeded:1', threads: 2, lockTimeout: 60 })
  const { machine } = process.thread
  const two = attachThread(process.share())
  const three = attachThread(process.share())
  // As if thread 3 had lost the turn inside of the heap.
  machine.sys[recordOf(machine, heap)] = three.tid
  assert.is(process.terminateThread(two.tid), true)
  assert.is(threadState(machine, two.tid), DYING)
})

terminated('a thread that waits for a section ends there, though its owner stays in it', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 2 })
  const { machine } = made.process.thread
  const [at = 0] = sectionRecords(machine)
  const board = new Int32Array(machine.schedule as SharedArrayBuffer)
  const waits = (): boolean => board[seatAt(1) + SEAT.DEED] === deedOf(at, TAKE) && ((machine.sys[at] as number) & TID) === 2
  let told = false
  let ticks = 0
  let ended = false
  const played = await perform(made, ['holds', 'count'], 3, {
    onTick: () => {
      if (!told && board[BOARD.PHASE] === RUNNING && waits()) told = made.process.terminateThread(3)
      if (!told || ended || ticks > 1000) return
      ended = threadState(machine, 3) !== DYING
      // The word that the owner waits for; in the end in any case.
      if (ended || ++ticks > 1000) Atomics.store(made.process.thread.memory.bytes, made.shared + 32, 1)
    }
  })
  assert.is(ended, true)
  assert.equal(
    played.map(({ error }) => error),
    [undefined, 'ThreadTerminated: thread 3 was terminated']
  )
  assert.is(made.process.scheduleReport().over, true)
  made.process.check()
})
terminated.run()

const orphans = suite('a section whose owner is dead, one thread at a time')

/** The deeds of a thread that enters a section and makes a heap call. */
function deeds(word: number): number[] {
  const { process, heap, sections } = scene({ schedule: 'guided:', threads: 1 })
  const ce = attachThread(process.share())
  const [at = 0] = sectionRecords(process.thread.machine)
  process.thread.machine.sys[at] = word
  ce.EnterCriticalSection(sections[0])
  ce.HeapSize(heap, 0, 0)
  ce.LeaveCriticalSection(sections[0])
  ce.detach()
  return (process.scheduleReport().trace?.steps ?? []).map(({ deed }) => deed)
}

orphans('is taken over at one point, and the next section has one of its own, as if it had been free', () => {
  const free = deeds(0)
  assert.is(free.length, 4)
  assert.equal(deeds(5 | ORPHAN), free)
})
orphans.run()

const failures = suite('a run that fails twice at once')

failures('the report is that of who was first: a divergence changes nothing of it', () => {
  const made = scene({ schedule: 'guided:1', threads: 2 })
  const { machine } = made.process.thread
  const board = new Int32Array(machine.schedule as SharedArrayBuffer)
  attachThread(made.process.share())
  // Thread 2 is at its first point, and the plan wants thread 3, which has ended.
  const [first, second] = [64, 80]
  board[first] = 2
  board[second] = 3
  board[BOARD.PHASE] = RUNNING
  const before = board.slice()
  before[BOARD.STEP] = 1
  before[BOARD.DONE] = 1
  // Another thread is writing down that it has waited too long.
  for (const failing of [board, before]) {
    failing[BOARD.FAILING] = 1
    failing[BOARD.FAILURE] = LATE
    failing[BOARD.FAILED_SEAT] = 0
    failing[BOARD.FAILED_B] = 0
  }
  assert.is(decide(board, machine.sys), FAILS)
  assert.equal([...board], [...before])
  // And where nobody was faster it is the divergence that is told.
  board[BOARD.FAILING] = 0
  board[BOARD.DONE] = 0
  assert.is(decide(board, machine.sys), DIVERGES)
  assert.is(board[BOARD.FAILING], 1)
  assert.is.not(board[BOARD.FAILURE], LATE)
})

failures('who was not first raises nothing before the other has written all of it down', () => {
  const made = scene({ schedule: 'guided:1', threads: 1, lockTimeout: 40 })
  const board = new Int32Array(made.process.thread.machine.schedule as SharedArrayBuffer)
  const ce = attachThread(made.process.share())
  board[BOARD.FAILING] = 1
  // The plan wants a thread that there is not.
  assert.throws(() => ce.HeapSize(made.heap, 0, 0), /thread 2 has no part in the schedule any more/)
  assert.is.not(board[BOARD.PHASE], FAILED)
  assert.is(board[BOARD.FAILURE], 0)
  board[BOARD.FAILURE] = CLOSED
  board[BOARD.PHASE] = FAILED
  assert.throws(() => ce.HeapSize(made.heap, 0, 0), /schedule: expected an open process/)
})
failures.run()

const burials = suite('a worker that ends while others have the turn')

/** The thread has made a block that nobody heard of, and is at the point after it has left the heap. */
function leavesBlock(made: ReturnType<typeof scene>, tid: number): void {
  const { machine } = made.process.thread
  const block = made.process.thread.HeapAlloc(made.heap, 0, 100)
  machine.sys[threadAt(machine, tid) + THREAD.HANDOUT] = block / GRANULE
}

for (const schedule of ['seeded:1', 'recorded'] as const) {
  burials(`${schedule}: what cannot be undone yet is undone by a later burial; no call of the creating thread's is refused for it`, () => {
    const made = scene({ schedule, threads: 3, lockTimeout: 400 })
    const { process, heap } = made
    const { machine } = process.thread
    const tokens = [1, 2, 3].map(() => process.share())
    const [two, three] = tokens.map((token) => attachThread(token))
    leavesBlock(made, 2)
    const board = new Int32Array(machine.schedule as SharedArrayBuffer)
    // Thread 3 has the turn, inside of the heap.
    board[BOARD.PHASE] = RUNNING
    for (let seat = 0; seat < 3; seat++) board[seatAt(seat) + SEAT.STATE] = 2
    board[BOARD.TURN] = 2
    machine.sys[recordOf(machine, heap)] = 3
    assert.equal(process.workerEnded(tokens[0] as ShareToken), [two?.tid])
    machine.sys[recordOf(machine, heap)] = 0
    assert.equal(process.workerEnded(tokens[1] as ShareToken), [three?.tid])
    assert.is(machine.sys[recordOf(machine, heap) + REC.LIVE_BYTES], 0)
    process.workerEnded(tokens[2] as ShareToken)
    process.check()
  })
}
burials.run()

const spies = suite('a terminated thread in which a spy lives')

for (const schedule of ['free', 'seeded:1', 'recorded'] as const) {
  spies(`${schedule}: detaches, and releases the spy`, () => {
    const process = createProcess({ schedule, ...(schedule === 'free' ? {} : { threads: 1 }) })
    const ce = attachThread(process.share())
    const spy = new Witness()
    openCom(ce).CoRegisterMallocSpy(spy)
    const before = spy.references
    process.terminateThread(ce.tid)
    assert.throws(
      () => ce.GetLastError(),
      (error: unknown) => error instanceof ThreadTerminated
    )
    ce.detach()
    assert.is(spy.references, before - 1)
    assert.is(spyState(process.thread), undefined)
    if (schedule !== 'free') assert.equal([process.scheduleReport().over, process.scheduleReport().diverged], [true, undefined])
    if (schedule === 'recorded') assert.type(process.scheduleReport().text, 'string')
    process.check()
  })
}

spies('in a schedule that has failed, or was closed, a thread that lives detaches all the same, and its spy is gone with it', () => {
  for (const closes of [false, true]) {
    const { process } = scene({ schedule: 'seeded:1', threads: 1 })
    const board = new Int32Array(process.thread.machine.schedule as SharedArrayBuffer)
    const ce = attachThread(process.share())
    const spy = new Witness()
    openCom(ce).CoRegisterMallocSpy(spy)
    const before = spy.references
    if (closes) process.close()
    else {
      board[BOARD.FAILING] = 1
      board[BOARD.FAILURE] = DEADLOCK
      board[BOARD.PHASE] = FAILED
    }
    ce.detach()
    assert.is(spy.references, before - 1)
    assert.is(threadState(process.thread.machine, ce.tid), FREE)
    if (closes) continue
    // Whoever enters its section next does the revoke.
    const left = spyState(process.thread)
    assert.equal([left?.thread, left?.pending], [0, true])
    assert.is(spyState(process.thread), undefined)
    process.check()
  }
})

spies('what it left undone when it ended is undone by the creating thread after it has detached', () => {
  for (const schedule of ['free', 'seeded:1', 'recorded'] as const) {
    const made = scene({ schedule, ...(schedule === 'free' ? {} : { threads: 1 }) })
    const { process, heap } = made
    const { machine } = process.thread
    const ce = attachThread(process.share())
    process.terminateThread(ce.tid)
    assert.throws(
      () => ce.GetLastError(),
      (error: unknown) => error instanceof ThreadTerminated
    )
    leavesBlock(made, ce.tid)
    ce.detach()
    process.check()
    assert.is(machine.sys[recordOf(machine, heap) + REC.LIVE_BYTES], 0, schedule)
    assert.is(threadState(machine, ce.tid), FREE)
  }
})
spies.run()
