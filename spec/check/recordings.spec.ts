// The bundled recordings, whole. A number that changes here is a change in what users read.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CheckReport } from '../../src/check/index.ts'
import { readExample } from '../trace/read.ts'
import { check, checkExample } from './trace.ts'

/** Findings by severity and rule, with the number of their calls. */
function rules({ findings }: CheckReport): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { severity, rule, count } of findings) {
    const key = `${severity} ${rule}`
    counts[key] = (counts[key] ?? 0) + count
  }
  return counts
}

const heaps = ({ heaps: all }: CheckReport): string[] =>
  all.map(({ name, peakBytes, peakCommitted, liveBlocks }) => `${name} ${peakBytes} ${peakCommitted} ${liveBlocks}`)

const recordings = suite('check: recordings')

recordings('desktop-habits: what its source does wrong for CE is found where it is', async () => {
  const report = await checkExample('desktop-habits.wine-relay.log')
  assert.equal(rules(report), {
    'error W-4': 3,
    'warning W-8': 1,
    'warning DT-3': 28,
    'warning W-10': 1,
    'warning W-2': 1,
    'warning W-5': 1,
    'note W-1': 81,
    'note DT-3': 34,
    'note C-20': 1,
    'note W-11': 5,
    'note W-17': 1,
    'note W-8': 66
  })
  assert.equal([report.summary.calls, report.summary.threads, report.summary.unknownPointers], [285, 3, 0])
  const leak = report.findings.find(({ rule, callSite }) => rule === 'DT-3' && callSite === '14000156f')
  assert.equal([leak?.count, leak?.heap], [28, 'heap 0x11A0000'], 'the workers free two blocks of three')
})

recordings('sqlite: HeapSize taken for the length, and the heap of the C runtime', async () => {
  const report = await checkExample('sqlite.wine-relay.log.gz')
  assert.equal(rules(report), { 'warning W-5': 7101, 'note W-8': 64, 'note DT-3': 36 })
  assert.equal(heaps(report), ['heap 0x10A0000 916502 12517376 0', 'process heap 26486 32768 17', 'heap 0xC80000 7732 8192 19'])
  assert.equal([report.summary.calls, report.summary.unknownPointers, report.summary.unseenFrees], [18351, 0, 0])
})

recordings('sqlite: the peak of the private heap is that of a plain sum over the recording', async () => {
  const sizes = new Map<number, number>()
  let [live, peak] = [0, 0]
  const set = (pointer: number, size: number): void => {
    live += size - (sizes.get(pointer) ?? 0)
    sizes.set(pointer, size)
    peak = Math.max(peak, live)
  }
  for (const { call, args, result } of (await readExample('sqlite.wine-relay.log.gz')).events) {
    if (args[0] !== 0x10a0000) continue
    if (call === 'HeapAlloc') set(result!, args[2]!)
    if (call === 'HeapFree') set(args[2]!, 0)
    if (call !== 'HeapReAlloc') continue
    set(args[2]!, 0)
    set(result!, args[3]!)
  }
  const report = await checkExample('sqlite.wine-relay.log.gz')
  assert.is(report.heaps.find(({ handle }) => handle === 0x10a0000)?.peakBytes, peak)
})

recordings('sqlite on the debug build, where sizes are exact', async () => {
  const report = await checkExample('sqlite.wine-relay.log.gz', { build: 'debug' })
  assert.is(rules(report)['warning W-5'], undefined)
})

recordings('sqlite: the heap log shows the same private heap', async () => {
  const report = await checkExample('sqlite.wine-heap.log.gz')
  assert.is(heaps(report)[0], 'heap 0x10A0000 916502 12517376 0')
  assert.is(report.summary.unknownPointers, 0)
})

recordings('threads: nothing is wrong with four threads on a fixed heap', async () => {
  const report = await checkExample('threads.wine-relay.log.gz')
  assert.equal(rules(report), { 'note W-8': 68, 'note DT-3': 36 })
  assert.equal([report.summary.calls, report.summary.threads, report.summary.unknownPointers], [5278, 5, 0])
  assert.is(report.heaps[0]?.kind, 'fixed')
  assert.is(report.heaps[0]?.liveBlocks, 0)
})

for (const name of ['desktop-habits.wine-relay.log', 'sqlite.wine-relay.log.gz', 'sqlite.wine-heap.log.gz', 'threads.wine-relay.log.gz']) {
  recordings(`${name}: every profile, build and placement works, and no call is left out`, async () => {
    for (const profile of ['compact-2013', 'compact-7', 'ce-6.0', 'ce-5.0'] as const) {
      for (const build of ['retail', 'debug'] as const) {
        for (const placement of ['segregated', 'next-fit'] as const) {
          const { summary } = await checkExample(name, { profile, build, placement })
          assert.is(summary.notReplayed, 0, `${profile} ${build} ${placement}`)
        }
      }
    }
  })
}

recordings('the same trace gives the same report and the same image', async () => {
  const [one, again] = [await checkExample('threads.wine-relay.log.gz'), await checkExample('threads.wine-relay.log.gz')]
  assert.is(JSON.stringify(one), JSON.stringify(again))
  assert.match(one.processes[0]!.imageHash, /^[0-9a-f]{16}$/)
  const other = await checkExample('threads.wine-relay.log.gz', { profile: 'ce-5.0' })
  assert.is.not(one.processes[0]!.imageHash, other.processes[0]!.imageHash)
})

recordings('a fixed heap that is too small is told by its size', async () => {
  const lines = Array.from({ length: 20 }, (_, n) => ['HeapAlloc', [0xa0000, 0, 4000], 0x100010 + n * 0x1000] as const)
  const report = await check([['HeapCreate', [0, 0x1000, 0x10000], 0xa0000], ...lines])
  const full = report.findings.find(({ rule }) => rule === 'W-16')
  assert.is(full?.count, 4, '16 of 4,000 bytes fit into 64 KB beside the structures of the heap')
})

recordings.run()
