// Pointers and handles that are none, and those that only look so.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { check, found, heap, type Line, only, other, p, q, within } from './trace.ts'

const allocated: Line = ['HeapAlloc', [heap, 0, 100], p, { site: 'a.c:1' }]
const freed: Line = ['HeapFree', [heap, 0, p], 1, { site: 'a.c:2' }]

const pointers = suite('check: bad pointers')

pointers('C-5, HF-6: a block freed twice, with the place of the first free', async () => {
  const finding = only(await check(within([allocated, freed, ['HeapFree', [heap, 0, p], 0, { site: 'a.c:9' }]])))
  assert.is(`${finding.severity} ${finding.rule} ${finding.callSite}`, 'error C-5 a.c:9')
  assert.is(finding.title, 'Block freed twice')
  assert.match(finding.onCe, /^0x20010 was freed before, by HeapFree at a\.c:2 \(position 4\)/)
})

pointers('C-5: the desktop let the second free pass', async () => {
  assert.equal(found(await check(within([allocated, freed, freed]))), ['error C-5 1 HeapFree'])
})

pointers('C-5: freed twice by functions without a result', async () => {
  assert.equal(
    found(
      await check([
        ['malloc', [10], p],
        ['free', [p]],
        ['free', [p]]
      ])
    ),
    ['error C-5 1 free']
  )
})

pointers('C-5: freed twice, when the place holds another block already', async () => {
  const report = await check(
    within([allocated, freed, ['HeapAlloc', [heap, 0, 100], q], ['HeapFree', [heap, 0, p], 0], ['HeapFree', [heap, 0, q], 1]])
  )
  assert.match(only(report).onCe, /By then another block of the program lies at that place/)
  assert.not.match(only(await check(within([allocated, freed, freed]))).onCe, /another block/)
})

pointers('C-5: the address of a block that moved', async () => {
  const report = await check(
    within([allocated, ['HeapReAlloc', [heap, 0, p, 900], q], ['HeapFree', [heap, 0, p], 0], ['HeapFree', [heap, 0, q], 1]])
  )
  assert.match(only(report).onCe, /0x20010 was freed before, by HeapReAlloc/)
})

pointers('C-5: the block of a heap that was destroyed', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], other],
    ...within([allocated]),
    ['HeapFree', [other, 0, p], 0],
    ['HeapDestroy', [other], 1]
  ])
  assert.equal(found(report), ['error C-5 1 HeapFree', 'note DT-3 1 HeapAlloc'])
})

pointers('C-5: an address inside a block', async () => {
  const report = await check(within([allocated, ['HeapFree', [heap, 0, p + 20], 0], freed]))
  assert.match(only(report).onCe, /^0x20024 lies 20 bytes inside the block 0x20010 of 100 bytes/)
})

pointers('C-5: a pointer that nothing returned, where the call failed in the recording too', async () => {
  const report = await check(within([['HeapFree', [heap, 0, 0x12345], 0]]))
  assert.match(only(report).onCe, /^no call of the recording returned 0x12345/)
})

pointers('C-5: the block of another heap', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], other],
    ...within([allocated, ['HeapFree', [other, 0, p], 1]]),
    ['HeapDestroy', [other], 1]
  ])
  assert.is(only(report).title, 'Block of another heap')
})

pointers('C-5: a call that failed on a block that is there', async () => {
  const report = await check(within([allocated, ['HeapFree', [heap, 0, p], 0], freed]))
  assert.is(only(report).title, 'Call that failed on a valid block')
})

pointers('C-5: HeapSize of a freed block', async () => {
  assert.is(only(await check(within([allocated, freed, ['HeapSize', [heap, 0, p], 0xffffffff]]))).title, 'Freed block used in a heap call')
})

pointers('C-6: HeapReAlloc of a freed block', async () => {
  assert.equal(found(await check(within([allocated, freed, ['HeapReAlloc', [heap, 0, p, 10], 0]]))), ['error C-6 1 HeapReAlloc'])
})

pointers('C-15, LF-1: LocalFree of what is no local block gives the handle back', async () => {
  assert.equal(found(await check([['LocalFree', [p], p]])), ['error C-15 1 LocalFree'])
  assert.equal(found(await check([['LocalSize', [p], 0]])), ['error C-15 1 LocalSize'])
  assert.equal(found(await check([['LocalReAlloc', [p, 10, 2], 0]])), ['error C-15 1 LocalReAlloc'])
})

pointers('C-15: LocalFree of the block of a private heap', async () => {
  const report = await check(within([allocated, ['LocalFree', [p], 0, { site: 'a.c:3' }]]))
  assert.equal(found(report), ['error C-15 1 LocalFree'])
})

pointers('C-5: LocalFree and LocalSize that failed on a block that is there', async () => {
  const report = await check([
    ['LocalAlloc', [0, 10], p],
    ['LocalSize', [p], 0],
    ['LocalFree', [p], p],
    ['LocalFree', [p], 0]
  ])
  assert.equal(
    report.findings.map(({ call, title }) => `${call}: ${title}`),
    ['LocalFree: Call that failed on a valid block', 'LocalSize: Call that failed on a valid block']
  )
})

pointers('LF-2: LocalFree of NULL is nothing', async () => {
  assert.equal(found(await check([['LocalFree', [0], 0]])), [])
})

pointers('W-28, CT-3: a freed block given to the COM task allocator', async () => {
  const report = await check([
    ['CoTaskMemAlloc', [10], p],
    ['CoTaskMemFree', [p]],
    ['CoTaskMemFree', [p]]
  ])
  assert.equal(found(report), ['error W-28 1 CoTaskMemFree'])
})

pointers('C-4: a heap that was destroyed, and NULL for a heap', async () => {
  const report = await check([...within([]), ['HeapAlloc', [heap, 0, 10], 0, { site: 'a' }], ['HeapFree', [0, 0, p], 0, { site: 'b' }]])
  assert.equal(found(report), ['error C-4 1 HeapAlloc', 'error C-4 1 HeapFree'])
})

pointers('the handle of a destroyed heap that works again is of a heap made out of sight', async () => {
  const report = await check([...within([]), ['HeapAlloc', [heap, 0, 10], p], ['HeapFree', [heap, 0, p], 1]])
  assert.equal(found(report), [])
  assert.is(report.heaps.filter(({ handle }) => handle === heap).length, 2)
})

pointers('a handle that was never seen and does not work is counted', async () => {
  const report = await check([
    ['GetProcessHeap', [], 0x340000],
    ['HeapFree', [0x5555, 0, p], 0],
    ['HeapAlloc', [0x5555, 0, 10], 0]
  ])
  assert.equal(found(report), [])
  assert.is(report.summary.notReplayed, 2)
})

pointers('C-4: a heap destroyed twice', async () => {
  assert.equal(found(await check([...within([]), ['HeapDestroy', [heap], 0]])), ['error C-4 1 HeapDestroy'])
})

pointers('a bad call changes nothing for the others', async () => {
  const report = await check(
    within([
      allocated,
      ['HeapAlloc', [heap, 0, 50], q],
      ['HeapFree', [heap, 0, p], 1],
      ['HeapFree', [heap, 0, p], 0],
      ['HeapFree', [heap, 0, p], 0],
      ['HeapSize', [heap, 0, q], 64],
      ['HeapFree', [heap, 0, q], 1]
    ])
  )
  assert.equal(found(report), ['error C-5 2 HeapFree'])
})

pointers('C-5, C-26: a block of a heap of the program that goes to the C runtime or to COM', async () => {
  for (const [line, expected] of [
    [['free', [p]], 'error C-5 1 free'],
    [['CoTaskMemFree', [p]], 'error C-5 1 CoTaskMemFree'],
    [['realloc', [p, 200], q], 'error C-5 1 realloc']
  ] as const) {
    const { findings, ...report } = await check(within([['HeapAlloc', [heap, 0, 100], p], line]))
    const [first, ...others] = findings.filter(({ severity }) => severity === 'error')
    assert.is(first?.title, 'Block of a heap of its own, given to the process heap')
    assert.equal(found({ ...report, findings: [first!, ...others] }), [expected])
  }
})

pointers('C-26: not where a filtered relay log shows what the runtime took from its own heap', async () => {
  const log = (site: string): string =>
    [
      `0020:0024:Call KERNEL32.HeapCreate(00000000,00000000,00000000) ret=${site}`,
      `0020:0024:Ret  KERNEL32.HeapCreate() retval=000a0000 ret=${site}`,
      `0020:0024:Call ntdll.RtlAllocateHeap(000a0000,00000000,00000064) ret=${site}`,
      `0020:0024:Ret  ntdll.RtlAllocateHeap() retval=000a0370 ret=${site}`,
      '0020:0024:Call msvcrt.free(000a0370) ret=140001234',
      '0020:0024:Ret  msvcrt.free() retval=00000001 ret=140001234',
      ''
    ].join('\n')
  assert.equal(found(await check(log('2282a5d2a'), { severity: 'error' })), [])
  assert.equal(found(await check(log('140001222'), { severity: 'error' })), ['error C-5 1 free'])
})

pointers.run()

const unseen = suite('check: blocks that the recording does not show')

unseen('C-40: a block from before the recording is no error', async () => {
  const report = await check([
    ['HeapSize', [heap, 0, p], 100],
    ['HeapFree', [heap, 0, p], 1],
    ['LocalFree', [q], 0],
    ['free', [0x40010]],
    ['CoTaskMemFree', [0x50010]],
    ['_msize', [0x60010], 5]
  ])
  assert.equal(found(report), [])
  assert.is(report.summary.unknownPointers, 6)
})

unseen('C-40: resizing one makes it known', async () => {
  const report = await check([
    ['GetProcessHeap', [], heap],
    ['HeapReAlloc', [heap, 0, p, 200], q],
    ['HeapSize', [heap, 0, q], 224],
    ['HeapFree', [heap, 0, q], 1]
  ])
  assert.equal(found(report), [])
  assert.is(report.summary.unknownPointers, 1)
  assert.is(report.heaps[0]?.peakBytes, 200)
})

const relay = (text: string): string => `0024:0028:${text.split('\n').join('\n0024:0028:')}\n`
/** One block freed; then something that the system allocated inside a call of its own, at the same address, is freed. */
const hidden = relay(
  `Call msvcrt.malloc(0000000a) ret=140001000
Ret  msvcrt.malloc() retval=00020010 ret=140001000
Call msvcrt.free(00020010) ret=140001010
Ret  msvcrt.free() retval=00000000 ret=140001010
Call msvcrt.free(00020010) ret=140001020
Ret  msvcrt.free() retval=00000000 ret=140001020`
)

unseen('C-40: in a relay log the second free may be of what strdup allocated out of sight, so it is a note', async () => {
  const finding = only(await check(hidden))
  assert.is(`${finding.severity} ${finding.rule} ${finding.callSite}`, 'note C-40 140001020')
  assert.match(finding.onCe, /0x20010 was freed before, by free at 140001010/)
})

unseen('C-5: HeapFree and HeapReAlloc of a freed block are no such case: the system keeps its own heap calls', async () => {
  const calls = (text: string): Promise<string[]> => check(relay(text)).then(found)
  const alloc = `Call ntdll.RtlAllocateHeap(00340000,00000000,0000000a) ret=140001000
Ret  ntdll.RtlAllocateHeap() retval=00020010 ret=140001000`
  const free = `Call KERNEL32.HeapFree(00340000,00000000,00020010) ret=140001010
Ret  KERNEL32.HeapFree() retval=00000001 ret=140001010`
  assert.equal(await calls(`${alloc}\n${free}\n${free}`), ['error C-5 1 HeapFree'])
  assert.equal(await calls(`${alloc}\n${free}`), [])
})

unseen('C-40: _msize and realloc in a relay log may be of a hidden block too', async () => {
  const use = (text: string): string =>
    hidden.replace(/(0024:0028:)Call msvcrt\.free\(00020010\) ret=140001020\n.*\n/, `$1${text.replace('\n', '\n$1')}\n`)
  const msize = await check(use('Call msvcrt._msize(00020010) ret=140001020\nRet  msvcrt._msize() retval=0000000a ret=140001020'))
  assert.equal(found(msize), ['note C-40 1 _msize'])
  const realloc = await check(
    use('Call msvcrt.realloc(00020010,00000020) ret=140001020\nRet  msvcrt.realloc() retval=00030010 ret=140001020')
  )
  assert.equal(found(realloc), ['note C-40 1 realloc', 'note DT-3 1 realloc'])
})

unseen('an address handed out again ends the block that was there', async () => {
  const report = await check(within([allocated, ['HeapAlloc', [heap, 0, 60], p], ['HeapFree', [heap, 0, p], 1]]))
  assert.equal(found(report), [])
  assert.is(report.summary.unseenFrees, 1)
})

unseen('an address is used again and again', async () => {
  const report = await check(within(Array.from({ length: 40 }, (): Line[] => [allocated, freed]).flat()))
  assert.equal(found(report), [])
  assert.is(report.summary.unseenFrees, 0)
})

unseen('a call without a result cannot be replayed, and is counted', async () => {
  const report = await check(
    within([
      ['HeapAlloc', [heap, 0, 100]],
      ['HeapFree', [heap, 0, p], 1]
    ])
  )
  assert.equal(found(report), [])
  assert.is(report.summary.notReplayed, 1)
})

unseen('what GlobalLock gives is the block of the handle', async () => {
  const [handle, locked] = [0x830008, 0x35cd10]
  const lines: Line[] = [
    ['GlobalAlloc', [2, 3000], handle],
    ['GlobalLock', [handle], locked],
    ['GlobalSize', [locked], 3008],
    ['GlobalFree', [handle], 0]
  ]
  const report = await check(lines, { severity: 'error' })
  assert.equal(found(report), [])
  assert.is(report.summary.unknownPointers, 0)
  const again = await check([...lines.slice(0, 2), ['HeapAlloc', [heap, 0, 10], locked], ['HeapFree', [heap, 0, locked], 1], lines[3]!])
  assert.is(again.summary.unseenFrees, 0, 'the locked address is not the block, so it can be handed out elsewhere')
})

unseen('GlobalReAlloc of a handle keeps the block, wherever its content goes', async () => {
  const report = await check(
    [
      ['GlobalAlloc', [2, 100], 0x830008],
      ['GlobalLock', [0x830008], 0x35cd10],
      ['GlobalReAlloc', [0x830008, 4000, 2], 0x830008],
      ['GlobalLock', [0x830008], 0x370010],
      ['GlobalSize', [0x370010], 4000],
      ['GlobalFree', [0x370010], 0]
    ],
    { severity: 'error' }
  )
  assert.equal(found(report), [])
  assert.equal([report.summary.unknownPointers, report.heaps[0]?.liveBlocks], [0, 0])
})

unseen.run()
