// What the system tells of memory: GlobalMemoryStatus, GetSystemInfo, IsBadReadPtr and its relatives.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEMORYSTATUS,
  type MemoryStatus,
  PAGE_EXECUTE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE,
  SYSTEM_INFO
} from '../../src/index.ts'
import { badPlaces } from './badout.ts'
import { everywhere } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const UNIT = 65_536
const BOTH = MEM_RESERVE | MEM_COMMIT

function buffer({ ce, heap }: World): number {
  const at = ce.HeapAlloc(heap, 0, 64)
  MEMORYSTATUS.set(ce.memory, at, 'dwLength', MEMORYSTATUS.size)
  return at
}

const status = suite('GlobalMemoryStatus')

everywhere(
  status,
  'GM-1, GM-2, GM-4, C-69: the budget, what is left of it, and the address space of the process; no page file',
  (world) => {
    const { ce, process } = world
    const at = buffer(world)
    const read = (): MemoryStatus => {
      assert.is(ce.GlobalMemoryStatus(at), undefined)
      return MEMORYSTATUS.read(ce.memory, at)
    }
    const { committed, memory, physical } = process.snapshot()
    const before = read()
    assert.equal(before, {
      dwLength: 32,
      dwMemoryLoad: Math.floor((committed * 100) / physical),
      dwTotalPhys: physical,
      dwAvailPhys: physical - committed,
      dwTotalPageFile: 0,
      dwAvailPageFile: 0,
      dwTotalVirtual: memory - UNIT,
      dwAvailVirtual: memory - UNIT - world.profile.region
    })
    // GM-5: the figures follow what happens. A page costs a page of memory, and 64 KB of address space (VA-3).
    const page = ce.VirtualAlloc(0, PAGE, BOTH, PAGE_READWRITE)
    const after = read()
    assert.is(after.dwAvailPhys, before.dwAvailPhys - PAGE)
    assert.is(after.dwAvailVirtual, before.dwAvailVirtual - UNIT)
    ce.VirtualFree(page, 0, MEM_RELEASE)
    assert.equal(read(), before)
    process.setPhysical(PAGE)
    assert.equal([read().dwMemoryLoad, read().dwTotalPhys, read().dwAvailPhys], [100, PAGE, 0])
  },
  { physical: 1024 * 1024 }
)

everywhere(status, 'GM-3: dwLength is to be set before; if it is not, that is reported and the answer is the same', (world) => {
  const { ce } = world
  const at = buffer(world)
  ce.GlobalMemoryStatus(at)
  const right = MEMORYSTATUS.read(ce.memory, at)
  for (const length of [0, 28, 64, 0xffffffff]) {
    ce.memory.fill(at, 0, 32)
    MEMORYSTATUS.set(ce.memory, at, 'dwLength', length)
    const { result, error, rules } = world.answer(() => ce.GlobalMemoryStatus(at) as undefined)
    assert.equal([result, error, rules], [undefined, 'untouched', ['GM-3']])
    assert.equal(MEMORYSTATUS.read(ce.memory, at), right)
  }
})

everywhere(
  status,
  'C-62, C-63: a place that cannot be written is left alone and reported, a misaligned one works and is reported',
  (world) => {
    const { ce, heap } = world
    for (const [why, place] of badPlaces(world, MEMORYSTATUS.size)) {
      assert.equal(
        world.answer(() => ce.GlobalMemoryStatus(place) as undefined),
        { result: undefined, error: 'untouched', rules: ['C-62'], changed: false },
        why
      )
    }
    const at = ce.HeapAlloc(heap, 0, 64)
    MEMORYSTATUS.set(ce.memory, at + 1, 'dwLength', 32)
    assert.equal(world.answer(() => ce.GlobalMemoryStatus(at + 1) as undefined).rules, ['C-63'])
    assert.is(MEMORYSTATUS.get(ce.memory, at + 1, 'dwTotalPhys'), world.process.snapshot().physical)
  }
)
status.run()

const info = suite('GetSystemInfo')

everywhere(info, 'C-70: pages, granularity and the range of addresses; nothing of the processor', (world) => {
  const { ce, process, heap } = world
  const at = ce.HeapAlloc(heap, 0, SYSTEM_INFO.size)
  assert.is(ce.GetSystemInfo(at), undefined)
  assert.equal(SYSTEM_INFO.read(ce.memory, at), {
    wProcessorArchitecture: 0xffff,
    wReserved: 0,
    dwPageSize: PAGE,
    lpMinimumApplicationAddress: UNIT,
    lpMaximumApplicationAddress: process.snapshot().memory - 1,
    dwActiveProcessorMask: 1,
    dwNumberOfProcessors: 1,
    dwProcessorType: 0,
    dwAllocationGranularity: UNIT,
    wProcessorLevel: 0,
    wProcessorRevision: 0
  })
  for (const [why, place] of badPlaces(world, SYSTEM_INFO.size)) {
    assert.equal(
      world.answer(() => ce.GetSystemInfo(place) as undefined),
      { result: undefined, error: 'untouched', rules: ['C-62'], changed: false },
      why
    )
  }
  assert.equal(world.answer(() => ce.GetSystemInfo(ce.HeapAlloc(heap, 0, 64) + 2) as undefined).rules, ['C-63'])
})
info.run()

const probes = suite('IsBadReadPtr, IsBadWritePtr, IsBadCodePtr')

everywhere(probes, 'C-68: 1 where a byte cannot be accessed, 0 where all can; the last error and the process stay', (world) => {
  const { ce, heap, process } = world
  const page = (protection: number): number => ce.VirtualAlloc(0, PAGE, BOTH, protection)
  const two = ce.VirtualAlloc(0, 2 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(two, PAGE, MEM_COMMIT, PAGE_READWRITE)
  const { memory } = process.snapshot()
  const table: readonly (readonly [what: string, address: number, bytes: number, badToRead: 0 | 1, badToWrite: 0 | 1])[] = [
    ['a block', ce.HeapAlloc(heap, 0, 100), 100, 0, 0],
    ['a committed page', two, PAGE, 0, 0],
    ['a byte further', two, PAGE + 1, 1, 1],
    ['a reserved page', two + PAGE, 1, 1, 1],
    ['read-only', page(PAGE_READONLY), 1, 0, 1],
    ['all of a read-only page', page(PAGE_READONLY), PAGE, 0, 1],
    ['code', page(PAGE_EXECUTE), 1, 0, 1],
    ['no access', page(PAGE_NOACCESS), 1, 1, 1],
    ['NULL', 0, 1, 1, 1],
    ['free', memory - PAGE, 1, 1, 1],
    ['beyond memory', memory, 1, 1, 1],
    ['all there is', two, 0xffffffff, 1, 1],
    ['around the end of 4 GB', 0xffffffff, 0xffffffff, 1, 1],
    ['no bytes at NULL', 0, 0, 0, 0],
    ['no bytes at a bad place', 0xffffffff, 0, 0, 0]
  ]
  for (const [what, address, bytes, badToRead, badToWrite] of table) {
    const unchanged = { error: 'untouched', rules: [], changed: false }
    assert.equal(
      world.answer(() => ce.IsBadReadPtr(address, bytes)),
      { result: badToRead, ...unchanged },
      what
    )
    assert.equal(
      world.answer(() => ce.IsBadWritePtr(address, bytes)),
      { result: badToWrite, ...unchanged },
      what
    )
    if (bytes === 1)
      assert.equal(
        world.answer(() => ce.IsBadCodePtr(address)),
        { result: badToRead, ...unchanged },
        what
      )
  }
})

everywhere(probes, 'C-68: a guard page goes off under them, which is reported', (world) => {
  const { ce, heap } = world
  const page = ce.VirtualAlloc(0, 2 * PAGE, BOTH, PAGE_READWRITE)
  const old = ce.HeapAlloc(heap, 0, 4)
  for (const probe of [() => ce.IsBadReadPtr(page, 2 * PAGE), () => ce.IsBadWritePtr(page + PAGE, 1), () => ce.IsBadCodePtr(page + PAGE)]) {
    ce.VirtualProtect(page + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, old)
    assert.equal(world.answer(probe), { result: 1, error: 'untouched', rules: ['C-68'], changed: true })
    assert.equal(world.answer(probe), { result: 0, error: 'untouched', rules: [], changed: false })
    ce.memory.writeU8(page + PAGE, 1)
  }
})
probes.run()
