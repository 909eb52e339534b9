// Critical sections among real worker threads: exact, whoever waits goes on, whoever dies holds nobody up.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CeProcess, type CeThread, CRITICAL_SECTION, createProcess, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { entered } from '../../src/coredll/critical.ts'
import { enter } from '../../src/machine/section.ts'
import { SEC, sectionRecords } from '../../src/machine/sectiontable.ts'
import { type Hand, start, waitedFor } from './criticalcrew.ts'

function open(): { process: CeProcess; ce: CeThread; section: number; counter: number } {
  const process = createProcess({ memory: 1024 * 1024 })
  const ce = process.thread
  const section = ce.HeapAlloc(ce.GetProcessHeap(), HEAP_ZERO_MEMORY, 32)
  ce.InitializeCriticalSection(section)
  return { process, ce, section, counter: section + 24 }
}

const threads = suite('critical sections and threads')

threads(
  'CS-1, CS-2, CS-7: four workers add to a plain counter inside one section and none is lost; in which order they came nobody promises',
  async () => {
    const { process, ce, section, counter } = open()
    const hands = [1, 2, 3, 4].map(() => start(process, { task: 'count', section, counter, rounds: 20_000 }))
    for (const { next, worker } of hands) {
      const news = await next()
      assert.is(news.step, 'done')
      if (news.step === 'done') assert.equal(news.rules, [])
      await worker.terminate()
    }
    assert.is(ce.memory.readU32(counter), 80_000)
    const { LockCount, OwnerThread, dwContentions } = CRITICAL_SECTION.read(ce.memory, section)
    assert.equal({ LockCount, OwnerThread }, { LockCount: 0, OwnerThread: 0 })
    assert.is(process.snapshot().sections[0]?.contentions, dwContentions)
    process.check()
  }
)

threads('who waits is counted once it is in, and goes in as soon as the owner leaves', async () => {
  const { process, ce, section, counter } = open()
  ce.EnterCriticalSection(section)
  const { next } = start(process, { task: 'enter', section, counter, rounds: 0 })
  await waitedFor(ce)
  assert.is(CRITICAL_SECTION.get(ce.memory, section, 'dwContentions'), 0)
  ce.LeaveCriticalSection(section)
  assert.equal(await next(), { step: 'inside' })
  assert.equal(await next(), { step: 'done', rules: [], tried: 0 })
  assert.is(CRITICAL_SECTION.get(ce.memory, section, 'dwContentions'), 1)
})

threads('C-76: all who wait while their section is deleted return without being inside, and say so', async () => {
  const { process, ce, section, counter } = open()
  ce.EnterCriticalSection(section)
  const hands = [1, 2, 3].map(() => start(process, { task: 'enter', section, counter, rounds: 0 }))
  // All three have joined and can be nowhere but in Enter or just before it.
  while (process.snapshot().threads.length < 4) await new Promise((go) => setTimeout(go, 1))
  await waitedFor(ce)
  ce.DeleteCriticalSection(section)
  for (const { next } of hands) assert.equal(await next(), { step: 'done', rules: ['C-76'], tried: 0 })
  process.check()
})

threads('who waits when the process is closed finds it closed', async () => {
  const { process, ce, section, counter } = open()
  ce.EnterCriticalSection(section)
  const { next } = start(process, { task: 'enter', section, counter, rounds: 0 })
  await waitedFor(ce)
  process.close()
  assert.equal(await next(), {
    step: 'threw',
    name: 'TypeError',
    message: 'EnterCriticalSection: expected an open process, got one that was closed with process.close()'
  })
})

threads(
  'CS-6, C-84: the section of a worker that was terminated inside goes to who waits, and tells of nobody when nobody waits',
  async () => {
    for (const waits of [true, false]) {
      const { process, ce, section, counter } = open()
      const findings: string[] = []
      process.onFinding(({ rule, thread, message }) => findings.push(`${rule} ${thread} ${message}`))
      const owner = start(process, { task: 'hold', section, counter, rounds: 0 })
      assert.equal(await owner.next(), { step: 'inside' })
      const waiter = waits ? start(process, { task: 'enter', section, counter, rounds: 0 }) : undefined
      if (waits) await waitedFor(ce)
      await owner.worker.terminate()
      assert.is(ce.TryEnterCriticalSection(section), 0, 'its death is not known yet')
      assert.equal(process.workerEnded(owner.token), [2])
      if (waiter !== undefined) {
        assert.equal(await waiter.next(), { step: 'inside' })
        assert.is((await waiter.next()).step, 'done')
      }
      const { LockCount, OwnerThread } = CRITICAL_SECTION.read(ce.memory, section)
      assert.equal({ LockCount, OwnerThread }, { LockCount: 0, OwnerThread: 0 })
      assert.is(ce.TryEnterCriticalSection(section), 1)
      ce.LeaveCriticalSection(section)
      process.check()
      const where = `0x${section.toString(16).toUpperCase().padStart(8, '0')}`
      assert.equal(findings, [
        `CS-6 2 EnterCriticalSection: the thread ended inside the critical section ${where}, which is free now (C-84)`
      ])
    }
  }
)

threads('a worker that is terminated while it waits takes no wake-up from the others', async () => {
  const { process, ce, section, counter } = open()
  ce.EnterCriticalSection(section)
  const [first, second] = [1, 2].map(() => start(process, { task: 'enter', section, counter, rounds: 0 })) as [Hand, Hand]
  while (process.snapshot().threads.length < 3) await new Promise((go) => setTimeout(go, 1))
  await waitedFor(ce)
  await first.worker.terminate()
  process.workerEnded(first.token)
  ce.LeaveCriticalSection(section)
  assert.equal(await second.next(), { step: 'inside' })
  assert.is((await second.next()).step, 'done')
  assert.is(ce.TryEnterCriticalSection(section), 1)
})

threads('C-76: who is about to enter a section enters no other one that has got its record meanwhile', () => {
  const { ce, section } = open()
  ce.DeleteCriticalSection(section)
  const p = ce.HeapAlloc(ce.GetProcessHeap(), HEAP_ZERO_MEMORY, 32)
  ce.InitializeCriticalSection(p)
  const [at = 0] = sectionRecords(ce.machine)
  // It has found the record by the old structure, and reads the handle only now.
  const handle = ce.machine.sys[at + SEC.HANDLE] as number
  enter(ce.machine, at, ce.tid)
  assert.is(entered(ce, 'EnterCriticalSection', section, at, handle, false), false)
  assert.is(ce.machine.sys[at], 0)
})
threads.run()
