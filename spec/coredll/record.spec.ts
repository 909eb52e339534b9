import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { messagesApart, throwsApart } from './apart.ts'
import { CALLS } from '../../src/coredll/calls.ts'
import {
  attachThread,
  type CallRecord,
  createProcess,
  type CeProcess,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { open, places } from './world.ts'

const record = suite('record')
const start = (): CeProcess => createProcess({ memory: 1024 * 1024 })

/** Keeps what it is given. */
class Tape {
  readonly calls: CallRecord[] = []

  write(call: CallRecord): void {
    this.calls.push(call)
  }
}

record('each call is written once it has returned: name, thread, arguments, result, last error', () => {
  for (const place of places) {
    const { ce, process, heap } = open(place)
    const tape = new Tape()
    process.record(tape)
    const own = ce.HeapCreate(0, 4096, 0x10000)
    const block = ce.HeapAlloc(own, 8, 100)
    ce.HeapFree(own, 0, block + 1)
    ce.GetLastError()
    ce.SetLastError(0xffffffff)
    ce.LocalReAlloc(ce.LocalAlloc(0x40, 7), 0xffffffff, 2)
    ce.HeapSize(heap, 0, 1)
    assert.equal(tape.calls, [
      { call: 'HeapCreate', thread: 1, args: [0, 4096, 0x10000], result: own, lastError: 0 },
      { call: 'HeapAlloc', thread: 1, args: [own, 8, 100], result: block, lastError: 0 },
      { call: 'HeapFree', thread: 1, args: [own, 0, block + 1], result: 0, lastError: 87 },
      { call: 'GetLastError', thread: 1, args: [], result: 87, lastError: 87 },
      { call: 'SetLastError', thread: 1, args: [0xffffffff], result: undefined, lastError: 0xffffffff },
      { call: 'LocalAlloc', thread: 1, args: [0x40, 7], result: tape.calls[5]?.result, lastError: 0xffffffff },
      { call: 'LocalReAlloc', thread: 1, args: [tape.calls[5]?.result, 0xffffffff, 2], result: 0, lastError: 8 },
      { call: 'HeapSize', thread: 1, args: [heap, 0, 1], result: 0xffffffff, lastError: 8 }
    ])
  }
})

record('every call of the surface is recorded, and answers as without a recording', () => {
  const [plain, taped] = [start(), start()]
  const tape = new Tape()
  taped.record(tape)
  const script = ({ thread: ce }: CeProcess): unknown[] => {
    const heap = ce.HeapCreate(0, 0, 0)
    const callback = (): number => 0
    const [one, two] = [ce.HeapAlloc(heap, 0, 10), ce.LocalAlloc(0, 10)]
    const three = ce.GlobalAlloc(0, 10)
    const pages = ce.VirtualAlloc(0, 1, 0x2000, 4)
    const snapshot = ce.CreateToolhelp32Snapshot(1, 0)
    return [
      heap,
      one,
      two,
      three,
      pages,
      ce.CeHeapCreate(0, 0, 0, callback, callback),
      ce.HeapReAlloc(heap, 0, one, 20),
      ce.HeapSize(heap, 0, one),
      ce.HeapValidate(heap, 0, 0),
      ce.HeapCompact(heap, 0),
      ce.HeapFree(heap, 0, one),
      ce.HeapDestroy(heap),
      ce.GetProcessHeap(),
      ce.LocalReAlloc(two, 5, 0),
      ce.LocalSize(two),
      ce.LocalLock(two),
      ce.LocalUnlock(two),
      ce.LocalHandle(two),
      ce.LocalFlags(two),
      ce.LocalFree(two),
      ce.GlobalReAlloc(three, 5, 0),
      ce.GlobalSize(three),
      ce.GlobalLock(three),
      ce.GlobalUnlock(three),
      ce.GlobalHandle(three),
      ce.GlobalFlags(three),
      ce.GlobalFree(three),
      ce.CeVirtualSharedAlloc(0, 1, 0),
      ce.VirtualAllocEx(0x42, 0, 1, 0x2000, 4),
      ce.VirtualFreeEx(0x42, 0, 0, 0x8000),
      ce.VirtualProtectEx(0x42, pages, 1, 4, two),
      ce.InitializeCriticalSection(two),
      ce.EnterCriticalSection(two),
      ce.TryEnterCriticalSection(two),
      ce.LeaveCriticalSection(two),
      ce.LeaveCriticalSection(two),
      ce.DeleteCriticalSection(two),
      ce.VirtualQuery(pages, three, 28),
      ce.VirtualProtect(pages, 1, 4, two),
      ce.IsBadReadPtr(two, 10),
      ce.IsBadWritePtr(two, 10),
      ce.IsBadCodePtr(two),
      ce.GlobalMemoryStatus(two),
      ce.GetSystemInfo(two),
      ce.VirtualFree(pages, 0, 0x8000),
      snapshot,
      ce.Heap32ListFirst(snapshot, heap),
      ce.Heap32ListNext(snapshot, heap),
      ce.Heap32First(snapshot, heap, 0, 0),
      ce.Heap32Next(snapshot, heap),
      ce.CloseToolhelp32Snapshot(snapshot),
      ce.SetLastError(3),
      ce.GetLastError()
    ]
  }
  assert.equal(script(taped), script(plain))
  assert.is(taped.imageHash(), plain.imageHash())
  assert.equal([...new Set(tape.calls.map(({ call }) => call))].sort(), [...CALLS].sort())
})

record('functions among the arguments are written as 0, and the calls that they make are left out', () => {
  const process = start()
  const { thread: ce } = process
  const tape = new Tape()
  process.record(tape)
  let asked = 0
  const heap = ce.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      asked++
      return ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    (address, size, action) => ce.VirtualFree(address, action === MEM_DECOMMIT ? size : 0, action)
  )
  const block = ce.HeapAlloc(heap, 0, 20_000)
  ce.HeapFree(heap, 0, block)
  ce.HeapCompact(heap, 0)
  ce.HeapDestroy(heap)
  assert.ok(asked >= 2)
  assert.equal(
    tape.calls.map(({ call }) => call),
    ['CeHeapCreate', 'HeapAlloc', 'HeapFree', 'HeapCompact', 'HeapDestroy']
  )
  assert.equal(tape.calls[0]?.args, [0, 0, 0, 0, 0])
  assert.equal(process.snapshot().reservations, [], 'the callbacks did their work')
  assert.equal([MEM_COMMIT, MEM_RESERVE, MEM_RELEASE], [0x1000, 0x2000, 0x8000])
})

record('a call that is misused is not written, and one whose page callback throws is', () => {
  const process = start()
  const { thread: ce } = process
  const tape = new Tape()
  process.record(tape)
  assert.throws(() => ce.HeapAlloc(Number.NaN, 0, 10))
  const thrown = messagesApart(() =>
    ce.CeHeapCreate(
      0,
      0,
      0,
      () => {
        ce.LocalAlloc(0, 10)
        throw new Error('no pages')
      },
      () => 1
    )
  )
  assert.equal(thrown, ['no pages'])
  ce.GetProcessHeap()
  assert.equal(
    tape.calls.map(({ call }) => call),
    ['CeHeapCreate', 'GetProcessHeap']
  )
})

record('what a listener does while it is told of a finding is left out', () => {
  const process = start()
  const { thread: ce } = process
  const tape = new Tape()
  process.record(tape)
  process.onFinding(() => void ce.LocalAlloc(0, 10))
  ce.LocalSize(0)
  assert.equal(
    tape.calls.map(({ call }) => call),
    ['LocalSize']
  )
})

record('ends where it is told to, once; a later recording goes on', () => {
  const process = start()
  const { thread: ce } = process
  const [first, second] = [new Tape(), new Tape()]
  const end = process.record(first)
  ce.GetLastError()
  end()
  ce.GetLastError()
  const endSecond = ce.record(second)
  end()
  ce.GetLastError()
  endSecond()
  ce.GetLastError()
  assert.equal([first.calls.length, second.calls.length], [1, 1])
})

record('a thread is recorded by itself', () => {
  const process = start()
  const other = attachThread(process.share())
  const [mine, its] = [new Tape(), new Tape()]
  process.record(mine)
  other.record(its)
  process.thread.LocalAlloc(0, 1)
  other.LocalAlloc(0, 2)
  assert.equal(
    [mine, its].map(({ calls }) => calls.map(({ thread, args }) => [thread, args])),
    [[[1, [0, 1]]], [[2, [0, 2]]]]
  )
})

record('a second recording at the same time throws, and what is no writer too', () => {
  const process = start()
  const tape = new Tape()
  process.record(tape)
  assert.throws(
    () => process.record(new Tape()),
    (error: unknown) => error instanceof TypeError && /that is not being recorded/.test(error.message)
  )
  process.thread.GetLastError()
  assert.is(tape.calls.length, 1)
  for (const bad of [undefined, null, 5, 'x', {}, { write: 1 }, () => 1]) {
    assert.throws(
      () => start().record(bad as never),
      (error: unknown) =>
        error instanceof TypeError && /^record: writer: expected an object with a write\(call\) method, got /.test(error.message)
    )
  }
})

record('C-97: an error of the writer is thrown apart, and the call keeps its answer', () => {
  const process = start()
  process.record({
    write: () => {
      throw new Error('disk full')
    }
  })
  for (let n = 0; n < 2; n++)
    assert.is.not(
      throwsApart(() => process.thread.LocalAlloc(0, 10), Error, 'disk full'),
      0
    )
  assert.is(process.snapshot().heaps[0]?.liveBlocks, 2)
})

record.run()
