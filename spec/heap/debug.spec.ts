// Debug builds: a sentinel behind each block (HI-15), and exact sizes (HS-4). Pattern and length are not documented and are ours.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess, type Finding, HEAP_ZERO_MEMORY, type ProcessOptions } from '../../src/index.ts'
import { type World, world } from './heaps.ts'

const GB = 1024 * 1024 * 1024

function debug(options: ProcessOptions = {}): World & { findings: Finding[] } {
  const made = world({ build: 'debug', ...options })
  const findings: Finding[] = []
  made.process.onFinding((finding) => findings.push(finding))
  return { ...made, findings }
}

/** Sizes around granules, and one above every profile's big-block limit. */
const sizes = [0, 1, 31, 32, 33, 64, 100, 4096, 300_000]
const sentinel = suite('debug builds: the sentinel')

for (const bytes of sizes) {
  sentinel(`HI-15, DT-2: the first byte behind a block of ${bytes} is watched, and so are the next 31`, () => {
    for (const offset of [0, 1, 31]) {
      const { ce, heap, alloc, free, findings } = debug()
      const p = alloc(bytes)
      assert.is(ce.HeapValidate(heap, 0, p), 1)
      ce.memory.bytes[p + bytes + offset] = 0x41
      assert.is(ce.HeapValidate(heap, 0, p), 0)
      assert.is(ce.HeapValidate(heap, 0, 0), 0)
      assert.is(free(p), 1, 'the block is freed all the same')
      assert.is(findings.length, 1)
      assert.is(findings[0]?.rule, 'DT-2')
      const at = `0x${(p + bytes + offset).toString(16).toUpperCase().padStart(8, '0')}`
      assert.ok(findings[0]?.message.includes(`first at ${at}`), findings[0]?.message)
      assert.is(ce.HeapValidate(heap, 0, 0), 1)
    }
  })

  sentinel(`HS-4, HI-15: HeapSize of a block of ${bytes} is exact, and using all of it is no overrun`, () => {
    const { ce, heap, alloc, free, findings } = debug()
    const p = alloc(bytes, HEAP_ZERO_MEMORY)
    assert.is(ce.HeapSize(heap, 0, p), bytes)
    assert.ok(ce.memory.read(p, bytes).every((byte) => byte === 0))
    ce.memory.fill(p, 0x41, bytes)
    assert.is(ce.HeapValidate(heap, 0, 0), 1)
    assert.is(free(p), 1)
    assert.equal(findings, [])
  })
}

sentinel('each block costs one granule more than on retail builds', () => {
  for (const bytes of [0, 1, 32, 33]) {
    const [first, second] = [world(), debug()].map(({ alloc }) => {
      const p = alloc(bytes)
      return alloc(bytes) - p
    }) as [number, number]
    assert.is(second - first, 32)
  }
})

sentinel('the sentinel follows a block that is resized: shrunk, grown in place, moved', () => {
  const { ce, heap, alloc, findings } = debug()
  let p = alloc(100)
  for (const bytes of [40, 41, 90, 3000]) {
    p = ce.HeapReAlloc(heap, 0, p, bytes)
    ce.memory.fill(p, 0x41, bytes)
    assert.is(ce.HeapValidate(heap, 0, 0), 1)
    alloc(bytes === 90 ? 1 : 0)
  }
  assert.equal(findings, [])
  ce.memory.bytes[p + 3000] = 0
  p = ce.HeapReAlloc(heap, 0, p, 5000)
  assert.is(findings.at(-1)?.rule, 'DT-2', 'a resize looks at it first')
  assert.is(ce.HeapValidate(heap, 0, 0), 1, 'and writes a whole one')
})

sentinel('an overrun breaks no invariant: the heap stays exact whatever the app writes', () => {
  const { process, ce, heap, alloc, free } = debug()
  const blocks = Array.from({ length: 50 }, (_, n) => alloc(n * 7))
  for (const p of blocks) ce.memory.fill(p, 0xff, 300)
  process.check()
  for (const p of blocks) assert.is(free(p), 1)
  assert.is(ce.HeapValidate(heap, 0, 0), 1)
  process.check()
})

sentinel('retail builds have none: the same overrun goes unseen', () => {
  const { process, ce, heap, alloc, free } = world()
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const p = alloc(32)
  ce.memory.bytes[p + 32] = 1
  assert.is(ce.HeapValidate(heap, 0, 0), 1)
  assert.is(free(p), 1)
  assert.equal(findings, [])
})

sentinel('VL-2, C-29: the last byte of 2 GB is watched like any other', () => {
  const process = createProcess({ build: 'debug', memory: 2 * GB })
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const ce = process.thread
  const heap = ce.GetProcessHeap()
  // Everything above the process heap's first region and the never mapped 64 KB, up to the very end.
  const bytes = 2 * GB - 2 * 65_536 - 32
  const p = ce.HeapAlloc(heap, 0, bytes)
  assert.is(p, 2 * 65_536)
  assert.is(ce.HeapSize(heap, 0, p), bytes)
  assert.is(ce.HeapValidate(heap, 0, p), 1)
  ce.memory.writeU8(2 * GB - 1, 1)
  assert.is(ce.HeapValidate(heap, 0, p), 0)
  assert.is(ce.HeapFree(heap, 0, p), 1)
  assert.is(findings[0]?.rule, 'DT-2')
  assert.throws(() => ce.memory.readU8(2 * GB - 1), /access violation/)
})
sentinel.run()
