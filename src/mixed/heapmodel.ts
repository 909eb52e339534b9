import type { Profile } from '../profile.ts'
import type { VirtualModel } from './virtualmodel.ts'
import { hex, must } from './disagreement.ts'

/**
 * All heaps of a process in the plainest form: lists of live blocks in lists of regions. Where a block lies is the emulator's business: the model is
 * told the address, checks that it could be one, and commits the pages that the block touches. So it knows every gap and every page, and with them
 * which request must succeed, which must fail, and which may do either.
 */

export interface Region {
  readonly address: number
  readonly size: number
  /** Bytes at its start that a fixed heap spends on itself (HC-10, C-45). */
  readonly control: number
}

export interface Block {
  readonly heap: Heap
  readonly address: number
  /** As requested. */
  readonly bytes: number
  /** Bytes that it takes of its region; the pages of a big block. */
  readonly room: number
  readonly big: boolean
  /** Decides the bytes that the program has written. */
  readonly stamp: number
  /** Allocated under the spy, and how far behind its start it was handed out. */
  readonly spied: boolean
  readonly offset: number
  /** Kept by an IHostMalloc, or for the campaign's own use: not to be freed like any other. */
  readonly kept: boolean
}

export interface Heap {
  readonly handle: number
  /** 0 for a growable heap. */
  readonly maximum: number
  readonly regions: Region[]
  /** Ordinary blocks by address, and big ones. */
  readonly blocks: Block[]
  readonly bigs: Block[]
  /** Its pages come from callbacks that work in the creating thread alone. */
  readonly lent: boolean
  readonly protection: number
  /** Of an IHostMalloc. */
  readonly host: boolean
}

export interface Gap {
  readonly address: number
  readonly size: number
}

/** What the rules say of a request: `may` where it hangs on a choice that is free. */
export type Verdict = 'must' | 'may' | 'cannot'

const PAGE = 4096
const UNIT = 65_536
const FIXED_LIMIT = 0x7fff8
export const up = (value: number, step: number): number => Math.ceil(value / step) * step

export class HeapModel {
  readonly heaps: Heap[] = []
  readonly pages: VirtualModel
  readonly #profile: Profile
  readonly #debug: boolean
  readonly #memory: number
  /** Whether a request for address space was refused in this call: then a heap is content with the smaller region (C-50). */
  isShort: () => boolean = () => false

  constructor(profile: Profile, debug: boolean, memory: number, pages: VirtualModel) {
    this.#profile = profile
    this.#debug = debug
    this.#memory = memory
    this.pages = pages
  }

  find(handle: number): Heap | undefined {
    return this.heaps.find((heap) => heap.handle === handle)
  }

  /** HeapSize of a block of `bytes`: HS-3, HS-4. */
  sizeOf(bytes: number): number {
    return this.#debug ? bytes : up(Math.max(bytes, 1), 32)
  }

  /** HA-7, C-1; one granule more on debug builds (C-46). */
  room(bytes: number): number {
    return up(Math.max(bytes, 1), 32) + (this.#debug ? 32 : 0)
  }

  bigPages(bytes: number): number {
    return up(bytes + (this.#debug ? 32 : 0), PAGE)
  }

  /** C-23; a heap on the caller's pages has none. */
  isBig({ maximum, lent }: Heap, bytes: number): boolean {
    return maximum === 0 && !lent && bytes > this.#profile.bigBlock
  }

  /** Bytes of a heap's first region and how much of it is committed at once (HC-2, HC-3, C-24, C-27). */
  firstRegion(initial: number, maximum: number): { size: number; control: number; committed: number } {
    const first = Math.max(PAGE, up(initial, PAGE))
    if (maximum === 0) return { size: up(Math.max(this.#profile.region, first), UNIT), control: 0, committed: first }
    const size = up(maximum, PAGE)
    const control = up(64 + size / 32 / 4, 32)
    return { size, control, committed: Math.max(first, control) }
  }

  /** C-11. */
  canCreate(initial: number, maximum: number): Verdict {
    const { size, committed } = this.firstRegion(initial, maximum)
    if (size >= this.#memory || !this.pages.hasRoom(size)) return 'cannot'
    return Math.ceil(committed / PAGE) <= this.pages.available ? 'must' : 'cannot'
  }

  create(handle: number, address: number, initial: number, maximum: number, how: Pick<Heap, 'lent' | 'protection' | 'host'>): void {
    const { size, control, committed } = this.firstRegion(initial, maximum)
    must(this.find(handle) === undefined && handle % 32 !== 0, () => `the handle ${hex(handle)} is another heap's`)
    this.#take(address, size, how.protection)
    must(this.pages.commitHeap(address, committed), () => 'a heap was made without physical memory for it')
    this.heaps.push({ handle, maximum, regions: [{ address, size, control }], blocks: [], bigs: [], ...how })
  }

  destroy(heap: Heap): void {
    for (const { address } of [...heap.regions, ...heap.bigs]) this.pages.drop(address)
    this.heaps.splice(this.heaps.indexOf(heap), 1)
  }

  #take(address: number, size: number, protection: number): void {
    must(this.pages.reserveHeap(address, size, protection), () => `${hex(address)} to ${hex(address + size)} is not free address space`)
  }

  /** The free runs of the regions, by address. */
  gaps(heap: Heap): Gap[] {
    const found: Gap[] = []
    let n = 0
    for (const { address, size, control } of heap.regions) {
      let free = address + control
      for (let block = heap.blocks[n]; block !== undefined && block.address < address + size; block = heap.blocks[++n]) {
        if (block.address > free) found.push({ address: free, size: block.address - free })
        free = block.address + block.room
      }
      if (address + size > free) found.push({ address: free, size: address + size - free })
    }
    return found
  }

  /** Whether a new block of `bytes` finds a place; `own` says that the caller can get pages for a heap that has callbacks. */
  canPlace(heap: Heap, bytes: number, own: boolean): Verdict {
    const { pages } = this
    if (this.isBig(heap, bytes)) return this.#roomFor(this.bigPages(bytes), this.bigPages(bytes))
    if (bytes >= FIXED_LIMIT && heap.maximum !== 0) return 'cannot' // HA-2
    const need = this.room(bytes)
    const available = heap.lent && !own ? 0 : pages.available
    const fitting = this.gaps(heap).filter(({ size }) => size >= need)
    const backed = fitting.filter(({ address }) => {
      const missing = pages.missing(address, need)
      return missing === 0 || missing <= available
    })
    if (fitting.length > 0) {
      if (backed.length === 0) return 'cannot'
      // Where the pages come from the caller, the refusal for the chosen place counts (C-35).
      return heap.lent && backed.length < fitting.length ? 'may' : 'must'
    }
    if (heap.maximum !== 0 || (heap.lent && !own)) return 'cannot'
    return this.#roomFor(need, need)
  }

  #roomFor(space: number, committed: number): Verdict {
    return space < this.#memory && this.pages.hasRoom(space) && Math.ceil(committed / PAGE) <= this.pages.available ? 'must' : 'cannot'
  }

  /** Takes in a new block where the emulator has put it. */
  place(heap: Heap, address: number, bytes: number, rest: Pick<Block, 'stamp' | 'spied' | 'offset' | 'kept'>): Block {
    must(address % 32 === 0, () => `${hex(address)} is not a multiple of 32`) // C-22
    const big = this.isBig(heap, bytes)
    const room = big ? this.bigPages(bytes) : this.room(bytes)
    const block = { heap, address, bytes, room, big, ...rest }
    if (big) {
      this.#take(address, room, heap.protection)
      must(this.pages.commitHeap(address, room), () => 'a big block was given without physical memory for it')
      heap.bigs.push(block)
      return block
    }
    must(heap.maximum === 0 || bytes < FIXED_LIMIT, () => 'a fixed heap gave a block of 0x7FFF8 bytes or more')
    if (!heap.regions.some((region) => address >= region.address && address < region.address + region.size)) this.#grow(heap, address, room)
    const at = this.#indexFor(heap, address)
    const region = heap.regions.findLast((one) => one.address <= address) as Region
    const before = heap.blocks[at - 1]
    const from = Math.max(region.address + region.control, before === undefined ? 0 : before.address + before.room)
    const to = Math.min(region.address + region.size, heap.blocks[at]?.address ?? Number.POSITIVE_INFINITY)
    must(
      address >= from && address + room <= to,
      () => `${hex(address)} with ${room} bytes does not lie in ${hex(from)} to ${hex(to)}, which is free`
    )
    must(this.pages.commitHeap(address, room), () => 'a block was given without physical memory for it')
    heap.blocks.splice(at, 0, block)
    return block
  }

  #indexFor({ blocks }: Heap, address: number): number {
    const at = blocks.findIndex((block) => block.address > address)
    return at < 0 ? blocks.length : at
  }

  /** C-24, C-50: a further region is only opened where no gap suffices. */
  #grow(heap: Heap, address: number, room: number): void {
    must(heap.maximum === 0, () => `${hex(address)} lies outside of a fixed heap`)
    must(!this.gaps(heap).some(({ size }) => size >= room), () => `a region at ${hex(address)} for ${room} bytes that had room in the heap`)
    const needed = up(room, UNIT)
    const usual = Math.max(this.#profile.region, needed)
    const size = this.pages.hasRoom(usual) && !this.isShort() ? usual : needed
    this.#take(address, size, heap.protection)
    heap.regions.push({ address, size, control: 0 })
    heap.regions.sort((a, b) => a.address - b.address)
  }

  remove(block: Block): void {
    const { heap, big, address } = block
    const list = big ? heap.bigs : heap.blocks
    list.splice(list.indexOf(block), 1)
    if (big) this.pages.drop(address)
  }

  /** Another block in the place of one: the same address. */
  replace(block: Block, by: Partial<Pick<Block, 'bytes' | 'room' | 'stamp' | 'spied' | 'offset'>>): Block {
    const list = block.big ? block.heap.bigs : block.heap.blocks
    const next = { ...block, ...by }
    list[list.indexOf(block)] = next
    return next
  }

  /** Bytes of free memory right behind an ordinary block. */
  behind({ heap, address, room }: Block): number {
    const end = address + room
    const region = heap.regions.findLast((one) => one.address <= address) as Region
    const next = heap.blocks.find((other) => other.address > address)
    return Math.min(region.address + region.size, next?.address ?? Number.POSITIVE_INFINITY) - end
  }

  /** C-48: whether the block stays where it is; `no memory` if it would but for pages. */
  staysPut(block: Block, bytes: number, inPlace: boolean, own: boolean): 'stays' | 'moves' | 'no memory' {
    const { heap } = block
    const big = this.isBig(heap, bytes)
    if (block.big) return (big || inPlace) && this.bigPages(bytes) <= block.room ? 'stays' : 'moves'
    if (big || (heap.maximum !== 0 && bytes >= FIXED_LIMIT)) return 'moves'
    const need = this.room(bytes)
    if (need <= block.room) return 'stays'
    if (need > block.room + this.behind(block)) return 'moves'
    const missing = this.pages.missing(block.address + block.room, need - block.room)
    return missing === 0 || missing <= (heap.lent && !own ? 0 : this.pages.available) ? 'stays' : 'no memory'
  }

  /** The block has another size at its place. */
  resize(block: Block, bytes: number, stamp: number): Block {
    const room = block.big ? block.room : this.room(bytes)
    must(this.pages.commitHeap(block.address, room), () => 'a block grew without physical memory for it')
    return this.replace(block, { bytes, room, stamp })
  }

  /** HP-2 to HP-4, C-42: what HeapCompact answers, and what it gives back. */
  compact(heap: Heap): number {
    let largest = 0
    for (const { address, size } of this.gaps(heap)) {
      let run = 0
      for (let at = address; at < address + size; ) {
        const end = Math.min(address + size, (Math.floor(at / PAGE) + 1) * PAGE)
        run = this.pages.missing(at, 1) === 0 ? run + end - at : 0
        largest = Math.max(largest, run)
        at = end
      }
      const first = up(address, PAGE)
      const whole = Math.floor((address + size) / PAGE) * PAGE - first
      if (whole > 0) this.pages.decommitHeap(first, whole)
    }
    const idle = heap.regions
      .slice(1)
      .filter((region) => !heap.blocks.some((block) => block.address >= region.address && block.address < region.address + region.size))
    for (const region of idle) {
      this.pages.drop(region.address)
      heap.regions.splice(heap.regions.indexOf(region), 1)
    }
    return largest
  }
}
