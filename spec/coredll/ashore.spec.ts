// A thread that an error has left adrift (machine/adrift.ts) goes on to make calls: what those are in is theirs, and none of it is let go of in their midst.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import {
  attachThread,
  type CeThread,
  createProcess,
  HEAP_ZERO_MEMORY,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import type { Machine } from '../../src/machine/machine.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave, TID } from '../../src/machine/section.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { waitingInVain } from './afterdeathscene.ts'
import { Cut, type Scissors, underScissors } from './scissors.ts'

function scene() {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 1000 })
  const [two, three, four] = [1, 2, 3].map(() => attachThread(process.share())) as [
    ReturnType<typeof attachThread>,
    ReturnType<typeof attachThread>,
    ReturnType<typeof attachThread>
  ]
  const heap = process.thread.HeapCreate(0, 0, 0)
  return { process, one: process.thread, two, three, four, heap, record: recordOf(process.thread.machine, heap) }
}

/** Sections that the thread leaves from now on without being inside. */
function notItsOwn(machine: Machine, tid: number): number[] {
  const found: number[] = []
  const { give } = machine
  machine.give = (address) => {
    if (((machine.sys[address >>> 2] as number) & TID) !== tid) found.push(address >>> 2)
    return give(address)
  }
  return found
}

const known = new WeakMap<CeThread, Scissors>()

function scissorsOf(ce: CeThread): Scissors {
  const scissors = known.get(ce) ?? underScissors(ce)
  known.set(ce, scissors)
  return scissors
}

/**
 * Makes a call of the second thread, which an error ends when it has left the section at `at` with what it has made; and the third thread stays there from that
 * moment on, so that what the call has made cannot be undone.
 */
function leavesLoose({ two, three }: { two: CeThread; three: CeThread }, at: number, call: () => unknown): void {
  const scissors = scissorsOf(two)
  scissors.once = true
  scissors.length = 1
  const { give } = two.machine
  two.machine.give = (address) => {
    const seen = give(address)
    if (address >>> 2 !== at || two.machine.sys[at] !== 0) return seen
    two.machine.give = give
    enter(three.machine, at, three.tid)
    scissors.rewind(0)
    return seen
  }
  assert.throws(call, (error: unknown) => error instanceof Cut)
  scissors.rewind(Number.POSITIVE_INFINITY)
  assert.ok(two.machine.loose)
}

/** The second thread has made a block that nobody heard of, in a heap in which the third one stays: nothing but that is left to undo. */
function adrift() {
  const world = scene()
  waitingInVain(() => leavesLoose(world, world.record, () => world.two.HeapAlloc(world.heap, 0, 100)))
  return world
}

const ashore = suite('a thread that is adrift')

ashore('a call of the task allocator stays in the section of the spy', () => {
  const { process, one, two, three, record } = adrift()
  const p = openCom(one).CoTaskMemAlloc(10)
  openCom(one).CoRegisterMallocSpy(new Witness())
  const found = notItsOwn(two.machine, two.tid)
  const { CoTaskMemFree } = openCom(two)
  waitingInVain(() => CoTaskMemFree(p))
  assert.equal(found, [])
  assert.ok(two.machine.loose)
  leave(three.machine, record)
  process.check()
})

ashore('a call that waits while somebody is being terminated stays in the heap that it is in', () => {
  const { process, one, two, three, four, record } = adrift()
  const heap = one.HeapCreate(0, 0, 0)
  const big = one.HeapAlloc(heap, 0, 0x40000)
  const found = notItsOwn(two.machine, two.tid)
  process.terminateThread(four.tid)
  let inside = false
  const { take } = two.machine
  two.machine.take = (address, who) => {
    // In the midst of the call, when it gives pages back.
    if (address >>> 2 === HDR.LOCK && one.machine.sys[recordOf(one.machine, heap)] !== 0 && !inside) {
      inside = true
      enter(three.machine, HDR.LOCK, three.tid)
    }
    return take(address, who)
  }
  let left = false
  let waits = 0
  waitingInVain(
    () => assert.is(two.HeapFree(heap, 0, big), 1),
    (count) => {
      waits = count
      if (left || !inside) return
      left = true
      assert.is((one.machine.sys[recordOf(one.machine, heap)] as number) & TID, two.tid)
      leave(three.machine, HDR.LOCK)
    }
  )
  assert.ok(waits < 20, `${waits} waits`)
  assert.ok(left)
  assert.equal(found, [])
  assert.ok(two.machine.loose)
  leave(three.machine, record)
  process.check()
})

ashore('what is loose is undone by the first of its calls that can, and it is hot again', () => {
  const { process, two, three, four, heap, record } = adrift()
  process.terminateThread(four.tid)
  leave(three.machine, record)
  two.HeapFree(heap, 0, two.HeapAlloc(heap, 0, 10))
  assert.is(two.machine.sys[record + REC.LIVE_BYTES], 0)
  process.check()
})
ashore.run()

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
/** Makes `call` of the second thread with an error in place of its step `k`; false if it came to its end before. */
function errs(two: CeThread, k: number, length: number, call: () => unknown): boolean {
  const scissors = scissorsOf(two)
  scissors.rewind(k)
  scissors.once = true
  scissors.length = length
  try {
    call()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  const { cut } = scissors
  scissors.rewind(Number.POSITIVE_INFINITY)
  return cut
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

loose('is not lost by an error at whatever store of a call that frees', () => {
  for (const length of [1, 4, Number.POSITIVE_INFINITY]) {
    for (let k = 0, cut = true; cut; k++) {
      const world = adrift()
      const { process, one, two, three, record } = world
      const other = one.HeapCreate(0, 0, 0)
      const big = one.HeapAlloc(other, 0, 0x40000)
      waitingInVain(() => {
        cut = errs(two, k, length, () => two.HeapFree(other, 0, big))
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
          cut = errs(two, k, length, () => two.HeapAlloc(other, 0, 10))
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
function lending(world: ReturnType<typeof scene>, asked: number, gives: boolean) {
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

const busy = suite('an error inside a page callback')

busy('of a call on the busy heap, at whatever store, leaves the heap entered as often as before', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two } = scene()
    const scissors = underScissors(two)
    let heap = 0
    let on = false
    const alloc = (address: number, size: number, action: number): number => {
      if (on) {
        on = false
        scissors.rewind(k)
        scissors.once = true
        try {
          two.HeapSize(heap, 0, 32)
          two.HeapReAlloc(heap, 0, 32, 5)
          two.HeapAlloc(heap, 0, 5)
          two.HeapFree(heap, 0, 32)
        } catch (error) {
          if (!(error instanceof Cut)) throw error
        }
        cut = scissors.cut
        scissors.rewind(Number.POSITIVE_INFINITY)
      }
      return two.VirtualAlloc(address, size, action, PAGE_READWRITE)
    }
    const free = (address: number, size: number, action: number): number => two.VirtualFree(address, action === 0x8000 ? 0 : size, action)
    heap = two.CeHeapCreate(0, 0, 0, alloc, free)
    on = true
    two.HeapAlloc(heap, 0, 0x8000)
    const record = recordOf(one.machine, heap)
    assert.equal([one.machine.sys[record], one.machine.sys[record + REC.LOCK_COUNT]], [0, 0], `step ${k}`)
    process.check()
  }
})
busy.run()
