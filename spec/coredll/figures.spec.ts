// What a heap amounts to, without the list of its blocks: for reports, which ask of heaps that have ended too.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { heapFigures } from '../../src/coredll/figures.ts'
import { everywhere, heapOf } from './world.ts'

const figures = suite('figures of a heap')

everywhere(figures, 'are those of the snapshot', (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(0, 0x3000, 0)
  const blocks = [100, 3000, 50, 0x40000].map((bytes) => ce.HeapAlloc(heap, 0, bytes))
  ce.HeapFree(heap, 0, blocks[1] as number)
  ce.HeapFree(heap, 0, blocks[3] as number)
  const { peakBytes, peakCommitted, liveBlocks, liveBytes, committed, regions, largestFree, ...rest } = heapOf(world, heap)
  const freeBytes = rest.blocks.filter(({ state }) => state === 'free').reduce((sum, { size }) => sum + size, 0)
  assert.equal([peakBytes, liveBlocks, liveBytes, committed], [100 + 3000 + 50 + 0x40000, 2, 150, 0x3000])
  assert.equal(heapFigures(ce, heap), {
    peakBytes,
    peakCommitted,
    liveBlocks,
    liveBytes,
    committed,
    regions: regions.length,
    freeBytes,
    largestFree
  })
})

everywhere(figures, 'are none of a handle whose heap has ended, whatever heap has its place by now, nor of what is no handle', ({ ce }) => {
  const first = ce.HeapCreate(0, 0, 0)
  assert.is(ce.HeapDestroy(first), 1)
  assert.is(heapFigures(ce, first), undefined)
  const second = ce.HeapCreate(0, 0, 0)
  const block = ce.HeapAlloc(second, 0, 10)
  for (const handle of [first, 0, block, 0xffffffff]) assert.is(heapFigures(ce, handle), undefined)
  assert.is(heapFigures(ce, second)?.liveBytes, 10)
})
figures.run()
