// Tool help: a walk over one moment of all heaps, in CE's form: Heap32First and Heap32Next take the snapshot.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  createProcess,
  type CeThread,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NO_MORE_FILES,
  HEAPENTRY32,
  HEAPLIST32,
  HF32_DEFAULT,
  INVALID_HANDLE_VALUE,
  LF32_BIGBLOCK,
  LF32_DECOMMIT,
  LF32_FIXED,
  LF32_FREE,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READONLY,
  PAGE_READWRITE,
  TH32CS_GETALLMODS,
  TH32CS_SNAPALL,
  TH32CS_SNAPHEAPLIST,
  TH32CS_SNAPMODULE,
  TH32CS_SNAPNOHEAPS,
  TH32CS_SNAPPROCESS,
  TH32CS_SNAPTHREAD
} from '../../src/index.ts'
import type { HeapEntry32, HeapList32 } from '../../src/index.ts'
import { everywhere, heapOf } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const toolhelp = suite('tool help')

/** A page for the two structures, committed. */
function room(ce: CeThread): number {
  return ce.VirtualAlloc(0, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
}

function lists(ce: CeThread, snapshot: number, at: number): HeapList32[] {
  const found: HeapList32[] = []
  HEAPLIST32.set(ce.memory, at, 'dwSize', HEAPLIST32.size)
  for (let more = ce.Heap32ListFirst(snapshot, at); more !== 0; more = ce.Heap32ListNext(snapshot, at)) {
    found.push(HEAPLIST32.read(ce.memory, at))
  }
  assert.is(ce.GetLastError(), ERROR_NO_MORE_FILES)
  return found
}

function entries(ce: CeThread, snapshot: number, at: number, heapId: number): HeapEntry32[] {
  const found: HeapEntry32[] = []
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  for (let more = ce.Heap32First(snapshot, at, 0, heapId); more !== 0; more = ce.Heap32Next(snapshot, at)) {
    found.push(HEAPENTRY32.read(ce.memory, at))
  }
  assert.is(ce.GetLastError(), ERROR_NO_MORE_FILES)
  return found
}

/** What the walk must show of a heap, from the process's own snapshot. */
function shown(world: World, heap: number): { address: number; size: number; flags: number }[] {
  return heapOf(world, heap)
    .blocks.filter(({ state }) => state !== 'control')
    .map(({ address, size, state, holes }) => ({
      address,
      size,
      flags: state === 'free' ? LF32_FREE | (holes ? LF32_DECOMMIT : 0) : LF32_FIXED | (state === 'big' ? LF32_BIGBLOCK : 0)
    }))
}

everywhere(
  toolhelp,
  'TH-1, TH-2, TH-7, TH-8, TH-10, TH-12, TH-15: lists every heap once, the process heap marked, and every block of each',
  (world) => {
    const { ce, heap } = world
    const at = room(ce)
    const growable = ce.HeapCreate(0, 0, 0)
    const fixed = ce.HeapCreate(0, 0x1000, 0x10000)
    for (const one of [heap, growable, fixed])
      for (let n = 1; n < 20; n++) if (ce.HeapAlloc(one, 0, n * 40) % 3 === 0) ce.HeapAlloc(one, 0, 7)
    const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
    const found = lists(ce, snapshot, at)
    assert.is(found.length, 3)
    assert.equal(
      found.map(({ dwFlags }) => dwFlags),
      [HF32_DEFAULT, 0, 0]
    )
    assert.is(new Set(found.map(({ th32ProcessID }) => th32ProcessID)).size, 1)
    ;[heap, growable, fixed].forEach((one, n) => {
      const walked = entries(ce, snapshot, at, found[n]?.th32HeapID as number)
      assert.equal(
        walked.map(({ dwAddress, dwBlockSize, dwFlags }) => ({ address: dwAddress, size: dwBlockSize, flags: dwFlags })),
        shown(world, one)
      )
      for (const { hHandle, dwAddress, dwLockCount, dwResvd, dwSize } of walked) {
        assert.equal([hHandle, dwLockCount, dwResvd, dwSize], [dwAddress, 0, 0, 36])
      }
    })
    assert.is(ce.CloseToolhelp32Snapshot(snapshot), 1)
  }
)

everywhere(toolhelp, 'TH-13, TH-14, HI-13: a big block and a decommitted free block are marked as such', (world) => {
  const { ce } = world
  const at = room(ce)
  const heap = ce.HeapCreate(0, 0, 0)
  const big = ce.HeapAlloc(heap, 0, 0x40000)
  ce.HeapAlloc(heap, 0, 100)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const walked = entries(ce, snapshot, at, lists(ce, snapshot, at)[1]?.th32HeapID as number)
  assert.is(walked.find(({ dwAddress }) => dwAddress === big)?.dwFlags, LF32_FIXED | LF32_BIGBLOCK)
  assert.ok(walked.some(({ dwFlags }) => dwFlags === (LF32_FREE | LF32_DECOMMIT)))
})

everywhere(toolhelp, 'TH-3: a snapshot of the processes carries the heaps, unless TH32CS_SNAPNOHEAPS says not to', (world) => {
  const { ce } = world
  const at = room(ce)
  const count = (flags: number): number => {
    const snapshot = ce.CreateToolhelp32Snapshot(flags, 0)
    assert.is.not(snapshot, INVALID_HANDLE_VALUE)
    const found = lists(ce, snapshot, at).length
    ce.CloseToolhelp32Snapshot(snapshot)
    return found
  }
  assert.is(count(TH32CS_SNAPPROCESS), 1)
  assert.is(count((TH32CS_SNAPPROCESS | TH32CS_SNAPNOHEAPS) >>> 0), 0)
  assert.is(count(TH32CS_SNAPALL), 1)
  assert.is(count(TH32CS_SNAPTHREAD), 0)
  // TH-6: what a desktop program means as TH32CS_INHERIT asks for all modules.
  assert.is(count((TH32CS_SNAPMODULE | TH32CS_GETALLMODS) >>> 0), 0)
})

everywhere(toolhelp, 'TH-4, C-73: process 0 is this one, and no other process is there', (world) => {
  const { ce } = world
  const at = room(ce)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const id = lists(ce, snapshot, at)[0]?.th32ProcessID as number
  assert.is.not(ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, id), INVALID_HANDLE_VALUE)
  for (const [flags, process] of [
    [TH32CS_SNAPHEAPLIST, id + 4],
    [0, 0],
    [TH32CS_SNAPNOHEAPS, 0]
  ] as const) {
    ce.SetLastError(0)
    assert.is(ce.CreateToolhelp32Snapshot(flags, process), INVALID_HANDLE_VALUE)
    assert.is(ce.GetLastError(), ERROR_INVALID_PARAMETER)
  }
  for (const [odd, rules] of [
    [0, []],
    [0x100, ['C-13']]
  ] as const)
    assert.equal(world.answer(() => ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST | odd, 0) & 3).rules, rules)
})

everywhere(toolhelp, 'a snapshot is one moment: what happens later does not show in it, and the next one shows it', (world) => {
  const { ce } = world
  const at = room(ce)
  const heap = ce.HeapCreate(0, 0, 0)
  const blocks = [10, 20, 30].map((bytes) => ce.HeapAlloc(heap, 0, bytes))
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const id = lists(ce, snapshot, at)[1]?.th32HeapID as number
  const before = entries(ce, snapshot, at, id)
  for (const block of blocks) ce.HeapFree(heap, 0, block)
  ce.HeapAlloc(heap, 0, 500)
  assert.equal(entries(ce, snapshot, at, id), before)
  ce.HeapDestroy(heap)
  assert.equal(entries(ce, snapshot, at, id), before)
  assert.is(lists(ce, ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0), at).length, 1)
})

everywhere(toolhelp, 'TH-9: a heap that is not in the snapshot has no entries', (world) => {
  const { ce } = world
  const at = room(ce)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  for (const [process, heap] of [
    [0, 0xdead],
    [77, lists(ce, snapshot, at)[0]?.th32HeapID as number]
  ] as const) {
    HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
    assert.equal(
      world.answer(() => ce.Heap32First(snapshot, at, process, heap)),
      { result: 0, error: ERROR_NO_MORE_FILES, rules: [], changed: false }
    )
  }
  assert.is(ce.Heap32Next(snapshot, at), 0, 'no walk has begun')
  assert.is(ce.GetLastError(), ERROR_NO_MORE_FILES)
})

everywhere(toolhelp, 'TH-16: a heap handle is not the id of the list, and a finding says so', (world) => {
  const { ce, heap } = world
  const at = room(ce)
  const heaps = [heap, ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0)]
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  for (const handle of heaps) {
    assert.equal(
      world.answer(() => ce.Heap32First(snapshot, at, 0, handle)),
      { result: 0, error: ERROR_NO_MORE_FILES, rules: ['TH-16'], changed: false }
    )
  }
})

everywhere(
  toolhelp,
  'TH-11: without dwSize set, with one too small or with NULL nothing is written and the walk stays where it is',
  (world) => {
    const { ce } = world
    const at = room(ce)
    const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
    const id = lists(ce, snapshot, at)[0]?.th32HeapID as number
    const calls = [
      (p: number) => ce.Heap32ListFirst(snapshot, p),
      (p: number) => ce.Heap32ListNext(snapshot, p),
      (p: number) => ce.Heap32First(snapshot, p, 0, id),
      (p: number) => ce.Heap32Next(snapshot, p)
    ]
    for (const call of calls) {
      for (const size of [0, 4, 15]) {
        ce.memory.writeU32(at, size)
        assert.equal(
          world.answer(() => call(at)),
          { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['TH-11'], changed: false }
        )
      }
      assert.equal(
        world.answer(() => call(0)),
        { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-62'], changed: false }
      )
    }
  }
)

everywhere(toolhelp, 'C-62: a structure on memory that cannot be written is refused and costs no entry', (world) => {
  const { ce } = world
  const at = room(ce)
  ce.LocalAlloc(0, 10)
  const readOnly = ce.VirtualAlloc(0, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  HEAPENTRY32.set(ce.memory, readOnly, 'dwSize', HEAPENTRY32.size)
  ce.VirtualAlloc(readOnly, PAGE, MEM_COMMIT, PAGE_READONLY)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const id = lists(ce, snapshot, at)[0]?.th32HeapID as number
  const all = entries(ce, snapshot, at, id)
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  ce.Heap32First(snapshot, at, 0, id)
  // Read-only, and into the page behind the last committed one.
  ce.memory.writeU32(at + PAGE - 4, HEAPENTRY32.size)
  for (const bad of [readOnly, at + PAGE - 4]) {
    assert.equal(
      world.answer(() => ce.Heap32Next(snapshot, bad)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-62'], changed: false }
    )
  }
  ce.Heap32Next(snapshot, at)
  assert.equal(HEAPENTRY32.read(ce.memory, at), all[1])
})

everywhere(toolhelp, 'TH-5, C-74: a closed or foreign handle is refused, and a heap handle is none', (world) => {
  const { ce, heap } = world
  const at = room(ce)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  assert.is(ce.CloseToolhelp32Snapshot(snapshot), 1)
  for (const handle of [snapshot, heap, 0, INVALID_HANDLE_VALUE]) {
    for (const call of [
      () => ce.CloseToolhelp32Snapshot(handle),
      () => ce.Heap32ListFirst(handle, at),
      () => ce.Heap32ListNext(handle, at),
      () => ce.Heap32First(handle, at, 0, 0),
      () => ce.Heap32Next(handle, at)
    ]) {
      assert.equal(world.answer(call), { result: 0, error: ERROR_INVALID_HANDLE, rules: ['C-74'], changed: false })
    }
  }
})

everywhere(toolhelp, 'two snapshots are walked side by side, by two threads of one JavaScript thread too', (world) => {
  const { ce, process } = world
  const other = attachThread(process.share())
  const [a, b] = [room(ce), room(other)]
  const one = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const two = other.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  assert.is.not(one, two)
  assert.equal(lists(other, one, b), lists(ce, two, a))
  other.detach()
})

everywhere(toolhelp, 'C-63: a misaligned structure is filled and reported', (world) => {
  const { ce } = world
  const at = room(ce) + 2
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  HEAPLIST32.set(ce.memory, at, 'dwSize', HEAPLIST32.size)
  const list = world.answer(() => ce.Heap32ListFirst(snapshot, at))
  assert.equal([list.result, list.rules], [1, ['C-63']])
  const { th32HeapID } = HEAPLIST32.read(ce.memory, at)
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  const entry = world.answer(() => ce.Heap32First(snapshot, at, 0, th32HeapID))
  assert.equal([entry.result, entry.rules], [1, ['C-63']])
  assert.is(HEAPENTRY32.read(ce.memory, at).th32HeapID, th32HeapID)
})

toolhelp('the walk tiles every region, whatever was allocated and freed before (property)', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.boolean()), { maxLength: 60 }), fc.boolean(), (steps, fixed) => {
      const process = createProcess({ memory: 2 ** 20, placement: fixed ? 'next-fit' : 'segregated' })
      const ce = process.thread
      const at = room(ce)
      const heap = ce.HeapCreate(0, 0, fixed ? 0x20000 : 0)
      const live: { p: number; bytes: number }[] = []
      for (const [bytes, drop] of steps) {
        if (drop && live.length > 0) ce.HeapFree(heap, 0, live.splice(bytes % live.length, 1)[0]?.p as number)
        const p = ce.HeapAlloc(heap, 0, bytes)
        if (p !== 0) live.push({ p, bytes })
      }
      const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
      const walked = entries(ce, snapshot, at, lists(ce, snapshot, at)[1]?.th32HeapID as number)
      assert.equal(
        walked.filter(({ dwFlags }) => (dwFlags & LF32_FREE) === 0).map(({ dwAddress, dwBlockSize }) => [dwAddress, dwBlockSize]),
        live.map(({ p, bytes }) => [p, Math.max(32, Math.ceil(bytes / 32) * 32)]).sort(([a = 0], [b = 0]) => a - b)
      )
      // Neighbours touch, and no two of them are free.
      walked.slice(1).forEach(({ dwAddress, dwFlags }, n) => {
        const before = walked[n] as HeapEntry32
        const touch = before.dwAddress + before.dwBlockSize === dwAddress
        assert.ok(touch || dwAddress % 0x10000 === 0)
        assert.not.ok(touch && (before.dwFlags & dwFlags & LF32_FREE) !== 0)
      })
      process.close()
    }),
    { numRuns: 60, verbose: 1 }
  )
})

toolhelp.run()
