// The lists of free blocks of a segregated heap (heap/bins.ts), on the plain path: which block is taken, which place in its list a block has.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import type { ProcessOptions } from '../../src/index.ts'
import { COLD } from '../../src/machine/machine.ts'
import { type World, world } from './heaps.ts'

const MB = 1024 * 1024

function plain(maximum = MB, options: ProcessOptions = {}): World {
  const made = world({ placement: 'segregated', ...options }, maximum)
  made.ce.machine.hot = COLD
  return made
}

/** Allocates blocks of so many granules each, one behind the other; 0 is one granule that stays live. */
function row({ alloc }: World, ...granules: number[]): number[] {
  const blocks = granules.map((size) => ({ size, at: alloc((size || 1) * 32) }))
  alloc(32)
  return blocks.filter(({ size }) => size !== 0).map(({ at }) => at)
}

const taken = suite('segregated lists: which one serves a request')

taken('the lowest list all of whose blocks are large enough, whatever larger blocks are free', () => {
  const w = plain()
  const [a, b, c, d, e] = row(w, 132, 0, 200, 0, 40, 0, 2000, 0, 300) as [number, number, number, number, number]
  for (const p of [a, b, c, d, e]) w.free(p)
  assert.is(w.alloc(131 * 32), a, '131 granules: the list of 132 to 135')
  assert.is(w.alloc(33 * 32), c, '33 granules: the level of 32 to 63 before those above')
  assert.is(w.alloc(133 * 32), b)
  assert.is(w.alloc(201 * 32), e, '300 granules before 2,000')
  w.process.check()
})
taken.run()

const places = suite('segregated lists: the place of a block')

places('a block that grows within its list keeps its place there, whichever side it grows on', () => {
  // 128 to 131 granules are one list.
  for (const grows of ['front', 'back'] as const) {
    for (const which of [0, 1, 2]) {
      const w = plain()
      const walls = grows === 'front' ? [1, 129, 0] : [129, 1, 0]
      const blocks = row(w, ...walls, ...walls, ...walls)
      const pairs = [0, 2, 4].map((n) => (grows === 'front' ? [blocks[n + 1], blocks[n]] : [blocks[n], blocks[n + 1]]) as [number, number])
      // Freed last, listed first.
      for (const [large] of [...pairs].reverse()) w.free(large)
      const [large, small] = pairs[which] as [number, number]
      w.free(small)
      w.process.check()
      for (const [n, [other]] of pairs.entries()) {
        assert.is(w.alloc(128 * 32), n === which ? Math.min(large, small) : other, `${grows}, ${which}, ${n}`)
        w.process.check()
      }
    }
  }
})

places('a block that loses its front within its list keeps its place there', () => {
  const w = plain(MB, { memory: 2 * MB })
  const { process, alloc, free } = w
  // Free blocks of one list, 2,048 to 2,111 granules: the first has most of a page at its front, the second five granules.
  const [a, b] = [32, 4096 - 160].map((offset) => {
    const probe = alloc(32)
    const gap = (offset - ((probe + 32) % 4096) + 4096) % 4096
    if (gap > 0) alloc(gap)
    const block = alloc(2100 * 32)
    alloc(32)
    assert.is(block % 4096, offset)
    return block
  }) as [number, number]
  while (alloc(3000) !== 0);
  while (alloc(32) !== 0);
  free(a)
  free(b)
  w.ce.HeapCompact(w.heap, 0)
  // The second is the first of the list, but its front cannot be committed.
  process.setPhysical(process.snapshot().committed)
  const order = [alloc(320), alloc(320)]
  process.setPhysical(2 * MB)
  order.push(alloc(320))
  process.check()
  assert.equal(order, [a, a + 320, b])
})

places('a free touches no entry of the block map but those of its block', () => {
  const w = plain()
  const [a] = row(w, 0, 7, 0) as [number]
  const before = w.ce.machine.map.slice()
  w.free(a)
  const changed = new Set<number>()
  for (const [at, word] of w.ce.machine.map.entries()) if (word !== before[at]) changed.add(at >> 2)
  assert.equal([...changed], [a / 32, a / 32 + 6])
  w.process.check()
})
places.run()

const sound = suite('segregated lists: every invariant after every call')

const steps = fc.array(
  fc.record({
    call: fc.constantFrom('alloc', 'alloc', 'free', 'resize'),
    pick: fc.nat({ max: 1 << 20 }),
    granules: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 60, max: 140 }), fc.integer({ min: 1, max: 1100 }))
  }),
  { minLength: 250, maxLength: 250 }
)

sound('process.check() after each of many calls', () => {
  property(
    'heap/segregatedindex',
    steps,
    (calls) => {
      const { process, ce, heap, alloc, free } = plain(256 * 1024, { memory: MB })
      const live: number[] = []
      for (const { call, pick, granules } of calls) {
        const n = pick % Math.max(1, live.length)
        const p = live[n]
        if (call === 'alloc' || p === undefined) {
          const q = alloc(granules * 32)
          if (q !== 0) live.push(q)
        } else if (call === 'free') {
          free(p)
          live.splice(n, 1)
        } else live[n] = ce.HeapReAlloc(heap, 0, p, granules * 32) || p
        process.check()
      }
    },
    { runs: 8 }
  )
})
sound.run()
