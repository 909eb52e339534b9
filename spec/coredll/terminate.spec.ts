// process.terminateThread: the emulated TerminateThread (C-93).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess, type Finding, ThreadTerminated } from '../../src/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { ORPHAN } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { work } from '../machine/crew.ts'
import { underScissors } from './scissors.ts'

const MB = 1024 * 1024

function scene() {
  const process = createProcess({ memory: MB, lockTimeout: 2000 })
  const token = process.share()
  const two = attachThread(token)
  return { process, one: process.thread, two, token, heap: process.thread.HeapCreate(0, 0, 0) }
}

function isOver(call: () => unknown, thread: number): void {
  assert.throws(
    call,
    (error: unknown) => error instanceof ThreadTerminated && error.thread === thread && /was terminated$/.test(error.message)
  )
}

const calls: readonly [string, (ce: CeThread, heap: number, p: number) => unknown][] = [
  ['HeapAlloc', (ce, heap) => ce.HeapAlloc(heap, 0, 10)],
  ['HeapFree', (ce, heap, p) => ce.HeapFree(heap, 0, p)],
  ['HeapReAlloc', (ce, heap, p) => ce.HeapReAlloc(heap, 0, p, 500)],
  ['HeapSize', (ce, heap, p) => ce.HeapSize(heap, 0, p)],
  ['HeapCreate', (ce) => ce.HeapCreate(0, 0, 0)],
  ['HeapDestroy', (ce, heap) => ce.HeapDestroy(heap)],
  ['LocalAlloc', (ce) => ce.LocalAlloc(0, 10)],
  ['LocalSize', (ce) => ce.LocalSize(0x10000)],
  ['VirtualAlloc', (ce) => ce.VirtualAlloc(0, 1, 0x2000, 4)],
  ['GetLastError', (ce) => ce.GetLastError()]
]

const terminated = suite('terminateThread')

for (const [name, call] of calls) {
  terminated(`C-93: the thread ends at its next call, a ${name}, and makes none afterwards; its blocks stay`, () => {
    const { process, one, two, heap } = scene()
    const p = two.HeapAlloc(heap, 0, 100)
    const before = process.snapshot().heaps
    assert.is(process.terminateThread(two.tid), true)
    isOver(() => call(two, heap, p), two.tid)
    for (const [, other] of calls) isOver(() => other(two, heap, p), two.tid)
    assert.equal(process.snapshot().heaps, before)
    assert.is(one.HeapFree(heap, 0, p), 1)
    process.check()
  })
}

terminated('CS-6, C-93: what it owned is free, with a finding', () => {
  const { process, one, two, heap } = scene()
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const section = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(section)
  two.EnterCriticalSection(section)
  two.EnterCriticalSection(section)
  process.terminateThread(two.tid)
  assert.is(one.TryEnterCriticalSection(section), 0, 'it has not noticed yet')
  isOver(() => two.GetLastError(), two.tid)
  assert.is(one.TryEnterCriticalSection(section), 1)
  process.drainFindings()
  assert.equal(
    findings.map(({ rule, thread }) => [rule, thread]),
    [['CS-6', two.tid]]
  )
})

terminated('C-93: other threads are hot again once it has noticed', () => {
  const { process, one, two, heap } = scene()
  const hot = one.machine.sys[recordOf(one.machine, heap) + 19]
  process.terminateThread(two.tid)
  const p = one.HeapAlloc(heap, 0, 64)
  assert.is.not(one.machine.sys[recordOf(one.machine, heap) + 19], hot)
  isOver(() => two.HeapAlloc(heap, 0, 64), two.tid)
  assert.is(one.machine.sys[HDR.DYING], 0)
  assert.is(one.HeapFree(heap, 0, one.HeapAlloc(heap, 0, 64)), 1)
  assert.is(one.machine.sys[recordOf(one.machine, heap) + 19], hot)
  assert.is(one.HeapFree(heap, 0, p), 1)
})

terminated('C-93: answers true once, and keeps the id until the worker has ended or detached', () => {
  const { process, two, token } = scene()
  assert.is(process.terminateThread(two.tid), true)
  assert.is(process.terminateThread(two.tid), false)
  isOver(() => two.GetLastError(), two.tid)
  assert.is(process.terminateThread(two.tid), false)
  const other = attachThread(process.share())
  assert.is.not(other.tid, two.tid)
  assert.equal(process.workerEnded(token), [], 'it had ended before')
  assert.is(attachThread(process.share()).tid, two.tid)
})

terminated('C-93: a worker that ends before it noticed is dead like any other, and nobody is dying any more', () => {
  const { process, one, two, token } = scene()
  process.terminateThread(two.tid)
  assert.equal(process.workerEnded(token), [two.tid])
  assert.is(one.machine.sys[HDR.DYING], 0)
  const { process: other, two: leaver } = scene()
  other.terminateThread(leaver.tid)
  leaver.detach()
  assert.is(other.thread.machine.sys[HDR.DYING], 0)
})

terminated('C-93: a worker at work ends, and its section is free', async () => {
  const process = createProcess({ memory: MB })
  const heap = process.thread.GetProcessHeap()
  const running = work(process, { job: 'untilClosed', heap })
  while (process.snapshot().threads.length < 2) await new Promise((go) => setTimeout(go, 1))
  await new Promise((go) => setTimeout(go, 20))
  assert.is(process.terminateThread(2), true)
  assert.match((await running).error ?? 'none', /^ThreadTerminated: thread 2 was terminated/)
  assert.is.not(process.thread.HeapAlloc(heap, 0, 10), 0)
  process.check()
})

terminated('C-93: a worker that waits for a section ends there', async () => {
  const process = createProcess({ memory: MB })
  const ce = process.thread
  const heap = ce.HeapCreate(0, 0, 0)
  const record = recordOf(ce.machine, heap)
  // Held by nobody who works, so that the worker waits.
  ce.machine.sys[record] = 1
  const running = work(process, { job: 'untilClosed', heap })
  while ((ce.machine.sys[record] as number) === 1) await new Promise((go) => setTimeout(go, 1))
  process.terminateThread(2)
  assert.match((await running).error ?? 'none', /^ThreadTerminated/)
  ce.machine.sys[record] = 0
  process.check()
})

terminated('C-93: a thread that stays inside of a heap, dead perhaps and nobody knows, keeps nobody from being terminated', () => {
  const { process, one, two, heap } = scene()
  const three = attachThread(process.share())
  const other = one.HeapCreate(0, 0, 0)
  const p = two.HeapAlloc(other, 0, 64)
  const record = recordOf(one.machine, heap)
  one.machine.sys[record] = three.tid
  assert.is(process.terminateThread(two.tid), true)
  isOver(() => two.HeapFree(other, 0, p), two.tid)
  // Also on the very heap that could not be entered.
  assert.is(process.terminateThread(three.tid), true)
  one.machine.sys[record] = 0
  isOver(() => three.HeapAlloc(heap, 0, 64), three.tid)
  // And calls are hot again afterwards.
  one.HeapFree(heap, 0, one.HeapAlloc(heap, 0, 64))
  assert.ok((one.machine.sys[record + REC.HOT] as number) > 0)
})

terminated(
  'C-93: it hears of it at its next call on a heap that is being made at whatever moment of that; nobody waits for who makes it',
  () => {
    let steps = Number.POSITIVE_INFINITY
    for (let k = 0; k < steps; k++) {
      const { process, two } = scene()
      const three = attachThread(process.share())
      const scissors = underScissors(two)
      const { step } = scissors
      scissors.step = () => {
        if (scissors.steps === k) assert.is(process.terminateThread(three.tid), true)
        step.call(scissors)
      }
      const heap = two.HeapCreate(0, 0, 0)
      steps = scissors.steps
      isOver(() => three.HeapAlloc(heap, 0, 10), three.tid)
      assert.is(two.HeapFree(heap, 0, two.HeapAlloc(heap, 0, 10)), 1)
      process.check()
    }
    assert.ok(steps > 20)
  }
)

terminated('C-93: a section that a dead thread left whose id it has does not keep it alive', () => {
  const { process, one, two, heap } = scene()
  const lp = one.LocalAlloc(0, 20)
  one.InitializeCriticalSection(lp)
  two.EnterCriticalSection(lp)
  // Nobody has entered that heap since.
  const record = recordOf(one.machine, heap)
  one.machine.sys[record] = two.tid | ORPHAN
  process.terminateThread(two.tid)
  isOver(() => two.GetLastError(), two.tid)
  assert.is(one.TryEnterCriticalSection(lp), 1)
  assert.is(one.machine.sys[HDR.DYING], 0)
  assert.is.not(one.HeapAlloc(heap, 0, 10), 0)
  process.check()
})

terminated('refuses what is no attached thread', () => {
  const { process } = scene()
  for (const wrong of [0, -1, 1.5, 1025, 2 ** 31, Number.NaN])
    assert.throws(
      () => process.terminateThread(wrong),
      (error: unknown) =>
        error instanceof RangeError && error.message.startsWith('terminateThread: id: expected a whole number from 1 to 1024')
    )
  for (const wrong of ['2', undefined, null]) assert.throws(() => process.terminateThread(wrong as unknown as number), TypeError)
  assert.throws(
    () => process.terminateThread(1),
    /^terminateThread: expected the id of an attached thread, got that of the creating thread/
  )
  assert.throws(() => process.terminateThread(3), /^terminateThread: expected the id of an attached thread, got 3, which no thread has/)
  process.close()
  assert.throws(() => process.terminateThread(2), /^terminateThread: expected an open process/)
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('the promise was to be rejected')
}

function sectionOf(ce: CeThread): { lp: number; at: number } {
  const lp = ce.HeapAlloc(ce.GetProcessHeap(), 0, 20)
  ce.InitializeCriticalSection(lp)
  const [at = 0] = sectionRecords(ce.machine)
  return { lp, at }
}

terminated('C-93: who waits by a promise hears of it at once, while the section is still held', async () => {
  const { process, one, two } = scene()
  const { lp } = sectionOf(one)
  one.EnterCriticalSection(lp)
  const waiting = rejection(two.EnterCriticalSectionAsync(lp))
  process.terminateThread(two.tid)
  assert.instance(await waiting, ThreadTerminated)
  assert.is(one.TryEnterCriticalSection(lp), 1, 'it is its owner still')
})

terminated('C-93: who ended by another call gets into nothing by a promise that was waiting', async () => {
  const { process, one, two } = scene()
  const { lp, at } = sectionOf(one)
  one.EnterCriticalSection(lp)
  const waiting = rejection(two.EnterCriticalSectionAsync(lp))
  process.terminateThread(two.tid)
  isOver(() => two.GetLastError(), two.tid)
  one.LeaveCriticalSection(lp)
  assert.instance(await waiting, ThreadTerminated)
  assert.is(one.machine.sys[at], 0)
})

terminated(
  'C-93: who is terminated in the moment of getting in leaves the section once, and not for whoever is in it by then',
  async () => {
    const { process, one, two } = scene()
    const three = attachThread(process.share())
    const { lp, at } = sectionOf(one)
    const { take, fall } = two.machine
    two.machine.take = (address, who) => {
      const seen = take(address, who)
      if (seen === 0 && address === at * 4) process.terminateThread(two.tid)
      return seen
    }
    two.machine.fall = () => {
      fall?.()
      assert.is(three.TryEnterCriticalSection(lp), 1)
    }
    assert.instance(await rejection(two.EnterCriticalSectionAsync(lp)), ThreadTerminated)
    assert.is(one.TryEnterCriticalSection(lp), 0, 'the third thread is inside')
    three.LeaveCriticalSection(lp)
    assert.is(one.TryEnterCriticalSection(lp), 1)
  }
)
terminated.run()
