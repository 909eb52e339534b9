// Threads that go one at a time: no run hangs, whatever its threads do, and what is no schedule is refused.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, createProcess } from '../../src/index.ts'
import { perform, runOf, scene } from './scene.ts'

const bad = suite('schedule: never a hang')

bad('a thread that never attaches is waited for until lockTimeout, and named', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 2, lockTimeout: 400 })
  const [one] = await perform(made, ['churn'], 3)
  assert.is(
    one?.error,
    'TurnTimeoutError: waited 400 ms for the run to begin: thread 3 has not been attached (token 2 of 2) (lockTimeout sets this bound)'
  )
})

bad('a thread that attaches and makes no call is named too; one that detaches without a call is not waited for', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 2, lockTimeout: 400 })
  // In this JavaScript thread, which does nothing with it.
  attachThread(made.process.share())
  const [one] = await perform(made, ['churn'], 3)
  assert.is(
    one?.error,
    'TurnTimeoutError: waited 400 ms for the run to begin: thread 2 has been attached and has made no call (lockTimeout sets this bound)'
  )
  const { errors, report } = await runOf({ schedule: 'seeded:1' }, ['churn', 'nothing'], 3)
  assert.equal(errors, [undefined, undefined])
  assert.is(report.over, true)
})

bad('a thread that throws, or ends its worker, or is ended from outside gives up the turn', async () => {
  for (const part of ['fails', 'vanish'] as const) {
    const { errors, report } = await runOf({ schedule: 'seeded:1' }, [part, 'churn', part, 'churn'], 3)
    assert.equal([errors[1], errors[3]], [undefined, undefined], part)
    assert.is(report.over, true)
  }
  const made = scene({ schedule: 'seeded:1', threads: 3 })
  // It runs on for ever inside of a critical section that the others want.
  const played = await perform(made, ['busy', 'count', 'count'], 3, { onMark: (worker) => void worker.terminate() })
  assert.equal(
    played.slice(1).map(({ error }) => error),
    [undefined, undefined]
  )
  assert.is(made.process.thread.memory.readU32(made.shared), 6)
  made.process.check()
})

bad('a thread that keeps the turn without a call: the others are told who, and since which step', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 3, lockTimeout: 4000 })
  let ended = 0
  const played = await perform(made, ['churn', 'busy', 'churn'], 300, {
    onMark: (worker) => setTimeout(() => void worker.terminate().then(() => ended++), 8000)
  })
  assert.is(ended, 1)
  for (const at of [0, 2]) {
    assert.match(
      played[at]?.error ?? '',
      /^TurnTimeoutError: waited 4000 ms for the turn, which thread 3 has had since step \d+ without another call \(lockTimeout sets this bound\)/
    )
  }
})

bad('threads that wait for each other are all told who waits for what', async () => {
  let locked = 0
  for (let seed = 1; seed <= 4; seed++) {
    const { errors, report } = await runOf({ schedule: `seeded:${seed}` }, ['nest', 'nest'], 6)
    if (report.deadlock === undefined) continue
    locked++
    for (const error of errors)
      assert.match(
        error ?? '',
        /^DeadlockError: deadlock at step \d+: thread 2 waits for critical section 1, held by thread 3; thread 3 waits for critical section 0, held by thread 2$/
      )
    assert.is(`DeadlockError: ${report.deadlock.message}`, errors[0])
  }
  assert.ok(locked > 0)
})

bad('a process that is closed in the middle of a run ends it', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 3 })
  let closed = false
  const played = await perform(made, ['busy', 'count', 'churn'], 500, {
    closed: () => closed,
    onMark: (worker) => {
      closed = true
      made.process.close()
      void worker.terminate()
    }
  })
  for (const { error } of played.slice(1)) assert.match(error ?? '', /^TypeError: \w+: expected an open process/)
})

bad('the creating thread may call before and after a run, and is refused in between', async () => {
  const made = scene({ schedule: 'seeded:1', threads: 2 })
  const ce = made.process.thread
  let refused = 0
  await perform(made, ['busy', 'churn'], 5, {
    onMark: (worker) => {
      assert.throws(() => ce.HeapAlloc(made.heap, 0, 1), /expected no call of the creating thread while the threads of a schedule run/)
      assert.throws(() => made.process.check(), TypeError)
      made.process.drainFindings()
      refused++
      void worker.terminate()
    }
  })
  assert.is(refused, 1)
  assert.is.not(ce.HeapAlloc(made.heap, 0, 1), 0)
})
bad.run()

const misuse = suite('schedule: options and tokens')

misuse('each token is for one thread, and there are as many as threads', () => {
  const process = createProcess({ schedule: 'seeded:1', threads: 1 })
  const token = process.share()
  assert.throws(() => process.share(), /^share: expected at most 1 tokens, which is the option threads of createProcess, got one more/)
  attachThread(token)
  assert.throws(() => attachThread(token), /^attachThread: expected a token that no thread has used yet, got the one of thread 2/)
})

misuse('one thread alone needs nobody to hand the turn to', () => {
  const process = createProcess({ schedule: 'pct:1:2', threads: 1 })
  const ce = attachThread(process.share())
  const p = ce.HeapAlloc(ce.GetProcessHeap(), 0, 100)
  assert.is(ce.HeapFree(ce.GetProcessHeap(), 0, p), 1)
  ce.detach()
  const { over, choices, preemptions } = process.scheduleReport()
  assert.equal([over, choices, preemptions], [true, 0, 0])
})

misuse('what is no schedule is refused, with what would be one', () => {
  for (const schedule of [
    'seeded',
    'seeded:',
    'seeded:4294967296',
    'seeded:-1',
    'pct:1',
    'pct:1:0',
    'pct:1:2:0',
    'Free',
    'guided:zzz',
    '',
    7,
    null
  ]) {
    assert.throws(
      () => createProcess({ schedule: schedule as string, threads: 2 }),
      /schedule: expected one of free, seeded:N, pct:N:d/,
      String(schedule)
    )
  }
  for (const threads of [undefined, 0, 1024, 1.5, '2']) {
    assert.throws(
      () => createProcess({ schedule: 'seeded:1', threads: threads as number }),
      /threads: expected a whole number from 1 to 1023/
    )
  }
  assert.throws(() => createProcess({ threads: 2 }), /threads: expected a schedule other than free/)
  assert.throws(() => createProcess({ program: 5 as unknown as string }), /program: expected a string/)
  assert.throws(() => createProcess().scheduleReport(), /scheduleReport: expected a process with a schedule/)
  assert.throws(
    () => createProcess({ schedule: 'seeded:1', threads: 1 }).drainGrants(),
    /drainGrants: expected a process with the schedule recorded/
  )
})
misuse.run()
