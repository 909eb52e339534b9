import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { REC, recordOf } from '../../src/heap/record.ts'
import { HEAP_NO_SERIALIZE, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { everywhere, filled, open, places } from './world.ts'

const validate = suite('HeapValidate')

everywhere(validate, 'HV-1, HV-2, HV-4: a sound heap is 1, as a whole and block by block, whatever the profile', (world) => {
  const { ce, heap } = world
  for (const handle of [heap, ce.HeapCreate(0, 0, 0x100000)]) {
    const blocks = [0, 1, 32, 100, 5000, 0x30001, 0x48000].map((bytes) => ce.HeapAlloc(handle, 0, bytes))
    ce.HeapFree(handle, 0, blocks[2] as number)
    assert.equal(
      world.answer(() => ce.HeapValidate(handle, 0, 0)),
      { result: 1, error: 'untouched', rules: [], changed: false }
    )
    blocks.forEach((block, n) => {
      assert.equal(
        world.answer(() => ce.HeapValidate(handle, 0, block)),
        { result: n === 2 ? 0 : 1, error: 'untouched', rules: [], changed: false }
      )
    })
  }
})

everywhere(validate, "HV-3, C-36: a freed block, an address in a block and another heap's block are 0", (world) => {
  const { ce, heap } = world
  const other = ce.HeapCreate(0, 0, 0)
  const [block, gone, foreign] = [ce.HeapAlloc(heap, 0, 100), ce.HeapAlloc(heap, 0, 100), ce.HeapAlloc(other, 0, 100)]
  ce.HeapFree(heap, 0, gone)
  for (const pointer of [gone, block + 32, block + 1, foreign, 0x10, 0xffffffe0]) {
    assert.equal(
      world.answer(() => ce.HeapValidate(heap, 0, pointer)),
      { result: 0, error: 'untouched', rules: [], changed: false }
    )
  }
})

everywhere(validate, 'HV-4: the last error is never set, not even for what is no heap', (world) => {
  assert.equal(
    world.answer(() => world.ce.HeapValidate(0, 0, 0)),
    { result: 0, error: 'untouched', rules: ['C-4'], changed: false }
  )
})

for (const place of places.filter(({ build }) => build === 'debug')) {
  validate(
    `HV-2, HI-15: on debug a byte written behind a block is found in that block and in the heap, and reported when it is freed [${place.name}]`,
    () => {
      const world = open(place)
      const { ce, heap, findings } = world
      for (const handle of [heap, ce.HeapCreate(0, 0, 0x100000)]) {
        for (const bytes of [0, 1, 32, 100, 5000, 0x48000]) {
          const [good, block] = [ce.HeapAlloc(handle, 0, 10), ce.HeapAlloc(handle, 0, bytes)]
          ce.memory.writeU8(block + bytes + 3, 7)
          assert.equal(
            [good, block, 0].map((pointer) => ce.HeapValidate(handle, 0, pointer)),
            [1, 0, 0],
            String(bytes)
          )
          assert.is(findings.length, 0, 'asking is no finding')
          assert.is(ce.HeapFree(handle, 0, block), 1)
          assert.is(
            findings
              .splice(0)
              .map(({ rule }) => rule)
              .join(),
            'DT-2'
          )
          assert.is(ce.HeapValidate(handle, 0, 0), 1)
          ce.HeapFree(handle, 0, good)
        }
      }
    }
  )

  validate(
    `HI-15: on debug HeapReAlloc, LocalFree and LocalReAlloc report the overwritten byte too, by its address [${place.name}]`,
    () => {
      const { ce, heap, findings } = open(place)
      const spoilt = (): number => {
        const block = ce.HeapAlloc(heap, 0, 100)
        ce.memory.writeU8(block + 100, 7)
        return block
      }
      for (const call of [
        (block: number) => ce.HeapReAlloc(heap, 0, block, 200),
        (block: number) => ce.HeapReAlloc(heap, 0, block, 50),
        (block: number) => ce.LocalReAlloc(block, 50, 0),
        (block: number) => ce.LocalFree(block),
        (block: number) => ce.GlobalFree(block)
      ]) {
        const block = spoilt()
        call(block)
        const [finding] = findings.splice(0)
        assert.is(finding?.rule, 'DT-2')
        assert.match(finding?.message ?? '', `0x${(block + 100).toString(16).toUpperCase().padStart(8, '0')}`)
      }
      assert.is(ce.HeapValidate(heap, 0, 0), 1, 'each call that touched the block mended its sentinel or freed it')
    }
  )
}

for (const place of places.filter(({ build }) => build === 'debug')) {
  validate(`C-46: on debug at least 32 bytes behind each block hold 0xFD, and only a changed one is a fault [${place.name}]`, () => {
    const { ce, heap, findings } = open(place)
    for (const bytes of [0, 1, 32, 100, 0x48000]) {
      const block = ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, bytes)
      assert.ok(filled(ce, block + bytes, 32, 0xfd))
      ce.memory.fill(block + bytes, 0xfd, 32)
      assert.is(ce.HeapValidate(heap, 0, block), 1)
      ce.memory.writeU8(block + bytes + 31, 0)
      assert.is(ce.HeapValidate(heap, 0, block), 0)
      const smaller = ce.HeapReAlloc(heap, 0, block, bytes >>> 1)
      assert.is(
        findings
          .splice(0)
          .map(({ rule }) => rule)
          .join(),
        'DT-2'
      )
      assert.ok(filled(ce, smaller + (bytes >>> 1), 32, 0xfd))
      assert.is(ce.HeapFree(heap, 0, smaller), 1)
    }
    assert.equal(findings, [])
  })
}

for (const place of places.filter(({ build }) => build === 'retail')) {
  validate(`HA-6: on retail the bytes up to the rounded size are the program's own, so writing there is no fault [${place.name}]`, () => {
    const { ce, heap, findings } = open(place)
    const block = ce.HeapAlloc(heap, 0, 100)
    ce.memory.fill(block, 7, 128)
    assert.is(ce.HeapValidate(heap, 0, block), 1)
    assert.is(ce.HeapValidate(heap, 0, 0), 1)
    ce.HeapFree(heap, 0, block)
    assert.equal(findings, [])
  })
}

everywhere(validate, 'HV-1: a heap whose structures contradict each other is 0, a sound block of it still 1', ({ ce, heap }) => {
  const block = ce.HeapAlloc(heap, 0, 100)
  const { sys } = ce.machine
  const counted = recordOf(ce.machine, heap) + REC.LIVE_BYTES
  sys[counted] = (sys[counted] as number) + 1
  assert.equal([ce.HeapValidate(heap, 0, 0), ce.HeapValidate(heap, 0, block)], [0, 1])
  sys[counted] = (sys[counted] as number) - 1
  assert.is(ce.HeapValidate(heap, 0, 0), 1)
})

everywhere(validate, 'FL-1, C-13: HEAP_NO_SERIALIZE is taken, other bits are ignored with a finding', (world) => {
  const { ce, heap } = world
  for (const [flags, rules] of [
    [HEAP_NO_SERIALIZE, []],
    [HEAP_ZERO_MEMORY, ['C-13']],
    [4, ['W-2']]
  ] as const) {
    assert.equal(
      world.answer(() => ce.HeapValidate(heap, flags, 0)),
      { result: 1, error: 'untouched', rules: [...rules], changed: false }
    )
  }
})

validate.run()
