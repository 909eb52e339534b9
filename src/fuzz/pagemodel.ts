import { disagree } from './disagreement.ts'
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

export const PAGE = 4096
export const UNIT = 65_536
const PER_UNIT = UNIT / PAGE

/** Whose a reservation is: 0 the program's, else a heap's number. */
export const APP = 0

/** What an access meets: nothing wrong, or else at which address. */
export const DONE = 0
export const VIOLATION = 1
export const GUARD = 2

/** VA-15, VP-3, VP-4, C-66. */
export function isProtection(protection: number): boolean {
  const base = (protection & ~(PAGE_GUARD | PAGE_NOCACHE)) >>> 0
  if (base === PAGE_NOACCESS && (protection & PAGE_GUARD) !== 0) return false
  return base === 0x01 || base === 0x02 || base === 0x04 || base === 0x10 || base === 0x20 || base === 0x40
}

/**
 * Virtual memory written down again from the rules, one entry a page and no cleverness. Calls of the program answer a result and leave the last error
 * that they set in `error`, -1 where they set none. Where the system chooses an address, the model is told it and looks whether it could be chosen.
 */
export class PageModel {
  readonly count: number
  /** Of each page: 1 + the first page of its reservation, 0 where it is free. A reservation begins at a unit and is one run of pages. */
  readonly base: Int32Array
  readonly committed: Uint8Array
  readonly protection: Uint16Array
  /** By the first page of a reservation: its pages, and whose it is. */
  readonly pages: Int32Array
  readonly owner: Int32Array
  /** What the program's pages hold. */
  readonly bytes: Uint8Array
  /** Pages that may be committed, and those that are. */
  physical: number
  total = 0
  /** A commit of the call that is being looked at was refused though there may have been room: failures are injected. */
  refusing = false
  error = -1
  /** Where the last access stopped. */
  at = 0
  /** The words that the last query tells. */
  readonly told: number[] = [0, 0, 0, 0, 0, 0, 0]

  constructor(memory: number, physical: number) {
    this.count = memory / PAGE
    this.physical = physical / PAGE
    this.base = new Int32Array(this.count)
    this.committed = new Uint8Array(this.count)
    this.protection = new Uint16Array(this.count)
    this.pages = new Int32Array(this.count)
    this.owner = new Int32Array(this.count)
    this.bytes = new Uint8Array(memory)
  }

  get available(): number {
    return Math.max(0, this.physical - this.total)
  }

  /** 1 + first page of the reservation that an address lies in; 0 if there is none. */
  baseAt(address: number): number {
    const page = Math.floor(address / PAGE)
    return page < this.count ? (this.base[page] as number) : 0
  }

  /** Whether `count` units from `unit` on are free. VL-3: the first is never mapped. */
  unitsAreFree(unit: number, count: number): boolean {
    if (unit < 1 || unit + count > this.count / PER_UNIT) return false
    for (let n = 0; n < count; n++) {
      for (let page = (unit + n) * PER_UNIT; page < (unit + n + 1) * PER_UNIT; page++) if (this.base[page] !== 0) return false
    }
    return true
  }

  /** Whether so many bytes of address space are free in one run. */
  hasRoom(size: number): boolean {
    const count = Math.ceil(size / UNIT)
    for (let unit = 1; unit + count <= this.count / PER_UNIT; unit++) if (this.unitsAreFree(unit, count)) return true
    return false
  }

  /** Bytes of address space in whole free units (C-69). */
  get freeSpace(): number {
    let free = 0
    for (let unit = 1; unit < this.count / PER_UNIT; unit++) if (this.unitsAreFree(unit, 1)) free += UNIT
    return free
  }

  /** A reservation of `size` bytes at `address`, which has to be free address space. */
  take(address: number, size: number, protection: number, owner: number): void {
    const count = Math.ceil(size / PAGE)
    if (address % UNIT !== 0 || !this.unitsAreFree(address / UNIT, Math.ceil(size / UNIT)))
      disagree(`0x${address.toString(16)} with ${size} bytes is not free address space`)
    const first = address / PAGE
    this.pages[first] = count
    this.owner[first] = owner
    for (let page = first; page < first + count; page++) {
      this.base[page] = first + 1
      this.committed[page] = 0
      this.protection[page] = protection
    }
  }

  /** The reservation whose first page is `first` ends. */
  drop(first: number): void {
    const end = first + (this.pages[first] as number)
    for (let page = first; page < end; page++) {
      this.total -= this.committed[page] as number
      this.committed[page] = 0
      this.base[page] = 0
    }
  }

  /** Pages of the range that are not committed. */
  missing(address: number, size: number): number {
    const last = Math.floor((address + size - 1) / PAGE)
    let missing = 0
    for (let page = Math.floor(address / PAGE); page <= last; page++) if (this.committed[page] === 0) missing++
    return missing
  }

  /** Commits every page that the range touches; false if there is not enough physical memory. */
  commit(address: number, size: number): boolean {
    const missing = this.missing(address, size)
    if (missing === 0) return true
    if (missing > this.available) return false
    const last = Math.floor((address + size - 1) / PAGE)
    for (let page = Math.floor(address / PAGE); page <= last; page++) this.committed[page] = 1
    this.total += missing
    return true
  }

  decommit(first: number, last: number): void {
    for (let page = first; page <= last; page++) {
      this.total -= this.committed[page] as number
      this.committed[page] = 0
    }
  }

  /** 1 + first page of the program's own reservation that holds the whole range; 0 if there is none. */
  #own(address: number, size: number): number {
    const base = this.baseAt(address)
    return base !== 0 && this.owner[base - 1] === APP && this.baseAt(address + Math.max(size, 1) - 1) === base ? base : 0
  }

  #bad(error: number): 0 {
    this.error = error
    return 0
  }

  #commitOwn(first: number, last: number, protection: number): boolean {
    let missing = 0
    for (let page = first; page <= last; page++) if (this.committed[page] === 0) missing++
    if (missing > 0 && (this.refusing || missing > this.available)) return false
    for (let page = first; page <= last; page++) {
      if (this.committed[page] === 0) this.bytes.fill(0, page * PAGE, (page + 1) * PAGE) // VA-2
      this.committed[page] = 1
      this.protection[page] = protection
    }
    this.total += missing
    return true
  }

  /** VA-2 to VA-11, C-20, C-21, C-51, C-66, C-72. `given` is the emulator's answer, for where the system chooses the place. */
  alloc(address: number, size: number, type: number, protection: number, given: number): number {
    this.error = -1
    const action = (type & ~MEM_TOP_DOWN) >>> 0
    const known = action === MEM_RESERVE || action === MEM_COMMIT || action === (MEM_RESERVE | MEM_COMMIT)
    if (size === 0 || !known || !isProtection(protection)) return this.#bad(ERROR_INVALID_PARAMETER)
    if (address !== 0 && action === MEM_COMMIT) {
      if (this.#own(address, size) === 0) return this.#bad(ERROR_INVALID_ADDRESS)
      const [first, last] = [Math.floor(address / PAGE), Math.floor((address + size - 1) / PAGE)]
      return this.#commitOwn(first, last, protection) ? first * PAGE : this.#bad(ERROR_NOT_ENOUGH_MEMORY)
    }
    const start = address - (address % UNIT)
    const count = Math.ceil((address + size - start) / PAGE)
    const units = Math.ceil(count / PER_UNIT)
    if (address === 0 && !this.hasRoom(count * PAGE)) return this.#bad(ERROR_NOT_ENOUGH_MEMORY)
    if (address !== 0 && !this.unitsAreFree(start / UNIT, units)) return this.#bad(ERROR_INVALID_ADDRESS)
    if ((action & MEM_COMMIT) !== 0 && (this.refusing || count > this.available)) return this.#bad(ERROR_NOT_ENOUGH_MEMORY)
    // There is room, so an answer of NULL is wrong: the comparison with this shows it.
    const place = address === 0 ? given : start
    if (place === 0) return UNIT
    this.take(place, count * PAGE, protection, APP)
    if ((action & MEM_COMMIT) !== 0) this.#commitOwn(place / PAGE, place / PAGE + count - 1, protection)
    return place
  }

  /** VF-2 to VF-6, C-21. */
  free(address: number, size: number, type: number): number {
    this.error = -1
    if (type !== MEM_RELEASE && type !== MEM_DECOMMIT) return this.#bad(ERROR_INVALID_PARAMETER)
    if (type === MEM_RELEASE && size !== 0) return this.#bad(ERROR_INVALID_PARAMETER)
    const base = this.#own(address, size)
    if (base === 0) return this.#bad(ERROR_INVALID_ADDRESS)
    const first = base - 1
    const count = this.pages[first] as number
    if (size === 0 && address !== first * PAGE) return this.#bad(ERROR_INVALID_PARAMETER)
    if (type === MEM_DECOMMIT) {
      if (size === 0) this.decommit(first, first + count - 1)
      else this.decommit(Math.floor(address / PAGE), Math.floor((address + size - 1) / PAGE))
      return 1
    }
    const missing = this.missing(first * PAGE, count * PAGE)
    if (missing !== 0 && missing !== count) return this.#bad(ERROR_INVALID_PARAMETER) // VF-5
    this.drop(first)
    return 1
  }

  /** VP-1 to VP-4, C-62, C-65. */
  protect(address: number, size: number, protection: number, out: number): number {
    this.error = -1
    if (size === 0 || !isProtection(protection)) return this.#bad(ERROR_INVALID_PARAMETER)
    if (this.#own(address, size) === 0 || this.missing(address, size) > 0) return this.#bad(ERROR_INVALID_ADDRESS)
    const first = Math.floor(address / PAGE)
    if (this.reach(out, 4, true, false) !== DONE) return this.#bad(ERROR_INVALID_PARAMETER)
    this.store(out, this.protection[first] as number)
    const last = Math.floor((address + size - 1) / PAGE)
    for (let page = first; page <= last; page++) this.protection[page] = protection
    return 1
  }

  /** VQ-1, VQ-2, C-62, C-64. */
  query(address: number, out: number, length: number): number {
    this.error = -1
    const first = Math.floor(address / PAGE)
    if (length < 28 || first >= this.count) return this.#bad(ERROR_INVALID_PARAMETER)
    const [base, committed, protection] = [this.base[first], this.committed[first], this.protection[first]]
    let end = first
    while (end < this.count && this.base[end] === base) {
      if (base !== 0 && (this.committed[end] !== committed || (committed === 1 && this.protection[end] !== protection))) break
      end++
    }
    const { told } = this
    told[0] = first * PAGE
    told[1] = base === 0 ? 0 : ((base as number) - 1) * PAGE
    told[2] = 0
    told[3] = (end - first) * PAGE
    told[4] = base === 0 ? MEM_FREE : committed === 1 ? MEM_COMMIT : MEM_RESERVE
    told[5] = base === 0 ? PAGE_NOACCESS : committed === 1 ? (protection as number) : 0
    told[6] = base === 0 ? 0 : MEM_PRIVATE
    if (this.reach(out, 28, true, false) !== DONE) return this.#bad(ERROR_INVALID_PARAMETER)
    for (let n = 0; n < 7; n++) this.store(out + 4 * n, told[n] as number)
    return 28
  }

  /** A DWORD is written to memory that can be reached: kept where it is the program's page. */
  store(address: number, value: number): void {
    for (let byte = 0; byte < 4; byte++) this.bytes[address + byte] = (value >>> (8 * byte)) & 0xff
  }

  /** VP-4, C-67: what an access meets, at the first byte that cannot be reached (`at`). With `goesOff` a guard that is met is gone. */
  reach(address: number, size: number, write: boolean, goesOff: boolean): number {
    for (let at = address; at < address + size; at = (Math.floor(at / PAGE) + 1) * PAGE) {
      const page = Math.floor(at / PAGE)
      this.at = at
      if (page >= this.count || this.committed[page] === 0) return VIOLATION
      const protection = this.protection[page] as number
      if ((protection & PAGE_GUARD) !== 0) {
        if (goesOff) this.protection[page] = protection & ~PAGE_GUARD
        return GUARD
      }
      const base = protection & 0xff
      const can = base === 0x04 || base === 0x40 || (!write && (base === 0x02 || base === 0x10 || base === 0x20))
      if (!can) return VIOLATION
    }
    return DONE
  }
}
