// What is left to do when a thread has ended, and cannot be done at once: by whom it is done, and that nobody waits for it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  LockTimeoutError,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK,
  type ShareToken,
  ThreadTerminated
} from '../../src/index.ts'
import { openCom } from '../../src/com/index.ts'
import { indexOf, recordOf, REC } from '../../src/heap/record.ts'
import { GRANULE, HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave, NAP } from '../../src/machine/section.ts'
import { DEAD, THREAD, threadAt, threadState } from '../../src/machine/threads.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { Cut, underScissors } from './scissors.ts'

function scene(lockTimeout = 1000) {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout })
  const token = process.share()
  const two = attachThread(token)
  const three = attachThread(process.share())
  const heap = process.thread.HeapCreate(0, 0, 0)
  return { process, one: process.thread, two, three, token, heap, record: recordOf(process.thread.machine, heap) }
}

/** Runs `act` while every wait ends in vain at once; returns how long it would have waited. */
function waitingInVain(act: () => void): number {
  const { wait } = Atomics
  let waited = 0
  const inVain = (_cells: Int32Array, _at: number, _value: number, ms: number): string => {
    waited += ms
    return 'timed-out'
  }
  Object.defineProperty(Atomics, 'wait', { value: inVain, configurable: true, writable: true })
  try {
    act()
  } finally {
    Object.defineProperty(Atomics, 'wait', { value: wait, configurable: true, writable: true })
  }
  return waited
}

function stepsOf(call: (ce: CeThread, heap: number) => unknown): number {
  const { two, heap } = scene()
  const scissors = underScissors(two)
  call(two, heap)
  return scissors.steps
}

/** The thread makes the call and is cut off before step `k`; false if it came to the end. */
function cutOff(ce: CeThread, k: number, call: () => unknown, once = false): boolean {
  const scissors = underScissors(ce)
  scissors.limit = k
  scissors.once = once
  try {
    call()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  return scissors.cut
}

const leaving = suite('a thread that detaches')

leaving('leaves the sections of the process that an error, which nobody could catch, had left it in', () => {
  const { process, one, two, heap, record } = scene(100)
  enter(two.machine, record, two.tid)
  enter(two.machine, HDR.LOCK, two.tid)
  enter(two.machine, HDR.RING_LOCK, two.tid)
  enter(two.machine, HDR.SPY_LOCK, two.tid)
  two.detach()
  assert.is.not(one.HeapAlloc(heap, 0, 10), 0)
  assert.is.not(one.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE), 0)
  for (const at of [HDR.LOCK, HDR.RING_LOCK, HDR.SPY_LOCK, record]) assert.is(one.machine.sys[at], 0)
  process.check()
})

leaving('does nothing to the thread that has its place by then', () => {
  const { process, two, heap, record } = scene(100)
  two.detach()
  const heir = attachThread(process.share())
  assert.is(heir.tid, two.tid)
  enter(heir.machine, record, heir.tid)
  assert.throws(() => two.HeapReAlloc(heap, 0, -1, 5), RangeError)
  assert.is(heir.machine.sys[record], heir.tid)
  leave(heir.machine, record)
  process.check()
})
leaving.run()

const waits = suite('who lets go after an error')

waits('waits no longer than a nap for a section: what is behind it is mended by the next one to enter', () => {
  for (const k of [3, 6, 9]) {
    const { process, one, two, three, heap } = scene(60_000)
    const kept = one.HeapAlloc(heap, 0, 50)
    enter(three.machine, HDR.LOCK, three.tid)
    const waited = waitingInVain(() => assert.ok(cutOff(two, k, () => two.HeapAlloc(heap, 0, 100), true)))
    assert.ok(waited <= 2 * NAP, `waited ${waited} ms`)
    leave(three.machine, HDR.LOCK)
    assert.is(one.HeapFree(heap, 0, kept), 1)
    assert.is(process.snapshot().heaps.find(({ handle }) => handle === heap)?.liveBytes, 0)
    process.check()
  }
})

waits('a heap that its maker gave up for want of the process section is ended by the next HeapCreate, which has its place', () => {
  const { process, one, three, heap } = scene(30)
  let asked = 0
  const make = (): number =>
    one.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => {
        const given = one.VirtualAlloc(address, size, action, PAGE_READWRITE)
        if (asked++ === 0) enter(three.machine, HDR.LOCK, three.tid)
        return given
      },
      () => 1
    )
  waitingInVain(() => assert.throws(make, (error: unknown) => error instanceof LockTimeoutError))
  leave(three.machine, HDR.LOCK)
  const next = one.HeapCreate(0, 0, 0)
  assert.is(indexOf(one.machine, recordOf(one.machine, next)), indexOf(one.machine, recordOf(one.machine, heap)) + 1)
  assert.is(three.HeapFree(next, 0, three.HeapAlloc(next, 0, 10)), 1, 'nobody is inside of it')
  process.check()
})
waits("that a burial waits in vain to tell of a section that is no heap's takes the process section from nobody", () => {
  const { process, one, two, three, token } = scene(30)
  process.onFinding(() => {})
  enter(two.machine, HDR.SPY_LOCK, two.tid)
  for (const at of [HDR.LOCK, HDR.RING_LOCK]) enter(three.machine, at, three.tid)
  waitingInVain(() =>
    assert.throws(
      () => process.workerEnded(token),
      (error: unknown) => error instanceof LockTimeoutError
    )
  )
  assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, three.tid))
  for (const at of [HDR.RING_LOCK, HDR.LOCK]) leave(three.machine, at)
  process.check()
  assert.is(openCom(one).CoRegisterMallocSpy(new Witness()), S_OK, 'and the section is mended by who enters it next')
})
waits.run()

const loose = suite('what a dead thread had made and nobody heard of')

/** Outside of the section already: only the last store is missing, by which the block is handed out. */
function leavesBlock({ two, heap }: ReturnType<typeof scene>): number {
  assert.ok(cutOff(two, stepsOf((ce, own) => ce.HeapAlloc(own, 0, 100)) - 1, () => two.HeapAlloc(heap, 0, 100)))
  return two.machine.sys[threadAt(two.machine, two.tid) + THREAD.HANDOUT] as number
}

loose('is undone although somebody stays in the heap longer than a nap: by the next check, and its place is free then', () => {
  for (const tells of ['check', 'snapshot', 'imageHash', 'workerEnded'] as const) {
    const world = scene()
    const { process, one, two, three, token, heap, record } = world
    leavesBlock(world)
    enter(three.machine, record, three.tid)
    waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid]))
    assert.equal(process.workerEnded(process.share()), [], 'and nobody waits for it')
    const fourth = attachThread(process.share())
    assert.is.not(fourth.tid, two.tid, 'its place is not given out as long as it names what is loose')
    leave(three.machine, record)
    if (tells === 'workerEnded') process.workerEnded(process.share())
    else process[tells]()
    assert.is(one.machine.sys[record + REC.LIVE_BYTES], 0, tells)
    assert.is(attachThread(process.share()).tid, two.tid)
    assert.is.not(one.HeapAlloc(heap, 0, 10), 0)
    process.check()
  }
})

loose('an error at whatever store of undoing it, where everything is held, leaves nothing half changed behind', () => {
  for (let k = 0, cut = true; cut; k++) {
    const world = scene()
    const { process, one, three, token, heap, record } = world
    leavesBlock(world)
    enter(three.machine, record, three.tid)
    waitingInVain(() => process.workerEnded(token))
    leave(three.machine, record)
    const scissors = underScissors(one)
    scissors.limit = k
    scissors.once = true
    try {
      process.imageHash()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
    }
    cut = scissors.cut
    scissors.rewind(Number.POSITIVE_INFINITY)
    for (const at of [HDR.LOCK, record]) assert.is(three.machine.sys[at], 0, `step ${k}`)
    assert.is.not(three.HeapAlloc(heap, 0, 10), 0, `step ${k}`)
    process.check()
    assert.is(three.machine.sys[record + REC.LIVE_BYTES], 10, `step ${k}`)
  }
})

loose('a reservation too', () => {
  const { process, two, three, token } = scene()
  const reserve = (ce: CeThread): number => ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  assert.ok(cutOff(two, stepsOf(reserve) - 1, () => reserve(two)))
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid]))
  leave(three.machine, HDR.LOCK)
  process.check()
  assert.equal(process.snapshot().reservations, [])
})

loose('not without the process section, which stays with who is in it', () => {
  const world = scene()
  const { process, one, two, three, token, record } = world
  leavesBlock(world)
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid]))
  assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, three.tid))
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 100)
  leave(three.machine, HDR.LOCK)
  process.check()
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 0)
})

loose('not from inside a page callback of the heap, but when its call is over', () => {
  const scene = (): {
    process: CeProcess
    one: CeThread
    two: CeThread
    token: ShareToken
    heap: number
    onAsked: (act: () => void) => void
  } => {
    const process = createProcess({ memory: 1024 * 1024, lockTimeout: 100 })
    const token = process.share()
    const [one, two] = [process.thread, attachThread(token)]
    let asked: (() => void) | undefined
    const alloc = (address: number, size: number, action: number): number => {
      asked?.()
      asked = undefined
      return one.VirtualAlloc(address, size, action, PAGE_READWRITE)
    }
    const heap = one.CeHeapCreate(0, 0x4000, 0, alloc, () => 1)
    const onAsked = (act: () => void): void => {
      asked = act
    }
    return { process, one, two, token, heap, onAsked }
  }
  const twin = scene()
  const scissors = underScissors(twin.two)
  twin.two.HeapAlloc(twin.heap, 0, 100)
  const { process, one, two, token, heap, onAsked } = scene()
  assert.ok(cutOff(two, scissors.steps - 1, () => two.HeapAlloc(heap, 0, 100)))
  const live = (): number => one.machine.sys[recordOf(one.machine, heap) + REC.LIVE_BYTES] as number
  onAsked(() => assert.equal(process.workerEnded(token), [two.tid]))
  assert.is.not(one.HeapAlloc(heap, 0, 20_000), 0)
  assert.is(live(), 20_100)
  process.check()
  assert.is(live(), 20_000)
  assert.is(attachThread(process.share()).tid, two.tid)
})

loose('of the newest thread too', () => {
  const { process, one, two } = scene()
  const token = process.share()
  const last = attachThread(token)
  const heap = one.HeapCreate(0, 0, 0)
  assert.ok(cutOff(last, stepsOf((ce, own) => ce.HeapAlloc(own, 0, 100)) - 1, () => last.HeapAlloc(heap, 0, 100)))
  const record = recordOf(one.machine, heap)
  enter(two.machine, record, two.tid)
  waitingInVain(() => assert.equal(process.workerEnded(token), [last.tid]))
  leave(two.machine, record)
  process.check()
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 0)
})

loose('is looked for nowhere if there is none: the burial waits for nobody who is inside a heap', () => {
  const { process, two, three, token, record } = scene()
  enter(three.machine, record, three.tid)
  assert.is(
    waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid])),
    0
  )
  assert.is(attachThread(process.share()).tid, two.tid)
  leave(three.machine, record)
  process.check()
})

loose('nor for who is at work with a spy that lives in another thread', () => {
  const { process, one, two, three, token } = scene()
  assert.is(openCom(one).CoRegisterMallocSpy(new Witness()), S_OK)
  enter(three.machine, HDR.SPY_LOCK, three.tid)
  assert.is(
    waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid])),
    0
  )
  leave(three.machine, HDR.SPY_LOCK)
  process.check()
})

loose('is not taken for the block of another heap that came to lie there meanwhile', () => {
  const world = scene()
  const { process, one, two, three, token, heap, record } = world
  const block = leavesBlock(world)
  enter(three.machine, record, three.tid)
  waitingInVain(() => process.workerEnded(token))
  leave(three.machine, record)
  assert.is(one.HeapDestroy(heap), 1)
  const next = one.HeapCreate(0, 0, 0)
  assert.is(recordOf(one.machine, next), record)
  assert.is(one.HeapAlloc(next, 0, 100), block * GRANULE, 'the first block of the heap lies where that of the other was')
  process.check()
  assert.is(one.HeapFree(next, 0, block * GRANULE), 1)
  assert.is(attachThread(process.share()).tid, two.tid)
})
loose.run()

const twice = suite('a thread that is cut off while it ends')

twice('after TerminateThread, at whatever store: its sections come free by its burial, and calls are hot again', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two, token, heap, record } = scene(100)
    const lp = one.LocalAlloc(0, 20)
    one.InitializeCriticalSection(lp)
    two.EnterCriticalSection(lp)
    process.terminateThread(two.tid)
    const scissors = underScissors(two)
    scissors.limit = k
    try {
      two.HeapAlloc(heap, 0, 10)
    } catch (error) {
      if (!(error instanceof Cut) && !(error instanceof ThreadTerminated)) throw error
    }
    cut = scissors.cut
    process.workerEnded(token)
    assert.is(one.machine.sys[HDR.DYING], 0, `step ${k}`)
    assert.is(one.TryEnterCriticalSection(lp), 1, `step ${k}`)
    assert.is(attachThread(process.share()).tid, two.tid, `step ${k}`)
    assert.is(one.HeapFree(heap, 0, one.HeapAlloc(heap, 0, 10)), 1)
    assert.ok((one.machine.sys[record + REC.HOT] as number) > 0, 'and hot')
    process.check()
  }
})

twice('a burial that has no stack to begin with is made again: the id is not given out before', () => {
  const { process, two, token, heap, record } = scene(100)
  enter(two.machine, record, two.tid)
  const own = process.thread.machine
  const { map } = own
  const failing = new Error('planted')
  Object.defineProperty(own, 'map', {
    configurable: true,
    get: () => {
      throw failing
    }
  })
  own.sys[threadAt(own, two.tid) + THREAD.HANDOUT] = 1
  assert.throws(() => process.workerEnded(token), /planted/)
  Object.defineProperty(own, 'map', { value: map, configurable: true, writable: true })
  assert.is(threadState(own, two.tid), DEAD)
  assert.is.not(attachThread(process.share()).tid, two.tid)
  process.workerEnded(token)
  assert.is(attachThread(process.share()).tid, two.tid)
  assert.is.not(process.thread.HeapAlloc(heap, 0, 1), 0)
  process.check()
})
twice.run()

const told = suite('process.workerEnded')

told('refuses a token with a number that share() has not given: the creating thread came with 0', () => {
  const { process, token } = scene()
  for (const ticket of [0, -1, 99, 1.5, '1'])
    assert.throws(
      () => process.workerEnded({ ...token, ticket } as ShareToken),
      /^workerEnded: token: expected what share\(\) of this process gave/
    )
  for (const ticket of [0, -1, 99, 1.5, '1'])
    assert.throws(() => attachThread({ ...token, ticket } as ShareToken), /^attachThread: expected what process\.share\(\) gave/)
  assert.is.not(process.thread.LocalAlloc(0, 1), 0)
})

told('of a process that is closed changes nothing: the news of an exit come when they come', () => {
  const { process, token } = scene()
  process.close()
  assert.equal(process.workerEnded(token), [])
})

told('from inside of a finding of the burial, or from a page callback, buries each thread once', () => {
  const { process, one, two, token } = scene()
  const ended: number[][] = []
  process.onFinding(() => ended.push(process.workerEnded(token)))
  enter(two.machine, HDR.SPY_LOCK, two.tid)
  one.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      if (ended.length === 0) ended.push(process.workerEnded(token))
      return one.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    () => 1
  )
  assert.equal(ended.flat(), [two.tid])
  process.check()
})
told.run()
