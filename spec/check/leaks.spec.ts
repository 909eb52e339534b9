// What is left at the end of a heap's life (DT-3).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { check, found, heap, type Line, only, within } from './trace.ts'

const at = (address: number, size: number, site: string): Line => ['HeapAlloc', [heap, 0, size], address, { site }]

const leaks = suite('check: leaks')

leaks('DT-3: blocks of a heap that is never destroyed are a warning, by call site, the most bytes first', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], heap],
    at(0x1010, 10, 'a.c:1'),
    at(0x2010, 500, 'b.c:2'),
    at(0x3010, 10, 'a.c:1'),
    at(0x4010, 10, 'c.c:3'),
    ['HeapFree', [heap, 0, 0x4010], 1]
  ])
  assert.equal(
    report.findings.map(({ severity, rule, count, bytes, callSite, position, heap: name }) => [
      severity,
      rule,
      count,
      bytes,
      callSite,
      position,
      name
    ]),
    [
      ['warning', 'DT-3', 2, 20, 'a.c:1', 3, 'heap 0xA0000'],
      ['warning', 'DT-3', 1, 500, 'b.c:2', 4, 'heap 0xA0000']
    ]
  )
  assert.match(report.findings[0]!.message, /HeapAlloc of 2 blocks \(20 bytes\), not freed, in the heap 0xA0000/)
})

leaks('HD-4: blocks of a destroyed heap are a note', async () => {
  const finding = only(await check(within([at(0x1010, 10, 'a.c:1')])))
  assert.is(`${finding.severity} ${finding.rule} ${finding.title}`, 'note DT-3 Blocks not freed before HeapDestroy')
})

leaks('blocks of the process heap are a note: the system keeps some there', async () => {
  const report = await check([
    ['malloc', [10], 0x1010],
    ['LocalAlloc', [0, 20], 0x2010]
  ])
  assert.equal(found(report), ['note DT-3 1 LocalAlloc', 'note DT-3 1 malloc'])
  assert.ok(report.findings.every(({ heap: name }) => name === 'process heap'))
})

leaks('a resized block is known by its last resizing', async () => {
  const report = await check([
    ['HeapCreate', [0, 0, 0], heap],
    at(0x1010, 10, 'a.c:1'),
    ['HeapReAlloc', [heap, 0, 0x1010, 400], 0x9010, { site: 'b.c:2' }]
  ])
  const { call, callSite, bytes } = only(report)
  assert.equal([call, callSite, bytes], ['HeapReAlloc', 'b.c:2', 400])
})

leaks('more than 20 call sites in one heap are summed in a last finding', async () => {
  const sites = Array.from({ length: 30 }, (_, n) => at(0x1010 + n * 0x100, 100 - n, `a.c:${n}`))
  const report = await check([['HeapCreate', [0, 0, 0], heap], ...sites])
  assert.is(report.findings.length, 21)
  const rest = report.findings.find(({ callSite }) => callSite === '10 more call sites')
  assert.equal([rest?.count, rest?.bytes], [10, Array.from({ length: 10 }, (_, n) => 80 - n).reduce((a, b) => a + b)])
})

leaks('each life of a heap is reported for itself', async () => {
  const life = within([at(0x1010, 10, 'a.c:1')])
  assert.equal(found(await check([...life, ...life])), ['note DT-3 1 HeapAlloc', 'note DT-3 1 HeapAlloc'])
})

leaks('what was freed leaves nothing', async () => {
  assert.equal(found(await check([['HeapCreate', [0, 0, 0], heap], at(0x1010, 10, ''), ['HeapFree', [heap, 0, 0x1010], 1]])), [])
})

leaks.run()
