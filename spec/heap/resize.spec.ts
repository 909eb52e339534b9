// HeapReAlloc inside regions: where a block grows, when it moves, what its bytes are afterwards.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type Build,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_RESERVE,
  PAGE_READWRITE,
  type Placement
} from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { type World, world } from './heaps.ts'

const KB = 1024
const builds: readonly Build[] = ['retail', 'debug']
const placements: readonly Placement[] = ['segregated', 'next-fit']

/** Fills the bytes [from, to) of a block. */
function fill({ ce }: World, p: number, from: number, to: number, value: number): void {
  ce.memory.fill(p + from, value, to - from)
}

/** The value that all bytes [from, to) of a block have; undefined if they differ. */
function filled({ ce }: World, p: number, from: number, to: number): number | undefined {
  const bytes = ce.memory.read(p + from, to - from)
  return bytes.every((byte) => byte === bytes[0]) ? bytes[0] : undefined
}

const places = suite('HeapReAlloc: where the block is afterwards')

for (const placement of placements) {
  for (const build of builds) {
    const made = (): World & { resize: (p: number, bytes: number, flags?: number) => number } => {
      const w = world({ placement, build })
      return { ...w, resize: (p, bytes, flags = 0) => w.ce.HeapReAlloc(w.heap, flags, p, bytes) }
    }
    const name = (text: string): string => `${text} [${placement} ${build}]`

    places(name('a block grows at its place into the free block behind it, as far as that goes (HR-5)'), () => {
      const { process, alloc, free, resize } = made()
      const [a, b, c] = [alloc(100), alloc(1000), alloc(100)] as [number, number, number]
      free(b)
      assert.is(resize(a, 1000), a)
      assert.is(resize(a, c - a - (build === 'debug' ? 32 : 0)), a, 'to the last granule')
      assert.is(resize(a, c - a + 1, HEAP_REALLOC_IN_PLACE_ONLY), 0, 'and no further (FL-4)')
      process.check()
    })

    places(name('a block that cannot grow at its place moves, and its old place is free (HR-5, HA-3)'), () => {
      const w = made()
      const { process, heap, ce, alloc, resize } = w
      const a = alloc(100)
      alloc(100)
      fill(w, a, 0, 100, 7)
      const moved = resize(a, 5000)
      assert.ok(moved !== 0 && moved !== a)
      assert.is(filled(w, moved, 0, 100), 7)
      assert.is(ce.HeapSize(heap, 0, a), 0xffffffff)
      assert.is(resize(moved, 5000), moved)
      process.check()
    })

    places(name('a block shrinks at its place, to the granule, and the rest is free at once (HR-4)'), () => {
      const w = made()
      const { process, info, alloc, resize } = w
      const a = alloc(4000)
      alloc(100)
      fill(w, a, 0, 4000, 9)
      const free = (): number => info().blocks.reduce((sum, { state, size }) => sum + (state === 'free' ? size : 0), 0)
      const before = free()
      assert.is(resize(a, 1000), a)
      assert.is(free() - before, 4000 - 1024)
      assert.is(filled(w, a, 0, 1000), 9)
      assert.is(resize(a, 0), a, 'C-7')
      process.check()
    })

    places(name('a size in the same granule changes nothing but what was requested'), () => {
      const { process, info, alloc, resize } = made()
      const a = alloc(97)
      alloc(1)
      for (const bytes of [128, 97, 110]) {
        assert.is(resize(a, bytes), a)
        assert.is(info().blocks.find(({ address }) => address === a)?.requested, bytes)
        assert.is(info().liveBytes, bytes + 1)
      }
      process.check()
    })

    places(name('the last block of a region does not grow into the next region, though it lies right behind (HI-8)'), () => {
      const { process, info, alloc, free, resize } = made()
      const guard = build === 'debug' ? 32 : 0
      const first = alloc(64 * KB - 32 - 2 * guard)
      const last = alloc(32)
      const behind = alloc(64 * KB - 32 - 2 * guard)
      assert.equal([last - first, behind - last], [64 * KB - 32 - guard, 32 + guard])
      assert.is(info().regions.length, 2)
      free(behind)
      assert.is(resize(last, 64, HEAP_REALLOC_IN_PLACE_ONLY), 0)
      process.check()
      free(last)
      process.check()
      assert.is(info().blocks.filter(({ state }) => state === 'free').length, 2, 'nor do free blocks merge across')
    })

    places(name('a growth that commits new pages gets zero ones, and fails whole where there are none (HR-7)'), () => {
      const w = world({ placement, build, physical: 8 * 4096 })
      const { process, ce, heap, alloc } = w
      const a = alloc(1000)
      assert.is(ce.HeapReAlloc(heap, 0, a, 20_000), a)
      assert.is(filled(w, a, 4096, 20_000), 0)
      fill(w, a, 0, 20_000, 3)
      ce.SetLastError(ERROR_NOT_ENOUGH_MEMORY)
      const image = process.imageHash()
      assert.is(ce.HeapReAlloc(heap, 0, a, 40_000), 0)
      assert.is(process.imageHash(), image)
      assert.is(filled(w, a, 0, 20_000), 3)
    })
  }
}

places('HR-7: a growth in place for which there is no memory ends outside of every section, whether it fails or moves', () => {
  const { process, ce, heap, alloc, free } = world({ physical: 8 * 4096, lockTimeout: 50 })
  const other = attachThread(process.share())
  const sound = (): void => {
    process.check()
    const p = other.HeapAlloc(heap, 0, 10)
    assert.is.not(p, 0)
    assert.is(other.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE) !== 0, true, 'the process section is free')
    assert.is(other.HeapFree(heap, 0, p), 1)
  }
  const hole = alloc(12_000)
  const p = alloc(8000)
  assert.is(ce.HeapReAlloc(heap, 0, p, 40_000), 0)
  sound()
  free(hole)
  // In place there is no page to commit, but where the hole is.
  process.setPhysical(process.snapshot().committed)
  assert.is(ce.HeapReAlloc(heap, 0, p, 11_000) !== 0, true)
  sound()
  other.detach()
})

places('a growth in place commits its pages at the high end of a large memory as well', () => {
  const { process, ce } = world({ memory: 80 * KB * KB })
  ce.VirtualAlloc(0, 64 * KB * KB - 2 * 64 * KB, MEM_RESERVE, PAGE_READWRITE)
  const heap = ce.HeapCreate(0, 0, 0)
  const p = ce.HeapAlloc(heap, 0, 4000)
  assert.ok(p >= 64 * KB * KB && p < 68 * KB * KB, 'a thousandth of it is in the first page that is committed')
  assert.is(ce.HeapReAlloc(heap, 0, p, 6000), p)
  ce.memory.fill(p, 1, 6000)
  process.check()
})
for (const placement of placements) {
  places(`a growth for which no page is missing enters the heap's section alone, in place or moving [${placement}]`, () => {
    const { ce, heap, alloc, free } = world({ placement })
    const { machine } = ce
    const taken: number[] = []
    const { take } = machine
    machine.take = (at, who) => {
      taken.push(at >> 2)
      return take(at, who)
    }
    const a = alloc(1000)
    const hole = alloc(1000)
    const [b, c] = [alloc(100), alloc(900)]
    free(hole)
    taken.length = 0
    assert.is(ce.HeapReAlloc(heap, 0, a, 1500), a, 'into a hole that is committed')
    assert.is.not(ce.HeapReAlloc(heap, 0, b, 300), b)
    assert.is(ce.HeapReAlloc(heap, 0, c, 1800), c, 'into the rest of the region, whose first page is')
    assert.equal([...new Set(taken)], [recordOf(machine, heap)])
  })
}
places.run()

const zero = suite('HeapReAlloc: HEAP_ZERO_MEMORY')

for (const moving of [false, true]) {
  const how = moving ? 'moving' : 'in place'
  /** A block of 100 bytes, all 128 or (debug) 100 of which the app has written to, resized with HEAP_ZERO_MEMORY. */
  const grownTo = (build: Build, bytes: number): [World, number] => {
    const w = world({ build })
    const { ce, heap, alloc, free } = w
    // The memory that the block will grow into is not fresh.
    const used = alloc(20_000)
    fill(w, used, 0, 20_000, 0xbb)
    free(used)
    const p = alloc(100)
    if (moving) alloc(1)
    fill(w, p, 0, ce.HeapSize(heap, 0, p), 0x11)
    const q = ce.HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, bytes)
    assert.is(q !== p, moving)
    return [w, q]
  }

  zero(`HR-10, C-18: on retail builds the zeroes begin at the rounded old size: what the app wrote up to there stays [${how}]`, () => {
    const [w, p] = grownTo('retail', 5000)
    assert.is(filled(w, p, 0, 128), 0x11)
    assert.is(filled(w, p, 128, 5024), 0)
  })

  zero(`HR-10, C-18: on debug builds they begin at the requested old size [${how}]`, () => {
    const [w, p] = grownTo('debug', 5000)
    assert.is(filled(w, p, 0, 100), 0x11)
    assert.is(filled(w, p, 100, 5000), 0)
  })

  zero(`HR-2: on debug builds a growth inside the last granule is zeroed too [${how}]`, () => {
    const w = world({ build: 'debug' })
    const p = w.alloc(100)
    fill(w, p, 0, 100, 0x11)
    assert.is(w.ce.HeapReAlloc(w.heap, HEAP_ZERO_MEMORY, p, 120), p)
    assert.is(filled(w, p, 0, 100), 0x11)
    assert.is(filled(w, p, 100, 120), 0)
  })
}

zero('FL-3: without the flag the added bytes are whatever was there', () => {
  const w = world()
  const used = w.alloc(5000)
  fill(w, used, 0, 5000, 0xbb)
  w.free(used)
  const p = w.alloc(100)
  assert.is(w.ce.HeapReAlloc(w.heap, 0, p, 4000), p)
  assert.is(filled(w, p, 100, 4000), 0xbb)
})

zero('FL-3, HR-8: a block that moves without the flag brings its own bytes along and no others', () => {
  const w = world()
  const p = w.alloc(100)
  const used = w.alloc(5000)
  fill(w, p, 0, 128, 0x11)
  fill(w, used, 0, 5000, 0xbb)
  const wall = w.alloc(32)
  w.free(used)
  assert.is(w.alloc(32), used, 'so that the block cannot grow where it is')
  const q = w.ce.HeapReAlloc(w.heap, 0, p, 4000)
  assert.is(q, used + 32)
  assert.is(filled(w, q, 0, 128), 0x11)
  assert.is(filled(w, q, 128, 4000), 0xbb)
  assert.ok(wall > q)
})

zero('HR-2: a shrink with the flag zeroes nothing', () => {
  const w = world()
  const p = w.alloc(1000)
  fill(w, p, 0, 1000, 0x22)
  assert.is(w.ce.HeapReAlloc(w.heap, HEAP_ZERO_MEMORY, p, 500), p)
  assert.is(filled(w, p, 0, 500), 0x22)
})
zero.run()
