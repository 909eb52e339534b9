// Critical sections of the emulated system: recursive, exact among real threads, and never a wait without an end (HA-9, FL-1).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recordOf } from '../../src/heap/record.ts'
import { attachThread, type CeProcess, type CeThread, createProcess, HEAP_NO_SERIALIZE, LockTimeoutError } from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { lockWordOf, plainLockWord } from '../../src/machine/lockword.ts'
import { enter, leave, NAP } from '../../src/machine/section.ts'
import { canPark, park, spin } from '../../src/machine/wait.ts'
import { work } from './crew.ts'

const MB = 1024 * 1024

/** A process that waits 40 ms at most, its creating thread, and another one of the same JavaScript thread. */
function pair(): { process: CeProcess; one: CeThread; two: CeThread; heap: number } {
  const process = createProcess({ memory: MB, lockTimeout: 40 })
  return { process, one: process.thread, two: attachThread(process.share()), heap: process.thread.GetProcessHeap() }
}

function timesOut(call: () => unknown, owner: number): void {
  assert.throws(call, (error: unknown) => {
    assert.instance(error, LockTimeoutError)
    const { owner: who, waited, message } = error as LockTimeoutError
    assert.is(who, owner)
    assert.is(waited, 40)
    assert.is(
      message,
      `waited 40 ms for a critical section that thread ${owner} has held all that time; it may have ended inside a call (lockTimeout sets this bound)`
    )
    return true
  })
}

const section = suite('sections')

section('a thread enters as often as it likes and is out when it has left as often', () => {
  const { one, two } = pair()
  const at = HDR.RING_LOCK
  for (let n = 0; n < 5; n++) enter(one.machine, at, one.tid)
  for (let n = 0; n < 5; n++) {
    timesOut(() => enter(two.machine, at, two.tid), one.tid)
    leave(one.machine, at)
  }
  enter(two.machine, at, two.tid)
  timesOut(() => enter(one.machine, at, one.tid), two.tid)
  leave(two.machine, at)
  assert.is(one.machine.sys[at], 0)
  assert.is(one.machine.sys[at + 1], 0)
})

section('who waited in vain holds nothing and takes nothing from the owner', () => {
  const { one, two } = pair()
  const at = HDR.RING_LOCK
  enter(one.machine, at, one.tid)
  for (let n = 0; n < 3; n++) timesOut(() => enter(two.machine, at, two.tid), one.tid)
  leave(one.machine, at)
  enter(one.machine, at, one.tid)
  leave(one.machine, at)
  assert.is(one.machine.sys[at], 0)
})

section('only one stay of the owner ends a wait: the bound begins anew when it has left, though it is in again by the same call', () => {
  const process = createProcess({ memory: MB, lockTimeout: 2 * NAP })
  const [one, two] = [process.thread, attachThread(process.share())]
  const at = HDR.RING_LOCK
  enter(one.machine, at, one.tid)
  assert.ok(canPark())
  const { wait } = Atomics
  const answers = ['timed-out', 'ok', 'timed-out', 'ok', 'timed-out', 'ok']
  const next = (): string => {
    const answer = answers.shift()
    if (answer === undefined) leave(one.machine, at)
    return answer ?? 'ok'
  }
  Object.defineProperty(Atomics, 'wait', { value: next, configurable: true, writable: true })
  try {
    enter(two.machine, at, two.tid)
  } finally {
    Object.defineProperty(Atomics, 'wait', { value: wait, configurable: true, writable: true })
  }
  leave(two.machine, at)
})

section('the two words of a lock are worked alike through wasm and without', () => {
  for (const make of ['wasm', 'plain']) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const words = new Int32Array(memory.buffer)
    const { take, give } = make === 'wasm' ? lockWordOf(memory) : plainLockWord(words)
    assert.is(take(40, 7), 0)
    assert.is(words[10], 7)
    assert.is(take(40, 8), 7)
    assert.is(words[10], 7)
    words[10] = -0x80000000 | 9
    assert.is(take(40, 8), -0x80000000 | 9)
    assert.is(give(40), -0x80000000 | 9)
    assert.is(words[10], 0)
    assert.is(give(40), 0)
    assert.ok(words.every((word) => word === 0))
  }
})

section('a wait ends at once when the word has another value, and by its bound when it keeps it', () => {
  assert.is(canPark(), true)
  const cells = new Int32Array(new SharedArrayBuffer(8))
  cells[0] = 5
  assert.is(park(cells, 0, 4, 10_000), true)
  assert.is(park(cells, 0, 5, 5), false)
  assert.is(spin(cells, 0, 4), true)
  assert.is(spin(cells, 0, 5, 10), false)
})

section('four workers add to a plain counter under one section, and none is lost', async () => {
  const process = createProcess({ memory: MB })
  const ce = process.thread
  const shared = ce.HeapAlloc(ce.GetProcessHeap(), 8, 4)
  const done = await Promise.all([1, 2, 3, 4].map(() => work(process, { job: 'count', rounds: 50_000, shared, section: HDR.RING_LOCK })))
  for (const { error } of done) assert.is(error, undefined)
  assert.is(ce.memory.readU32(shared), 200_000)
  assert.is(ce.machine.sys[HDR.RING_LOCK], 0)
})

section('a waiter goes on as soon as the owner leaves, whatever the bound; with a bound of 0 it waits for ever', async () => {
  for (const lockTimeout of [0, 20_000]) {
    const process = createProcess({ memory: MB, lockTimeout })
    const ce = process.thread
    const heap = ce.GetProcessHeap()
    const shared = ce.HeapAlloc(heap, 8, 8)
    const holding = work(process, { job: 'hold', rounds: 150, shared, section: recordOf(ce.machine, heap) })
    const flags = new Int32Array(ce.memory.bytes.buffer, shared, 2)
    while (Atomics.load(flags, 0) === 0) await new Promise((go) => setTimeout(go, 1))
    assert.is.not(ce.HeapAlloc(heap, 0, 1), 0)
    assert.is(Atomics.load(flags, 1), 1, 'not before the owner was about to leave')
    assert.is((await holding).error, undefined)
  }
})
section.run()

const heaps = suite('sections of heaps')

/** Every call that a heap's section guards, as the second thread makes it. */
const guarded: readonly [string, (ce: CeThread, heap: number, flags: number, p: number) => unknown][] = [
  ['HeapAlloc', (ce, heap, flags) => ce.HeapAlloc(heap, flags, 10)],
  ['HeapReAlloc', (ce, heap, flags, p) => ce.HeapReAlloc(heap, flags, p, 10)],
  ['HeapFree', (ce, heap, flags, p) => ce.HeapFree(heap, flags, p)],
  ['HeapSize', (ce, heap, flags, p) => ce.HeapSize(heap, flags, p)],
  ['HeapValidate', (ce, heap, flags, p) => ce.HeapValidate(heap, flags, p)],
  ['HeapCompact', (ce, heap, flags) => ce.HeapCompact(heap, flags)],
  ['HeapDestroy', (ce, heap) => ce.HeapDestroy(heap)]
]

for (const [name, call] of guarded) {
  heaps(`HA-9, FL-1: ${name} waits for who is inside the heap, HEAP_NO_SERIALIZE or not, and another heap is free`, () => {
    const { process, one, two } = pair()
    const [heap, other] = [one.HeapCreate(HEAP_NO_SERIALIZE, 0, 0), one.HeapCreate(0, 0, 0)]
    const p = one.HeapAlloc(heap, 0, 10)
    const q = one.HeapAlloc(other, 0, 10)
    const record = recordOf(one.machine, heap)
    enter(one.machine, record, one.tid)
    timesOut(() => call(two, heap, 0, p), one.tid)
    if (name !== 'HeapDestroy') timesOut(() => call(two, heap, HEAP_NO_SERIALIZE, p), one.tid)
    call(two, other, 0, q)
    assert.is(one.HeapSize(heap, 0, p), 32, 'the owner itself goes in once more')
    leave(one.machine, record)
    process.check()
    call(two, heap, 0, p)
    process.check()
  })
}

heaps('a snapshot that waits in vain leaves the sections that it has entered', () => {
  const { process, one, two } = pair()
  const created = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, created)
  enter(two.machine, record, two.tid)
  for (const look of [() => process.snapshot(), () => process.check(), () => process.imageHash()]) timesOut(look, two.tid)
  assert.is.not(two.HeapAlloc(one.GetProcessHeap(), 0, 1), 0, "the process heap's section, which came first, is free")
  leave(two.machine, record)
  process.check()
})

heaps('a call that waits in vain for the process section leaves its heap as it was, and out of its section', () => {
  const { process, one, two } = pair()
  const heap = one.HeapCreate(0, 0, 0)
  const p = one.HeapAlloc(heap, 0, 100)
  one.HeapAlloc(heap, 0, 3000)
  const local = one.LocalAlloc(0, 100)
  const big = one.HeapAlloc(heap, 0, 200_000)
  const image = process.imageHash()
  enter(two.machine, HDR.LOCK, two.tid)
  for (const call of [
    () => one.HeapAlloc(heap, 0, 9000),
    () => one.HeapAlloc(heap, 0, 300_000),
    () => one.HeapReAlloc(heap, 0, p, 9000),
    () => one.HeapReAlloc(heap, 0, big, 300_000),
    () => one.LocalReAlloc(local, 9000, 2),
    () => one.HeapCreate(0, 0, 0),
    () => one.VirtualAlloc(0, 1, 0x2000, 4)
  ]) {
    timesOut(call, two.tid)
    for (const each of [heap, one.GetProcessHeap()]) assert.is(one.machine.sys[recordOf(one.machine, each)], 0)
  }
  assert.is(two.HeapSize(heap, 0, p), 128)
  leave(two.machine, HDR.LOCK)
  process.check()
  assert.is(process.imageHash(), image)
})

heaps('a thread that waits in vain for the process section when it joins takes no slot', () => {
  const { process, one } = pair()
  enter(one.machine, HDR.LOCK, one.tid)
  const third = attachThread(process.share())
  leave(one.machine, HDR.LOCK)
  assert.is(process.snapshot().threads.length, 3)
  third.detach()
  assert.is(process.snapshot().threads.length, 2)
})
heaps.run()
