import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PointerMap } from '../../src/check/pointermap.ts'

const pointer = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((n) => n * 16),
  fc.integer({ min: 1, max: 40 }).map((n) => 0x7ff000000000 + n * 0x1000),
  fc.constantFrom(1, 0xffffffff, 2 ** 32, 2 ** 53, 2 ** 64)
)
const seed = Number(process.env.CEHEAP_SEED ?? 20132)
const map = suite(`check: pointers to blocks (CEHEAP_SEED=${seed})`)

map('is a Map, whatever is set and deleted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete'), pointer), { maxLength: 400 }), (steps) => {
      const [found, expected] = [new PointerMap<number>(), new Map<number, number>()]
      for (const [index, [act, key]] of steps.entries()) {
        if (act === 'set') {
          found.set(key, index)
          expected.set(key, index)
        } else {
          found.delete(key)
          expected.delete(key)
        }
        assert.is(found.size, expected.size)
      }
      for (const [, key] of steps) assert.is(found.get(key), expected.get(key))
      assert.equal([...found.values()].sort(), [...expected.values()].sort())
    }),
    { seed, numRuns: 300 }
  )
})

map('grows and shrinks with what it holds', () => {
  const found = new PointerMap<number>()
  for (let n = 1; n <= 20_000; n++) found.set(n * 48, n)
  for (let n = 1; n <= 20_000; n++) assert.is(found.get(n * 48), n)
  assert.is(found.get(7), undefined)
  for (let n = 1; n <= 19_990; n++) found.delete(n * 48)
  assert.equal([...found.values()].sort(), [19991, 19992, 19993, 19994, 19995, 19996, 19997, 19998, 19999, 20000])
  for (let n = 1; n <= 19_990; n++) assert.is(found.get(n * 48), undefined)
})

map.run()
