import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  GHND,
  GMEM_FIXED,
  GMEM_MODIFY,
  GMEM_MOVEABLE,
  GMEM_ZEROINIT,
  GPTR,
  LHND,
  LMEM_FIXED,
  LMEM_MODIFY,
  LMEM_MOVEABLE,
  LMEM_ZEROINIT,
  LPTR
} from '../../src/index.ts'
import { everywhere, open, places } from './world.ts'
import type { World } from './world.ts'

const family = suite('Global family')

/** The same calls by their Local or their Global names. */
function named({ ce }: World, names: 'Local' | 'Global') {
  const local = names === 'Local'
  return {
    alloc: (local ? ce.LocalAlloc : ce.GlobalAlloc).bind(ce),
    grow: (local ? ce.LocalReAlloc : ce.GlobalReAlloc).bind(ce),
    free: (local ? ce.LocalFree : ce.GlobalFree).bind(ce),
    size: (local ? ce.LocalSize : ce.GlobalSize).bind(ce),
    lock: (local ? ce.LocalLock : ce.GlobalLock).bind(ce),
    unlock: (local ? ce.LocalUnlock : ce.GlobalUnlock).bind(ce),
    handle: (local ? ce.LocalHandle : ce.GlobalHandle).bind(ce),
    flags: (local ? ce.LocalFlags : ce.GlobalFlags).bind(ce)
  }
}

/** A script of right and wrong calls; gives every result, last error and rule. */
function script(world: World, names: 'Local' | 'Global'): unknown[] {
  const call = named(world, names)
  const answers: unknown[] = []
  const note = (run: () => number): number => {
    world.ce.SetLastError(0xabcd)
    const seen = world.findings.length
    const result = run()
    answers.push([result, world.ce.GetLastError(), world.findings.slice(seen).map(({ rule }) => rule)])
    return result
  }
  for (const flags of [0, 0x40, 0x42, 2, 0x80, 0xf00, 0xffffffff]) {
    for (const bytes of [0, 1, 100, 5000, 0x48000, 0xffffffff]) {
      const block = note(() => call.alloc(flags, bytes))
      note(() => call.size(block))
      note(() => call.lock(block))
      note(() => call.unlock(block))
      note(() => call.handle(block))
      note(() => call.flags(block))
      for (const change of [0, 2, 0x40, 0x42, 0x80, 0x82, 0x8000]) note(() => call.grow(block, bytes >>> 1, change))
      const moved = note(() => call.grow(block, 300, 2))
      note(() => call.free(moved))
      note(() => call.free(moved))
      note(() => call.free(block + 8))
    }
  }
  return answers
}

for (const place of places) {
  family(`GA-1: each Global call answers as its Local namesake, call for call [${place.name}]`, () => {
    const [local, global] = [open(place), open(place)]
    assert.equal(script(global, 'Global'), script(local, 'Local'))
    assert.is(global.process.imageHash(), local.process.imageHash())
    assert.ok(global.findings.length > 0)
    assert.ok(global.findings.every(({ call, message }) => call.startsWith('Global') && message.startsWith(`${call}: `)))
    assert.equal(
      global.findings.map(({ message }) => message.replace('Global', 'Local')),
      local.findings.map(({ message }) => message)
    )
  })
}

everywhere(family, 'GA-3: GlobalAlloc with GHND carries LMEM_MOVEABLE, and gives a fixed, zeroed block with finding C-14', (world) => {
  const { ce, heap } = world
  const { result: handle = 0, rules } = world.answer(() => ce.GlobalAlloc(GHND, 100))
  assert.equal(rules, ['C-14'])
  assert.is(world.findings.at(-1)?.call, 'GlobalAlloc')
  assert.is(ce.GlobalLock(handle), handle)
  assert.is(ce.HeapSize(heap, 0, handle), world.size(100))
  assert.ok(ce.memory.read(handle, 100).every((byte) => byte === 0))
})

family('GA-1: the Global flags have the numbers of the Local ones', () => {
  assert.equal(
    [GMEM_FIXED, GMEM_MOVEABLE, GMEM_ZEROINIT, GMEM_MODIFY, GPTR, GHND],
    [LMEM_FIXED, LMEM_MOVEABLE, LMEM_ZEROINIT, LMEM_MODIFY, LPTR, LHND]
  )
})

family.run()
