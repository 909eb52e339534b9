// Tool help, critical sections and COM in recordings: what shows in the order of the calls.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import { createProcess, HEAPENTRY32, HEAPLIST32, MEMCTX_TASK } from '../../src/index.ts'
import { jsonLinesWriter } from '../../src/trace/index.ts'
import { check, found, heap, type Line, only, p, q } from './trace.ts'

const section = 0x404000
const create = (flags: number, handle: number): Line => ['CreateToolhelp32Snapshot', [flags, 0], handle]
const close = (handle: number): Line => ['CloseHandle', [handle], 1]

const tools = suite('check: tool help')

tools('W-21, TH-5: CloseHandle of a snapshot leaks it; of anything else it is no memory call', async () => {
  const report = await check([close(0x44), create(1, 0x44), close(0x48), close(0x44), close(0x44)])
  assert.equal(found(report), ['error W-21 1 CloseHandle'])
  assert.match(only(report).onCe, /TH-5/)
  assert.is(report.summary.calls, 2)
})

tools('a snapshot whose closing the recording does not show is warned of, one closed as on CE is not', async () => {
  assert.equal(found(await check([create(1, 0x44)])), ['warning W-21 1 CreateToolhelp32Snapshot'])
  assert.equal(found(await check([create(1, 0x44), ['CloseToolhelp32Snapshot', [0x44], 1]])), [])
  assert.equal(found(await check([create(1, 0xffffffff)])), [], 'INVALID_HANDLE_VALUE is none')
})

tools('of very many snapshots the oldest are told of at once, and none is lost', async () => {
  const report = await check(Array.from({ length: 5000 }, (_, n) => create(1, 0x1000 + 4 * n)))
  assert.equal(found(report), ['warning W-21 5000 CreateToolhelp32Snapshot'])
})

tools('W-21, TH-8, TH-10: a walk with the parameters of CE is none of the desktop', async () => {
  const desktop: Line[] = [
    ['Heap32First', [q, 7, 1], 1],
    ['Heap32Next', [q], 1]
  ]
  assert.equal(found(await check(desktop)), ['error W-21 1 Heap32First', 'error W-21 1 Heap32Next'])
  const lines: string[] = []
  const process = createProcess()
  process.record(jsonLinesWriter((line) => lines.push(line)))
  const ce = process.thread
  const [list, entry] = [ce.LocalAlloc(0x40, HEAPLIST32.size), ce.LocalAlloc(0x40, HEAPENTRY32.size)]
  const snapshot = ce.CreateToolhelp32Snapshot(1, 0)
  HEAPLIST32.set(ce.memory, list, 'dwSize', HEAPLIST32.size)
  HEAPENTRY32.set(ce.memory, entry, 'dwSize', HEAPENTRY32.size)
  ce.Heap32ListFirst(snapshot, list)
  ce.Heap32First(snapshot, entry, 0, HEAPLIST32.read(ce.memory, list).th32HeapID)
  ce.Heap32Next(snapshot, entry)
  ce.CloseToolhelp32Snapshot(snapshot)
  ce.LocalFree(list)
  ce.LocalFree(entry)
  assert.equal(found(await check(`${lines.join('\n')}\n`)), [])
})

tools('a relay log as Wine writes it', async () => {
  const lines = [
    '0020:0024:Call KERNEL32.CreateToolhelp32Snapshot(00000001,00000020) ret=140001800',
    '0020:0024:Ret  KERNEL32.CreateToolhelp32Snapshot() retval=00000044 ret=140001800',
    '0020:0024:Call KERNEL32.Heap32First(0021f600,00000020,00340000) ret=140001810',
    '0020:0024:Ret  KERNEL32.Heap32First() retval=00000001 ret=140001810',
    '0020:0024:Call KERNEL32.CloseHandle(00000040) ret=140001820',
    '0020:0024:Ret  KERNEL32.CloseHandle() retval=00000001 ret=140001820',
    '0020:0024:Call KERNEL32.CloseHandle(00000044) ret=140001830',
    '0020:0024:Call kernelbase.CloseHandle(00000044) ret=1700484ff',
    '0020:0024:Ret  kernelbase.CloseHandle() retval=00000001 ret=1700484ff',
    '0020:0024:Ret  KERNEL32.CloseHandle() retval=00000001 ret=140001830'
  ]
  const report = await check(`${lines.join('\n')}\n`)
  assert.equal(found(report), ['error W-21 1 Heap32First', 'error W-21 1 CloseHandle'])
  assert.is(report.findings[1]!.callSite, '140001830')
})

tools.run()

const sections = suite('check: critical sections')

const use = (call: string, thread = 1): Line => [call, [section], undefined, { thread }]

sections('CS-5, C-76: a section used after it was deleted', async () => {
  const life = [use('InitializeCriticalSection'), use('EnterCriticalSection'), use('LeaveCriticalSection'), use('DeleteCriticalSection')]
  assert.equal(found(await check([...life, ...life])), [])
  for (const call of ['EnterCriticalSection', 'TryEnterCriticalSection', 'LeaveCriticalSection', 'DeleteCriticalSection']) {
    assert.equal(found(await check([...life, use(call)])), [`error CS-5 1 ${call}`])
  }
})

sections('W-27: a section of several threads is a note, once', async () => {
  const lines = [1, 1, 2, 1, 2, 3].map((thread) => use('EnterCriticalSection', thread))
  assert.equal(found(await check(lines)), ['note W-27 1 EnterCriticalSection'])
  assert.equal(found(await check(lines.slice(0, 2))), [])
})

sections('sections of two processes at one address are two', async () => {
  const lines: Line[] = [1, 2].map((process) => ['EnterCriticalSection', [section], undefined, { process, thread: process }])
  assert.equal(found(await check(lines)), [])
})

sections.run()

const com = suite('check: COM')

com('C-52: a block of the task allocator freed by another family, and the other way round', async () => {
  const task: Line = ['CoTaskMemAlloc', [10], p]
  const table: readonly (readonly [lines: Line[], call: string])[] = [
    [[task, ['LocalFree', [p], 0]], 'LocalFree'],
    [[task, ['free', [p]]], 'free'],
    [[['GetProcessHeap', [], heap], task, ['HeapFree', [heap, 0, p], 1]], 'HeapFree'],
    [
      [
        ['LocalAlloc', [0, 10], p],
        ['CoTaskMemFree', [p]]
      ],
      'CoTaskMemFree'
    ],
    [
      [
        ['malloc', [10], p],
        ['CoTaskMemRealloc', [p, 20], p],
        ['free', [p]]
      ],
      'CoTaskMemRealloc'
    ]
  ]
  for (const [lines, call] of table) assert.equal(found(await check(lines)), [`warning C-52 1 ${call}`])
  assert.equal(found(await check([task, ['CoTaskMemRealloc', [p, 90], q], ['CoTaskMemFree', [q]]])), [])
})

com('SP-4, SP-6: a spy, and one that is revoked while its blocks live', async () => {
  const report = await check([
    ['CoRegisterMallocSpy', [q], 0],
    ['CoTaskMemAlloc', [10], p],
    ['CoRevokeMallocSpy', [], 0x80070005],
    ['CoTaskMemFree', [p]],
    ['CoRevokeMallocSpy', [], 0]
  ])
  assert.equal(found(report), ['warning SP-6 1 CoRevokeMallocSpy', 'note SP-4 1 CoRegisterMallocSpy'])
})

com('the methods of IMalloc are replayed: sizes, and pages given back', async () => {
  const lines: string[] = []
  const process = createProcess()
  process.record(jsonLinesWriter((line) => lines.push(line)))
  const { ppMalloc } = openCom(process.thread).CoGetMalloc(MEMCTX_TASK)
  const blocks = Array.from({ length: 40 }, () => ppMalloc!.Alloc(5000))
  for (const block of blocks) {
    ppMalloc!.GetSize(block)
    ppMalloc!.Free(block)
  }
  ppMalloc!.GetSize(0)
  ppMalloc!.HeapMinimize()
  const report = await check(`${lines.join('\n')}\n`)
  assert.equal([found(report), report.summary.notReplayed], [[], 0])
  assert.is(report.processes[0]!.imageHash, process.imageHash())
  assert.ok(lines.some((line) => line.includes('IMalloc::HeapMinimize')))
  const without = await check(`${lines.slice(0, -1).join('\n')}\n`)
  assert.is.not(without.processes[0]!.imageHash, process.imageHash(), 'the pages would still be there')
})

com('W-28: GetSize of a freed block', async () => {
  const report = await check([
    ['CoTaskMemAlloc', [10], p],
    ['CoTaskMemFree', [p]],
    ['IMalloc::GetSize', [p], 32]
  ])
  assert.equal(found(report), ['error W-28 1 IMalloc::GetSize'])
})

com('what a CLR host gives does not show in its HRESULT: such calls are counted', async () => {
  const report = await check([
    ['IHostMalloc::Alloc', [10, 0], 0],
    ['IHostMemoryManager::VirtualAlloc', [0, 4096, 0x3000, 4, 0], 0],
    ['IHostMemoryManager::GetMemoryLoad', [], 0]
  ])
  assert.equal([found(report), report.summary.calls, report.summary.notReplayed], [[], 3, 2])
})

com.run()
