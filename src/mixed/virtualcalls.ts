import {
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_RESET,
  MEM_TOP_DOWN,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOPY
} from '../constants.ts'
import { AccessViolation, GuardPageException } from '../machine/memory.ts'
import { isProtection, type Outcome } from './virtualmodel.ts'
import { must } from './disagreement.ts'
import type { Draw } from './draw.ts'
import type { Made, World } from './world.ts'

/** Virtual*, IsBad* and the program's own accesses, on reservations of its own and on pages of heaps that it may not change. */

const PAGE = 4096
const UNIT = 65_536
const MOST_RESERVATIONS = 12
const PROTECTIONS = [
  ...Array.from({ length: 8 }, () => PAGE_READWRITE),
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_READWRITE | PAGE_NOCACHE,
  PAGE_READWRITE | PAGE_GUARD,
  PAGE_READWRITE | PAGE_GUARD,
  0,
  PAGE_WRITECOPY,
  PAGE_NOACCESS | PAGE_GUARD,
  0xffffffff
]
const SIZES = [1, 2, 28, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 4 * PAGE, UNIT, UNIT + 1, 0, 0x80000000, 0xffffffff]

export function virtualCall(world: World, draw: Draw, thread: number): void {
  const kind = draw.below(20)
  if (kind < 4) reserve(world, draw, thread)
  else if (kind < 8) commit(world, draw, thread)
  else if (kind < 11) free(world, draw, thread)
  else if (kind < 13) protect(world, draw, thread)
  else if (kind < 15) query(world, draw, thread)
  else if (kind < 17) isBad(world, draw, thread)
  else access(world, draw, thread)
}

/** An address in a reservation of the app's, now and then anywhere. */
function place(world: World, draw: Draw): number {
  const base = draw.any(draw.once(6) ? [...world.hosted] : world.reservations)
  if (base === undefined || draw.once(16))
    return draw.pick([0x10, 0x10000, world.scratch, world.memory - PAGE, world.memory - 1, world.memory, 0x80000000, 0xffffffff])
  return base + draw.below(6) * PAGE + draw.pick([0, 0, 0, 1, 4, 0xffd, 0xfff])
}

/** Where a call may write: the campaign's own block, or pages of the app's in any state. Never in a heap's blocks. */
function out(world: World, draw: Draw): number {
  const base = draw.any(world.reservations)
  if (base === undefined || draw.once(2)) return world.scratch
  return draw.once(8) ? draw.pick([0, 0x10, world.memory - 2, 0xffffffff]) : base + draw.below(4) * PAGE + draw.pick([0, 1, 0xff0])
}

function reserve(world: World, draw: Draw, thread: number): void {
  if (world.reservations.length >= MOST_RESERVATIONS) {
    releaseAny(world, draw, thread)
    return
  }
  const address = draw.once(3) ? (1 + draw.below(world.memory / UNIT)) * UNIT + draw.pick([0, 0, 5000]) : 0
  const size = draw.once(6) ? draw.pick(SIZES) : 1 + draw.below(2 * UNIT)
  const type = draw.pick([
    MEM_RESERVE,
    MEM_RESERVE,
    MEM_COMMIT | MEM_RESERVE,
    MEM_COMMIT | MEM_RESERVE,
    MEM_TOP_DOWN | MEM_RESERVE,
    MEM_COMMIT,
    MEM_RESET,
    0
  ])
  alloc(world, thread, address, size, type, draw.pick(PROTECTIONS))
}

function commit(world: World, draw: Draw, thread: number): void {
  const address = place(world, draw)
  alloc(world, thread, address, draw.pick(SIZES), MEM_COMMIT, draw.pick(PROTECTIONS))
}

function alloc(world: World, thread: number, address: number, size: number, type: number, protection: number): void {
  world.begin()
  const result = world.ce(thread).VirtualAlloc(address, size, type, protection)
  const sound = size !== 0 && isKnown(type) && isProtection(protection)
  const onlyCommits = sound && (type & ~MEM_TOP_DOWN) === MEM_COMMIT
  world.saysIf(onlyCommits && address === 0, 'C-20')
  world.saysIf(onlyCommits && address !== 0 && world.isHeap(address), 'C-21')
  const made = virtualMade(world, address, size, type, protection, result)
  world.expect(thread, 'VirtualAlloc', result, made)
  if (result !== 0 && (address === 0 || (type & MEM_RESERVE) !== 0)) world.reservations.push(result)
}

/** What VirtualAlloc must give that gave `result`. */
export function virtualMade(world: World, address: number, size: number, type: number, protection: number, result: number): Made {
  if (result === 0) world.mayBeLow = true
  if (world.wasRefused('reserve')) return { result: 0, error: ERROR_NOT_ENOUGH_MEMORY }
  world.pages.refusing = world.wasRefused('commit')
  const made = world.pages.alloc(address, size, type, protection, result)
  world.pages.refusing = false
  return made
}

const isKnown = (type: number): boolean => [MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT].includes(type & ~MEM_TOP_DOWN)

function free(world: World, draw: Draw, thread: number): void {
  const address = place(world, draw)
  const type = draw.pick([MEM_DECOMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RELEASE | MEM_DECOMMIT, 0])
  freeAt(world, thread, type === MEM_RELEASE ? address - (address % UNIT) : address, type === MEM_RELEASE ? 0 : draw.pick(SIZES), type)
}

function freeAt(world: World, thread: number, address: number, size: number, type: number): void {
  world.begin()
  const result = world.ce(thread).VirtualFree(address, size, type)
  const sound = type === MEM_RELEASE ? size === 0 : type === MEM_DECOMMIT
  world.saysIf(sound && world.isHeap(address), 'C-21')
  world.expect(thread, 'VirtualFree', result, world.pages.free(address, size, type))
  // What is freed past a host is its no more (C-96).
  if (result === 1 && type === MEM_RELEASE && !world.hosted.delete(address))
    world.reservations.splice(world.reservations.indexOf(address), 1)
}

/** Decommits a whole reservation and releases it. */
function releaseAny(world: World, draw: Draw, thread: number): void {
  const base = draw.pick(world.reservations)
  releaseAt(world, thread, base)
}

export function releaseAt(world: World, thread: number, base: number): void {
  freeAt(world, thread, base, 0, MEM_DECOMMIT)
  freeAt(world, thread, base, 0, MEM_RELEASE)
}

function protect(world: World, draw: Draw, thread: number): void {
  const [address, size, protection, old] = [place(world, draw), draw.pick(SIZES), draw.pick(PROTECTIONS), out(world, draw)]
  world.begin()
  const result = world.ce(thread).VirtualProtect(address, size, protection, old)
  world.saysIf(size !== 0 && isProtection(protection) && world.isHeap(address), 'C-21')
  const made = world.pages.protect(address, size, protection, old)
  // It came as far as to write if it worked, or failed for that place alone.
  saysOut(world, old, made.result === 1, made.error === ERROR_INVALID_PARAMETER && size !== 0 && isProtection(protection))
  world.expect(thread, 'VirtualProtect', result, made)
}

function query(world: World, draw: Draw, thread: number): void {
  const address = draw.once(2) ? place(world, draw) : draw.below(world.memory)
  const [buffer, length] = [out(world, draw), draw.pick([28, 28, 28, 0, 27, 0xffffffff])]
  world.begin()
  const result = world.ce(thread).VirtualQuery(address, buffer, length)
  const made = world.pages.query(address, buffer, length)
  saysOut(world, buffer, made.result !== 0, made.result === 0 && length >= 28 && address < world.memory)
  world.expect(thread, 'VirtualQuery', result, made)
  // What was written to a page of the app's is compared with its bytes; the campaign's own block is looked at here.
  if (result !== 0 && buffer === world.scratch) {
    const told = Array.from({ length: 7 }, (_, n) => world.ce(thread).memory.readU32(buffer + 4 * n))
    must(
      told.every((word, n) => word === world.pages.told[n]),
      () => `VirtualQuery tells ${told}, the model ${world.pages.told}`
    )
  }
}

/** C-62, C-63: what is said of a place that was written to, or could not be. */
export function saysOut(world: World, address: number, written: boolean, bad: boolean): void {
  if (bad) world.says('C-62')
  else world.saysIf(written && address % 4 !== 0, 'C-63')
}

function isBad(world: World, draw: Draw, thread: number): void {
  const [address, size] = [place(world, draw), draw.pick([0, 1, 4, PAGE, 2 * PAGE, 0xffffffff])]
  const ce = world.ce(thread)
  const write = draw.once(2)
  world.begin()
  const result = write ? ce.IsBadWritePtr(address, size) : ce.IsBadReadPtr(address, size)
  world.expect(thread, 'IsBadPtr', result, world.pages.isBad(address, size, write))
  world.saysIf(world.pages.wentOff, 'C-68')
}

/** The program reads or writes its own pages. */
function access(world: World, draw: Draw, thread: number): void {
  const base = draw.any(world.reservations)
  if (base === undefined) return
  const address = base + draw.below(6) * PAGE + draw.pick([0, 0, 8, 0xffd])
  const page = world.pages.pages[Math.floor(address / PAGE)]
  const behind = world.pages.pages[Math.floor((address + 15) / PAGE)]
  // What lies behind a reservation may be a heap.
  if (page?.heap === true || behind?.heap === true) return
  const value = draw.once(3) ? undefined : draw.below(256)
  const { memory } = world.ce(thread)
  world.tell?.(value === undefined ? `ce[${thread}].memory.read(${address}, 16)` : `ce[${thread}].memory.fill(${address}, ${value}, 16)`)
  world.calls++
  let outcome: Outcome = 'done'
  try {
    if (value === undefined) memory.read(address, 16)
    else memory.fill(address, value, 16)
  } catch (error) {
    if (error instanceof AccessViolation) outcome = `violation ${error.address}`
    else if (error instanceof GuardPageException) outcome = `guard ${error.address}`
    else throw error
  }
  const expected = world.pages.access(address, 16, value)
  must(outcome === expected, () => `an access gave ${outcome}, the model says ${expected}`)
}
