// IHostMalloc: blocks of a heap of its own, critical levels, leaks with file and line.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type HostFailure,
  type HostPolicy,
  hostReport,
  type IHostMalloc,
  type IHostMemoryManager,
  openHost
} from '../../src/hosting/index.ts'
import {
  E_INVALIDARG,
  E_NOINTERFACE,
  E_OUTOFMEMORY,
  eAppDomainCritical,
  eProcessCritical,
  eTaskCritical,
  HOST_E_ABANDONED,
  HOST_E_CLRNOTAVAILABLE,
  HOST_E_DEADLOCK,
  HOST_E_INTERRUPTED,
  HOST_E_INVALIDOPERATION,
  HOST_E_NOT_OWNER,
  HOST_E_TIMEOUT,
  IID_IHostMalloc,
  IID_IHostMemoryManager,
  IID_IUnknown,
  MALLOC_EXECUTABLE,
  MALLOC_THREADSAFE,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { everywhere, heapOf, open, refuses, type World } from '../coredll/world.ts'
import { here } from '../com/scene.ts'

interface Hosted {
  readonly world: World
  readonly host: IHostMemoryManager
  readonly malloc: IHostMalloc
}

function hosted(world: World = open(here), policy: HostPolicy = {}): Hosted {
  const host = openHost(world.ce, policy)
  const { hr, ppMalloc } = host.CreateMalloc(MALLOC_THREADSAFE)
  assert.is(hr, S_OK)
  assert.ok(ppMalloc)
  return { world, host, malloc: ppMalloc }
}

const NONE = { ppMem: 0 }
const blocks = suite('IHostMalloc')

blocks('HO-1, HO-3, HO-4: the numbers', () => {
  assert.equal(
    [
      HOST_E_DEADLOCK,
      HOST_E_INTERRUPTED,
      HOST_E_INVALIDOPERATION,
      HOST_E_CLRNOTAVAILABLE,
      HOST_E_TIMEOUT,
      HOST_E_NOT_OWNER,
      HOST_E_ABANDONED
    ],
    [0x80131020, 0x80131021, 0x80131022, 0x80131023, 0x80131024, 0x80131025, 0x80131026]
  )
  assert.equal([eTaskCritical, eAppDomainCritical, eProcessCritical, MALLOC_THREADSAFE, MALLOC_EXECUTABLE], [0, 1, 2, 1, 2])
})

everywhere(blocks, "HO-8, HO-11, C-87: a block is one of a heap that is the allocator's own", (world) => {
  const { malloc, host } = hosted(world)
  const other = host.CreateMAlloc(0).ppMalloc as IHostMalloc
  assert.is.not(malloc.heap, other.heap)
  const { hr, ppMem } = malloc.Alloc(100, eTaskCritical)
  assert.is(hr, S_OK)
  assert.is(heapOf(world, malloc.heap).liveBlocks, 1)
  assert.is(world.ce.HeapSize(malloc.heap, 0, ppMem), world.size(100))
  assert.is(hostReport(host).bytes, world.size(100))
  assert.is(malloc.Free(ppMem), S_OK)
  assert.is(heapOf(world, malloc.heap).liveBlocks, 0)
  assert.is(hostReport(host).bytes, 0)
  assert.is(malloc.Alloc(0, eProcessCritical).hr, S_OK)
  assert.equal(world.findings, [])
})

everywhere(blocks, 'HO-3, C-87: an executable allocator has executable pages, an unknown type is E_INVALIDARG', (world) => {
  const host = openHost(world.ce)
  for (const [type, protection] of [
    [0, PAGE_READWRITE],
    [MALLOC_THREADSAFE, PAGE_READWRITE],
    [MALLOC_EXECUTABLE, PAGE_EXECUTE_READWRITE],
    [MALLOC_THREADSAFE | MALLOC_EXECUTABLE, PAGE_EXECUTE_READWRITE]
  ] as const) {
    const malloc = host.CreateMalloc(type).ppMalloc as IHostMalloc
    const { ppMem } = malloc.Alloc(20_000, eTaskCritical)
    const info = world.ce.LocalAlloc(0, 28)
    assert.is(host.VirtualQuery(ppMem, info, 28).hr, S_OK)
    assert.is(world.ce.memory.readU32(info + 20), protection)
    assert.is(malloc.Free(ppMem), S_OK)
    assert.is(malloc.Release(), 0)
    world.ce.LocalFree(info)
  }
  for (const type of [4, 8, 0x80000000, 0xffffffff]) {
    assert.equal(host.CreateMalloc(type), { hr: E_INVALIDARG, ppMalloc: null })
  }
})

everywhere(blocks, 'HO-10: Free of what is not from Alloc is HOST_E_INVALIDOPERATION, changes nothing and is reported', (world) => {
  const { malloc, host } = hosted(world)
  const other = host.CreateMalloc(0).ppMalloc as IHostMalloc
  const { ppMem } = malloc.Alloc(100, eTaskCritical)
  const freed = malloc.Alloc(100, eTaskCritical).ppMem
  malloc.Free(freed)
  const strangers = [0, 1, ppMem + 4, freed, other.Alloc(10, eTaskCritical).ppMem, world.ce.HeapAlloc(malloc.heap, 0, 10), 0xffffffff]
  for (const pointer of strangers) {
    assert.equal(
      world.answer(() => malloc.Free(pointer)),
      { result: HOST_E_INVALIDOPERATION, error: 'untouched', rules: ['C-89'], changed: false }
    )
    assert.is(world.findings.at(-1)?.call, 'IHostMalloc::Free')
  }
  world.ce.HeapFree(malloc.heap, 0, ppMem)
  assert.is(malloc.Free(ppMem), HOST_E_INVALIDOPERATION, 'freed past the interface')
  assert.is(malloc.Free(ppMem), HOST_E_INVALIDOPERATION)
})

blocks('HO-9, C-87: a leak report names file and line of DebugAlloc', () => {
  const { malloc, host, world } = hosted()
  const name = world.ce.LocalAlloc(0, 32)
  world.ce.memory.writeString(name, 'b.cpp', false)
  const [a, b, c, d] = [
    malloc.DebugAlloc(10, eTaskCritical, 'a.cpp', 12),
    malloc.DebugAlloc(20, eAppDomainCritical, name, -1),
    malloc.DebugAlloc(30, eTaskCritical, 0, 7),
    malloc.Alloc(40, eTaskCritical)
  ].map(({ ppMem }) => ppMem) as [number, number, number, number]
  world.ce.memory.writeString(name, 'x', false)
  malloc.Free(a)
  const leaks = [
    { address: b, bytes: 20, level: eAppDomainCritical, file: 'b.cpp', line: -1 },
    { address: c, bytes: 30, level: eTaskCritical, file: undefined, line: 7 },
    { address: d, bytes: 40, level: eTaskCritical, file: undefined, line: undefined }
  ]
  assert.equal(hostReport(host).mallocs, [{ heap: malloc.heap, type: MALLOC_THREADSAFE, blocks: leaks }])
  assert.is(malloc.Release(), 0)
  assert.equal(hostReport(host), { bytes: 0, available: true, mallocs: [], leaks, reservations: [], addressSpace: [] })
  assert.is(world.ce.HeapValidate(malloc.heap, 0, 0), 0, 'the heap is gone')
  assert.equal(world.findings.map(({ rule, message }) => [rule, message]).slice(0, 1), [
    [
      'C-87',
      `IHostMalloc::Release: the allocator ends with 3 blocks still allocated, the first at 0x${b.toString(16).toUpperCase().padStart(8, '0')}`
    ]
  ])
})

blocks('C-67, C-87: a file name behind a guard cannot be read, and the guard stays', () => {
  const { malloc, host, world } = hosted()
  const guarded = world.ce.VirtualAlloc(0, 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD)
  assert.is(malloc.DebugAlloc(10, eTaskCritical, guarded, 3).hr, S_OK)
  assert.equal(
    hostReport(host).mallocs[0]?.blocks.map(({ file, line }) => [file, line]),
    [[undefined, 3]]
  )
  assert.equal(
    world.findings.map(({ rule }) => rule),
    ['C-87']
  )
  assert.throws(() => world.ce.memory.readU8(guarded), /^guard page/)
})

blocks('C-87: a file name that cannot be read is reported, and the block is there without it', () => {
  const { malloc, host, world } = hosted()
  for (const pointer of [8, 0xfffffff0]) {
    const { hr } = malloc.DebugAlloc(10, eTaskCritical, pointer, 3)
    assert.is(hr, S_OK)
  }
  assert.equal(
    hostReport(host).mallocs[0]?.blocks.map(({ file, line }) => [file, line]),
    [
      [undefined, 3],
      [undefined, 3]
    ]
  )
  assert.equal(
    world.findings.map(({ rule, call }) => [rule, call]),
    [
      ['C-87', 'IHostMalloc::DebugAlloc'],
      ['C-87', 'IHostMalloc::DebugAlloc']
    ]
  )
})

blocks('QueryInterface, AddRef and Release count', () => {
  const { malloc, host } = hosted()
  for (const [object, own, other] of [
    [malloc, IID_IHostMalloc, IID_IHostMemoryManager],
    [host, IID_IHostMemoryManager, IID_IHostMalloc]
  ] as const) {
    for (const riid of [own, own.toUpperCase(), `{${own}}`, IID_IUnknown]) {
      assert.equal(object.QueryInterface(riid), { hr: S_OK, ppvObject: object })
      assert.is(object.Release(), 1)
    }
    assert.equal(object.QueryInterface(other), { hr: E_NOINTERFACE, ppvObject: null })
    assert.is(object.AddRef(), 2)
    assert.equal([object.Release(), object.Release()], [1, 0])
  }
})

everywhere(blocks, 'C-86: a released allocator does nothing more, and says so', (world) => {
  const { malloc } = hosted(world)
  malloc.Release()
  for (const [call, result] of [
    [() => malloc.Alloc(1, 0), { hr: HOST_E_INVALIDOPERATION, ...NONE }],
    [() => malloc.DebugAlloc(1, 0, '', 1), { hr: HOST_E_INVALIDOPERATION, ...NONE }],
    [() => malloc.Free(64), HOST_E_INVALIDOPERATION],
    [() => malloc.QueryInterface(IID_IUnknown), { hr: HOST_E_INVALIDOPERATION, ppvObject: null }],
    [() => malloc.AddRef(), 0],
    [() => malloc.Release(), 0]
  ] as const) {
    let got: unknown
    const answer = world.answer(() => {
      got = call()
      return undefined
    })
    assert.equal(got, result)
    assert.equal(answer, { result: undefined, error: 'untouched', rules: ['C-86'], changed: false })
  }
})

blocks('what is no number is refused with what was expected, on a closed process every call', () => {
  const { malloc, host, world } = hosted()
  const number = 'expected a whole number from 0 to 4294967295, got'
  refuses(() => openHost({} as never), TypeError, 'openHost: ce: expected a CeThread, got an object (Object)')
  refuses(() => hostReport({} as never), TypeError, 'hostReport: host: expected what openHost gave, got an object (Object)')
  refuses(() => malloc.Alloc(-1, 0), RangeError, `IHostMalloc::Alloc: cbSize: ${number} -1`)
  refuses(() => malloc.Alloc(1, '0' as never), TypeError, `IHostMalloc::Alloc: eCriticalLevel: ${number} "0"`)
  refuses(() => malloc.DebugAlloc(1, 0, null as never, 1), TypeError, /^IHostMalloc::DebugAlloc: pszFileName: /)
  for (const line of [0.5, 2 ** 31]) refuses(() => malloc.DebugAlloc(1, 0, '', line), RangeError, /^IHostMalloc::DebugAlloc: iLineNo: /)
  refuses(() => malloc.Free(1n as never), TypeError, `IHostMalloc::Free: pMem: ${number} 1n`)
  refuses(() => malloc.QueryInterface(1 as never), TypeError, 'IHostMalloc::QueryInterface: riid: expected a string, got 1')
  refuses(() => host.CreateMalloc(0.5), RangeError, `IHostMemoryManager::CreateMalloc: dwMallocType: ${number} 0.5`)
  world.process.close()
  for (const call of [
    () => malloc.Alloc(1, 0),
    () => malloc.Free(0),
    () => malloc.Release(),
    () => host.CreateMalloc(0),
    () => host.GetMemoryLoad(),
    () => host.ReleasedVirtualAddressSpace(0),
    () => openHost(world.ce)
  ])
    refuses(call, TypeError, /: expected an open process, got one that was closed with process\.close\(\)$/)
})
blocks.run()

const levels = suite('critical levels')

everywhere(levels, 'HO-5, HO-6, C-88: each level has its budget, and a refused request changes nothing', (world) => {
  const failures: HostFailure[] = []
  const { malloc, host } = hosted(world, { budget: { task: 1000, appDomain: 2000 }, onFailure: (failure) => failures.push(failure) })
  const first = malloc.Alloc(960, eTaskCritical)
  assert.is(first.hr, S_OK)
  for (const [level, bytes, hr] of [
    [eTaskCritical, 41, E_OUTOFMEMORY],
    [eAppDomainCritical, 1041, E_OUTOFMEMORY],
    [eTaskCritical, 0xffffffff, E_OUTOFMEMORY],
    [3, 1, E_INVALIDARG],
    [0xffffffff, 1, E_INVALIDARG]
  ] as const) {
    const before = world.process.imageHash()
    assert.equal(malloc.Alloc(bytes, level), { hr, ...NONE })
    assert.is(world.process.imageHash(), before)
  }
  assert.equal(
    failures,
    [
      [eTaskCritical, 41],
      [eAppDomainCritical, 1041],
      [eTaskCritical, 0xffffffff]
    ].map(([level, bytes]) => ({ level, bytes, hr: E_OUTOFMEMORY }))
  )
  assert.is(malloc.Alloc(700, eAppDomainCritical).hr, S_OK)
  assert.is(malloc.Alloc(10_000, eProcessCritical).hr, S_OK)
  assert.equal(malloc.Alloc(1, eTaskCritical), { hr: E_OUTOFMEMORY, ...NONE })
  assert.is(malloc.Free(first.ppMem), S_OK)
  assert.is(hostReport(host).available, true)
})

everywhere(levels, 'HO-2, HO-5: a request at process level that fails disables the CLR for every host of the process', (world) => {
  const { malloc, host } = hosted(world, { budget: { process: 100 } })
  const second = openHost(world.ce)
  const { ppMem } = malloc.Alloc(10, eTaskCritical)
  assert.equal(malloc.Alloc(101, eProcessCritical), { hr: E_OUTOFMEMORY, ...NONE })
  const down = HOST_E_CLRNOTAVAILABLE
  assert.equal(malloc.Alloc(1, eTaskCritical), { hr: down, ...NONE })
  assert.equal(malloc.DebugAlloc(1, eTaskCritical, '', 1), { hr: down, ...NONE })
  assert.is(malloc.Free(ppMem), down)
  assert.equal(host.CreateMalloc(0), { hr: down, ppMalloc: null })
  assert.equal(second.CreateMalloc(0), { hr: down, ppMalloc: null })
  assert.equal(second.VirtualAlloc(0, 1, 0x2000, 4, 0), { hr: down, ...NONE })
  assert.is(second.VirtualFree(0x10000, 0, 0x8000), down)
  assert.equal(second.VirtualQuery(0, 0, 28), { hr: down, pResult: 0 })
  assert.equal(second.VirtualProtect(0x10000, 1, 4), { hr: down, pflOldProtect: 0 })
  assert.equal(second.GetMemoryLoad(), { hr: down, pMemoryLoad: 0, pAvailableBytes: 0 })
  assert.is(second.RegisterMemoryNotificationCallback(null), down)
  assert.equal(
    [second.NeedsVirtualAddressSpace(0, 1), second.AcquiredVirtualAddressSpace(0, 1), second.ReleasedVirtualAddressSpace(0)],
    [down, down, down]
  )
  assert.is(hostReport(second).available, false)
  assert.is(malloc.Release(), 0, 'references are counted all the same')
})

everywhere(levels, 'HO-8: when the device has no more memory each level fails, and frees help', (world) => {
  const { malloc } = hosted(world)
  const got: number[] = []
  for (;;) {
    const { hr, ppMem } = malloc.Alloc(50_000, eAppDomainCritical)
    if (hr !== S_OK) {
      assert.is(hr, E_OUTOFMEMORY)
      break
    }
    got.push(ppMem)
  }
  assert.ok(got.length > 30)
  assert.is(malloc.Free(got[0] as number), S_OK)
  assert.is(malloc.Alloc(50_000, eTaskCritical).hr, S_OK)
})

levels('HO-6, C-88: a wait that is in vain ends with HOST_E_TIMEOUT', () => {
  const { malloc } = hosted(open(here), { budget: { task: 100 }, wait: { task: 30 } })
  assert.equal(malloc.Alloc(101, eTaskCritical), { hr: HOST_E_TIMEOUT, ...NONE })
  assert.is(malloc.Alloc(60, eTaskCritical).hr, S_OK)
})

levels('a policy is checked option by option', () => {
  const { ce } = open(here)
  const policy = (value: unknown) => () => openHost(ce, value as HostPolicy)
  refuses(policy(null), TypeError, 'openHost: policy: expected an object, got null')
  refuses(policy([]), TypeError, /^openHost: policy: expected an object/)
  refuses(
    policy({ budgets: 1 }),
    RangeError,
    'openHost: policy: option: expected one of budget, wait, addressSpace, low, high, onFailure, got "budgets"'
  )
  refuses(policy({ budget: 5 }), TypeError, 'openHost: policy.budget: expected an object, got 5')
  refuses(
    policy({ budget: { thread: 5 } }),
    RangeError,
    /^openHost: policy.budget: option: expected one of task, appDomain, process, got "thread"/
  )
  refuses(policy({ budget: { task: -1 } }), RangeError, /^openHost: policy.budget.task: expected a whole number/)
  refuses(policy({ wait: { process: '1' } }), TypeError, /^openHost: policy.wait.process: /)
  refuses(policy({ addressSpace: 2 ** 33 }), RangeError, /^openHost: policy.addressSpace: /)
  refuses(policy({ low: 0 }), RangeError, /^openHost: policy.low: /)
  refuses(policy({ low: 50, high: 50 }), RangeError, /^openHost: policy.high: /)
  refuses(policy({ onFailure: 1 }), TypeError, 'openHost: policy.onFailure: expected a function, got 1')
})
levels.run()
