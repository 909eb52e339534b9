// VirtualQuery: what it writes of a run of like pages (VQ-1, VQ-2, C-64).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_INVALID_PARAMETER,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_FREE,
  MEM_PRIVATE,
  MEM_RESERVE,
  MEMORY_BASIC_INFORMATION,
  type MemoryBasicInformation,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { scene, waitingInVain } from './afterdeathscene.ts'
import { badPlaces } from './badout.ts'
import { everywhere } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const UNIT = 65_536
const { size } = MEMORY_BASIC_INFORMATION
const query = suite('VirtualQuery')

function asked({ ce, heap }: World): (address: number) => MemoryBasicInformation {
  const buffer = ce.HeapAlloc(heap, 0, size)
  return (address) => {
    assert.is(ce.VirtualQuery(address, buffer, size), size)
    return MEMORY_BASIC_INFORMATION.read(ce.memory, buffer)
  }
}

everywhere(query, 'VQ-1, VQ-2: reserved, committed and free pages, from the page of the address to the end of the run', (world) => {
  const { ce } = world
  const ask = asked(world)
  const base = ce.VirtualAlloc(0x200000, 0x8000, MEM_RESERVE, PAGE_READONLY)
  const common = { AllocationBase: base, AllocationProtect: 0, Type: MEM_PRIVATE }
  const reserved = { ...common, State: MEM_RESERVE, Protect: 0 }
  assert.equal(ask(base), { ...reserved, BaseAddress: base, RegionSize: 0x8000 })
  assert.equal(ask(base + 0x3fff), { ...reserved, BaseAddress: base + 0x3000, RegionSize: 0x5000 })
  ce.VirtualAlloc(base + 0x2000, 0x3000, MEM_COMMIT, PAGE_READWRITE)
  ce.VirtualAlloc(base + 0x4000, 0x1000, MEM_COMMIT, PAGE_READONLY | PAGE_GUARD)
  const committed = { ...common, State: MEM_COMMIT }
  assert.equal(ask(base), { ...reserved, BaseAddress: base, RegionSize: 0x2000 })
  assert.equal(ask(base + 0x2001), { ...committed, BaseAddress: base + 0x2000, RegionSize: 0x2000, Protect: PAGE_READWRITE })
  assert.equal(ask(base + 0x4fff), { ...committed, BaseAddress: base + 0x4000, RegionSize: 0x1000, Protect: PAGE_READONLY | PAGE_GUARD })
  assert.equal(ask(base + 0x5000), { ...reserved, BaseAddress: base + 0x5000, RegionSize: 0x3000 })
  ce.VirtualFree(base + 0x2000, 0x3000, MEM_DECOMMIT)
  assert.equal(ask(base), { ...reserved, BaseAddress: base, RegionSize: 0x8000 }, 'what a page was does not show')
})

everywhere(
  query,
  'C-64: free pages belong to nothing; a run of them may begin in the last 64 KB of a reservation and ends with memory',
  (world) => {
    const { ce, process } = world
    const ask = asked(world)
    const free = { AllocationBase: 0, AllocationProtect: 0, State: MEM_FREE, Protect: PAGE_NOACCESS, Type: 0 }
    const { memory } = process.snapshot()
    const base = ce.VirtualAlloc(memory - 4 * UNIT, 0x1000, MEM_RESERVE, PAGE_READWRITE)
    assert.equal(ask(base + 0x1800), { ...free, BaseAddress: base + 0x1000, RegionSize: 4 * UNIT - 0x1000 })
    assert.equal(ask(memory - 1), { ...free, BaseAddress: memory - PAGE, RegionSize: PAGE })
    const first = ask(0)
    assert.equal(first, { ...free, BaseAddress: 0, RegionSize: UNIT }, 'VL-3: the bottom 64 KB are free, the process heap follows')
    assert.is(ce.VirtualAlloc(1, 1, MEM_RESERVE, PAGE_READWRITE), 0, 'and are for nobody')
  }
)

everywhere(query, 'C-64: a run ends where the next reservation begins, however like', (world) => {
  const { ce } = world
  const ask = asked(world)
  const low = ce.VirtualAlloc(0x200000, UNIT, MEM_RESERVE, PAGE_READWRITE)
  const high = ce.VirtualAlloc(0x200000 + UNIT, 2 * UNIT, MEM_RESERVE, PAGE_READWRITE)
  assert.equal([ask(low).RegionSize, ask(high).RegionSize, ask(high).AllocationBase], [UNIT, 2 * UNIT, high])
})

everywhere(query, "heaps and big blocks show in the same address space, as the system's own reservations", (world) => {
  const { ce, heap, process } = world
  const ask = asked(world)
  const big = ce.HeapAlloc(heap, 0, 0x48000)
  assert.equal(ask(big), {
    BaseAddress: big,
    AllocationBase: big,
    AllocationProtect: 0,
    RegionSize: world.debug ? 0x49000 : 0x48000,
    State: MEM_COMMIT,
    Protect: PAGE_READWRITE,
    Type: MEM_PRIVATE
  })
  for (let address = 0; address < process.snapshot().memory; ) {
    const { BaseAddress, RegionSize } = ask(address)
    assert.is(BaseAddress, address)
    address += RegionSize
  }
})

everywhere(query, 'VQ-1: 28 bytes are written, not more, whatever the size of the buffer; a smaller one fails', (world) => {
  const { ce, heap } = world
  const buffer = ce.HeapAlloc(heap, 0, 64)
  ce.memory.fill(buffer, 0xee, 64)
  assert.equal(
    world.answer(() => ce.VirtualQuery(buffer, buffer, 0xffffffff)),
    { result: 28, error: 'untouched', rules: [], changed: true }
  )
  assert.ok(ce.memory.read(buffer + 28, 36).every((byte) => byte === 0xee))
  for (const length of [0, 1, 27]) {
    assert.equal(
      world.answer(() => ce.VirtualQuery(buffer, buffer, length)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
})

everywhere(query, 'C-64: an address beyond memory fails', (world) => {
  const { ce, heap, process } = world
  const buffer = ce.HeapAlloc(heap, 0, size)
  for (const address of [process.snapshot().memory, 0x7fff0000, 0x80000000, 0xffffffff]) {
    assert.equal(
      world.answer(() => ce.VirtualQuery(address, buffer, size)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
})

everywhere(
  query,
  'C-62, C-63: a buffer that cannot be written is error 87 and a finding, a misaligned one works and is reported',
  (world) => {
    const { ce, heap } = world
    for (const [why, place] of badPlaces(world, size)) {
      assert.equal(
        world.answer(() => ce.VirtualQuery(0x200000, place, size)),
        { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-62'], changed: false },
        why
      )
      assert.is(world.findings.at(-1)?.call, 'VirtualQuery')
    }
    const buffer = ce.HeapAlloc(heap, 0, 64)
    for (const offset of [1, 2, 3]) {
      assert.equal(
        world.answer(() => ce.VirtualQuery(0x200000, buffer + offset, size)),
        { result: 28, error: 'untouched', rules: ['C-63'], changed: true }
      )
      assert.is(MEMORY_BASIC_INFORMATION.get(ce.memory, buffer + offset, 'BaseAddress'), 0x200000)
    }
  }
)

query('VQ-1: waits for a thread that is in the middle of a change, as any call does', () => {
  const { one, two, heap } = scene()
  const buffer = one.HeapAlloc(heap, 0, size)
  enter(two.machine, HDR.LOCK, two.tid)
  waitingInVain(() =>
    assert.throws(
      () => one.VirtualQuery(buffer, buffer, size),
      (error: unknown) => error instanceof LockTimeoutError && error.owner === two.tid
    )
  )
  leave(two.machine, HDR.LOCK)
  assert.is(one.VirtualQuery(buffer, buffer, size), size)
})

query.run()
