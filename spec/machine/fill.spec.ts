// The fast ways to zero and to copy granules, against a plain array.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { copyGranules, zeroGranules } from '../../src/machine/fill.ts'
import { GRANULE, UNIT } from '../../src/machine/layout.ts'
import { createMachine, type Machine } from '../../src/machine/machine.ts'

/** User memory that a shared array buffer gave, and such as a wasm memory gave: the second has faster ways. */
const machines: readonly [string, () => Machine][] = [
  ['a SharedArrayBuffer', () => createMachine(new SharedArrayBuffer(2 * UNIT))],
  ['a WebAssembly.Memory', () => createMachine(new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true }))]
]

const GRANULES = (2 * UNIT) / GRANULE
const range = fc
  .tuple(fc.nat({ max: GRANULES }), fc.nat({ max: 100 }))
  .map(([at, size]) => ({ at: at * GRANULE, length: Math.min(size, GRANULES - at) * GRANULE }))
const far = fc
  .tuple(fc.nat({ max: GRANULES }), fc.nat({ max: GRANULES }))
  .map(([at, size]) => ({ at: at * GRANULE, length: Math.min(size, GRANULES - at) * GRANULE }))

const fill = suite('zeroing and copying granules')

for (const [name, make] of machines) {
  fill(`zeroGranules zeroes its bytes and no other [${name}]`, () => {
    const machine = make()
    property(
      'machine/fill',
      fc.oneof(range, far),
      ({ at, length }) => {
        machine.bytes.fill(0xa7)
        zeroGranules(machine, at, length)
        const expected = new Uint8Array(2 * UNIT).fill(0xa7).fill(0, at, at + length)
        assert.is(Buffer.compare(Buffer.from(machine.bytes), Buffer.from(expected)), 0)
      },
      { runs: 60 }
    )
  })

  fill(`copyGranules copies every bit pattern, the NaNs of doubles included, and touches no other byte [${name}]`, () => {
    const machine = make()
    // Signalling and quiet NaNs among them.
    const pattern = Uint8Array.from({ length: 2 * UNIT }, (_, n) => (n % 8 > 5 ? (n % 3 === 0 ? 0xf7 : 0xff) : (n * 37) & 0xff))
    property(
      'machine/fill',
      fc.tuple(fc.oneof(range, far), fc.nat({ max: GRANULES })),
      ([{ at, length }, target]) => {
        const to = target * GRANULE
        const size = Math.min(length, 2 * UNIT - to, Math.abs(to - at))
        machine.bytes.set(pattern)
        copyGranules(machine, to, at, size)
        const expected = pattern.slice().copyWithin(to, at, at + size)
        assert.is(Buffer.compare(Buffer.from(machine.bytes), Buffer.from(expected)), 0)
      },
      { runs: 60 }
    )
  })
}

fill('no bytes are no bytes', () => {
  for (const [, make] of machines) {
    const machine = make()
    machine.bytes.fill(1)
    zeroGranules(machine, 64, 0)
    copyGranules(machine, 64, 128, 0)
    assert.ok(machine.bytes.every((byte) => byte === 1))
  }
})
fill.run()
