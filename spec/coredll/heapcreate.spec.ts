import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createProcess,
  ERROR_ACCESS_DENIED,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_SHARED_READONLY,
  HEAP_ZERO_MEMORY
} from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const heaps = suite('HeapCreate')

/** What a process holds: memory, heaps, blocks. */
function visible({ process }: World): unknown {
  const { peakCommitted, threads, ...rest } = process.snapshot()
  return rest
}

everywhere(heaps, 'HC-8: a heap gets a handle of its own that is neither NULL nor an address of a block', (world) => {
  const { ce } = world
  const handles = [world.heap, ...Array.from({ length: 10 }, (_, n) => ce.HeapCreate(0, 0, n % 2 === 0 ? 0 : 0x10000))]
  assert.is(new Set(handles).size, handles.length)
  for (const handle of handles) {
    assert.ok(handle > 0 && handle % 32 !== 0)
    assert.is.not(ce.HeapAlloc(handle, 0, 10), 0)
  }
})

everywhere(heaps, 'HC-2: the initial size is committed at once, rounded up to whole pages', (world) => {
  const { ce, process } = world
  for (const maximum of [0, 0x40000]) {
    for (const initial of [1, 4095, 4096, 4097, 20_000, 0x20000, 0x20001]) {
      const before = process.snapshot().committed
      const heap = ce.HeapCreate(0, initial, maximum)
      const pages = Math.ceil(initial / PAGE) * PAGE
      assert.is(heapOf(world, heap).committed, pages, `${initial} of ${maximum}`)
      assert.is(process.snapshot().committed, before + pages)
      ce.HeapDestroy(heap)
    }
  }
})

everywhere(heaps, 'C-27: an initial size of 0 commits one page', (world) => {
  for (const maximum of [0, PAGE, 0x10000]) assert.is(heapOf(world, world.ce.HeapCreate(0, 0, maximum)).committed, PAGE)
})

everywhere(heaps, 'HC-3: a maximum makes a fixed heap of one region of that size, rounded up to whole pages', (world) => {
  for (const maximum of [1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 0x7fff8, 0x100000]) {
    const heap = world.ce.HeapCreate(0, 0, maximum)
    const { regions, maximum: kept } = heapOf(world, heap)
    assert.is(kept, Math.ceil(maximum / PAGE) * PAGE)
    assert.equal(
      regions.map(({ size }) => size),
      [kept],
      String(maximum)
    )
    world.ce.HeapDestroy(heap)
  }
})

everywhere(heaps, 'HC-3: all blocks of a fixed heap lie in its one region, and when that is full it does not grow', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x10000)
  const blocks: number[] = []
  for (let block = ce.HeapAlloc(heap, 0, 1000); block !== 0; block = ce.HeapAlloc(heap, 0, 1000)) blocks.push(block)
  const { regions } = heapOf(world, heap)
  const start = regions[0]?.address ?? 0
  assert.is(regions.length, 1)
  for (const block of blocks) assert.ok(block > start && block + 1000 <= start + 0x10000)
  assert.ok(blocks.length > 50)
  assert.equal(
    world.answer(() => ce.HeapAlloc(heap, 0, 1000)),
    { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: [], changed: false }
  )
  ce.HeapFree(heap, 0, blocks[7] as number)
  assert.is(ce.HeapAlloc(heap, 0, 1000), blocks[7], 'what was freed can be had again')
})

everywhere(
  heaps,
  'HC-4: a maximum of 0 makes a heap that grows until memory is used up',
  (world) => {
    const { ce, process } = world
    const heap = ce.HeapCreate(0, 0, 0)
    let blocks = 0
    while (ce.HeapAlloc(heap, 0, 10_000) !== 0) blocks++
    const { regions, maximum } = heapOf(world, heap)
    assert.is(maximum, 0)
    assert.ok(regions.length > 1)
    assert.ok(blocks * 10_000 > 0.8 * (process.snapshot().memory - 0x10000), `${blocks} blocks`)
  },
  { memory: 2 * 1024 * 1024 }
)

everywhere(heaps, 'HC-1: sizes are DWORDs up to 0xFFFFFFFF, and rounding them up never wraps to a small heap', (world) => {
  const { ce } = world
  const before = visible(world)
  for (const [initial, maximum] of [
    [0, 0xffffffff],
    [0xffffffff, 0],
    [0xffffffff, 0xffffffff],
    [1, 0xfffff001],
    [0xfffff001, 0],
    [0x80000000, 0x80000000],
    [0, 0x80000000],
    [0x7fffffff, 0]
  ] as const) {
    const { result, error, rules } = world.answer(() => ce.HeapCreate(0, initial, maximum))
    assert.equal({ result, error, rules }, { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [] }, `${initial} ${maximum}`)
  }
  assert.equal(visible(world), before)
})

everywhere(heaps, 'C-10: an initial size above a nonzero maximum is NULL with error 87', (world) => {
  const { ce } = world
  for (const [initial, maximum] of [
    [0x10001, 0x10000],
    [2, 1],
    [0xffffffff, 1],
    [0xffffffff, 0xfffffffe]
  ] as const) {
    assert.equal(
      world.answer(() => ce.HeapCreate(0, initial, maximum)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
  assert.is.not(ce.HeapCreate(0, 0x10000, 0x10000), 0, 'as much as the maximum')
  assert.is.not(ce.HeapCreate(0, 0x20000, 0), 0, 'a growable heap has none')
})

everywhere(heaps, 'C-11: without address space HeapCreate is NULL with error 8, and nothing of the heap is left', (world) => {
  const { ce } = world
  const before = visible(world)
  for (const [initial, maximum] of [
    [0, 0x400000],
    [0, 0x3f0001],
    [0x400000, 0]
  ] as const) {
    const { result, error, rules } = world.answer(() => ce.HeapCreate(0, initial, maximum))
    assert.equal({ result, error, rules }, { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [] })
  }
  assert.equal(visible(world), before)
})

everywhere(
  heaps,
  'C-11: without physical memory HeapCreate is NULL with error 8, and nothing of the heap is left',
  (world) => {
    const { ce } = world
    const before = visible(world)
    for (const maximum of [0, 0x100000]) {
      const { result, error, rules } = world.answer(() => ce.HeapCreate(0, 0x10000, maximum))
      assert.equal({ result, error, rules }, { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [] })
    }
    assert.equal(visible(world), before)
    assert.is.not(ce.HeapCreate(0, 0, 0x100000), 0, 'a fixed heap reserves its maximum and commits its initial size')
  },
  { physical: 0x10000 }
)

everywhere(heaps, 'as many heaps as there is address space for, and again after some were destroyed', (world) => {
  const { ce } = world
  const made: number[] = []
  for (let heap = ce.HeapCreate(0, 0, PAGE); heap !== 0; heap = ce.HeapCreate(0, 0, PAGE)) made.push(heap)
  assert.is(ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
  assert.ok(made.length > 20 && made.length < 64)
  for (const heap of made.slice(0, 5)) assert.is(ce.HeapDestroy(heap), 1)
  const again = Array.from({ length: 5 }, () => ce.HeapCreate(0, 0, PAGE))
  assert.ok(
    again.every((heap) => heap !== 0 && !made.includes(heap)),
    'a new heap never has an old handle'
  )
  assert.is(ce.HeapCreate(0, 0, PAGE), 0)
})

everywhere(heaps, 'HC-9, FL-8, C-16: HEAP_SHARED_READONLY without kernel mode is NULL with error 5', (world) => {
  assert.is(HEAP_SHARED_READONLY, 0x1000, 'FL-10')
  assert.equal(
    world.answer(() => world.ce.HeapCreate(HEAP_SHARED_READONLY, 0, 0)),
    { result: 0, error: ERROR_ACCESS_DENIED, rules: ['C-16'], changed: false }
  )
  assert.equal(
    world.answer(() => world.ce.HeapCreate(HEAP_SHARED_READONLY, 2, 1)),
    { result: 0, error: ERROR_ACCESS_DENIED, rules: ['C-16'], changed: false }
  )
})

everywhere(
  heaps,
  'FL-10, C-16: 0x1000 makes an ordinary heap in a process with kernel mode',
  (world) => {
    const { ce } = world
    const heap = ce.HeapCreate(0x1000, 0, 0)
    assert.is.not(heap, 0)
    assert.equal(world.findings, [])
    assert.is(heapOf(world, heap).options, 0x1000)
    assert.is.not(ce.HeapAlloc(heap, 0, 100), 0)
  },
  { kernelMode: true }
)

heaps('HC-11: a heap belongs to its process: another has no such handle, or another heap by that number', () => {
  const [first, second] = [createProcess({ memory: 0x100000 }), createProcess({ memory: 0x100000 })]
  const heap = first.thread.HeapCreate(0, 0, 0)
  assert.is(second.thread.HeapAlloc(heap, 0, 10), 0)
  assert.is(second.thread.GetLastError(), ERROR_INVALID_PARAMETER)
  const before = first.imageHash()
  const same = second.thread.HeapCreate(0, 0, 0)
  assert.is(same, heap)
  const block = second.thread.HeapAlloc(same, HEAP_ZERO_MEMORY, 100)
  second.thread.memory.fill(block, 1, 100)
  second.thread.HeapDestroy(same)
  assert.is(first.imageHash(), before)
})

everywhere(
  heaps,
  "C-45, HC-10: a fixed heap's own structures take 64 bytes and two bits a granule of its start, committed at once",
  (world) => {
    const { ce } = world
    for (const [maximum, control] of [
      [0x1000, 96],
      [0x10000, 576],
      [0x100000, 8256],
      [0x7f000, 4128]
    ] as const) {
      const heap = ce.HeapCreate(0, 0, maximum)
      const { regions, blocks, committed, largestFree } = heapOf(world, heap)
      assert.equal(
        blocks.map(({ state }) => state),
        ['control', 'free']
      )
      assert.equal([blocks[0]?.address, blocks[0]?.size], [regions[0]?.address, control])
      assert.is(largestFree, maximum - control)
      assert.is(committed, Math.ceil(control / PAGE) * PAGE)
      ce.HeapDestroy(heap)
    }
  }
)

heaps('C-50: the handle of a destroyed heap names no other until 8,191 more have had its place', () => {
  const { thread: ce } = createProcess({ memory: 0x100000 })
  const first = ce.HeapCreate(0, 0, 0)
  ce.HeapDestroy(first)
  for (let n = 0; n < 8191; n++) {
    const heap = ce.HeapCreate(0, 0, 0)
    if (heap === first || heap === 0 || heap % 32 === 0 || ce.HeapDestroy(heap) !== 1) assert.unreachable(`heap ${n}`)
  }
  assert.is(ce.HeapAlloc(first, 0, 10), 0)
  assert.is(ce.HeapCreate(0, 0, 0), first)
})

heaps.run()
