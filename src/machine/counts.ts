import { COUNT_ENTRIES, COUNT_WORDS, HDR } from './layout.ts'
import { COLD } from './machine.ts'
import type { Machine } from './machine.ts'
import { TID } from './section.ts'
import { SEC } from './sectiontable.ts'

/**
 * Counters of sections, by section and thread, in a shared buffer of their own that every thread of the process has. Counting wraps the two steps
 * of the lock word of each thread's machine: a process that does not count pays nothing.
 *
 *   | LOST | ... | entry | entry | ...      entry:  | HANDLE | THREAD | KIND | ADDRESS | TAKEN | WAITED | - | - | WAIT | HOLD |
 *     16 words     16 words, 4,096 of them                                                              two 64-bit floats, in the clock's unit
 *
 * An entry is found by hashing handle and thread and looking on from there. Only its own thread makes an entry and writes to it, so one
 * compare-exchange on HANDLE, for the place, is all the agreement there is. Acquisitions that find no room are counted in LOST.
 */
export type Clock = () => number

const LOST = 0
const HANDLE = 0
const THREAD = 1
const KIND = 2
const ADDRESS = 3
const TAKEN = 4
const WAITED = 5
// In 64-bit floats from the start of the entry.
const WAIT = 4
const HOLD = 5

const KINDS = ['heap', 'section', 'process'] as const

/** What stands for a handle where there is none: neither a heap's nor a section's. */
const NO_HANDLE = 1

/** One section and one thread. */
export interface SectionCounter {
  /** A heap's own section, one of the program's, or that of the process itself, which guards its address space. */
  readonly kind: (typeof KINDS)[number]
  /** The heap's handle or the section's hCrit; 0 for the process. */
  readonly handle: number
  /** Where the program's CRITICAL_SECTION is, else 0. */
  readonly address: number
  readonly thread: number
  /** How often the thread got in; entering once more while inside does not count. */
  readonly acquisitions: number
  /** How many of these had to wait for another thread. */
  readonly contended: number
  /** In the unit of the thread's clock; 0 without one. */
  readonly longestWait: number
  readonly longestHold: number
}

export interface SectionCounters {
  /** By kind, handle and thread. */
  readonly counters: readonly SectionCounter[]
  /** Acquisitions that were not counted because 4,096 pairs of section and thread had been seen. */
  readonly lost: number
}

/** One thread's counting. */
export class SectionCounts {
  readonly buffer: SharedArrayBuffer
  readonly #machine: Machine
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #clock: Clock
  /** The entries of this thread, by handle. */
  readonly #entries: Map<number, number> = new Map()
  /** When the thread got into each section that it is in. */
  readonly #since: Map<number, number> = new Map()
  /** No place was left for an entry: sections that are new to this thread are not counted any more. */
  #full = false

  /** Makes `machine`, which nobody uses yet, count into `buffer`. */
  constructor(machine: Machine, buffer: SharedArrayBuffer, clock: Clock) {
    this.#machine = machine
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#floats = new Float64Array(buffer)
    this.#clock = clock
    const { take, give } = machine
    machine.take = (address, who) => {
      const seen = take(address, who)
      if (seen === 0) this.granted(address >>> 2, who)
      return seen
    }
    machine.give = (address) => {
      this.#leaving(address >>> 2)
      return give(address)
    }
    machine.goBy(COLD)
    machine.counts = this
  }

  now(): number {
    return this.#clock()
  }

  /** The thread has just got into the section at word `at`. */
  granted(at: number, who: number): void {
    const handle = this.#handleOf(at)
    if (handle === 0) return
    const entry = this.#entryOf(at, handle, who & TID)
    if (entry === 0) {
      Atomics.add(this.#words, LOST, 1)
      return
    }
    this.#words[entry + TAKEN] = (this.#words[entry + TAKEN] as number) + 1
    this.#since.set(at, this.#clock())
  }

  /** The thread has got in after it had waited for another one since `since`. */
  waited(at: number, who: number, since: number): void {
    const handle = this.#handleOf(at)
    const entry = handle === 0 ? 0 : this.#entryOf(at, handle, who & TID)
    if (entry === 0) return
    this.#words[entry + WAITED] = (this.#words[entry + WAITED] as number) + 1
    this.#raise(entry, WAIT, this.#clock() - since)
  }

  /** Still inside: whose section it is may have changed meanwhile, and then the hold belongs to nobody. */
  #leaving(at: number): void {
    const since = this.#since.get(at)
    if (since === undefined) return
    this.#since.delete(at)
    const entry = this.#entries.get(this.#handleOf(at))
    if (entry !== undefined) this.#raise(entry, HOLD, this.#clock() - since)
  }

  #raise(entry: number, which: number, value: number): void {
    const at = (entry >>> 1) + which
    if (value > (this.#floats[at] as number)) this.#floats[at] = value
  }

  /** The handle of a section that is counted; 0 for those that are no one's business, and for a heap in the making. */
  #handleOf(at: number): number {
    const { heapsAt, heapsEnd, layout, sys } = this.#machine
    if (at === HDR.LOCK) return NO_HANDLE
    if ((at < heapsAt || at >= heapsEnd) && (at < layout.sectionsAt || at >= layout.unitsAt)) return 0
    // A heap's record and a section's have the handle in the same place.
    return Math.max(0, sys[at + SEC.HANDLE] as number)
  }

  /** The entry of the section for this thread, made if need be; 0 if there is no place for it. Precondition: inside the section. */
  #entryOf(at: number, handle: number, thread: number): number {
    const known = this.#entries.get(handle)
    if (known !== undefined || this.#full) return known ?? 0
    const words = this.#words
    let place = (Math.imul(handle, 0x9e3779b1) ^ Math.imul(thread, 0x85ebca6b)) >>> 20
    for (let n = 0; n < COUNT_ENTRIES; n++, place = (place + 1) % COUNT_ENTRIES) {
      const entry = (place + 1) * COUNT_WORDS
      const there = Atomics.compareExchange(words, entry + HANDLE, 0, handle)
      // An id may have been another thread's before: its entries go on.
      if (there !== 0 && (there !== handle || words[entry + THREAD] !== thread)) continue
      if (there === 0) {
        words[entry + KIND] = at === HDR.LOCK ? 2 : at < this.#machine.heapsEnd ? 0 : 1
        words[entry + ADDRESS] = words[entry + KIND] === 1 ? (this.#machine.sys[at + SEC.ADDRESS] as number) : 0
        Atomics.store(words, entry + THREAD, thread)
      }
      this.#entries.set(handle, entry)
      return entry
    }
    this.#full = true
    return 0
  }
}

/** What all threads have counted so far; those that are at work may be a moment ahead. */
export function readCounts(buffer: SharedArrayBuffer): SectionCounters {
  const words = new Int32Array(buffer)
  const floats = new Float64Array(buffer)
  const counters: SectionCounter[] = []
  for (let entry = COUNT_WORDS; entry < words.length; entry += COUNT_WORDS) {
    const word = (at: number): number => words[entry + at] as number
    if (Atomics.load(words, entry + THREAD) === 0) continue
    counters.push({
      kind: KINDS[word(KIND)] as SectionCounter['kind'],
      handle: word(HANDLE) === NO_HANDLE ? 0 : word(HANDLE),
      address: word(ADDRESS) >>> 0,
      thread: word(THREAD),
      acquisitions: word(TAKEN),
      contended: word(WAITED),
      longestWait: floats[(entry >>> 1) + WAIT] as number,
      longestHold: floats[(entry >>> 1) + HOLD] as number
    })
  }
  counters.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.handle - b.handle || a.thread - b.thread)
  return { counters, lost: Atomics.load(words, LOST) }
}
