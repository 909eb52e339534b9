import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jsonLinesWriter, openTraceStream, type TraceEvent, TraceError } from '../../src/trace/index.ts'
import { longestLine } from '../../src/trace/lines.ts'
import { inChunks, read, shown } from './read.ts'

const header = '{"ceheap":"trace","version":1}'
const call = '{"call":"HeapAlloc","thread":1,"args":[65536,8,100],"result":66560}'
const readLines = (...lines: string[]) => read(`${lines.join('\n')}\n`)

const format = suite('json lines: reading')
format('a header and calls', async () => {
  const { events, source } = await readLines(
    '{"ceheap":"trace","version":1,"profile":"ce-5.0","pointerBits":32,"colour":"red"}',
    '{"call":"HeapAlloc","thread":1,"args":["0x10000",8,100],"result":"0x10400","lastError":0,"site":"main.c:12","unknown":{"a":[1]}}',
    '',
    '{"call":"free","thread":"0x2","process":7,"args":[66560],"via":"msvcrt.free"}'
  )
  assert.is(source.format, 'jsonl')
  assert.equal(source.header, { ceheap: 'trace', version: 1, profile: 'ce-5.0', pointerBits: 32, colour: 'red' })
  assert.equal(events, [
    {
      call: 'HeapAlloc',
      thread: 1,
      args: [65536, 8, 100],
      result: 66560,
      process: 0,
      site: 'main.c:12',
      via: '',
      position: 2,
      lastError: 0
    },
    { call: 'free', thread: 2, args: [66560], result: undefined, process: 7, site: '', via: 'msvcrt.free', position: 4 }
  ])
  assert.equal([source.skipped, source.damage], [0, undefined])
})
format('a file without its header is read, whatever the order of the fields', async () => {
  const { events, source } = await readLines('{"args":[1],"thread":3,"call":"LocalFree"}', call)
  assert.is(events.length, 2)
  assert.is(source.header, undefined)
})
format('null stands for a value that is not known', async () => {
  const { events } = await readLines(header, '{"call":"HeapFree","thread":1,"args":[],"result":null,"lastError":null}')
  assert.equal([events[0]?.result, events[0]?.lastError], [undefined, undefined])
})
format('a line beyond the longest that is kept is named as damage, and reading goes on', async () => {
  const { events, source } = await readLines(header, `{"site":"${'s'.repeat(longestLine)}"}`, call)
  assert.is(events.length, 1)
  assert.equal(source.damage, { message: 'line 2 is longer than 1048576 bytes', position: 2, further: 0 })
})
for (const [reason, line] of [
  ['is not JSON', '{"call":"HeapAlloc","thread":1,'],
  ['is not a JSON object', '[1,2]'],
  ['has no "call", the name of a function', '{"thread":1,"args":[]}'],
  ['has no "args", an array of numbers', '{"call":"HeapFree","thread":1,"args":5}'],
  ['has -1 in "args" where an integer from 0 on, or a "0x" string, is expected', '{"call":"HeapFree","thread":1,"args":[1,-1]}'],
  ['has "12" in "args" where an integer from 0 on, or a "0x" string, is expected', '{"call":"HeapFree","thread":1,"args":["12"]}'],
  [
    'has 1.5 as "result" where an integer from 0 on, or a "0x" string, is expected',
    '{"call":"HeapFree","thread":1,"args":[],"result":1.5}'
  ],
  ['has no "thread"', '{"call":"HeapFree","args":[]}'],
  ['has 7 as "site" where a string is expected', '{"call":"HeapFree","thread":1,"args":[],"site":7}'],
  ['is the header of trace version 2, but this reader knows version 1 only', '{"ceheap":"trace","version":2}']
] as const) {
  format(`a line that ${reason.slice(0, 40)} is named, and reading goes on`, async () => {
    const { events, source } = await readLines(header, call, line, call, '{', call)
    assert.is(events.length, 3)
    assert.is(source.skipped, 2)
    assert.equal(source.damage, { message: `line 3 ${reason}`, position: 3, further: 1 })
  })
}
format('values nested without end are named shortly', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  const { source } = await readLines(
    header,
    `{"call":"HeapFree","thread":1,"args":[${deep}]}`,
    `{"call":"HeapFree","thread":"${'9'.repeat(1000)}","args":[]}`
  )
  assert.match(source.damage!.message, /^line 2 has an array in "args" where/)
  assert.is(source.damage!.further, 1)
})
format('a last line that is cut is said to be', async () => {
  const { events, source } = await read(`${header}\n${call}\n${call.slice(0, 40)}`)
  assert.is(events.length, 1)
  assert.equal(source.damage, { message: 'line 3 is not JSON: the file seems to be cut', position: 3, further: 0 })
})
format('a header of an unknown version or another format is refused', async () => {
  for (const [line, message] of [
    ['{"ceheap":"trace","version":2}', 'sample: is the header of trace version 2, but this reader knows version 1 only'],
    ['{"ceheap":"trace"}', 'sample: is the header of trace version nothing, but this reader knows version 1 only'],
    ['{"ceheap":"report","version":1}', 'sample: is the header of another format: "ceheap" is "report", expected "trace"']
  ] as const) {
    try {
      await openTraceStream(inChunks(`${line}\n${call}\n`, 100), 'sample')
      assert.unreachable(line)
    } catch (error) {
      assert.instance(error, TraceError)
      assert.is((error as Error).message, message)
    }
  }
})
format.run()

const writing = suite('json lines: writing')
writing('the header comes at once, then one line a call, without what is not known', () => {
  const lines: string[] = []
  const writer = jsonLinesWriter((line) => lines.push(line), { profile: 'compact-2013', pointerBits: 32 })
  assert.equal(lines, ['{"profile":"compact-2013","pointerBits":32,"ceheap":"trace","version":1}'])
  writer.write({ call: 'HeapAlloc', thread: 1, args: [65536, 8, 100], result: 66560, lastError: 0 })
  writer.write({ call: 'free', thread: 1, args: [66560], result: undefined, site: '', via: '', process: 0 })
  assert.equal(lines.slice(1), [
    '{"call":"HeapAlloc","thread":1,"args":[65536,8,100],"result":66560,"lastError":0}',
    '{"call":"free","thread":1,"args":[66560]}'
  ])
  assert.is(writer.calls, 2)
})
writing('the identity of the format cannot be given away', () => {
  const lines: string[] = []
  jsonLinesWriter((line) => lines.push(line), { ceheap: 'other', version: 9 })
  assert.equal(JSON.parse(lines[0]!), { ceheap: 'trace', version: 1 })
})
writing('a sink that is no function is refused', () => {
  assert.throws(() => jsonLinesWriter(undefined as unknown as () => void), /expected a function that takes a line, got undefined/)
})

const count = fc.nat({ max: 2 ** 32 - 1 })
const anyEvent: fc.Arbitrary<Omit<TraceEvent, 'position'>> = fc
  .record(
    {
      call: fc.string({ minLength: 1 }),
      thread: count,
      args: fc.array(fc.maxSafeNat(), { maxLength: 6 }),
      result: fc.option(fc.maxSafeNat(), { nil: undefined }),
      process: count,
      site: fc.string({ unit: 'grapheme' }),
      via: fc.string(),
      lastError: count
    },
    { requiredKeys: ['call', 'thread', 'args', 'result', 'process', 'site', 'via'] }
  )
  .map((event) => ({ ...event }))
writing('what is written is read again as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), async (events, chunk) => {
      let text = ''
      const writer = jsonLinesWriter((line) => {
        text += `${line}\n`
      })
      for (const event of events) writer.write(event)
      const { events: found, source } = await read(text, { chunk })
      assert.is(source.damage, undefined)
      assert.equal(
        found,
        events.map((event, index) => ({ ...event, position: index + 2 }))
      )
    })
  )
})
writing.run()

const shape = suite('json lines: shape of the input')
shape('CR LF, a byte order mark and UTF-16 with one are read', async () => {
  const text = `${header}\r\n${call.replace('}', ',"site":"größe.c:1"}')}\r\n`
  const inputs = [Buffer.from(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(`\ufeff${text}`, 'utf16le').swap16()]
  for (const input of inputs) {
    for (const chunk of [1, 7, 1 << 16]) {
      const { events, source } = await read(input, { chunk })
      assert.equal(shown(events), ['HeapAlloc(10000,8,64)=10400'])
      assert.is(events[0]?.site, 'größe.c:1')
      assert.is(source.damage, undefined)
    }
  }
})
shape.run()
