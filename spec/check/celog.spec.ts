// A CeLog file of a device: results of frees are not in it, positions are byte offsets.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkTrace, formatSarif, formatText } from '../../src/check/index.ts'
import { openTraceStream } from '../../src/trace/index.ts'
import { buildLog, heapAlloc, heapCreate, heapDestroy, heapFree, heapReAlloc, type LogEvent, marker } from '../trace/celogbuild.ts'
import { found } from './trace.ts'

const heap = 0xd0010000
const [p, q] = [0xd0010400, 0xd0010800]

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function check(events: readonly LogEvent[]): ReturnType<typeof checkTrace> {
  return checkTrace(await openTraceStream(once(buildLog(3, [marker(3), ...events])), 'device.clg'))
}

const celog = suite('check: CeLog')

celog('a program that does nothing wrong has no findings', async () => {
  const report = await check([
    heapCreate(heap),
    heapAlloc(heap, 100, p, 0x11234),
    heapReAlloc(heap, 200, p, q, 0x12222),
    heapFree(heap, q),
    heapDestroy(heap)
  ])
  assert.equal(found(report), [])
  assert.equal([report.summary.calls, report.summary.notReplayed, report.heaps[0]?.kind], [5, 0, 'fixed'])
})

celog('C-5: a block freed twice, by its offset in the file', async () => {
  const report = await check([
    heapCreate(heap),
    heapAlloc(heap, 100, p),
    heapFree(heap, p, 0x11111),
    heapFree(heap, p, 0x22222),
    heapDestroy(heap)
  ])
  assert.equal(found(report), ['error C-5 1 HeapFree'])
  const [finding] = report.findings
  assert.is(finding?.callSite, '00022222')
  assert.match(formatText(report), new RegExp(`offset ${finding?.position} +at 00022222`))
  const { region } = JSON.parse(formatSarif(report)).runs[0].results[0].locations[0].physicalLocation
  assert.is(region.byteOffset, finding?.position)
})

celog('DT-3: what is left in a heap that was there before the log began', async () => {
  const report = await check([heapAlloc(0xd0000002, 10, 0xd0100010), heapAlloc(heap, 20, p, 0x11234)])
  assert.equal(
    report.findings.map(({ severity, rule, heap: name, bytes }) => [severity, rule, name, bytes]),
    [
      ['warning', 'DT-3', 'heap 0xD0010000', 20],
      ['note', 'DT-3', 'process heap', 10]
    ]
  )
})

celog.run()
