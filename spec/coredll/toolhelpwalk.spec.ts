// Where a walk through a tool help snapshot stands, and what belongs to which process.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createProcess,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAPENTRY32,
  HEAPLIST32,
  INVALID_HANDLE_VALUE,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE,
  TH32CS_SNAPHEAPLIST,
  TH32CS_SNAPNOHEAPS,
  TH32CS_SNAPPROCESS
} from '../../src/index.ts'
import type { CeThread } from '../../src/index.ts'

const walk = suite('tool help: the walk')

/** Three heaps, a snapshot of them, and room for the structures; `list` and `next` give the id of a heap, 0 at the end. */
function begin(): { ce: CeThread; at: number; snapshot: number; list: () => number; next: (to?: number) => number } {
  const ce = createProcess().thread
  for (let n = 0; n < 2; n++) ce.HeapCreate(0, 0, 0)
  const at = ce.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  HEAPLIST32.set(ce.memory, at, 'dwSize', HEAPLIST32.size)
  const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
  const id = (answered: number): number => (answered === 0 ? 0 : HEAPLIST32.read(ce.memory, at).th32HeapID)
  return {
    ce,
    at,
    snapshot,
    list: () => id(ce.Heap32ListFirst(snapshot, at)),
    next: (to = at) => id(ce.Heap32ListNext(snapshot, to))
  }
}

walk('TH-7: Heap32ListFirst begins again, wherever the walk was', () => {
  const { list, next } = begin()
  const all = [list(), next(), next()]
  assert.is(new Set(all).size, 3)
  assert.is(next(), 0)
  assert.equal([list(), next(), next(), next()], [...all, 0])
  assert.equal([list(), list(), next()], [all[0], all[0], all[1]])
})

walk('a list that cannot be written costs no heap', () => {
  const { list, next } = begin()
  const all = [list(), next(), next()]
  assert.is(list(), all[0])
  assert.is(next(0x10), 0)
  assert.equal([next(), next()], all.slice(1))
})

walk('TH-4: the id that a list names the process by is this process for Heap32First, and any other is none', () => {
  const { ce, at, snapshot, list } = begin()
  const id = list()
  const { th32ProcessID } = HEAPLIST32.read(ce.memory, at)
  HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
  assert.equal(
    [th32ProcessID, 0, th32ProcessID + 4].map((of) => ce.Heap32First(snapshot, at, of, id)),
    [1, 1, 0]
  )
})

walk('C-73: another process has no heaps here; its other lists are empty ones', () => {
  const { ce, list, at } = begin()
  list()
  const other = HEAPLIST32.read(ce.memory, at).th32ProcessID + 4
  assert.is(ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST | TH32CS_SNAPPROCESS, other), INVALID_HANDLE_VALUE)
  assert.is.not(ce.CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, other), INVALID_HANDLE_VALUE)
})

walk('TH-16: the id of a list is taken for no handle, also where the next heap has one close to it', () => {
  const { ce, at, snapshot, list, next } = begin()
  const rules: string[] = []
  ce.onFinding(({ rule }) => rules.push(rule))
  for (let id = list(); id !== 0; id = next()) {
    HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
    assert.is(ce.Heap32First(snapshot, at, 0, id), 1)
    HEAPLIST32.set(ce.memory, at, 'dwSize', HEAPLIST32.size)
  }
  assert.equal(rules, [])
})

walk('TH-16: all heaps that come and go in one place have ids of their own, none of them 0, until their handles begin again', () => {
  const ce = createProcess().thread
  const at = ce.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
  const handles = new Set<number>()
  const ids = new Set<number>()
  for (let heap = ce.HeapCreate(0, 0, 0); !handles.has(heap); heap = ce.HeapCreate(0, 0, 0)) {
    handles.add(heap)
    const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
    HEAPLIST32.set(ce.memory, at, 'dwSize', HEAPLIST32.size)
    ce.Heap32ListFirst(snapshot, at)
    ce.Heap32ListNext(snapshot, at)
    const { th32HeapID } = HEAPLIST32.read(ce.memory, at)
    ids.add(th32HeapID)
    HEAPENTRY32.set(ce.memory, at, 'dwSize', HEAPENTRY32.size)
    assert.is(ce.Heap32First(snapshot, at, 0, th32HeapID), 1, `heap ${heap}`)
    ce.CloseToolhelp32Snapshot(snapshot)
    ce.HeapDestroy(heap)
  }
  assert.equal([handles.size, ids.size, ids.has(0)], [0x2000, 0x2000, false])
})

walk("C-13: flags beyond CE's table are named, and those within it are not", () => {
  const { ce } = begin()
  const messages: string[] = []
  ce.onFinding(({ message }) => messages.push(message))
  ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST | 0x100, 0)
  assert.is(messages.length, 1)
  assert.match(messages[0] ?? '', /flags 0x0*100 are not in CE's table/)
})

walk('C-74: a million open snapshots are each their own; beyond them one can be taken once another is closed', () => {
  const { ce, snapshot, list } = begin()
  const cheap = (): number => ce.CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS | TH32CS_SNAPNOHEAPS, 0)
  const numbers = 0x100000
  for (let n = 0; n < numbers; n++) assert.is(ce.CloseToolhelp32Snapshot(cheap()), 1)
  assert.is(ce.CloseToolhelp32Snapshot(cheap()), 1)
  assert.is.not(list(), 0, 'the first one is still there')

  const open = new Set([snapshot])
  while (open.size < numbers) open.add(cheap())
  assert.equal([cheap(), ce.GetLastError()], [INVALID_HANDLE_VALUE, ERROR_NOT_ENOUGH_MEMORY])
  const [, some] = [...open] as [number, number]
  ce.CloseToolhelp32Snapshot(some)
  assert.is(cheap(), some)
})

walk.run()
