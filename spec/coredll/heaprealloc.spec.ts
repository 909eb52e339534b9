import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_GENERATE_EXCEPTIONS,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY
} from '../../src/index.ts'
import { everywhere, filled, heapOf } from './world.ts'
import type { World } from './world.ts'

const IN_PLACE = HEAP_REALLOC_IN_PLACE_ONLY
const realloc = suite('HeapReAlloc')

/** The n-th byte of a text that repeats at no granule or page. */
const letter = (n: number): number => (n * 31 + (n >>> 8)) & 0xff

function write({ ce }: World, address: number, bytes: number): void {
  ce.memory.write(
    address,
    Uint8Array.from({ length: bytes }, (_, n) => letter(n))
  )
}

function holds({ ce }: World, address: number, bytes: number): boolean {
  return ce.memory.read(address, bytes).every((byte, n) => byte === letter(n))
}

/** A block of `bytes` with a live block right behind it, so that it cannot grow where it is. */
function walled({ ce }: World, heap: number, bytes: number): number {
  const block = ce.HeapAlloc(heap, 0, bytes)
  ce.HeapAlloc(heap, 0, 32)
  return block
}

everywhere(realloc, 'HR-4, HR-8: larger and smaller sizes keep what both have, and the whole block is usable', (world) => {
  const { ce, heap } = world
  const sizes = [1, 33, 500, 32, 4096, 20_000, 5000, 70_000, 0x18001, 65_536, 300_000, 200_000, 196_609, 16_385, 10, 1]
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x200000)]) {
    let bytes = 100
    let block = ce.HeapAlloc(handle, 0, bytes)
    write(world, block, bytes)
    for (const next of sizes) {
      block = ce.HeapReAlloc(handle, 0, block, next)
      assert.is.not(block, 0)
      assert.ok(holds(world, block, Math.min(bytes, next)), `${bytes} to ${next}`)
      assert.ok(ce.HeapSize(handle, 0, block) >= next)
      ce.memory.fill(block, 0, ce.HeapSize(handle, 0, block))
      write(world, block, next)
      bytes = next
      assert.is(ce.HeapValidate(handle, 0, 0), 1)
    }
    assert.is(heapOf(world, handle).liveBlocks, 1)
  }
})

everywhere(realloc, 'HR-1: leaves the last error alone when it succeeds', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  for (const bytes of [100, 50, 200, 100_000, 0]) {
    const before = heapOf(world, heap).blocks.find(({ state }) => state === 'live' || state === 'big')?.address ?? block
    const { error, rules } = world.answer(() => ce.HeapReAlloc(heap, 0, before, bytes))
    assert.equal([error, rules], ['untouched', []])
  }
})

everywhere(realloc, 'HR-5: growth moves a block that has no room behind it, and the old address is free then', (world) => {
  const { ce } = world
  for (const heap of [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x40000)]) {
    const block = walled(world, heap, 100)
    const moved = ce.HeapReAlloc(heap, 0, block, 1000)
    assert.ok(moved !== 0 && moved !== block)
    assert.is(ce.HeapFree(heap, 0, block), 0)
    assert.is(ce.HeapFree(heap, 0, moved), 1)
  }
})

everywhere(realloc, 'FL-4, HR-2: HEAP_REALLOC_IN_PLACE_ONLY grows into free memory behind the block', (world) => {
  const { ce } = world
  for (const heap of [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x40000)]) {
    const block = ce.HeapAlloc(heap, 0, 100)
    for (const bytes of [150, 5000, 16_000]) {
      assert.is(ce.HeapReAlloc(heap, IN_PLACE, block, bytes), block)
      assert.is(ce.HeapSize(heap, 0, block), world.size(bytes))
    }
  }
})

everywhere(
  realloc,
  'FL-4, HR-2: HEAP_REALLOC_IN_PLACE_ONLY fails with error 8 where the block cannot grow, and changes nothing',
  (world) => {
    const { ce } = world
    for (const heap of [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x40000)]) {
      const block = walled(world, heap, 100)
      write(world, block, 100)
      for (const bytes of [200, 10_000, 0x18001, 300_000]) {
        assert.equal(
          world.answer(() => ce.HeapReAlloc(heap, IN_PLACE, block, bytes)),
          { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
        )
      }
      assert.ok(holds(world, block, 100))
      assert.is(ce.HeapSize(heap, 0, block), world.size(100))
    }
  }
)

everywhere(realloc, 'FL-4: HEAP_REALLOC_IN_PLACE_ONLY never stands in the way of shrinking, a big block included', (world) => {
  const { ce, heap } = world
  for (const bytes of [100, 5000, 0x40000]) {
    const block = walled(world, heap, bytes)
    for (let next = bytes; next > 0; next = next >>> 1) {
      assert.is(ce.HeapReAlloc(heap, IN_PLACE, block, next), block)
      assert.is(ce.HeapSize(heap, 0, block), world.size(next))
    }
  }
})

everywhere(realloc, 'a big block grows in place to the end of its pages and no further', (world) => {
  const { ce, heap } = world
  const big = ce.HeapAlloc(heap, 0, 0x40001)
  const room = 0x41000 - (world.debug ? 32 : 0)
  assert.is(ce.HeapReAlloc(heap, IN_PLACE, big, room), big)
  assert.is(ce.HeapReAlloc(heap, IN_PLACE, big, room + 1), 0)
  const moved = ce.HeapReAlloc(heap, 0, big, room + 1)
  assert.ok(moved !== 0 && moved !== big)
})

everywhere(realloc, 'HR-2: HEAP_ZERO_MEMORY zeroes what is added and leaves the contents alone, moved or in place', (world) => {
  const { ce } = world
  for (const heap of [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x100000)]) {
    for (const place of [ce.HeapAlloc.bind(ce, heap, 0), (bytes: number) => walled(world, heap, bytes)]) {
      for (const [bytes, next] of [
        [32, 64],
        [64, 5000],
        [4096, 20_000],
        [96, 130_000]
      ] as const) {
        const dirty = ce.HeapAlloc(heap, 0, 150_000)
        ce.memory.fill(dirty, 0xdd, 150_000)
        ce.HeapFree(heap, 0, dirty)
        const block = place(bytes)
        write(world, block, bytes)
        const grown = ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, next)
        assert.is.not(grown, 0)
        assert.ok(holds(world, grown, bytes))
        assert.ok(filled(ce, grown + bytes, ce.HeapSize(heap, 0, grown) - bytes, 0), `${bytes} to ${next}`)
        ce.HeapFree(heap, 0, grown)
      }
    }
  }
})

everywhere(realloc, 'HR-10, C-18: HEAP_ZERO_MEMORY zeroes from the rounded old size on retail, from the exact one on debug', (world) => {
  const { ce } = world
  for (const [heap, bytes, next] of [
    [ce.HeapCreate(0, 0, 0), 40, 4000],
    [ce.HeapCreate(0, 0, 0x10000), 33, 100],
    [world.heap, 0x40001, 0x48000]
  ] as const) {
    const block = ce.HeapAlloc(heap, 0, bytes)
    const known = ce.HeapSize(heap, 0, block)
    ce.memory.fill(block, 0xaa, known)
    const grown = ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, next)
    assert.ok(filled(ce, grown, known, 0xaa), 'the slack that a retail build lets the program use is its own')
    assert.ok(filled(ce, grown + known, next - known, 0))
    assert.is(known, world.size(bytes))
  }
})

everywhere(realloc, 'HR-2: without HEAP_ZERO_MEMORY nothing is zeroed', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x10000)
  const dirty = ce.HeapAlloc(heap, 0, 5000)
  ce.memory.fill(dirty, 0xdd, 5000)
  ce.HeapFree(heap, 0, dirty)
  const block = ce.HeapAlloc(heap, 0, 32)
  assert.is(block, dirty)
  const grown = ce.HeapReAlloc(heap, 0, block, 4000)
  // Behind the first block's sentinel on debug builds.
  assert.ok(filled(ce, grown + 64, 3936, 0xdd))
})

everywhere(realloc, 'C-7: 0 bytes give a block of one granule; nothing is freed', (world) => {
  const { ce, heap } = world
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x100000)]) {
    for (const bytes of [100, 5000, 0x48000]) {
      for (const flags of [0, IN_PLACE]) {
        const block = ce.HeapAlloc(handle, 0, bytes)
        const small = ce.HeapReAlloc(handle, flags, block, 0)
        assert.is.not(small, 0)
        assert.is(ce.HeapSize(handle, 0, small), world.debug ? 0 : 32)
        assert.is(ce.HeapValidate(handle, 0, small), 1)
        assert.is(ce.HeapFree(handle, 0, small), 1)
      }
    }
  }
})

everywhere(realloc, 'HR-6, HR-7, C-8: a failure is NULL with error 8 in every profile, and the old block is untouched', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x4000)
  const block = walled(world, heap, 1000)
  write(world, block, 1000)
  for (const flags of [0, HEAP_ZERO_MEMORY, IN_PLACE]) {
    assert.equal(
      world.answer(() => ce.HeapReAlloc(heap, flags, block, 0x3fff)),
      { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
    )
  }
  assert.ok(holds(world, block, 1000))
  assert.is(ce.HeapSize(heap, 0, block), world.size(1000))
  assert.is(ce.HeapFree(heap, 0, block), 1)
})

everywhere(
  realloc,
  'HR-7, C-8: without physical memory the old block is untouched too',
  (world) => {
    const { ce, heap } = world
    const block = walled(world, heap, 1000)
    write(world, block, 1000)
    for (const bytes of [0x10000, 0x48000]) {
      const { result, error } = world.answer(() => ce.HeapReAlloc(heap, 0, block, bytes))
      assert.equal([result, error], [0, ERROR_NOT_ENOUGH_MEMORY])
      assert.ok(holds(world, block, 1000))
      assert.is(ce.HeapSize(heap, 0, block), world.size(1000))
    }
  },
  { physical: 0x8000 }
)

everywhere(realloc, 'C-9: a fixed heap refuses 0x7FFF8 bytes and more with error 8, and the old block stays', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0, 0x100000)
  const block = ce.HeapAlloc(heap, 0, 100)
  write(world, block, 100)
  for (const bytes of [0x7fff8, 0x7fff9, 0x80000, 0xffffffff]) {
    for (const flags of [0, IN_PLACE]) {
      assert.equal(
        world.answer(() => ce.HeapReAlloc(heap, flags, block, bytes)),
        { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: ['W-16'], changed: false }
      )
    }
  }
  assert.ok(holds(world, block, 100))
  assert.is.not(ce.HeapReAlloc(heap, 0, block, 0x7fff7), 0)
})

everywhere(realloc, 'C-3: sizes near 4 GB are NULL with error 8 and change nothing', (world) => {
  const { ce, heap } = world
  for (const old of [10, 0x48000]) {
    const block = ce.HeapAlloc(heap, 0, old)
    for (const bytes of [0x80000000, 0xffffffe0, 0xffffffe1, 0xffffffff]) {
      for (const flags of [0, HEAP_ZERO_MEMORY, IN_PLACE]) {
        assert.equal(
          world.answer(() => ce.HeapReAlloc(heap, flags, block, bytes)),
          { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
        )
      }
    }
  }
})

everywhere(realloc, 'HR-3, C-6: NULL is not an allocation as with realloc, but NULL with error 87', (world) => {
  assert.equal(
    world.answer(() => world.ce.HeapReAlloc(world.heap, 0, 0, 100)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-6'], changed: false }
  )
})

everywhere(realloc, 'FL-1, FL-5, C-13: HEAP_NO_SERIALIZE is taken, other bits are ignored with a finding', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  for (const [flags, rules] of [
    [HEAP_NO_SERIALIZE, []],
    [HEAP_GENERATE_EXCEPTIONS, ['W-2']],
    [2, ['C-13']],
    [0x80000020, ['C-13']]
  ] as const) {
    const { result, error, rules: raised } = world.answer(() => ce.HeapReAlloc(heap, flags, block, 50))
    assert.equal([result, error, raised], [block, 'untouched', rules], flags.toString(16))
  }
  assert.equal(
    world.findings.map(({ call }) => call),
    ['HeapReAlloc', 'HeapReAlloc', 'HeapReAlloc']
  )
})

everywhere(realloc, 'C-48: a block stays where it is when it shrinks, and when free memory right behind it suffices', (world) => {
  const { ce } = world
  for (const heap of [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x40000)]) {
    const [block, hole] = [ce.HeapAlloc(heap, 0, 1000), ce.HeapAlloc(heap, 0, 3000)]
    ce.HeapAlloc(heap, 0, 32)
    for (const bytes of [900, 32, 0, 1000]) assert.is(ce.HeapReAlloc(heap, 0, block, bytes), block)
    ce.HeapFree(heap, 0, hole)
    const room = hole - block + 3008
    assert.is(ce.HeapReAlloc(heap, 0, block, room), block)
    assert.is.not(ce.HeapReAlloc(heap, 0, block, room + (world.debug ? 33 : 1)), block)
  }
})

everywhere(
  realloc,
  'C-48: a big block that shrinks to an ordinary size moves into the heap, or stays where there is no room: shrinking never fails',
  (world) => {
    const { ce } = world
    const heap = ce.HeapCreate(0, 0, 0)
    const threshold = world.profile.bigBlock
    const [first, second] = [ce.HeapAlloc(heap, 0, threshold + 1), ce.HeapAlloc(heap, 0, threshold + 1)]
    write(world, first, 1000)
    write(world, second, 1000)
    const state = (address: number): string | undefined => heapOf(world, heap).blocks.find((block) => block.address === address)?.state
    const moved = ce.HeapReAlloc(heap, 0, first, threshold)
    assert.equal([state(second), state(moved)], ['big', 'live'])
    assert.ok(holds(world, moved, 1000))
    while (ce.HeapCreate(0, 0, 0x10000) !== 0);
    for (let bytes = threshold; bytes >= 1; bytes = bytes >>> 1) while (ce.HeapAlloc(heap, 0, bytes) !== 0);
    assert.is(ce.HeapAlloc(heap, 0, 1000), 0)
    assert.is(ce.HeapReAlloc(heap, 0, second, 1000), second)
    assert.ok(holds(world, second, 1000))
    assert.is(ce.HeapSize(heap, 0, second), world.size(1000))
  }
)

realloc.run()
