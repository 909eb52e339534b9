// A thread that an error has left adrift (machine/adrift.ts) goes on to make calls: what those are in is theirs, and none of it is let go of in their midst.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import { CRITICAL_SECTION, MEM_RESERVE, PAGE_READWRITE } from '../../src/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import type { Machine } from '../../src/machine/machine.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave, TID } from '../../src/machine/section.ts'
import { Witness } from '../../src/mixed/spies.ts'
import { type Adrift, adrift, scene } from './adriftscene.ts'
import { cutOff, waitingInVain } from './afterdeathscene.ts'
import { Cut, underScissors } from './scissors.ts'

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

const busy = suite('an error inside a page callback')

// With more than one step that fails there is no room to undo anything at the border of the call either.
for (const [length, goesOn] of [
  [1, true],
  [1000, false]
] as const) {
  const how = `${length} steps fail, the callback ${goesOn ? 'goes on' : 'returns'}`
  busy(`of a call on the busy heap, at whatever store, leaves the heap entered as often as before; ${how}`, () => {
    for (let k = 0, cut = true; cut; k++) {
      const { process, one, two } = scene()
      const scissors = underScissors(two)
      scissors.length = length
      let heap = 0
      let on = false
      let stays = true
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
          stays = isOwn(one.machine.sys[recordOf(one.machine, heap)] as number, two.tid)
          if (!goesOn) return 0
        }
        return two.VirtualAlloc(address, size, action, PAGE_READWRITE)
      }
      const free = (address: number, size: number, action: number): number => two.VirtualFree(address, action === 0x8000 ? 0 : size, action)
      heap = two.CeHeapCreate(0, 0, 0, alloc, free)
      on = true
      two.HeapAlloc(heap, 0, 0x8000)
      assert.ok(stays, `others can enter in the midst of the call, step ${k}`)
      const record = recordOf(one.machine, heap)
      assert.equal([one.machine.sys[record], one.machine.sys[record + REC.LOCK_COUNT]], [0, 0], `step ${k}`)
      process.check()
    }
  })
}
busy.run()

const looks = suite('an error while the sections of a look at the whole process are entered')

looks('leaves those that were entered already as they were: no heap is mended, and its free blocks keep their order', () => {
  for (const look of ['imageHash', 'snapshot', 'check'] as const) {
    const { process, one, heap } = scene()
    const blocks = Array.from({ length: 7 }, () => one.HeapAlloc(heap, 0, 64))
    for (const n of [5, 1, 3]) one.HeapFree(heap, 0, blocks[n] as number)
    const image = process.imageHash()
    const scissors = underScissors(one)
    scissors.once = true
    if (look !== 'imageHash') process.drainFindings()
    // What check and snapshot do first.
    const before = scissors.steps
    // Two heaps, and the process.
    for (let entered = 0; entered < 3; entered++) {
      scissors.rewind(before + entered)
      assert.throws(
        () => process[look](),
        (error: unknown) => error instanceof Cut
      )
      scissors.rewind(Number.POSITIVE_INFINITY)
      assert.is(process.imageHash(), image, `${look}, ${entered} entered`)
    }
    process.check()
  }
})
looks.run()

const alive = suite('a thread that lives on after an error')

alive('C-92: is not said to have died in the heap or in the process section: the error tells of itself', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, two, heap } = scene()
    const findings: string[] = []
    process.onFinding(({ message }) => findings.push(message))
    const calls = (): void => {
      two.HeapFree(heap, 0, two.HeapAlloc(heap, 0, 100))
      two.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)
    }
    cut = cutOff(two, k, calls, true)
    process.check()
    assert.equal(findings, [], `step ${k}`)
  }
})

alive('and another one, at whatever store of letting go of what the call was in: a block that moves is there once', () => {
  const twin = scene()
  const moves = ({ two, heap }: Adrift, block: number): unknown => two.HeapReAlloc(heap, 0, block, 2000)
  const moving = (world: Adrift): number => {
    const block = world.two.HeapAlloc(world.heap, 0, 100)
    world.two.HeapAlloc(world.heap, 0, 50)
    return block
  }
  const counted = moving(twin)
  const scissors = underScissors(twin.two)
  moves(twin, counted)
  const { steps } = scissors
  // Before these no block is made yet, and after them the old one is gone; the slot of the thread is dealt with in the first steps of letting go.
  for (let k = steps >>> 2; k < steps >>> 1; k++) {
    for (let j = 0; j < 6; j++) {
      const world = scene()
      const { process, one, two, heap, record } = world
      const block = moving(world)
      const scissors = underScissors(two)
      const { step } = scissors
      scissors.step = () => {
        const { steps: made } = scissors
        scissors.steps++
        if (made === k || made === k + 1 + j) throw new Cut(`at ${made}`)
      }
      assert.throws(
        () => moves(world, block),
        (error: unknown) => error instanceof Cut
      )
      scissors.step = step
      two.GetLastError()
      process.check()
      const live = one.machine.sys[record + REC.LIVE_BYTES] as number
      assert.ok(live === 150 || live === 2050, `steps ${k} and ${j}: ${live} bytes`)
      assert.is(one.HeapFree(heap, 0, block), live === 150 ? 1 : 0, `steps ${k} and ${j}`)
    }
  }
})
alive('that ended its wait by a promise is in no section of the process', async () => {
  let ended = 0
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two } = scene()
    process.onFinding(() => undefined)
    const section = one.LocalAlloc(0, CRITICAL_SECTION.size)
    one.InitializeCriticalSection(section)
    // Whoever finds this mends it in the process section, and leaves a finding in the ring.
    CRITICAL_SECTION.write(one.memory, section, { ...CRITICAL_SECTION.read(one.memory, section), hCrit: 1 })
    const scissors = underScissors(two)
    scissors.limit = k
    scissors.once = true
    const error = await two.EnterCriticalSectionAsync(section).catch((reason: unknown) => reason)
    cut = scissors.cut
    if (!cut) break
    ended++
    assert.instance(error, Cut)
    for (const at of [HDR.LOCK, HDR.RING_LOCK]) assert.is(one.machine.sys[at], 0, `step ${k}`)
    process.check()
  }
  assert.ok(ended > 5, `${ended} steps`)
})
alive.run()
