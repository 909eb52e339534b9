// What is left to do when a thread has ended, and cannot be done at once: by whom it is done, and that nobody waits for it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, LockTimeoutError, MEM_RESERVE, PAGE_READWRITE, S_OK, type ShareToken, ThreadTerminated } from '../../src/index.ts'
import { openCom } from '../../src/com/index.ts'
import { indexOf, recordOf, REC } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave, NAP, ORPHAN } from '../../src/machine/section.ts'
import { DEAD, THREAD, threadAt, threadState } from '../../src/machine/threads.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { Cut, underScissors } from './scissors.ts'
import { cutOff, scene, waitingInVain } from './afterdeathscene.ts'

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

waits('for the process section while another enters the heap and mends it takes nothing from that one', () => {
  const { process, one, two, three, token, heap, record } = scene()
  const told: string[] = []
  process.onFinding(({ rule, thread }) => told.push(`${rule} of ${thread}`))
  enter(two.machine, record, two.tid)
  const { take } = one.machine
  one.machine.take = (address, who) => {
    if (address >>> 2 === HDR.LOCK && ((one.machine.sys[record] as number) & ORPHAN) !== 0) {
      assert.is.not(three.HeapAlloc(heap, 0, 10), 0)
      enter(three.machine, record, three.tid)
    }
    return take(address, who)
  }
  assert.equal(process.workerEnded(token), [two.tid])
  one.machine.take = take
  assert.ok(isOwn(one.machine.sys[record] as number, three.tid))
  leave(three.machine, record)
  process.check()
  assert.equal(told, [`C-92 of ${two.tid}`])
})
waits.run()

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

const making = suite('a thread that is cut off while it makes a heap')

making('leaves no section behind that the next maker, or a check, would wait for', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two, three, token } = scene(50)
    cut = cutOff(two, k, () => two.HeapCreate(0, 0, 0))
    process.workerEnded(token)
    for (const ce of [three, one]) assert.is.not(ce.HeapCreate(0, 0, 0), 0, `step ${k}`)
    process.check()
  }
})
making.run()

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

told("refuses another process's token, though its number is one of its own", () => {
  const { process, two } = scene()
  assert.throws(() => process.workerEnded(scene().token), /^workerEnded: token: expected what share\(\) of this process gave/)
  assert.is.not(two.LocalAlloc(0, 1), 0)
  assert.equal(
    process.snapshot().threads.map(({ id }) => id),
    [1, 2, 3]
  )
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
