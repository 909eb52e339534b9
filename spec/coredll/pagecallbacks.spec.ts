// Page callbacks that have no pages, answer wrongly, throw, or would have to run in another thread (C-35, C-43).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type PFN_AllocHeapMem
} from '../../src/index.ts'
import { messagesApart, throwsApart } from './apart.ts'
import { provider } from './provider.ts'
import { everywhere, heapOf } from './world.ts'

const PAGE = 4096
const create = suite('page callbacks')

everywhere(create, 'CH-5, C-35: NULL with error 8 when the callback has no pages; that is no fault of the callback', (world) => {
  const { ce } = world
  for (const size of [0, 0x40000]) {
    const { result, error, rules } = world.answer(() =>
      ce.CeHeapCreate(
        0,
        0,
        size,
        () => 0,
        () => 0
      )
    )
    assert.equal([result, error, rules], [0, ERROR_NOT_ENOUGH_MEMORY, []])
  }
})

everywhere(
  create,
  'C-35: a call that gets no more pages fails with error 8, without a finding, and works again when there are some',
  (world) => {
    const { ce } = world
    const { alloc, free } = provider(world)
    let willing = true
    const heap = ce.CeHeapCreate(0, 0, 0, (address, size, action) => (willing ? alloc(address, size, action) : 0), free)
    const block = ce.HeapAlloc(heap, 0, 100)
    willing = false
    assert.equal(
      world.answer(() => ce.HeapAlloc(heap, 0, 20_000)),
      { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: [], changed: false }
    )
    assert.equal(
      world.answer(() => ce.HeapReAlloc(heap, 0, block, 20_000)),
      { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
    )
    assert.is.not(ce.HeapAlloc(heap, 0, 100), 0, 'what is committed can be used')
    willing = true
    assert.is.not(ce.HeapAlloc(heap, 0, 20_000), 0)
  }
)

everywhere(create, 'C-35: an answer that is not what was asked for fails the call and is reported, whatever else it is', (world) => {
  const { ce } = world
  const { alloc, free } = provider(world)
  const own = ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
  let wrong: ((address: number, size: number, action: number) => number) | undefined
  const heap = ce.CeHeapCreate(0, 0, 0, (address, size, action) => (wrong ?? alloc)(address, size, action), free)
  const lent = heapOf(world, heap).regions[0]?.address ?? 0
  const answers: readonly (readonly [action: number, answer: (address: number, size: number) => number])[] = [
    [MEM_RESERVE, () => 1],
    [MEM_RESERVE, () => own + PAGE],
    [MEM_RESERVE, () => 0x12345678],
    [MEM_RESERVE, () => 0xffff0000],
    [MEM_RESERVE, () => 0xffffffff],
    [MEM_RESERVE, () => lent],
    [MEM_RESERVE, () => ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE)],
    [MEM_COMMIT, (address) => address],
    [MEM_COMMIT, () => 1],
    [MEM_COMMIT, (address, size) => alloc(address, size, MEM_COMMIT) + PAGE],
    [MEM_COMMIT, (address) => alloc(address, PAGE, MEM_COMMIT)]
  ]
  for (const [action, answer] of answers) {
    let given = 0
    wrong = (address, size, asked) => {
      if (asked !== action) return alloc(address, size, asked)
      given = answer(address, size)
      return given
    }
    const { result, error, rules } = world.answer(() => ce.HeapAlloc(heap, 0, 0x38000))
    assert.equal([result, error, rules], [0, world.allocError(ERROR_NOT_ENOUGH_MEMORY), ['C-35']], String(answer))
    assert.match(world.findings.at(-1)?.message ?? '', `0x${given.toString(16).toUpperCase().padStart(8, '0')}`)
    world.process.check()
    const created = world.answer(() => ce.CeHeapCreate(0, 5000, 0, wrong as PFN_AllocHeapMem, free))
    assert.equal([created.result, created.error, created.rules], [0, ERROR_NOT_ENOUGH_MEMORY, ['C-35']], String(answer))
  }
  wrong = undefined
  assert.is.not(ce.HeapAlloc(heap, 0, 0x38000), 0)
  assert.equal(world.answer(() => ce.HeapAlloc(heap, 0, 10)).rules, [], 'nothing is left over for a later call')
})

everywhere(create, 'C-35: 0 fails the call even where the pages were committed', (world) => {
  const { ce } = world
  const { alloc, free } = provider(world)
  let silent = false
  const heap = ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      const given = alloc(address, size, action)
      return silent ? 0 : given
    },
    free
  )
  silent = true
  const { result, error, rules } = world.answer(() => ce.HeapAlloc(heap, 0, 20_000))
  assert.equal([result, error, rules], [0, world.allocError(ERROR_NOT_ENOUGH_MEMORY), []])
  assert.is.not(ce.HeapAlloc(heap, 0, 20_000), 0, 'they are there for the next call')
})

everywhere(
  create,
  'C-35, C-97: a callback that throws has no pages; the call fails, is reported, and the error is thrown apart',
  (world) => {
    const { ce, process } = world
    const { alloc, free } = provider(world)
    let throwing = false
    const heap = ce.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => {
        if (throwing) throw new RangeError('no special memory')
        return alloc(address, size, action)
      },
      free
    )
    const block = ce.HeapAlloc(heap, 0, 100)
    throwing = true
    const before = heapOf(world, heap)
    for (const call of [
      () => ce.HeapAlloc(heap, 0, 20_000),
      () => ce.HeapReAlloc(heap, 0, block, 20_000),
      () =>
        ce.CeHeapCreate(
          0,
          0,
          0,
          () => {
            throw new RangeError('no special memory')
          },
          free
        )
    ]) {
      const { result, rules } = throwsApart(() => world.answer(call), RangeError, 'no special memory')
      assert.equal([result, rules], [0, ['C-35']])
      process.check()
    }
    assert.equal(heapOf(world, heap), before)
    assert.is(attachThread(process.share()).HeapFree(heap, 0, block), 1, 'no section is held')
    throwing = false
    assert.is.not(ce.HeapAlloc(heap, 0, 20_000), 0)
  }
)

everywhere(create, 'C-35, C-97: HeapCompact and HeapDestroy keep their answers when pfnFree throws, having done their work', (world) => {
  const { ce, process } = world
  const { alloc } = provider(world)
  const heap = ce.CeHeapCreate(0, 0x8000, 0, alloc, (_address, _size, action) => {
    throw new RangeError(`no way back: ${action.toString(16)}`)
  })
  assert.equal(
    messagesApart(() => assert.ok(ce.HeapCompact(heap, 0) > 0)),
    ['no way back: 4000']
  )
  assert.is.not(ce.HeapAlloc(heap, 0, 100), 0)
  assert.equal(
    messagesApart(() => assert.is(ce.HeapDestroy(heap), 1)),
    ['no way back: 4000', 'no way back: 8000']
  )
  assert.is(ce.HeapDestroy(heap), 0, 'it is gone')
  assert.is(process.snapshot().reservations.length, 1, "its pages are the program's")
})

everywhere(
  create,
  'C-43: the callbacks run in the creating thread alone; another thread uses what is committed and gets no more',
  (world) => {
    const { ce, process } = world
    const { alloc, free, asked } = provider(world)
    const heap = ce.CeHeapCreate(0, 0x8000, 0x20000, alloc, free)
    const other = attachThread(process.share())
    asked.length = 0
    const block = other.HeapAlloc(heap, 0, 0x4000)
    assert.is.not(block, 0)
    assert.is(other.HeapAlloc(heap, 0, 0x8000), 0)
    process.drainFindings()
    assert.equal(
      world.findings.map(({ rule, thread, call }) => [rule, thread, call]),
      [['C-43', 2, 'HeapAlloc']]
    )
    other.HeapFree(heap, 0, block)
    assert.is.not(other.HeapCompact(heap, 0), 0)
    assert.is(heapOf(world, heap).committed, 0x8000, 'nor gives it any back')
    assert.equal(asked, [])
    assert.is.not(ce.HeapAlloc(heap, 0, 0x8000), 0)
  }
)

everywhere(create, 'C-43: a fixed heap that has all of its pages is just full, for another thread too', (world) => {
  const { ce, process } = world
  const { alloc, free } = provider(world)
  const heap = ce.CeHeapCreate(0, 0x4000, 0x4000, alloc, free)
  assert.is(attachThread(process.share()).HeapAlloc(heap, 0, 0x4000), 0)
  process.drainFindings()
  assert.equal(world.findings, [])
})

everywhere(create, "C-43: destroyed by another thread, the reservations stay the program's to release", (world) => {
  const { ce, process } = world
  const { alloc, free, asked } = provider(world)
  const heap = ce.CeHeapCreate(0, 0, 0, alloc, free)
  const base = heapOf(world, heap).regions[0]?.address ?? 0
  asked.length = 0
  assert.is(attachThread(process.share()).HeapDestroy(heap), 1)
  assert.equal(asked, [])
  assert.equal(
    process.snapshot().reservations.map(({ address }) => address),
    [base]
  )
  assert.is(ce.VirtualFree(base, 0, MEM_DECOMMIT), 1)
  assert.is(ce.VirtualFree(base, 0, MEM_RELEASE), 1)
})

everywhere(
  create,
  'CH-4: while a callback of a heap that is being made runs, other threads reserve pages and make heaps of their own',
  (world) => {
    const { ce, process } = world
    const { alloc, free } = provider(world)
    const other = attachThread(process.share())
    const got: number[] = []
    let waited: unknown
    const heap = ce.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => {
        try {
          got.push(other.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE), other.HeapCreate(0, 0, 0))
        } catch (error) {
          waited = error
        }
        return alloc(address, size, action)
      },
      free
    )
    assert.is(waited, undefined)
    assert.is.not(heap, 0)
    assert.ok(got.length > 0 && !got.includes(0), `${got}`)
  },
  { lockTimeout: 30 }
)

create.run()
