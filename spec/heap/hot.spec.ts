// The hot path (heap/hot.ts) spells out what allocate() and freeBlock() do: the same calls with and without it give the same process.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { heapCount, NEVER, REC, recordAt, recordOf } from '../../src/heap/record.ts'
import { attachThread, HEAP_ZERO_MEMORY, type ProcessOptions } from '../../src/index.ts'
import { COLD } from '../../src/machine/machine.ts'
import { WAITERS } from '../../src/machine/section.ts'
import { THREAD } from '../../src/machine/threads.ts'
import { type World, world } from './heaps.ts'

const KB = 1024

/** A world whose heap takes the plain path only, when told so. */
function made(options: ProcessOptions, maximum: number, plain: boolean): World {
  const one = world(options, maximum)
  const { machine } = one.ce
  if (plain) machine.goBy(COLD)
  return one
}

interface Step {
  readonly call: 'alloc' | 'free' | 'wrong' | 'realloc' | 'compact'
  readonly pick: number
  readonly bytes: number
  readonly zero: boolean
}

const steps = fc.array(
  fc.record({
    call: fc.oneof(
      { weight: 50, arbitrary: fc.constant('alloc' as const) },
      { weight: 40, arbitrary: fc.constant('free' as const) },
      { weight: 3, arbitrary: fc.constant('wrong' as const) },
      { weight: 5, arbitrary: fc.constant('realloc' as const) },
      { weight: 1, arbitrary: fc.constant('compact' as const) }
    ),
    pick: fc.nat({ max: 1 << 20 }),
    bytes: fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 9000 }),
      fc.constantFrom(0x18000, 0x18001, 0x7fff7, 0x7fff8, 0xffffffff)
    ),
    zero: fc.boolean()
  }),
  { maxLength: 400, size: 'max' }
)

/** Makes one step; returns what the app sees of it. */
function take({ process, ce, heap, info }: World, live: number[], { call, pick, bytes, zero }: Step): number {
  const at = pick % Math.max(1, live.length)
  const p = live[at] ?? 0
  const flags = zero ? HEAP_ZERO_MEMORY : 0
  if (call === 'compact') return ce.HeapCompact(heap, 0)
  if (call === 'wrong') return ce.HeapFree(heap, 0, p + 1 + (pick % 31)) + (info().liveBlocks << 1)
  if (call === 'alloc' || p === 0) {
    const q = ce.HeapAlloc(heap, flags, bytes)
    if (q !== 0) live.push(q)
    return q
  }
  if (call === 'realloc') {
    const q = ce.HeapReAlloc(heap, flags, p, bytes)
    if (q !== 0) live[at] = q
    return q
  }
  live.splice(at, 1)
  process.thread.memory.fill(p, pick & 0xff, 1)
  return ce.HeapFree(heap, 0, p)
}

const hot = suite('the hot path')

hot('is on for the heaps of retail builds and off on debug builds', () => {
  const word = (options: ProcessOptions, maximum: number): number => {
    const { ce, heap } = world(options, maximum)
    return ce.machine.sys[recordOf(ce.machine, heap) + REC.HOT] as number
  }
  assert.is(word({}, 0), 0x18000)
  assert.is(word({}, 0x10000), 0x7fff7)
  assert.is(word({ placement: 'next-fit' }, 0), 0x18000)
  assert.is(word({ build: 'debug' }, 0), NEVER)
  assert.is(word({ placement: 'next-fit', build: 'debug' }, 0), NEVER)
})

hot('is there in a process whose threads run freely, and not where a schedule lets one run at a time', () => {
  assert.is.not(world({}).ce.machine.hot, COLD)
  assert.is(world({ schedule: 'seeded:1', threads: 1 }).ce.machine.hot, COLD)
})

hot('is there in a recorded process too, which has code of its own that writes the grants down', () => {
  const { process, heap, alloc } = world({ schedule: 'recorded', threads: 1 })
  alloc(100)
  const two = attachThread(process.share())
  const { machine } = two
  assert.is.not(machine.hot, COLD)
  const grants = recordOf(machine, heap) + REC.GRANTS
  const before = machine.sys[grants] as number
  two.HeapAlloc(heap, 0, 100)
  assert.is(machine.sys[grants], before + 1)
})

hot('is left by every heap while a terminated thread is to hear of its end, by one that is made meanwhile too', () => {
  const { process, ce, heap } = world()
  const { machine } = ce
  const two = attachThread(process.share())
  const hotOf = (handle: number): number => machine.sys[recordOf(machine, handle) + REC.HOT] as number
  const older = hotOf(heap)
  assert.is.not(older, NEVER)
  const unused = recordAt(machine, heapCount(machine))
  process.terminateThread(two.tid)
  assert.is(machine.sys[unused + REC.HOT], 0, 'where there is no heap nothing is said')
  const younger = ce.HeapCreate(0, 0, 0)
  for (const handle of [heap, younger]) {
    assert.is(hotOf(handle), NEVER)
    ce.HeapAlloc(handle, 0, 10)
    assert.is(hotOf(handle), NEVER)
  }
  assert.throws(() => two.HeapAlloc(heap, 0, 10))
  for (const handle of [heap, younger]) {
    ce.HeapAlloc(handle, 0, 10)
    assert.is(hotOf(handle), older)
  }
})

hot('has a block that it zeroes in the slot of the thread, so that who is terminated in the midst of it leaves none behind', () => {
  const { ce, alloc } = world()
  const { machine } = ce
  const { doubles, slot, sys } = machine
  const before = [...sys.subarray(slot - 16, slot + 16)]
  const seen: number[] = []
  Object.defineProperty(machine, 'doubles', {
    get: () => {
      seen.push(sys[slot + THREAD.HANDOUT] as number)
      return doubles
    }
  })
  const p = alloc(100, HEAP_ZERO_MEMORY)
  assert.equal(seen, [p / 32])
  assert.equal([...sys.subarray(slot - 16, slot + 16)], before)
})

hot('wakes one of those who wait for the section that it leaves', () => {
  const { ce, heap } = world()
  const { machine } = ce
  const record = recordOf(machine, heap)
  const { notify } = Atomics
  const woken: number[] = []
  const counted = (cells: Int32Array, at: number, count?: number): number => {
    if (cells.buffer === machine.sys.buffer) woken.push(at, count ?? -1)
    return notify(cells, at, count)
  }
  Object.defineProperty(Atomics, 'notify', { value: counted, configurable: true, writable: true })
  try {
    // As who has waited enters it himself: others may be waiting still.
    const p = machine.hot.alloc(ce.tid | WAITERS, heap, 10)
    assert.equal(woken, [record, 1])
    assert.is(machine.hot.free(ce.tid | WAITERS, heap, p), 1)
    assert.equal(woken, [record, 1, record, 1])
    assert.is(ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 10)), 1)
    assert.is(woken.length, 4, 'nobody where nobody waits')
  } finally {
    Object.defineProperty(Atomics, 'notify', { value: notify, configurable: true, writable: true })
  }
})

hot('gives the same pointers, results, last errors and image as the plain path', () => {
  property(
    'heap/hot',
    fc.record({
      placement: fc.constantFrom(...(['segregated', 'next-fit'] as const)),
      maximum: fc.constantFrom(0, 40 * KB, 0x90000),
      pages: fc.constantFrom(20, 60, 1000),
      steps
    }),
    ({ placement, maximum, pages, steps: list }) => {
      const options: ProcessOptions = { placement, memory: 2048 * KB, physical: pages * 4096 }
      const worlds = [made(options, maximum, false), made(options, maximum, true)] as const
      const live = [[], []] as [number[], number[]]
      for (const step of list) {
        assert.is(take(worlds[0], live[0], step), take(worlds[1], live[1], step), step.call)
        assert.is(worlds[0].ce.GetLastError(), worlds[1].ce.GetLastError())
      }
      for (const { process } of worlds) process.check()
      assert.is(worlds[0].process.imageHash(), worlds[1].process.imageHash())
    },
    { runs: 160 }
  )
})
hot.run()
