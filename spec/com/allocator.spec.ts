// The task allocator without a spy: IMalloc, CoTaskMem*, CoGetMalloc.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Com, type IMalloc, openCom } from '../../src/com/index.ts'
import {
  CO_E_OBJNOTREG,
  createProcess,
  E_FAIL,
  E_INVALIDARG,
  E_NOINTERFACE,
  IID_IMalloc,
  IID_IMallocSpy,
  IID_IUnknown,
  MEMCTX_SHARED,
  MEMCTX_TASK,
  S_OK
} from '../../src/index.ts'
import { everywhere, filled, heapOf, open, refuses, type World } from '../coredll/world.ts'
import { TaskMalloc } from '../../src/com/malloc.ts'

/** IMalloc's failures. */
const NULL = 0
const NO_SIZE = 0xffffffff

function start(world: World): Com & { readonly malloc: IMalloc } {
  const com = openCom(world.ce)
  const { ppMalloc } = com.CoGetMalloc(MEMCTX_TASK)
  assert.ok(ppMalloc)
  return { ...com, malloc: ppMalloc }
}

const here = { name: '', profile: 'compact-2013', build: 'retail' } as const

const getting = suite('CoGetMalloc')

everywhere(
  getting,
  'CM-1, C-54: context 1 gives S_OK and the allocator, before any CoInitialize; every other one E_INVALIDARG and null',
  ({ ce, findings }) => {
    const { CoGetMalloc } = openCom(ce)
    const { hr, ppMalloc } = CoGetMalloc(MEMCTX_TASK)
    assert.is(hr, S_OK)
    assert.ok(ppMalloc)
    // CM-3 knows MEMCTX_SHARED and allows to refuse it; 3 to 5 are names of desktop headers.
    for (const context of [0, MEMCTX_SHARED, 3, 4, 5, 0xffffffff]) assert.equal(CoGetMalloc(context), { hr: E_INVALIDARG, ppMalloc: null })
    assert.equal(findings, [])
  }
)

getting('C-54: a thread has one IMalloc while it holds references, and a new one afterwards', () => {
  const { ce } = open(here)
  const { CoGetMalloc } = openCom(ce)
  const first = CoGetMalloc(1).ppMalloc as IMalloc
  assert.is(CoGetMalloc(1).ppMalloc, first)
  assert.is(openCom(ce).CoGetMalloc(1).ppMalloc, first, 'however often COM is opened')
  assert.is(first.AddRef(), 4)
  assert.equal([first.Release(), first.Release(), first.Release(), first.Release()], [3, 2, 1, 0])
  const second = CoGetMalloc(1).ppMalloc as IMalloc
  assert.is.not(second, first)
  assert.is(second.Release(), 0)
})

getting('QueryInterface gives IUnknown and IMalloc with a reference more, and E_NOINTERFACE for the rest', () => {
  const { malloc } = start(open(here))
  for (const riid of [IID_IUnknown, IID_IMalloc, IID_IMalloc.toUpperCase(), `{${IID_IMalloc}}`]) {
    assert.equal(malloc.QueryInterface(riid), { hr: S_OK, ppvObject: malloc })
    assert.is(malloc.Release(), 1)
  }
  // Braces count around the whole of it alone.
  const [first, rest] = [IID_IMalloc.slice(0, 9), IID_IMalloc.slice(9)]
  for (const riid of [IID_IMallocSpy, '', '{', 'IMalloc', `${first}{${rest}}`, `{${first}}${rest}`])
    assert.equal(malloc.QueryInterface(riid), { hr: E_NOINTERFACE, ppvObject: null })
  assert.is(malloc.Release(), 0)
})

everywhere(getting, 'C-54: a released interface fails in each method, changes nothing and is reported', (world) => {
  const { malloc, CoTaskMemAlloc } = start(world)
  const block = CoTaskMemAlloc(100)
  malloc.Release()
  const uses: readonly (readonly [string, () => unknown, unknown])[] = [
    ['QueryInterface', () => malloc.QueryInterface(IID_IMalloc), { hr: E_FAIL, ppvObject: null }],
    ['AddRef', () => malloc.AddRef(), 0],
    ['Release', () => malloc.Release(), 0],
    ['Alloc', () => malloc.Alloc(10), NULL],
    ['Realloc', () => malloc.Realloc(block, 10), NULL],
    ['Realloc', () => malloc.Realloc(block, 0), NULL],
    ['Free', () => malloc.Free(block), undefined],
    ['GetSize', () => malloc.GetSize(block), NO_SIZE],
    ['DidAlloc', () => malloc.DidAlloc(block), -1],
    ['HeapMinimize', () => malloc.HeapMinimize(), undefined]
  ]
  for (const [method, use, expected] of uses) {
    let got: unknown
    const answer = world.answer(() => {
      got = use()
      return undefined
    })
    assert.equal(got, expected, method)
    assert.equal(answer, { result: undefined, error: 'untouched', rules: ['C-54'], changed: false }, method)
    assert.is(world.findings.at(-1)?.call, `IMalloc::${method}`)
  }
})

getting('CM-2: what one process allocates is nothing to another', () => {
  const [one, two] = [start(open(here)), start(open(here))]
  const block = one.malloc.Alloc(100)
  assert.is(one.malloc.DidAlloc(block), 1)
  assert.is(two.malloc.DidAlloc(block), 0)
})

getting('calls on a closed process throw', () => {
  const world = open(here)
  const com = start(world)
  world.process.close()
  const closed = /: expected an open process, got one that was closed with process\.close\(\)$/
  for (const call of [
    () => com.CoGetMalloc(1),
    () => com.CoGetMalloc(0),
    () => com.CoTaskMemAlloc(1),
    () => com.CoTaskMemRealloc(0, 1),
    () => com.CoTaskMemRealloc(64, 0),
    () => com.CoTaskMemFree(0),
    () => com.CoTaskMemFree(64),
    () => com.CoRegisterMallocSpy(null),
    () => com.CoRevokeMallocSpy(),
    () => com.malloc.QueryInterface(''),
    () => com.malloc.AddRef(),
    () => com.malloc.Release(),
    () => com.malloc.Alloc(1),
    () => com.malloc.Realloc(64, 1),
    () => com.malloc.Free(0),
    () => com.malloc.GetSize(0),
    () => com.malloc.DidAlloc(0),
    () => com.malloc.HeapMinimize()
  ])
    refuses(call, TypeError, closed)
})

getting('what is no thread, no number, no string is refused with what was expected', () => {
  const { CoGetMalloc, malloc, ...com } = start(open(here))
  const number = 'expected a whole number from 0 to 4294967295, got'
  refuses(() => openCom({} as never), TypeError, 'openCom: ce: expected a CeThread, got an object (Object)')
  refuses(
    () => openCom(createProcess({ memory: 0x20000 }) as never),
    TypeError,
    'openCom: ce: expected a CeThread, got an object (CeProcess)'
  )
  refuses(() => CoGetMalloc('1' as never), TypeError, `CoGetMalloc: dwMemContext: ${number} "1"`)
  refuses(() => com.CoTaskMemAlloc(-1), RangeError, `CoTaskMemAlloc: cb: ${number} -1`)
  refuses(() => com.CoTaskMemRealloc(1n as never, 1), TypeError, `CoTaskMemRealloc: pv: ${number} 1n`)
  refuses(() => com.CoTaskMemRealloc(0, 0.5), RangeError, `CoTaskMemRealloc: cb: ${number} 0.5`)
  refuses(() => com.CoTaskMemFree(2 ** 32), RangeError, `CoTaskMemFree: pv: ${number} 4294967296`)
  refuses(() => malloc.QueryInterface(2 as never), TypeError, 'IMalloc::QueryInterface: riid: expected a string, got 2')
  refuses(() => malloc.Alloc(Number.NaN), RangeError, `IMalloc::Alloc: cb: ${number} NaN`)
  refuses(() => malloc.Realloc(undefined as never, 1), TypeError, `IMalloc::Realloc: pv: ${number} undefined`)
  refuses(() => malloc.Realloc(0, null as never), TypeError, `IMalloc::Realloc: cb: ${number} null`)
  refuses(() => malloc.Free(true as never), TypeError, `IMalloc::Free: pv: ${number} true`)
  refuses(() => malloc.GetSize({} as never), TypeError, `IMalloc::GetSize: pv: ${number} an object (Object)`)
  refuses(() => malloc.DidAlloc([] as never), TypeError, `IMalloc::DidAlloc: pv: ${number} an object (Array)`)
})
getting.run()

const allocating = suite('IMalloc and CoTaskMem*')

allocating('IM-1: behind IUnknown the methods stand in the order of the vtable', () => {
  const methods = Object.getOwnPropertyNames(TaskMalloc.prototype)
  const vtable = ['QueryInterface', 'AddRef', 'Release', 'Alloc', 'Realloc', 'Free', 'GetSize', 'DidAlloc', 'HeapMinimize']
  assert.equal(
    methods.filter((name) => vtable.includes(name)),
    vtable
  )
})

everywhere(allocating, 'C-52: a block is one of the process heap: in its walk, its figures and its pages', (world) => {
  const { malloc, CoTaskMemAlloc } = start(world)
  for (const [allocate, bytes] of [
    [malloc.Alloc.bind(malloc), 100],
    [CoTaskMemAlloc, 40_000]
  ] as const) {
    const before = heapOf(world, world.heap)
    const p = allocate(bytes)
    const after = heapOf(world, world.heap)
    assert.is(after.liveBlocks, before.liveBlocks + 1)
    assert.ok(after.blocks.some(({ address, state }) => address === p && state !== 'free'))
    assert.is(world.ce.HeapSize(world.heap, 0, p), world.size(bytes))
    assert.is(malloc.GetSize(p), world.size(bytes), 'IM-9: the size may exceed the request')
    world.ce.memory.fill(p, 7, bytes)
  }
  const local = world.ce.LocalAlloc(0, 10)
  assert.is(malloc.DidAlloc(local), 1)
  malloc.Free(local)
  assert.is(malloc.DidAlloc(local), 0)
})

everywhere(allocating, 'IM-3, CT-1: 0 bytes give a valid block; out of memory is NULL, near 4 GB too', (world) => {
  const { malloc, CoTaskMemAlloc, CoTaskMemFree } = start(world)
  for (const allocate of [malloc.Alloc.bind(malloc), CoTaskMemAlloc]) {
    const empty = allocate(0)
    assert.is.not(empty, NULL)
    assert.is(malloc.DidAlloc(empty), 1)
    CoTaskMemFree(empty)
    for (const bytes of [0x80000000, 0xffffffe0, 0xffffffff])
      assert.equal(
        world.answer(() => allocate(bytes)),
        { result: NULL, error: world.allocError(8), rules: [], changed: false }
      )
  }
})

everywhere(allocating, 'IM-4: Realloc of NULL is Alloc, under either name (CT-2)', (world) => {
  const { malloc, CoTaskMemRealloc } = start(world)
  for (const realloc of [malloc.Realloc.bind(malloc), CoTaskMemRealloc]) {
    for (const bytes of [0, 50]) {
      const p = realloc(0, bytes)
      assert.is(malloc.GetSize(p), world.size(bytes))
    }
    assert.is(realloc(0, 0xffffffff), NULL)
  }
})

everywhere(
  allocating,
  'IM-5, IM-6: Realloc returns NULL both when it frees, for 0 bytes, and when memory is out, and then the block stands',
  (world) => {
    const { malloc, CoTaskMemRealloc } = start(world)
    for (const realloc of [malloc.Realloc.bind(malloc), CoTaskMemRealloc]) {
      const p = malloc.Alloc(100)
      world.ce.memory.fill(p, 9, 100)
      assert.equal(
        world.answer(() => realloc(p, 0xfffffff0)),
        { result: NULL, error: 8, rules: [], changed: false }
      )
      assert.is(malloc.DidAlloc(p), 1)
      assert.ok(filled(world.ce, p, 100, 9))
      assert.is(realloc(p, 0), NULL)
      assert.is(malloc.DidAlloc(p), 0)
    }
  }
)

everywhere(allocating, 'IM-7, CT-2: Realloc keeps the contents up to the smaller size, and the pointer may change', (world) => {
  const { malloc, CoTaskMemRealloc } = start(world)
  const p = malloc.Alloc(100)
  malloc.Alloc(10)
  world.ce.memory.fill(p, 5, 100)
  const q = CoTaskMemRealloc(p, 5000)
  assert.is.not(q, p, 'a block follows: it has to move')
  assert.ok(filled(world.ce, q, 100, 5))
  assert.is(malloc.GetSize(q), world.size(5000))
  const r = malloc.Realloc(q, 20)
  assert.ok(filled(world.ce, r, 20, 5))
  assert.is(malloc.GetSize(r), world.size(20))
})

everywhere(
  allocating,
  'IM-8 to IM-10, CT-4: Free of NULL does nothing, GetSize of NULL is 0xFFFFFFFF, DidAlloc of NULL cannot tell: -1',
  (world) => {
    const { malloc, CoTaskMemFree } = start(world)
    for (const call of [() => malloc.Free(0), () => CoTaskMemFree(0)]) {
      assert.equal(
        world.answer(() => {
          call()
          return undefined
        }),
        { result: undefined, error: 'untouched', rules: [], changed: false }
      )
    }
    assert.equal(
      world.answer(() => malloc.GetSize(0)),
      { result: 0xffffffff, error: 'untouched', rules: [], changed: false }
    )
    assert.equal(
      world.answer(() => malloc.DidAlloc(0)),
      { result: -1, error: 'untouched', rules: [], changed: false }
    )
  }
)

everywhere(allocating, 'IM-10: DidAlloc gives 1 for a block, 0 for every other pointer, and finds no fault in the question', (world) => {
  const { malloc } = start(world)
  const p = malloc.Alloc(1000)
  const freed = malloc.Alloc(100)
  malloc.Free(freed)
  const other = world.ce.HeapAlloc(world.ce.HeapCreate(0, 0, 0), 0, 10)
  assert.is(malloc.DidAlloc(p), 1)
  for (const pointer of [1, p + 4, p + 32, freed, other, 0x8000, 0x7fffffff, 0xffffffff]) {
    assert.equal(
      world.answer(() => malloc.DidAlloc(pointer)),
      { result: 0, error: 'untouched', rules: [], changed: false }
    )
  }
})

everywhere(
  allocating,
  'C-53, CT-3: a pointer that is no live block changes nothing and is reported under the call that was made',
  (world) => {
    const { malloc, ...com } = start(world)
    const p = malloc.Alloc(1000)
    const freed = malloc.Alloc(100)
    malloc.Free(freed)
    const other = world.ce.HeapAlloc(world.ce.HeapCreate(0, 0, 0), 0, 10)
    const calls: readonly (readonly [string, (pointer: number) => number | undefined, number | undefined, number | 'untouched'])[] = [
      ['IMalloc::Free', (pointer) => malloc.Free(pointer) as undefined, undefined, 87],
      ['IMalloc::Realloc', (pointer) => malloc.Realloc(pointer, 10), NULL, 87],
      ['IMalloc::Realloc', (pointer) => malloc.Realloc(pointer, 0), NULL, 87],
      ['IMalloc::GetSize', (pointer) => malloc.GetSize(pointer), NO_SIZE, 'untouched'],
      ['CoTaskMemFree', (pointer) => com.CoTaskMemFree(pointer) as undefined, undefined, 87],
      ['CoTaskMemRealloc', (pointer) => com.CoTaskMemRealloc(pointer, 10), NULL, 87],
      ['CoTaskMemRealloc', (pointer) => com.CoTaskMemRealloc(pointer, 0), NULL, 87]
    ]
    for (const [name, call, result, error] of calls) {
      for (const pointer of [1, p + 4, p + 32, freed, other, 0x8000, 0x7fffffff, 0xffffffff]) {
        assert.equal(
          world.answer(() => call(pointer)),
          { result, error, rules: ['C-53'], changed: false },
          `${name} ${pointer}`
        )
        assert.is(world.findings.at(-1)?.call, name)
      }
    }
  }
)

everywhere(allocating, 'IM-11: HeapMinimize gives the pages of freed blocks back', (world) => {
  const { malloc } = start(world)
  const blocks = Array.from({ length: 40 }, () => malloc.Alloc(4000))
  const before = world.process.snapshot().committed
  for (const block of blocks) malloc.Free(block)
  assert.is(world.process.snapshot().committed, before)
  assert.is(malloc.HeapMinimize(), undefined)
  assert.ok(world.process.snapshot().committed <= before - 30 * 4096)
  assert.is(world.ce.HeapValidate(world.heap, 0, 0), 1)
})

allocating('without a spy there is nothing to revoke', () => {
  assert.is(openCom(open(here).ce).CoRevokeMallocSpy(), CO_E_OBJNOTREG)
})
allocating.run()
