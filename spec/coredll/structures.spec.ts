// CE structures in user memory: every table tiles its structure, and the accesses are the checked ones.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dword, Structure, word } from '../../src/coredll/structure.ts'
import * as tables from '../../src/coredll/structures.ts'
import { AccessViolation, type CeThread, createProcess, MEM_COMMIT, MEM_RESERVE, PAGE_READONLY, PAGE_READWRITE } from '../../src/index.ts'

const all = Object.values(tables) as unknown as Structure<Record<string, number>>[]

/** A committed page at the end of a reservation's committed part. */
function page(protection = PAGE_READWRITE): { ce: CeThread; at: number } {
  const ce = createProcess({ memory: 256 * 1024 }).thread
  const at = ce.VirtualAlloc(0, 2 * 4096, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(at, 4096, MEM_COMMIT, protection)
  return { ce, at }
}

const layout = suite('structures: layout')

for (const { name, size, fields, source } of all) {
  layout(`${name}: the fields follow each other without a gap, aligned to their size, up to ${size} bytes`, () => {
    let end = 0
    for (const [field, { at, bytes }] of Object.entries(fields)) {
      assert.is(at, end, field)
      assert.is(at % bytes, 0, field)
      end = at + bytes
    }
    assert.is(end, size)
    assert.ok(source.length > 0)
  })
}

layout('each bears the name by which it is imported, and so does what is said of its fields', () => {
  const { ce, at } = page()
  for (const [name, table] of Object.entries(tables)) {
    assert.is(table.name, name)
    assert.throws(
      () => table.get(ce.memory, at, 'none' as never),
      (error: unknown) => error instanceof RangeError && error.message.startsWith(`${name}: field: expected one of `)
    )
  }
})

layout('the sizes are those of the device: VQ-1, GM-2', () => {
  assert.is(tables.MEMORY_BASIC_INFORMATION.size, 28)
  assert.is(tables.MEMORYSTATUS.size, 32)
  assert.is(tables.SYSTEM_INFO.size, 36)
})
layout.run()

const access = suite('structures: access')
const PAIR: Structure<{ low: number; high: number; all: number }> = new Structure({
  name: 'PAIR',
  size: 8,
  source: 'this spec',
  fields: { low: word(0), high: word(2), all: dword(4) }
})

access('write and read give back every field, little-endian, whatever the alignment', () => {
  const { ce, at } = page()
  for (const offset of [0, 1, 2, 3, 4096 - 8]) {
    const values = { low: 0x1234, high: 0xffff, all: 0xfedcba98 }
    PAIR.write(ce.memory, at + offset, values)
    assert.equal(PAIR.read(ce.memory, at + offset), values)
    assert.equal([...ce.memory.read(at + offset, 8)], [0x34, 0x12, 0xff, 0xff, 0x98, 0xba, 0xdc, 0xfe])
  }
})

access('get and set reach one field, and nothing of those beside it', () => {
  const { ce, at } = page()
  PAIR.set(ce.memory, at, 'high', 7)
  PAIR.set(ce.memory, at, 'all', 0x80000000)
  assert.equal(PAIR.read(ce.memory, at), { low: 0, high: 7, all: 0x80000000 })
  assert.is(PAIR.get(ce.memory, at, 'high'), 7)
  assert.is(PAIR.get(ce.memory, at, 'all'), 0x80000000)
  assert.is(PAIR.get(ce.memory, at, 'low'), 0)
  PAIR.set(ce.memory, at, 'low', 0xffff)
  assert.equal(PAIR.read(ce.memory, at), { low: 0xffff, high: 7, all: 0x80000000 })
})

access('a structure that is partly out of reach is not read, and not written by half', () => {
  const { ce, at } = page()
  const last = at + 4096 - 7
  assert.throws(
    () => PAIR.write(ce.memory, last, { low: 1, high: 1, all: 1 }),
    (error: unknown) => error instanceof AccessViolation
  )
  assert.ok(ce.memory.read(at, 4096).every((byte) => byte === 0))
  assert.throws(
    () => PAIR.read(ce.memory, last),
    (error: unknown) => error instanceof AccessViolation
  )
  const readOnly = page(PAGE_READONLY)
  assert.equal(PAIR.read(readOnly.ce.memory, readOnly.at), { low: 0, high: 0, all: 0 })
  assert.throws(
    () => PAIR.set(readOnly.ce.memory, readOnly.at, 'low', 1),
    (error: unknown) => error instanceof AccessViolation
  )
})

access('a field that the structure does not have is a RangeError that lists those that it has', () => {
  const { ce, at } = page()
  for (const name of ['middle', 'constructor', 'toString'])
    assert.throws(
      () => PAIR.get(ce.memory, at, name as 'low'),
      (error: unknown) => error instanceof RangeError && error.message === `PAIR: field: expected one of low, high, all, got "${name}"`
    )
})

access('a value that does not fit its field is misuse, and nothing is written', () => {
  const { ce, at } = page()
  const good = { low: 1, high: 2, all: 3 }
  PAIR.write(ce.memory, at, good)
  for (const [values, field, most] of [
    [{ low: 9, high: 9, all: 2 ** 32 }, 'all', 0xffffffff],
    [{ low: 9, high: 0x10000, all: 9 }, 'high', 0xffff],
    [{ low: 9, high: 9, all: -1 }, 'all', 0xffffffff]
  ] as const) {
    assert.throws(
      () => PAIR.write(ce.memory, at, values),
      (error: unknown) =>
        error instanceof RangeError && error.message.startsWith(`PAIR.${field}: expected a whole number from 0 to ${most}, got `)
    )
  }
  assert.throws(
    () => PAIR.write(ce.memory, at, { low: 9, high: 9 } as typeof good),
    (error: unknown) => error instanceof TypeError && error.message.startsWith('PAIR.all: ')
  )
  assert.equal(PAIR.read(ce.memory, at), good)
})
access.run()
