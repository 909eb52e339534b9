// Growable heaps: the first region, further ones, memory committed as it is used, and what happens when there is none.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type CeProcess,
  type CeThread,
  createProcess,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type ProfileName
} from '../../src/index.ts'
import { world } from './heaps.ts'

const KB = 1024
const MB = 1024 * KB
const firstRegion: Readonly<Record<ProfileName, number>> = {
  'compact-2013': 64 * KB,
  'compact-7': 64 * KB,
  'ce-6.0': 64 * KB,
  'ce-5.0': 192 * KB
}
const names = Object.keys(firstRegion) as ProfileName[]

const regions = suite('growth: regions')

for (const profile of names) {
  const size = firstRegion[profile]
  regions(`HI-5, HI-7, C-24: ${profile} first reserves ${size / KB} KB`, () => {
    const { info } = world({ profile })
    assert.equal(
      info().regions.map((region) => region.size),
      [size]
    )
  })

  regions(`C-28: the process heap of ${profile} is there from the start, growable, and begins with ${size / KB} KB`, () => {
    const process = createProcess({ profile, memory: MB })
    const [heap] = process.snapshot().heaps
    assert.is(heap?.handle, process.thread.GetProcessHeap())
    assert.is(heap?.maximum, 0)
    assert.equal(
      heap?.regions.map((region) => region.size),
      [size]
    )
    assert.is(heap?.liveBlocks, 0)
  })

  regions(`HI-8, C-24: ${profile} grows by further regions, each at least ${size / KB} KB and large enough for its block`, () => {
    const { process, info, alloc } = world({ profile })
    const blocks = Array.from({ length: 100 }, () => alloc(15_000))
    assert.ok(blocks.every((p) => p !== 0))
    assert.ok(info().regions.length > 3)
    assert.ok(info().regions.every((region) => region.size === size))
    const large = process.profile.bigBlock
    assert.is.not(alloc(large), 0)
    assert.ok(info().regions.every((region) => region.size >= size))
    assert.is(info().blocks.filter(({ state }) => state === 'big').length, 0)
    process.check()
  })
}

regions('HC-2, C-24: an initial size above the first region makes that region larger, in whole 64 KB', () => {
  for (const [initial, size] of [
    [64 * KB, 64 * KB],
    [64 * KB + 1, 128 * KB],
    [300_000, 320 * KB]
  ] as const) {
    const { info } = world({}, 0, initial)
    assert.equal(
      info().regions.map((region) => region.size),
      [size]
    )
    assert.is(info().committed, Math.ceil(initial / 4096) * 4096)
  }
})

regions('HI-8: regions need not lie next to each other, and no block spans two that do', () => {
  const { process, ce, info, alloc } = world()
  alloc(40 * KB)
  ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)
  alloc(40 * KB)
  alloc(40 * KB)
  const [first, second, third] = info().regions.map(({ address }) => address) as [number, number, number]
  assert.is(second, first + 128 * KB, 'behind the reservation of the app')
  assert.is(third, second + 64 * KB)
  assert.is(alloc(30 * KB), third + 64 * KB, '24 KB are free at the end of each region, and they do not add up')
  process.check()
})

regions('where the address space has no run for a usual region, a region takes what its block needs', () => {
  const { process, ce, info, alloc } = world({ profile: 'ce-5.0' })
  alloc(190_000)
  // All but one unit of 64 KB.
  let last = 0
  for (let p = ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE); p !== 0; p = ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE)) last = p
  ce.VirtualFree(last, 0, MEM_RELEASE)
  assert.is.not(alloc(10_000), 0)
  assert.equal(
    info().regions.map((region) => region.size),
    [192 * KB, 64 * KB]
  )
  process.check()
})
regions.run()

const commit = suite('growth: memory is committed as it is used')

commit('C-27: a heap with an initial size of 0 commits one page', () => {
  assert.is(world().info().committed, 4096)
})

commit('HC-2, VA-6: the initial size is committed at once, rounded up to pages of 4096 bytes', () => {
  for (const [initial, committed] of [
    [1, 4096],
    [4096, 4096],
    [4097, 8192],
    [5000, 8192],
    [65_536, 65_536]
  ] as const) {
    assert.is(world({}, 0, initial).info().committed, committed)
  }
})

commit('HI-5: a block commits the pages that it touches and no others', () => {
  const { process, info, alloc } = world()
  const counts = [4000, 64, 64, 4096, 8192, 20_000].map((bytes) => {
    alloc(bytes)
    return info().committed / 4096
  })
  // Blocks end at 4000, 4064, 4128, 8224, 16416 and 36416 bytes.
  assert.equal(counts, [1, 1, 2, 3, 5, 9])
  process.check()
})

commit('a freed block keeps its pages, and the next one there costs none', () => {
  const { ce, heap, info, alloc } = world()
  const p = alloc(20_000)
  const { committed } = info()
  ce.HeapFree(heap, 0, p)
  assert.is(info().committed, committed)
  assert.is(alloc(20_000), p)
  assert.is(info().committed, committed)
})

commit('FL-3, C-19: fresh pages are zero, even where the memory that the process was given was not', () => {
  const memory = new SharedArrayBuffer(512 * KB)
  new Uint8Array(memory).fill(0x5a)
  const { ce, alloc } = world({ memory })
  const p = alloc(30_000)
  assert.ok(ce.memory.read(p, 30_000).every((byte) => byte === 0))
  assert.is(ce.memory.bytes[0], 0x5a, 'what is never committed is not touched')
})
commit.run()

const scarce = suite('growth: no memory left')

/** Makes a call that must fail for lack of memory and change nothing but the last error. */
function refused(process: CeProcess, call: (ce: CeThread) => number): void {
  process.thread.SetLastError(ERROR_NOT_ENOUGH_MEMORY)
  const image = process.imageHash()
  assert.is(call(process.thread), 0)
  assert.is(process.imageHash(), image, 'nothing has changed')
  process.thread.SetLastError(0)
  assert.is(call(process.thread), 0)
  assert.is(process.thread.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
  process.check()
}

scarce('without physical memory HeapAlloc is NULL and changes nothing: in a region that is there', () => {
  const { process, ce, heap, alloc } = world({ physical: 10 * 4096 })
  const p = alloc(30_000)
  assert.is.not(p, 0)
  refused(process, () => alloc(10_000))
  assert.is.not(alloc(2000), 0, 'what is committed is still handed out')
  ce.HeapFree(heap, 0, p)
  assert.is(alloc(30_000), p)
})

scarce('where memory is short a free block that needs fewer new pages serves instead of the one that placement would take', () => {
  const { process, ce, heap, info, alloc, free } = world({ physical: 19 * 4096 }, 0, 70_000)
  alloc(2000)
  const p = alloc(30_016)
  alloc(32)
  const shorter = alloc(29_760)
  alloc(32)
  free(p)
  free(shorter)
  ce.HeapCompact(heap, 0)
  assert.is(info().committed, 3 * 4096, 'pages that p and the shorter block share with live ones')
  ce.VirtualAlloc(0, 9 * 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  assert.is(process.snapshot().physical - process.snapshot().committed, 6 * 4096)
  assert.is(alloc(30_016), p, 'six new pages; behind the last block it would take seven')
  process.check()
})

scarce('without physical memory HeapAlloc is NULL and changes nothing: in a region that it would have to open (HI-8)', () => {
  const { process, info, alloc } = world({ physical: 20 * 4096 })
  alloc(60_000)
  refused(process, () => alloc(40_000))
  assert.is(info().regions.length, 1)
})

scarce('without physical memory HeapReAlloc is NULL and the block stays (HR-7, C-8): in place and moving', () => {
  const { process, ce, heap, alloc } = world({ physical: 10 * 4096 })
  const p = alloc(20_000)
  ce.memory.fill(p, 0x11, 20_000)
  refused(process, () => ce.HeapReAlloc(heap, 0, p, 50_000))
  const behind = alloc(32)
  refused(process, () => ce.HeapReAlloc(heap, 0, p, 50_000))
  assert.is(behind, p + 20_000)
  assert.ok(ce.memory.read(p, 20_000).every((byte) => byte === 0x11))
})

scarce('without physical memory HeapCreate is NULL and changes nothing (C-11)', () => {
  const { process, ce } = world({ physical: 10 * 4096 })
  refused(process, () => ce.HeapCreate(0, 64 * KB, 0))
  refused(process, () => ce.HeapCreate(0, 64 * KB, 128 * KB))
  assert.is.not(ce.HeapCreate(0, 0, 0), 0)
})

scarce('physical memory is one budget for all heaps and pages of the process', () => {
  const { process, ce, heap, alloc } = world({ physical: 10 * 4096 })
  const p = alloc(20_000)
  assert.is(process.snapshot().committed, 6 * 4096)
  const pages = ce.VirtualAlloc(0, 4 * 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  assert.is.not(pages, 0)
  refused(process, () => ce.HeapAlloc(ce.GetProcessHeap(), 0, 5000))
  ce.HeapFree(heap, 0, p)
  refused(process, () => ce.HeapAlloc(ce.GetProcessHeap(), 0, 5000))
  ce.HeapCompact(heap, 0)
  assert.is.not(ce.HeapAlloc(ce.GetProcessHeap(), 0, 5000), 0)
})

scarce('without address space HeapAlloc is NULL and changes nothing, however much physical memory there is (HC-4)', () => {
  const { process, ce, heap, alloc } = world({ memory: 512 * KB, physical: 64 * MB })
  const blocks: number[] = []
  for (let p = alloc(30_000); p !== 0; p = alloc(30_000)) blocks.push(p)
  refused(process, () => alloc(30_000))
  refused(process, () => ce.HeapCreate(0, 0, 0))
  refused(process, () => ce.HeapCreate(0, 0, 4096))
  ce.HeapFree(heap, 0, blocks[3] as number)
  assert.is(alloc(30_000), blocks[3])
})

scarce('C-3: no size near 4 GB wraps to a small one', () => {
  const { process, ce, heap, alloc } = world()
  const p = alloc(100)
  for (const bytes of [
    0x7fffffe0, 0x7fffffff, 0x80000000, 0xfffeffff, 0xffff0000, 0xfffff000, 0xffffffe0, 0xffffffe1, 0xfffffffe, 0xffffffff
  ]) {
    refused(process, () => alloc(bytes))
    refused(process, () => ce.HeapReAlloc(heap, 0, p, bytes))
    refused(process, () => ce.HeapCreate(0, bytes, 0))
    refused(process, () => ce.HeapCreate(0, 0, bytes))
  }
})
scarce.run()
