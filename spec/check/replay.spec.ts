// Calls that answer otherwise on CE than in the recording.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CheckOptions } from '../../src/check/index.ts'
import { check, found, heap, type Line, only, p, q, within } from './trace.ts'

const MB = 1024 * 1024
const small: CheckOptions = { memory: 2 * MB, physical: MB }

const sizes = suite('check: the size of a block')

sizes('W-5, HS-3: HeapSize is rounded up to 32 on retail', async () => {
  const finding = only(
    await check(
      within([
        ['HeapAlloc', [heap, 0, 100], p],
        ['HeapSize', [heap, 0, p], 100],
        ['HeapFree', [heap, 0, p], 1]
      ])
    )
  )
  assert.is(`${finding.severity} ${finding.rule}`, 'warning W-5')
  assert.is(finding.onCe, 'returns 128, where 100 were asked for and the recording has 100')
  assert.is(finding.recorded, 'HeapSize(0xA0000, 0, 0x20010) returned 100')
})

sizes('W-5, LS-2: LocalSize and _msize too', async () => {
  const report = await check([
    ['LocalAlloc', [0, 33], p],
    ['LocalSize', [p], 33],
    ['LocalFree', [p], 0],
    ['malloc', [1], q],
    ['_msize', [q], 1],
    ['free', [q]]
  ])
  assert.equal(found(report), ['warning W-5 1 LocalSize', 'warning W-5 1 _msize'])
})

sizes('HS-4: the debug build gives the size as asked for', async () => {
  const lines = within([
    ['HeapAlloc', [heap, 0, 100], p],
    ['HeapSize', [heap, 0, p], 100],
    ['HeapFree', [heap, 0, p], 1]
  ])
  assert.equal(found(await check(lines, { build: 'debug' })), [])
})

sizes('a size that is a multiple of 32 is no finding', async () => {
  assert.equal(
    found(
      await check(
        within([
          ['HeapAlloc', [heap, 0, 96], p],
          ['HeapSize', [heap, 0, p], 96],
          ['HeapFree', [heap, 0, p], 1]
        ])
      )
    ),
    []
  )
})

sizes('the size follows a resizing, in place or not', async () => {
  const report = await check(
    within([
      ['HeapAlloc', [heap, 0, 10], p],
      ['HeapReAlloc', [heap, 0, p, 64], q],
      ['HeapSize', [heap, 0, q], 64],
      ['HeapReAlloc', [heap, 0, q, 65], q],
      ['HeapSize', [heap, 0, q], 65],
      ['HeapFree', [heap, 0, q], 1]
    ])
  )
  assert.is(only(report).onCe, 'returns 96, where 65 were asked for and the recording has 65')
})

sizes('W-7, HS-5: HeapSize of NULL fails in its own way', async () => {
  assert.equal(found(await check(within([['HeapSize', [heap, 0, 0], 0xffffffff]]))), ['warning W-7 1 HeapSize'])
  assert.equal(found(await check([['LocalSize', [0], 0]])), ['warning W-7 1 LocalSize'])
})

sizes.run()

const fixed = suite('check: heaps with a maximum size')

fixed('W-16, HA-2: 0x7FFF8 bytes are refused, one finding for the block', async () => {
  const report = await check(
    within(
      [
        ['HeapAlloc', [heap, 0, 0x7fff8], p],
        ['HeapSize', [heap, 0, p], 0x7fff8],
        ['HeapReAlloc', [heap, 0, p, 0x80000], q],
        ['HeapFree', [heap, 0, q], 1]
      ],
      4 * MB
    )
  )
  const finding = only(report)
  assert.is(`${finding.severity} ${finding.rule} ${finding.call}`, 'error W-16 HeapAlloc')
  assert.match(finding.onCe, /512 KB in one block are refused.*0x7FFF8/)
  assert.is(report.summary.notReplayed, 3, 'what follows on that block')
})

fixed('W-16: 0x7FFF7 bytes are not', async () => {
  assert.equal(
    found(
      await check(
        within(
          [
            ['HeapAlloc', [heap, 0, 0x7fff7], p],
            ['HeapFree', [heap, 0, p], 1]
          ],
          4 * MB
        )
      )
    ),
    []
  )
})

fixed('W-16, HC-10: the heap itself takes some of the maximum', async () => {
  const finding = only(
    await check(
      within(
        [
          ['HeapAlloc', [heap, 0, 0x10000], p],
          ['HeapFree', [heap, 0, p], 1]
        ],
        0x10000
      )
    )
  )
  assert.is(`${finding.severity} ${finding.rule}`, 'error W-16')
  assert.match(finding.onCe, /no free piece of 64 KB is left in the 64 KB of the heap/)
})

fixed('C-9: HeapReAlloc to 0x7FFF8 bytes is refused too, and what follows on the block is quiet', async () => {
  const report = await check(
    within(
      [
        ['HeapAlloc', [heap, 0, 100], p],
        ['HeapReAlloc', [heap, 0, p, 0x7fff8], q],
        ['HeapFree', [heap, 0, q], 1]
      ],
      4 * MB
    )
  )
  assert.equal(found(report), ['error W-16 1 HeapReAlloc'])
  assert.is(report.heaps.find(({ kind }) => kind === 'fixed')?.liveBlocks, 0)
})

fixed('C-10: an initial size above the maximum', async () => {
  const report = await check([
    ['HeapCreate', [0, 0x2000, 0x1000], heap],
    ['HeapAlloc', [heap, 0, 10], p],
    ['HeapFree', [heap, 0, p], 1],
    ['HeapDestroy', [heap], 1]
  ])
  assert.equal(found(report), ['error C-10 1 HeapCreate'])
  assert.is(report.summary.notReplayed, 2)
})

fixed.run()

const memory = suite('check: out of memory')

memory('W-24: physical memory is used up', async () => {
  const finding = only(
    await check(
      [
        ['malloc', [2 * MB], p],
        ['free', [p]]
      ],
      { memory: 8 * MB, physical: MB }
    ).then(withoutBig)
  )
  assert.is(`${finding.severity} ${finding.rule} ${finding.call}`, 'error W-24 malloc')
  assert.match(finding.onCe, /2,048 KB do not fit into what is left of 1,024 KB of physical memory/)
})

memory('C-29: no address space is left', async () => {
  const finding = only(
    await check(
      [
        ['malloc', [3 * MB], p],
        ['free', [p]]
      ],
      { memory: 2 * MB, physical: 8 * MB }
    ).then(withoutBig)
  )
  assert.is(finding.rule, 'C-29')
})

memory('W-18, VL-1: a CE 5 process has 32 MB', async () => {
  const report = withoutBig(
    await check(
      [
        ['malloc', [40 * MB], p],
        ['free', [p]]
      ],
      { profile: 'ce-5.0', physical: 64 * MB }
    )
  )
  assert.is(only(report).rule, 'W-18')
})

memory('C-11: a heap that cannot be created, and quiet after it', async () => {
  const lines = within(
    [
      ['HeapAlloc', [heap, 0, 10], p],
      ['HeapFree', [heap, 0, p], 1]
    ],
    4 * MB
  )
  const report = await check(lines, small)
  assert.equal(found(report), ['error C-11 1 HeapCreate'])
  assert.is(report.heaps.find(({ kind }) => kind === 'fixed')?.emulatedHandle, 0)
})

memory('W-18: on ce-5.0 it is the address space', async () => {
  assert.equal(found(await check(within([], 40 * MB), { profile: 'ce-5.0' })), ['error W-18 1 HeapCreate'])
})

memory('what fails in the recording too is no finding', async () => {
  const report = await check(within([['HeapAlloc', [heap, 0, 0x7fff8], 0]], MB))
  assert.equal(found(report), [])
})

memory('W-6, HA-5: on ce-5.0 such a failure sets no last error', async () => {
  const report = await check(within([['HeapAlloc', [heap, 0, 0x7fff8], 0]], MB), { profile: 'ce-5.0' })
  assert.equal(found(report), ['note W-6 1 HeapAlloc'])
})

/** The blocks above are large by intent. */
function withoutBig(report: Awaited<ReturnType<typeof check>>): Awaited<ReturnType<typeof check>> {
  return { ...report, findings: report.findings.filter(({ rule }) => rule !== 'W-17') }
}

memory.run()

const otherWay = suite('check: failed in the recording, works on CE')

otherWay('an allocation (HC-4), in a fixed heap (HC-3), a resizing and a creation (HC-8) are notes', async () => {
  const report = await check([
    ...within([
      ['HeapAlloc', [heap, 0, 100], 0],
      ['HeapAlloc', [heap, 0, 10], p],
      ['HeapReAlloc', [heap, 0, p, 20], 0],
      ['HeapFree', [heap, 0, p], 1]
    ]),
    ...within([['HeapAlloc', [heap, 0, 100], 0]], MB),
    ['HeapCreate', [0, 0, 0], 0],
    ['LocalAlloc', [0, 5], 0]
  ])
  assert.equal(found(report), [
    'note HC-3 1 HeapAlloc',
    'note HC-4 1 HeapAlloc',
    'note HC-4 1 HeapReAlloc',
    'note HC-4 1 LocalAlloc',
    'note HC-8 1 HeapCreate'
  ])
  assert.ok(
    report.heaps.every(({ liveBlocks }) => liveBlocks === 0),
    'the emulator keeps step with the recording'
  )
})

otherWay.run()

const resizing = suite('check: resizing')

/** A block with a neighbour behind it, so that it cannot grow in place. */
const hemmed = (resize: Line): Line[] => [['LocalAlloc', [0, 32], p], ['LocalAlloc', [0, 32], q], resize, ['LocalFree', [q], 0]]

resizing('W-12, LR-4: LocalReAlloc without LMEM_MOVEABLE cannot move the block', async () => {
  const report = await check([...hemmed(['LocalReAlloc', [p, 4000, 0], p]), ['LocalFree', [p], 0]])
  assert.equal(found(report), ['error W-12 1 LocalReAlloc'])
  assert.is(report.summary.notReplayed, 1)
})

resizing('W-12: with LMEM_MOVEABLE it moves', async () => {
  assert.equal(found(await check([...hemmed(['LocalReAlloc', [p, 4000, 2], 0x90010]), ['LocalFree', [0x90010], 0]])), [])
})

resizing('FL-4: HEAP_REALLOC_IN_PLACE_ONLY finds no room, a warning since that is what it may do', async () => {
  const report = await check(
    within([
      ['HeapAlloc', [heap, 0, 32], p],
      ['HeapAlloc', [heap, 0, 32], q],
      ['HeapReAlloc', [heap, 0x10, p, 4000], p],
      ['HeapFree', [heap, 0, q], 1],
      ['HeapFree', [heap, 0, p], 1]
    ])
  )
  assert.equal(found(report), ['warning FL-4 1 HeapReAlloc'])
})

resizing('LR-3, C-32: a fixed block cannot become movable', async () => {
  assert.equal(
    found(
      await check([
        ['LocalAlloc', [0, 10], p],
        ['LocalReAlloc', [p, 0, 0x82], p],
        ['LocalFree', [p], 0]
      ])
    ),
    ['error LR-3 1 LocalReAlloc']
  )
})

resizing('LR-2, C-33: LMEM_MODIFY alone changes nothing', async () => {
  assert.equal(
    found(
      await check([
        ['LocalAlloc', [0, 10], p],
        ['LocalReAlloc', [p, 0, 0x80], p],
        ['LocalFree', [p], 0]
      ])
    ),
    []
  )
})

resizing('W-13, HR-3: HeapReAlloc of NULL is no allocation', async () => {
  assert.equal(found(await check(within([['HeapReAlloc', [heap, 0, 0, 10], 0]]))), ['error W-13 1 HeapReAlloc'])
})

resizing('W-13: what follows on such a block is quiet', async () => {
  const report = await check(
    within([
      ['HeapReAlloc', [heap, 0, 0, 10], p],
      ['HeapSize', [heap, 0, p], 10],
      ['HeapFree', [heap, 0, p], 1]
    ])
  )
  assert.equal(found(report), ['error W-13 1 HeapReAlloc'])
  assert.is(report.summary.notReplayed, 2)
})

resizing('realloc to 0 bytes that returns a block keeps it', async () => {
  const report = await check([
    ['malloc', [10], p],
    ['realloc', [p, 0], q],
    ['free', [q]]
  ])
  assert.equal(found(report), [])
  assert.equal([report.heaps[0]?.frees, report.summary.unknownPointers], [1, 0])
})

resizing('calloc of 4 GB that the desktop refuses as well is no difference', async () => {
  assert.equal(found(await check([['calloc', [0x10000, 0x10000], 0]])), [])
})

resizing('realloc and CoTaskMemRealloc of NULL are (IM-4), of 0 bytes they free (IM-5)', async () => {
  const report = await check([
    ['realloc', [0, 10], p],
    ['realloc', [p, 20], q],
    ['realloc', [q, 0], 0],
    ['CoTaskMemRealloc', [0, 10], p],
    ['CoTaskMemFree', [p]]
  ])
  assert.equal(found(report), [])
  assert.is(report.heaps[0]?.liveBlocks, 0)
})

resizing.run()

const rest = suite('check: other calls')

rest('C-12: the process heap must not be destroyed, and lives on', async () => {
  const report = await check([
    ['GetProcessHeap', [], heap],
    ['HeapDestroy', [heap], 1],
    ['HeapAlloc', [heap, 0, 10], p],
    ['HeapFree', [heap, 0, p], 1]
  ])
  assert.equal(found(report), ['error C-12 1 HeapDestroy'])
})

rest('W-22, HP-4: HeapCompact can give 0 without failing', async () => {
  const note = only(await check(within([['HeapCompact', [heap, 0], 5000]])))
  assert.equal([note.severity, note.rule], ['note', 'W-22'])
  assert.match(note.onCe, /^returns 4096, the largest committed free block/)
  const full = await check([
    ['HeapCreate', [0, 0, 0], heap],
    ['HeapAlloc', [heap, 0, 0x10000], p],
    ['HeapCompact', [heap, 0], 4000, { site: 'full' }]
  ])
  const warning = full.findings.find(({ callSite }) => callSite === 'full')
  assert.equal(
    [warning?.severity, warning?.rule, warning?.onCe],
    ['warning', 'W-22', 'returns 0 and sets the last error to NO_ERROR: no committed memory is free']
  )
})

rest('calls on a heap that could not be created are counted', async () => {
  const report = await check(
    within(
      [
        ['HeapCompact', [heap, 0], 5],
        ['HeapValidate', [heap, 0, 0], 1]
      ],
      4 * MB
    ),
    small
  )
  assert.equal(found(report), ['error C-11 1 HeapCreate'])
  assert.is(report.summary.notReplayed, 1)
})

rest('HV-5: HeapValidate found a damaged heap', async () => {
  const report = await check(within([['HeapValidate', [heap, 0, 0], 0]]))
  assert.equal(found(report), ['error HV-5 1 HeapValidate'])
})

rest('HV-3, C-36: HeapValidate of what is no block of the heap asks a question', async () => {
  assert.equal(found(await check(within([['HeapValidate', [heap, 0, p], 0]]))), [])
})

rest('C-26, EX-10: malloc and its relatives are replayed on the process heap', async () => {
  const report = await check([
    ['malloc', [100], p],
    ['calloc', [10, 10], q]
  ])
  assert.is(report.heaps.length, 1)
  assert.is(report.heaps[0]?.kind, 'process heap')
  assert.is(report.heaps[0]?.liveBytes, 200)
})

rest('W-25: CeHeapCreate, which only CE has, is replayed like HeapCreate', async () => {
  const report = await check([
    ['CeHeapCreate', [0, 0x1000, 0x10000, 1, 2], heap],
    ['HeapAlloc', [heap, 0, 0x10000], 0],
    ['HeapDestroy', [heap], 1]
  ])
  assert.equal(found(report), ['note W-25 1 CeHeapCreate'])
})

rest.run()
