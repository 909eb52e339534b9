// What a call had made before its thread died and nobody has heard of: undone at once, or by the next check.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK,
  type ShareToken,
  TH32CS_SNAPHEAPLIST,
  ThreadTerminated
} from '../../src/index.ts'
import { openCom } from '../../src/com/index.ts'
import { recordOf, REC } from '../../src/heap/record.ts'
import { GRANULE, HDR, UNIT } from '../../src/machine/layout.ts'
import { enter, isOwn, leave } from '../../src/machine/section.ts'
import { THREAD, threadAt } from '../../src/machine/threads.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { errs, leavesLoose } from './adriftscene.ts'
import { underScissors } from './scissors.ts'
import { cutOff, scene, stepsOf, waitingInVain } from './afterdeathscene.ts'

/** Takes the hash of the image, which undoes what is left to be undone, with an error at its k-th store; whether there was such a store. */
function errsInHash({ process, one }: ReturnType<typeof scene>, k: number): boolean {
  return errs(one, k, () => process.imageHash())
}

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
    const { process, three, token, heap, record } = world
    leavesBlock(world)
    enter(three.machine, record, three.tid)
    waitingInVain(() => process.workerEnded(token))
    leave(three.machine, record)
    cut = errsInHash(world, k)
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

loose('nor is a reservation taken for that of another thread, which had the same place before the burial was over', () => {
  const reserve = (ce: CeThread): number => ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  const steps = stepsOf(reserve)
  for (let k = 0; k < steps; k++) {
    const { process, one, two, three, token } = scene()
    assert.ok(cutOff(two, k, () => reserve(two)))
    let got = 0
    const { give } = one.machine
    // As soon as the process section is free again.
    one.machine.give = (address) => {
      const seen = give(address)
      if (address >>> 2 === HDR.LOCK && got === 0) got = reserve(three)
      return seen
    }
    process.workerEnded(token)
    one.machine.give = give
    assert.equal(
      process.snapshot().reservations.map(({ address }) => address),
      got === 0 ? [] : [got],
      `step ${k}`
    )
    process.check()
  }
})

/** A reservation that a dead thread has left and nobody could release; its address. */
function leavesReservation({ process, two, three, token }: ReturnType<typeof scene>): number {
  const reserve = (ce: CeThread): number => ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  assert.ok(cutOff(two, stepsOf(reserve) - 1, () => reserve(two)))
  const address = (two.machine.sys[threadAt(two.machine, two.tid) + THREAD.RESERVED] as number) * UNIT
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => process.workerEnded(token))
  leave(three.machine, HDR.LOCK)
  return address
}

loose('nor is it released once more if an error came at whatever store of that', () => {
  for (let k = 0, cut = true; cut; k++) {
    const world = scene()
    const { process, three } = world
    leavesReservation(world)
    cut = errsInHash(world, k)
    const next = three.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
    process.check()
    assert.equal(
      process.snapshot().reservations.map(({ address }) => address),
      [next],
      `step ${k}`
    )
  }
})

loose('nor a heap in the place of a reservation that somebody else has released', () => {
  const world = scene()
  const { process, one, three } = world
  const address = leavesReservation(world)
  assert.is(three.VirtualFree(address, 0, MEM_RELEASE), 1)
  const heap = one.HeapCreate(0, 0, 0)
  const block = one.HeapAlloc(heap, 0, 100)
  assert.is(block & ~0xffff, address)
  process.check()
  assert.is(one.HeapFree(heap, 0, block), 1)
})

loose('nor the reservation that another thread has made in its place, after it had released what was there', () => {
  const world = scene()
  const { process, three } = world
  const address = leavesReservation(world)
  assert.is(three.VirtualFree(address, 0, MEM_RELEASE), 1)
  assert.is(three.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE), address)
  process.check()
  assert.equal(
    process.snapshot().reservations.map((one) => one.address),
    [address]
  )
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

loose('of a thread that was terminated too, which keeps its place until then, although it has detached', () => {
  const { process, two, three } = scene()
  waitingInVain(() => {
    leavesLoose({ two, three }, HDR.LOCK, () => two.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE))
    process.terminateThread(two.tid)
    assert.throws(
      () => two.GetLastError(),
      (error: unknown) => error instanceof ThreadTerminated
    )
    two.detach()
  })
  assert.is.not(attachThread(process.share()).tid, two.tid)
  leave(three.machine, HDR.LOCK)
  process.check()
  assert.equal(process.snapshot().reservations, [])
  assert.is(attachThread(process.share()).tid, two.tid)
})

loose('of a terminated thread that has left nothing the place is free at once', () => {
  const { process, two } = scene()
  process.terminateThread(two.tid)
  assert.throws(
    () => two.GetLastError(),
    (error: unknown) => error instanceof ThreadTerminated
  )
  two.detach()
  assert.is(attachThread(process.share()).tid, two.tid)
})

loose('is no matter of the other threads: what they look at, by a tool help snapshot, is not changed by it', () => {
  const world = scene()
  const { process, one, two, three, token, record } = world
  leavesBlock(world)
  enter(three.machine, record, three.tid)
  waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid]))
  leave(three.machine, record)
  three.CloseToolhelp32Snapshot(three.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0))
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 100)
  one.CloseToolhelp32Snapshot(one.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0))
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 0)
})

/** The heap is whole, and only what says that somebody is at it is not cleared yet. */
function leavesHeap(ce: CeThread): void {
  const make = (thread: CeThread): number => thread.HeapCreate(0, 0, 0)
  assert.ok(cutOff(ce, stepsOf(make) - 1, () => make(ce)))
}

loose('is ended if it is a heap', () => {
  const { process, one, two, token } = scene()
  const before = process.snapshot()
  leavesHeap(two)
  assert.is(process.snapshot().heaps.length, before.heaps.length + 1)
  process.workerEnded(token)
  const { heaps, committed } = process.snapshot()
  assert.equal([heaps, committed], [before.heaps, before.committed])
  assert.is.not(one.HeapCreate(0, 0, 0), 0)
  process.check()
})

loose('is undone whatever others have left before', () => {
  const { process, one, two, three, token, heap, record } = scene()
  const other = process.share()
  const four = attachThread(other)
  const before = process.snapshot().heaps.length
  leavesHeap(two)
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => process.workerEnded(token))
  leave(three.machine, HDR.LOCK)
  assert.ok(cutOff(four, stepsOf((ce, own) => ce.HeapAlloc(own, 0, 100)) - 1, () => four.HeapAlloc(heap, 0, 100)))
  process.workerEnded(other)
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], 0)
  assert.is(process.snapshot().heaps.length, before)
  process.check()
})

loose('is forgotten then: the next to have its place keeps it, whoever dies in the heap', () => {
  const world = scene()
  const { process, one, three, token, heap, record } = world
  const block = leavesBlock(world)
  process.workerEnded(token)
  assert.is(one.HeapAlloc(heap, 0, 100), block * GRANULE)
  const other = process.share()
  const four = attachThread(other)
  enter(four.machine, record, four.tid)
  process.workerEnded(other)
  assert.is(three.HeapSize(heap, 0, block * GRANULE), 128)
  process.check()
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

loose('is looked for nowhere if there is none: the burial waits for nobody, wherever he is', () => {
  const { process, two, three, token, record } = scene()
  for (const at of [HDR.SPY_LOCK, record, HDR.LOCK, HDR.RING_LOCK]) enter(three.machine, at, three.tid)
  assert.is(
    waitingInVain(() => assert.equal(process.workerEnded(token), [two.tid])),
    0
  )
  assert.is(attachThread(process.share()).tid, two.tid)
  for (const at of [HDR.RING_LOCK, HDR.LOCK, record, HDR.SPY_LOCK]) {
    assert.ok(isOwn(three.machine.sys[at] as number, three.tid))
    leave(three.machine, at)
  }
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
  assert.ok(isOwn(three.machine.sys[HDR.SPY_LOCK] as number, three.tid))
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
