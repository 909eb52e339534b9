import { HDR, SECTION_SHIFT, SECTION_WORDS, SECTIONS_PER_UNIT } from './layout.ts'
import type { Machine } from './machine.ts'

/**
 * The app's critical sections: one record of eight words each, out of reach of the app, whose own structure in user memory only names the record.
 *
 *   | LOCK | LOCK_COUNT | HANDLE | GENERATION | ADDRESS | CONTENDED | GRANTS | a word spare |
 *     section.ts          0 = the record is free
 *
 *   handle = generation (10 bits) | index (19 bits) | 11b      neither a pointer nor a heap's handle
 *
 *   a record that lives: its handle names it, and no other record has its address
 *   the lowest free record is taken first
 *
 * LOCK and LOCK_COUNT are worked as every section's. The rest changes inside the process section alone, but CONTENDED, which the owner counts.
 * One store makes a record live or free: the one to HANDLE.
 */
export const SEC = {
  LOCK: 0,
  LOCK_COUNT: 1,
  HANDLE: 2,
  GENERATION: 3,
  ADDRESS: 4, // of the CRITICAL_SECTION in user memory
  CONTENDED: 5, // enters that found another owner
  GRANTS: 6 // how often it was entered, in a recorded process (schedulegrants.ts)
} as const

const INDEX_MASK = 0x7ffff
const GENERATION_MASK = 0x3ff

function handleOf(index: number, generation: number): number {
  return ((generation & GENERATION_MASK) << 21) | (index << 2) | 3
}

function sectionAt(machine: Machine, index: number): number {
  return machine.layout.sectionsAt + (index << SECTION_SHIFT)
}

/** Most sections that can live at once. */
function sectionLimit(machine: Machine): number {
  return machine.layout.units * SECTIONS_PER_UNIT
}

/** Records ever used, by their words in system memory. */
export function* sectionRecords(machine: Machine): Generator<number> {
  const end = sectionAt(machine, Atomics.load(machine.sys, HDR.SECTIONS))
  for (let at = machine.layout.sectionsAt; at < end; at += SECTION_WORDS) yield at
}

/** The live section whose structure is at `address` and names it by `handle`; 0 if there is none. */
export function sectionOf(machine: Machine, handle: number, address: number): number {
  if ((handle & 3) !== 3 || handle < 0) return 0
  const at = sectionAt(machine, (handle >>> 2) & INDEX_MASK)
  if (at >= machine.layout.unitsAt) return 0
  return machine.sys[at + SEC.HANDLE] === handle && machine.sys[at + SEC.ADDRESS] === (address | 0) ? at : 0
}

/** The live section of that handle, wherever its structure is; 0 if there is none. */
export function sectionNamed(machine: Machine, handle: number): number {
  if ((handle & 3) !== 3 || handle < 0) return 0
  const at = sectionAt(machine, (handle >>> 2) & INDEX_MASK)
  return at < machine.layout.unitsAt && machine.sys[at + SEC.HANDLE] === handle ? at : 0
}

/** The live section whose structure is at `address`, whatever stands there now; 0 if there is none. Walks the table. */
export function sectionBy(machine: Machine, address: number): number {
  for (const at of sectionRecords(machine))
    if (machine.sys[at + SEC.HANDLE] !== 0 && machine.sys[at + SEC.ADDRESS] === (address | 0)) return at
  return 0
}

/** Takes the lowest free record for a structure at `address`; 0 if all are in use. Precondition: inside the process section; no section lives at the address. */
export function claimSection(machine: Machine, address: number): number {
  const { sys } = machine
  const used = sys[HDR.SECTIONS] as number
  let index = 0
  while (index < used && sys[sectionAt(machine, index) + SEC.HANDLE] !== 0) index++
  if (index === sectionLimit(machine)) return 0
  const at = sectionAt(machine, index)
  const generation = (sys[at + SEC.GENERATION] as number) + 1
  sys[at + SEC.GENERATION] = generation
  sys[at + SEC.ADDRESS] = address
  sys[at + SEC.CONTENDED] = 0
  if (index === used) Atomics.store(sys, HDR.SECTIONS, used + 1)
  Atomics.store(sys, at + SEC.HANDLE, handleOf(index, generation))
  return at
}

/** Ends a section. Precondition: inside the process section, and inside the section itself, which the caller leaves afterwards. */
export function dropSection(machine: Machine, at: number): void {
  Atomics.store(machine.sys, at + SEC.HANDLE, 0)
  machine.sys[at + SEC.LOCK_COUNT] = 0
}

/** What is wrong with the table, undefined if nothing is. Precondition: inside the process section. */
export function sectionsFault(machine: Machine): string | undefined {
  const { sys } = machine
  const addresses = new Set<number>()
  let index = -1
  for (const at of sectionRecords(machine)) {
    index++
    const handle = sys[at + SEC.HANDLE] as number
    if (handle === 0) continue
    if (handle !== handleOf(index, sys[at + SEC.GENERATION] as number)) return `critical section ${index} has the handle ${handle}`
    const address = (sys[at + SEC.ADDRESS] as number) >>> 0
    if (address >= machine.bytes.length) return `critical section ${index} lies at ${address}, beyond memory`
    if (addresses.has(address)) return `two critical sections lie at ${address}`
    addresses.add(address)
  }
  for (index++; index < sectionLimit(machine); index++)
    if (sys[sectionAt(machine, index) + SEC.HANDLE] !== 0)
      return `critical section ${index} lives, and only ${sys[HDR.SECTIONS]} were ever used`
  return undefined
}
