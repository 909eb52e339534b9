// A check that cannot fail is worth nothing: each invariant is broken on purpose, by one word of system memory, and must be told.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BIG, CONTROL, FREE, HOLES, SIZE_SHIFT, START } from '../../src/heap/block.ts'
import { REC, recordAt } from '../../src/heap/record.ts'
import { createProcess } from '../../src/index.ts'
import { HDR, PAGES_PER_UNIT } from '../../src/machine/layout.ts'
import { KIND_APP, RES, setRes } from '../../src/machine/pages.ts'
import { addTo, type Plant, run, setWord } from './plant.ts'

const size = (granules: number): number => granules << SIZE_SHIFT

const chain: readonly Plant[] = [
  {
    invariant: 'blocks tile a region: a block that is too short leaves a gap',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 0, size(3) | START),
    says: /the boundary tag at its end|no block starts/
  },
  {
    invariant: 'blocks tile a region: the chain reaches no start',
    heap: 'heap',
    plant: (f) => setWord(f, f.b, 0, 0),
    says: /the chain reaches a granule where no block starts/
  },
  {
    invariant: 'blocks tile a region: a block of no granules',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 0, START),
    says: /a block of 0 granules does not fit/
  },
  {
    invariant: 'blocks tile a region: a block that reaches past its end',
    heap: 'heap',
    plant: (f) => setWord(f, f.b, 0, size(2048) | START),
    says: /a block of 2048 granules does not fit its region/
  },
  {
    invariant: 'no two neighbouring free blocks',
    heap: 'heap',
    plant: (f) => {
      const far = f.regions[1] * 2048
      // The live block of the second region becomes free as it stands, before the free rest.
      setWord(f, far, 0, size(250) | START | FREE)
      f.machine.map[(far + 250) * 4 - 1] = (far << 1) | 1
    },
    says: /two neighbouring free blocks/
  },
  {
    invariant: "a block's boundary tag names its first granule",
    heap: 'heap',
    plant: (f) => setWord(f, f.a + 3, 3, f.hole << 1),
    says: /the boundary tag at its end names another block/
  },
  {
    invariant: "a block's boundary tag tells whether it is free",
    heap: 'heap',
    plant: (f) => setWord(f, f.a + 3, 3, (f.a << 1) | 1),
    says: /the boundary tag at its end names another block or state/
  },
  {
    invariant: 'START flags are the blocks of the chain: none inside a live block',
    heap: 'heap',
    plant: (f) => setWord(f, f.a + 1, 0, size(1) | START),
    says: /a start inside the block/
  },
  {
    invariant: 'START flags are the blocks of the chain: none inside a free block',
    heap: 'heap',
    plant: (f) => setWord(f, f.hole + 5, 0, START),
    says: /a start inside the block/
  },
  {
    invariant: 'a live block belongs to the heap whose region it lies in',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 2, recordAt(f.machine, 0)),
    says: /owned by heap 0, found in heap 1/
  },
  {
    invariant: 'a live block holds what was requested',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 1, 129),
    says: /129 bytes requested, 128 there/
  },
  {
    invariant: 'a block in a region is not marked as a big block',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 0, size(4) | START | BIG),
    says: /flags 4, which no block here has/
  },
  {
    invariant: 'a growable heap has no control area',
    heap: 'heap',
    plant: (f) => setWord(f, f.a, 0, size(4) | START | CONTROL),
    says: /flags 8, which no block here has/
  },
  {
    invariant: 'a fixed heap begins with its control area (HC-10)',
    heap: 'fixed',
    plant: (f) => {
      const first = (f.machine.sys[f.fixedRecord + REC.REGIONS] as number) * 2048
      setWord(f, first, 0, (f.machine.map[first * 4] as number) & ~CONTROL)
    },
    says: /flags 0, which no block here has/
  },
  {
    invariant: 'a live block lies on committed pages',
    heap: 'heap',
    plant: (f) => {
      // Another page is committed in its place, so that the counts agree.
      const page = Math.floor((f.b + 4) / 128) + 2
      const far = f.regions[1] * PAGES_PER_UNIT + 15
      assert.is((f.machine.pages[page] as number) & 3, 2)
      f.machine.pages[far] = f.machine.pages[page] as number
      f.machine.pages[page] = 1
      setRes(f.machine, f.regions[0], RES.COMMITTED, (f.machine.units[f.regions[0] * 8 + RES.COMMITTED] as number) - 1)
      setRes(f.machine, f.regions[1], RES.COMMITTED, (f.machine.units[f.regions[1] * 8 + RES.COMMITTED] as number) + 1)
    },
    says: /a live block on uncommitted pages/
  },
  {
    invariant: 'a free block without HOLES lies on committed pages',
    heap: 'heap',
    plant: (f) => {
      const rest = f.regions[1] * 2048 + 250
      setWord(f, rest, 0, (f.machine.map[rest * 4] as number) & ~HOLES)
    },
    says: /a free block without HOLES has uncommitted pages/
  },
  {
    invariant: 'LIVE_BYTES counts the requested bytes',
    heap: 'heap',
    plant: (f) => addTo(f.machine.sys, f.record + REC.LIVE_BYTES, -1),
    says: /live bytes, its chain has/
  },
  {
    invariant: 'COMMITTED counts the pages',
    heap: 'heap',
    plant: (f) => addTo(f.machine.sys, f.record + REC.COMMITTED, 1),
    says: /committed pages, its reservations have/
  },
  {
    invariant: 'PEAK_BYTES is not below what lives',
    heap: 'heap',
    plant: (f) => {
      f.machine.sys[f.record + REC.PEAK_BYTES] = 5
    },
    says: /live bytes, above the peak of 5/
  },
  {
    invariant: 'PEAK_COMMITTED is not below what is committed',
    heap: 'heap',
    plant: (f) => {
      f.machine.sys[f.record + REC.PEAK_COMMITTED] = 5
    },
    says: /committed pages, above the peak of 5/
  }
]

const links: readonly Plant[] = [
  {
    invariant: 'regions are linked in address order',
    heap: 'heap',
    plant: (f) => {
      const [first, second] = f.regions
      f.machine.sys[f.record + REC.REGIONS] = second
      setRes(f.machine, second, RES.NEXT, first)
      setRes(f.machine, second, RES.PREV, 0)
      setRes(f.machine, first, RES.NEXT, 0)
      setRes(f.machine, first, RES.PREV, second)
    },
    says: /against the order of addresses/
  },
  {
    invariant: 'regions are linked both ways',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.regions[1], RES.PREV, 0),
    says: /names unit 0 as the one before it, not \d+/
  },
  {
    invariant: 'big blocks are linked both ways',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.PREV, 0),
    says: /names unit 0 as the one before it, not \d+/
  },
  {
    invariant: 'a list of regions ends',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.regions[1], RES.NEXT, f.regions[0]),
    says: /names unit 0 as the one before it/
  },
  {
    invariant: 'a link leads to a reservation',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.NEXT, 15),
    says: /unit 15 is linked into heap 1 but is no reservation/
  },
  {
    invariant: 'a link stays in user memory',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.NEXT, 1 << 20),
    says: /is linked into heap 1 but is no reservation/
  },
  {
    invariant: 'a link stays in user memory: none leads before it',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.NEXT, -1),
    says: /unit -1 is linked into heap 1 but is no reservation/
  },
  {
    invariant: 'a link leads to the first unit of a reservation',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.NEXT, f.bigs[1] + 1),
    says: /is linked into heap 1 but is no reservation/
  },
  {
    invariant: 'a list of big blocks ends',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.bigs[1], RES.NEXT, f.bigs[1]),
    says: /names unit \d+ as the one before it, not \d+/
  },
  {
    invariant: "a linked reservation is the heap's",
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.regions[1], RES.HEAP, 0),
    says: /is linked into heap 1 but belongs to heap 0/
  },
  {
    invariant: 'a linked reservation is of the right kind',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.regions[1], RES.KIND, KIND_APP),
    says: /as kind 2, but is of kind 1/
  },
  {
    invariant: 'a region is not longer than its reservation',
    heap: 'heap',
    plant: (f) => setRes(f.machine, f.regions[1], RES.GRANULES, 4096),
    says: /more granules than the reservation/
  },
  {
    invariant: 'a heap has a region',
    heap: 'fixed',
    plant: (f) => {
      f.machine.sys[f.fixedRecord + REC.REGIONS] = 0
    },
    says: /heap 2 has 0 regions/
  },
  {
    invariant: 'a fixed heap has one region only',
    heap: 'heap',
    plant: (f) => {
      f.machine.sys[f.record + REC.MAXIMUM] = 65_536
    },
    says: /heap 1 has 2 regions/
  },
  {
    invariant: 'every reservation of a heap is linked: a big block',
    plant: (f) => {
      // It is no longer counted either: only the reservation is left over.
      setRes(f.machine, f.bigs[0], RES.NEXT, 0)
      addTo(f.machine.sys, f.record + REC.LIVE_BYTES, -200_000)
      addTo(f.machine.sys, f.record + REC.COMMITTED, -49)
    },
    says: /belongs to heap 1, which does not link it/
  },
  {
    invariant: 'every reservation of a heap is linked: of a heap that ended',
    plant: (f) => {
      f.machine.sys[f.fixedRecord + REC.HANDLE] = 0
    },
    says: /belongs to heap 2, which does not link it/
  },
  {
    invariant: 'a big block is marked as one',
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048, 0, size(3200) | START),
    says: /not marked as a big block/
  },
  {
    invariant: "a big block is the heap's",
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048, 2, recordAt(f.machine, 0)),
    says: /a big block of another heap/
  },
  {
    invariant: 'a big block fills its reservation',
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048, 0, size(3072) | START | BIG),
    says: /a big block that does not fill its reservation/
  },
  {
    invariant: "a big block's boundary tag names its first granule",
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048 + 3199, 3, f.a << 1),
    says: /the boundary tag at its end names another block or state/
  },
  {
    invariant: "a big block's boundary tag tells that it is live",
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048 + 3199, 3, ((f.bigs[0] * 2048) << 1) | 1),
    says: /the boundary tag at its end names another block or state/
  },
  {
    invariant: 'no block starts inside a big block',
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048 + 1, 0, size(1) | START),
    says: /: a start inside the block at/
  },
  {
    invariant: 'no block starts inside a big block: not in its last granule',
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048 + 3199, 0, size(1) | START),
    says: /: a start inside the block at/
  },
  {
    invariant: 'a big block holds what was requested',
    heap: 'heap',
    plant: (f) => setWord(f, f.bigs[0] * 2048, 1, 102_401),
    says: /102401 bytes requested, 102400 there/
  },
  {
    invariant: 'a big block is committed whole',
    heap: 'heap',
    plant: (f) => {
      f.machine.pages[f.bigs[0] * PAGES_PER_UNIT + 3] = 1
    },
    says: /a big block with an uncommitted page/
  },
  {
    invariant: 'no block starts outside every heap: in free address space',
    plant: (f) => setWord(f, 15 * 2048 + 7, 0, size(1) | START),
    says: /0xf00e0: a block starts outside every heap/
  },
  {
    invariant: "no block starts outside every heap: in the app's pages",
    plant: (f) => setWord(f, f.app * 2048, 0, size(1) | START),
    says: /a block starts outside every heap/
  },
  {
    invariant: "no block starts outside every heap: behind a fixed heap's region, in its last 64 KB",
    plant: (f) => setWord(f, (f.machine.sys[f.fixedRecord + REC.REGIONS] as number) * 2048 + 512, 0, size(1) | START),
    says: /a block starts outside every heap/
  }
]

const marks: readonly Plant[] = [
  {
    invariant: 'as many blocks are marked as spied as are counted',
    plant: (f) => {
      f.machine.sys[HDR.SPY_BLOCKS] = 1
    },
    says: /the task allocator counts 1 spied blocks, 0 are marked/
  },
  {
    invariant: 'no block is marked as spied where there is no spy',
    plant: (f) => {
      f.machine.marks[f.a] = 1
      f.machine.sys[HDR.SPY_BLOCKS] = 1
    },
    says: /1 blocks are marked as spied, and no spy is registered/
  }
]

const chains = suite('check: the chain of blocks')
run(chains, chain)
chains.run()

const linked = suite('check: the reservations of heaps')
run(linked, links)

linked('a big block may end where another block starts', () => {
  const { thread: ce } = createProcess({ memory: 1024 * 1024 })
  const heap = ce.HeapCreate(0, 0, 0)
  const [first, second] = [ce.HeapAlloc(heap, 0, 2 * 65_536), ce.HeapAlloc(heap, 0, 2 * 65_536)]
  assert.is(second, first + 2 * 65_536)
  assert.is(ce.HeapValidate(heap, 0, 0), 1)
})
linked.run()

const marked = suite('check: the marks of spied blocks')
run(marked, marks)
marked.run()
