import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  buildEvent,
  buildLog,
  heapAlloc,
  heapCreate,
  heapDestroy,
  heapFree,
  heapReAlloc,
  type LogEvent,
  marker,
  threadSwitch
} from './celogbuild.ts'
import { read, shown } from './read.ts'

const life: readonly LogEvent[] = [
  heapCreate(0xd0010000),
  heapAlloc(0xd0010000, 100, 0xd0010400, 0x00011234, 0x00015678),
  threadSwitch,
  heapReAlloc(0xd0010000, 200, 0xd0010400, 0xd0010800, 0x00012222),
  heapFree(0xd0010000, 0xd0010800),
  heapDestroy(0xd0010000)
]
const lifeShown = [
  'HeapCreate(0,1000,40000)=d0010000',
  'HeapAlloc(d0010000,8,64)=d0010400',
  'HeapReAlloc(d0010000,0,d0010400,c8)=d0010800',
  'HeapFree(d0010000,0,d0010800)=?',
  'HeapDestroy(d0010000)=?'
]

const events = suite('celog: events')
for (const version of [2, 3] as const) {
  events(`version ${version}: heap events become calls with thread, process, site and offset`, async () => {
    const log = buildLog(version, [marker(version), ...life])
    const { events: found, source } = await read(log)
    assert.is(source.format, 'celog')
    assert.is(source.unit, 'offset')
    assert.equal(shown(found), lifeShown)
    assert.equal(
      found.map(({ thread, process, site, via }) => [thread, process, site, via]),
      ['', '00011234', '00012222', '', ''].map((site) => [0x11, 0x22, site, ''])
    )
    const first = buildEvent(version, marker(version)).length
    assert.equal(
      found.slice(0, 2).map(({ position }) => position),
      [first, first + 28]
    )
    assert.equal([source.skipped, source.lost, source.damage], [2, 0, undefined])
  })
  events(`version ${version}: time stamps on any event and data that is no multiple of a DWORD are stepped over`, async () => {
    const log = buildLog(version, [
      { id: 1000, data: [0x41414141, 0x42], length: 5, stamp: 99 },
      { ...life[1]!, stamp: 100 },
      { id: 0x2001, data: [0x41], length: 1 },
      life[4]!
    ])
    assert.equal(shown((await read(log)).events), [lifeShown[1]!, lifeShown[3]!])
  })
}
events('the oldest logs lack thread and process', async () => {
  const log = buildLog(2, [
    { id: 25, data: [0, 0x1000, 0, 0xd0010000] },
    { id: 26, data: [0xd0010000, 0, 16, 0xd0010400] },
    { id: 28, data: [0xd0010000, 0, 0xd0010400] },
    { id: 29, data: [0xd0010000] }
  ])
  const { events: found } = await read(log)
  assert.is(found.length, 4)
  assert.ok(found.every(({ thread, process, site }) => thread === 0 && process === 0 && site === ''))
})
events('lost data is counted and noted', async () => {
  const { events: found, source } = await read(
    buildLog(3, [marker(3), life[0]!, { id: 150, data: [4096] }, { id: 150, data: [10] }, life[1]!])
  )
  assert.is(found.length, 2)
  assert.is(source.lost, 4106)
  assert.equal(source.damage, { message: 'the device lost 4096 bytes of log at offset 52 (CELID_DATA_LOSS)', position: 52, further: 1 })
})
events('flag data of an event with the flagged id is stepped over, and the real id counts', async () => {
  for (const flaggedAs of [0x1ffd, 0x1f00]) {
    const flagged = { ...life[1]!, flaggedAs, flag: 1, stamp: 5 }
    const log = buildLog(2, [marker(2), life[0]!, flagged, ...life.slice(2), ...life, ...life])
    const { events: found } = await read(log)
    assert.equal(shown(found), [...lifeShown, ...lifeShown, ...lifeShown])
  }
})
events('an unknown id in the range of the flagged one is skipped by its length', async () => {
  const log = buildLog(2, [marker(2), { id: 0x1ffd, data: [1, 2, 3] }, ...life])
  assert.equal(shown((await read(log)).events), lifeShown)
})
events.run()

const forms = suite('celog: which header form')
forms('a CPU number tells version 3, without a marker too', async () => {
  const log = buildLog(
    3,
    life.map((event, index) => ({ ...event, cpu: index % 2 }))
  )
  assert.equal(shown((await read(log)).events), lifeShown)
})
forms('CPU 15 and above is in a DWORD of its own', async () => {
  const log = buildLog(3, [
    marker(3),
    ...life.map((event) => ({ ...event, cpu: 15, stamp: 3 })),
    ...life.map((event) => ({ ...event, cpu: 40 }))
  ])
  assert.equal(shown((await read(log)).events), [...lifeShown, ...lifeShown])
})
forms('an event of more than 4,095 bytes tells version 2, without a marker too', async () => {
  const large: LogEvent = { id: 60, data: Array.from({ length: 0x1010 / 4 }, (_, index) => index) }
  assert.equal(shown((await read(buildLog(2, [large, ...life]))).events), lifeShown)
  assert.equal(shown((await read(buildLog(2, [...life, large, ...life]))).events), [...lifeShown, ...lifeShown])
})
forms('a marker that comes late settles it for what follows', async () => {
  const log = buildLog(3, [...life, marker(3), ...life.map((event) => ({ ...event, cpu: 3 }))])
  assert.equal(shown((await read(log)).events), [...lifeShown, ...lifeShown])
})
forms.run()

const damage = suite('celog: damage')
damage('a truncated last event ends the log, and the offset is named', async () => {
  const log = buildLog(3, [marker(3), ...life])
  const last = buildEvent(3, life.at(-1)!).length
  for (let cut = 1; cut < last; cut++) {
    const { events: found, source } = await read(log.subarray(0, log.length - cut))
    assert.is(found.length, 4)
    assert.is(source.damage?.position, log.length - last)
    assert.is(source.damage?.message, `the last event is truncated at offset ${log.length - last}: ${last - cut} bytes of it are there`)
  }
})
damage('bytes that are no header end the log there', async () => {
  const log = buildLog(2, [marker(2), ...life])
  const { events: found, source } = await read(Buffer.concat([log, Buffer.alloc(64)]))
  assert.is(found.length, 5)
  assert.equal(source.damage, {
    message: `no event header at offset ${log.length}: the rest of the log cannot be read`,
    position: log.length,
    further: 0
  })
})
damage('a long log arrives whole, in chunks of any size', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => heapAlloc(0xd0010000, 32, 0xd0020000 + 32 * index, 0x11000 + index))
  const log = buildLog(3, [marker(3), ...many.map((event, index) => ({ ...event, cpu: index % 3 }))])
  for (const chunk of [13, 4099, 1 << 20]) {
    const { events: found } = await read(log, { chunk })
    assert.is(found.length, 20_000)
    assert.ok(found.every(({ result }, index) => result === 0xd0020000 + 32 * index))
  }
})
damage.run()
