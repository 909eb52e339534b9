import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_CREATE_ENABLE_EXECUTE,
  HEAP_DISABLE_COALESCE_ON_FREE,
  HEAP_FREE_CHECKING_ENABLED,
  HEAP_GENERATE_EXCEPTIONS,
  HEAP_GROWABLE,
  HEAP_NO_SERIALIZE,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_SHARED_READONLY,
  HEAP_TAIL_CHECKING_ENABLED,
  HEAP_ZERO_MEMORY
} from '../../src/index.ts'
import { everywhere, filled, open, places } from './world.ts'

const flags = suite('flags of HeapCreate')

everywhere(flags, 'FL-1: HEAP_NO_SERIALIZE is taken without a word', (world) => {
  const { result, error, rules } = world.answer(() => world.ce.HeapCreate(HEAP_NO_SERIALIZE, 0, 0))
  assert.is.not(result, 0)
  assert.equal([error, rules], ['untouched', []])
})

everywhere(flags, 'FL-5: HEAP_GENERATE_EXCEPTIONS makes a heap whose calls fail with NULL all the same, and a finding', (world) => {
  const { ce } = world
  const { result: heap = 0, rules } = world.answer(() => ce.HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0x10000))
  assert.is.not(heap, 0)
  assert.equal(rules, ['W-2'])
  assert.equal(
    world.answer(() => ce.HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 0x20000)),
    { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: ['W-2'], changed: false }
  )
  const block = ce.HeapAlloc(heap, 0, 10)
  assert.equal(
    world.answer(() => ce.HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS, block, 0x20000)),
    { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: ['W-2'], changed: false }
  )
})

everywhere(flags, 'FL-7: HEAP_CREATE_ENABLE_EXECUTE is ignored with a finding, and means nothing to any other call', (world) => {
  const { ce } = world
  const { result: heap = 0, rules } = world.answer(() => ce.HeapCreate(HEAP_CREATE_ENABLE_EXECUTE, 0, 0))
  assert.is.not(heap, 0)
  assert.equal(rules, ['W-3'])
  assert.equal(world.answer(() => ce.HeapAlloc(heap, HEAP_CREATE_ENABLE_EXECUTE, 10)).rules, ['C-13'])
})

everywhere(flags, 'C-13: any other bit is ignored with a finding that names it', (world) => {
  const { ce } = world
  const others = [
    HEAP_GROWABLE,
    HEAP_ZERO_MEMORY,
    HEAP_REALLOC_IN_PLACE_ONLY,
    HEAP_TAIL_CHECKING_ENABLED,
    HEAP_FREE_CHECKING_ENABLED,
    HEAP_DISABLE_COALESCE_ON_FREE,
    0x80000000
  ]
  for (const bit of others) {
    const { result = 0, error, rules } = world.answer(() => ce.HeapCreate(bit, 0, 0x10000))
    assert.is.not(result, 0)
    assert.equal([error, rules], ['untouched', ['C-13']])
    assert.match(world.findings.at(-1)?.message ?? '', `0x${bit.toString(16).toUpperCase().padStart(8, '0')}`)
    assert.is(ce.HeapDestroy(result), 1)
  }
  const all = 0xffffffff - HEAP_SHARED_READONLY
  assert.equal(world.answer(() => ce.HeapCreate(all, 0, 0)).rules, ['W-2', 'W-3', 'C-13'])
  assert.match(world.findings.at(-1)?.message ?? '', '0xFFFBEFFA')
})

everywhere(flags, "FL-11: a call's own flags count, not those given to HeapCreate", (world) => {
  const { ce } = world
  const heap = ce.HeapCreate(HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY, 0, 0x10000)
  const dirty = ce.HeapAlloc(heap, 0, 96)
  ce.memory.fill(dirty, 0xee, 96)
  ce.HeapFree(heap, 0, dirty)
  const block = ce.HeapAlloc(heap, 0, 96)
  assert.is(block, dirty)
  assert.ok(filled(ce, block, 96, 0xee), 'HeapAlloc was not told to zero')
  const wall = ce.HeapAlloc(heap, 0, 32)
  const moved = ce.HeapReAlloc(heap, 0, block, 1000)
  assert.ok(moved !== 0 && moved !== block, 'HeapReAlloc was not told to stay')
  ce.HeapFree(heap, 0, wall)
  ce.HeapFree(heap, 0, moved)
  assert.ok(filled(ce, ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 96), 96, 0), 'HeapAlloc was told to zero')
})

flags('HeapCreate in a closed process throws before it raises a finding', () => {
  for (const place of places) {
    const { ce, process, findings } = open(place)
    process.close()
    assert.throws(() => ce.HeapCreate(0xffffffff, 0, 0), TypeError)
    assert.equal(findings, [])
  }
})

flags.run()
