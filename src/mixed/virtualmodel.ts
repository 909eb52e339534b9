// Virtual memory written down again from the rules, one entry a page and no cleverness: the oracle of the mixed campaign, which keeps the pages of
// all heaps in it too, and of virtualmodel.spec.ts.
import {
  ERROR_INVALID_ADDRESS,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_FREE,
  MEM_PRIVATE,
  MEM_RELEASE,
  MEM_RESERVE,
  MEM_TOP_DOWN,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE
} from '../constants.ts'

const PAGE = 4096
const UNIT = 65_536
const PER_UNIT = UNIT / PAGE

interface Page {
  /** Where its reservation begins. */
  readonly base: number
  /** In a heap, and so not the app's to change. */
  readonly heap: boolean
  committed: boolean
  protection: number
  bytes: Uint8Array
}

/** What lies in the pages of heaps is not looked at here. */
const UNSEEN = new Uint8Array(PAGE)

/** What a call gives: a result with the last error that it sets, if any. */
export interface Answer {
  readonly result: number
  readonly error?: number
}

/** What an access does: nothing wrong, or which exception for which address. */
export type Outcome = 'done' | `violation ${number}` | `guard ${number}`

const bad = (error: number): Answer => ({ result: 0, error })

/** VA-15, VP-3, VP-4, C-66. */
export function isProtection(protection: number): boolean {
  const base = (protection & ~(PAGE_GUARD | PAGE_NOCACHE)) >>> 0
  if (base === PAGE_NOACCESS && (protection & PAGE_GUARD) !== 0) return false
  return [0x01, 0x02, 0x04, 0x10, 0x20, 0x40].includes(base)
}

export class VirtualModel {
  readonly pages: (Page | undefined)[]
  /** Pages that may be committed, and those that are. */
  physical: number
  committed = 0
  /** The next commits are refused though there is room: failures are injected. */
  refusing = false
  /** Whether the last IsBad call set a guard off. */
  wentOff = false
  /** The words that the last query tells. */
  told: readonly number[] = []

  /** `heap`: the pages of the process heap, the first `committed` of them committed. */
  constructor(memory: number, physical: number, heap: { address: number; pages: number; committed: number }) {
    this.pages = Array.from({ length: memory / PAGE }, () => undefined)
    this.physical = physical / PAGE
    this.reserveHeap(heap.address, heap.pages * PAGE, 0x04)
    if (heap.committed > 0) this.commitHeap(heap.address, heap.committed * PAGE)
  }

  get available(): number {
    return Math.max(0, this.physical - this.committed)
  }

  /** A heap takes free address space; false if any of it is not free. */
  reserveHeap(address: number, size: number, protection: number): boolean {
    if (address % UNIT !== 0 || !this.#unitsAreFree(address / UNIT, Math.ceil(size / UNIT))) return false
    for (const index of this.#touched(address, size))
      this.pages[index] = { base: address, heap: true, committed: false, protection, bytes: UNSEEN }
    return true
  }

  /** Pages of the range that are not committed. */
  missing(address: number, size: number): number {
    return this.#touched(address, size).filter((index) => !this.pages[index]?.committed).length
  }

  /** A heap commits every page that the range touches; false if there is not enough physical memory. */
  commitHeap(address: number, size: number): boolean {
    const missing = this.missing(address, size)
    if (missing > this.available) return false
    for (const index of this.#touched(address, size)) (this.pages[index] as Page).committed = true
    this.committed += missing
    return true
  }

  decommitHeap(address: number, size: number): void {
    this.committed -= size / PAGE - this.missing(address, size)
    for (const index of this.#touched(address, size)) (this.pages[index] as Page).committed = false
  }

  /** The reservation at `base` ends. */
  drop(base: number): void {
    for (let index = base / PAGE; this.pages[index]?.base === base; index++) {
      if (this.pages[index]?.committed) this.committed--
      this.pages[index] = undefined
    }
  }

  /** Whether so many bytes of address space are free in one run. */
  hasRoom(size: number): boolean {
    return this.#place(Math.ceil(size / UNIT), false) !== undefined
  }

  /** Bytes of address space in whole free units (C-69). */
  get freeSpace(): number {
    let free = 0
    for (let unit = 1; unit < this.pages.length / PER_UNIT; unit++) if (this.#unitIsFree(unit)) free += UNIT
    return free
  }

  /** Indices of the pages that hold a byte of the range. */
  #touched(address: number, size: number): number[] {
    const first = Math.floor(address / PAGE)
    const last = Math.min(Math.floor((address + size - 1) / PAGE), this.pages.length)
    return Array.from({ length: last - first + 1 }, (_, n) => first + n)
  }

  /** The pages of the range if all are of one reservation of the app's. */
  #own(address: number, size: number): Page[] | undefined {
    const found = this.#touched(address, Math.max(size, 1)).map((index) => this.pages[index])
    const [first] = found
    return first !== undefined && !first.heap && found.every((page) => page?.base === first.base) ? (found as Page[]) : undefined
  }

  #unitIsFree(unit: number): boolean {
    if (unit < 1 || unit >= this.pages.length / PER_UNIT) return false
    for (let page = unit * PER_UNIT; page < (unit + 1) * PER_UNIT; page++) if (this.pages[page] !== undefined) return false
    return true
  }

  #unitsAreFree(unit: number, count: number): boolean {
    for (let n = 0; n < count; n++) if (!this.#unitIsFree(unit + n)) return false
    return true
  }

  #commit(pages: readonly Page[], protection: number): boolean {
    const missing = pages.filter((page) => !page.committed).length
    if (missing > 0 && (this.refusing || missing > this.available)) return false
    this.committed += missing
    for (const page of pages) {
      if (!page.committed) page.bytes = new Uint8Array(PAGE)
      page.committed = true
      page.protection = protection
    }
    return true
  }

  /** VA-2 to VA-11, C-20, C-21, C-51, C-66, C-72. Where the system chose a place, `chosen` may be any that is free; without it the lowest or highest is expected. */
  alloc(address: number, size: number, type: number, protection: number, chosen = 0): Answer {
    const action = (type & ~MEM_TOP_DOWN) >>> 0
    const known = [MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT].includes(action)
    if (size === 0 || !known || !isProtection(protection)) return bad(ERROR_INVALID_PARAMETER)
    if (address !== 0 && action === MEM_COMMIT) {
      const pages = this.#own(address, size)
      if (pages === undefined) return bad(ERROR_INVALID_ADDRESS)
      return this.#commit(pages, protection) ? { result: Math.floor(address / PAGE) * PAGE } : bad(ERROR_NOT_ENOUGH_MEMORY)
    }
    const start = Math.floor(address / UNIT) * UNIT
    const count = Math.ceil((address + size - start) / PAGE)
    const units = Math.ceil(count / PER_UNIT)
    const found = address === 0 ? this.#place(units, (type & MEM_TOP_DOWN) !== 0) : start / UNIT
    if (found === undefined) return bad(ERROR_NOT_ENOUGH_MEMORY)
    const free = address === 0 && chosen > 0 && chosen % UNIT === 0 && this.#unitsAreFree(chosen / UNIT, units)
    const unit = free ? chosen / UNIT : found
    if (units > this.pages.length || !this.#unitsAreFree(unit, units)) return bad(ERROR_INVALID_ADDRESS)
    const base = unit * UNIT
    const made = Array.from({ length: count }, () => ({ base, heap: false, committed: false, protection, bytes: new Uint8Array() }))
    if ((action & MEM_COMMIT) !== 0 && !this.#commit(made, protection)) return bad(ERROR_NOT_ENOUGH_MEMORY)
    made.forEach((page, n) => {
      this.pages[base / PAGE + n] = page
    })
    return { result: base }
  }

  #place(units: number, topDown: boolean): number | undefined {
    const all = this.pages.length / PER_UNIT
    for (let n = 0; n + units <= all; n++) {
      const unit = topDown ? all - units - n : n
      if (this.#unitsAreFree(unit, units)) return unit
    }
    return undefined
  }

  /** VF-2 to VF-6, C-21. */
  free(address: number, size: number, type: number): Answer {
    if (type !== MEM_RELEASE && type !== MEM_DECOMMIT) return bad(ERROR_INVALID_PARAMETER)
    if (type === MEM_RELEASE && size !== 0) return bad(ERROR_INVALID_PARAMETER)
    const some = this.#own(address, size)
    if (some === undefined) return bad(ERROR_INVALID_ADDRESS)
    const base = (some[0] as Page).base
    if (size === 0 && address !== base) return bad(ERROR_INVALID_PARAMETER)
    const all = this.pages.filter((page) => page?.base === base) as Page[]
    if (type === MEM_DECOMMIT) {
      for (const page of size === 0 ? all : some) {
        if (page.committed) this.committed--
        page.committed = false
      }
      return { result: 1 }
    }
    if (all.some((page) => page.committed !== (all[0] as Page).committed)) return bad(ERROR_INVALID_PARAMETER)
    this.drop(base)
    return { result: 1 }
  }

  /** VP-1 to VP-4, C-62, C-65. */
  protect(address: number, size: number, protection: number, out: number): Answer {
    if (size === 0 || !isProtection(protection)) return bad(ERROR_INVALID_PARAMETER)
    const pages = this.#own(address, size)
    if (pages === undefined || pages.some((page) => !page.committed)) return bad(ERROR_INVALID_ADDRESS)
    if (!this.#store(out, [(pages[0] as Page).protection])) return bad(ERROR_INVALID_PARAMETER)
    for (const page of pages) page.protection = protection
    return { result: 1 }
  }

  /** VQ-1, VQ-2, C-62, C-64. */
  query(address: number, out: number, length: number): Answer {
    const first = Math.floor(address / PAGE)
    if (length < 28 || first >= this.pages.length) return bad(ERROR_INVALID_PARAMETER)
    const page = this.pages[first]
    const look = (one: Page | undefined): string =>
      one === undefined ? 'free' : `${one.base} ${one.committed ? one.protection : 'reserved'}`
    let end = first
    while (end < this.pages.length && look(this.pages[end]) === look(page)) end++
    const run = (end - first) * PAGE
    this.told =
      page === undefined
        ? [first * PAGE, 0, 0, run, MEM_FREE, PAGE_NOACCESS, 0]
        : [first * PAGE, page.base, 0, run, page.committed ? MEM_COMMIT : MEM_RESERVE, page.committed ? page.protection : 0, MEM_PRIVATE]
    return this.#store(out, this.told) ? { result: 28 } : bad(ERROR_INVALID_PARAMETER)
  }

  /** C-68. */
  isBad(address: number, size: number, write: boolean): Answer {
    const outcome = this.#reach(address, size, write, true)
    this.wentOff = outcome.startsWith('guard')
    return { result: outcome === 'done' ? 0 : 1 }
  }

  /** An access of the app: reads, or writes `value` to every byte. */
  access(address: number, size: number, value: number | undefined): Outcome {
    const outcome = this.#reach(address, size, value !== undefined, true)
    if (outcome === 'done' && value !== undefined) for (let at = address; at < address + size; at++) this.#poke(at, value)
    return outcome
  }

  #poke(address: number, value: number): void {
    const page = this.pages[Math.floor(address / PAGE)]
    if (page !== undefined) page.bytes[address % PAGE] = value
  }

  /** Writes DWORDs as the system does: all or none, and no guard goes off. */
  #store(address: number, words: readonly number[]): boolean {
    if (this.#reach(address, words.length * 4, true, false) !== 'done') return false
    words.forEach((word, n) => {
      for (let byte = 0; byte < 4; byte++) this.#poke(address + n * 4 + byte, (word >>> (8 * byte)) & 0xff)
    })
    return true
  }

  /** VP-4, C-67: byte by byte, the first that cannot be reached. */
  #reach(address: number, size: number, write: boolean, goesOff: boolean): Outcome {
    for (let at = address; at < address + size; at = (Math.floor(at / PAGE) + 1) * PAGE) {
      const page = this.pages[Math.floor(at / PAGE)]
      if (page === undefined || !page.committed) return `violation ${at}`
      if ((page.protection & PAGE_GUARD) !== 0) {
        if (goesOff) page.protection &= ~PAGE_GUARD
        return `guard ${at}`
      }
      const base = page.protection & 0xff
      if (!(write ? [0x04, 0x40] : [0x02, 0x04, 0x10, 0x20, 0x40]).includes(base)) return `violation ${at}`
    }
    return 'done'
  }
}
