// A recording of the emulator with reservations and COM's task allocator in it: replayed on the same target it ends in the same state.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCom } from '../../src/com/index.ts'
import {
  createProcess,
  CURRENT_PROCESS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_TOP_DOWN,
  MEMCTX_TASK,
  PAGE_EXECUTE_READ,
  PAGE_GUARD,
  PAGE_READONLY,
  PAGE_READWRITE,
  type ProfileName
} from '../../src/index.ts'
import { jsonLinesWriter } from '../../src/trace/index.ts'
import { check, found } from './trace.ts'

const PAGE = 4096
const target = { memory: 0x400000, physical: 0x180000 }
const acts = ['reserve', 'both', 'top', 'there', 'ex', 'commit', 'commit', 'decommit', 'protect', 'probe', 'release', 'release'] as const
const others = ['alloc', 'resize', 'free', 'task', 'method', 'minimize', 'snapshot'] as const
type Step = readonly [act: (typeof acts)[number] | (typeof others)[number], a: number, b: number]

const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom(...acts, ...others), fc.nat(1000), fc.integer({ min: 1, max: 0x30000 }))
const protections = [PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_GUARD]

/** Runs the steps; gives what was recorded, the state in the end and how many reservations failed. */
function record(steps: readonly Step[], profile: ProfileName): { text: string; hash: string } {
  const process = createProcess({ profile, ...target })
  const lines: string[] = []
  const ce = process.thread
  process.record(jsonLinesWriter((line) => lines.push(line)))
  const com = openCom(ce)
  const { ppMalloc } = com.CoGetMalloc(MEMCTX_TASK)
  const out = ce.LocalAlloc(0, 4)
  const regions: { base: number; pages: number }[] = []
  const blocks: number[] = []
  const keep = (base: number, bytes: number): void => {
    if (base !== 0) regions.push({ base, pages: Math.ceil(bytes / PAGE) })
  }
  for (const [act, a, b] of steps) {
    const region = regions[a % (regions.length || 1)]
    const block = blocks[a % (blocks.length || 1)]
    if (act === 'reserve') keep(ce.VirtualAlloc(0, b, MEM_RESERVE, PAGE_READWRITE), b)
    else if (act === 'both') keep(ce.VirtualAlloc(0, b, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), b)
    else if (act === 'top') keep(ce.VirtualAlloc(0, b, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE), b)
    else if (act === 'there') keep(ce.VirtualAlloc(0x100000 + a * 0x1000, b, MEM_RESERVE, PAGE_READWRITE), ((a * 0x1000) % 0x10000) + b)
    else if (act === 'ex') keep(ce.VirtualAllocEx(CURRENT_PROCESS, 0, b, MEM_RESERVE, PAGE_READWRITE), b)
    else if (act === 'alloc') blocks.push(ce.LocalAlloc(0, b))
    else if (act === 'task') blocks.push(com.CoTaskMemAlloc(b))
    else if (act === 'method') blocks.push(ppMalloc!.Alloc(b))
    else if (act === 'minimize') ppMalloc!.HeapMinimize()
    else if (act === 'snapshot') ce.CloseToolhelp32Snapshot(ce.CreateToolhelp32Snapshot(1, 0))
    else if (act === 'resize' && block !== undefined && block !== 0) {
      blocks[blocks.indexOf(block)] = com.CoTaskMemRealloc(block, b) || block
    } else if (act === 'free' && block !== undefined) {
      ppMalloc!.GetSize(block)
      ppMalloc!.Free(block)
      blocks.splice(blocks.indexOf(block), 1)
    }
    if (region === undefined) continue
    const { base, pages } = region
    const first = base + (b % pages) * PAGE
    const bytes = 1 + (a % ((base + pages * PAGE - first) as number))
    if (act === 'commit') ce.VirtualAlloc(first, bytes, MEM_COMMIT, PAGE_READWRITE)
    else if (act === 'decommit') ce.VirtualFree(first, bytes, MEM_DECOMMIT)
    else if (act === 'protect') {
      ce.VirtualProtect(first, bytes, protections[a % protections.length]!, out)
      // A recording does not show what memory holds.
      ce.memory.writeU32(out, 0)
    } else if (act === 'probe') ce.IsBadReadPtr(first, bytes)
    else if (act === 'release') {
      const freed = a % 2 === 0 ? ce.VirtualFree(base, 0, MEM_RELEASE) : ce.VirtualFreeEx(CURRENT_PROCESS, base, 0, MEM_RELEASE)
      if (freed !== 0) regions.splice(regions.indexOf(region), 1)
    }
  }
  // What failed is not tried again where that could change something, so the last error is set by itself.
  ce.SetLastError(7)
  return { text: `${lines.join('\n')}\n`, hash: process.imageHash() }
}

const seed = Number(process.env.CEHEAP_SEED ?? 20132)
const roundTrip = suite(`check: reservations and task memory of the emulator (CEHEAP_SEED=${seed})`)

roundTrip('C-95: answer as they did, and end in the same state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.constantFrom<ProfileName>('compact-2013', 'ce-6.0'), async (steps, profile) => {
      const { text, hash } = record(steps, profile)
      const report = await check(text, { profile, ...target })
      // Told of in any case: big blocks and reservations, what is left, guards, probes, high addresses, pages that are not committed.
      const odd = found(report).filter((line) => !/ (?:W-17|W-23|DT-3|VP-4|C-68|VA-10|VA-14|VP-1|C-52) /.test(line))
      assert.equal(odd, [])
      assert.equal([report.summary.unknownPointers, report.summary.unseenFrees, report.summary.notReplayed], [0, 0, 0])
      assert.is(report.processes[0]?.imageHash, hash)
    }),
    { seed, numRuns: 150 }
  )
})

roundTrip.run()
