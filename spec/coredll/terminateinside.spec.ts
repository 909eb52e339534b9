// A thread that process.terminateThread ends while it is inside of something, and one that goes on to make calls afterwards (C-93): what the others notice of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, LockTimeoutError, MEM_RESERVE, PAGE_READWRITE, ThreadTerminated } from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave } from '../../src/machine/section.ts'
import { canPark } from '../../src/machine/wait.ts'
import { cutOff, scene, waitingInVain } from './afterdeathscene.ts'

function isOver(call: () => unknown): void {
  assert.throws(call, (error: unknown) => error instanceof ThreadTerminated)
}

const inside = suite('a thread that is terminated')

inside('in the midst of a call that waits: it leaves the heap whole and by itself, so that no finding says that it died in there', () => {
  const { process, one, two, three, heap, record } = scene()
  const findings: string[] = []
  process.onFinding(({ rule }) => findings.push(rule))
  const big = two.HeapAlloc(heap, 0, 0x40000)
  enter(three.machine, HDR.LOCK, three.tid)
  // So that the first wait is not the try whether it may wait at all.
  assert.ok(canPark())
  const letsGo = (): void => {
    if (isOwn(one.machine.sys[HDR.LOCK] as number, three.tid)) leave(three.machine, HDR.LOCK)
  }
  waitingInVain(
    () => isOver(() => two.HeapFree(heap, 0, big)),
    // The news come in its first wait; were there another one, it would get in by that.
    (waits) => (waits === 1 ? process.terminateThread(two.tid) : letsGo())
  )
  letsGo()
  assert.is(one.machine.sys[record], 0)
  isOver(() => two.GetLastError())
  process.check()
  assert.equal(findings, [])
  assert.is(one.HeapFree(heap, 0, big), 1, 'the call has changed nothing')
})

inside('while it leaves the heap with what it came for: the call has its answer, and the next one ends the thread', () => {
  for (const call of ['HeapAlloc', 'HeapReAlloc', 'LocalAlloc', 'LocalReAlloc'] as const) {
    const { process, two } = scene()
    const { machine } = two
    const own = two.GetProcessHeap()
    const block = two.HeapAlloc(own, 0, 100)
    const calls = {
      HeapAlloc: () => two.HeapAlloc(own, 0, 50),
      HeapReAlloc: () => two.HeapReAlloc(own, 0, block, 90),
      LocalAlloc: () => two.LocalAlloc(0, 50),
      LocalReAlloc: () => two.LocalReAlloc(block, 90, 0)
    }
    const { give } = machine
    // The hot path leaves by itself.
    machine.goBy({ alloc: () => 0, free: () => 0 })
    machine.give = (address) => {
      const seen = give(address)
      if (address >>> 2 === recordOf(machine, own)) process.terminateThread(two.tid)
      return seen
    }
    assert.is.not(calls[call](), 0, call)
    isOver(() => two.GetLastError())
    process.check()
  }
})

inside('and goes on to make calls: they take nothing from the thread that has its place by then', () => {
  const { process, two, token, heap, record } = scene()
  process.terminateThread(two.tid)
  isOver(() => two.GetLastError())
  process.workerEnded(token)
  const heir = attachThread(process.share())
  assert.is(heir.tid, two.tid)
  for (const at of [record, HDR.LOCK]) enter(heir.machine, at, heir.tid)
  for (const call of [() => two.HeapAlloc(heap, 0, 5), () => two.HeapSize(heap, 0, 32), () => two.GetLastError()]) {
    isOver(call)
    for (const at of [record, HDR.LOCK]) assert.ok(isOwn(heir.machine.sys[at] as number, heir.tid))
  }
  for (const at of [HDR.LOCK, record]) leave(heir.machine, at)
  process.check()
})

inside('and waits in vain to tell of what a dead thread had left keeps nobody out of the process section; the next one tells', () => {
  const { process, one, two, three, token, heap } = scene()
  const findings: string[] = []
  process.onFinding(({ rule, thread }) => findings.push(`${rule} of ${thread}`))
  const other = process.share()
  const four = attachThread(other)
  const kept = one.HeapAlloc(heap, 0, 50)
  // Nobody can mend the heap as long as the third thread is in the process section.
  assert.ok(cutOff(four, 12, () => four.HeapAlloc(heap, 0, 100)))
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => assert.equal(process.workerEnded(other), [four.tid]))
  leave(three.machine, HDR.LOCK)
  process.terminateThread(two.tid)
  enter(three.machine, HDR.RING_LOCK, three.tid)
  waitingInVain(() =>
    assert.throws(
      () => two.GetLastError(),
      (error: unknown) => error instanceof LockTimeoutError && error.owner === three.tid
    )
  )
  assert.is.not(one.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE), 0)
  leave(three.machine, HDR.RING_LOCK)
  assert.is(one.HeapFree(heap, 0, kept), 1)
  process.workerEnded(token)
  process.check()
  assert.equal(findings, [`C-92 of ${four.tid}`])
})
inside.run()
