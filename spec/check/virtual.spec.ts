// Recorded VirtualAlloc, VirtualFree and VirtualProtect calls take memory of the emulated process: what would fail on CE is found there.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CheckOptions, CheckReport } from '../../src/check/index.ts'
import { readLines } from '../trace/relaylines.ts'
import { check, found as all, type Line } from './trace.ts'

/** Findings without those on what is left at the end. */
const found = (report: CheckReport): string[] => all(report).filter((line) => !line.includes(' VA-14 '))

const base = 0x7ff0_0050_0000
const second = base + 0x10_0000
const big = 0x10_0000
const unit = 0x1_0000
const reserve = (at: number, bytes: number, type = 0x2000): Line => ['VirtualAlloc', [0, bytes, type, 4], at]
const commit = (at: number, bytes: number): Line => ['VirtualAlloc', [at, bytes, 0x1000, 4], at]
const decommit = (at: number, bytes: number): Line => ['VirtualFree', [at, bytes, 0x4000], 1]
const release = (at: number): Line => ['VirtualFree', [at, 0, 0x8000], 1]
const protect = (at: number, bytes: number, flags = 2, result = 1): Line => ['VirtualProtect', [at, bytes, flags, 0x21f000], result]

const replayed = suite('check: reservations are replayed')

replayed('committed pages count against the physical memory of the device', async () => {
  const options: CheckOptions = { memory: 0x400000, physical: 0x100000 }
  const lines = [reserve(base, big), commit(base, 0x80000), reserve(second, big), commit(second, 0x80000)]
  assert.equal(found(await check(lines, options)), ['error W-24 1 VirtualAlloc'])
  assert.equal(found(await check([lines[0]!, lines[1]!, decommit(base, 0x80000), ...lines.slice(2)], options)), [])
  const [told] = (await check(lines, options)).findings
  assert.is(told?.position, 5)
  assert.match(told!.onCe, /512 KB do not fit into what is left of 1,024 KB of physical memory/)
})

replayed('they count against the heaps, and the heaps against them', async () => {
  const options: CheckOptions = { memory: 0x400000, physical: 0x100000 }
  const lines: Line[] = [reserve(base, 0xc0000, 0x3000), ['malloc', [0x60000], 0x20010]]
  assert.ok(found(await check(lines, options)).includes('error W-24 1 malloc'))
  assert.not.ok(found(await check([lines[0]!, release(base), lines[1]!], options)).includes('error W-24 1 malloc'))
  const { processes } = await check(lines.slice(0, 1), options)
  assert.ok(processes[0]!.peakCommitted >= 0xc0000)
})

replayed('W-18, VL-5: on ce-5.0 the 32 MB are used up by what the desktop does not notice', async () => {
  const lines = Array.from({ length: 520 }, (_, n) => reserve(base + n * unit, 4096, 0x3000))
  const small = await check(lines, { profile: 'ce-5.0' })
  assert.ok(
    found(small).some((line) => /^error W-18 \d+ VirtualAlloc$/.test(line)),
    JSON.stringify(found(small))
  )
  const waste = small.findings.find(({ rule }) => rule === 'W-17')!
  assert.match(waste.onCe, /4,096 bytes take 64 KB of address space: 60 KB are of no use/)
  assert.equal(found(await check(lines)), ['note W-17 520 VirtualAlloc'])
})

replayed('C-29: on the others it is the address space that was asked for', async () => {
  const lines = [reserve(base, 0x200_0000), reserve(base + 0x200_0000, 0x200_0000)]
  assert.equal(found(await check(lines, { memory: 0x400_0000 })), ['error C-29 1 VirtualAlloc'])
  assert.equal(found(await check(lines, { memory: 0x800_0000 })), [])
})

replayed('W-17: whole 64 KB and nearly whole ones are not worth a word', async () => {
  for (const bytes of [unit, unit - 4096, 0xf0000, 0x91000]) assert.equal(found(await check([reserve(base, bytes)])), [], String(bytes))
  for (const bytes of [1, 0x8000, 0xd000, 0x11000]) assert.equal(found(await check([reserve(base, bytes)])), ['note W-17 1 VirtualAlloc'])
})

replayed('C-95: an address that the program asks for is taken where it is free, else the region lies elsewhere', async () => {
  const at = (address: number): Line[] => [['VirtualAlloc', [address, unit, 0x3000, 4], address], commit(address, 10), release(address)]
  assert.equal(found(await check(at(0x200000))), [])
  for (const address of [base, 0x7000_0000]) {
    const report = await check(at(address))
    assert.equal(found(report), ['warning C-95 1 VirtualAlloc'])
    assert.is(report.summary.notReplayed, 0)
  }
})

replayed('VirtualAllocEx on the calling process is the same, on another it is left out', async () => {
  const ex = (process: number): Line[] => [
    ['VirtualAllocEx', [process, 0, big, 0x3000, 4], base],
    ['VirtualProtectEx', [process, base, 4096, 2, 0x21f000], 1],
    ['VirtualFreeEx', [process, base, 0, 0x8000], 1]
  ]
  for (const own of [0xffffffff, 2 ** 64, 0x42, 0x400002]) {
    const { findings, processes, summary } = await check(ex(own), { memory: 0x400000 })
    assert.equal([findings.length, summary.notReplayed, summary.unknownPointers], [0, 0, 0])
    assert.ok(processes[0]!.peakCommitted >= big)
  }
  const other = await check(ex(0x1a4), { memory: 0x400000 })
  assert.equal(found(other), ['warning C-94 1 VirtualAllocEx', 'warning C-94 1 VirtualFreeEx', 'warning C-94 1 VirtualProtectEx'])
  assert.ok(other.processes[0]!.peakCommitted < big)
})

replayed('what was reserved before the recording began is counted, not reported', async () => {
  const report = await check([commit(base, 10), protect(base, 10), decommit(base, 10), release(base)])
  assert.equal(found(report), [])
  assert.is(report.summary.unknownPointers, 4)
})

replayed('a reservation where a live one lies ends the former', async () => {
  const report = await check([reserve(base, big, 0x3000), reserve(base + unit, unit, 0x3000), reserve(second, big)], {
    memory: 0x400000,
    physical: 0x180000
  })
  assert.equal(found(report), [])
  assert.is(report.summary.unseenFrees, 1)
})

replayed('VA-14: what is never released is told by call site, with the address space', async () => {
  const from = (site: string, at: number): Line => ['VirtualAlloc', [0, unit, 0x2000, 4], at, { site }]
  const report = await check([
    from('a.c:1', base),
    from('b.c:2', base + unit),
    from('a.c:1', base + 2 * unit),
    from('a.c:1', second),
    release(second)
  ])
  assert.equal(
    report.findings.map(({ rule, severity, count, callSite, onCe }) => [rule, severity, count, callSite, onCe.slice(0, 6)]),
    [
      ['VA-14', 'note', 2, 'a.c:1', '128 KB'],
      ['VA-14', 'note', 1, 'b.c:2', '64 KB ']
    ]
  )
})

replayed('two processes have reservations of their own', async () => {
  const lines: Line[] = [1, 2].flatMap((process): Line[] => [
    ['VirtualAlloc', [0, big, 0x3000, 4], base, { process }],
    ['VirtualFree', [base, 0, 0x8000], 1, { process }]
  ])
  const report = await check([lines[0]!, lines[2]!, lines[1]!, lines[3]!])
  assert.equal([found(report), report.summary.unknownPointers, report.summary.processes], [[], 0, 2])
})

replayed('one report for one trace, however often', async () => {
  const lines = [reserve(base, big), commit(base + 5, 10), protect(base, 1), release(base), reserve(base, 1), release(base)]
  assert.equal(await check(lines), await check(lines))
})

replayed.run()

const misused = suite('check: misused reservations')

/** Two reserved units of which the first page is committed. */
const partly = [reserve(base, 2 * unit), commit(base, 10)]
const table: readonly (readonly [what: string, lines: readonly Line[], expected: readonly string[]])[] = [
  ['W-19, VF-5: a partly committed region is not released', [...partly, release(base)], ['error W-19 1 VirtualFree']],
  [
    'W-19: of which more than one is told by place, once',
    [...partly, release(base), ...partly, release(base)],
    ['error W-19 2 VirtualFree']
  ],
  ['VF-4: both flags at once', [...partly, ['VirtualFree', [base, 0, 0xc000], 0]], ['error VF-4 1 VirtualFree']],
  [
    'VF-4: both flags, and the recording says that it worked',
    [...partly, ['VirtualFree', [base, 0, 0xc000], 1]],
    ['error VF-4 1 VirtualFree']
  ],
  ['VF-4: a flag of newer desktops', [...partly, ['VirtualFree', [base, unit, 0x8002], 1]], ['error VF-4 1 VirtualFree']],
  ['VF-2: MEM_RELEASE with a size', [...partly, ['VirtualFree', [base, unit, 0x8000], 0]], ['error VF-2 1 VirtualFree']],
  ['C-21: released twice', [reserve(base, big), release(base), ['VirtualFree', [base, 0, 0x8000], 0]], ['error C-21 1 VirtualFree']],
  ['C-21: a commit beyond the region', [...partly, ['VirtualAlloc', [base, 3 * unit, 0x1000, 4], 0]], ['error C-21 1 VirtualAlloc']],
  ['VP-1, C-65: protection of pages not committed', [...partly, protect(base, unit, 2, 0)], ['error VP-1 1 VirtualProtect']],
  ['W-20, VP-2: protection over the end of a region', [...partly, protect(base, 3 * unit, 2, 0)], ['error W-20 1 VirtualProtect']],
  ['C-66: copy on write', [...partly, protect(base, 10, 8)], ['error C-66 1 VirtualProtect']],
  ['C-66, VP-4: a guard without access', [...partly, protect(base, 10, 0x101, 0)], ['error C-66 1 VirtualProtect']],
  ['VP-4: a guard', [...partly, protect(base, 10, 0x104)], ['note VP-4 1 VirtualProtect']],
  ['C-72: large pages', [reserve(base, unit, 0x20003000)], ['error C-72 1 VirtualAlloc']],
  ['W-20, VA-11: MEM_RESET', [...partly, ['VirtualAlloc', [base, 10, 0x80000, 4], base]], ['error W-20 1 VirtualAlloc']],
  ['VA-10: MEM_TOP_DOWN', [reserve(base, unit, 0x102000)], ['note VA-10 1 VirtualAlloc']],
  ['C-21: works on CE alone', [['VirtualAlloc', [0, unit, 0x3000, 4], 0]], ['note C-21 1 VirtualAlloc']],
  ['GM-4: GlobalMemoryStatus', [['GlobalMemoryStatus', [0x21f000]]], ['note GM-4 1 GlobalMemoryStatus']],
  ['C-68: IsBadWritePtr', [...partly, ['IsBadWritePtr', [base, 10], 0]], ['note C-68 1 IsBadWritePtr']],
  [
    'C-68: it answers otherwise',
    [...partly, protect(base, 10), ['IsBadWritePtr', [base, 10], 0]],
    ['warning C-68 1 IsBadWritePtr', 'note C-68 1 IsBadWritePtr']
  ]
]
for (const [what, lines, expected] of table) {
  misused(what, async () => {
    const report = await check(lines)
    assert.equal(found(report), expected)
    for (const { title, recorded, onCe, explanation, advice } of report.findings) {
      for (const text of [title, recorded, onCe, explanation, advice]) assert.ok(text.length > 5)
    }
  })
}

misused('W-19: told once, and the region is gone for what follows', async () => {
  const report = await check([...partly, release(base), commit(base, 10)])
  assert.equal(found(report), ['error W-19 1 VirtualFree'])
  assert.is(report.summary.unknownPointers, 1)
})

misused('a refused commit is told once: what follows on that region is counted, not reported', async () => {
  const lines = [reserve(base, big), commit(base, 0xc0000), protect(base, 10), release(base)]
  const report = await check(lines, { memory: 0x400000, physical: 0x80000 })
  assert.equal(found(report), ['error W-24 1 VirtualAlloc'])
  assert.is(report.summary.notReplayed, 1)
})

misused('a guard that IsBadReadPtr spends is spent, as in the recording', async () => {
  const probe = (result: number): Line => ['IsBadReadPtr', [base, 1], result]
  assert.equal(found(await check([...partly, protect(base, 1, 0x104), probe(1), probe(0)])), [
    'note C-68 2 IsBadReadPtr',
    'note VP-4 1 VirtualProtect'
  ])
})

misused('results that cannot be, and calls cut short, end as counts and no finding', async () => {
  const report = await check([
    ['VirtualAlloc', [0, unit, 0x3000], base],
    ['VirtualFree', [base, 0], 1],
    ['VirtualProtect', [base], 1],
    ['VirtualAlloc', [0, unit, 0x3000, 4]],
    reserve(base, unit),
    ['VirtualAlloc', [base, 9 * unit, 0x1000, 4], base],
    ['VirtualFree', [base, 0, 0x4000]],
    ['VirtualProtect', [base, 10, 2, 0]]
  ])
  assert.equal(found(report), [])
  assert.is(report.summary.notReplayed, 7)
})

misused('sizes and addresses of 2^64 break nothing', async () => {
  const most = 2 ** 64
  const report = await check([
    ['VirtualAlloc', [0, most, 0x2000, 4], base],
    ['VirtualAlloc', [most, most, 0x3000, most], most],
    ['VirtualFree', [most, most, most], 1],
    ['VirtualProtect', [base, most, most, most], 1],
    ['IsBadReadPtr', [base, most], 0],
    ['VirtualFree', [base, 0, 0x8000], 1]
  ])
  assert.is(report.summary.calls, 6)
})

misused('a relay log as Wine writes it', async () => {
  // relaylines.ts has what the lines look like; the inner call is the system's.
  const lines = [
    '0020:0024:Call KERNEL32.VirtualAlloc(00000000,00020000,00002000,00000004) ret=140001742',
    '0020:0024:Call kernelbase.VirtualAlloc(00000000,00020000,00002000,00000004) ret=1700484ff',
    '0020:0024:Ret  kernelbase.VirtualAlloc() retval=011a0000 ret=1700484ff',
    '0020:0024:Ret  KERNEL32.VirtualAlloc() retval=011a0000 ret=140001742',
    '0020:0024:Call KERNEL32.VirtualAlloc(011a1000,00000064,00001000,00000004) ret=140001750',
    '0020:0024:Ret  KERNEL32.VirtualAlloc() retval=011a1000 ret=140001750',
    '0020:0024:Call KERNEL32.VirtualProtect(011a1000,00000064,00000002,0021fae8) ret=140001758',
    '0020:0024:Ret  KERNEL32.VirtualProtect() retval=00000001 ret=140001758',
    '0020:0024:Call KERNEL32.IsBadWritePtr(011a1000,00000004) ret=140001760',
    '0020:0024:Ret  KERNEL32.IsBadWritePtr() retval=00000001 ret=140001760',
    '0020:0024:Call KERNEL32.VirtualFree(011a0000,00000000,00008000) ret=140001768',
    '0020:0024:Ret  KERNEL32.VirtualFree() retval=00000001 ret=140001768',
    '0020:0024:Call KERNEL32.VirtualAllocEx(ffffffffffffffff,00000000,00010000,00003000,00000004) ret=140001770',
    '0020:0024:Ret  KERNEL32.VirtualAllocEx() retval=011a0000 ret=140001770'
  ]
  assert.is((await readLines(lines)).events.length, 6)
  const report = await check(`${lines.join('\n')}\n`)
  assert.equal(found(report), ['error W-19 1 VirtualFree', 'note C-68 1 IsBadWritePtr'])
  assert.is(report.findings[0]!.callSite, '140001768')
  assert.equal([report.summary.notReplayed, report.summary.unknownPointers], [0, 0])
})

misused.run()
