import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_INVALID_PARAMETER, HEAP_GENERATE_EXCEPTIONS, HEAP_NO_SERIALIZE, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'

const free = suite('HeapFree')

everywhere(free, 'HF-5: nonzero for success, and the last error is left alone', (world) => {
  const { ce, heap } = world
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x100000)]) {
    for (const bytes of [0, 1, 100, 5000, 0x20000, 0x48000]) {
      const block = ce.HeapAlloc(handle, 0, bytes)
      assert.equal(
        world.answer(() => ce.HeapFree(handle, 0, block)),
        { result: 1, error: 'untouched', rules: [], changed: true }
      )
    }
  }
})

everywhere(free, 'HF-5, C-5: zero with error 87 for the second free of a block', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  assert.is(ce.HeapFree(heap, 0, block), 1)
  assert.equal(
    world.answer(() => ce.HeapFree(heap, 0, block)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-5'], changed: false }
  )
})

everywhere(free, 'HF-3: a NULL heap is zero with error 87', (world) => {
  const block = world.ce.HeapAlloc(world.heap, 0, 100)
  assert.equal(
    world.answer(() => world.ce.HeapFree(0, 0, block)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-4'], changed: false }
  )
})

everywhere(free, 'HF-4: NULL is refused, which desktop Windows allows, and the finding says so', (world) => {
  assert.equal(
    world.answer(() => world.ce.HeapFree(world.heap, 0, 0)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-5'], changed: false }
  )
  assert.match(world.findings.at(-1)?.message ?? '', /NULL.*unlike desktop Windows/)
})

everywhere(free, 'HF-2, C-13: HEAP_NO_SERIALIZE is taken, the reserved bits are ignored with a finding', (world) => {
  const { ce, heap } = world
  for (const [flags, rules] of [
    [HEAP_NO_SERIALIZE, []],
    [HEAP_ZERO_MEMORY, ['C-13']],
    [HEAP_GENERATE_EXCEPTIONS, ['W-2']],
    [0xffffffff, ['W-2', 'C-13']]
  ] as const) {
    const block = ce.HeapAlloc(heap, 0, 100)
    const { result, error, rules: raised } = world.answer(() => ce.HeapFree(heap, flags, block))
    assert.equal([result, error, raised], [1, 'untouched', rules], flags.toString(16))
  }
})

everywhere(free, 'what is freed in any order is one free block again', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x10000)
  const { largestFree } = heapOf(world, heap)
  for (const order of [(n: number) => n, (n: number) => 19 - n, (n: number) => (n * 7) % 20]) {
    const blocks = Array.from({ length: 20 }, (_, n) => ce.HeapAlloc(heap, 0, 50 * n))
    for (let n = 0; n < 20; n++) assert.is(ce.HeapFree(heap, 0, blocks[order(n)] as number), 1)
    assert.is(heapOf(world, heap).largestFree, largestFree)
  }
  assert.is(heapOf(world, heap).liveBlocks, 0)
})

everywhere(free, 'C-47: the pages of a region stay committed until HeapCompact or HeapDestroy', (world) => {
  const { ce } = world
  for (const maximum of [0, 0x40000]) {
    const heap = ce.HeapCreate(0, 0, maximum)
    const blocks = Array.from({ length: 10 }, () => ce.HeapAlloc(heap, 0, 5000))
    const { committed } = heapOf(world, heap)
    for (const block of blocks) ce.HeapFree(heap, 0, block)
    assert.is(heapOf(world, heap).committed, committed)
    ce.HeapCompact(heap, 0)
    assert.ok(heapOf(world, heap).committed <= 4096)
  }
})

everywhere(free, 'C-47: a big block goes back to the system at once', (world) => {
  const { ce, heap } = world
  const before = world.process.snapshot().committed
  const block = ce.HeapAlloc(heap, 0, 0x80000)
  ce.memory.fill(block, 1, 0x80000)
  assert.is(ce.HeapFree(heap, 0, block), 1)
  assert.is(world.process.snapshot().committed, before)
  assert.throws(() => ce.memory.readU8(block), /access violation/)
})

free.run()
