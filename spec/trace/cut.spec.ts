// Whatever is cut off or overwritten: opening gives a source or a TraceError, reading ends, and what is delivered is a prefix.
import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jsonLinesWriter, TraceError, type TraceEvent } from '../../src/trace/index.ts'
import { buildLog, heapAlloc, heapCreate, heapDestroy, heapFree, heapReAlloc, type LogEvent, marker, threadSwitch } from './celogbuild.ts'
import { difference, example, read, type WholeTrace } from './read.ts'

const relay = readFileSync(example('desktop-habits.wine-relay.log'))
const heap = gunzipSync(readFileSync(example('sqlite.wine-heap.log.gz'))).subarray(0, 200_000)
const celog = buildLog(3, [
  marker(3),
  ...Array.from({ length: 200 }, (_, index): LogEvent[] => [
    heapCreate(0x10000 * index),
    { ...heapAlloc(0x10000 * index, 100, 0x40000 + index, 0x11234), cpu: index % 4, stamp: index },
    threadSwitch,
    heapReAlloc(0x10000 * index, 200, 0x40000 + index, 0x50000 + index),
    heapFree(0x10000 * index, 0x50000 + index),
    heapDestroy(0x10000 * index)
  ]).flat()
])
const { events: relayEvents } = await read(relay)
let written = ''
const writer = jsonLinesWriter((line) => {
  written += `${line}\n`
})
for (const event of relayEvents) writer.write(event)
const inputs: Readonly<Record<string, Buffer>> = {
  'a relay log': relay,
  'a heap log': heap,
  'a CeLog file': celog,
  'a JSON Lines file': Buffer.from(written),
  'a gzipped relay log': gzipSync(relay),
  'a gzipped CeLog file': gzipSync(celog)
}

async function readOrRefuse(content: Uint8Array): Promise<WholeTrace | undefined> {
  try {
    return await read(content)
  } catch (error) {
    if (error instanceof TraceError) return undefined
    throw error
  }
}

/** In a heap log, a call's own work is known as such only from the line of the call: without it, at most three more events are there. */
const doubtful = (name: string) => (name === 'a heap log' ? 3 : 0)

/** A position up to which events are certainly whole in the first `cut` bytes. */
function wholeBefore(name: string, bytes: Buffer, cut: number): number {
  if (name === 'a CeLog file') return cut - 64
  if (name === 'a heap log' || name === 'a JSON Lines file') return bytes.subarray(0, cut).filter((byte) => byte === 10).length
  return 0
}

const cutting = suite('cut: anywhere')
for (const [name, bytes] of Object.entries(inputs)) {
  cutting(`${name} gives a prefix`, async () => {
    const { events: all } = await read(bytes)
    assert.ok(all.length > 200)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length }), async (cut) => {
        const trace = await readOrRefuse(bytes.subarray(0, cut))
        const events: TraceEvent[] = trace?.events ?? []
        const sure = Math.max(0, events.length - doubtful(name))
        assert.is(difference(events.slice(0, sure), all.slice(0, sure)), undefined)
        assert.ok(events.length <= all.length + doubtful(name))
        const sound = wholeBefore(name, bytes, cut)
        const whole = all.filter(({ position }) => position <= sound).length
        assert.ok(events.length >= whole, `${events.length} events, but ${whole} are not touched by the cut`)
      }),
      { numRuns: 60 }
    )
  })
}
cutting.run()

const overwriting = suite('cut: bytes overwritten')
for (const [name, bytes] of Object.entries(inputs)) {
  overwriting(`${name} never makes reading fail`, async () => {
    const spoil = fc.record({ at: fc.nat({ max: bytes.length - 1 }), with: fc.uint8Array({ minLength: 1, maxLength: 40 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(spoil, { minLength: 1, maxLength: 5 }), async (spoils) => {
        const spoilt = Buffer.from(bytes)
        for (const { at, with: garbage } of spoils) spoilt.set(garbage.subarray(0, spoilt.length - at), at)
        const trace = await readOrRefuse(spoilt)
        for (const { args, thread, process } of trace?.events ?? []) {
          assert.ok(Array.isArray(args) && args.every((value) => typeof value === 'number' && value >= 0))
          assert.ok(thread >= 0 && process >= 0)
        }
      }),
      { numRuns: 60 }
    )
  })
}
overwriting.run()
