import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ERROR_INVALID_PARAMETER } from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'

const own = suite('GetProcessHeap')

everywhere(own, 'GP-1, C-28: the same handle at every call, from the start, of a growable heap', (world) => {
  const { ce, heap } = world
  assert.is.not(heap, 0)
  assert.equal(
    world.answer(() => ce.GetProcessHeap()),
    { result: heap, error: 'untouched', rules: [], changed: false }
  )
  assert.is(heapOf(world, heap).maximum, 0)
  assert.is(heapOf(world, heap).regions[0]?.size, world.profile.region)
})

everywhere(own, 'GP-2: it works with HeapAlloc, HeapReAlloc, HeapFree and HeapSize, and must not be given to HeapDestroy', (world) => {
  const { ce } = world
  const block = ce.HeapAlloc(ce.GetProcessHeap(), 0, 100)
  const larger = ce.HeapReAlloc(ce.GetProcessHeap(), 0, block, 200)
  assert.is(ce.HeapSize(ce.GetProcessHeap(), 0, larger), world.size(200))
  assert.equal(
    world.answer(() => ce.HeapDestroy(ce.GetProcessHeap())),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-12'], changed: false }
  )
  assert.is(ce.HeapFree(ce.GetProcessHeap(), 0, larger), 1)
})

own.run()
