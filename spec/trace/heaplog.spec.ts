import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { read, shown } from './read.ts'

const heap = '00e0:00e4:trace:heap:'
const readLines = (...lines: string[]) => read(`${lines.join('\n')}\n`)
const allocation = (result: string, size = '0x10', thread = '00e4') =>
  `00e0:${thread}:trace:heap:RtlAllocateHeap handle 0000000000340000, flags 0x8, size ${size}, return ${result}, status 0.`
const release = (block: string, thread = '00e4') =>
  `00e0:${thread}:trace:heap:RtlFreeHeap handle 0000000000340000, flags 0, ptr ${block}, return 1, status 0.`
const resize = (block: string, size: string, result: string, thread = '00e4') =>
  `00e0:${thread}:trace:heap:RtlReAllocateHeap handle 0000000000340000, flags 0x10, ptr ${block}, size ${size}, return ${result}, status 0.`

const lines = suite('wine heap log: lines')
lines('a line gives a call with its recorded name and no site', async () => {
  const { events, source } = await readLines('wine: a note', allocation('0000000000340370', '0x2000'))
  assert.is(source.format, 'wine-heap')
  assert.is(source.unit, 'line')
  assert.equal(events, [
    {
      call: 'HeapAlloc',
      thread: 0xe4,
      args: [0x340000, 8, 0x2000],
      result: 0x340370,
      process: 0xe0,
      site: '',
      via: 'RtlAllocateHeap',
      position: 2
    }
  ])
  assert.is(source.skipped, 1)
})
lines('each kind of line has its arguments in Win32 order', async () => {
  const { events } = await readLines(
    `${heap}RtlCreateHeap flags 0x2, addr 0000000000000000, total_size 0x100000, commit_size 0xbd0000, unknown 0000000000000000, definition 0000000000000000`,
    `${heap}RtlSizeHeap handle 0000000000340000, flags 0, ptr 00000000003423A0, return 0x125a, status 0.`,
    release('0000000000343D00'),
    resize('0000000000345030', '0x12f8', '0000000000345030'),
    `${heap}RtlDestroyHeap handle 00000000010A0000`
  )
  assert.equal(shown(events), [
    'HeapCreate(2,bd0000,100000)=?',
    'HeapSize(340000,0,3423a0)=125a',
    'HeapFree(340000,0,343d00)=1',
    'HeapReAlloc(340000,10,345030,12f8)=345030',
    'HeapDestroy(10a0000)=?'
  ])
})
lines('a failed call keeps the result as printed', async () => {
  const { events } = await readLines(
    `${heap}RtlAllocateHeap handle 00340000, flags 0, size 0x7fffffff, return 00000000, status 0xc0000017.`,
    `${heap}RtlFreeHeap handle 00340000, flags 0, ptr 00000010, return 0, status 0xc000000d.`,
    `${heap}RtlSizeHeap handle 0000000000340000, flags 0, ptr 0000000000000010, return 0xffffffffffffffff, status 0xc000000d.`
  )
  assert.equal(
    events.map(({ result }) => result),
    [0, 0, 2 ** 64]
  )
})
lines('lines of other channels, of no known shape or torn are skipped', async () => {
  const { events, source } = await readLines(
    '00e0:00e4:fixme:heap:RtlCompactHeap stub',
    `${heap}RtlFreeHeap handle 0000000000340000, flags 0, p00e0:00e8:err:x`,
    `${heap}RtlFillHeap handle 0000000000340000, flags 0, ptr 0000000000343D00, return 1, status 0.`,
    allocation('0000000000340370')
  )
  assert.is(events.length, 1)
  assert.is(source.skipped, 3)
})
lines('fields in between that are not known are passed over', async () => {
  const { events } = await readLines(
    `${heap}RtlAllocateHeap handle 0000000000340000, flags 0x8, align 0x10, size 0x20, zone 7, return 0000000000340370, status 0.`
  )
  assert.equal(shown(events), ['HeapAlloc(340000,8,20)=340370'])
})
lines('processes and threads are told apart, time stamps and a missing process id accepted', async () => {
  const { events } = await readLines(
    allocation('01'),
    `12.345:${allocation('02', '0x10', '00e8')}`,
    allocation('03').replace('00e0:', ''),
    allocation('04').replace('00e0:', '0120:')
  )
  assert.equal(
    events.map(({ process, thread, result }) => [process, thread, result]),
    [
      [0xe0, 0xe4, 1],
      [0xe0, 0xe8, 2],
      [0, 0xe4, 3],
      [0x120, 0xe4, 4]
    ]
  )
})
for (const [what, line] of [
  ['with a full stop', allocation('0000000000340370')],
  ['without', `${heap}RtlDestroyHeap handle 00000000010A0000`]
] as const) {
  lines(`a last line ${what} that is cut is damage and no event`, async () => {
    const before = [`${heap}RtlDestroyHeap handle 00000000010B0000`, line].join('\n')
    assert.is((await read(before)).events.length, 2)
    assert.is((await read(before)).source.damage, undefined)
    for (let cut = 1; cut < line.length; cut++) {
      const { events, source } = await read(before.slice(0, -cut))
      assert.is(events.length, 1, `${cut} bytes cut off`)
      assert.is(source.damage?.position, 2)
    }
  })
}
lines.run()

const moves = suite('wine heap log: a resize that moves')
moves('the allocation and the free that it is made of are left out, also between lines of another thread', async () => {
  const { events } = await readLines(
    allocation('0A'),
    allocation('0B', '0x40'),
    allocation('0C', '0x10', '00e8'),
    release('0A'),
    release('0C', '00e8'),
    resize('0A', '0x40', '0B'),
    release('0B')
  )
  assert.equal(shown(events), [
    'HeapAlloc(340000,8,10)=a',
    'HeapAlloc(340000,8,10)=c',
    'HeapFree(340000,0,c)=1',
    'HeapReAlloc(340000,10,a,40)=b',
    'HeapFree(340000,0,b)=1'
  ])
})
moves('of one that fails the failed allocation is left out', async () => {
  const { events } = await readLines(allocation('0A'), allocation('00', '0x7fffffff'), resize('0A', '0x7fffffff', '00'))
  assert.equal(shown(events), ['HeapAlloc(340000,8,10)=a', 'HeapReAlloc(340000,10,a,7fffffff)=0'])
})
moves("an allocation and a free that are the app's own stay", async () => {
  const { events } = await readLines(
    allocation('0A'),
    allocation('0B', '0x40'),
    release('0B'),
    resize('0A', '0x40', '0A'),
    allocation('0C', '0x30'),
    release('0D'),
    resize('0A', '0x50', '0E')
  )
  assert.is(events.length, 7)
})
moves.run()

const creation = suite('wine heap log: what HeapCreate and HeapDestroy allocate for themselves')
const create = `${heap}RtlCreateHeap flags 0x4, addr 0000000000000000, total_size 0, commit_size 0x1000, unknown 0000000000000000, definition 0000000000000000`
const table = `${heap}RtlAllocateHeap handle 00000000010A0000, flags 0x8, size 0x2000, return 00000000010A0370, status 0.`
creation('is left out, and the table that a new heap gets tells its handle', async () => {
  const { events } = await readLines(
    create,
    allocation('00000000003523D0', '0x30'),
    allocation('0B', '0x10', '00e8'),
    table,
    `${heap}RtlDestroyHeap handle 00000000010A0000`,
    `${heap}RtlFreeHeap handle 00000000010A0000, flags 0, ptr 00000000010A0370, return 1, status 0.`,
    release('00000000003523D0'),
    release('0B')
  )
  assert.equal(shown(events), [
    'HeapCreate(4,1000,0)=10a0000',
    'HeapAlloc(340000,8,10)=b',
    'HeapDestroy(10a0000)=?',
    'HeapFree(340000,0,b)=1'
  ])
})
creation('the table may come without the other', async () => {
  assert.equal(shown((await readLines(create, table)).events), ['HeapCreate(4,1000,0)=10a0000'])
})
creation('the creation of the process heap is given as GetProcessHeap', async () => {
  const { events } = await readLines(create.replace('0x4', '0x2'), table)
  assert.equal(shown(events), ['GetProcessHeap()=10a0000'])
})
creation("other allocations behind a creation are the app's", async () => {
  const { events } = await readLines(
    create,
    allocation('0A', '0x30'),
    allocation('0B', '0x10'),
    table,
    create,
    allocation('0C', '0x2000').replace('0x8', '0')
  )
  assert.equal(
    events.map(({ call, result }) => [call, result]),
    [
      ['HeapCreate', undefined],
      ['HeapAlloc', 10],
      ['HeapAlloc', 11],
      ['HeapAlloc', 0x10a0370],
      ['HeapCreate', undefined],
      ['HeapAlloc', 12]
    ]
  )
})
creation.run()
