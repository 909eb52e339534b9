// The heaps and processes of a trace: which handle is which heap, and what is told of each.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CheckError, type CheckOptions, checkTrace } from '../../src/check/index.ts'
import type { TraceSource } from '../../src/trace/index.ts'
import { check, found, heap, type Line, other, p, q, within } from './trace.ts'

const kinds = (report: Awaited<ReturnType<typeof check>>): string[] =>
  report.heaps.map(({ name, kind, peakBytes }) => `${name}: ${kind} ${peakBytes}`)

const handles = suite('check: handles')

handles('the result of GetProcessHeap is the process heap', async () => {
  const report = await check([
    ['GetProcessHeap', [], 0x340000],
    ['HeapAlloc', [0x340000, 0, 10], p],
    ['HeapAlloc', [other, 0, 20], q]
  ])
  assert.equal(kinds(report), ['process heap: process heap 10', 'heap 0xB0000: growable 20'])
})

handles('else the first handle that was never created is, and further ones are growable heaps from before the recording', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], heap],
    ['HeapAlloc', [heap, 0, 30], 0x50010],
    ['HeapAlloc', [0x340000, 0, 10], p],
    ['HeapAlloc', [other, 0, 20], q]
  ])
  assert.equal(kinds(report), ['process heap: process heap 10', 'heap 0xA0000: growable 30', 'heap 0xB0000: growable 20'])
  assert.is(report.heaps[0]?.handle, 0x340000)
})

handles('LocalAlloc and the handle of the process heap lead to the same heap', async () => {
  const report = await check([
    ['LocalAlloc', [0, 10], p],
    ['HeapFree', [0x340000, 0, p], 1]
  ])
  assert.equal(found(report), [])
  assert.equal([report.heaps[0]?.allocations, report.heaps[0]?.frees, report.heaps[0]?.liveBlocks], [1, 1, 0])
})

/** A heap log shows a creation without its result where the log does not allow the reader to find it: here the calls are as they come. */
const unnamed: Line[] = [
  ['HeapCreate', [2, 0, 0]],
  ['HeapAlloc', [0x340000, 0, 10], p],
  ['HeapCreate', [0, 0, 0x100000]],
  ['HeapCreate', [0, 0, 0]],
  ['HeapAlloc', [heap, 0, 20], q],
  ['HeapAlloc', [other, 0, 30], 0x40010]
]

handles('heaps whose creation shows no handle are bound to unknown handles in the order of their first use', async () => {
  const report = await check(unnamed, { severity: 'error' })
  assert.equal(kinds(report), ['process heap: process heap 10', 'heap 0xA0000: fixed 20', 'heap 0xB0000: growable 30'])
})

handles('a handle given out again belongs to the new heap', async () => {
  const report = await check([...within([]), ...within([['HeapAlloc', [heap, 0, 0x7fff8], 0]], 0x100000)])
  assert.equal(
    report.heaps.map(({ kind, destroyed }) => `${kind} ${destroyed}`),
    ['growable true', 'fixed true', 'process heap false']
  )
})

handles('a creation that returns the handle of a live heap says that its end was not seen', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], heap],
    ['HeapAlloc', [heap, 0, 10], p],
    ...within([
      ['HeapAlloc', [heap, 0, 20], p],
      ['HeapFree', [heap, 0, p], 1]
    ])
  ])
  assert.equal(found(report), ['note DT-3 1 HeapAlloc'])
})

handles.run()

const numbers = suite('check: numbers of a heap')

numbers('peak, live and free bytes, big blocks and the commit, as the emulator has them at the end', async () => {
  const report = await check([
    ['HeapCreate', [0, 0x3000, 0], heap],
    ['HeapAlloc', [heap, 0, 1000], p],
    ['HeapAlloc', [heap, 0, 0x20000], q],
    ['HeapFree', [heap, 0, q], 1],
    ['HeapAlloc', [heap, 0, 24], 0x60010]
  ])
  const found = report.heaps.find(({ handle }) => handle === heap)!
  assert.equal(
    [found.peakBytes, found.liveBlocks, found.liveBytes, found.allocations, found.frees, found.bigBlocks, found.regions, found.destroyed],
    [1000 + 0x20000, 2, 1024, 3, 1, 1, 1, false]
  )
  assert.is(found.peakCommitted, 0x3000 + 0x20000)
  assert.is(found.committed, 0x3000)
  assert.is(found.freeBytes, 0x10000 - 1024 - 32)
  assert.is(found.largestFree, found.freeBytes)
  assert.is(found.fragmentation, 0)
})

numbers('W-23: a heap whose free memory lies in pieces', async () => {
  const lines: Line[] = [['HeapCreate', [0, 0, 0x100000], heap]]
  for (let n = 0; n < 400; n++) lines.push(['HeapAlloc', [heap, 0, 2000], 0x100010 + n * 0x1000])
  for (let n = 0; n < 400; n += 2) lines.push(['HeapFree', [heap, 0, 0x100010 + n * 0x1000], 1])
  const report = await check(lines)
  const { fragmentation, freeBytes, largestFree } = report.heaps.find(({ handle }) => handle === heap)!
  assert.is(fragmentation, 1 - largestFree / freeBytes)
  assert.ok(fragmentation > 0.5)
  assert.ok(found(report).includes('note W-23 1 HeapCreate'))
})

numbers('W-23 is not said of a heap that is destroyed, empty, small or nearly full', async () => {
  const pieces = (count: number, size: number, kept: number): Line[] => {
    const lines: Line[] = [['HeapCreate', [0, 0, 0x100000], heap]]
    for (let n = 0; n < count; n++) lines.push(['HeapAlloc', [heap, 0, size], 0x100010 + n * 0x1000])
    for (let n = 0; n < count; n++) if (n % kept !== 0) lines.push(['HeapFree', [heap, 0, 0x100010 + n * 0x1000], 1])
    return lines
  }
  const said = async (lines: Line[]): Promise<boolean> => (await check(lines)).findings.some(({ rule }) => rule === 'W-23')
  assert.is(await said(pieces(500, 2000, 2)), true)
  assert.is(await said([...pieces(500, 2000, 2), ['HeapDestroy', [heap], 1]]), false)
  assert.is(await said(pieces(500, 2000, 1000)), false, 'one block is left: the free memory is in one piece')
  assert.is(await said(pieces(20, 2000, 2)), false)
  const rest: Line[] = []
  for (let n = 1; n < 500; n += 2) if (n % 10 !== 1) rest.push(['HeapAlloc', [heap, 0, 2000], 0x900010 + n * 0x1000])
  assert.is(await said([...pieces(500, 2000, 2), ...rest]), false, 'a tenth is free')
})

numbers('1,000 heaps are listed, the others are counted', async () => {
  const report = await check(Array.from({ length: 1200 }, () => within([])).flat())
  assert.is(report.heaps.length, 1000)
  assert.is(report.summary.heapsLeftOut, 201)
})

numbers.run()

const choices = suite('check: choices that were touched')

choices('are counted, whether or not they made a difference', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0x100000], heap],
    ['HeapAlloc', [heap, 0, 0], p],
    ['HeapFree', [heap, 0, p], 1],
    ['HeapFree', [heap, 0, 0], 1],
    ['HeapAlloc', [heap, 0, 0x7fff8], p],
    ['HeapAlloc', [heap, 0, 5], q],
    ['HeapReAlloc', [heap, 0, q, 0x7fff8], 0x70010],
    ['HeapDestroy', [heap], 1],
    ['malloc', [5], p],
    ['free', [p]],
    ['free', [0x90010]]
  ])
  assert.equal(report.summary.choices, { 'C-1': 1, 'C-2': 1, 'C-5': 1, 'C-9': 1, 'C-26': 3, 'C-27': 1, 'C-40': 1 })
})

choices('are none where all of it is documented', async () => {
  assert.equal(
    (
      await check(
        within([
          ['HeapAlloc', [heap, 0, 10], p],
          ['HeapFree', [heap, 0, p], 1]
        ])
      )
    ).summary.choices,
    {}
  )
})

choices.run()

const bounds = suite('check: bounds')

bounds('what is no trace, and options that are none, are told as misuse', async () => {
  for (const source of [undefined, null, {}, 'a.log']) {
    await assertMisuse(checkTrace(source as unknown as TraceSource), /^checkTrace: source: expected what openTrace gave, got /)
  }
  for (const options of [null, 5])
    await assertMisuse(check([], options as unknown as CheckOptions), /^checkTrace: options: expected an object, got /)
})

bounds('50,000 heaps that live at once are checked, and those beyond a bound are counted together', async () => {
  const report = await check(Array.from({ length: 50_000 }, (_, n): Line => ['HeapCreate', [0, 0x1000, 0], (n + 1) << 12]))
  assert.is(report.heaps.length + report.summary.heapsLeftOut, 50_001)
})

bounds('10,000 call sites are told apart, those beyond are counted together', async () => {
  const report = await check(Array.from({ length: 10_500 }, (_, n): Line => ['HeapLock', [heap], 1, { site: `a.c:${n}` }]))
  assert.is(report.findings.length, 10_001)
  const [first] = report.findings
  assert.equal([first?.rule, first?.callSite, first?.count], ['W-4', 'further call sites', 500])
})

bounds('4,096 freed blocks are remembered; an older one is as unknown as any pointer', async () => {
  const lines: Line[] = []
  const each = (n: number): Line[] => [
    ['HeapAlloc', [heap, 0, 10], n * 0x100],
    ['HeapFree', [heap, 0, n * 0x100], 1]
  ]
  for (let n = 1; n <= 4097; n++) lines.push(...each(n))
  const again = (n: number): Line => ['HeapFree', [heap, 0, n * 0x100], 1, { site: String(n) }]
  const report = await check([...lines, again(1), again(2), again(4097)])
  assert.equal(
    report.findings.map(({ callSite }) => callSite),
    ['2', '4097']
  )
  assert.is(report.summary.unknownPointers, 1)
})

bounds('256 names of calls are counted apart', async () => {
  const { summary } = await check(Array.from({ length: 300 }, (_, n): Line => [n === 0 ? '__proto__' : `Call${n}`, []]))
  assert.is(Object.keys(summary.callsByName).length, 257)
  assert.equal([summary.callsByName.others, Object.hasOwn(summary.callsByName, '__proto__')], [44, true])
})

bounds.run()

const processes = suite('check: several processes')

const two: Line[] = [
  ['HeapAlloc', [heap, 0, 10], p, { process: 8, thread: 1 }],
  ['HeapAlloc', [heap, 0, 20], p, { process: 9, thread: 1 }],
  ['HeapFree', [heap, 0, p], 1, { process: 8, thread: 2 }],
  ['HeapLock', [heap], 1, { process: 8, site: 'a' }],
  ['HeapLock', [heap], 1, { process: 9, site: 'a' }]
]

processes('have nothing in common', async () => {
  const report = await check(two)
  assert.equal(
    report.processes.map(({ process, calls, threads }) => [process, calls, threads]),
    [
      [8, 3, 2],
      [9, 2, 1]
    ]
  )
  assert.equal([report.summary.processes, report.summary.threads, report.summary.calls], [2, 3, 5])
  assert.equal(
    report.heaps.map(({ process, liveBlocks }) => [process, liveBlocks]),
    [
      [8, 0],
      [9, 1]
    ]
  )
})

processes('that call from the same site share a finding', async () => {
  const locks = (await check(two)).findings.filter(({ rule }) => rule === 'W-4')
  assert.equal(
    locks.map(({ count, processes, process }) => [count, processes, process]),
    [[2, 2, 8]]
  )
})

processes('have the image that each has alone', async () => {
  for (const build of ['retail', 'debug'] as const) {
    const lines = (process: number): Line[] =>
      Array.from({ length: 200 }, (_, n): Line[] => [
        ['HeapAlloc', [heap, 8, 100 + n * process], 0x1010 + n * 0x1000, { process }],
        ['HeapReAlloc', [heap, 8, 0x1010 + n * 0x1000, 4000], 0x1010 + n * 0x1000, { process }]
      ]).flat()
    const both = await check([8, 9].flatMap(lines), { build })
    const alone = [await check(lines(8), { build }), await check(lines(9), { build })]
    assert.equal(
      both.processes.map(({ imageHash }) => imageHash),
      alone.map(({ processes: [only] }) => only?.imageHash)
    )
  }
})

processes('can be selected', async () => {
  const report = await check(two, { process: 9 })
  assert.equal([report.summary.processes, report.summary.calls, report.heaps.length], [1, 2, 1])
})

processes('that the trace does not have are named with those that it has', async () => {
  try {
    await check(two, { process: 7 })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, CheckError)
    assert.is((error as Error).message, 'sample: has no memory calls of process 7; it has those of 8 (0x8), 9 (0x9)')
  }
})

processes('beyond 64 are counted and not replayed', async () => {
  const many = Array.from({ length: 70 }, (_, n): Line => ['HeapAlloc', [heap, 0, 10], p, { process: n + 1 }])
  const { summary } = await check(many, { memory: 0x20000 })
  assert.equal([summary.processes, summary.calls, summary.processesLeftOut, summary.callsLeftOut], [64, 64, 6, 6])
})

processes('give each thread its id in the findings', async () => {
  const report = await check([['HeapLock', [heap], 1, { thread: 77 }]])
  assert.is(report.findings[0]?.thread, 77)
})

processes.run()

const options = suite('check: options')

options('a value that is none is refused with what would be one', async () => {
  for (const [given, message] of [
    [{ profile: 'ce-9' }, /profile: expected one of compact-2013, compact-7, ce-6\.0, ce-5\.0, got "ce-9"/],
    [{ build: 'fast' }, /build: expected one of retail, debug/],
    [{ placement: 'best-fit' }, /placement: expected one of segregated, next-fit/],
    [{ severity: 'info' }, /severity: expected one of error, warning, note/],
    [{ memory: 100 }, /memory: expected a multiple of 65536/],
    [{ memory: 64 * 1024 * 1024, profile: 'ce-5.0' }, /memory: expected a multiple of 65536 bytes from 131072 to 33554432 \(ce-5\.0\)/],
    [{ physical: 5 }, /physical: expected/]
  ] as const) {
    try {
      await check(within([]), given as object)
      assert.unreachable(JSON.stringify(given))
    } catch (error) {
      assert.match((error as Error).message, message)
    }
  }
})

options('the severity leaves out what is less serious', async () => {
  const lines: Line[] = within([
    ['HeapAlloc', [heap, 1, 10], p],
    ['HeapFree', [heap, 0, 0], 1],
    ['HeapLock', [heap], 1]
  ])
  assert.equal(found(await check(lines, { severity: 'error' })), ['error W-4 1 HeapLock'])
  assert.equal(found(await check(lines, { severity: 'warning' })), ['error W-4 1 HeapLock', 'warning W-8 1 HeapFree'])
  assert.is((await check(lines)).summary.notes, 2)
})

options('progress is told while the trace is read', async () => {
  let calls = 0
  await check(within([]), {
    onProgress: (progress) => {
      calls = progress.calls
    }
  })
  assert.is(calls, 2)
})

options.run()

async function assertMisuse(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason
  )
  assert.instance(error, TypeError)
  assert.match((error as Error).message, message)
}
