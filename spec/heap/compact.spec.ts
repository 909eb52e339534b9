// HeapCompact and pages: what goes back to the system, what it tells, and what a page holds when it is committed again.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createProcess,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_RESERVE,
  NO_ERROR,
  PAGE_READWRITE,
  type Placement,
  type ProcessOptions
} from '../../src/index.ts'
import { world } from './heaps.ts'

const KB = 1024
const PAGE = 4096

/** A world whose frees must succeed, and HeapCompact of its heap. */
function packed(options: ProcessOptions = {}, maximum = 0) {
  const made = world(options, maximum)
  return { ...made, free: (p: number): void => assert.is(made.free(p), 1), compact: (): number => made.ce.HeapCompact(made.heap, 0) }
}

const compact = suite('HeapCompact')

for (const placement of ['segregated', 'next-fit'] satisfies Placement[]) {
  compact(`HP-2, HI-1: a page goes back only when all of it is free [${placement}]`, () => {
    const { process, alloc, free, info, compact } = packed({ placement })
    const blocks = Array.from({ length: 12 }, () => alloc(2048))
    assert.is(info().committed, 6 * PAGE)
    // Bytes 2048 to 12288: half of page 0, all of pages 1 and 2. Then half of page 4.
    for (const n of [1, 2, 3, 4, 5, 8]) free(blocks[n] as number)
    compact()
    assert.is(info().committed, 4 * PAGE)
    free(blocks[9] as number)
    compact()
    assert.is(info().committed, 3 * PAGE)
    process.check()
  })

  compact(`HP-3: it tells the largest committed free block as it was before pages went back [${placement}]`, () => {
    const { alloc, free, compact } = packed({ placement })
    const [, b] = [alloc(1000), alloc(20_000), alloc(1000)]
    assert.is(compact(), 6 * PAGE - (1024 + 20_000 + 1024), 'the rest of the last page')
    free(b as number)
    assert.is(compact(), 20_000)
    assert.is(compact(), PAGE - 1024, 'of the pages in the block its part of the first is left, and less of the last')
  })

  compact(`C-19: a page that went back is zero when it is committed again [${placement}]`, () => {
    const { process, ce, alloc, free, compact } = packed({ placement })
    const p = alloc(30_000)
    ce.memory.fill(p, 0xcc, 30_000)
    free(p)
    compact()
    assert.throws(() => ce.memory.readU8(p + 10_000), /access violation/)
    const q = alloc(30_000)
    assert.is(q, p)
    assert.ok(ce.memory.read(q, 30_000).every((byte) => byte === 0))
    process.check()
  })

  compact(`live blocks keep their place and their bytes (HI-1, HA-3) [${placement}]`, () => {
    const { ce, heap, alloc, free, compact } = packed({ placement })
    const blocks = Array.from({ length: 60 }, (_, n) => alloc(100 + n * 100))
    for (const [n, p] of blocks.entries()) ce.memory.fill(p, n, 100 + n * 100)
    for (const [n, p] of blocks.entries()) if (n % 3 !== 0) free(p)
    compact()
    for (const [n, p] of blocks.entries()) {
      if (n % 3 === 0) assert.ok(ce.memory.read(p, 100 + n * 100).every((byte) => byte === n))
    }
    assert.is(ce.HeapValidate(heap, 0, 0), 1)
  })

  compact(`a region that is wholly free is released, the lowest one stays [${placement}]`, () => {
    const { process, alloc, free, info, compact } = packed({ placement })
    const blocks = Array.from({ length: 5 }, () => alloc(60_000))
    const regions = info().regions.map(({ address }) => address)
    assert.is(regions.length, 5)
    for (const p of [blocks[1], blocks[3]]) free(p as number)
    compact()
    assert.equal(
      info().regions.map(({ address }) => address),
      [regions[0], regions[2], regions[4]]
    )
    for (const p of [blocks[0], blocks[2], blocks[4]]) free(p as number)
    compact()
    assert.equal(
      info().regions.map(({ address, committed }) => ({ address, committed })),
      [{ address: regions[0], committed: 0 }]
    )
    process.check()
    assert.is(alloc(60_000), blocks[0])
  })
}

compact('HP-4, HP-6: without committed free memory the answer is 0 with NO_ERROR', () => {
  const { ce, alloc, compact } = packed({}, 8 * KB)
  while (alloc(32) !== 0);
  ce.SetLastError(5)
  assert.is(compact(), 0)
  assert.is(ce.GetLastError(), NO_ERROR)
})

compact('the memory that went back serves others', () => {
  const { ce, alloc, free, compact } = packed({ physical: 12 * PAGE })
  const p = alloc(40_000)
  assert.is(ce.HeapAlloc(ce.GetProcessHeap(), 0, 20_000), 0)
  free(p)
  compact()
  assert.is.not(ce.HeapAlloc(ce.GetProcessHeap(), 0, 20_000), 0)
})

compact('a block that was compacted away can be used for less than its pages when memory is short', () => {
  const { process, ce, heap, alloc, free, compact } = packed({ physical: 12 * PAGE })
  const p = alloc(40_000)
  free(p)
  compact()
  assert.is.not(ce.HeapAlloc(ce.GetProcessHeap(), 0, 30_000), 0)
  assert.is(alloc(40_000), 0)
  assert.is(ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
  assert.is(alloc(5000), p)
  assert.is(ce.HeapReAlloc(heap, 0, p, 39_000), 0)
  process.check()
})

compact('memory that went back is committed again wherever the heap lies, above 64 MB too', () => {
  const MB = 1024 * KB
  const process = createProcess({ memory: 128 * MB })
  const ce = process.thread
  // Pages at low addresses are committed, those of the heap are not.
  ce.LocalAlloc(0, 60_000)
  assert.is.not(ce.VirtualAlloc(0, 100 * MB, MEM_RESERVE, PAGE_READWRITE), 0)
  const heap = ce.HeapCreate(0, 0, 0)
  assert.is(ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 20_000)), 1)
  ce.HeapCompact(heap, 0)
  ce.memory.fill(ce.HeapAlloc(heap, 0, 20_000), 1, 20_000)
  process.check()
})

compact('free blocks without a whole page keep their places in their lists: the one freed last is still taken first (C-25)', () => {
  const { alloc, free, compact } = packed({ placement: 'segregated' }, 256 * KB)
  const blocks = Array.from({ length: 7 }, () => alloc(64))
  for (const n of [3, 5, 1]) free(blocks[n] as number)
  compact()
  assert.equal([alloc(64), alloc(64), alloc(64)], [blocks[1], blocks[5], blocks[3]])
})

compact('compacting twice changes nothing more but the order of free lists', () => {
  const { process, alloc, free, info, compact } = packed()
  const blocks = Array.from({ length: 20 }, () => alloc(5000))
  for (const [n, p] of blocks.entries()) if (n % 2 === 0) free(p)
  compact()
  const { blocks: before, committed } = info()
  compact()
  assert.equal(info().blocks, before)
  assert.is(info().committed, committed)
  process.check()
})
compact.run()
