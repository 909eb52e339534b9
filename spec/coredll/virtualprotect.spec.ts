// VirtualProtect, and what page protections mean to an app: VP-1 to VP-4.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AccessViolation,
  attachThread,
  type CeThread,
  ERROR_INVALID_ADDRESS,
  ERROR_INVALID_PARAMETER,
  EXCEPTION_GUARD_PAGE,
  GuardPageException,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RESERVE,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_EXECUTE_WRITECOPY,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_PHYSICAL,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOPY
} from '../../src/index.ts'
import { badPlaces } from './badout.ts'
import { everywhere } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const UNIT = 65_536
const BOTH = MEM_RESERVE | MEM_COMMIT

/** Committed pages of the app's own, and a DWORD to write to. */
function pages({ ce, heap }: World, count: number, protection: number = PAGE_READWRITE): { base: number; old: number } {
  return { base: ce.VirtualAlloc(0, count * PAGE, BOTH, protection), old: ce.HeapAlloc(heap, 0, 4) }
}

const protect = suite('VirtualProtect')

everywhere(protect, 'VP-1: every page touched gets the protection, and the old one of the first page is stored', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 4)
  const change = (address: number, size: number, protection: number): number => {
    assert.is(ce.VirtualProtect(address, size, protection, old), 1)
    return ce.memory.readU32(old)
  }
  assert.is(change(base + PAGE + 0xfff, 2, PAGE_READONLY), PAGE_READWRITE)
  assert.is(change(base, 1, PAGE_EXECUTE_READ), PAGE_READWRITE)
  assert.is(change(base, 4 * PAGE, PAGE_READWRITE), PAGE_EXECUTE_READ)
  assert.is(change(base + PAGE, PAGE, PAGE_NOACCESS | PAGE_NOCACHE), PAGE_READWRITE)
  assert.is(change(base + PAGE, PAGE, PAGE_READWRITE), PAGE_NOACCESS | PAGE_NOCACHE)
  ce.memory.fill(base, 5, 4 * PAGE)
})

everywhere(protect, 'contents stay, whatever the protections', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 2)
  ce.memory.fill(base, 7, 2 * PAGE)
  for (const protection of [PAGE_NOACCESS, PAGE_READONLY, PAGE_EXECUTE, PAGE_READWRITE]) ce.VirtualProtect(base, 2 * PAGE, protection, old)
  assert.ok(ce.memory.read(base, 2 * PAGE).every((byte) => byte === 7))
})

everywhere(
  protect,
  'VP-3, VA-15, C-66: one of six protections, with or without PAGE_NOCACHE and PAGE_GUARD; any other is error 87',
  (world) => {
    const { ce } = world
    const { base, old } = pages(world, 1)
    const six = [PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE]
    for (const protection of six) {
      for (const modifier of [0, PAGE_NOCACHE, PAGE_GUARD, PAGE_GUARD | PAGE_NOCACHE]) {
        const guarded = (modifier & PAGE_GUARD) !== 0 && protection === PAGE_NOACCESS
        const { result, error } = world.answer(() => ce.VirtualProtect(base, PAGE, protection | modifier, old))
        // VP-4: a guard never goes with PAGE_NOACCESS.
        assert.equal([result, error], guarded ? [0, ERROR_INVALID_PARAMETER] : [1, 'untouched'])
      }
    }
    for (const protection of [
      0,
      PAGE_GUARD,
      PAGE_NOCACHE,
      PAGE_WRITECOPY,
      PAGE_EXECUTE_WRITECOPY,
      PAGE_PHYSICAL | PAGE_READWRITE,
      PAGE_READONLY | PAGE_READWRITE,
      PAGE_READWRITE | PAGE_EXECUTE_WRITECOPY,
      PAGE_READWRITE + 0x80000000,
      0x800 | PAGE_READWRITE,
      0xffffffff
    ]) {
      for (const call of [
        () => ce.VirtualProtect(base, PAGE, protection, old),
        () => ce.VirtualAlloc(0, PAGE, MEM_RESERVE, protection),
        () => ce.VirtualAlloc(base, PAGE, MEM_COMMIT, protection)
      ])
        assert.equal(world.answer(call), { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }, String(protection))
    }
  }
)

everywhere(protect, 'C-65, C-21: pages that are not all committed, and addresses of nobody, are error 487', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 4)
  ce.VirtualFree(base + 2 * PAGE, PAGE, MEM_DECOMMIT)
  const reserved = ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE)
  for (const [address, size] of [
    [base + PAGE, 2 * PAGE],
    [base, 4 * PAGE],
    [base + 2 * PAGE, 1],
    [base + 3 * PAGE, PAGE + 1],
    [base, 0xffffffff],
    [reserved, 1],
    [0, 1],
    [0x3f0000, 1],
    [0x400000, 1],
    [0xffffffff, 0xffffffff]
  ] as const) {
    assert.equal(
      world.answer(() => ce.VirtualProtect(address, size, PAGE_READONLY, old)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false },
      `${address} ${size}`
    )
  }
  assert.equal(
    world.answer(() => ce.VirtualProtect(base, 0, PAGE_READONLY, old)),
    { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
  )
})

everywhere(protect, 'VP-2: two neighbouring allocations cannot be changed by one call', (world) => {
  const { ce, heap } = world
  const old = ce.HeapAlloc(heap, 0, 4)
  const low = ce.VirtualAlloc(0x200000, UNIT, BOTH, PAGE_READWRITE)
  const high = ce.VirtualAlloc(0x200000 + UNIT, UNIT, BOTH, PAGE_READWRITE)
  assert.is(high, low + UNIT)
  assert.equal(
    world.answer(() => ce.VirtualProtect(high - PAGE, 2 * PAGE, PAGE_READONLY, old)),
    { result: 0, error: ERROR_INVALID_ADDRESS, rules: [], changed: false }
  )
  assert.is(ce.VirtualProtect(high - PAGE, PAGE, PAGE_READONLY, old), 1)
  assert.is(ce.VirtualProtect(high, PAGE, PAGE_READONLY, old), 1)
})

everywhere(protect, "C-21, C-65: a heap's pages are not the app's to protect", (world) => {
  const { ce, heap } = world
  const old = ce.HeapAlloc(heap, 0, 4)
  for (const pointer of [ce.HeapAlloc(heap, 0, 10), ce.HeapAlloc(heap, 0, 0x48000)]) {
    assert.equal(
      world.answer(() => ce.VirtualProtect(pointer, 1, PAGE_EXECUTE_READWRITE, old)),
      { result: 0, error: ERROR_INVALID_ADDRESS, rules: ['C-21'], changed: false }
    )
  }
})

everywhere(protect, 'C-62: where the old protection cannot be written, nothing is protected', (world) => {
  const { ce } = world
  const { base } = pages(world, 1)
  for (const [why, place] of badPlaces(world, 4)) {
    assert.equal(
      world.answer(() => ce.VirtualProtect(base, PAGE, PAGE_READONLY, place)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: ['C-62'], changed: false },
      why
    )
  }
})

everywhere(protect, 'C-65: the old protection may be stored in the page that becomes read-only; C-63: at any alignment', (world) => {
  const { ce } = world
  const { base } = pages(world, 1)
  assert.equal(
    world.answer(() => ce.VirtualProtect(base, PAGE, PAGE_READONLY, base + 1)),
    { result: 1, error: 'untouched', rules: ['C-63'], changed: true }
  )
  assert.is(ce.memory.readU32(base + 1), PAGE_READWRITE)
  assert.throws(
    () => ce.memory.writeU8(base, 1),
    (error: unknown) => error instanceof AccessViolation
  )
})

everywhere(protect, 'C-63: a misaligned place is not reported where nothing was to be written', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 1)
  for (const [bytes, protection, error] of [
    [0, PAGE_READONLY, ERROR_INVALID_PARAMETER],
    [PAGE, 0, ERROR_INVALID_PARAMETER],
    [2 * PAGE, PAGE_READONLY, ERROR_INVALID_ADDRESS]
  ] as const) {
    assert.equal(
      world.answer(() => ce.VirtualProtect(base, bytes, protection, old + 1)),
      { result: 0, error, rules: [], changed: false }
    )
  }
})
protect.run()

const guards = suite('PAGE_GUARD')

function goesOff(call: () => unknown, access: 'read' | 'write', address: number): void {
  assert.throws(call, (error: unknown) => {
    assert.instance(error, GuardPageException)
    const { address: found, access: kind, code, message } = error as GuardPageException
    assert.equal([found, kind, code], [address, access, EXCEPTION_GUARD_PAGE])
    assert.is(message, `guard page (0x80000001): first ${access} at address 0x${address.toString(16).padStart(8, '0')}`)
    return true
  })
}

everywhere(guards, 'VP-4: the first access raises STATUS_GUARD_PAGE and nothing happens; the second one goes through', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 3)
  const accesses: readonly (readonly ['read' | 'write', (at: number) => unknown])[] = [
    ['read', (at) => ce.memory.readU8(at)],
    ['read', (at) => ce.memory.read(at, 8)],
    ['read', (at) => ce.memory.copy(base + 2 * PAGE, at, 8)],
    ['write', (at) => ce.memory.writeU32(at, 0x01010101)],
    ['write', (at) => ce.memory.fill(at, 1, 8)],
    ['write', (at) => ce.memory.copy(at, base + 2 * PAGE, 8)]
  ]
  for (const [access, call] of accesses) {
    ce.memory.fill(base, 0, 3 * PAGE)
    assert.is(ce.VirtualProtect(base + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, old), 1)
    goesOff(() => call(base + PAGE + 40), access, base + PAGE + 40)
    assert.ok(ce.memory.bytes.slice(base, base + 3 * PAGE).every((byte) => byte === 0))
    call(base + PAGE + 40)
    ce.VirtualProtect(base + PAGE, PAGE, PAGE_READWRITE, old)
    assert.is(ce.memory.readU32(old), PAGE_READWRITE, 'the guard is gone, the protection stays')
  }
})

everywhere(guards, 'C-67: the guard comes before the protection, and the lowest page first', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 4)
  ce.VirtualProtect(base + PAGE, PAGE, PAGE_READONLY | PAGE_GUARD, old)
  ce.VirtualProtect(base + 2 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, old)
  const fill = (): void => ce.memory.fill(base + 10, 1, 3 * PAGE)
  goesOff(fill, 'write', base + PAGE)
  assert.throws(fill, (error: unknown) => error instanceof AccessViolation && error.address === base + PAGE)
  ce.VirtualProtect(base + PAGE, PAGE, PAGE_READWRITE, old)
  goesOff(fill, 'write', base + 2 * PAGE)
  assert.is(ce.memory.readU8(base + 10), 0)
  fill()
})

everywhere(guards, 'a guard comes with VirtualAlloc too, and goes with the page', (world) => {
  const { ce } = world
  const { base, old } = pages(world, 2, PAGE_READWRITE | PAGE_GUARD)
  goesOff(() => ce.memory.readU8(base), 'read', base)
  ce.VirtualFree(base, 2 * PAGE, MEM_DECOMMIT)
  assert.throws(
    () => ce.memory.readU8(base + PAGE),
    (error: unknown) => error instanceof AccessViolation
  )
  ce.VirtualAlloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE)
  assert.is(ce.memory.readU8(base + PAGE), 0)
  ce.VirtualProtect(base, PAGE, PAGE_READWRITE | PAGE_GUARD, old)
  ce.VirtualProtect(base, PAGE, PAGE_READWRITE, old)
  assert.is(ce.memory.readU32(old), PAGE_READWRITE | PAGE_GUARD)
  assert.is(ce.memory.readU8(base), 0)
})

everywhere(guards, 'one guard goes off for one thread', (world) => {
  const { ce, process } = world
  const other = attachThread(process.share())
  const { base, old } = pages(world, 1)
  for (const [first, second] of [
    [ce, other],
    [other, ce]
  ] as readonly [CeThread, CeThread][]) {
    ce.VirtualProtect(base, PAGE, PAGE_READWRITE | PAGE_GUARD, old)
    goesOff(() => first.memory.readU8(base), 'read', base)
    assert.is(second.memory.readU8(base), 0)
  }
  other.detach()
})
guards.run()
