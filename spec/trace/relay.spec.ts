import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { read, shown } from './read.ts'
import { alloc, call, free, readLines } from './relaylines.ts'

const one = suite('wine relay: one call')
one('a call has its name, arguments, result, thread, process, site, recorded name and line', async () => {
  const { events, source } = await readLines('wine: some note', alloc('00358b20'))
  assert.is(source.format, 'wine-relay')
  assert.is(source.unit, 'line')
  assert.equal(events, [
    {
      call: 'HeapAlloc',
      thread: 0x24,
      args: [0x340000, 8, 16],
      result: 0x358b20,
      process: 0x20,
      site: '140001000',
      via: 'ntdll.RtlAllocateHeap',
      position: 2
    }
  ])
  assert.is(source.skipped, 1)
  assert.is(source.damage, undefined)
})
one('a Win32 name is its own, in any module spelling', async () => {
  const { events } = await readLines(
    call('KERNEL32.LocalAlloc', '00000040,00000040', '0035afe0', '140001713'),
    call('kernelbase.LocalFree', '0035afe0', '00000000', '14000171f')
  )
  assert.equal(
    events.map(({ call, via }) => [call, via]),
    [
      ['LocalAlloc', ''],
      ['LocalFree', '']
    ]
  )
})
one('a C runtime function keeps its module, because each runtime has a heap of its own', async () => {
  const { events } = await readLines(
    call('msvcrt.malloc', '00000010', '00c812c0', '1'),
    call('MSVCR120.??3@YAXPEAX@Z', '00c812c0', '00000000', '2')
  )
  assert.equal(
    events.map(({ call, via, result }) => [call, via, result]),
    [
      ['malloc', 'msvcrt.malloc', 0xc812c0],
      ['free', 'MSVCR120.??3@YAXPEAX@Z', undefined]
    ]
  )
})
one('ntdll parameters come in Win32 order, and its results in the Win32 sense', async () => {
  const { events } = await readLines(
    call('ntdll.RtlCreateHeap', '00000002,00000000,00100000,00001000,00000000,00000000', '010a0000', '1'),
    call('ntdll.RtlSetHeapInformation', '010a0000,00000000,0021f000,00000004', 'c000000d', '2'),
    call('ntdll.RtlLockHeap', '010a0000', '7b000001', '3'),
    call('ntdll.RtlDestroyHeap', '010a0000', '00000000', '4'),
    call('ntdll.RtlDestroyHeap', '010a0000', '010a0000', '5')
  )
  assert.equal(shown(events), [
    'HeapCreate(2,1000,100000)=10a0000',
    'HeapSetInformation(10a0000,0,21f000,4)=0',
    'HeapLock(10a0000)=1',
    'HeapDestroy(10a0000)=1',
    'HeapDestroy(10a0000)=0'
  ])
})
one('of a BOOL only the low 32 bits count, a pointer keeps all of its bits', async () => {
  const { events } = await readLines(
    call('KERNEL32.HeapValidate', '7ff6340000,00000000,00000000', 'dead00000001', '1'),
    call('KERNEL32.VirtualAlloc', '00000000,00001000,00001000,00000004', '7ff612340000', '2')
  )
  assert.equal(shown(events), ['HeapValidate(7ff6340000,0,0)=1', 'VirtualAlloc(0,1000,1000,4)=7ff612340000'])
})
one('time stamps, a missing process id and CR LF are accepted', async () => {
  const text = [
    '12345.678:0020:0024:Call ntdll.RtlSizeHeap(00340000,00000000,00358b20) ret=1',
    '12345.679:0020:0024:Ret  ntdll.RtlSizeHeap() retval=00000010 ret=1',
    '0024:Call ntdll.RtlSizeHeap(00340000,00000000,00358b20) ret=2',
    '0024:Ret  ntdll.RtlSizeHeap() retval=00000010 ret=2',
    ''
  ].join('\r\n')
  const { events, source } = await read(text)
  assert.equal(
    events.map(({ process, thread, site, result }) => [process, thread, site, result]),
    [
      [0x20, 0x24, '00000001', 16],
      [0, 0x24, '00000002', 16]
    ]
  )
  assert.is(source.skipped, 0)
})
one('strings and structures among the arguments do not shift them', async () => {
  const { events } = await readLines(
    call('KERNEL32.HeapWalk', '00340000,0021f210 L"a,b(\\")"', '00000001', '1'),
    call('KERNEL32.Heap32First', '0021f210 {1,(2),3},00000007 "x\\\\",00000009', '00000000', '2')
  )
  assert.equal(shown(events), ['HeapWalk(340000,21f210)=1', 'Heap32First(21f210,7,9)=0'])
})
one('a call with too few arguments, or with none that is a number, is no event', async () => {
  const { events, source } = await readLines(
    call('KERNEL32.HeapSize', '00340000,00000000', '00000010', '1'),
    call('KERNEL32.HeapSize', '00340000,zz,00358b20', '00000010', '2'),
    alloc('00358b20')
  )
  assert.is(events.length, 1)
  assert.is(source.skipped, 2)
})
one.run()

const nesting = suite('wine relay: nesting')
nesting("what a call calls is not the app's, also inside a function that is no memory call", async () => {
  const { events, source } = await readLines(
    free('00358b20'),
    call('KERNEL32.CreateFileW', '0021f210 L"C:\\\\x",00000000', '00000040', '140003000', [
      ...alloc('00358b20', '7b000001'),
      ...free('00358b20', '7b000002')
    ]),
    alloc('00358b40')
  )
  assert.equal(shown(events), ['HeapFree(340000,0,358b20)=1', 'HeapAlloc(340000,8,10)=358b40'])
  assert.is(source.skipped, 1)
})
nesting("code in a callback is the app's: DLL entry, TLS callback, window and hook procedure, thread start", async () => {
  const callback = (text: string, inside: string[]) => [`0020:0024:Call ${text}`, ...inside, `0020:0024:Ret  ${text} retval=00000001`]
  const { events } = await readLines(
    callback(
      'PE DLL (proc=0000000170068C10,module=0000000170000000 L"a.dll",reason=PROCESS_ATTACH,res=000000000021FB00)',
      alloc('00000011')
    ),
    '0020:0024:Call TLS callback (proc=0000000140001940,module=0000000140000000,reason=THREAD_ATTACH,reserved=0)',
    alloc('00000012'),
    '0020:0024:Ret  TLS callback (proc=0000000140001940,module=0000000140000000,reason=THREAD_ATTACH,reserved=0)',
    call('KERNEL32.BaseThreadInitThunk', '00000000,1400014d0,67ff0000', '00000000', '17005dca8', [
      ...call('USER32.DispatchMessageW', '0021f000', '00000000', '140001500', [
        ...alloc('00000013', '7b000001'),
        ...callback('window proc 0x140001600 (hwnd=0x10020,msg=WM_CREATE,wp=00000000,lp=0033fb1c)', [
          ...alloc('00000014'),
          ...callback('hook proc 0x140001700 (id=WH_CBT,code=3)', alloc('00000015'))
        ]),
        ...alloc('00000016', '7b000001')
      ]),
      ...alloc('00000017')
    ])
  )
  assert.equal(
    events.map(({ result }) => result?.toString(16)),
    ['11', '12', '14', '15', '17']
  )
})
nesting('a function that calls itself is left as often as it was entered', async () => {
  const { events } = await readLines(
    call('user32.Peek', '00000001', '00000000', '1', [
      ...call('user32.Peek', '00000002', '00000000', '1', alloc('00000011')),
      ...alloc('00000012')
    ]),
    alloc('00000013')
  )
  assert.equal(shown(events), ['HeapAlloc(340000,8,10)=13'])
})
nesting('threads and processes have stacks of their own, also when their lines alternate', async () => {
  const lanes = ['0020:0024', '0020:0028', '0030:0024'].map((thread, lane) => free(`0000010${lane}`, '140002000', thread))
  const mixed = [0, 1, 2, 3].flatMap((row) => lanes.map((lane) => lane[row]!))
  const { events } = await readLines(mixed)
  assert.equal(
    events.map(({ process, thread, args }) => [process, thread, args[2]]),
    [
      [0x20, 0x24, 0x100],
      [0x20, 0x28, 0x101],
      [0x30, 0x24, 0x102]
    ]
  )
})
nesting("what the C runtime runs when the process ends is the app's", async () => {
  const { events } = await readLines(
    `0020:0024:Call msvcrt.exit(00000000) ret=1400014ad`,
    call('msvcrt.free', '00c81320', '00000000', '140001800'),
    '0020:0024:Call KERNEL32.ExitProcess(00000000) ret=228297eb8',
    alloc('00000011')
  )
  assert.equal(shown(events), ['free(c81320)=?'])
})
nesting.run()
