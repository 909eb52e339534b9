import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  createProcess,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  LHND,
  LMEM_DISCARDABLE,
  LMEM_FIXED,
  LMEM_MODIFY,
  LMEM_MOVEABLE,
  LMEM_NOCOMPACT,
  LMEM_NODISCARD,
  LMEM_ZEROINIT,
  LockTimeoutError,
  LPTR
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { waitingInVain } from './afterdeathscene.ts'
import { everywhere, filled, heapOf } from './world.ts'
import type { World } from './world.ts'

const SIZES = [0, 1, 31, 32, 33, 100, 4096, 4097, 16_385, 65_537, 0x18001, 196_609]

/** A block of `bytes` of the process heap with a live block right behind it. */
function walled({ ce }: World, bytes: number): number {
  const block = ce.LocalAlloc(LMEM_FIXED, bytes)
  ce.LocalAlloc(LMEM_FIXED, 32)
  return block
}

const alloc = suite('LocalAlloc')

everywhere(alloc, 'LA-2, LA-6: the handle is the pointer of a block of the process heap, and Heap calls take it', (world) => {
  const { ce, heap } = world
  for (const bytes of SIZES) {
    const handle = ce.LocalAlloc(LMEM_FIXED, bytes)
    assert.is(ce.LocalLock(handle), handle)
    assert.is(ce.HeapSize(heap, 0, handle), ce.LocalSize(handle))
    ce.memory.fill(handle, 1, bytes)
    assert.is(ce.HeapFree(heap, 0, handle), 1)
    const block = ce.HeapAlloc(heap, 0, bytes)
    assert.is(ce.LocalFree(block), 0)
  }
})

everywhere(alloc, 'LA-8: at least the bytes asked for, rounded up to 32, all of it usable', (world) => {
  const { ce } = world
  for (const bytes of SIZES) {
    const handle = ce.LocalAlloc(0, bytes)
    assert.is(ce.LocalSize(handle), world.size(bytes))
    ce.memory.fill(handle, 0xee, ce.LocalSize(handle))
  }
  assert.is(ce.HeapValidate(world.heap, 0, 0), 1)
})

everywhere(alloc, 'LA-3: LMEM_FIXED is 0; LMEM_ZEROINIT and LPTR are 0x40 and zero a block that was used before', ({ ce }) => {
  assert.equal([LMEM_FIXED, LMEM_ZEROINIT, LPTR], [0, 0x40, 0x40])
  const used = ce.LocalAlloc(LMEM_FIXED, 1000)
  ce.memory.fill(used, 0xcc, 1000)
  ce.LocalFree(used)
  assert.is(ce.LocalAlloc(LMEM_FIXED, 1000), used)
  assert.ok(filled(ce, used, 1000, 0xcc))
  ce.LocalFree(used)
  assert.is(ce.LocalAlloc(LPTR, 1000), used)
  assert.ok(filled(ce, used, ce.LocalSize(used), 0))
})

everywhere(alloc, 'LA-4, C-14: LMEM_MOVEABLE gives a fixed block with a finding', (world) => {
  const { ce } = world
  for (const flags of [LMEM_MOVEABLE, LHND]) {
    const { result: handle = 0, error, rules } = world.answer(() => ce.LocalAlloc(flags, 100))
    assert.equal([error, rules], ['untouched', ['C-14']])
    assert.is(ce.LocalLock(handle), handle)
    assert.is(ce.LocalSize(handle), world.size(100))
  }
})

everywhere(alloc, 'LA-4, C-13: the other desktop flags and unknown bits are ignored with a finding', (world) => {
  const { ce } = world
  for (const flags of [LMEM_NOCOMPACT, LMEM_NODISCARD, LMEM_DISCARDABLE, LMEM_MODIFY, 1, 0x8000, 0x80000000]) {
    const { result, error, rules } = world.answer(() => ce.LocalAlloc(flags, 100))
    assert.is.not(result, 0)
    assert.equal([error, rules], ['untouched', ['C-13']], flags.toString(16))
  }
  assert.equal(world.answer(() => ce.LocalAlloc(0xffffffff, 100)).rules, ['C-14', 'C-13'])
})

everywhere(alloc, 'LA-7: NULL with error 8 in every profile, ce-5.0 included, and nothing changed', (world) => {
  for (const bytes of [0x400000, 0x80000000, 0xffffffe1, 0xffffffff]) {
    for (const flags of [0, LPTR]) {
      assert.equal(
        world.answer(() => world.ce.LocalAlloc(flags, bytes)),
        { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
      )
    }
  }
})

alloc.run()

const grow = suite('LocalReAlloc')

everywhere(grow, 'LR-4, LR-6, C-31, W-12: growth that needs a move is NULL with error 8, and the block stays', (world) => {
  const { ce } = world
  const block = walled(world, 100)
  ce.memory.fill(block, 5, 100)
  for (const bytes of [200, 10_000, 0x48000, 0xffffffff]) {
    for (const flags of [0, LMEM_ZEROINIT]) {
      assert.equal(
        world.answer(() => ce.LocalReAlloc(block, bytes, flags)),
        { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
      )
    }
  }
  assert.ok(filled(ce, block, 100, 5))
  assert.is(ce.LocalSize(block), world.size(100))
  assert.is(ce.LocalFree(block), 0)
})

everywhere(grow, 'LR-4: with LMEM_MOVEABLE the block moves when it must, contents and all', (world) => {
  const { ce } = world
  for (const bytes of [200, 10_000, 0x48000]) {
    const block = walled(world, 100)
    ce.memory.fill(block, 5, 100)
    const { result: moved = 0, error, rules } = world.answer(() => ce.LocalReAlloc(block, bytes, LMEM_MOVEABLE))
    assert.ok(moved !== 0 && moved !== block)
    assert.equal([error, rules], ['untouched', []], 'here LMEM_MOVEABLE is a CE flag')
    assert.ok(filled(ce, moved, 100, 5))
    assert.is(ce.LocalSize(moved), world.size(bytes))
    assert.is(ce.LocalFree(block), block, 'the old handle is dead')
    assert.is(ce.LocalFree(moved), 0)
  }
})

everywhere(grow, 'LR-4: growth in place and shrinking need no flag', (world) => {
  const { ce } = world
  const block = ce.LocalAlloc(0, 100)
  for (const bytes of [200, 5000, 300, 1]) {
    assert.is(ce.LocalReAlloc(block, bytes, 0), block)
    assert.is(ce.LocalSize(block), world.size(bytes))
  }
  const big = ce.LocalAlloc(0, 0x48000)
  for (const bytes of [0x40000, 1000]) {
    assert.is(ce.LocalReAlloc(big, bytes, 0), big)
    assert.is(ce.LocalSize(big), world.size(bytes))
  }
})

everywhere(grow, 'LR-5: LMEM_ZEROINIT zeroes the added bytes alone; without it nothing is zeroed', (world) => {
  const { ce } = world
  for (const [flags, added] of [
    [LMEM_ZEROINIT, 0],
    [0, 0xdd]
  ] as const) {
    const dirty = ce.LocalAlloc(0, 10_000)
    ce.memory.fill(dirty, 0xdd, 10_000)
    ce.LocalFree(dirty)
    const block = ce.LocalAlloc(0, 64)
    ce.memory.fill(block, 7, 64)
    assert.is(ce.LocalReAlloc(block, 9000, flags), block)
    assert.ok(filled(ce, block, 64, 7))
    // Where the sentinel of a debug build stood, it stands no more.
    assert.ok(filled(ce, block + 128, 9000 - 128, added))
    if (flags !== 0) assert.ok(filled(ce, block + 64, ce.LocalSize(block) - 64, 0))
    ce.LocalFree(block)
  }
})

everywhere(grow, 'LR-2, C-33: LMEM_MODIFY alone gives the handle back and changes nothing, whatever the size', (world) => {
  const { ce } = world
  const block = walled(world, 100)
  for (const bytes of [0, 10, 100, 10_000, 0xffffffff]) {
    for (const flags of [LMEM_MODIFY, LMEM_MODIFY | LMEM_ZEROINIT]) {
      assert.equal(
        world.answer(() => ce.LocalReAlloc(block, bytes, flags)),
        { result: block, error: 'untouched', rules: [], changed: false }
      )
    }
  }
})

everywhere(grow, 'LR-3, C-32: LMEM_MODIFY with LMEM_MOVEABLE is NULL with error 87, and the block stays', (world) => {
  const { ce } = world
  const block = ce.LocalAlloc(0, 100)
  for (const bytes of [0, 100, 1000]) {
    assert.equal(
      world.answer(() => ce.LocalReAlloc(block, bytes, LMEM_MODIFY | LMEM_MOVEABLE)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
  assert.is(ce.LocalFree(block), 0)
})

everywhere(grow, 'C-41: 0 bytes give a valid block of one granule; nothing is freed', (world) => {
  const { ce } = world
  for (const bytes of [0, 100, 5000, 0x48000]) {
    for (const flags of [0, LMEM_MOVEABLE, LMEM_ZEROINIT]) {
      const block = ce.LocalAlloc(0, bytes)
      const { result: small = 0, error } = world.answer(() => ce.LocalReAlloc(block, 0, flags))
      assert.is.not(small, 0)
      assert.is(error, 'untouched')
      assert.is(ce.HeapSize(world.heap, 0, small), world.debug ? 0 : 32)
      assert.is(ce.LocalFree(small), 0)
    }
  }
})

everywhere(grow, 'C-13: bits outside its table are ignored with a finding, with LMEM_MODIFY too', (world) => {
  const { ce } = world
  const block = ce.LocalAlloc(0, 100)
  for (const flags of [LMEM_DISCARDABLE, LMEM_NOCOMPACT, 0x80000000, LMEM_MODIFY | LMEM_DISCARDABLE]) {
    const { result, error, rules } = world.answer(() => ce.LocalReAlloc(block, 50, flags))
    assert.equal([result, error, rules], [block, 'untouched', ['C-13']])
  }
})

grow('LocalReAlloc that waits in vain for the pages of its heap keeps nobody out of the heap', () => {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 1000 })
  const two = attachThread(process.share())
  const three = attachThread(process.share())
  const block = two.LocalAlloc(LMEM_FIXED, 100)
  enter(three.machine, HDR.LOCK, three.tid)
  waitingInVain(() => {
    assert.throws(
      () => two.LocalReAlloc(block, 0x20000, LMEM_MOVEABLE),
      (error: unknown) => error instanceof LockTimeoutError && error.owner === three.tid
    )
    assert.is(process.thread.LocalSize(block), 128, 'while the process section is still not to be had')
  })
  leave(three.machine, HDR.LOCK)
  process.check()
})

grow.run()

const free = suite('LocalFree')

everywhere(free, 'LF-1: NULL for success, the handle itself with error 87 for failure', (world) => {
  const { ce } = world
  const block = ce.LocalAlloc(0, 100)
  assert.equal(
    world.answer(() => ce.LocalFree(block)),
    { result: 0, error: 'untouched', rules: [], changed: true }
  )
  assert.equal(
    world.answer(() => ce.LocalFree(block)),
    { result: block, error: ERROR_INVALID_PARAMETER, rules: ['C-15'], changed: false }
  )
})

everywhere(free, 'LF-2: NULL is ignored, without an error or a finding', (world) => {
  assert.equal(
    world.answer(() => world.ce.LocalFree(0)),
    { result: 0, error: 'untouched', rules: [], changed: false }
  )
})

everywhere(free, 'LF-3: a locked block is freed too', ({ ce, heap, process }) => {
  const block = ce.LocalAlloc(0, 100)
  ce.LocalLock(block)
  ce.LocalLock(block)
  assert.is(ce.LocalFree(block), 0)
  assert.is(ce.HeapValidate(heap, 0, block), 0)
  assert.is(process.snapshot().heaps[0]?.liveBlocks, 0)
})

everywhere(free, 'C-15: a block of another heap stays', (world) => {
  const { ce } = world
  const other = ce.HeapCreate(0, 0, 0)
  const block = ce.HeapAlloc(other, 0, 10)
  assert.equal(
    world.answer(() => ce.LocalFree(block)),
    { result: block, error: ERROR_INVALID_PARAMETER, rules: ['C-15'], changed: false }
  )
  assert.is(heapOf(world, other).liveBlocks, 1)
})

free.run()

const size = suite('LocalSize')

everywhere(size, 'LS-2, C-17: rounded up to 32 on retail, exact on debug', (world) => {
  for (const bytes of SIZES) {
    const block = world.ce.LocalAlloc(0, bytes)
    const expected = world.debug ? bytes : Math.max(32, Math.ceil(bytes / 32) * 32)
    assert.equal(
      world.answer(() => world.ce.LocalSize(block)),
      { result: expected, error: 'untouched', rules: [], changed: false }
    )
  }
})

everywhere(size, 'LS-3: 0 with error 87 for what is no block, unlike HeapSize', (world) => {
  for (const handle of [0, 8, 0x12340, 0xffffffff]) {
    assert.equal(
      world.answer(() => world.ce.LocalSize(handle)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-15'], changed: false }
    )
  }
})

size.run()

const macros = suite('Local macros')

everywhere(macros, 'LM-1: LocalLock and LocalHandle give what they are given, LocalUnlock and LocalFlags 0, for any number', (world) => {
  const { ce } = world
  for (const handle of [0, 1, ce.LocalAlloc(0, 10), 0x7fffffff, 0xffffffff]) {
    for (const [call, result] of [
      [ce.LocalLock, handle],
      [ce.LocalHandle, handle],
      [ce.LocalUnlock, 0],
      [ce.LocalFlags, 0]
    ] as const) {
      assert.equal(
        world.answer(() => call.call(ce, handle)),
        { result, error: 'untouched', rules: [], changed: false }
      )
    }
  }
})

everywhere(macros, 'LM-2: a loop that unlocks until 0 ends at once, and LocalFlags never tells of an invalid handle', ({ ce }) => {
  const block = ce.LocalAlloc(0, 10)
  ce.LocalLock(block)
  ce.LocalLock(block)
  let turns = 0
  while (ce.LocalUnlock(block) !== 0) turns++
  assert.is(turns, 0)
  ce.LocalFree(block)
  assert.is(ce.LocalFlags(block), 0)
})

macros.run()
