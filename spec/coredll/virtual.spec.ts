// VirtualAlloc and VirtualFree: reservations in steps of 64 KB, pages in three states, one budget with the heaps.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_ACCESS_DENIED,
  ERROR_INVALID_ADDRESS,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  MEM_TOP_DOWN,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOPY
} from '../../src/index.ts'
import { everywhere, filled } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const UNIT = 65_536
const BOTH = MEM_RESERVE | MEM_COMMIT

/** The app's reservation at `address` in a snapshot. */
function reservation({ process }: World, address: number): { size: number; committed: number } | undefined {
  const found = process.snapshot().reservations.find((one) => one.address === address)
  return found && { size: found.size, committed: found.committed }
}

const alloc = suite('VirtualAlloc')

everywhere(alloc, 'VA-3, VA-5: with NULL the system chooses a place at a 64 KB border, and the size is rounded up to a page', (world) => {
  const { ce } = world
  for (const bytes of [1, 4095, 4096, 4097, 65_536, 65_537, 200_000]) {
    const { result: base = 0, error, rules } = world.answer(() => ce.VirtualAlloc(0, bytes, MEM_RESERVE, PAGE_READWRITE))
    assert.ok(base >= UNIT && base % UNIT === 0)
    assert.equal([error, rules], ['untouched', []])
    assert.equal(reservation(world, base), { size: Math.ceil(bytes / PAGE) * PAGE, committed: 0 })
  }
})

everywhere(
  alloc,
  'VA-3, VA-5, C-51: a reservation at an address begins at the 64 KB border below it and ends with the last page touched',
  (world) => {
    const { ce } = world
    const free = 0x200000
    const table: readonly (readonly [offset: number, bytes: number, size: number])[] = [
      [0, 1, 0x1000],
      [0x8000, 1, 0x9000],
      [0x10, 0x1000, 0x2000],
      [0xffff, 0x3000, 0x13000],
      [0x1010, 0x7000, 0x9000],
      [0x1010, 0xc000, 0xe000]
    ]
    for (const [offset, bytes, size] of table) {
      for (const [type, committed] of [
        [MEM_RESERVE, 0],
        [BOTH, size]
      ] as const) {
        assert.is(ce.VirtualAlloc(free + offset, bytes, type, PAGE_READWRITE), free)
        assert.equal(reservation(world, free), { size, committed })
        assert.is(ce.VirtualFree(free, 0, MEM_RELEASE), 1)
      }
    }
  }
)

everywhere(alloc, "VA-9: reserved memory is nobody else's: not a second VirtualAlloc's, not a heap's", (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 3 * UNIT, MEM_RESERVE, PAGE_READWRITE)
  for (const address of [base, base + 1, base + UNIT, base + 3 * UNIT - 1]) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(address, 1, MEM_RESERVE, PAGE_READWRITE)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
    )
  }
  for (let block = ce.LocalAlloc(0, 30_000); block !== 0; block = ce.LocalAlloc(0, 30_000))
    assert.ok(block + 30_000 <= base || block >= base + 3 * UNIT)
})

everywhere(alloc, 'VA-2, C-19: committed memory is zero, and again after it was decommitted or released', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 0x4000, BOTH, PAGE_READWRITE)
  assert.ok(filled(ce, base, 0x4000, 0))
  ce.memory.fill(base, 9, 0x4000)
  ce.VirtualFree(base + PAGE, PAGE, MEM_DECOMMIT)
  assert.throws(() => ce.memory.readU8(base + PAGE), /access violation/)
  ce.VirtualAlloc(base + PAGE, 1, MEM_COMMIT, PAGE_READWRITE)
  assert.equal(
    [0, 1, 2, 3].map((page) => ce.memory.readU8(base + page * PAGE)),
    [9, 0, 9, 9]
  )
  ce.VirtualFree(base, 0, MEM_DECOMMIT)
  ce.VirtualFree(base, 0, MEM_RELEASE)
  assert.is(ce.VirtualAlloc(base, 0x4000, BOTH, PAGE_READWRITE), base)
  assert.ok(filled(ce, base, 0x4000, 0))
})

everywhere(alloc, 'VA-3, VA-5, VA-8, C-66: a commit covers every page touched, and committed ones get its protection too', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 0x8000, MEM_RESERVE, PAGE_READWRITE)
  assert.is(ce.VirtualAlloc(base + 0x1fff, 2, MEM_COMMIT, PAGE_READWRITE), base + PAGE)
  assert.equal(reservation(world, base), { size: 0x8000, committed: 2 * PAGE })
  ce.memory.writeU8(base + PAGE, 7)
  assert.is(ce.VirtualAlloc(base, 0x8000, MEM_COMMIT, PAGE_READONLY), base)
  assert.is(ce.memory.readU8(base + PAGE), 7)
  assert.throws(() => ce.memory.writeU8(base + PAGE, 8), /access violation/)
  assert.equal(reservation(world, base), { size: 0x8000, committed: 0x8000 })
})

everywhere(alloc, 'VA-4, VA-11, C-21: wrong parameters are NULL with error 87', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE)
  const wrong: readonly (readonly [address: number, size: number, type: number, protection: number])[] = [
    [0, 0, MEM_RESERVE, PAGE_NOACCESS],
    [base, 0, MEM_COMMIT, PAGE_READWRITE],
    [0, PAGE, 0, PAGE_READWRITE],
    [0, PAGE, MEM_RESET, PAGE_READWRITE],
    [0, PAGE, MEM_TOP_DOWN, PAGE_READWRITE],
    [0, PAGE, BOTH | MEM_RESET, PAGE_READWRITE],
    [0, PAGE, MEM_RESERVE | MEM_DECOMMIT, PAGE_READWRITE],
    [0, PAGE, MEM_RESERVE + 0x80000000, PAGE_READWRITE],
    [0, PAGE, MEM_RESERVE, 0],
    [base, PAGE, MEM_COMMIT, 0],
    [0, PAGE, BOTH, PAGE_READONLY | PAGE_READWRITE],
    [0, PAGE, BOTH, PAGE_WRITECOPY],
    [0, PAGE, BOTH, PAGE_GUARD],
    [0, PAGE, BOTH, PAGE_GUARD | PAGE_NOACCESS],
    [0, PAGE, BOTH, 0x400 | PAGE_READWRITE]
  ]
  for (const args of wrong) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(...args)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false },
      args.join()
    )
  }
  for (const protection of [
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_EXECUTE_READWRITE,
    PAGE_READWRITE | PAGE_GUARD,
    PAGE_READWRITE | PAGE_NOCACHE
  ]) {
    assert.is.not(ce.VirtualAlloc(0, PAGE, BOTH, protection), 0)
  }
})

everywhere(alloc, "C-21: a commit outside the app's own reservations is NULL with error 487", (world) => {
  const { ce, heap } = world
  const base = ce.VirtualAlloc(0, 0x8000, MEM_RESERVE, PAGE_READWRITE)
  const next = ce.VirtualAlloc(base + UNIT, 0x8000, MEM_RESERVE, PAGE_READWRITE)
  assert.is(next, base + UNIT)
  for (const [address, size] of [
    [base + 0x7000, 0x1001],
    [base + 0x8000, 1],
    [base, UNIT + 1],
    [1, 1],
    [0x300000, 1],
    [0xffffffff, 1],
    [base, 0xffffffff]
  ] as const) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(address, size, MEM_COMMIT, PAGE_READWRITE)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
    )
  }
  const block = ce.HeapAlloc(heap, 0, 10)
  const big = ce.HeapAlloc(heap, 0, 0x48000)
  for (const address of [block, big]) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READONLY)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: ['C-21'], changed: false }
    )
  }
})

everywhere(alloc, 'a reservation outside memory is NULL: error 487 at an address, 8 where the system chooses', (world) => {
  const { ce } = world
  for (const [address, size] of [
    [0x100, 1],
    [0xffff, 1],
    [0x400000, 1],
    [0x3f0000, UNIT + 1],
    [0xffff0000, 0xffffffff]
  ] as const) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(address, size, MEM_RESERVE, PAGE_READWRITE)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
    )
  }
  for (const size of [0x400000, 0x80000000, 0xffffffff]) {
    assert.equal(
      world.answer(() => ce.VirtualAlloc(0, size, MEM_RESERVE, PAGE_READWRITE)),
      { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
    )
  }
})

everywhere(
  alloc,
  'without physical memory a commit is NULL with error 8, and a reservation made for it is gone',
  (world) => {
    const { ce } = world
    const base = ce.VirtualAlloc(0, 0x20000, MEM_RESERVE, PAGE_READWRITE)
    assert.equal(
      world.answer(() => ce.VirtualAlloc(base, 0x20000, MEM_COMMIT, PAGE_READWRITE)),
      { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
    )
    assert.equal(
      world.answer(() => ce.VirtualAlloc(0, 0x20000, BOTH, PAGE_READWRITE)),
      { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
    )
    assert.is(ce.VirtualAlloc(base, 0x8000, MEM_COMMIT, PAGE_READWRITE), base)
  },
  { physical: 0x10000 }
)

everywhere(alloc, 'VA-10, C-72: MEM_TOP_DOWN takes the highest place, and has no effect at an address', (world) => {
  const { ce, process } = world
  const { memory } = process.snapshot()
  assert.is(ce.VirtualAlloc(0, 2 * UNIT, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE), memory - 2 * UNIT)
  assert.is(ce.VirtualAlloc(0, PAGE, BOTH | MEM_TOP_DOWN, PAGE_READWRITE), memory - 3 * UNIT)
  assert.is(ce.VirtualAlloc(0, PAGE, MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE), memory - 4 * UNIT)
  assert.is(ce.VirtualAlloc(0x200000, PAGE, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE), 0x200000)
  assert.is(ce.VirtualAlloc(0x200000, PAGE, MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE), 0x200000)
})

everywhere(alloc, 'VA-3, VL-5: each small reservation costs 64 KB of address space', (world) => {
  const { ce, process } = world
  let count = 0
  while (ce.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE) !== 0) count++
  assert.is(count, (process.snapshot().memory - UNIT - world.profile.region) / UNIT)
})

everywhere(alloc, 'C-20: MEM_COMMIT with NULL reserves as well, and is reported', (world) => {
  const { ce } = world
  const { result: base = 0, error, rules } = world.answer(() => ce.VirtualAlloc(0, 5000, MEM_COMMIT, PAGE_READWRITE))
  assert.equal(reservation(world, base), { size: 0x2000, committed: 0x2000 })
  assert.equal([error, rules], ['untouched', ['C-20']])
})

alloc.run()

const shared = suite('CeVirtualSharedAlloc')

everywhere(shared, 'VX-2: error 5 and a finding outside kernel mode', (world) => {
  assert.equal(
    world.answer(() => world.ce.CeVirtualSharedAlloc(0, PAGE, 0)),
    { result: 0, error: ERROR_ACCESS_DENIED, rules: ['VX-2'], changed: false }
  )
})

everywhere(
  shared,
  'VX-2: action 0 reserves and commits; MEM_RESERVE wants no address, MEM_COMMIT one; VirtualFree frees it',
  (world) => {
    const { ce } = world
    const both = ce.CeVirtualSharedAlloc(0, 5000, 0)
    assert.equal(reservation(world, both), { size: 0x2000, committed: 0x2000 })
    ce.memory.fill(both, 1, 0x2000)
    const base = ce.CeVirtualSharedAlloc(0, 5000, MEM_RESERVE)
    assert.equal(reservation(world, base), { size: 0x2000, committed: 0 })
    assert.is(ce.CeVirtualSharedAlloc(base + 10, 1, MEM_COMMIT), base)
    assert.equal(reservation(world, base), { size: 0x2000, committed: PAGE })
    for (const [address, size, action] of [
      [base, PAGE, MEM_RESERVE],
      [base, PAGE, 0],
      [0, PAGE, MEM_COMMIT],
      [0, PAGE, BOTH],
      [0, 0, 0],
      [0, PAGE, MEM_TOP_DOWN | MEM_RESERVE]
    ] as const) {
      assert.equal(
        world.answer(() => ce.CeVirtualSharedAlloc(address, size, action)),
        { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
      )
    }
    assert.is(ce.VirtualFree(both, 0, MEM_RELEASE), 1)
    assert.is(ce.VirtualFree(base, 0, MEM_DECOMMIT), 1)
    assert.is(ce.VirtualFree(base, 0, MEM_RELEASE), 1)
  },
  { kernelMode: true }
)
shared.run()

const free = suite('VirtualFree')

everywhere(free, 'VF-2: MEM_RELEASE wants size 0 and the base, and gives everything back', (world) => {
  const { ce, process } = world
  const { committed } = process.snapshot()
  const base = ce.VirtualAlloc(0, 0x8000, BOTH, PAGE_READWRITE)
  for (const [address, size] of [
    [base, 1],
    [base, 0x8000],
    [base + 1, 0],
    [base + PAGE, 0]
  ] as const) {
    assert.equal(
      world.answer(() => ce.VirtualFree(address, size, MEM_RELEASE)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
  assert.equal(
    world.answer(() => ce.VirtualFree(base, 0, MEM_RELEASE)),
    { result: 1, error: 'untouched', rules: [], changed: true }
  )
  assert.is(process.snapshot().committed, committed)
  assert.is(reservation(world, base), undefined)
  assert.equal(
    world.answer(() => ce.VirtualFree(base, 0, MEM_RELEASE)),
    { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
  )
})

everywhere(free, 'VF-3: MEM_DECOMMIT covers every page touched, committed or not; size 0 at the base means all of it', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 0x8000, BOTH, PAGE_READWRITE)
  assert.is(ce.VirtualFree(base + 0x1fff, 2, MEM_DECOMMIT), 1)
  assert.equal(reservation(world, base), { size: 0x8000, committed: 0x6000 })
  assert.is(ce.VirtualFree(base, 0x4000, MEM_DECOMMIT), 1)
  assert.equal(reservation(world, base), { size: 0x8000, committed: 0x4000 })
  assert.is(ce.VirtualFree(base, 0, MEM_DECOMMIT), 1)
  assert.equal(reservation(world, base), { size: 0x8000, committed: 0 })
  assert.equal(
    world.answer(() => ce.VirtualFree(base + PAGE, 0, MEM_DECOMMIT)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
  )
  assert.equal(
    world.answer(() => ce.VirtualFree(base, 0x8001, MEM_DECOMMIT)),
    { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
  )
})

everywhere(free, 'VF-4: exactly one of MEM_DECOMMIT and MEM_RELEASE', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 0x8000, BOTH, PAGE_READWRITE)
  for (const type of [0, MEM_DECOMMIT | MEM_RELEASE, 0x10000, 0x80000000, MEM_COMMIT]) {
    assert.equal(
      world.answer(() => ce.VirtualFree(base, 0, type)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
})

everywhere(free, 'VF-5: what is partly committed cannot be released until it is decommitted', (world) => {
  const { ce } = world
  const base = ce.VirtualAlloc(0, 0x8000, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(base, 1, MEM_COMMIT, PAGE_READWRITE)
  assert.equal(
    world.answer(() => ce.VirtualFree(base, 0, MEM_RELEASE)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
  )
  assert.is(ce.VirtualFree(base, 0, MEM_DECOMMIT), 1)
  assert.is(ce.VirtualFree(base, 0, MEM_RELEASE), 1)
})

everywhere(free, "VF-6, C-21: nonzero for success; zero with error 487 for an address that is no reservation of the app's", (world) => {
  const { ce, heap } = world
  const own = ce.VirtualAlloc(0x200000, 0x1000, MEM_RESERVE, PAGE_READWRITE)
  for (const address of [0, 1, UNIT - 1, own + 0x1000, own + UNIT - 1, 0x300000, 0x400000, 0xffffffff]) {
    for (const type of [MEM_RELEASE, MEM_DECOMMIT]) {
      assert.equal(
        world.answer(() => ce.VirtualFree(address, 0, type)),
        { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
      )
    }
  }
  const region = world.process.snapshot().heaps[0]?.regions[0]?.address ?? 0
  for (const address of [region, ce.HeapAlloc(heap, 0, 0x48000)]) {
    for (const type of [MEM_RELEASE, MEM_DECOMMIT]) {
      assert.equal(
        world.answer(() => ce.VirtualFree(address, 0, type)),
        { result: 0, error: ERROR_INVALID_ADDRESS, rules: ['C-21'], changed: false }
      )
    }
  }
})

free.run()
