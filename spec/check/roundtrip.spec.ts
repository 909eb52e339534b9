// What the emulator itself recorded gives no difference when it is replayed on the same profile: the replay maps handles and pointers right.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Build, createProcess, type Placement, type ProfileName } from '../../src/index.ts'
import { jsonLinesWriter } from '../../src/trace/index.ts'
import { check, found } from './trace.ts'

type Step = readonly [act: 'alloc' | 'free' | 'resize' | 'size' | 'local' | 'create' | 'destroy' | 'compact', a: number, b: number]

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('alloc', 'alloc', 'alloc', 'free', 'free', 'resize', 'size', 'local', 'create', 'destroy', 'compact'),
  fc.nat(1000),
  fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(0x18001, 0x20000))
)

/** Runs the steps as a program that does nothing wrong; gives what was recorded and the state in the end. */
function record(
  steps: readonly Step[],
  profile: ProfileName,
  build: Build,
  placement: Placement
): { text: string; hash: string; peaks: number[] } {
  const process = createProcess({ profile, build, placement, memory: 0x1000000 })
  const lines: string[] = []
  process.record(jsonLinesWriter((line) => lines.push(line)))
  const ce = process.thread
  const heaps = [ce.GetProcessHeap()]
  const blocks: { heap: number; pointer: number }[] = []
  for (const [act, a, b] of steps) {
    const heap = heaps[a % heaps.length]!
    const block = blocks[a % (blocks.length || 1)]
    if (act === 'alloc') blocks.push({ heap, pointer: ce.HeapAlloc(heap, a % 2 === 0 ? 8 : 0, b) })
    else if (act === 'local') blocks.push({ heap: heaps[0]!, pointer: ce.LocalAlloc(0x40, b) })
    else if (act === 'create' && heaps.length < 5) heaps.push(ce.HeapCreate(0, 0x1000, a % 3 === 0 ? 0x200000 : 0))
    else if (act === 'compact') ce.HeapCompact(heap, 0)
    else if (act === 'destroy' && heaps.length > 1) {
      const [gone] = heaps.splice(1 + (a % (heaps.length - 1)), 1)
      ce.HeapDestroy(gone!)
      for (let n = blocks.length - 1; n >= 0; n--) if (blocks[n]!.heap === gone) blocks.splice(n, 1)
    } else if (block === undefined) continue
    else if (act === 'size') ce.HeapSize(block.heap, 0, block.pointer)
    else if (act === 'resize') block.pointer = ce.HeapReAlloc(block.heap, 0, block.pointer, b)
    else if (act === 'free') {
      ce.HeapFree(block.heap, 0, block.pointer)
      blocks.splice(blocks.indexOf(block), 1)
    }
  }
  const peaks = process.snapshot().heaps.map(({ peakBytes }) => peakBytes)
  return { text: `${lines.join('\n')}\n`, hash: process.imageHash(), peaks }
}

const seed = Number(process.env.CEHEAP_SEED ?? 20131)
const roundTrip = suite(`check: a recording of the emulator (CEHEAP_SEED=${seed})`)

roundTrip('answers as it did, and ends in the same state', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80 }),
      fc.constantFrom<ProfileName>('compact-2013', 'ce-6.0', 'ce-5.0'),
      fc.constantFrom<Build>('retail', 'debug'),
      fc.constantFrom<Placement>('segregated', 'next-fit'),
      async (steps, profile, build, placement) => {
        const { text, hash, peaks } = record(steps, profile, build, placement)
        const report = await check(text, { profile, build, placement, memory: 0x1000000 })
        // HeapCompact, large blocks, fragmentation and what is left at the end are told of in any case.
        const others = found(report).filter((line) => !/ (?:W-22|W-17|W-23|DT-3) /.test(line))
        assert.equal(others, [])
        assert.is(report.summary.unknownPointers + report.summary.unseenFrees + report.summary.notReplayed, 0)
        const live = report.heaps.filter(({ destroyed }) => !destroyed)
        assert.equal(live.map(({ peakBytes }) => peakBytes).sort(), [...peaks].sort())
        // The check zeroes no blocks, so the sentinels of the debug build stay where the program's zeroes went over them.
        if (build === 'retail' && report.processes.length > 0) assert.is(report.processes[0]?.imageHash, hash)
      }
    ),
    { seed, numRuns: 150 }
  )
})

roundTrip.run()
