import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess, type ProcessOptions, profiles } from '../../src/index.ts'
import { filled, places, refuses } from './world.ts'

const KB = 1024
const MB = 1024 * KB

const options = suite('createProcess')

options('without options: compact-2013, retail, 64 MB of memory and as much physical, a process heap', () => {
  const process = createProcess()
  assert.is(process.profile, profiles['compact-2013'])
  const { memory, physical, heaps, reservations, threads } = process.snapshot()
  assert.equal([memory, physical, heaps.length, heaps[0]?.placement], [64 * MB, 64 * MB, 1, 'segregated'])
  assert.equal([reservations, threads], [[], [{ id: 1, lastError: 0 }]])
  assert.is(process.thread.tid, 1)
  const ce = process.thread
  assert.is(ce.HeapSize(ce.GetProcessHeap(), 0, ce.LocalAlloc(0, 1)), 32, 'retail')
  assert.is(ce.HeapCreate(0x1000, 0, 0), 0, 'no kernel mode')
  assert.is(createProcess({}).imageHash(), createProcess().imageHash())
})

options('undefined is as good as leaving an option out', () => {
  const none = {
    profile: undefined,
    build: undefined,
    memory: undefined,
    physical: undefined,
    placement: undefined,
    kernelMode: undefined,
    bigBlock: undefined,
    lockTimeout: undefined
  }
  assert.is(createProcess(none as unknown as ProcessOptions).imageHash(), createProcess().imageHash())
})

options('the profile ce-5.0 has 32 MB of memory by default and never more', () => {
  assert.is(createProcess({ profile: 'ce-5.0' }).snapshot().memory, 32 * MB)
  refuses(
    () => createProcess({ profile: 'ce-5.0', memory: 32 * MB + 64 * KB }),
    RangeError,
    /^memory: expected a multiple of 65536 bytes from 131072 to 33554432 \(ce-5\.0\), got 33619968$/
  )
})

const NUMBERS = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
const OTHERS = [null, '1', '', {}, [], 1n, true, Symbol('s'), () => 1]

/** Wrong values of one option, and what the message must begin with. */
const wrong: readonly (readonly [
  name: keyof ProcessOptions,
  values: readonly unknown[],
  type: typeof TypeError | typeof RangeError,
  message: RegExp
])[] = [
  [
    'profile',
    ['compact-2014', '', 'CE-6.0', 'toString', '__proto__'],
    RangeError,
    /^profile: expected one of compact-2013, compact-7, ce-6\.0, ce-5\.0, got "/
  ],
  ['profile', [null, 5, {}, ['ce-6.0'], 1n, true], TypeError, /^profile: expected one of compact-2013, compact-7, ce-6\.0, ce-5\.0, got /],
  ['build', ['release', ''], RangeError, /^build: expected one of retail, debug, got "/],
  ['build', [null, 0, {}, ['retail'], false], TypeError, /^build: expected one of retail, debug, got /],
  ['placement', ['first-fit', ''], RangeError, /^placement: expected one of segregated, next-fit, got "/],
  ['placement', [null, 0, {}], TypeError, /^placement: expected one of segregated, next-fit, got /],
  [
    'memory',
    [...NUMBERS, 0, 4096, 65_536, 65_537, 131_073, 2 ** 31 + 65_536, 2 ** 32],
    RangeError,
    /^memory: expected a multiple of 65536 bytes from 131072 to 2147483648 \(compact-2013\), got /
  ],
  [
    'memory',
    [
      ...OTHERS,
      new ArrayBuffer(MB),
      new Uint8Array(new SharedArrayBuffer(MB)),
      new Uint8Array(new SharedArrayBuffer(MB), 65_536),
      { buffer: 1 }
    ],
    TypeError,
    /^memory: expected a number of bytes, a SharedArrayBuffer or a shared WebAssembly\.Memory, got /
  ],
  [
    'memory',
    [new WebAssembly.Memory({ initial: 16 })],
    TypeError,
    /^memory: expected a number of bytes, a SharedArrayBuffer or a shared WebAssembly\.Memory, got an object \(Memory\)$/
  ],
  [
    'memory',
    [new SharedArrayBuffer(65_536), new SharedArrayBuffer(MB + 1), new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })],
    RangeError,
    /^memory: expected a multiple of 65536 bytes/
  ],
  ['physical', [...NUMBERS, 0, 4095, 2 ** 31 + 4096], RangeError, /^physical: expected a whole number from 4096 to 2147483648, got /],
  ['physical', [4097, 10_000], RangeError, /^physical: expected a multiple of 4096, got /],
  ['physical', OTHERS, TypeError, /^physical: expected a whole number/],
  ['bigBlock', [...NUMBERS, 0, 31, 2 ** 30 + 32], RangeError, /^bigBlock: expected a whole number from 32 to 1073741824, got /],
  ['bigBlock', [33, 0x18001], RangeError, /^bigBlock: expected a multiple of 32, got /],
  ['bigBlock', OTHERS, TypeError, /^bigBlock: expected a whole number/],
  ['lockTimeout', [...NUMBERS, 2 ** 31], RangeError, /^lockTimeout: expected a whole number from 0 to 2147483647, got /],
  ['lockTimeout', OTHERS, TypeError, /^lockTimeout: expected a whole number/],
  ['kernelMode', [null, 0, 1, 'true', {}], TypeError, /^kernelMode: expected true or false, got /]
]

for (const [name, values, type, message] of wrong) {
  options(
    `${name}: ${values.length} wrong values throw a ${type.name} that says what was expected (${message.source.slice(1, 60)})`,
    () => {
      for (const value of values) refuses(() => createProcess({ [name]: value } as ProcessOptions), type, message)
    }
  )
}

options('an unknown option throws a RangeError that lists the options', () => {
  refuses(
    () => createProcess({ memroy: MB } as ProcessOptions),
    RangeError,
    /^createProcess: option: expected one of profile, build, memory, .*, got "memroy"$/
  )
})

options('what is no object of options throws a TypeError', () => {
  for (const value of [null, 5, 'compact-2013', true, 1n, [], () => 1]) {
    refuses(() => createProcess(value as unknown as ProcessOptions), TypeError, /^createProcess: expected an object of options, got /)
  }
})

options('memory too small for the process heap throws a RangeError that says so', () => {
  refuses(
    () => createProcess({ profile: 'ce-5.0', memory: 128 * KB }),
    RangeError,
    /^memory and physical: expected room for the process heap \(196608 bytes of address space, one page of memory\), got 131072$/
  )
  assert.ok(createProcess({ memory: 128 * KB }))
  assert.ok(createProcess({ physical: 4096 }))
})

options('memory of the caller: the same bytes, and fresh pages are zero whatever was in them (C-19)', () => {
  for (const memory of [new SharedArrayBuffer(MB), new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true })]) {
    const buffer = memory instanceof SharedArrayBuffer ? memory : (memory.buffer as unknown as SharedArrayBuffer)
    const bytes = new Uint8Array(buffer).fill(0xcd)
    const process = createProcess({ memory })
    const ce = process.thread
    assert.is(process.snapshot().memory, MB)
    assert.is(ce.memory.bytes.buffer, buffer)
    const block = ce.LocalAlloc(0, 30_000)
    assert.ok(filled(ce, block, 30_000, 0))
    ce.memory.writeU8(block, 7)
    assert.is(bytes[block], 7)
  }
})

options('physical bounds what is committed, not what is reserved', () => {
  const { thread: ce, ...rest } = createProcess({ memory: MB, physical: 16 * KB })
  assert.ok(rest)
  assert.is.not(ce.HeapCreate(0, 0, 512 * KB), 0)
  assert.is(ce.LocalAlloc(0, 16 * KB), 0)
})

options('bigBlock sets the size above which a block leaves a growable heap (HI-12)', () => {
  const process = createProcess({ bigBlock: 1024 })
  const heap = process.thread.GetProcessHeap()
  const [small, big] = [process.thread.HeapAlloc(heap, 0, 1024), process.thread.HeapAlloc(heap, 0, 1025)]
  const state = (address: number): string | undefined =>
    process.snapshot().heaps[0]?.blocks.find((block) => block.address === address)?.state
  assert.equal([state(small), state(big)], ['live', 'big'])
})

options("placement is the profile's, or what the option says (C-25)", () => {
  const of = (wanted: ProcessOptions): string | undefined => createProcess({ ...wanted, memory: MB }).snapshot().heaps[0]?.placement
  assert.equal(
    places.map(({ profile }) => of({ profile })),
    ['segregated', 'segregated', 'segregated', 'segregated', 'segregated', 'segregated', 'next-fit', 'next-fit']
  )
  assert.equal([of({ placement: 'next-fit' }), of({ profile: 'ce-5.0', placement: 'segregated' })], ['next-fit', 'segregated'])
})

options.run()
