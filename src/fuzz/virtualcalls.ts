import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, MEM_RESET, MEM_TOP_DOWN, PAGE_GUARD, PAGE_NOCACHE } from '../constants.ts'
import { AccessViolation, GuardPageException } from '../machine/memory.ts'
import { disagree, hex } from './disagreement.ts'
import { threadOf } from './heapcalls.ts'
import { APP, DONE, GUARD, PAGE, UNIT, VIOLATION } from './pagemodel.ts'
import type { World } from './world.ts'

/** VirtualAlloc, VirtualFree, VirtualProtect, VirtualQuery, IsBad*Ptr, and the program's own looks at its pages. */

const MOST_RESERVATIONS = 6
const SIZES = [1, 4096, 4097, 0x2000, 0x8000, 0x10000, 0x10001, 0, 0x2000, 1, 0x3000, 0x7fffffff, 0x4000, 0x20000, 0xffffffff, 4095]
const TYPES = [
  MEM_RESERVE,
  MEM_COMMIT | MEM_RESERVE,
  MEM_RESERVE,
  MEM_COMMIT | MEM_RESERVE,
  MEM_TOP_DOWN | MEM_RESERVE,
  MEM_COMMIT,
  MEM_TOP_DOWN | MEM_COMMIT | MEM_RESERVE,
  MEM_RESERVE,
  MEM_RESET,
  0
]
const PROTECTIONS = [4, 4, 4, 4, 4, 4, 4, 0x40, 2, 1, 0x20, 0x10, 4 | PAGE_GUARD, 4 | PAGE_NOCACHE, 2 | PAGE_GUARD, 0, 8, 1 | PAGE_GUARD, 6]
const FREE_TYPES = [MEM_DECOMMIT, MEM_RELEASE, MEM_DECOMMIT, MEM_RELEASE, MEM_DECOMMIT, MEM_RELEASE | MEM_DECOMMIT, 0, MEM_RELEASE]
const NOWHERE = [0, 0x10, 0x10000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff]

function pick(list: readonly number[], n: number): number {
  return list[n % list.length] as number
}

/** An address in one of the program's reservations, now and then elsewhere. */
function placeOf(world: World, first: number): number {
  const n = first >>> 16
  if ((first & 0xe000) === 0) return (n & 1) === 0 ? pick(NOWHERE, n) : (n * 4096) % world.memory
  if (world.reservations.length === 0) return 0
  const base = pick(world.reservations, n)
  return (first & 0x2000) === 0 ? base : base + ((n >>> 3) & ((n >>> 5) & 7)) * PAGE + ((n >>> 8) & 1)
}

/** Where a call is to write: the campaign's own block, now and then another place. */
function outOf(world: World, second: number): number {
  const n = (second >>> 8) & 0xff
  if (n < 224) return world.scratch
  if (n < 240 && world.reservations.length > 0) return pick(world.reservations, n) + (n & 3) * (PAGE - 1)
  return pick([0, 0x10, world.memory - 2, 0xffffffff], n)
}

export function virtualAlloc(world: World, first: number, second: number): void {
  if (world.reservations.length >= MOST_RESERVATIONS) {
    releaseAt(world, threadOf(first), pick(world.reservations, first >>> 16))
    return
  }
  const amount = second >>> 16
  const address = (second & 0xc0) === 0 ? (1 + (amount % (world.memory / UNIT))) * UNIT + (amount >>> 15) * 5000 : 0
  const type = pick(TYPES, second & 0x3f)
  alloc(world, threadOf(first), address, pick(SIZES, amount), type, pick(PROTECTIONS, (second >>> 8) & 0xff))
}

export function virtualCommit(world: World, first: number, second: number): void {
  if (world.reservations.length === 0) {
    virtualAlloc(world, first, second)
    return
  }
  const type = (second & 0xff) < 8 ? MEM_COMMIT | MEM_TOP_DOWN : MEM_COMMIT
  alloc(world, threadOf(first), placeOf(world, first), pick(SIZES, second >>> 16), type, pick(PROTECTIONS, (second >>> 8) & 0xff))
}

function alloc(world: World, thread: number, address: number, size: number, type: number, protection: number): void {
  world.begin()
  const result = world.ce(thread).VirtualAlloc(address, size, type, protection)
  world.pages.refusing = world.refused
  const expected = world.pages.alloc(address, size, type, protection, result)
  world.pages.refusing = false
  world.expect(thread, 'VirtualAlloc', result, expected, world.pages.error)
  if (result !== 0 && (address === 0 || (type & MEM_RESERVE) !== 0)) world.reservations.push(result)
}

export function virtualFree(world: World, first: number, second: number): void {
  const type = pick(FREE_TYPES, second & 0xff)
  const address = placeOf(world, first)
  const whole = type === MEM_RELEASE && (second & 0x100) === 0
  freeAt(world, threadOf(first), whole ? address - (address % UNIT) : address, whole ? 0 : pick(SIZES, second >>> 16), type)
}

function freeAt(world: World, thread: number, address: number, size: number, type: number): void {
  world.begin()
  const result = world.ce(thread).VirtualFree(address, size, type)
  world.expect(thread, 'VirtualFree', result, world.pages.free(address, size, type), world.pages.error)
  if (result === 1 && type === MEM_RELEASE) world.reservations.splice(world.reservations.indexOf(address), 1)
}

/** Decommits a whole reservation and releases it. */
export function releaseAt(world: World, thread: number, base: number): void {
  freeAt(world, thread, base, 0, MEM_DECOMMIT)
  freeAt(world, thread, base, 0, MEM_RELEASE)
}

export function virtualProtect(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  const [address, size, out] = [placeOf(world, first), pick(SIZES, second >>> 16), outOf(world, second)]
  const protection = pick(PROTECTIONS, second & 0xff)
  const old = world.pages.protection[Math.floor(address / PAGE)] as number
  world.begin()
  const result = world.ce(thread).VirtualProtect(address, size, protection, out)
  world.expect(thread, 'VirtualProtect', result, world.pages.protect(address, size, protection, out), world.pages.error)
  if (result === 1 && out === world.scratch) told(world, 'VirtualProtect', 0, old)
}

/** Looks at a word that a call has written to the campaign's own block. */
function told(world: World, call: string, n: number, expected: number): void {
  const word = (world.words[(world.scratch >>> 2) + n] as number) >>> 0
  if (word !== expected) disagree(`${call} tells ${hex(word)} in its DWORD ${n}, the model says ${hex(expected)}`)
}

const LENGTHS = [28, 28, 28, 0, 27, 0xffffffff, 28, 29]

export function virtualQuery(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  const address = (first & 0x2000) === 0 ? placeOf(world, first) : ((second >>> 16) * 64) % world.memory
  const [out, length] = [outOf(world, second), pick(LENGTHS, second & 0xff)]
  world.begin()
  const result = world.ce(thread).VirtualQuery(address, out, length)
  world.expect(thread, 'VirtualQuery', result, world.pages.query(address, out, length), world.pages.error)
  if (result !== 0 && out === world.scratch) for (let n = 0; n < 7; n++) told(world, 'VirtualQuery', n, world.pages.told[n] as number)
}

/** C-68. */
export function isBad(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  const ce = world.ce(thread)
  const [address, size, write] = [placeOf(world, first), pick([1, 0, 4, PAGE, 2 * PAGE, 0xffffffff], second >>> 16), (second & 1) === 1]
  world.begin()
  const result = write ? ce.IsBadWritePtr(address, size) : ce.IsBadReadPtr(address, size)
  const expected = world.pages.reach(address, size, write, true) === DONE ? 0 : 1
  world.expect(thread, write ? 'IsBadWritePtr' : 'IsBadReadPtr', result, expected, -1)
}

const ACCESS_BYTES = 16

/** The program reads or writes its own pages. */
export function access(world: World, first: number, second: number): void {
  if (world.reservations.length === 0) return
  const n = first >>> 16
  const address = pick(world.reservations, n) + ((n >>> 3) & 7) * PAGE + pick([0, 0, 8, 0xffd], n >>> 6)
  const { pages } = world
  // What lies behind a reservation may be a heap.
  for (const at of [address, address + ACCESS_BYTES - 1]) {
    const base = pages.baseAt(at)
    if (base !== 0 && pages.owner[base - 1] !== APP) return
  }
  const value = second & 0xff
  const write = (second & 0x300) !== 0
  const { memory } = world.ce(threadOf(first))
  world.tell?.(write ? `ce.memory.fill(${hex(address)}, ${value}, ${ACCESS_BYTES})` : `ce.memory.read(${hex(address)}, ${ACCESS_BYTES})`)
  let met = DONE
  let at = 0
  let read: Uint8Array | undefined
  // To write down where an exception came from takes longer than a hundred calls.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    if (write) memory.fill(address, value, ACCESS_BYTES)
    else read = memory.read(address, ACCESS_BYTES)
  } catch (error) {
    if (error instanceof AccessViolation) met = VIOLATION
    else if (error instanceof GuardPageException) met = GUARD
    else throw error
    at = error.address
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  const expected = pages.reach(address, ACCESS_BYTES, write, true)
  if (met !== expected || (met !== DONE && at !== pages.at))
    disagree(`an access to ${hex(address)} met ${MET[met]} at ${hex(at)}, the model says ${MET[expected]} at ${hex(pages.at)}`)
  if (met !== DONE) return
  if (write) pages.bytes.fill(value, address, address + ACCESS_BYTES)
  else if (read?.some((byte, index) => byte !== pages.bytes[address + index]))
    disagree(`the program's page at ${hex(address)} does not hold what was written to it`)
}

const MET = ['nothing', 'an access violation', 'a guard page']
