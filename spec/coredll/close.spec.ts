// The end of a process, and the threads that join and leave it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CALLS } from '../../src/coredll/calls.ts'
import type { CallName } from '../../src/coredll/calls.ts'
import {
  attachThread,
  type CeThread,
  createProcess,
  ERROR_INVALID_PARAMETER,
  type Finding,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { everywhere, filled, heapOf, open, places, refuses } from './world.ts'

const MB = 1024 * 1024
const closing = suite('close')

/** Arguments that each call takes in an open process. */
function invoke(ce: CeThread, call: CallName, heap: number, block: number): unknown {
  const callbacks = [() => 0, () => 0]
  const [one, two, three, four] = [[block], [heap, 0], [heap, 0, block], [heap, 0, block, 10]]
  const args: Readonly<Record<CallName, readonly unknown[]>> = {
    HeapCreate: [0, 0, 0],
    CeHeapCreate: [0, 0, 0, ...callbacks],
    HeapDestroy: [heap],
    HeapAlloc: [heap, 0, 10],
    HeapReAlloc: four,
    HeapFree: three,
    HeapSize: three,
    HeapValidate: three,
    HeapCompact: two,
    GetProcessHeap: [],
    LocalAlloc: [0, 10],
    LocalReAlloc: [block, 10, 0],
    LocalFree: one,
    LocalSize: one,
    LocalLock: one,
    LocalUnlock: one,
    LocalHandle: one,
    LocalFlags: one,
    GlobalAlloc: [0, 10],
    GlobalReAlloc: [block, 10, 0],
    GlobalFree: one,
    GlobalSize: one,
    GlobalLock: one,
    GlobalUnlock: one,
    GlobalHandle: one,
    GlobalFlags: one,
    VirtualAlloc: [0, 1, MEM_RESERVE, PAGE_READWRITE],
    VirtualFree: [0, 0, 0x8000],
    GetLastError: [],
    SetLastError: [0],
    CeVirtualSharedAlloc: [0, 1, 0],
    VirtualAllocEx: [0x42, 0, 1, 0x1000, 4],
    VirtualFreeEx: [0x42, 0, 0, 0x8000],
    VirtualProtectEx: [0x42, block, 1, 4, block],
    VirtualProtect: [block, 1, PAGE_READWRITE, block],
    VirtualQuery: [block, block, 28],
    IsBadReadPtr: [block, 1],
    IsBadWritePtr: [block, 1],
    IsBadCodePtr: one,
    GlobalMemoryStatus: one,
    GetSystemInfo: one,
    CreateToolhelp32Snapshot: [1, 0],
    Heap32ListFirst: [1, 0],
    Heap32ListNext: [1, 0],
    Heap32First: [1, 0, 0, 0],
    Heap32Next: [1, 0],
    CloseToolhelp32Snapshot: [1],
    InitializeCriticalSection: one,
    EnterCriticalSection: one,
    TryEnterCriticalSection: one,
    LeaveCriticalSection: one,
    DeleteCriticalSection: one
  }
  return (ce[call] as (...args: readonly unknown[]) => unknown)(...args[call])
}

closing('every call of every thread on a closed process throws a TypeError that names the call', () => {
  for (const place of places) {
    const { ce, process, heap, findings } = open(place)
    const other = attachThread(process.share())
    const own = ce.HeapCreate(0, 0, 0)
    const blocks = [
      [heap, ce.LocalAlloc(0, 10)],
      [own, ce.HeapAlloc(own, 0, 10)],
      [0, 0],
      [0xffffffff, 0xffffffff]
    ] as const
    process.close()
    for (const call of CALLS) {
      for (const thread of [ce, other]) {
        for (const [handle, block] of blocks) {
          refuses(
            () => invoke(thread, call, handle, block),
            TypeError,
            new RegExp(`^${call}: expected an open process, got one that was closed with process\\.close\\(\\)$`)
          )
        }
      }
    }
    assert.equal(findings, [])
  }
})

closing('share, snapshot, imageHash, check, sectionCounters, record and attachThread throw too; closing twice is harmless', () => {
  const process = createProcess({ memory: MB })
  const token = process.share()
  process.close()
  process.close()
  for (const call of ['share', 'snapshot', 'imageHash', 'check', 'sectionCounters'] as const)
    refuses(() => process[call](), TypeError, new RegExp(`^${call}: expected an open process`))
  refuses(() => process.record({ write: () => undefined }), TypeError, /^record: expected an open process/)
  refuses(() => attachThread(token), TypeError, /^attachThread: expected an open process/)
  assert.is(process.drainFindings(), 0)
})

closing('what other threads found before is told as it was, though not one heap more would have had a place', () => {
  const process = createProcess({ memory: 2 * 0x10000 })
  const other = attachThread(process.share())
  const heard: Finding[] = []
  const found: Finding[] = []
  process.onFinding((finding) => heard.push(finding))
  other.onFinding((finding) => found.push(finding))
  assert.is(other.HeapCreate(0, 0, 0), 0)
  other.HeapFree(process.thread.GetProcessHeap(), 0, 0)
  process.close()
  assert.is(found.length, 1)
  assert.equal(heard, found)
})

closing('the memory of a closed process can be used again', () => {
  const memory = new SharedArrayBuffer(MB)
  const first = createProcess({ memory })
  first.thread.memory.fill(first.thread.LocalAlloc(0, 1000), 9, 1000)
  first.close()
  const second = createProcess({ memory })
  assert.ok(filled(second.thread, second.thread.LocalAlloc(0, 1000), 1000, 0))
  second.check()
})

closing.run()

const threads = suite('share and attachThread')

threads('another thread sees the same heaps and has an id and a last error of its own', () => {
  const process = createProcess({ memory: MB })
  const ce = process.thread
  const other = attachThread(process.share())
  assert.equal([ce.tid, other.tid], [1, 2])
  const heap = ce.HeapCreate(0, 0, 0)
  const block = other.HeapAlloc(heap, 0, 100)
  ce.memory.writeU32(block, 77)
  assert.is(other.memory.readU32(block), 77)
  assert.is(ce.HeapFree(heap, 0, block), 1)
  assert.is(other.HeapFree(heap, 0, block), 0)
  assert.equal(process.snapshot().threads, [
    { id: 1, lastError: 0 },
    { id: 2, lastError: ERROR_INVALID_PARAMETER }
  ])
})

threads('detach gives the id back once; the creating thread cannot leave', () => {
  const process = createProcess({ memory: MB })
  const first = attachThread(process.share())
  first.detach()
  const second = attachThread(process.share())
  assert.is(second.tid, 2)
  first.detach()
  assert.equal(
    process.snapshot().threads.map(({ id }) => id),
    [1, 2],
    "a second detach is not the other thread's"
  )
  refuses(() => process.thread.detach(), TypeError, /^detach: expected an attached thread, got the creating thread/)
})

threads('what is no token throws a TypeError', () => {
  const token = createProcess({ memory: MB }).share()
  for (const bad of [
    null,
    undefined,
    5,
    'x',
    {},
    [],
    { ...token, user: undefined },
    { ...token, system: undefined },
    { ...token, user: new ArrayBuffer(MB) },
    { ...token, ceheap: 0 }
  ]) {
    refuses(() => attachThread(bad as never), TypeError, /^attachThread: expected what process\.share\(\) gave/)
  }
  const other = createProcess({ memory: 2 * MB }).share()
  refuses(() => attachThread({ ...token, user: other.user }), TypeError, /with both buffers of one process/)
})

everywhere(threads, 'a heap made by a thread that has left lives on', (world) => {
  const other = attachThread(world.process.share())
  const heap = other.HeapCreate(0, 0, 0)
  const block = other.HeapAlloc(heap, 0, 100)
  other.detach()
  assert.is(heapOf(world, heap).liveBlocks, 1)
  assert.is(world.ce.HeapFree(heap, 0, block), 1)
})

threads.run()
