// What can be seen of a whole process: its snapshot, its image in one string, and the check of its invariants.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { START } from '../../src/heap/block.ts'
import {
  type CeThread,
  createProcess,
  ERROR_INVALID_PARAMETER,
  HEAP_ZERO_MEMORY,
  InvariantError,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type ProcessOptions,
  type Snapshot
} from '../../src/index.ts'
import { everywhere, open, places } from './world.ts'

const MB = 1024 * 1024
const image = suite('snapshot and imageHash')

/** A little of everything. */
function work(ce: CeThread): void {
  const heap = ce.HeapCreate(0, 5000, 0x40000)
  const blocks = Array.from({ length: 30 }, (_, n) =>
    ce.HeapAlloc(n % 2 === 0 ? heap : ce.GetProcessHeap(), n % 3 === 0 ? HEAP_ZERO_MEMORY : 0, n * n * 7)
  )
  for (let n = 0; n < 30; n += 4) ce.HeapFree(heap, 0, blocks[n] as number)
  ce.memory.writeU32(blocks[2] as number, 0x12345678)
  ce.HeapReAlloc(heap, 0, blocks[6] as number, 4000)
  ce.VirtualAlloc(0, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  ce.HeapFree(heap, 0, 0)
}

everywhere(image, 'imageHash: 16 hex digits, the same for the same calls, and reading changes nothing', (world) => {
  const { process, ce } = world
  const other = open({ name: '', profile: world.profile.name, build: world.debug ? 'debug' : 'retail' })
  assert.is(process.imageHash(), other.process.imageHash())
  work(ce)
  const hash = process.imageHash()
  assert.match(hash, /^[0-9a-f]{16}$/)
  assert.is.not(hash, other.process.imageHash())
  work(other.ce)
  assert.is(other.process.imageHash(), hash)
  process.snapshot()
  process.check()
  process.share()
  process.drainFindings()
  assert.is(process.imageHash(), hash)
})

image('imageHash: tells apart profile, build, memory, physical memory, placement, kernel mode and threshold', () => {
  const wanted: ProcessOptions[] = [
    {},
    { profile: 'compact-7' },
    { profile: 'ce-6.0' },
    { profile: 'ce-5.0' },
    { build: 'debug' },
    { memory: 3 * MB },
    { physical: MB },
    { placement: 'next-fit' },
    { kernelMode: true },
    { bigBlock: 64 }
  ]
  const hashes = wanted.map((one) => createProcess({ memory: 2 * MB, ...one }).imageHash())
  assert.is(new Set(hashes).size, wanted.length)
})

image("imageHash: tells apart a byte, a size, a last error, a free list's order and a decommitted page", () => {
  const build = (...steps: ((ce: CeThread, blocks: readonly number[]) => void)[]): string => {
    const process = createProcess({ memory: MB })
    const ce = process.thread
    const blocks = Array.from({ length: 6 }, () => ce.LocalAlloc(0, 64))
    for (const step of steps) step(ce, blocks)
    return process.imageHash()
  }
  const free =
    (n: number) =>
    (ce: CeThread, blocks: readonly number[]): void =>
      void ce.LocalFree(blocks[n] as number)
  const hashes = [
    build(),
    build((ce, [first = 0]) => ce.memory.writeU8(first + 63, 1)),
    build((ce, [first = 0]) => void ce.LocalReAlloc(first, 63, 0)),
    build((ce) => ce.SetLastError(1)),
    build(free(0), free(2)),
    build(free(2), free(0)),
    build((ce) => void ce.HeapCompact(ce.GetProcessHeap(), 0)),
    build((ce) => void ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)),
    build((ce) => void ce.HeapCreate(0, 0, 0))
  ]
  // A heap of one committed page has none to give back.
  assert.is(hashes[6], hashes[0])
  assert.is(new Set(hashes).size, hashes.length - 1)
})

image('imageHash: tells apart which block is which, and the middle of a free list, where all counts agree', () => {
  const build = (run: (ce: CeThread) => void): string => {
    const process = createProcess({ memory: MB })
    run(process.thread)
    return process.imageHash()
  }
  const sizes = (...wanted: number[]): string => build((ce) => wanted.forEach((bytes) => void ce.LocalAlloc(0, bytes)))
  assert.is.not(sizes(40, 50, 60), sizes(50, 40, 60))
  const freed = (...order: number[]): string =>
    build((ce) => {
      const blocks = Array.from({ length: 7 }, () => ce.LocalAlloc(0, 64))
      for (const n of order) ce.LocalFree(blocks[n] as number)
    })
  assert.is.not(freed(1, 3, 5), freed(3, 1, 5))
})

image('imageHash: tells apart where a next-fit search begins, and which live block was asked for with how many bytes (HI-2)', () => {
  const build = (run: (ce: CeThread, heap: number) => void): string => {
    const process = createProcess({ memory: MB, placement: 'next-fit' })
    run(process.thread, process.thread.HeapCreate(0, 0, 0x10000))
    return process.imageHash()
  }
  const again = (n: number): string =>
    build((ce, heap) => {
      const blocks = Array.from({ length: 4 }, () => ce.HeapAlloc(heap, 0, 64))
      ce.HeapFree(heap, 0, blocks[n] as number)
      assert.is(ce.HeapAlloc(heap, 0, 64), blocks[n], 'the same blocks again')
    })
  assert.is.not(again(0), again(2))
  const sizes = (...wanted: number[]): string =>
    build((ce, heap) => {
      for (const bytes of wanted) ce.HeapAlloc(heap, 0, bytes)
    })
  assert.is.not(sizes(40, 50, 60), sizes(50, 40, 60))
})

everywhere(image, 'snapshot: plain data that adds up and does not change with the process', (world) => {
  const { process, ce } = world
  work(ce)
  const before = process.snapshot()
  const kept = JSON.parse(JSON.stringify(before)) as Snapshot
  assert.equal(before, kept, 'plain data')
  assert.is(
    before.committed,
    before.heaps.reduce((sum, heap) => sum + heap.committed, 0) + before.reservations.reduce((sum, one) => sum + one.committed, 0)
  )
  for (const heap of before.heaps) {
    const live = heap.blocks.filter(({ state }) => state === 'live' || state === 'big')
    assert.is(heap.liveBlocks, live.length)
    assert.is(
      heap.liveBytes,
      live.reduce((sum, { requested }) => sum + requested, 0)
    )
    assert.ok(heap.peakBytes >= heap.liveBytes && heap.peakCommitted >= heap.committed)
    assert.is(heap.largestFree, Math.max(0, ...heap.blocks.filter(({ state }) => state === 'free').map((block) => block.size)))
    const inRegions = heap.blocks.filter(({ state }) => state !== 'big').reduce((sum, block) => sum + block.size, 0)
    assert.is(
      inRegions,
      heap.regions.reduce((sum, region) => sum + region.size, 0)
    )
  }
  assert.equal(before.threads, [{ id: 1, lastError: ERROR_INVALID_PARAMETER }])
  work(ce)
  assert.equal(before, kept)
})

everywhere(image, 'snapshot: the most that ever was committed stays, whatever is given back', ({ process, ce }) => {
  const { committed } = process.snapshot()
  const pages = ce.VirtualAlloc(0, 0x8000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  ce.VirtualFree(pages, 0, MEM_RELEASE)
  const after = process.snapshot()
  assert.equal([after.committed, after.peakCommitted], [committed, committed + 0x8000])
})

image.run()

const check = suite('check')

everywhere(check, 'passes on a working process', ({ process, ce }) => {
  work(ce)
  process.check()
})

check('throws an InvariantError that says what contradicts what, and HeapValidate is FALSE (HV-2)', () => {
  for (const place of places) {
    const { ce, process, heap } = open(place)
    const block = ce.HeapAlloc(heap, 0, 100)
    const at = block >>> 3
    const { map } = ce.machine
    const header = map[at] as number
    map[at] = header + 16
    assert.is(ce.HeapValidate(heap, 0, 0), 0)
    assert.throws(
      () => process.check(),
      (error: unknown) =>
        error instanceof InvariantError &&
        error.name === 'InvariantError' &&
        error.message.startsWith("the process's state contradicts itself: 0x")
    )
    map[at] = header
    process.check()
    const outside = (process.snapshot().memory - 64) >>> 3
    map[outside] = START | 16
    assert.throws(() => process.check(), /a block starts outside every heap/)
    assert.is(ce.HeapValidate(heap, 0, 0), 1, 'no block of this heap')
  }
})

check.run()
