import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openTraceStream } from '../../src/trace/index.ts'
import { deepest } from '../../src/trace/nesting.ts'
import { inChunks, read, shown } from './read.ts'
import { alloc, call, free, readLines } from './relaylines.ts'

const disorder = suite('wine relay: calls that do not return, and torn lines')
const open = (name: string, args: string, site: string) => `0020:0024:Call ${name}(${args}) ret=${site}`
disorder('a return without a call is skipped and disturbs nothing', async () => {
  const { events, source } = await readLines(
    '0020:0024:Ret  KERNEL32.HeapFree() retval=00000001 ret=140002000',
    alloc('00000011'),
    '0020:0024:Ret  ntdll.RtlFreeHeap() retval=00000001 ret=1',
    alloc('00000012')
  )
  assert.is(events.length, 2)
  assert.is(source.skipped, 2)
})
disorder('a return finds its call down the stack, and the calls above it count as unfinished', async () => {
  const { events, source } = await readLines(
    open('USER32.MessageBoxW', '00000000', '140001000'),
    '0020:0024:Call window proc 0x140001600 (hwnd=0x1)',
    open('KERNEL32.HeapFree', '00340000,00000000,00358b20', '140002000'),
    open('kernelbase.Inner', '00000000', '7b000001'),
    '0020:0024:Ret  USER32.MessageBoxW() retval=00000001 ret=140001000',
    alloc('00000011')
  )
  assert.equal(shown(events), ['HeapAlloc(340000,8,10)=11'])
  assert.is(source.unfinished, 1)
})
disorder('a leaf that did not return hides nothing that follows', async () => {
  const { events, source } = await readLines(
    open('ntdll.RtlAllocateHeap', '00340000,00000004,7fffffff', '140001000'),
    alloc('00000011', '140001010'),
    free('00000011')
  )
  assert.equal(shown(events), ['HeapAlloc(340000,8,10)=11', 'HeapFree(340000,0,11)=1'])
  assert.is(source.unfinished, 1)
})
disorder('a memory call whose return is lost is given up when the same site makes it again', async () => {
  const { events, source } = await readLines(
    open('KERNEL32.HeapFree', '00340000,00000000,00000011', '140002000'),
    alloc('00000011', '140001000'),
    free('00000012'),
    alloc('00000013', '140001000')
  )
  assert.equal(shown(events), ['HeapFree(340000,0,12)=1', 'HeapAlloc(340000,8,10)=13'])
  assert.is(source.unfinished, 1)
})
disorder("what follows a thrown exception is the app's", async () => {
  const { events } = await readLines(
    open('msvcrt._CxxThrowException', '0021f000,140008000', '140001000'),
    open('KERNEL32.RaiseException', 'e06d7363,00000001,00000004,0021f000', '228290000'),
    alloc('00000011')
  )
  assert.is(events.length, 1)
})
disorder('memory calls that are open at the end count as unfinished, others do not', async () => {
  const { events, source } = await readLines(
    alloc('00000011'),
    open('KERNEL32.ExitProcess', '00000000', '1'),
    '0020:0028:Call KERNEL32.HeapFree(00340000,00000000,00000011) ret=2'
  )
  assert.is(events.length, 1)
  assert.is(source.unfinished, 1)
})
disorder('a thread id that is used again starts with an empty stack', async () => {
  const { events, source } = await readLines(
    '0020:0028:Call KERNEL32.Sleep(00000001) ret=1',
    '0020:0028:Call PE DLL (proc=1,module=2 L"msvcrt.dll",reason=THREAD_ATTACH,res=0)',
    alloc('00000011', '1', '0020:0028'),
    '0020:0028:Ret  PE DLL (proc=1,module=2 L"msvcrt.dll",reason=THREAD_ATTACH,res=0) retval=1',
    '0020:0028:Starting thread proc 0000000140001530 (arg=0000000000000000)',
    alloc('00000012', '2', '0020:0028')
  )
  assert.equal(
    events.map(({ result }) => result),
    [0x11, 0x12]
  )
  assert.is(source.unfinished, 0)
})
disorder('output of the app in front of a line does not hide it, digits included', async () => {
  const [first = '', second = ''] = alloc('00000012')
  const { events, source } = await readLines(alloc('00000011'), `progress 10 ${first}`, `bad 0 valid 1${second}`, alloc('00000013'))
  assert.equal(
    events.map(({ result, process }) => [result, process]),
    [
      [0x11, 0x20],
      [0x12, 0x20],
      [0x13, 0x20]
    ]
  )
  assert.is(source.skipped, 0)
})
disorder('a line torn by another one costs one event, and the nesting holds', async () => {
  const { events, source } = await readLines(
    `0020:0024:Call KERNEL32.HeapFree(00340000,0000000020:0028:Call ntdll.RtlAllocateHeap(00340000,00000000,00000020) ret=140001000`,
    call('ntdll.RtlFreeHeap', '00340000,00000000,00000011', '00000001', '1700484ff'),
    '0020:0028:Ret  ntdll.RtlAllocateHeap() retval=00000077 ret=140001000',
    '0020:0024:Ret  KERNEL32.HeapFree() retval=00000001 ret=140002000',
    '0020:0024:Call ntdll.RtlAllo',
    alloc('00000013')
  )
  assert.equal(
    events.map(({ thread, result }) => [thread, result]),
    [
      [0x28, 0x77],
      [0x24, 0x13]
    ]
  )
  assert.equal([source.skipped, source.unfinished], [2, 0])
})
disorder('a line of another call torn in the same way does not hide what follows', async () => {
  const { events } = await readLines(
    `0020:0024:Call KERNEL32.ReadFile(00000040,0000000020:0028:Call ntdll.RtlAllocateHeap(00340000,00000000,00000020) ret=140001000`,
    '0020:0028:Ret  ntdll.RtlAllocateHeap() retval=00000077 ret=140001000',
    '0020:0024:Ret  KERNEL32.ReadFile() retval=00000001 ret=140002000',
    alloc('00000013')
  )
  assert.is(events.length, 2)
})
disorder('calls that never return cost bounded memory', async () => {
  const lines = Array.from({ length: 3 * deepest }, (_, index) => open('KERNEL32.Sleep', '00000001', (0x1000 + index).toString(16)))
  const released = Array.from(
    { length: 3 * deepest },
    (_, index) => `0020:${(0x1000 + index).toString(16)}:Call KERNEL32.HeapFree(00340000,00000000,00000011) ret=1`
  )
  const { events, source } = await readLines(lines, released, alloc('00000012', '1', '0020:0028'))
  assert.is(events.length, 1)
  assert.is(source.unfinished, 3 * deepest)
})
disorder('a line full of beginnings of lines is read in no more than its time', async () => {
  const hostile = '0020:0024:Call ntdll.RtlAllocateHeap(00340000,'.repeat(20_000)
  const names = Array.from({ length: 40_000 }, (_, index) => `0020:0024:Call a.function${index}() ret=1`)
  // Time that grows with the square of a line's length would outlast the bound that every spec has.
  const { source } = await readLines(
    alloc('00000011'),
    hostile,
    `${hostile}) ret=140001000`,
    '0024:Call '.repeat(90_000),
    names,
    alloc('00000012')
  )
  assert.is(source.unfinished, 0)
})
disorder('a last line that is cut is damage with its number; a whole one without a line end is not', async () => {
  const whole = [...alloc('00000011'), ...alloc('00000012')].join('\n')
  assert.is((await read(whole)).source.damage, undefined)
  const { events, source } = await read(whole.slice(0, -12))
  assert.is(events.length, 1)
  assert.equal(source.damage, { message: 'the last line (4) is cut: the recording breaks off', position: 4, further: 0 })
})
disorder.run()

const order = suite('wine relay: order of events')
order('a free is put before the allocation that returns its block to another thread', async () => {
  const [freeing = '', inner = '', innerReturn = '', freed = ''] = free('00000011', '140002000', '0020:0028')
  const { events } = await readLines(freeing, inner, alloc('00000011'), alloc('00000012'), innerReturn, freed, alloc('00000013'))
  assert.equal(shown(events), [
    'HeapFree(340000,0,11)=1',
    'HeapAlloc(340000,8,10)=11',
    'HeapAlloc(340000,8,10)=12',
    'HeapAlloc(340000,8,10)=13'
  ])
})
order('so is a resize that gives the block up', async () => {
  const [begin = '', end = ''] = call(
    'ntdll.RtlReAllocateHeap',
    '00340000,00000000,00000011,00000040',
    '00000099',
    '140002000',
    [],
    '0020:0028'
  )
  const { events } = await readLines(begin, alloc('00000011'), end)
  assert.equal(shown(events), ['HeapReAlloc(340000,0,11,40)=99', 'HeapAlloc(340000,8,10)=11'])
})
order('another process and another block change nothing', async () => {
  const [first = '', ...rest] = free('00000011', '140002000', '0030:0028')
  const { events } = await readLines(first, alloc('00000011'), ...rest)
  assert.equal(
    events.map(({ call }) => call),
    ['HeapAlloc', 'HeapFree']
  )
})
order('a free that was overtaken and never returns is given without a result', async () => {
  const { events, source } = await readLines('0020:0028:Call KERNEL32.HeapFree(00340000,00000000,00000011) ret=1', alloc('00000011'))
  assert.equal(shown(events), ['HeapFree(340000,0,11)=?', 'HeapAlloc(340000,8,10)=11'])
  assert.is(source.unfinished, 1)
})
order('events do not wait for it without end', async () => {
  const many = Array.from({ length: 30_000 }, (_, index) => alloc((0x1000 + 16 * index).toString(16).padStart(8, '0'))).flat()
  const overtaken = ['0020:0028:Call KERNEL32.HeapFree(00340000,00000000,00000011) ret=1', ...alloc('00000011')]
  const source = await openTraceStream(inChunks([...overtaken, ...many].join('\n'), 1 << 20), 'sample')
  const sizes: number[] = []
  for await (const batch of source.events()) sizes.push(batch.length)
  assert.is(
    sizes.reduce((sum, size) => sum + size),
    30_002
  )
  assert.ok(Math.max(...sizes) < 10_000, `${Math.max(...sizes)} events in one batch`)
})
order.run()
