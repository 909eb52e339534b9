// User memory as the app sees it: checked accesses, and the access violation that the device would raise.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import {
  AccessViolation,
  type CeThread,
  createProcess,
  EXCEPTION_ACCESS_VIOLATION,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE,
  type UserMemory
} from '../../src/index.ts'

const PAGE = 4096

/** Three pages: committed, committed, reserved. */
function pages(): { ce: CeThread; memory: UserMemory; base: number } {
  const ce = createProcess({ memory: 512 * 1024 }).thread
  const base = ce.VirtualAlloc(0, 3 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  assert.is(ce.VirtualAlloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE), base)
  return { ce, memory: ce.memory, base }
}

function violates(call: () => unknown, access: 'read' | 'write', address: number): void {
  assert.throws(call, (error: unknown) => {
    assert.instance(error, AccessViolation)
    const found = error as AccessViolation
    assert.equal({ address: found.address, access: found.access, code: found.code }, { address, access, code: EXCEPTION_ACCESS_VIOLATION })
    assert.is(found.message, `access violation (0xC0000005): cannot ${access} address 0x${address.toString(16).padStart(8, '0')}`)
    return true
  })
}

const accesses = suite('checked accesses')

accesses('numbers are little-endian, of any alignment', () => {
  const { memory, base } = pages()
  for (const at of [0, 1, 2, 3]) {
    memory.writeU32(base + at, 0x89abcdef)
    assert.equal([...memory.read(base + at, 4)], [0xef, 0xcd, 0xab, 0x89])
    assert.is(memory.readU32(base + at), 0x89abcdef)
    assert.is(memory.readU16(base + at), 0xcdef)
    assert.is(memory.readU8(base + at + 3), 0x89)
    memory.writeU16(base + at, 0x1234)
    memory.writeU8(base + at + 2, 0x56)
    assert.is(memory.readU32(base + at), 0x89561234)
  }
})

/** Every accessor with a length of `length` bytes at an address. */
const accessors: readonly [string, 'read' | 'write', number, (memory: UserMemory, at: number) => unknown][] = [
  ['readU8', 'read', 1, (memory, at) => memory.readU8(at)],
  ['readU16', 'read', 2, (memory, at) => memory.readU16(at)],
  ['readU32', 'read', 4, (memory, at) => memory.readU32(at)],
  ['read', 'read', 100, (memory, at) => memory.read(at, 100)],
  ['writeU8', 'write', 1, (memory, at) => memory.writeU8(at, 1)],
  ['writeU16', 'write', 2, (memory, at) => memory.writeU16(at, 1)],
  ['writeU32', 'write', 4, (memory, at) => memory.writeU32(at, 1)],
  ['fill', 'write', 100, (memory, at) => memory.fill(at, 1, 100)],
  ['write', 'write', 100, (memory, at) => memory.write(at, new Uint8Array(100))],
  ['writeString', 'write', 8, (memory, at) => memory.writeString(at, 'abc')]
]

for (const [name, access, length, call] of accessors) {
  accesses(
    `${name} goes to the last committed byte; one byte further is a violation that names the first byte that cannot be reached`,
    () => {
      const { memory, base } = pages()
      const end = base + 2 * PAGE
      call(memory, end - length)
      const before = memory.bytes.slice(base, base + 3 * PAGE)
      violates(() => call(memory, end - length + 1), access, end)
      violates(() => call(memory, end + 10), access, end + 10)
      assert.equal(memory.bytes.slice(base, base + 3 * PAGE), before, 'nothing is written by half')
    }
  )

  accesses(`${name} fails at 0, in free address space and beyond user memory`, () => {
    const { memory } = pages()
    for (const at of [0, 0x100, 7 * 65_536, 512 * 1024, 0x7fffffff, 0xfffff000]) violates(() => call(memory, at), access, at)
    violates(() => call(memory, 512 * 1024 - 1), access, 512 * 1024 - 1)
  })

  accesses(`${name} wants a whole number for an address`, () => {
    const { memory } = pages()
    for (const at of [-1, 1.5, Number.NaN, 2 ** 32])
      assert.throws(
        () => call(memory, at),
        (error: unknown) => error instanceof RangeError && error.message.includes(`memory.${name}: address`)
      )
    assert.throws(() => call(memory, 'x' as unknown as number), TypeError)
  })
}

accesses('copy reads first, then writes, and names the side that fails', () => {
  const { memory, base } = pages()
  const end = base + 2 * PAGE
  memory.copy(base, end - 10, 10)
  memory.copy(end - 10, base, 10)
  violates(() => memory.copy(base, end - 9, 10), 'read', end)
  violates(() => memory.copy(end - 9, base, 10), 'write', end)
  violates(() => memory.copy(end - 9, end - 9, 10), 'read', end)
})

accesses('an access of no bytes touches nothing', () => {
  const { memory } = pages()
  memory.fill(0, 1, 0)
  memory.copy(0, 5, 0)
  assert.is(memory.read(0, 0).length, 0)
  memory.write(0xffffffff, new Uint8Array(0))
})

accesses('values out of range and of the wrong kind are refused before anything is written', () => {
  const { memory, base } = pages()
  for (const value of [-1, 0x100, 1.5, Number.NaN]) assert.throws(() => memory.writeU8(base, value), RangeError)
  assert.throws(() => memory.writeU16(base, 0x10000), RangeError)
  assert.throws(() => memory.writeU32(base, 2 ** 32), RangeError)
  assert.throws(() => memory.fill(base, 256, 1), RangeError)
  assert.throws(() => memory.fill(base, 1, -1), RangeError)
  assert.throws(() => memory.write(base, [1] as unknown as Uint8Array), TypeError)
  assert.is(memory.readU32(base), 0)
})

accesses('strings end with a zero: UTF-16 as CE has them, or one byte a character', () => {
  const { memory, base } = pages()
  for (const wide of [true, false]) {
    assert.is(memory.writeString(base + 1, 'Größe', wide), wide ? 12 : 6)
    assert.is(memory.readString(base + 1, wide), 'Größe')
  }
  assert.is(memory.writeString(base, '\u{1f600}'), 6)
  assert.is(memory.readString(base), '\u{1f600}')
  assert.is(memory.writeString(base, ''), 2)
  assert.is(memory.readString(base), '')
  memory.fill(base, 0x41, 2 * PAGE)
  violates(() => memory.readString(base, false), 'read', base + 2 * PAGE)
})
accesses.run()

const protections = suite('checked accesses: protection')

for (const [name, protection, reads, writes] of [
  ['PAGE_READWRITE', PAGE_READWRITE, true, true],
  ['PAGE_EXECUTE_READWRITE', PAGE_EXECUTE_READWRITE, true, true],
  ['PAGE_READONLY', PAGE_READONLY, true, false],
  ['PAGE_EXECUTE_READ', PAGE_EXECUTE_READ, true, false],
  ['PAGE_NOACCESS', PAGE_NOACCESS, false, false]
] as const) {
  protections(`${name} lets the app ${reads ? '' : 'not '}read and ${writes ? '' : 'not '}write`, () => {
    const { ce, memory, base } = pages()
    ce.VirtualAlloc(base + PAGE, PAGE, MEM_COMMIT, protection)
    const at = base + PAGE
    if (reads) assert.is(memory.readU8(at), 0)
    else violates(() => memory.read(base, PAGE + 1), 'read', at)
    if (writes) memory.writeU8(at, 1)
    else violates(() => memory.fill(base, 1, PAGE + 1), 'write', at)
  })
}
protections.run()

const whole = suite('fill, copy, read and write equal a plain array')

whole('whatever the ranges, overlapping or not', () => {
  const { memory, base } = pages()
  const size = 2 * PAGE
  const at = fc.nat({ max: size })
  const step = fc.record({
    do: fc.constantFrom('fill' as const, 'copy' as const, 'write' as const),
    to: at,
    from: at,
    length: at,
    value: fc.nat({ max: 255 })
  })
  property(
    'machine/memory',
    fc.array(step, { maxLength: 30 }),
    (steps) => {
      memory.fill(base, 0, size)
      const plain = new Uint8Array(size)
      for (const { do: what, to, from, length: wanted, value } of steps) {
        const length = Math.min(wanted, size - Math.max(to, from))
        if (what === 'fill') {
          memory.fill(base + to, value, length)
          plain.fill(value, to, to + length)
        } else if (what === 'copy') {
          memory.copy(base + to, base + from, length)
          plain.copyWithin(to, from, from + length)
        } else {
          const data = plain.slice(from, from + length).map((byte) => byte ^ value)
          memory.write(base + to, data)
          plain.set(data, to)
        }
      }
      assert.equal(memory.read(base, size), plain)
    },
    { runs: 200 }
  )
})
whole.run()
