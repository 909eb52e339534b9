// Fixed heaps: one reservation, part of which is the heap's own, and a limit for each block.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_NOT_ENOUGH_MEMORY, FIXED_HEAP_LIMIT, type Finding, profiles } from '../../src/index.ts'
import { world } from './heaps.ts'

const KB = 1024
const PAGE = 4096

/** 64 bytes and two bits a granule, rounded up to a granule. */
function control(size: number): number {
  return Math.ceil((64 + size / 32 / 4) / 32) * 32
}

const area = suite('fixed heaps: the control area (HC-10)')

for (const [maximum, size] of [
  [1, 96],
  [4096, 96],
  [4097, 128],
  [64 * KB, 576],
  [1024 * KB, 8256]
] as const) {
  area(`HC-10, HC-3: a maximum of ${maximum} bytes reserves whole pages, of which the heap's own structures take ${size} bytes`, () => {
    const { info } = world({}, maximum)
    const [region] = info().regions
    const rounded = Math.ceil(maximum / PAGE) * PAGE
    assert.is(region?.size, rounded)
    assert.is(info().maximum, rounded)
    assert.is(control(rounded), size)
    const [first, rest, ...more] = info().blocks
    assert.equal(first, { address: region?.address, size, requested: 0, state: 'control', holes: false })
    assert.is(rest?.size, rounded - size)
    assert.equal(more, [])
  })
}

area('HC-10: a heap of at most 64 KB has no 64 KB to give, but all that its own structures leave', () => {
  const { ce, heap, alloc } = world({}, 64 * KB)
  assert.is(alloc(64 * KB), 0)
  assert.is(ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
  assert.is(alloc(64 * KB - 576 + 1), 0)
  const p = alloc(64 * KB - 576)
  assert.is.not(p, 0)
  assert.is(alloc(1), 0, 'full')
  assert.is(ce.HeapFree(heap, 0, p), 1)
  assert.is(alloc(64 * KB - 576), p)
})

area("HC-10: the heap's own structures are committed from the start, and are not the app's to free", () => {
  const { process, ce, heap, info } = world({}, 1024 * KB)
  assert.is(info().committed, 3 * PAGE, '8,256 bytes')
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const [region] = info().regions
  assert.is(ce.HeapFree(heap, 0, region?.address ?? 0), 0)
  assert.match(findings[0]?.message ?? '', /the heap's own structures/)
  assert.is(ce.HeapSize(heap, 0, region?.address ?? 0), 0xffffffff)
  assert.is(info().liveBlocks, 0)
})

area('HC-2: the initial size is committed, or the control area where that is larger', () => {
  assert.is(world({}, 1024 * KB, 5 * PAGE).info().committed, 5 * PAGE)
  assert.is(world({}, 1024 * KB, 1).info().committed, 3 * PAGE)
})

area('a fixed heap of less than 64 KB ends with its last page: behind it there is nothing', () => {
  const { process, ce, alloc, info } = world({}, 5 * PAGE)
  const p = alloc(5 * PAGE - control(5 * PAGE))
  ce.memory.fill(p, 1, 5 * PAGE - control(5 * PAGE))
  const end = (info().regions[0]?.address ?? 0) + 5 * PAGE
  assert.throws(() => ce.memory.writeU8(end, 1), /access violation/)
  process.check()
})
area.run()

const limit = suite('fixed heaps: the largest block')

for (const { name } of Object.values(profiles)) {
  limit(`HA-2, C-2: ${name} gives 0x7FFF7 bytes from a fixed heap and refuses 0x7FFF8, room or not`, () => {
    const { process, ce, heap, alloc } = world({ profile: name }, 2048 * KB)
    const findings: Finding[] = []
    process.onFinding((finding) => findings.push(finding))
    const p = alloc(FIXED_HEAP_LIMIT - 1)
    assert.is.not(p, 0)
    assert.equal(findings, [])
    ce.SetLastError(1)
    assert.is(alloc(FIXED_HEAP_LIMIT), 0)
    assert.is(ce.GetLastError(), name === 'ce-5.0' ? 1 : ERROR_NOT_ENOUGH_MEMORY)
    assert.is(findings[0]?.rule, 'W-16')
    assert.is(ce.HeapReAlloc(heap, 0, p, FIXED_HEAP_LIMIT), 0, 'C-9')
    assert.is(ce.HeapSize(heap, 0, p), 0x80000)
    process.check()
  })
}

limit('the limit is that of fixed heaps alone', () => {
  const { ce } = world({}, 64 * KB)
  assert.is.not(ce.HeapAlloc(ce.GetProcessHeap(), 0, FIXED_HEAP_LIMIT), 0)
})

limit('HC-3: a fixed heap never grows: all blocks lie in its one region', () => {
  const { process, alloc, info } = world({}, 100 * KB)
  const blocks: number[] = []
  for (let p = alloc(3000); p !== 0; p = alloc(3000)) blocks.push(p)
  assert.is(blocks.length, Math.floor((100 * KB - control(100 * KB)) / 3008))
  assert.is(info().regions.length, 1)
  const start = info().regions[0]?.address ?? 0
  assert.ok(blocks.every((p) => p >= start + control(100 * KB) && p + 3008 <= start + 100 * KB))
  process.check()
})
limit.run()
