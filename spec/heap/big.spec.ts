// Big blocks: above a size that the profile sets, a growable heap takes memory of its own from the system (HC-6, HI-12, C-23).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type ProcessOptions
} from '../../src/index.ts'
import { world } from './heaps.ts'

const KB = 1024
const MB = 1024 * KB
const UNIT = 64 * KB

/** A world of 8 MB that also lists the heap's big blocks. */
function big(options: ProcessOptions = {}, maximum = 0) {
  const made = world({ memory: 8 * MB, ...options }, maximum)
  return { ...made, bigs: () => made.info().blocks.filter(({ state }) => state === 'big') }
}

const limits = [
  { rule: 'HC-6, HI-10', profile: 'compact-2013', limit: 0x18000 },
  { rule: 'HI-7', profile: 'compact-7', limit: 0x10000 },
  { rule: 'HI-9', profile: 'ce-6.0', limit: 0x4000 },
  { rule: 'HI-11', profile: 'ce-5.0', limit: 0x30000 }
] as const

const threshold = suite('big blocks: the size above which a block leaves the heap')

for (const { rule, profile, limit } of limits) {
  for (const build of ['retail', 'debug'] as const) {
    threshold(
      `${rule}, HI-12, C-23: ${profile} keeps ${limit} bytes in the heap and gives ${limit + 1} their own reservation [${build}]`,
      () => {
        const { process, alloc, bigs } = big({ profile, build })
        assert.is.not(alloc(limit), 0)
        assert.equal(bigs(), [])
        const p = alloc(limit + 1)
        assert.equal(
          bigs().map(({ address, requested }) => ({ address, requested })),
          [{ address: p, requested: limit + 1 }]
        )
        process.check()
      }
    )

    threshold(`C-23: ${profile} has no big blocks on fixed heaps [${build}]`, () => {
      const { process, alloc, bigs } = big({ profile, build }, 0x70000)
      assert.is.not(alloc(limit + 1), 0)
      assert.equal(bigs(), [])
      process.check()
    })
  }
}

threshold('HI-12: the limit is a setting', () => {
  const { alloc, bigs } = big({ bigBlock: 1024 })
  alloc(1024)
  assert.is(bigs().length, 0)
  alloc(1025)
  assert.is(bigs().length, 1)
})

threshold('HC-6: a request above the limit does not fail for that reason, up to what there is', () => {
  const { ce, alloc } = big()
  assert.is.not(alloc(4 * MB), 0)
  assert.is(alloc(4 * MB), 0)
  assert.is(ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
})
threshold.run()

const own = suite('big blocks: a reservation of their own')

own('C-30, HI-9: a big block begins on 64 KB and costs whole 64 KB of address space, its neighbours in the heap do not', () => {
  const { alloc } = big({ profile: 'ce-6.0' })
  const small = alloc(0x4000)
  const p = [20_000, 70_000, 20_000].map((bytes) => alloc(bytes)) as [number, number, number]
  assert.ok(p.every((address) => address % UNIT === 0))
  assert.equal([p[1] - p[0], p[2] - p[1]], [UNIT, 2 * UNIT])
  assert.is.not(alloc(0x4000) % UNIT, 0)
  assert.is.not(small, 0)
})

own('VA-6: it is committed whole, in pages, and all of them zero', () => {
  const memory = new SharedArrayBuffer(8 * MB)
  new Uint8Array(memory).fill(0xee)
  const { process, ce, alloc } = big({ memory })
  const before = process.snapshot().committed
  const p = alloc(100_000)
  assert.is(process.snapshot().committed - before, 25 * 4096)
  assert.ok(ce.memory.read(p, 25 * 4096).every((byte) => byte === 0))
  assert.throws(() => ce.memory.readU8(p + 25 * 4096), /access violation/)
})

own('HS-3, VA-6: what HeapSize counts beyond the request is zero too, and nothing is written behind it', () => {
  for (const bytes of [100_001, 100_031, 2 * UNIT]) {
    const { ce, heap, alloc } = big()
    const p = alloc(bytes, HEAP_ZERO_MEMORY)
    const app = ce.VirtualAlloc(p + 2 * UNIT, 4096, 0x3000, 4)
    assert.is(app, p + 2 * UNIT)
    assert.ok(ce.memory.read(p, ce.HeapSize(heap, 0, p)).every((byte) => byte === 0))
  }
})

own('freeing it gives address space and memory back to the system at once', () => {
  const { process, ce, alloc, free } = big()
  const before = process.snapshot()
  const p = alloc(200_000)
  assert.is(free(p), 1)
  const after = process.snapshot()
  assert.is(after.committed, before.committed)
  assert.equal(after.heaps[1]?.regions, before.heaps[1]?.regions)
  assert.throws(() => ce.memory.readU8(p), /access violation/)
  assert.is(free(p), 0)
  assert.is(ce.VirtualAlloc(p, 200_000, 0x2000, 4), p, 'the address is free for others')
  process.check()
})

own('a big block that is allocated where one was freed is zero again (C-19)', () => {
  const { ce, alloc, free } = big()
  const p = alloc(200_000)
  ce.memory.fill(p, 0x77, 200_000)
  free(p)
  assert.is(alloc(200_000), p)
  assert.ok(ce.memory.read(p, 200_000).every((byte) => byte === 0))
})

own('without physical memory it is NULL and nothing has changed', () => {
  const { process, ce, alloc } = big({ physical: 50 * 4096 })
  alloc(100_000)
  ce.SetLastError(ERROR_NOT_ENOUGH_MEMORY)
  const image = process.imageHash()
  assert.is(alloc(200_000), 0)
  assert.is(process.imageHash(), image)
  process.check()
})

own('without a run of address space it is NULL and nothing has changed', () => {
  const { process, ce, alloc } = big({ memory: MB, physical: 8 * MB })
  for (let n = 0; n < 4; n++) ce.VirtualAlloc((3 + n * 3) * UNIT, 1, 0x2000, 4)
  ce.SetLastError(ERROR_NOT_ENOUGH_MEMORY)
  const image = process.imageHash()
  assert.is(alloc(4 * UNIT), 0)
  assert.is(process.imageHash(), image)
  assert.is.not(alloc(2 * UNIT), 0)
  process.check()
})

own('the image tells nothing of a big block that is gone', () => {
  const image = (hold: 'block' | 'pages'): string => {
    const { process, ce, alloc, free } = big()
    // The peaks are reached already, and the pages have been used.
    free(alloc(500_000))
    const p = hold === 'block' ? alloc(150_000) : ce.VirtualAlloc(0, 150_000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    alloc(200_000)
    if (hold === 'block') free(p)
    else ce.VirtualFree(p, 0, MEM_RELEASE)
    return process.imageHash()
  }
  assert.is(image('block'), image('pages'))
})

own('HeapDestroy releases the big blocks of the heap (HD-4)', () => {
  const { process, ce, heap, alloc } = big()
  const before = process.snapshot().heaps[0]?.committed
  for (let n = 0; n < 5; n++) alloc(150_000)
  assert.is(ce.HeapDestroy(heap), 1)
  assert.is(process.snapshot().committed, before)
  assert.is.not(ce.HeapAlloc(ce.GetProcessHeap(), 0, 7 * MB), 0, 'the whole address space is there again')
})

own('big blocks are freed in any order', () => {
  const { process, alloc, free, bigs } = big()
  const p = Array.from({ length: 6 }, () => alloc(150_000))
  for (const n of [2, 0, 5, 1, 4, 3]) {
    assert.is(free(p[n] as number), 1)
    process.check()
  }
  assert.equal(bigs(), [])
})
own.run()

const resize = suite('big blocks: HeapReAlloc')

resize('a block that grows above the limit moves out of the heap, with its bytes', () => {
  const { ce, heap, alloc, bigs } = big()
  const p = alloc(1000)
  ce.memory.fill(p, 3, 1000)
  const q = ce.HeapReAlloc(heap, 0, p, 200_000)
  assert.is(q % UNIT, 0)
  assert.is(bigs().length, 1)
  assert.ok(ce.memory.read(q, 1000).every((byte) => byte === 3))
  assert.is(ce.HeapSize(heap, 0, p), 0xffffffff)
})

resize('a big block that shrinks below the limit moves into the heap and gives its reservation back', () => {
  const { process, ce, heap, alloc, bigs } = big()
  const p = alloc(200_000)
  ce.memory.fill(p, 4, 200_000)
  const q = ce.HeapReAlloc(heap, 0, p, 1000)
  assert.is.not(q, p)
  assert.equal(bigs(), [])
  assert.ok(ce.memory.read(q, 1000).every((byte) => byte === 4))
  process.check()
})

resize('a big block that shrinks but finds no room in the heap stays where it is: shrinking never fails', () => {
  const { process, ce, heap, alloc, bigs } = big({ physical: 52 * 4096 })
  const p = alloc(200_000)
  ce.memory.fill(p, 5, 200_000)
  alloc(2000)
  assert.is(ce.HeapReAlloc(heap, 0, p, 50_000), p)
  assert.is(ce.HeapSize(heap, 0, p), 50_016)
  assert.is(bigs()[0]?.requested, 50_000)
  assert.ok(ce.memory.read(p, 50_000).every((byte) => byte === 5))
  process.check()
  assert.is(ce.HeapFree(heap, 0, p), 1)
})

resize('a big block grows in place to the end of its last page and moves beyond', () => {
  const { ce, heap, alloc } = big()
  const p = alloc(100_000)
  const behind = alloc(100_000)
  assert.is(ce.HeapReAlloc(heap, 0, p, 25 * 4096), p)
  assert.is(ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 25 * 4096 + 1), 0)
  const q = ce.HeapReAlloc(heap, 0, p, 25 * 4096 + 1)
  assert.ok(q !== p && q !== behind)
})

resize('HR-10, C-18: HEAP_ZERO_MEMORY zeroes a growing big block from its old rounded size on', () => {
  const { ce, heap, alloc } = big()
  const p = alloc(100_001)
  ce.memory.fill(p, 6, 25 * 4096)
  assert.is(ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 25 * 4096), p)
  assert.ok(ce.memory.read(p, 100_032).every((byte) => byte === 6))
  assert.ok(ce.memory.read(p + 100_032, 25 * 4096 - 100_032).every((byte) => byte === 0))
})

resize('HS-3, C-17: HeapSize of a big block is its size rounded to 32, not to its pages', () => {
  const { ce, heap, alloc } = big()
  assert.is(ce.HeapSize(heap, 0, alloc(100_001)), 100_032)
})

resize('a big block that shrinks into the heap leaves its new neighbours and the pages of others as they were', () => {
  const { process, ce, heap, alloc } = big({ build: 'debug' })
  // The heap's region is the first 64 KB; behind it lie pages of the app.
  const first = alloc(100)
  const behind = alloc(4000)
  const app = ce.VirtualAlloc(0, 4 * UNIT, 0x3000, 4)
  ce.memory.fill(behind, 0x66, 4000)
  ce.memory.fill(app, 0x77, 4 * UNIT)
  const p = alloc(200_001)
  ce.memory.fill(p, 1, 200_001)
  ce.HeapFree(heap, 0, first)
  assert.is(ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 90), first)
  assert.ok(ce.memory.read(first, 90).every((byte) => byte === 1))
  assert.ok(ce.memory.read(behind, 4000).every((byte) => byte === 0x66))
  assert.ok(first + 200_001 > app && first + 200_032 < app + 4 * UNIT, 'where the old size would end')
  assert.ok(ce.memory.read(app, 4 * UNIT).every((byte) => byte === 0x77))
  process.check()
})

resize('C-23: on a fixed heap a block grows in place to the largest size there is', () => {
  const { ce, heap, alloc } = big({}, MB)
  const p = alloc(100)
  assert.is(ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 0x7fff7), p)
})
resize.run()

const low = suite('big blocks: memory that is low')

low('C-71: it stays low, and nobody is told once more, when a big block is refused for want of address space', () => {
  const { process, ce, alloc } = big({ memory: MB })
  const pages = ce.VirtualAlloc(0, UNIT, MEM_RESERVE, PAGE_READWRITE)
  let told = 0
  process.onHibernate(() => told++)
  process.injectFailures({ on: 'commit', every: 1 })
  const committing = (): number => ce.VirtualAlloc(pages, UNIT, MEM_COMMIT, PAGE_READWRITE)
  assert.equal([committing(), told], [0, 1], 'more was asked for than there is')
  assert.equal([alloc(2 * MB), told], [0, 1])
  assert.equal([committing(), told], [0, 1])
})
low.run()
