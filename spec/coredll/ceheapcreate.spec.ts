// Heaps on pages that the program provides. What hostile callbacks can and cannot do stands in spec/heap/lent.spec.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE
} from '../../src/index.ts'
import { provider } from './provider.ts'
import { everywhere, filled, heapOf } from './world.ts'

const PAGE = 4096
const create = suite('CeHeapCreate')

everywhere(create, 'CH-1: makes a heap that all Heap calls take', (world) => {
  const { ce } = world
  const { alloc, free } = provider(world)
  const { result: heap = 0, error, rules } = world.answer(() => ce.CeHeapCreate(0, 0, 0, alloc, free))
  assert.is.not(heap, 0)
  assert.equal([error, rules], ['untouched', []])
  const block = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 10_000)
  assert.ok(filled(ce, block, 10_000, 0))
  assert.is(ce.HeapSize(heap, 0, block), world.size(10_000))
  const larger = ce.HeapReAlloc(heap, 0, block, 30_000)
  assert.is(ce.HeapValidate(heap, 0, larger), 1)
  assert.is(ce.HeapFree(heap, 0, larger), 1)
  assert.is.not(ce.HeapCompact(heap, 0), 0)
  assert.is(ce.HeapDestroy(heap), 1)
  assert.equal(world.findings, [])
})

everywhere(create, 'CH-2, C-34: options other than 0 are NULL with error 87, and no page is asked for', (world) => {
  const { alloc, free, asked } = provider(world)
  for (const options of [1, 4, 0x1000, 0x40000, 0xffffffff]) {
    assert.equal(
      world.answer(() => world.ce.CeHeapCreate(options, 0, 0, alloc, free)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
  assert.equal(asked, [])
})

everywhere(create, 'CH-3: the sizes of HeapCreate: initial and maximum in pages, an initial size above the maximum is NULL', (world) => {
  const { ce } = world
  const { alloc, free, asked } = provider(world)
  for (const [initial, maximum] of [
    [0, 0],
    [1, 0],
    [5000, 0],
    [0x20001, 0],
    [0, 1],
    [1, 4097],
    [0x8000, 0x40000]
  ] as const) {
    const [own, system] = [ce.CeHeapCreate(0, initial, maximum, alloc, free), ce.HeapCreate(0, initial, maximum)]
    const [one, other] = [own, system].map((heap) => heapOf(world, heap))
    assert.equal(
      [one?.maximum, one?.committed, one?.largestFree],
      [other?.maximum, other?.committed, other?.largestFree],
      `${initial} ${maximum}`
    )
    assert.equal(
      one?.regions.map(({ size }) => size),
      other?.regions.map(({ size }) => size)
    )
    for (const heap of [own, system]) ce.HeapDestroy(heap)
  }
  asked.length = 0
  assert.equal(
    world.answer(() => ce.CeHeapCreate(0, 2, 1, alloc, free)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
  )
  assert.equal(asked, [])
})

everywhere(create, 'CH-3, HA-2: a fixed one refuses 0x7FFF8 bytes, and a growable one takes big blocks from its own pages too', (world) => {
  const { ce } = world
  const { alloc, free } = provider(world)
  const fixed = ce.CeHeapCreate(0, 0, 0x100000, alloc, free)
  assert.equal(
    world.answer(() => ce.HeapAlloc(fixed, 0, 0x7fff8)),
    { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: ['W-16'], changed: false }
  )
  assert.is.not(ce.HeapAlloc(fixed, 0, 0x7fff7), 0)
  const growable = ce.CeHeapCreate(0, 0, 0, alloc, free)
  const big = ce.HeapAlloc(growable, 0, 0x48000)
  assert.is(heapOf(world, growable).blocks.find(({ address }) => address === big)?.state, 'live')
  assert.is(
    world.process.snapshot().reservations.some(({ address, size }) => big >= address && big < address + size),
    true
  )
})

everywhere(
  create,
  'CH-4, C-43: pfnAlloc(0, size, MEM_RESERVE) gives a reservation, pfnAlloc(address, size, MEM_COMMIT) the pages of it as they are needed',
  (world) => {
    const { ce } = world
    const { alloc, free, asked } = provider(world)
    const heap = ce.CeHeapCreate(0, 0, 0, alloc, free)
    const base = heapOf(world, heap).regions[0]?.address ?? 0
    const size = heapOf(world, heap).regions[0]?.size ?? 0
    assert.equal(asked.splice(0), [
      { which: 'alloc', address: 0, size, action: MEM_RESERVE },
      { which: 'alloc', address: base, size: PAGE, action: MEM_COMMIT }
    ])
    ce.HeapAlloc(heap, 0, 100)
    assert.equal(asked, [], 'committed pages are enough')
    const block = ce.HeapAlloc(heap, 0, 3 * PAGE)
    const [commit, ...more] = asked.splice(0)
    assert.equal(more, [])
    assert.equal([commit?.which, commit?.action], ['alloc', MEM_COMMIT])
    const [from, end] = [commit?.address ?? 0, (commit?.address ?? 0) + (commit?.size ?? 0)]
    assert.ok(
      from % PAGE === 0 && end % PAGE === 0 && from <= block && end >= block + 3 * PAGE && end <= base + size,
      'whole pages of the reservation'
    )
    ce.HeapAlloc(heap, 0, size)
    assert.equal(
      asked.map(({ address, action }) => [address, action]).slice(0, 1),
      [[0, MEM_RESERVE]],
      'a further region is a further reservation'
    )
  }
)

everywhere(create, 'CH-4, C-43: pfnFree gives pages back at HeapCompact, and everything at HeapDestroy, decommitted first', (world) => {
  const { ce, process } = world
  const { alloc, free, asked } = provider(world)
  const before = process.snapshot()
  const heap = ce.CeHeapCreate(0, 0x8000, 0x20000, alloc, free)
  const base = heapOf(world, heap).regions[0]?.address ?? 0
  asked.length = 0
  ce.HeapCompact(heap, 0)
  const [decommit, ...more] = asked.splice(0)
  assert.equal(more, [])
  assert.equal([decommit?.which, decommit?.action], ['free', MEM_DECOMMIT])
  assert.equal([(decommit?.address ?? 0) % PAGE, (decommit?.size ?? 0) % PAGE], [0, 0])
  assert.ok(
    (decommit?.address ?? 0) > base && (decommit?.address ?? 0) + (decommit?.size ?? 0) === base + 0x20000,
    'the whole pages of the free block'
  )
  assert.is(heapOf(world, heap).committed, PAGE, "the heap's own structures stay")
  ce.HeapAlloc(heap, 0, 0x10000)
  asked.length = 0
  assert.is(ce.HeapDestroy(heap), 1)
  assert.equal(asked, [
    { which: 'free', address: base, size: 0x20000, action: MEM_DECOMMIT },
    { which: 'free', address: base, size: 0x20000, action: MEM_RELEASE }
  ])
  const { peakCommitted, threads, ...after } = process.snapshot()
  assert.ok(peakCommitted > 0 && threads.length === 1)
  assert.equal([after.reservations, after.committed, after.heaps], [before.reservations, before.committed, before.heaps])
})

create.run()
