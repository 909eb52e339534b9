import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openTrace, openTraceStream, TraceError } from '../../src/trace/index.ts'
import { longestLine } from '../../src/trace/lines.ts'
import { buildLog, heapAlloc, marker } from './celogbuild.ts'
import { drain, example, inChunks, read, readExample, shown } from './read.ts'

const header = '{"ceheap":"trace","version":1}'
const jsonCall = (block: number) => `{"call":"HeapAlloc","thread":1,"args":[65536,0,16],"result":${block}}`
const relayCall =
  '0020:0024:Call ntdll.RtlSizeHeap(00340000,00000000,00358b20) ret=1400010\n0020:0024:Ret  ntdll.RtlSizeHeap() retval=00000010 ret=1400010\n'
const heapCall = '00e0:00e4:trace:heap:RtlFreeHeap handle 0000000000340000, flags 0, ptr 0000000000343D00, return 1, status 0.\n'

/** The message of the TraceError that opening gives. */
async function refusal(opening: Promise<unknown>): Promise<string> {
  try {
    await opening
  } catch (error) {
    assert.instance(error, TraceError)
    return (error as Error).message
  }
  throw new Error('the input was accepted')
}

const folder = mkdtempSync(join(tmpdir(), 'ceheap-trace-'))
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const detection = suite('open: the format is recognised')
detection('behind lines of other kinds, however many of them up to a megabyte', async () => {
  const noise = 'some note of a launcher, or another debug channel\n'
  for (const lines of [0, 3, 3000, 12_000]) {
    assert.is((await read(noise.repeat(lines) + relayCall)).source.format, 'wine-relay')
    assert.is((await read(noise.repeat(lines) + heapCall)).source.format, 'wine-heap')
    assert.is((await read(`${noise.repeat(lines) + header}\n`)).source.format, 'jsonl')
  }
})
detection('a log of both kinds is a relay log', async () => {
  const { events, source } = await read(heapCall.repeat(5) + relayCall)
  assert.is(source.format, 'wine-relay')
  assert.is(events.length, 1)
})
detection('the caller may say which format it is', async () => {
  const { events, source } = await read(relayCall + heapCall, { format: 'wine-heap' })
  assert.is(source.format, 'wine-heap')
  assert.is(events.length, 1)
  await assertRejects(
    openTrace('x', { format: 'pcap' as 'jsonl' }),
    RangeError,
    /one of the formats wine-relay, wine-heap, celog, jsonl, got "pcap"/
  )
  await assertRejects(openTrace(7 as unknown as string), TypeError, /expected a path, got number/)
})
detection('a very short log is enough', async () => {
  assert.is((await read(buildLog(3, [heapAlloc(1, 2, 3)]))).source.format, 'celog')
  assert.is((await read(relayCall.split('\n')[0]!)).source.format, 'wine-relay')
})
detection('noise is of no known format', async () => {
  // A fixed sequence of bytes without a pattern, so that a failure comes again.
  let state = 1
  for (let round = 0; round < 200; round++) {
    const noise = Buffer.alloc(4096)
    for (let at = 0; at < noise.length; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      noise[at] = state >>> 24
    }
    const message = await refusal(openTraceStream(inChunks(noise, 4096), 'noise'))
    assert.match(message, /^noise: is of no known format, expected a Wine relay log .*CeLog file.*JSON Lines/)
  }
})
detection('other text and other JSON is of no known format', async () => {
  for (const text of ['hello\n', '{"name":"ceheap"}\n', '[1,2,3]\n', 'Call me\nRet  urn\n', '\0\0\0\0\0\0\0\0', '\n\n\n']) {
    assert.match(await refusal(openTraceStream(inChunks(text, 100), 'x')), /no known format/)
  }
})
detection.run()

const files = suite('open: files that cannot be read')
files('not found, a directory, empty, empty gzip', async () => {
  assert.match(await refusal(openTrace(join(folder, 'none.log'))), /none\.log: no such file$/)
  assert.match(await refusal(openTrace(folder)), /: is a directory, expected the file of a recording$/)
  assert.match(await refusal(openTrace(file('empty.log', ''))), /empty\.log: is empty, expected a Wine relay log/)
  assert.match(await refusal(openTrace(file('empty.gz', gzipSync('')))), /empty\.gz: is empty, expected/)
})
files('a gzip file without any data', async () => {
  const whole = gzipSync(relayCall)
  assert.match(
    await refusal(openTrace(file('cut.gz', whole.subarray(0, 10)))),
    /cut\.gz: the gzip stream is cut after 10 bytes, before any data$/
  )
  assert.match(
    await refusal(openTrace(file('cut.gz', whole.subarray(0, 20)))),
    /: the gzip stream is cut after 20 bytes, and what is left is of no known format$/
  )
  assert.match(
    await refusal(openTrace(file('bad.gz', Buffer.concat([whole.subarray(0, 2), Buffer.alloc(50, 0xff)])))),
    /bad\.gz: the gzip stream is damaged near byte \d+: .*before any data$/
  )
})
files('not permitted', async () => {
  const path = file('secret.log', relayCall)
  chmodSync(path, 0)
  // Whoever may read everything cannot see this one.
  if (process.getuid?.() === 0) return
  assert.match(await refusal(openTrace(path)), /secret\.log: may not be read \(permission denied\)$/)
})
files('a file on a path with a NUL is refused with its name', async () => {
  assert.match(await refusal(openTrace('a\0b')), /^a\0b: /)
})
files.run()

const gzip = suite('open: gzip')
const many = [header, ...Array.from({ length: 5000 }, (_, index) => jsonCall(65536 + 7919 * index))].join('\n')
const packed = gzipSync(`${many}\n`)
gzip('is seen through, in chunks of any size', async () => {
  for (const chunk of [1, 1000, 1 << 20]) {
    const { events, source } = await read(packed, { chunk })
    assert.is(events.length, 5000)
    assert.ok(source.gzip)
    assert.equal([source.damage, source.progress.read], [undefined, packed.length])
  }
})
gzip('cut in the middle gives the events before, and says where it is cut', async () => {
  const { events, source } = await read(packed.subarray(0, packed.length >> 1))
  assert.ok(events.length > 2000 && events.length < 3000, `${events.length} events`)
  assert.is(events.at(-1)?.result, 65536 + 7919 * (events.length - 1))
  assert.is(source.damage?.message, `the gzip stream is cut after ${packed.length >> 1} bytes`)
  assert.ok(Math.abs(source.damage!.position - events.length) <= 2)
})
gzip('a wrong checksum, or a missing one, costs no event', async () => {
  const wrong = Buffer.from(packed)
  wrong[wrong.length - 6]! ^= 1
  const { events, source } = await read(wrong)
  assert.is(events.length, 5000)
  assert.match(source.damage?.message ?? '', /^the gzip stream is damaged near byte \d+: incorrect data check$/)
  const short = await read(packed.subarray(0, -3))
  assert.is(short.events.length, 5000)
  assert.is(short.source.damage?.message, `the gzip stream is cut after ${packed.length - 3} bytes`)
})
gzip('garbage in the middle gives the events before', async () => {
  const spoilt = Buffer.from(packed)
  spoilt.fill(0xff, packed.length >> 1, (packed.length >> 1) + 200)
  const { events, source } = await read(spoilt)
  assert.ok(events.length > 1500 && events.length < 5000, `${events.length} events`)
  assert.ok(source.damage !== undefined)
})
gzip('members behind each other, and zeros behind the last, are one file', async () => {
  const members = Buffer.concat([
    gzipSync(`${header}\n${jsonCall(1)}\n`),
    gzipSync(`${jsonCall(2)}\n`),
    gzipSync(`${jsonCall(3)}\n`),
    Buffer.alloc(100)
  ])
  for (const chunk of [1, 13, 1 << 16]) {
    const { events, source } = await read(members, { chunk })
    assert.equal(
      events.map(({ result }) => result),
      [1, 2, 3]
    )
    assert.is(source.damage, undefined)
  }
})
gzip('something else behind the last member is damage', async () => {
  const { events, source } = await read(Buffer.concat([packed, Buffer.from('not gzip at all')]))
  assert.is(events.length, 5000)
  assert.match(source.damage?.message ?? '', /damaged/)
})
gzip('of a binary log the damage has its place in the decompressed data', async () => {
  const log = buildLog(3, [marker(3), ...Array.from({ length: 100 }, (_, index) => heapAlloc(1, 16, 32 * index))])
  const { events, source } = await read(gzipSync(log.subarray(0, -5)))
  assert.is(events.length, 99)
  assert.is(source.damage?.position, log.length - 32)
})
gzip.run()

const streams = suite('open: streams, sources and their ends')
streams('standard input is read, and called so', () => {
  const script = `
    import { openTrace } from ${JSON.stringify(new URL('../../src/trace/index.js', import.meta.url).href)}
    const trace = await openTrace('-')
    let events = 0
    for await (const batch of trace.events()) events += batch.length
    console.log(trace.name, trace.format, trace.gzip, events, trace.progress.read, trace.progress.total)`
  const bytes = gzipSync(relayCall.repeat(100))
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { input: bytes, encoding: 'utf8' })
  assert.is(run.stderr, '')
  assert.is(run.stdout, `<stdin> wine-relay true 100 ${bytes.length} undefined\n`)
})
streams('a stream that fails on the way gives what came before', async () => {
  const source = await openTraceStream(
    (async function* () {
      yield Buffer.from(relayCall)
      throw new Error('line is down')
    })(),
    'modem'
  )
  const { events } = await drain(source)
  assert.is(events.length, 1)
  assert.is(source.damage?.message, `reading failed after ${relayCall.length} bytes: line is down`)
})
streams("a stream of anything but bytes is the caller's mistake", async () => {
  const strings = (async function* () {
    yield relayCall as unknown as Uint8Array
  })()
  await assertRejects(openTraceStream(strings, 'x'), TypeError, /Uint8Array chunks, got string/)
})
streams('events are given once', async () => {
  const { source } = await read(relayCall)
  assert.throws(() => source.events(), /gives its events once/)
})
streams('leaving early, or not reading at all, closes the input', async () => {
  let closed = 0
  const endless = async function* () {
    try {
      for (;;) yield Buffer.from(relayCall.repeat(1000))
    } finally {
      closed++
    }
  }
  for await (const _ of (await openTraceStream(endless(), 'x')).events()) break
  assert.is(closed, 1)
  await (await openTraceStream(endless(), 'x')).close()
  assert.is(closed, 2)
  const zipped = async function* () {
    try {
      for (;;) yield gzipSync(relayCall.repeat(1000))
    } finally {
      closed++
    }
  }
  await (await openTraceStream(zipped(), 'x')).close()
  assert.is(closed, 3)
  await refusal(
    openTraceStream(
      (async function* () {
        try {
          for (;;) yield Buffer.alloc(1000)
        } finally {
          closed++
        }
      })(),
      'x'
    )
  )
  assert.is(closed, 4)
})
streams('progress says how much of the file was read', async () => {
  const source = await openTrace(example('threads.wine-relay.log.gz'))
  assert.equal(source.progress.total, 39_890)
  await drain(source)
  assert.is(source.progress.read, 39_890)
})
streams('a line without end is dropped and counted, wherever it stands', async () => {
  const long = 'x'.repeat(longestLine + 100)
  for (const chunk of [65_536, 1 << 22]) {
    const { events, source } = await read(`${relayCall}${long}\n${relayCall}${long}`, { chunk })
    assert.equal(shown(events), ['HeapSize(340000,0,358b20)=10', 'HeapSize(340000,0,358b20)=10'])
    assert.is(source.skipped, 2)
    assert.equal(
      events.map(({ position }) => position),
      [1, 4]
    )
  }
})
streams('chunks of any size give the same events', async () => {
  const { events } = await readExample('desktop-habits.wine-relay.log')
  const text = readFileSync(example('desktop-habits.wine-relay.log'))
  for (const chunk of [1, 17, 1000]) assert.equal((await read(text, { chunk })).events, events)
})
streams.after(() => rmSync(folder, { recursive: true }))
streams.run()

async function assertRejects(promise: Promise<unknown>, kind: new (...args: never[]) => Error, message: RegExp): Promise<void> {
  try {
    await promise
  } catch (error) {
    assert.instance(error, kind)
    assert.match((error as Error).message, message)
    return
  }
  throw new Error('expected a rejection')
}
