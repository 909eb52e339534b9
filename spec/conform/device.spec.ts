// The C program that answers for a device: its side of the protocol on a shim, with any C compiler; the real thing under Wine, where that is.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConformReport, conform } from '../../src/conform/index.ts'
import { Folder } from '../cli/run.ts'
import { buildForWine, buildNative } from './compile.ts'

const folder = new Folder()
const hello = '{"ceheap":"conform","version":1,"profile":"compact-2013","build":"retail"}'

function statusOf(report: ConformReport, id: string): string | undefined {
  return report.results.find((one) => one.id === id)?.status
}

const device = suite('conform: the C program for a device, on a shim')
const native = buildNative(folder.path)
const onShim = native === undefined ? device.skip : device
if (native === undefined) process.stdout.write('skipped: no gcc, so the C program for a device was not built\n')

/** What the program answers to these lines, its greeting left out. */
function answers(...lines: string[]): Record<string, unknown>[] {
  const { stdout, status } = spawnSync(native as string, { input: `${[hello, ...lines].join('\n')}\n`, encoding: 'utf8', timeout: 20_000 })
  assert.is(status, 0)
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line))
}

function call(name: string, args: readonly (number | string)[], more = '', thread = 1): string {
  return `{"call":"${name}","thread":${thread},"args":${JSON.stringify(args)}${more}}`
}

onShim('it names the functions that the system has, and no other', () => {
  const { stdout } = spawnSync(native as string, { input: `${hello}\n`, encoding: 'utf8' })
  const { ceheap, version, functions, threads } = JSON.parse(stdout)
  assert.equal([ceheap, version, threads], ['conform', 1, 2])
  for (const name of ['HeapCreate', 'HeapAlloc', 'IMalloc::Alloc', 'NewSpy', 'read', 'write', 'GetLastError'])
    assert.ok(functions.includes(name), name)
  for (const name of ['HeapDestroy', 'HeapValidate', 'CeHeapCreate', 'VirtualQuery', 'touch', 'reset'])
    assert.not.ok(functions.includes(name), name)
})

onShim('an answer repeats the call, with result and last error', () => {
  const [heap, bad] = answers(call('HeapCreate', [0, 4096, 0]), call('HeapAlloc', [7, 0, 100]))
  assert.equal(heap, { call: 'HeapCreate', thread: 1, args: [0, 4096, 0], result: 0x42000, lastError: 0 })
  assert.equal(bad, { call: 'HeapAlloc', thread: 1, args: [7, 0, 100], result: 0, lastError: 87 })
})

onShim('bytes come back as they were written, 16,384 of them in a line', () => {
  const [block] = answers(call('HeapAlloc', [0x42000, 0, 20_000]))
  const at = block?.result as number
  const bytes = Array.from({ length: 16_384 }, (_, i) => ((i * 7) % 256).toString(16).padStart(2, '0')).join('')
  const [, written, read] = answers(
    call('HeapAlloc', [0x42000, 0, 20_000]),
    call('write', [at, 16_384], `,"bytes":"${bytes}"`),
    call('read', [at, 16_384])
  )
  assert.is(written?.result, 0)
  assert.is(read?.bytes, bytes)
})

onShim('a result is a DWORD, whatever stands beside it in the register', () => {
  const [block] = answers(call('HeapAlloc', [0x42000, 0, 100]))
  const [, size] = answers(call('HeapAlloc', [0x42000, 0, 100]), call('HeapSize', [0x42000, 0, block?.result as number]))
  assert.is(size?.result, 100)
})

onShim('a pointer above 4 GB is told as such', () => {
  const [far] = answers(call('LocalAlloc', [0, 0x7777]))
  assert.match(String(far?.threw), /pointer above 4 GB/)
})

onShim('up to five arguments reach the function, the largest DWORD too', () => {
  const [sum] = answers(call('VirtualAllocEx', [1, 20, 300, 4000, 50_000]))
  assert.is(sum?.result, 54_321)
  const [largest] = answers(call('VirtualAllocEx', [0xffffffff, 0, 0, 0, 0]))
  assert.is(largest?.result, 0xffffffff)
})

onShim('each thread has a last error of its own', () => {
  const told = answers(
    call('SetLastError', [1234]),
    call('SetLastError', [77], '', 2),
    call('GetLastError', []),
    call('GetLastError', [], '', 2)
  )
  assert.equal(
    told.slice(2).map(({ result }) => result),
    [1234, 77]
  )
})

onShim('interfaces have numbers, methods go through them', () => {
  const [get, refused, same, other, did, didNull, none] = answers(
    call('CoGetMalloc', [1]),
    call('CoGetMalloc', [2]),
    call('IMalloc::QueryInterface', [1, '00000002-0000-0000-C000-000000000046']),
    call('IMalloc::QueryInterface', [1, '0000000C-0000-0000-C000-000000000046']),
    call('IMalloc::DidAlloc', [1, 5]),
    call('IMalloc::DidAlloc', [1, 0]),
    call('IMalloc::Alloc', [9, 5])
  )
  assert.equal([get?.result, get?.out], [0, [1]])
  assert.equal([refused?.result, refused?.out], [0x80070057, [0]])
  assert.equal([same?.result, same?.out], [0, [1]])
  assert.equal([other?.result, other?.out], [0x80004002, [0]])
  assert.equal([did?.result, didNull?.result], [1, 0xffffffff])
  assert.match(String(none?.threw), /no interface/)
})

onShim('a spy counts its calls and keeps their arguments', () => {
  const told = answers(
    call('NewSpy', ['plain']),
    call('CoRegisterMallocSpy', [100]),
    call('SpyCount', [100, 'PreAlloc']),
    call('SpyArg', [100, 'PreAlloc', 0]),
    call('SpyCount', [100, 'PreFree']),
    call('NewSpy', ['stranger']),
    call('CoRegisterMallocSpy', [101]),
    call('CoRegisterMallocSpy', [0])
  )
  assert.equal(
    told.map(({ result }) => result),
    [100, 0, 1, 123, 0, 101, 0x80070057, 0x80070057]
  )
})

onShim('what it does not understand it says, and goes on', () => {
  const told = answers('', 'no JSON', '{"call":"HeapAlloc"}', call('Format', [1]), `"${'x'.repeat(100_000)}"`, call('GetLastError', []))
  assert.equal(
    told.map(({ threw }) => threw),
    [
      'got a line that is no call',
      'got a line that is no call',
      'got a line that is no call',
      'has no such function',
      'got a line that is too long',
      undefined
    ]
  )
})

onShim('the battery runs over it: what the shim does is passed, what it does not is told', async () => {
  const report = await conform({ implementation: `command:${native}`, face: ['growable', 'imalloc', 'api'], timeout: 10_000 })
  for (const id of ['blocks/two-apart', 'blocks/whole-block', 'com/did-alloc', 'heapalloc/alloc-null-heap'])
    assert.is(statusOf(report, id), 'pass', id)
  for (const id of ['heapsize/retail-example', 'heapcreate/maximum-sum', 'heapalloc/limit']) assert.is(statusOf(report, id), 'fail', id)
  for (const id of ['heapdestroy/empty', 'ceheapcreate/made', 'host/alloc']) assert.is(statusOf(report, id), 'not applicable', id)
  assert.is(report.results.find(({ id }) => id === 'heapdestroy/empty')?.reason, 'has no HeapDestroy')
  // The shim reads what it is given: a bad pointer ends the program, which is started anew.
  assert.match(report.notes.join('\n'), /ended with status 139|SIGSEGV/)
})

device.run()

const wine = suite('conform: the C program for a device, under Wine')
process.env.WINEPREFIX ??= `${folder.path}/prefix`
process.env.WINEDEBUG ??= '-all'
const under = buildForWine(folder.path)
const inWine = typeof under === 'string' ? wine.skip : wine
if (typeof under === 'string') process.stdout.write(`skipped: ${under}, so the C program for a device was not run on a Windows heap\n`)

inWine('the battery tells where the heap of desktop Windows is not that of CE', async () => {
  if (typeof under === 'string') return
  const report = await conform({ implementation: `command:${under.command}`, face: ['growable', 'api'], timeout: 20_000 })
  const about = JSON.stringify(report.results.filter(({ status }) => status === 'fail').map(({ id, reason }) => [id, reason]))
  // What both promise.
  for (const id of ['blocks/two-apart', 'blocks/zeroed', 'heapdestroy/with-blocks', 'local/free', 'virtual/recommit', 'com/co-and-malloc'])
    assert.is(statusOf(report, id), 'pass', `${id}: ${about}`)
  // What CE alone does.
  for (const id of ['heapsize/retail-example', 'heapcreate/shared-readonly', 'virtual/release-mixed', 'virtual/guard-noaccess'])
    assert.is(statusOf(report, id), 'fail', id)
  assert.is(statusOf(report, 'heapalloc/free-null'), 'differs')
  assert.match(report.results.find(({ id }) => id === 'heapsize/retail-example')?.reason ?? '', /^100$/)
  // An exception is an answer like another: the program goes on.
  assert.is(statusOf(report, 'virtual/protect-noaccess'), 'pass')
  assert.is(report.results.find(({ id }) => id === 'section/count')?.status, under.bits === 32 ? 'pass' : 'not applicable')
  assert.ok(report.passed > 150, String(report.passed))
})

wine.after(() => folder.remove())
wine.run()
