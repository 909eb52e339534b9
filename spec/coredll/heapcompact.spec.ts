import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_INVALID_PARAMETER, HEAP_NO_SERIALIZE, HEAP_ZERO_MEMORY, NO_ERROR } from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const compact = suite('HeapCompact')

/** Bytes of committed memory behind the blocks of a heap that has only its first region and all its live blocks at the front. */
function committedFree(world: World, heap: number): number {
  const { regions, blocks } = heapOf(world, heap)
  const used = blocks.reduce((sum, { size, state }) => sum + (state === 'free' ? 0 : size), 0)
  return (regions[0]?.committed ?? 0) - used
}

everywhere(compact, 'HP-1, HP-3: gives the bytes of the largest committed free block, as it was before pages were given back', (world) => {
  const { ce } = world
  for (const maximum of [0, 0x10000]) {
    const heap = ce.HeapCreate(0, 0x6000, maximum)
    ce.HeapAlloc(heap, 0, 100)
    const largest = committedFree(world, heap)
    assert.equal(
      world.answer(() => ce.HeapCompact(heap, 0)),
      { result: largest, error: 'untouched', rules: [], changed: true }
    )
    const rest = committedFree(world, heap)
    assert.ok(rest > 0 && rest < PAGE, 'what is left of the page that the block begins in')
    assert.equal(
      world.answer(() => ce.HeapCompact(heap, 0)),
      { result: rest, error: 'untouched', rules: [], changed: false }
    )
  }
})

everywhere(compact, 'HP-2, HI-1: gives back every page that lies wholly in free memory, and no other', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x40000)
  const blocks = Array.from({ length: 20 }, () => ce.HeapAlloc(heap, 0, 10_000))
  for (let n = 0; n < 20; n += 2) ce.HeapFree(heap, 0, blocks[n] as number)
  const holes = heapOf(world, heap).blocks.filter(({ state }) => state === 'free')
  const whole = (address: number, size: number): number => Math.max(0, Math.floor((address + size) / PAGE) - Math.ceil(address / PAGE))
  const start = heapOf(world, heap).regions[0]?.address ?? 0
  const end = start + Math.ceil((heapOf(world, heap).blocks.findLast(({ state }) => state === 'live')?.address ?? 0) + 10_000 - start)
  const expected = holes.filter(({ address }) => address < end).reduce((pages, { address, size }) => pages + whole(address, size), 0)
  const before = heapOf(world, heap).committed
  assert.is.not(ce.HeapCompact(heap, 0), 0)
  assert.is(before - heapOf(world, heap).committed, expected * PAGE)
  assert.is(
    world.process.snapshot().committed,
    world.process.snapshot().heaps.reduce((sum, { committed }) => sum + committed, 0)
  )
  for (let n = 1; n < 20; n += 2) assert.is(ce.HeapFree(heap, 0, blocks[n] as number), 1)
})

everywhere(compact, 'HP-2: live blocks keep their contents, and memory given back can be had again, zeroed', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x40000)
  const [first, hole, last] = [ce.HeapAlloc(heap, 0, 5000), ce.HeapAlloc(heap, 0, 50_000), ce.HeapAlloc(heap, 0, 5000)]
  for (const block of [first, last]) ce.memory.fill(block, 0x77, 5000)
  ce.memory.fill(hole, 0x88, 50_000)
  ce.HeapFree(heap, 0, hole)
  ce.HeapCompact(heap, 0)
  assert.throws(() => ce.memory.readU8(hole + 2 * PAGE), /access violation/)
  for (const block of [first, last]) assert.ok(ce.memory.read(block, 5000).every((byte) => byte === 0x77))
  const again = ce.HeapAlloc(heap, 0, 50_000)
  assert.is.not(again, 0)
  assert.is(ce.memory.readU8(again + 2 * PAGE), 0, 'C-19')
})

everywhere(compact, 'HI-8, C-42: a region that is wholly free goes back to the system, except the lowest', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0)
  const blocks: number[] = []
  while (heapOf(world, heap).regions.length < 3) blocks.push(ce.HeapAlloc(heap, 0, 10_000))
  for (const block of blocks) ce.HeapFree(heap, 0, block)
  assert.is(heapOf(world, heap).regions.length, 3, 'HeapFree alone gives no region back')
  const lowest = Math.min(...heapOf(world, heap).regions.map(({ address }) => address))
  ce.HeapCompact(heap, 0)
  const { regions, committed } = heapOf(world, heap)
  assert.equal(
    regions.map(({ address }) => address),
    [lowest]
  )
  assert.is(committed, 0)
  assert.is.not(ce.HeapAlloc(heap, 0, 10_000), 0)
})

everywhere(compact, 'HP-4, HP-6: a heap without committed free memory is 0 with the last error set to NO_ERROR', (world) => {
  const { ce } = world
  const empty = ce.HeapCreate(0, 0, 0)
  ce.HeapCompact(empty, 0)
  assert.equal(
    world.answer(() => ce.HeapCompact(empty, 0)),
    { result: 0, error: NO_ERROR, rules: [], changed: false }
  )
  const full = ce.HeapCreate(0, 0, 0x1000)
  ce.HeapAlloc(full, 0, heapOf(world, full).largestFree - (world.debug ? 32 : 0))
  assert.is(heapOf(world, full).largestFree, 0)
  assert.equal(
    world.answer(() => ce.HeapCompact(full, 0)),
    { result: 0, error: NO_ERROR, rules: [], changed: false }
  )
})

everywhere(compact, 'HP-4, C-4: a failure is 0 with its own error', (world) => {
  assert.equal(
    world.answer(() => world.ce.HeapCompact(0, 0)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-4'], changed: false }
  )
})

everywhere(compact, 'big blocks are never compacted away', (world) => {
  const { ce, heap } = world
  const big = ce.HeapAlloc(heap, 0, 0x48000)
  ce.memory.fill(big, 5, 0x48000)
  ce.HeapCompact(heap, 0)
  assert.ok(ce.memory.read(big, 0x48000).every((byte) => byte === 5))
})

everywhere(compact, 'FL-1, C-13: HEAP_NO_SERIALIZE is taken, other bits are ignored with a finding', (world) => {
  const { ce, heap } = world
  for (const [flags, rules] of [
    [HEAP_NO_SERIALIZE, []],
    [HEAP_ZERO_MEMORY, ['C-13']]
  ] as const) {
    assert.equal(world.answer(() => ce.HeapCompact(heap, flags)).rules, [...rules])
  }
})

compact.run()
