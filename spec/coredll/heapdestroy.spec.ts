import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_INVALID_PARAMETER } from '../../src/index.ts'
import { everywhere } from './world.ts'

const destroy = suite('HeapDestroy')

everywhere(destroy, 'HD-3: nonzero for success, without touching the last error, and zero with error 87 the second time', (world) => {
  const heap = world.ce.HeapCreate(0, 0, 0)
  assert.equal(
    world.answer(() => world.ce.HeapDestroy(heap)),
    { result: 1, error: 'untouched', rules: [], changed: true }
  )
  assert.equal(
    world.answer(() => world.ce.HeapDestroy(heap)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-4'], changed: false }
  )
})

everywhere(destroy, 'HD-4: live blocks need not be freed: memory and address space all come back', (world) => {
  const { ce, process } = world
  const before = process.snapshot()
  for (const maximum of [0, 0x100000]) {
    const heap = ce.HeapCreate(0, 0, maximum)
    const sizes = [10, 5000, 100, 0x30000, 0x48000, 60_000, 70_000]
    for (const bytes of sizes) assert.is.not(ce.HeapAlloc(heap, 0, bytes), 0)
    assert.is(ce.HeapDestroy(heap), 1)
    const { committed, heaps } = process.snapshot()
    assert.is(committed, before.committed)
    assert.equal(heaps, before.heaps)
  }
  // 4 MB less the first 64 KB and the process heap's region: nothing of the two heaps is in the way.
  const all = process.snapshot().memory - 0x10000 - (before.heaps[0]?.regions[0]?.size ?? 0)
  assert.is.not(ce.HeapCreate(0, 0, all), 0)
})

everywhere(destroy, 'HD-2, C-12: the process heap cannot be destroyed: zero with error 87, a finding, and nothing changed', (world) => {
  const { ce, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  assert.equal(
    world.answer(() => ce.HeapDestroy(heap)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-12'], changed: false }
  )
  assert.is(ce.HeapFree(heap, 0, block), 1)
})

everywhere(destroy, 'the other heaps live on', (world) => {
  const { ce } = world
  const heaps = Array.from({ length: 5 }, () => ce.HeapCreate(0, 0, 0))
  const blocks = heaps.map((heap) => ce.HeapAlloc(heap, 0, 100))
  ce.HeapDestroy(heaps[2] as number)
  heaps.forEach((heap, n) => {
    assert.is(ce.HeapFree(heap, 0, blocks[n] as number), n === 2 ? 0 : 1)
  })
})

destroy.run()
