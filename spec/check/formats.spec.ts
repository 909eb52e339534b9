// The three forms of a report.
import { stripVTControlCharacters } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatJson, formatSarif, formatText } from '../../src/check/index.ts'
import { ruleById } from '../../src/rules/index.ts'
import { check, checkExample, heap, type Line, p, within } from './trace.ts'

const habits = await checkExample('desktop-habits.wine-relay.log')

const text = suite('check: the report as text')

text('says what was replayed, then the findings with the most serious first, the heaps and a last line with the count', () => {
  const lines = formatText(habits).split('\n')
  assert.is(
    lines[0],
    'Trace      examples/desktop-habits.wine-relay.log'.replace('examples/', habits.trace.name.replace('desktop-habits.wine-relay.log', ''))
  )
  const order = lines.filter((line) => /^(?:ERROR|WARNING|NOTE) /.test(line)).map((line) => line.split(' ')[0])
  assert.equal([...new Set(order)], ['ERROR', 'WARNING', 'NOTE'])
  assert.is(lines.filter((line) => line.startsWith('Heap ')).length, 1)
  assert.is(lines.at(-2), '34 findings (3 errors, 5 warnings, 26 notes) in 285 calls.')
  assert.is(lines.at(-1), '')
})

text('tells of each finding the call, what CE does, what to change, where, and the rule', () => {
  const report = formatText(habits)
  const part = report.slice(report.indexOf('WARNING W-5'), report.indexOf('WARNING W-8'))
  assert.is(
    part.trim(),
    `
WARNING W-5   The size of a block is rounded up                           1 call
  HeapSize and LocalSize return the size rounded up to 32 bytes on retail
  devices and the exact size on debug ones. Code that takes the result as the
  length of its data behaves differently in the two builds.

  Recorded  HeapSize(0x10A0000, 0, 0x10A0370) returned 100
  On CE     returns 128, where 100 were asked for and the recording has 100
  Change    Keep the requested length in a variable of your own, and use
            HeapSize or LocalSize only as the capacity of the block.
  Where     1 x  line 792  at 14000164a
  Rule      ceheap rules W-5`.trim()
  )
})

text('keeps within its width', () => {
  const body = { ...habits, trace: { ...habits.trace, name: 'x.log' } }
  for (const width of [72, 80, 100, 120]) {
    const wide = formatText(body, { width })
      .split('\n')
      .filter((line) => line.length > width)
    assert.equal(wide, [])
  }
  assert.is(formatText(body, { width: 10 }), formatText(body, { width: 72 }))
  assert.is(formatText(body, { width: 1000 }), formatText(body, { width: 120 }))
})

text('is coloured where colours are given, and the same text without them', () => {
  const mark = (code: string) => (some: string) => `\u001b[${code}m${some}\u001b[0m`
  const paint = { bold: mark('1'), dim: mark('2'), red: mark('31'), yellow: mark('33'), cyan: mark('36'), green: mark('32') }
  const coloured = formatText(habits, { paint })
  assert.ok(coloured.includes('\u001b[31m'))
  assert.is(stripVTControlCharacters(coloured), formatText(habits))
})

text('says that nothing was found, and that there was nothing to find', async () => {
  assert.match(formatText(await check(within([]))), /^Found {6}nothing$/m)
  const empty = formatText(await check([]))
  assert.match(empty, /The trace holds no memory calls/)
  assert.match(empty, /Nothing was checked\./)
})

text('of a program without findings says all the same that the call sites lie in DLLs', async () => {
  const report = await checkExample('threads.wine-relay.log.gz')
  assert.is(report.trace.programSites, true)
  assert.match(formatText(report), /64 x {2}line \d+ +in DLL 2282a5cfe\n/)
  const elsewhere = await check(
    '0020:0024:Call KERNEL32.HeapLock(00340000) ret=7ff612345678\n0020:0024:Ret  KERNEL32.HeapLock() retval=00000001 ret=7ff612345678\n'
  )
  assert.is(elsewhere.trace.programSites, false)
  assert.match(formatText(elsewhere), / at 7ff612345678\n/)
})

text('lists eight call sites of one kind and counts the others', async () => {
  const lines = Array.from({ length: 11 }, (_, n): Line => ['HeapLock', [heap], 1, { site: `a.c:${n}` }])
  assert.match(formatText(await check(lines)), /and 3 more at 3 other call sites/)
})

text('tells what was not replayed and why', async () => {
  const report = formatText(
    await check([
      ['HeapFree', [heap, 0, p], 1],
      ['malloc', [2 ** 33], p]
    ])
  )
  assert.match(
    report,
    /1 call with blocks that the recording does not show being allocated,\s+taken\s+to\s+be\s+all\s+right\s+\(ceheap\s+rules\s+C-40\)/
  )
  assert.match(report, /1 call not replayed/)
})

text("of a relay log a warning is the program's own: in a DLL, which does not come along to CE, it is a note", async () => {
  const report = formatText(habits)
  const section = (head: string): string => report.slice(report.indexOf(head), report.indexOf('Rule ', report.indexOf(head)))
  assert.match(section('WARNING W-8'), /Recorded {2}HeapFree\(0x10A0000, 0, NULL\) returned TRUE/)
  assert.match(section('WARNING W-8'), /Where {5}1 x {2}line 800 +at 14000169f\n/)
  assert.match(section('NOTE    W-8'), /Where {5}64 x {2}line 1524 {2}in DLL 2282a5cfe\n/)
  const line: Line = ['HeapLock', [heap], 1, { site: '2282a5cfe' }]
  assert.not.match(formatText(await check([line])), /in DLL/, 'another format says what its call sites are')
})

text('shows nothing of a recording that a terminal would obey', async () => {
  const report = formatText(await check([['HeapLock', [heap], 1, { site: 'a\u001b[2J\nb\u202e' }]]))
  assert.match(report, /at a\?\[2J\?b\?/)
})

text('says that the recording is damaged', async () => {
  const broken = await check(`{"ceheap":"trace","version":1}\n{"call":"HeapLock","thread":1,"args":[1],"result":1}\n{"call":`)
  assert.match(formatText(broken), /Damaged {4}line 3 /)
  assert.is(broken.damage?.position, 3)
  assert.is(broken.summary.errors, 1)
})

text.run()

const json = suite('check: the report as JSON')

json('is the report, with a version', () => {
  const parsed = JSON.parse(formatJson(habits))
  assert.equal(parsed, JSON.parse(JSON.stringify(habits)))
  assert.is(parsed.version, 1)
})

json('has the fields that other programs may rely on', () => {
  const { summary, heaps, findings, processes, trace, target, damage } = JSON.parse(formatJson(habits))
  for (const field of ['calls', 'threads', 'processes', 'findings']) assert.type(summary[field], 'number', field)
  for (const field of [
    'handle',
    'peakBytes',
    'peakCommitted',
    'liveBlocks',
    'liveBytes',
    'fragmentation',
    'largestFree',
    'regions',
    'maximum'
  ]) {
    for (const each of heaps) assert.type(each[field], 'number', field)
  }
  for (const field of [
    'rule',
    'severity',
    'call',
    'callSite',
    'message',
    'advice',
    'title',
    'explanation',
    'recorded',
    'onCe',
    'fingerprint'
  ]) {
    for (const each of findings) assert.type(each[field], 'string', field)
  }
  for (const field of ['count', 'position', 'process', 'thread']) for (const each of findings) assert.type(each[field], 'number', field)
  assert.is(summary.findings, findings.length)
  assert.match(processes[0].imageHash, /^[0-9a-f]{16}$/)
  assert.equal([trace.format, trace.unit, target.profile, damage], ['wine-relay', 'line', 'compact-2013', null])
})

json('names rules that exist, and has each finding once', () => {
  for (const { rule } of habits.findings) assert.ok(ruleById(rule), rule)
  const keys = habits.findings.map(({ rule, title, call, callSite, heap: name }) => [rule, title, call, callSite, name].join())
  assert.is(new Set(keys).size, keys.length)
})

json('orders findings by severity, then count', () => {
  const rank = { error: 0, warning: 1, note: 2 }
  for (const [index, next] of habits.findings.slice(1).entries()) {
    const before = habits.findings[index]!
    assert.ok(rank[before.severity] < rank[next.severity] || (before.severity === next.severity && before.count >= next.count))
  }
})

json.run()

const sarif = suite('check: the report as SARIF')
const log = JSON.parse(formatSarif(habits, '1.2.3'))
const run = log.runs[0]

sarif('is SARIF 2.1.0 with the tool and its rules', () => {
  assert.equal([log.version, log.$schema, log.runs.length], ['2.1.0', 'https://json.schemastore.org/sarif-2.1.0.json', 1])
  assert.equal([run.tool.driver.name, run.tool.driver.version], ['ceheap', '1.2.3'])
  for (const rule of run.tool.driver.rules) {
    assert.ok(rule.shortDescription.text.length > 10 && rule.help.text.length > 10, rule.id)
    if (rule.helpUri !== undefined) assert.ok(URL.canParse(rule.helpUri), rule.helpUri)
  }
})

sarif('has a result for each finding, with level, place and a rule of the list', () => {
  assert.is(run.results.length, habits.findings.length)
  for (const [index, result] of run.results.entries()) {
    const { rule, severity, position, count } = habits.findings[index]!
    assert.equal(
      [result.ruleId, run.tool.driver.rules[result.ruleIndex].id, result.level, result.occurrenceCount],
      [rule, rule, severity, count]
    )
    assert.is(result.locations[0].physicalLocation.region.startLine, position)
    assert.ok(result.message.text.length > 20)
    const { call, callSite } = habits.findings[index]!
    assert.equal(result.locations[0].logicalLocations, [{ name: callSite, fullyQualifiedName: `${call}@${callSite}` }])
  }
})

sarif('points to the trace by an address that parses, whatever the path has in it', async () => {
  const uri = (name: string): string =>
    JSON.parse(formatSarif({ ...habits, trace: { ...habits.trace, name } })).runs[0].artifacts[0].location.uri
  assert.is(uri('logs/my app.log'), 'logs/my%20app.log')
  assert.is(uri('/var/log/a.log'), 'file:///var/log/a.log')
  assert.is(uri('<stdin>'), 'stdin')
})

sarif('has fingerprints that stay when the recording is made again, and differ between findings', async () => {
  const print = (shift: number): Promise<string[]> =>
    check([
      ['HeapCreate', [1, 0, 0], heap + shift, { site: 'a.c:1' }],
      ...Array.from({ length: shift / 0x1000 }, (): Line => ['GetProcessHeap', [], 0x340000]),
      ['HeapLock', [heap + shift], 1, { site: 'a.c:2', thread: 1 + shift }]
    ]).then(({ findings }) => findings.map(({ fingerprint }) => fingerprint))
  const [once, again] = [await print(0), await print(0x2000)]
  assert.equal(again, once)
  assert.is(new Set(once).size, once.length)
})

sarif('gives byte offsets for binary recordings, and tells of damage', () => {
  const damage = { message: 'cut', position: 5, further: 0 }
  const binary = JSON.parse(formatSarif({ ...habits, damage, trace: { ...habits.trace, unit: 'offset' } })).runs[0]
  assert.is(binary.results[0].locations[0].physicalLocation.region.byteOffset, habits.findings[0]!.position)
  assert.is(binary.invocations[0].executionSuccessful, false)
  assert.match(binary.invocations[0].toolExecutionNotifications[0].message.text, /cut$/)
})

sarif.run()
