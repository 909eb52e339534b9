// next-fit: CE 5.0's documented search (HI-2, C-25), against the naive list that naive.ts is.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess, HEAP_REALLOC_IN_PLACE_ONLY } from '../../src/index.ts'
import { property } from '../../fuzz/property.ts'
import { Pair, type Step } from './pair.ts'

const KB = 1024

/** A fixed next-fit heap, the address of its first block, and short names for the calls. */
function fixedHeap() {
  const ce = createProcess({ placement: 'next-fit', memory: 1024 * KB }).thread
  const heap = ce.HeapCreate(0, 0, 64 * KB)
  const alloc = (bytes: number): number => ce.HeapAlloc(heap, 0, bytes)
  const free = (pointer: number): void => assert.is(ce.HeapFree(heap, 0, pointer), 1)
  const resize = (pointer: number, bytes: number, flags = 0): number => ce.HeapReAlloc(heap, flags, pointer, bytes)
  return { ce, heap, alloc, free, resize }
}

const rover = suite('next-fit: where the next search starts (HI-2, C-25)')

rover('ce-5.0 places blocks by next-fit unless told otherwise, the other profiles do so when told (C-25)', () => {
  const placementOf = (options: Parameters<typeof createProcess>[0]) =>
    createProcess({ ...options, memory: 512 * KB }).snapshot().heaps[0]?.placement
  assert.is(placementOf({ profile: 'ce-5.0' }), 'next-fit')
  assert.is(placementOf({ profile: 'ce-5.0', placement: 'segregated' }), 'segregated')
  assert.is(placementOf({ profile: 'compact-2013', placement: 'next-fit' }), 'next-fit')
})

rover('a search starts at the block last allocated: a hole below it waits until the search has come round', () => {
  const { alloc, free } = fixedHeap()
  const [a, b, c] = [alloc(32), alloc(32), alloc(32)]
  free(a)
  assert.is(alloc(32), a, 'freed last, so the search starts there')
  free(a)
  assert.is(alloc(64), c + 32, 'too large for the hole: the first that fits behind it')
  assert.is(alloc(32), c + 96, 'goes on behind the block last allocated, past the hole')
  assert.is(b, a + 32)
})

rover('a search starts at the block last freed', () => {
  const { alloc, free } = fixedHeap()
  const blocks = Array.from({ length: 6 }, () => alloc(32))
  free(blocks[3] as number)
  free(blocks[1] as number)
  assert.is(alloc(32), blocks[1])
  assert.is(alloc(32), blocks[3])
})

rover('a freed block that merges is searched from the start of what it became', () => {
  const { alloc, free } = fixedHeap()
  const blocks = Array.from({ length: 6 }, () => alloc(32))
  free(blocks[1] as number)
  free(blocks[4] as number)
  free(blocks[2] as number)
  assert.is(alloc(64), blocks[1], 'blocks 1 and 2 are one free block now')
})

rover('the search goes round the end of the heap once and takes the first fit from the start', () => {
  const { ce, heap, alloc, free } = fixedHeap()
  const first = alloc(64)
  alloc(64)
  const rest = ce.HeapCompact(heap, 0)
  assert.is(rest > 0, true)
  let last = 0
  for (let p = alloc(1024); p !== 0; p = alloc(1024)) last = p
  free(first)
  free(last)
  assert.is(alloc(1024), last)
  assert.is(alloc(64) > last, true, 'what is left behind the last block')
  while (alloc(64) > last);
  assert.is(alloc(32), 0, 'every byte is taken: the search came round and ended')
})

rover('the tail that a shrink cuts off is where the next search starts', () => {
  const { alloc, resize } = fixedHeap()
  const a = alloc(256)
  alloc(32)
  alloc(32)
  assert.is(resize(a, 128), a)
  assert.is(alloc(64), a + 128)
})

rover('a block that grew in place is where the next search starts', () => {
  const { alloc, free, resize } = fixedHeap()
  const [a, b] = [alloc(64), alloc(64)]
  const c = alloc(64)
  const d = alloc(64)
  free(a)
  free(c)
  assert.is(resize(b, 96), b)
  assert.is(alloc(32), c + 32, 'the rest of the hole behind b, not the hole at a')
  assert.is(d, c + 64)
})

rover('a resize that changes no granule leaves the start of the search alone', () => {
  const { alloc, free, resize } = fixedHeap()
  const a = alloc(60)
  const b = alloc(32)
  alloc(32)
  free(b)
  assert.is(resize(a, 64), a)
  assert.is(alloc(32), b)
})

rover('a moving HeapReAlloc allocates, then frees the old block, and the search starts there', () => {
  const { alloc, resize } = fixedHeap()
  const a = alloc(64)
  const b = alloc(32)
  assert.is(resize(a, 128), b + 32)
  assert.is(alloc(32), a)
  assert.is(alloc(32), a + 32)
})

rover('a HeapReAlloc that may not move and fails leaves the start of the search alone', () => {
  const { alloc, free, resize } = fixedHeap()
  const a = alloc(64)
  const b = alloc(32)
  alloc(32)
  free(b)
  assert.is(resize(a, 128, HEAP_REALLOC_IN_PLACE_ONLY), 0)
  assert.is(alloc(32), b)
})

rover('HeapCompact that gives back a region moves the start of the search only if it lay there', () => {
  const ce = createProcess({ placement: 'next-fit', memory: 1024 * KB }).thread
  const heap = ce.HeapCreate(0, 0, 0)
  const alloc = (bytes: number): number => ce.HeapAlloc(heap, 0, bytes)
  const a = alloc(32)
  const b = alloc(32)
  const second = alloc(65_536 - 32)
  ce.HeapFree(heap, 0, second)
  ce.HeapFree(heap, 0, a)
  const c = alloc(1024)
  assert.is(c, b + 32, 'the search stands behind the hole at a')
  ce.HeapCompact(heap, 0)
  assert.is(alloc(32), c + 1024, 'and does so still')
})
rover.run()

interface Case {
  readonly maximum: number
  readonly debug: boolean
  readonly steps: readonly Step[]
}

/** Several spreads of sizes, so that some heaps hold many small blocks and others span many cells, units and groups of the index. */
const sizes: readonly fc.Arbitrary<number>[] = [
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 13 }).chain((bits) => fc.integer({ min: 1, max: 1 << bits })),
  fc.integer({ min: 0, max: 60_000 }),
  fc.constantFrom(32, 64, 96, 4096)
]

function stepsOf(bytes: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const call = fc.oneof(
    { weight: 50, arbitrary: fc.constant('alloc' as const) },
    { weight: 38, arbitrary: fc.constant('free' as const) },
    { weight: 12, arbitrary: fc.constant('realloc' as const) },
    { weight: 5, arbitrary: fc.constant('in place' as const) },
    { weight: 1, arbitrary: fc.constant('compact' as const) }
  )
  const step = fc.record({ call, heap: fc.nat({ max: 1 }), pick: fc.nat({ max: 1 << 20 }), bytes })
  return fc.array(step, { maxLength: 2000, size: 'max' })
}

const cases: fc.Arbitrary<Case> = fc.constantFrom(...sizes).chain((bytes) =>
  fc.record({
    // 0 is growable; 5 MB are 80 units of 64 KB: three groups of the index.
    maximum: fc.constantFrom(0, 0, 4 * KB, 52 * KB, 200 * KB, 5 * 1024 * KB),
    debug: fc.boolean(),
    steps: stepsOf(bytes)
  })
)

const oracle = suite('next-fit: equal to the naive list')

oracle(
  'over 100,000 calls on fixed and growable heaps of every fill each pointer is the one that the naive list gives (HI-2, C-25, HI-8)',
  () => {
    let calls = 0
    property(
      'heap/nextfit',
      cases,
      ({ maximum, debug, steps }) => {
        const process = createProcess({
          placement: 'next-fit',
          memory: maximum > KB * KB ? 12 * KB * KB : 2 * KB * KB,
          build: debug ? 'debug' : 'retail'
        })
        // Two heaps side by side: their regions lie between each other.
        const pairs = [new Pair(process, maximum, debug), new Pair(process, maximum, debug)] as const
        for (const step of steps) {
          pairs[step.heap === 0 ? 0 : 1].step(step)
          calls++
        }
        process.check()
      },
      { runs: 140 }
    )
    assert.ok(calls >= 100_000, `${calls} calls`)
  }
)

oracle('a heap of many small blocks gives the pointers of the naive list through fills and drains', () => {
  const process = createProcess({ placement: 'next-fit', memory: 2 * KB * KB })
  const pair = new Pair(process, 512 * KB, false)
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 1500; n++) pair.step({ call: 'alloc', heap: 0, pick: 0, bytes: 1 + (random() % 300) })
    for (let n = 0; n < 1200; n++)
      pair.step({ call: random() % 8 === 0 ? 'realloc' : 'free', heap: 0, pick: random(), bytes: 1 + (random() % 300) })
  }
  process.check()
})
oracle.run()
