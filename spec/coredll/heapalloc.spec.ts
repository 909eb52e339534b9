import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_CREATE_ENABLE_EXECUTE,
  HEAP_GENERATE_EXCEPTIONS,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { everywhere, filled, heapOf } from './world.ts'

const LIMIT = 0x7fff8
const SIZES = [
  0, 1, 31, 32, 33, 63, 64, 65, 100, 4095, 4096, 4097, 16_384, 16_385, 65_535, 65_536, 65_537, 0x18000, 0x18001, 196_608, 196_609
]

const alloc = suite('HeapAlloc')

everywhere(alloc, 'HA-1: gives an address in user memory that no other block overlaps, and leaves the last error alone', (world) => {
  const { ce, heap } = world
  const fixed = ce.HeapCreate(0, 0, 0x100000)
  const taken: [from: number, end: number][] = []
  for (const bytes of SIZES) {
    for (const handle of [heap, fixed]) {
      const { result = 0, error, rules } = world.answer(() => ce.HeapAlloc(handle, 0, bytes))
      assert.equal([error, rules], ['untouched', []], String(bytes))
      assert.ok(result >= 0x10000 && result + bytes <= world.process.snapshot().memory)
      taken.push([result, result + Math.max(bytes, 1)])
    }
  }
  taken.sort(([a], [b]) => a - b)
  for (let n = 1; n < taken.length; n++) assert.ok((taken[n - 1]?.[1] ?? 0) <= (taken[n]?.[0] ?? 0))
})

everywhere(alloc, 'HA-2, C-2: a fixed heap refuses 0x7FFF8 bytes and more with error 8, and says so', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x100000)
  for (const bytes of [LIMIT, LIMIT + 1, LIMIT + 8, 0x80000, 0x100000, 0x80000000, 0xfffffff8, 0xffffffff]) {
    assert.equal(
      world.answer(() => ce.HeapAlloc(heap, 0, bytes)),
      { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: ['W-16'], changed: false },
      String(bytes)
    )
    assert.match(world.findings.at(-1)?.message ?? '', String(bytes))
  }
  const largest = ce.HeapAlloc(heap, 0, LIMIT - 1)
  assert.is.not(largest, 0)
  assert.is(ce.HeapSize(heap, 0, largest), world.size(LIMIT - 1))
})

everywhere(alloc, 'HA-2: a growable heap has no such limit', ({ ce, heap }) => {
  for (const bytes of [LIMIT - 1, LIMIT, LIMIT + 1]) assert.is.not(ce.HeapAlloc(heap, 0, bytes), 0)
})

everywhere(alloc, 'HA-4, HA-5, C-37: a failure is NULL, with error 87 or 8, except that ce-5.0 leaves the last error alone', (world) => {
  const { ce } = world
  const full = ce.HeapCreate(0, 0, 0x1000)
  const silent = world.profile.name === 'ce-5.0'
  assert.equal(
    world.answer(() => ce.HeapAlloc(full, 0, 0x1000)),
    { result: 0, error: silent ? 'untouched' : 8, rules: [], changed: false }
  )
  assert.equal(
    world.answer(() => ce.HeapAlloc(0, 0, 10)),
    { result: 0, error: silent ? 'untouched' : 87, rules: ['C-4'], changed: false }
  )
  assert.equal([ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER], [8, 87])
})

everywhere(
  alloc,
  'HA-4: without physical memory the answer is NULL with error 8, and memory given back makes it work again',
  (world) => {
    const { ce, heap } = world
    const blocks: number[] = []
    for (let block = ce.HeapAlloc(heap, 0, 1000); block !== 0; block = ce.HeapAlloc(heap, 0, 1000)) blocks.push(block)
    const { result, error } = world.answer(() => ce.HeapAlloc(heap, 0, 1000))
    assert.equal([result, error], [0, world.allocError(ERROR_NOT_ENOUGH_MEMORY)])
    assert.equal(world.answer(() => ce.HeapAlloc(heap, 0, 0x40000)).result, 0, 'no big block either')
    assert.is(world.process.snapshot().committed, 0x10000)
    for (const block of blocks.slice(0, 10)) ce.HeapFree(heap, 0, block)
    assert.is.not(ce.HeapAlloc(heap, 0, 1000), 0)
  },
  { physical: 0x10000 }
)

everywhere(alloc, 'HA-6: the program may use all that HeapSize tells of', (world) => {
  const { ce, heap } = world
  const fixed = ce.HeapCreate(0, 0, 0x100000)
  const blocks = SIZES.flatMap((bytes, n) =>
    [heap, fixed].map((handle) => ({ handle, address: ce.HeapAlloc(handle, 0, bytes), mark: n + 1 }))
  )
  for (const { handle, address, mark } of blocks) ce.memory.fill(address, mark, ce.HeapSize(handle, 0, address))
  for (const { handle, address, mark } of blocks) {
    assert.ok(filled(ce, address, ce.HeapSize(handle, 0, address), mark))
    assert.is(ce.HeapValidate(handle, 0, address), 1)
    assert.is(ce.HeapFree(handle, 0, address), 1)
  }
  assert.equal(world.findings, [])
})

everywhere(alloc, 'HA-7: sizes are rounded up to 32 bytes, and a fixed heap is used up by that many', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x10000)
  const free = heapOf(world, heap).largestFree
  // One granule of sentinel a block on debug builds.
  const each = world.debug ? 64 : 32
  let blocks = 0
  while (ce.HeapAlloc(heap, 0, (blocks % 32) + 1) !== 0) blocks++
  assert.is(blocks, Math.floor(free / each))
})

everywhere(alloc, 'C-1: 0 bytes give a block of one granule, each a block of its own', (world) => {
  const { ce, heap } = world
  const [first, second] = [ce.HeapAlloc(heap, 0, 0), ce.HeapAlloc(heap, 0, 0)]
  assert.ok(first !== 0 && second !== 0 && Math.abs(first - second) >= 32)
  assert.is(ce.HeapSize(heap, 0, first), world.debug ? 0 : 32)
  assert.is(ce.HeapValidate(heap, 0, first), 1)
  assert.is(ce.HeapFree(heap, 0, first), 1)
  assert.is(ce.HeapFree(heap, 0, second), 1)
  const fixed = ce.HeapCreate(0, 0, 0x1000)
  assert.is.not(ce.HeapAlloc(fixed, HEAP_ZERO_MEMORY, 0), 0)
})

everywhere(alloc, 'C-3: sizes near 4 GB are NULL with error 8 and change nothing', (world) => {
  const { ce, heap } = world
  const fixed = ce.HeapCreate(0, 0, 0x10000)
  for (const bytes of [
    0x7fffffff, 0x80000000, 0x80000001, 0xffff0000, 0xfffff000, 0xfffff001, 0xffffffe0, 0xffffffe1, 0xfffffffe, 0xffffffff
  ]) {
    for (const flags of [0, HEAP_ZERO_MEMORY]) {
      const failure = { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), changed: false }
      assert.equal(
        world.answer(() => ce.HeapAlloc(heap, flags, bytes)),
        { ...failure, rules: [] },
        String(bytes)
      )
      assert.equal(
        world.answer(() => ce.HeapAlloc(fixed, flags, bytes)),
        { ...failure, rules: ['W-16'] },
        String(bytes)
      )
    }
  }
})

everywhere(
  alloc,
  'C-49: where no usual region fits any more the heap takes a smaller one, and a call that gets none leaves nothing behind',
  (world) => {
    const { ce, process } = world
    const heap = ce.HeapCreate(0, 0, 0)
    const rest = process.snapshot().memory - 0x10000 - 2 * world.profile.region
    ce.VirtualAlloc(0, rest - 0x10000, MEM_RESERVE, PAGE_READWRITE)
    for (let bytes = 4096; bytes >= 1; bytes = bytes >>> 1)
      while (heapOf(world, heap).regions.length === 1 && ce.HeapAlloc(heap, 0, bytes) !== 0);
    assert.equal(
      heapOf(world, heap).regions.map(({ size }) => size),
      [world.profile.region, 0x10000]
    )
    const before = process.snapshot()
    assert.is(ce.HeapAlloc(heap, 0, 0x10000), 0)
    assert.equal({ ...process.snapshot(), threads: [] }, { ...before, threads: [] })
  }
)

everywhere(
  alloc,
  'C-49: a region that cannot be committed is gone again',
  (world) => {
    const { ce, process } = world
    const heap = ce.HeapCreate(0, 0, 0)
    ce.HeapAlloc(heap, 0, 16_000)
    const before = process.snapshot()
    for (let n = 0; n < 3; n++) assert.is(ce.HeapAlloc(heap, 0, Math.min(world.profile.region, world.profile.bigBlock)), 0)
    assert.equal({ ...process.snapshot(), threads: [] }, { ...before, threads: [] })
  },
  { physical: 0x6000 }
)

everywhere(
  alloc,
  'FL-3: HEAP_ZERO_MEMORY zeroes a block that was used before, without it the old bytes are still there',
  ({ ce, heap }) => {
    for (const handle of [heap, ce.HeapCreate(0, 0, 0x100000)]) {
      for (const bytes of [1, 32, 100, 4096, 10_000]) {
        const old = ce.HeapAlloc(handle, 0, bytes)
        ce.memory.fill(old, 0xcc, bytes)
        ce.HeapFree(handle, 0, old)
        const same = ce.HeapAlloc(handle, 0, bytes)
        assert.is(same, old)
        assert.ok(filled(ce, same, bytes, 0xcc))
        ce.HeapFree(handle, 0, same)
        const zeroed = ce.HeapAlloc(handle, HEAP_ZERO_MEMORY, bytes)
        assert.is(zeroed, old)
        assert.ok(filled(ce, zeroed, ce.HeapSize(handle, 0, zeroed), 0), String(bytes))
        ce.HeapFree(handle, 0, zeroed)
      }
    }
  }
)

everywhere(alloc, 'FL-1, FL-5, C-13: HEAP_NO_SERIALIZE is taken, other bits are ignored with a finding', (world) => {
  const { ce, heap } = world
  const wanted: readonly (readonly [flags: number, rules: string[]])[] = [
    [HEAP_NO_SERIALIZE, []],
    [HEAP_NO_SERIALIZE | HEAP_ZERO_MEMORY, []],
    [HEAP_GENERATE_EXCEPTIONS, ['W-2']],
    [HEAP_REALLOC_IN_PLACE_ONLY, ['C-13']],
    [HEAP_CREATE_ENABLE_EXECUTE, ['C-13']],
    [0x80000000, ['C-13']],
    [0xfffffff6, ['W-2', 'C-13']]
  ]
  for (const [flags, rules] of wanted) {
    const { result, error, rules: raised } = world.answer(() => ce.HeapAlloc(heap, flags, 10))
    assert.is.not(result, 0)
    assert.equal([error, raised], ['untouched', rules], flags.toString(16))
  }
})

alloc.run()
