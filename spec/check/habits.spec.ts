// What the arguments of a call alone show. Each line is a trace of one call and what is said of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { check, found, heap, type Line, only, p, q, within } from './trace.ts'

const habits = suite('check: desktop habits')

const allocated: Line = ['HeapAlloc', [heap, 0, 100], p]
const freed: Line = ['HeapFree', [heap, 0, p], 1]
const big = 2 ** 32 + 5

/** The calls, the finding they lead to, and the rule in words. */
const table: readonly (readonly [what: string, lines: readonly Line[], expected: string])[] = [
  ['W-1: HEAP_NO_SERIALIZE is ignored', within([['HeapAlloc', [heap, 1, 100], p], freed]), 'note W-1 1 HeapAlloc'],
  ['W-1: in HeapFree too', within([allocated, ['HeapFree', [heap, 1, p], 1]]), 'note W-1 1 HeapFree'],
  ['W-2: HEAP_GENERATE_EXCEPTIONS raises nothing', within([['HeapAlloc', [heap, 4, 100], p], freed]), 'warning W-2 1 HeapAlloc'],
  [
    'W-2: for a whole heap',
    [
      ['HeapCreate', [4, 0, 0], heap],
      ['HeapDestroy', [heap], 1]
    ],
    'warning W-2 1 HeapCreate'
  ],
  [
    'W-3: HEAP_CREATE_ENABLE_EXECUTE is no CE flag',
    [
      ['HeapCreate', [0x40000, 0, 0], heap],
      ['HeapDestroy', [heap], 1]
    ],
    'warning W-3 1 HeapCreate'
  ],
  ['W-4, EX-6: HeapWalk', [['HeapWalk', [heap, q], 0]], 'error W-4 1 HeapWalk'],
  ['W-4: HeapLock', [['HeapLock', [heap], 1]], 'error W-4 1 HeapLock'],
  ['W-4: HeapUnlock', [['HeapUnlock', [heap], 1]], 'error W-4 1 HeapUnlock'],
  ['W-4: GetProcessHeaps', [['GetProcessHeaps', [16, q], 3]], 'error W-4 1 GetProcessHeaps'],
  ['W-4: HeapSetInformation', [['HeapSetInformation', [heap, 0, q, 4], 1]], 'error W-4 1 HeapSetInformation'],
  ['W-4: HeapQueryInformation', [['HeapQueryInformation', [heap, 0, q, 4, 0], 1]], 'error W-4 1 HeapQueryInformation'],
  ['W-8, HF-4: HeapFree of NULL', within([['HeapFree', [heap, 0, 0], 1]]), 'warning W-8 1 HeapFree'],
  [
    'W-10, C-14: LHND',
    [
      ['LocalAlloc', [0x42, 100], p],
      ['LocalFree', [p], 0]
    ],
    'warning W-10 1 LocalAlloc'
  ],
  [
    'W-10: discardable memory',
    [
      ['LocalAlloc', [0xf00, 100], p],
      ['LocalFree', [p], 0]
    ],
    'warning W-10 1 LocalAlloc'
  ],
  ['W-10, LM-2: a lock count', [['LocalUnlock', [p], 1]], 'warning W-10 1 LocalUnlock'],
  ['W-10, LM-1: LocalFlags', [['LocalFlags', [p], 0x4000]], 'warning W-10 1 LocalFlags'],
  ['W-10: LocalCompact', [['LocalCompact', [0], 4096]], 'warning W-10 1 LocalCompact'],
  ['W-11, GM-6: GlobalMemoryStatusEx is absent', [['GlobalMemoryStatusEx', [q], 1]], 'error W-11 1 GlobalMemoryStatusEx'],
  ['W-11, GA-1: GlobalLock is a macro', [['GlobalLock', [p], p]], 'note W-11 1 GlobalLock'],
  [
    'W-14, IM-5: CoTaskMemRealloc to 0',
    [
      ['CoTaskMemAlloc', [10], p],
      ['CoTaskMemRealloc', [p, 0], 0]
    ],
    'note W-14 1 CoTaskMemRealloc'
  ],
  ['W-15: HeapAlloc of 4 GB', within([['HeapAlloc', [heap, 0, big], p]]), 'error W-15 1 HeapAlloc'],
  ['W-15: malloc of 4 GB', [['malloc', [big], p]], 'error W-15 1 malloc'],
  ['W-15: a product of 4 GB', [['calloc', [0x10000, 0x10000], p]], 'error W-15 1 calloc'],
  ['W-15: VirtualAlloc of 4 GB', [['VirtualAlloc', [0, big, 0x3000, 4], p]], 'error W-15 1 VirtualAlloc'],
  ['W-15: HeapCreate of 4 GB', [['HeapCreate', [0, 0, big], heap]], 'error W-15 1 HeapCreate'],
  ['W-17, HC-6: a block above 96 KB', within([['HeapAlloc', [heap, 0, 0x18001], p], freed]), 'note W-17 1 HeapAlloc'],
  [
    'W-19, VF-5: MEM_RELEASE of a region of which a part is committed',
    [
      ['VirtualAlloc', [0, 0x20000, 0x2000, 4], 0x50000],
      ['VirtualAlloc', [0x51000, 10, 0x1000, 4], 0x51000],
      ['VirtualFree', [0x50000, 0, 0x8000], 1]
    ],
    'error W-19 1 VirtualFree'
  ],
  ['W-20, VA-4: VirtualAlloc of 0 bytes', [['VirtualAlloc', [0, 0, 0x3000, 4], 0]], 'error W-20 1 VirtualAlloc'],
  ['W-20, VA-11: MEM_RESET', [['VirtualAlloc', [p, 4096, 0x80000, 4], p]], 'error W-20 1 VirtualAlloc'],
  ['W-20, VQ-2: VirtualQuery', [['VirtualQuery', [p, q, 28], 28]], 'note W-20 1 VirtualQuery'],
  ['C-20: MEM_COMMIT without an address', [['VirtualAlloc', [0, 4096, 0x1000, 4], p]], 'note C-20 1 VirtualAlloc'],
  ['W-21, TH-8: Heap32First', [['Heap32First', [q, 7, 1], 1]], 'error W-21 1 Heap32First'],
  ['W-21, TH-5: a tool-help snapshot', [['CreateToolhelp32Snapshot', [1, 7], p]], 'warning W-21 1 CreateToolhelp32Snapshot'],
  ['W-25, FL-8: HEAP_SHARED_READONLY', [['HeapCreate', [0x1000, 0, 0], 0]], 'error W-25 1 HeapCreate'],
  ['CS-11: a spin count', [['InitializeCriticalSectionAndSpinCount', [q, 4000], 1]], 'error CS-11 1 InitializeCriticalSectionAndSpinCount'],
  ['C-1, HA-10: HeapAlloc of 0 bytes', within([['HeapAlloc', [heap, 0, 0], p], freed]), 'note C-1 1 HeapAlloc'],
  ['C-7, HR-9: HeapReAlloc to 0 bytes', within([allocated, ['HeapReAlloc', [heap, 0, p, 0], p], freed]), 'note C-7 1 HeapReAlloc'],
  ['C-13, FL-12: flags that CE does not list', within([['HeapAlloc', [heap, 0x20, 9], p], freed]), 'warning C-13 1 HeapAlloc'],
  [
    'C-13: HEAP_GROWABLE, which HeapCreate takes for itself',
    [
      ['HeapCreate', [2, 0, 0], heap],
      ['HeapDestroy', [heap], 1]
    ],
    'warning C-13 1 HeapCreate'
  ]
]

for (const [what, lines, expected] of table) {
  habits(what, async () => {
    const report = await check(lines)
    assert.ok(found(report).includes(expected), `expected ${expected} in ${JSON.stringify(found(report))}`)
    const finding = report.findings.find(({ severity, rule }) => expected.startsWith(`${severity} ${rule} `))!
    for (const text of [finding.title, finding.recorded, finding.onCe, finding.explanation, finding.advice])
      assert.ok(text.length > 5, what)
  })
}

habits('a program without such habits has no findings', async () => {
  const report = await check(
    within([
      allocated,
      ['HeapSize', [heap, 0, p], 128],
      ['HeapReAlloc', [heap, 8, p, 200], q],
      ['HeapFree', [heap, 0, q], 1],
      ['LocalAlloc', [0x40, 64], p],
      ['LocalFree', [p], 0],
      ['LocalFree', [0], 0],
      ['malloc', [10], p],
      ['free', [p]],
      ['free', [0]],
      ['calloc', [10, 10], p],
      ['free', [p]],
      ['CoTaskMemAlloc', [0], p],
      ['CoTaskMemFree', [p]],
      ['VirtualAlloc', [0, 0x10000, 0x3000, 4], 0x50000],
      ['VirtualFree', [0x50000, 0, 0x8000], 1],
      ['InitializeCriticalSection', [q]],
      ['HeapValidate', [heap, 0, 0], 1],
      ['GetProcessHeap', [], 0xc0000],
      ['SomethingElse', [1, 2, 3], 4]
    ])
  )
  assert.equal(found(report), [])
  assert.is(report.summary.notReplayed, 0)
  assert.is(report.summary.calls, 22)
})

habits('LMEM_MOVEABLE is a CE flag of LocalReAlloc, which it allows to move the block (LR-4)', async () => {
  assert.equal(
    found(
      await check([
        ['LocalAlloc', [0, 10], p],
        ['LocalReAlloc', [p, 20, 2], p],
        ['LocalFree', [p], 0]
      ])
    ),
    []
  )
})

habits('one call can have several habits, each a finding of its own', async () => {
  const report = await check([
    ['HeapCreate', [5, 0, 0], heap],
    ['HeapDestroy', [heap], 1]
  ])
  assert.equal(found(report), ['warning W-2 1 HeapCreate', 'note W-1 1 HeapCreate'])
})

habits('calls from one place are counted together, from two places apart', async () => {
  const free = (site: string): Line => ['HeapFree', [heap, 0, 0], 1, { site }]
  const report = await check(within([free('a.c:1'), free('b.c:2'), free('a.c:1'), free('a.c:1')]))
  assert.equal(
    report.findings.map(({ count, callSite, position }) => [count, callSite, position]),
    [
      [3, 'a.c:1', 3],
      [1, 'b.c:2', 4]
    ]
  )
})

habits('W-15: a size that does not fit into 32 bits ends the replay of that call alone', async () => {
  const report = await check(
    within([
      ['HeapAlloc', [heap, 0, big], p],
      ['HeapFree', [heap, 0, p], 1]
    ])
  )
  const finding = only(report)
  assert.match(finding.onCe, /cut to 5 bytes/)
  assert.is(report.summary.notReplayed, 2, 'the allocation and the free')
  assert.is(report.summary.unknownPointers, 0)
})

habits('C-20 is a warning on ce-5.0, which wants MEM_RESERVE first', async () => {
  const lines: readonly Line[] = [['VirtualAlloc', [0, 0x10000, 0x1000, 4], p]]
  assert.is((await check(lines, { profile: 'ce-5.0' })).findings.find(({ rule }) => rule === 'C-20')?.severity, 'warning')
})

habits('VX-1: VirtualAllocEx came with CE 6.0', async () => {
  const lines: readonly Line[] = [
    ['VirtualAllocEx', [2 ** 64, 0, 0x10000, 0x3000, 4], 0x50000],
    ['VirtualFree', [0x50000, 0, 0x8000], 1]
  ]
  assert.equal(found(await check(lines, { profile: 'ce-5.0' })), ['error VX-1 1 VirtualAllocEx'])
  assert.equal(found(await check(lines)), [])
})

habits('W-17 follows the profile: 64 KB on compact-7, 16 KB on ce-6.0, 192 KB on ce-5.0 (HI-12)', async () => {
  const lines = within([['HeapAlloc', [heap, 0, 0x10001], p], freed])
  const rules = async (profile: 'compact-7' | 'ce-6.0' | 'ce-5.0' | 'compact-2013'): Promise<string[]> =>
    found(await check(lines, { profile }))
  assert.equal(await rules('compact-7'), ['note W-17 1 HeapAlloc'])
  assert.equal(await rules('ce-6.0'), ['note W-17 1 HeapAlloc'])
  assert.equal(await rules('ce-5.0'), [])
  assert.equal(await rules('compact-2013'), [])
})

habits('W-21, TH-6: TH32CS_INHERIT asks for the modules of all processes', async () => {
  const report = await check([['CreateToolhelp32Snapshot', [0x80000002, 0], p]])
  assert.equal(
    report.findings.map(({ title }) => title),
    ['TH32CS_INHERIT means something else', 'Tool-help snapshot']
  )
  assert.match(report.findings[1]!.onCe, /without TH32CS_SNAPNOHEAPS/)
})

habits('a call with fewer arguments than it has parameters is counted and left out', async () => {
  const report = await check([
    ['HeapAlloc', [heap], p],
    ['VirtualAlloc', [], p]
  ])
  assert.equal(found(report), [])
  assert.is(report.summary.notReplayed, 2)
  assert.is(report.summary.calls, 2)
})

habits('W-19: a region that is all reserved, all committed or decommitted first is released', async () => {
  const base = 0x50000
  const reserved: Line = ['VirtualAlloc', [0, 0x20000, 0x2000, 4], base]
  const released: Line = ['VirtualFree', [base, 0, 0x8000], 1]
  const clean: Line[][] = [
    [reserved, released],
    [reserved, ['VirtualAlloc', [base, 0x20000, 0x1000, 4], base], released],
    [reserved, ['VirtualAlloc', [base + 5, 1, 0x1000, 4], base], ['VirtualFree', [base, 0, 0x4000], 1], released],
    [['VirtualAlloc', [0, 0xf001, 0x3000, 4], base], released]
  ]
  for (const lines of clean) assert.equal(found(await check(lines)), [])
})

habits.run()
