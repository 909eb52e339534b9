import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HEAP_REALLOC_IN_PLACE_ONLY, HEAP_SIZE_FAILED, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { everywhere } from './world.ts'

const size = suite('HeapSize')
const SIZES = [
  1, 2, 31, 32, 33, 100, 4095, 4096, 4097, 16_384, 16_385, 65_535, 65_536, 65_537, 0x18000, 0x18001, 100_001, 196_608, 196_609, 300_000
]

everywhere(size, 'HS-3, HS-4, C-17: the next multiple of 32 on retail, the requested size on debug, for small and big blocks', (world) => {
  const { ce, heap } = world
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x200000)]) {
    for (const bytes of SIZES) {
      const block = ce.HeapAlloc(handle, 0, bytes)
      const expected = world.debug ? bytes : Math.ceil(bytes / 32) * 32
      assert.equal(
        world.answer(() => ce.HeapSize(handle, 0, block)),
        { result: expected, error: 'untouched', rules: [], changed: false },
        String(bytes)
      )
      ce.HeapFree(handle, 0, block)
    }
  }
})

everywhere(size, 'HS-3, HS-4: after HeapReAlloc it tells the new size, moved or not', (world) => {
  const { ce, heap } = world
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x200000)]) {
    let block = ce.HeapAlloc(handle, 0, 1)
    for (const bytes of [...SIZES, ...SIZES.reverse(), 300_000, 7]) {
      block = ce.HeapReAlloc(handle, 0, block, bytes)
      assert.is(ce.HeapSize(handle, 0, block), world.size(bytes), String(bytes))
    }
    block = ce.HeapReAlloc(handle, 0, block, 300_000)
    for (const bytes of [200_000, 1000, 31, 0]) {
      assert.is(ce.HeapReAlloc(handle, HEAP_REALLOC_IN_PLACE_ONLY, block, bytes), block)
      assert.is(ce.HeapSize(handle, 0, block), world.size(bytes), `${bytes} in place`)
    }
  }
})

everywhere(size, 'HS-2: flags are ignored, whatever they are', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  for (const flags of [1, 4, HEAP_ZERO_MEMORY, 0x80000000, 0xffffffff]) {
    assert.equal(
      world.answer(() => ce.HeapSize(heap, flags, block)),
      { result: world.size(100), error: 'untouched', rules: [], changed: false }
    )
  }
})

everywhere(size, 'HS-5: a failure is 0xFFFFFFFF and does not set the last error', (world) => {
  const { ce, heap } = world
  assert.is(HEAP_SIZE_FAILED, 0xffffffff)
  assert.equal(
    world.answer(() => ce.HeapSize(heap, 0, 0x12340)),
    { result: 0xffffffff, error: 'untouched', rules: ['C-38'], changed: false }
  )
  assert.equal(
    world.answer(() => ce.HeapSize(0, 0, 0x12340)),
    { result: 0xffffffff, error: 'untouched', rules: ['C-4'], changed: false }
  )
})

size.run()
