// What every block has in common: alignment, rounding, staying where it is.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Finding, HEAP_ZERO_MEMORY, type Placement } from '../../src/index.ts'
import { blockFigures } from '../../src/heap/walk.ts'
import { type World, world } from './heaps.ts'

const sizes = [0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 1000, 4095, 4096, 4097, 65_535, 65_536, 100_000]

/** Worlds of every kind of heap, with a heap that holds all of `sizes` at once. */
const kinds: readonly [string, () => World][] = (['segregated', 'next-fit'] satisfies Placement[]).flatMap((placement) =>
  (['retail', 'debug'] as const).flatMap((build) =>
    [0, 0x80000].map((maximum): [string, () => World] => [
      `${placement}, ${build}, ${maximum === 0 ? 'growable' : 'fixed'}`,
      () => world({ placement, build }, maximum)
    ])
  )
)

const blocks = suite('blocks')

for (const [kind, make] of kinds) {
  blocks(`C-22: every pointer is a multiple of 32, and using it so is not reported [${kind}]`, () => {
    const { process, ce, heap, alloc, free } = make()
    const findings: Finding[] = []
    process.onFinding((finding) => findings.push(finding))
    const pointers = sizes.map((bytes) => alloc(bytes))
    for (const p of pointers) assert.ok(p !== 0 && p % 32 === 0)
    const moved = pointers.map((p, n) => ce.HeapReAlloc(heap, 0, p, (sizes[n] as number) + 40))
    for (const p of moved) assert.ok(p !== 0 && p % 32 === 0)
    for (const p of moved) ce.memory.fill(p, 1, 8)
    for (const p of moved) assert.is(free(p), 1)
    assert.equal(findings, [])
  })

  blocks(`HA-7, HA-6: a block takes the next multiple of 32 bytes, 32 at least [${kind}]`, () => {
    const { info, alloc } = make()
    const guard = kind.includes('debug') ? 32 : 0
    for (const bytes of sizes.filter((each) => each <= 0x10000)) {
      const p = alloc(bytes)
      assert.is(info().blocks.find(({ address }) => address === p)?.size, Math.max(32, Math.ceil(bytes / 32) * 32) + guard)
    }
  })

  blocks(`HA-3, HI-1: a block stays where it is while others come, go and are compacted [${kind}]`, () => {
    const { ce, heap, alloc, free } = make()
    const kept: [number, number][] = []
    for (let n = 0; n < 40; n++) {
      const p = alloc(200 + n)
      const q = alloc(300 + n)
      ce.memory.fill(p, n + 1, 200 + n)
      kept.push([p, n])
      free(q)
      if (n % 10 === 9) ce.HeapCompact(heap, 0)
    }
    for (const [p, n] of kept) {
      assert.is(ce.HeapValidate(heap, 0, p), 1)
      assert.ok(ce.memory.read(p, 200 + n).every((byte) => byte === n + 1))
    }
  })

  blocks(`FL-3: HEAP_ZERO_MEMORY gives zeroes where another block was, all that HeapSize tells [${kind}]`, () => {
    const { ce, heap, alloc, free } = make()
    const used = alloc(30_000)
    ce.memory.fill(used, 0x99, 30_000)
    free(used)
    for (const bytes of [1, 33, 5000]) {
      const p = alloc(bytes, HEAP_ZERO_MEMORY)
      assert.ok(ce.memory.read(p, ce.HeapSize(heap, 0, p)).every((byte) => byte === 0))
    }
  })
}
blocks('a snapshot tells of a block whether it has holes, and of a heap the most that it ever had; its free bytes add up', () => {
  const { ce, heap, info, alloc, free } = world()
  const [hole, second, big] = [alloc(3 * 4096), alloc(320), alloc(100_000)]
  alloc(32)
  const { committed: peak, liveBytes: most } = info()
  for (const p of [hole, second]) free(p)
  const told = (): readonly unknown[] => info().blocks.map(({ address, state, holes }) => [address === big, state, holes])
  assert.equal(told(), [
    [false, 'free', false],
    [false, 'live', false],
    [false, 'free', true],
    [true, 'big', false]
  ])
  ce.HeapCompact(heap, 0)
  assert.equal(told()[0], [false, 'free', true])
  free(big)
  assert.ok(info().committed < peak)
  assert.equal([info().peakCommitted, info().peakBytes], [peak, most])
  assert.equal(blockFigures(info().blocks), { liveBlocks: 1, freeBytes: 0x10000 - 32, largestFree: 0x10000 - 32 - 3 * 4096 - 320 })
})
blocks.run()
