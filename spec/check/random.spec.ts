// Traces that no program would leave: whatever the calls are, the check ends with a sound emulator and the same report each time.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { check, type Line } from './trace.ts'

const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 4, 0x10, 0x42, 0x82, 0x3000, 0x1000, 0x8000, 0x4000, 0x104, 0xa0000, 0xb0000, 0x340000) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 24 }).map((n) => n * 0x1010) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0x7fff8, 0x18001, 0x100000, 0xffffffff, 2 ** 32, 2 ** 40, 2 ** 64) }
)
const names = [
  ...[
    'HeapCreate',
    'HeapDestroy',
    'HeapAlloc',
    'HeapAlloc',
    'HeapAlloc',
    'HeapReAlloc',
    'HeapFree',
    'HeapFree',
    'HeapSize',
    'HeapValidate'
  ],
  ...['HeapCompact', 'GetProcessHeap', 'LocalAlloc', 'LocalReAlloc', 'LocalFree', 'LocalSize', 'GlobalAlloc', 'GlobalLock', 'GlobalFree'],
  ...['malloc', 'calloc', 'realloc', 'free', '_msize', 'CoTaskMemAlloc', 'CoTaskMemRealloc', 'CoTaskMemFree', 'CeHeapCreate'],
  ...['VirtualAlloc', 'VirtualAlloc', 'VirtualAlloc', 'VirtualFree', 'VirtualFree', 'VirtualProtect', 'VirtualAllocEx', 'VirtualFreeEx'],
  ...['IsBadReadPtr', 'IsBadWritePtr', 'IsBadCodePtr', 'CeVirtualSharedAlloc', 'VirtualProtectEx', 'VirtualQuery', 'SetLastError'],
  ...['CreateToolhelp32Snapshot', 'CloseToolhelp32Snapshot', 'Heap32First', 'EnterCriticalSection', 'DeleteCriticalSection'],
  ...['IMalloc::GetSize', 'IMalloc::HeapMinimize', 'IHostMalloc::Alloc', 'CoRegisterMallocSpy', 'CoRevokeMallocSpy', 'GlobalMemoryStatus']
]
const line: fc.Arbitrary<Line> = fc
  .tuple(
    fc.constantFrom(...names),
    fc.array(value, { minLength: 0, maxLength: 5 }),
    fc.option(value, { nil: undefined }),
    fc.constantFrom(1, 2)
  )
  .map(([call, args, result, process]): Line => [call, args, result, { process, site: call.slice(0, 5) }])

const seed = Number(process.env.CEHEAP_SEED ?? 20130)
const random = suite(`check: any trace (CEHEAP_SEED=${seed})`)

random('ends with an emulator that contradicts itself nowhere, and the same report again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 120 }),
      fc.constantFrom('compact-2013' as const, 'ce-5.0' as const),
      async (lines, profile) => {
        const options = { profile, memory: 0x400000 }
        const report = await check(lines, options)
        assert.is(report.summary.calls, lines.length)
        assert.is(report.findings.length, report.summary.errors + report.summary.warnings + report.summary.notes)
        assert.is(new Set(report.findings.map((finding) => JSON.stringify(finding))).size, report.findings.length, 'no finding twice')
        assert.not.ok(
          report.findings.some(({ title }) => title === 'Reported by the emulator'),
          JSON.stringify(report.findings)
        )
        assert.equal(await check(lines, options), report)
      }
    ),
    { seed, numRuns: 300 }
  )
})

random.run()
