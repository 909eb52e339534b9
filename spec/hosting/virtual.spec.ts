// IHostMemoryManager: virtual memory through the host, and the address-space ledger.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hostReport, openHost } from '../../src/hosting/index.ts'
import {
  E_INVALIDARG,
  E_OUTOFMEMORY,
  eProcessCritical,
  eTaskCritical,
  HOST_E_INVALIDOPERATION,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { here } from '../com/scene.ts'
import { everywhere, open } from '../coredll/world.ts'

const RESERVE_COMMIT = MEM_RESERVE | MEM_COMMIT
/** ERROR_INVALID_PARAMETER and ERROR_INVALID_ADDRESS as HRESULTs. */
const BAD_PARAMETER = 0x80070057
const BAD_ADDRESS = 0x800701e7

const virtual = suite('virtual memory through the host')

everywhere(virtual, 'HO-12, HO-13: reserve, commit, decommit and release as Win32, and the budget counts what is committed', (world) => {
  const host = openHost(world.ce)
  const bytes = (): number => hostReport(host).bytes
  const { hr, ppMem } = host.VirtualAlloc(0, 0x20000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical)
  assert.is(hr, S_OK)
  assert.is(bytes(), 0)
  assert.equal(host.VirtualAlloc(ppMem + 0x1800, 0x1000, MEM_COMMIT, PAGE_READWRITE, eTaskCritical), { hr: S_OK, ppMem: ppMem + 0x1000 })
  assert.is(bytes(), 0x2000)
  assert.is(host.VirtualAlloc(ppMem, 0x4000, MEM_COMMIT, PAGE_READWRITE, eTaskCritical).hr, S_OK)
  assert.is(bytes(), 0x4000, 'committed pages are charged once')
  world.ce.memory.fill(ppMem, 1, 0x4000)
  assert.equal(hostReport(host).reservations, [{ address: ppMem, size: 0x20000, committed: 0x4000 }])
  assert.is(host.VirtualFree(ppMem + 0x1000, 0x1000, MEM_DECOMMIT), S_OK)
  assert.is(bytes(), 0x3000)
  assert.is(host.VirtualFree(ppMem, 0, MEM_DECOMMIT), S_OK)
  assert.is(host.VirtualFree(ppMem, 0, MEM_RELEASE), S_OK)
  assert.is(bytes(), 0)
  assert.equal(hostReport(host).reservations, [])
  const both = host.VirtualAlloc(0x210000, 0x1000, RESERVE_COMMIT, PAGE_READONLY, eTaskCritical)
  assert.equal(both, { hr: S_OK, ppMem: 0x210000 })
  assert.is(bytes(), 0x1000)
  assert.is(host.VirtualFree(both.ppMem, 0, MEM_RELEASE), S_OK)
})

everywhere(virtual, "HO-13, C-89: what is not the host's is HOST_E_INVALIDOPERATION, reported and untouched", (world) => {
  const host = openHost(world.ce)
  const stranger = openHost(world.ce).VirtualAlloc(0, 0x1000, RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical).ppMem
  const own = world.ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  // One page of a 64 KB unit, and behind it what is nobody's.
  const behind = host.VirtualAlloc(0, 0x1000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical).ppMem + 0x1000
  for (const address of [0, own, own + 4, behind, stranger, world.ce.LocalAlloc(0, 10), 0xfffff000]) {
    for (const call of [
      () => host.VirtualFree(address, 0, MEM_RELEASE),
      () => host.VirtualFree(address, 1, MEM_DECOMMIT),
      () =>
        address === 0 ? host.VirtualFree(8, 1, MEM_DECOMMIT) : host.VirtualAlloc(address, 1, MEM_COMMIT, PAGE_READWRITE, eTaskCritical).hr
    ]) {
      assert.equal(world.answer(call), { result: HOST_E_INVALIDOPERATION, error: 'untouched', rules: ['C-89'], changed: false })
    }
  }
})

everywhere(virtual, 'C-89: what Win32 refuses comes back as an HRESULT, with nothing charged', (world) => {
  const host = openHost(world.ce)
  const { ppMem } = host.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical)
  const alloc = (...[address, size, type, protect]: [number, number, number, number]) =>
    host.VirtualAlloc(address, size, type, protect, eTaskCritical).hr
  for (const [hr, got] of [
    [BAD_PARAMETER, alloc(0, 0, RESERVE_COMMIT, PAGE_READWRITE)],
    [BAD_PARAMETER, alloc(0, 1, 0, PAGE_READWRITE)],
    [BAD_PARAMETER, alloc(0, 1, RESERVE_COMMIT, 0)],
    [BAD_ADDRESS, alloc(ppMem, 1, MEM_RESERVE, PAGE_READWRITE)],
    [BAD_ADDRESS, alloc(ppMem, 0x11000, MEM_COMMIT, PAGE_READWRITE)],
    [E_OUTOFMEMORY, alloc(0, 0xffffffff, MEM_RESERVE, PAGE_READWRITE)],
    [E_OUTOFMEMORY, alloc(0, 0xffffffff, RESERVE_COMMIT, PAGE_READWRITE)],
    [E_INVALIDARG, host.VirtualAlloc(0, 1, MEM_RESERVE, PAGE_READWRITE, 3).hr],
    [BAD_PARAMETER, host.VirtualFree(ppMem, 1, MEM_RELEASE)],
    [BAD_PARAMETER, host.VirtualFree(ppMem, 0, 0)],
    [BAD_ADDRESS, host.VirtualProtect(ppMem, 1, PAGE_READONLY).hr],
    [BAD_PARAMETER, host.VirtualProtect(ppMem, 0, PAGE_READONLY).hr],
    [BAD_PARAMETER, host.VirtualQuery(ppMem, 0, 28).hr],
    [BAD_PARAMETER, host.VirtualQuery(ppMem, ppMem, 27).hr]
  ] as const)
    assert.is(got, hr)
  assert.is(hostReport(host).bytes, 0)
  assert.is(hostReport(host).available, true)
})

everywhere(virtual, 'HO-6: a commit beyond the budget of its level is refused, reserving costs nothing', (world) => {
  const host = openHost(world.ce, { budget: { task: 0x3000, process: 0x5000 } })
  const { ppMem } = host.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical)
  const commit = (pages: number, level: number): number => host.VirtualAlloc(ppMem, pages * 0x1000, MEM_COMMIT, PAGE_READWRITE, level).hr
  assert.is(commit(4, eTaskCritical), E_OUTOFMEMORY)
  assert.is(commit(3, eTaskCritical), S_OK)
  assert.is(commit(3, eTaskCritical), S_OK, 'committed again: nothing new')
  assert.is(commit(4, eTaskCritical), E_OUTOFMEMORY)
  assert.is(commit(5, eProcessCritical), S_OK)
  assert.is(host.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical).hr, S_OK)
  assert.is(commit(6, eProcessCritical), E_OUTOFMEMORY)
  assert.is(hostReport(host).available, false)
})

everywhere(virtual, 'HO-15: VirtualProtect gives the old protection back', (world) => {
  const host = openHost(world.ce)
  const { ppMem } = host.VirtualAlloc(0, 0x2000, RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical)
  assert.equal(host.VirtualProtect(ppMem, 0x2000, PAGE_READONLY), { hr: S_OK, pflOldProtect: PAGE_READWRITE })
  assert.equal(host.VirtualProtect(ppMem + 0x1000, 1, PAGE_NOACCESS), { hr: S_OK, pflOldProtect: PAGE_READONLY })
  assert.throws(() => world.ce.memory.writeU8(ppMem, 1), /access violation/)
  assert.is(world.process.snapshot().heaps[0]?.liveBlocks, 0, 'nothing is left of the call')
})

everywhere(
  virtual,
  "HO-13, C-96: what the program frees past the host is not the host's any more, nor what it reserves there itself",
  (world) => {
    const { ce } = world
    const host = openHost(ce)
    const { ppMem } = host.VirtualAlloc(0, 0x4000, RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical)
    assert.is(ce.VirtualFree(ppMem, 0, MEM_RELEASE), 1)
    assert.is(ce.VirtualAlloc(ppMem, 0x2000, RESERVE_COMMIT, PAGE_READWRITE), ppMem)
    for (const call of [
      () => host.VirtualFree(ppMem, 0, MEM_RELEASE),
      () => host.VirtualFree(ppMem, 0x1000, MEM_DECOMMIT),
      () => host.VirtualAlloc(ppMem, 1, MEM_COMMIT, PAGE_READWRITE, eTaskCritical).hr
    ])
      assert.equal(world.answer(call), { result: HOST_E_INVALIDOPERATION, error: 'untouched', rules: ['C-89'], changed: false })
    assert.equal([hostReport(host).bytes, hostReport(host).reservations], [0, []])
    const back = openHost(ce).VirtualAlloc(0, 0x1000, RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical).ppMem
    assert.is(host.VirtualFree(back, 0, MEM_RELEASE), HOST_E_INVALIDOPERATION, 'nor is what another host of the thread has made')
  }
)

everywhere(
  virtual,
  "C-96: what the program commits, decommits or frees in the host's reservations counts from the host's next call on",
  (world) => {
    const { ce } = world
    const host = openHost(ce, { budget: { task: 0x4000 } })
    const malloc = host.CreateMalloc(0).ppMalloc
    const alloc = (size: number, type: number): number => host.VirtualAlloc(0, size, type, PAGE_READWRITE, eTaskCritical).ppMem
    const [one, two] = [alloc(0x10000, MEM_RESERVE), alloc(0x2000, RESERVE_COMMIT)]
    ce.VirtualAlloc(one, 0x2000, MEM_COMMIT, PAGE_READWRITE)
    assert.is(malloc?.Alloc(1, eTaskCritical).hr, E_OUTOFMEMORY)
    assert.is(hostReport(host).bytes, 0x4000)
    ce.VirtualFree(two, 0, MEM_RELEASE)
    assert.is(malloc?.Alloc(1, eTaskCritical).hr, S_OK)
    assert.equal(hostReport(host).reservations, [{ address: one, size: 0x10000, committed: 0x2000 }])
  }
)

everywhere(virtual, "C-96: a host's reservation that is lent to a heap of CeHeapCreate is still the host's", (world) => {
  const { ce } = world
  const host = openHost(ce)
  const heap = ce.CeHeapCreate(
    0,
    0,
    0x10000,
    (address, bytes, action) => host.VirtualAlloc(address, bytes, action, PAGE_READWRITE, eTaskCritical).ppMem,
    (address, bytes, action) => (host.VirtualFree(address, action === MEM_RELEASE ? 0 : bytes, action) === S_OK ? 1 : 0)
  )
  assert.is.not(ce.HeapAlloc(heap, 0, 20_000), 0)
  const { bytes, reservations } = hostReport(host)
  assert.is(reservations.length, 1)
  assert.is(bytes, world.process.snapshot().heaps.find(({ handle }) => handle === heap)?.committed)
  assert.is(host.VirtualFree(reservations[0]?.address as number, 0, MEM_RELEASE), BAD_ADDRESS, "while it is lent it is the heap's to free")
  assert.is(ce.HeapDestroy(heap), 1)
  assert.equal([hostReport(host).bytes, hostReport(host).reservations], [0, []])
})

virtual(
  'C-88, C-96: a commit that lies in no reservation of the host, or over a place that is taken, is no request: nothing is charged and the CLR lives',
  () => {
    const { ce } = open(here)
    const told: unknown[] = []
    const host = openHost(ce, { budget: { process: 0x4000 }, onFailure: (failure) => told.push(failure) })
    const alloc = (address: number, size: number, type: number): number =>
      host.VirtualAlloc(address, size, type, PAGE_READWRITE, eProcessCritical).hr
    const { ppMem } = host.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE, eTaskCritical)
    for (const [address, size, type] of [
      [ppMem, 0x11000, MEM_COMMIT],
      [ppMem + 0xf000, 0x1001, MEM_COMMIT],
      [ppMem, 0xffffffff, MEM_COMMIT],
      [ppMem, 0x20000, RESERVE_COMMIT],
      [0x1000, 0x20000, RESERVE_COMMIT],
      [0x3f0000, 0x20000, RESERVE_COMMIT]
    ] as const)
      assert.is(alloc(address, size, type), BAD_ADDRESS, `${address} ${size}`)
    assert.equal([hostReport(host).bytes, hostReport(host).available, told], [0, true, []])
    assert.is(alloc(ppMem, 0x5000, MEM_COMMIT), E_OUTOFMEMORY, 'a request that could be met but for the budget')
  }
)

virtual('HO-15: VirtualProtect works when no block can be had, and asks for none', () => {
  const { ce, process } = open(here)
  const host = openHost(ce)
  const { ppMem } = host.VirtualAlloc(0, 0x1000, RESERVE_COMMIT, PAGE_READWRITE, eTaskCritical)
  const failures = process.injectFailures({ on: 'alloc' })
  const calls: string[] = []
  const stop = process.record({ write: ({ call }) => calls.push(call) })
  assert.equal(host.VirtualProtect(ppMem, 0x1000, PAGE_READONLY), { hr: S_OK, pflOldProtect: PAGE_READWRITE })
  stop()
  assert.is(failures.seen, 0)
  assert.equal(calls, ['VirtualProtect'])
  process.check()
})

virtual('HO-12, C-88: wrong parameters are no request: they fail as such above the budget too, and do not end the CLR', () => {
  const { ce } = open(here)
  const host = openHost(ce, { budget: { process: 0x10000 } })
  for (const [type, protection] of [
    [RESERVE_COMMIT | MEM_RESET, PAGE_READWRITE],
    [RESERVE_COMMIT, 0]
  ] as const) {
    assert.equal(host.VirtualAlloc(0, 0x20000, type, protection, eProcessCritical), { hr: BAD_PARAMETER, ppMem: 0 })
  }
  assert.ok(hostReport(host).available)
  assert.is(host.VirtualAlloc(0, 0x20000, RESERVE_COMMIT, PAGE_READWRITE, eProcessCritical).hr, E_OUTOFMEMORY)
  assert.not.ok(hostReport(host).available)
})
virtual.run()

const space = suite('the address-space ledger')

space('HO-18, HO-19, HO-20: needs are granted within the bound of what was acquired and not released', () => {
  const { ce, findings } = open(here)
  const host = openHost(ce, { addressSpace: 0x30000 })
  assert.is(host.NeedsVirtualAddressSpace(0, 0x30000), S_OK)
  assert.is(host.NeedsVirtualAddressSpace(0, 0x30001), E_OUTOFMEMORY)
  assert.is(host.AcquiredVirtualAddressSpace(0x500000, 0x20000), S_OK)
  assert.is(host.AcquiredVirtualAddressSpace(0x400000, 0x10000), S_OK)
  assert.is(host.NeedsVirtualAddressSpace(0x600000, 1), E_OUTOFMEMORY)
  assert.equal(hostReport(host).addressSpace, [
    { start: 0x400000, size: 0x10000 },
    { start: 0x500000, size: 0x20000 }
  ])
  assert.is(host.ReleasedVirtualAddressSpace(0x500000), S_OK)
  assert.is(host.NeedsVirtualAddressSpace(0x600000, 0x20000), S_OK)
  assert.equal(findings, [])
})

space('C-91: a range that is empty, wraps, overlaps or is not known changes nothing and is reported', () => {
  const { ce, findings } = open(here)
  const host = openHost(ce)
  host.AcquiredVirtualAddressSpace(0x10000, 0x20000)
  const ledger = hostReport(host).addressSpace
  for (const call of [
    () => host.AcquiredVirtualAddressSpace(0x40000, 0),
    () => host.AcquiredVirtualAddressSpace(0xffff0000, 0x10001),
    () => host.AcquiredVirtualAddressSpace(0x10000, 0x20000),
    () => host.AcquiredVirtualAddressSpace(0x2ffff, 1),
    () => host.AcquiredVirtualAddressSpace(0, 0x10001),
    () => host.ReleasedVirtualAddressSpace(0x20000),
    () => host.ReleasedVirtualAddressSpace(0),
    () => host.NeedsVirtualAddressSpace(0, 0),
    () => host.NeedsVirtualAddressSpace(0xffffffff, 2)
  ]) {
    assert.is(call(), E_INVALIDARG)
    assert.is(findings.pop()?.rule, 'C-91')
  }
  assert.equal(hostReport(host).addressSpace, ledger)
  assert.is(host.AcquiredVirtualAddressSpace(0xffff0000, 0x10000), S_OK)
  assert.is(host.AcquiredVirtualAddressSpace(0x30000, 1), S_OK, 'ranges may touch')
})
space.run()
