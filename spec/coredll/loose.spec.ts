// What an error has left of a call that was over but for its answer, and could not be undone: whatever the thread does next, it is not lost.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  HEAP_ZERO_MEMORY,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { CALLS } from '../../src/coredll/calls.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { GRANULE, HDR, UNIT } from '../../src/machine/layout.ts'
import { leave, NAP } from '../../src/machine/section.ts'
import { THREAD, threadAt } from '../../src/machine/threads.ts'
import { type Adrift, adrift, errs, leavesLoose, scene } from './adriftscene.ts'
import { cutOff, waitingInVain } from './afterdeathscene.ts'

const loose = suite('what is loose')

/** What the heap of the scene has live. */
function liveBytes({ one, record }: { one: CeThread; record: number }): number {
  return one.machine.sys[record + REC.LIVE_BYTES] as number
}

/** Makes the call while whoever stays in the way lets go at the last moment before the wait for it has lasted too long. */
function waitingFor(lets: () => void, call: () => unknown): void {
  let left = false
  waitingInVain(
    () => call(),
    (count) => {
      // One nap by the call itself; the rest is the wait of what it makes.
      if (count < 4 || left) return
      left = true
      lets()
    }
  )
  assert.ok(left, 'nothing waited')
}

const makers: readonly { readonly name: string; readonly make: (ce: CeThread, other: number, kept: number) => number }[] = [
  { name: 'HeapAlloc', make: (ce, other) => ce.HeapAlloc(other, 0, 10) },
  { name: 'HeapAlloc of a big block', make: (ce, other) => ce.HeapAlloc(other, 0, 0x40000) },
  { name: 'HeapAlloc of zeroes', make: (ce, other) => ce.HeapAlloc(other, HEAP_ZERO_MEMORY, 10) },
  { name: 'HeapReAlloc in place', make: (ce, other, kept) => ce.HeapReAlloc(other, 0, kept, 10) },
  { name: 'HeapReAlloc elsewhere', make: (ce, other, kept) => ce.HeapReAlloc(other, 0, kept, 2000) },
  { name: 'LocalAlloc', make: (ce) => ce.LocalAlloc(0, 10) },
  { name: 'VirtualAlloc', make: (ce) => ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE) },
  { name: 'CoTaskMemAlloc', make: (ce) => openCom(ce).CoTaskMemAlloc(10) }
]

for (const { name, make } of makers) {
  loose(`is undone before ${name} makes something, which waits for that`, () => {
    const world = adrift()
    const { process, one, two, three, record } = world
    const other = one.HeapCreate(0, 0, 0)
    const kept = one.HeapAlloc(other, 0, 100)
    one.HeapAlloc(other, 0, 1)
    assert.is(liveBytes(world), 100)
    waitingFor(
      () => leave(three.machine, record),
      () => assert.is.not(make(two, other, kept), 0)
    )
    assert.is(liveBytes(world), 0)
    process.check()
  })

  loose(`is kept where ${name} waits for that in vain, which makes nothing then`, () => {
    const world = adrift()
    const { process, one, two, three, record } = world
    const other = one.HeapCreate(0, 0, 0)
    const kept = one.HeapAlloc(other, 0, 100)
    one.HeapAlloc(other, 0, 1)
    const image = (): Buffer => Buffer.from(Int32Array.from([...one.machine.map, ...one.machine.units]).buffer)
    const before = image()
    for (let round = 0; round < 2; round++)
      waitingInVain(() =>
        assert.throws(
          () => make(two, other, kept),
          (error: unknown) => error instanceof LockTimeoutError && error.owner === three.tid
        )
      )
    assert.ok(image().equals(before))
    leave(three.machine, record)
    two.GetLastError()
    assert.is(liveBytes(world), 0)
    assert.is.not(make(two, other, kept), 0)
    process.check()
  })
}
for (const [name, end] of [
  ['frees it', (ce: CeThread, heap: number, block: number) => ce.HeapFree(heap, 0, block)],
  ['ends its heap', (ce: CeThread, heap: number) => ce.HeapDestroy(heap)]
] as const) {
  loose(`is nothing to undo any more if somebody ${name} while its thread waits for that`, () => {
    const world = adrift()
    const { process, one, two, three, heap, record } = world
    const other = one.HeapCreate(0, 0, 0)
    const block = (two.machine.sys[threadAt(two.machine, two.tid) + THREAD.HANDOUT] as number) * GRANULE
    waitingFor(
      () => {
        leave(three.machine, record)
        assert.is(end(three, heap, block), 1)
      },
      () => assert.is.not(two.HeapAlloc(other, 0, 10), 0)
    )
    assert.is(liveBytes(world), 0)
    process.check()
    assert.is(two.machine.loose, false)
  })
}

loose('is a reservation too: no other one takes its place', () => {
  const world = scene()
  const { process, two, three } = world
  const reserve = (): number => two.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  waitingInVain(() => leavesLoose(world, HDR.LOCK, reserve))
  waitingInVain(() => assert.throws(reserve, (error: unknown) => error instanceof LockTimeoutError))
  waitingFor(
    () => leave(three.machine, HDR.LOCK),
    () => assert.is.not(reserve(), 0)
  )
  assert.is(process.snapshot().reservations.length, 1)
  process.check()
})

/** The second thread has made a reservation that nobody heard of, and the third one stays in the process section; its address. */
function leavesReservation(world: Adrift): number {
  const { two } = world
  waitingInVain(() => leavesLoose(world, HDR.LOCK, () => two.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)))
  return (two.machine.sys[threadAt(two.machine, two.tid) + THREAD.RESERVED] as number) * UNIT
}

/** Where the program has reserved memory. */
const reserved = (process: CeProcess): number[] => process.snapshot().reservations.map(({ address }) => address)

loose('is no reservation any more that somebody has released: the one that is made in its place stays', () => {
  const world = scene()
  const { process, two, three } = world
  const address = leavesReservation(world)
  leave(three.machine, HDR.LOCK)
  assert.is(three.VirtualFree(address, 0, MEM_RELEASE), 1)
  assert.is(three.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE), address)
  two.GetLastError()
  assert.equal(reserved(process), [address])
  process.check()
})

loose('nor one that somebody releases while its thread waits to undo it', () => {
  const world = scene()
  const { process, two, three } = world
  const address = leavesReservation(world)
  let next = 0
  waitingFor(
    () => {
      assert.is(three.VirtualFree(address, 0, MEM_RELEASE), 1)
      assert.is(three.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE), address)
      leave(three.machine, HDR.LOCK)
    },
    () => {
      next = two.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
    }
  )
  assert.is.not(next, address)
  assert.equal(reserved(process), [address, next])
  process.check()
})

for (const [how, dies] of [
  ['an error ends that', false],
  ['who does it dies', true]
] as const) {
  loose(`nor one that somebody releases, at whatever store ${how}`, () => {
    for (let k = 0, cut = true; cut; k++) {
      const world = scene()
      const { process, one, two, three } = world
      const address = leavesReservation(world)
      leave(three.machine, HDR.LOCK)
      const token = process.share()
      const five = attachThread(token)
      cut = cutOff(five, k, () => five.VirtualFree(address, 0, MEM_RELEASE), !dies)
      if (dies) process.workerEnded(token)
      const next = one.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
      two.GetLastError()
      assert.equal(reserved(process), [next], `step ${k}`)
      process.check()
    }
  })
}

loose('is not what its thread is to undo while a heap has it', () => {
  const world = scene()
  const { process, one, two, three } = world
  const address = leavesReservation(world)
  leave(three.machine, HDR.LOCK)
  const alloc = (at: number, size: number, action: number): number =>
    action === MEM_RESERVE ? address : one.VirtualAlloc(at, size, action, PAGE_READWRITE)
  const heap = one.CeHeapCreate(0, 0, 0, alloc, () => 1)
  const block = one.HeapAlloc(heap, 0, 100)
  assert.is(block & ~(UNIT - 1), address)
  two.GetLastError()
  assert.is(two.machine.loose, false)
  process.check()
  assert.is(one.HeapFree(heap, 0, block), 1)
})

loose('is not lost by an error at whatever store of a call that frees', () => {
  for (const length of [1, 4, Number.POSITIVE_INFINITY]) {
    for (let k = 0, cut = true; cut; k++) {
      const world = adrift()
      const { process, one, two, three, record } = world
      const other = one.HeapCreate(0, 0, 0)
      const big = one.HeapAlloc(other, 0, 0x40000)
      waitingInVain(() => {
        cut = errs(two, k, () => two.HeapFree(other, 0, big), length)
      })
      leave(three.machine, record)
      two.GetLastError()
      assert.is(liveBytes(world), 0, `step ${k}`)
      assert.is(two.machine.loose || two.machine.adrift, false)
      process.check()
    }
  }
})

loose('is not lost by an error at whatever store of a call that makes something, which has to undo it first', () => {
  for (const length of [1, 4, Number.POSITIVE_INFINITY]) {
    for (let k = 0, cut = true; cut; k++) {
      const world = adrift()
      const { process, one, two, three, record } = world
      const other = one.HeapCreate(0, 0, 0)
      let there = true
      waitingInVain(
        () => {
          cut = errs(two, k, () => two.HeapAlloc(other, 0, 10), length)
        },
        (count) => {
          if (count < 4 || !there) return
          there = false
          leave(three.machine, record)
        }
      )
      if (there) leave(three.machine, record)
      two.GetLastError()
      assert.is(liveBytes(world), 0, `step ${k}`)
      assert.is(one.machine.sys[recordOf(one.machine, other) + REC.LIVE_BYTES], cut ? 0 : 10, `step ${k}`)
      process.check()
    }
  }
})

/** A heap of the second thread's whose page callback, once it is `on`, leaves a block loose when it is asked for `asked`, and goes on. */
function lending(world: Adrift, asked: number, gives: boolean) {
  const { two, heap, record } = world
  // What is committed already it is not asked to commit.
  const pages = two.VirtualAlloc(0, 0x40000, asked === MEM_RESERVE ? MEM_RESERVE | MEM_COMMIT : MEM_RESERVE, PAGE_READWRITE)
  const state = { on: false }
  const alloc = (address: number, size: number, action: number): number => {
    if (!state.on) return two.VirtualAlloc(address, size, action, PAGE_READWRITE)
    if (action === asked && !two.machine.loose) leavesLoose(world, record, () => two.HeapAlloc(heap, 0, 100))
    if (!gives) return 0
    // Reserved before.
    return action === MEM_RESERVE ? pages : two.VirtualAlloc(address, size, action, PAGE_READWRITE)
  }
  return { state, lent: two.CeHeapCreate(0, 0, 0, alloc, () => 1) }
}

loose('out of a page callback is undone before the call that asks makes its block, which waits for that', () => {
  for (const asked of [MEM_RESERVE, MEM_COMMIT]) {
    const world = scene()
    const { process, one, two, three, record } = world
    const { state, lent } = lending(world, asked, true)
    state.on = true
    waitingFor(
      () => leave(three.machine, record),
      () => assert.is.not(two.HeapAlloc(lent, 0, 0x20000), 0)
    )
    assert.is(liveBytes(world), 0)
    assert.is(one.machine.sys[recordOf(one.machine, lent) + REC.LIVE_BYTES], 0x20000)
    process.check()
  }
})

loose('out of a page callback is kept where the call that asks waits for that in vain, which makes no block then', () => {
  for (const asked of [MEM_RESERVE, MEM_COMMIT]) {
    for (const resized of [false, true]) {
      const world = scene()
      const { process, one, two, three, record } = world
      const { state, lent } = lending(world, asked, true)
      const kept = two.HeapAlloc(lent, 0, 100)
      state.on = true
      waitingInVain(() =>
        assert.throws(
          () => (resized ? two.HeapReAlloc(lent, 0, kept, 0x20000) : two.HeapAlloc(lent, 0, 0x20000)),
          (error: unknown) => error instanceof LockTimeoutError && error.owner === three.tid
        )
      )
      state.on = false
      assert.ok(two.machine.loose)
      assert.is(liveBytes(world), 100)
      leave(three.machine, record)
      two.GetLastError()
      assert.is(liveBytes(world), 0)
      assert.is(one.machine.sys[recordOf(one.machine, lent) + REC.LIVE_BYTES], 100)
      process.check()
    }
  }
})

loose('out of a page callback that gives no pages is kept by the call that asked for them', () => {
  for (const resized of [false, true]) {
    const world = scene()
    const { process, two, three, record } = world
    const { state, lent } = lending(world, resized ? MEM_COMMIT : MEM_RESERVE, false)
    const kept = two.HeapAlloc(lent, 0, 100)
    state.on = true
    waitingInVain(() => assert.is(resized ? two.HeapReAlloc(lent, 0, kept, 0x8000) : two.HeapAlloc(lent, 0, 0x20000), 0))
    state.on = false
    assert.ok(two.machine.loose)
    assert.is(liveBytes(world), 100)
    leave(three.machine, record)
    two.GetLastError()
    assert.is(liveBytes(world), 0)
    process.check()
  }
})

loose('is tried to be undone once where an error ends a call, whichever that is, which waits no longer than a nap', () => {
  const { two } = adrift()
  let ended = 0
  for (const name of CALLS) {
    const call = two[name] as (...args: unknown[]) => unknown
    if (call.length === 0) continue
    assert.is(
      waitingInVain(() => assert.throws(() => call.apply(two, new Array(call.length).fill(-1)), new RegExp(`^${name}: `))),
      NAP,
      name
    )
    ended++
  }
  assert.ok(ended > 40, `${ended} calls`)
})

loose('is undone by whoever buries the thread', () => {
  const world = adrift()
  const { process, two, three, record } = world
  waitingInVain(() => two.detach())
  leave(three.machine, record)
  process.check()
  assert.is(liveBytes(world), 0)
  assert.is(attachThread(process.share()).tid, two.tid)
})
loose.run()
