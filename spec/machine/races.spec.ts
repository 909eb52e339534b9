// One moment between two threads, staged: a second thread of the same JavaScript thread acts exactly when the first enters or leaves a section.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recordOf } from '../../src/heap/record.ts'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  type Finding,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave } from '../../src/machine/section.ts'

const MB = 1024 * 1024

interface Pair {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
  readonly heap: number
  readonly findings: Finding[]
}

/** A process that waits 40 ms at most, its creating thread, and another one of the same JavaScript thread. */
function pair(): Pair {
  const process = createProcess({ memory: MB, lockTimeout: 40 })
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  return { process, one: process.thread, two: attachThread(process.share()), heap: process.thread.GetProcessHeap(), findings }
}

/** Runs `act` once, the next time that `ce` is about to enter (`take`) or has just left (`give`) the section at word `section`. */
function stage({ machine }: CeThread, step: 'take' | 'give', section: number, act: () => void): void {
  const real = machine[step]
  const staged = (address: number, tid: number): number => {
    if (address !== section << 2) return real(address, tid)
    Object.defineProperty(machine, step, { value: real })
    if (step === 'take') act()
    const seen = real(address, tid)
    if (step === 'give') act()
    return seen
  }
  Object.defineProperty(machine, step, { value: staged, configurable: true, writable: true })
}

function timesOut(call: () => unknown): void {
  assert.throws(call, (error: unknown) => error instanceof LockTimeoutError)
}

const findings = suite('findings of another thread')

findings('C-5, W-16: numbers from 2^31 on are told as the thread gave them', () => {
  const { process, one, two, findings } = pair()
  const fixed = one.HeapCreate(0, 0, 0x10000)
  for (const ce of [one, two]) {
    ce.HeapAlloc(fixed, 0, 0xffffffff)
    ce.HeapAlloc(fixed, 0x80000000, 1)
    ce.HeapFree(fixed, 0, 0xf0000001)
  }
  process.drainFindings()
  const told = (ce: CeThread): string[] => findings.filter(({ thread }) => thread === ce.tid).map(({ message }) => message)
  assert.is(told(one).length, 3)
  assert.match(told(one)[0] as string, 'HeapAlloc: 4294967295 bytes asked')
  assert.equal(told(two), told(one))
})
findings.run()

const looking = suite('snapshot, check and imageHash')

looking('wait for a heap that is being made', () => {
  const { process, one, two } = pair()
  const seen: number[] = []
  const heap = two.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      seen.push(action)
      for (const look of [() => process.snapshot(), () => process.check(), () => process.imageHash()]) timesOut(look)
      return two.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    () => 1
  )
  assert.is(seen.length, 2)
  process.check()
  assert.is(one.HeapSize(heap, 0, two.HeapAlloc(heap, 0, 10)), 32)
})

looking('hold the heaps that come to life while they wait for the others', () => {
  const { process, one, two } = pair()
  for (const look of [() => process.snapshot(), () => process.check(), () => process.imageHash()]) {
    let made = 0
    let entered = 0
    stage(one, 'take', HDR.LOCK, () => {
      made = two.HeapCreate(0, 0, 0)
      stage(one, 'take', recordOf(one.machine, made), () => entered++)
    })
    look()
    assert.is(entered, 1)
  }
})

looking('let the page callbacks of one heap use the heaps that are older', () => {
  const { process, one, two } = pair()
  const late = recordOf(one.machine, one.HeapCreate(0, 0, 0))
  enter(two.machine, late, two.tid)
  let got = 0
  stage(one, 'take', late, () => {
    got = two.LocalAlloc(0, 10)
    leave(two.machine, late)
  })
  assert.is(process.snapshot().heaps[0]?.index, 0, 'in the order of their records')
  assert.is.not(got, 0)
})
looking.run()

const calls = suite('calls of two threads at one moment')

calls('C-5: a pointer that was freed twice is told as freed, even if its address is in use again by then', () => {
  const { process, one, two, heap, findings } = pair()
  for (const free of [(p: number) => two.HeapFree(heap, 0, p), (p: number) => two.LocalFree(p)]) {
    const p = one.HeapAlloc(heap, 0, 100)
    one.HeapFree(heap, 0, p)
    let again = 0
    stage(two, 'give', recordOf(two.machine, heap), () => {
      again = one.HeapAlloc(heap, 0, 100)
    })
    free(p)
    assert.is(again, p)
    process.drainFindings()
    assert.match(findings.pop()?.message ?? '', /was freed before$/)
    one.HeapFree(heap, 0, p)
  }
})

calls('VF-1: pages that are reserved and committed at once cannot be freed in between', () => {
  const { process, one, two } = pair()
  const stale = one.VirtualAlloc(0, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  one.VirtualFree(stale, 0, MEM_RELEASE)
  stage(two, 'give', HDR.LOCK, () => one.VirtualFree(stale, 0, MEM_RELEASE))
  assert.is(two.VirtualAlloc(0, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), stale)
  process.check()
})

calls('HeapFree of a big block and HeapDestroy that wait in vain for the process section change nothing', () => {
  const { process, one, two } = pair()
  const heap = two.HeapCreate(0, 0, 0)
  const p = two.HeapAlloc(heap, 0, 10)
  const big = two.HeapAlloc(heap, 0, 0x20000)
  const image = process.imageHash()
  for (const wait of [() => two.HeapFree(heap, 0, big), () => two.HeapDestroy(heap)]) {
    enter(one.machine, HDR.LOCK, one.tid)
    timesOut(wait)
    leave(one.machine, HDR.LOCK)
    process.check()
    assert.is(process.imageHash(), image)
  }
  assert.is(one.HeapSize(heap, 0, p), 32)
  assert.is(two.HeapDestroy(heap), 1)
  process.check()
})
calls.run()

const closing = suite('close')

closing('ends every heap, even if a section never comes free, and waits for none a second time', () => {
  const { process, one, two, heap } = pair()
  const late = one.HeapCreate(0, 0, 0)
  enter(two.machine, recordOf(two.machine, heap), two.tid)
  timesOut(() => process.close())
  process.close()
  leave(two.machine, recordOf(two.machine, heap))
  for (const handle of [heap, late]) assert.throws(() => two.HeapAlloc(handle, 0, 10), /closed/)
})
closing.run()
