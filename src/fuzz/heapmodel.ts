import { FIXED_HEAP_LIMIT, PAGE_READWRITE } from '../constants.ts'
import type { Profile } from '../profile.ts'
import { disagree, hex } from './disagreement.ts'
import { PAGE, type PageModel, UNIT } from './pagemodel.ts'

/** One heap: what it was made as, and the live blocks that the program may free, in any order. */
export interface Heap {
  readonly number: number
  readonly handle: number
  /** 0 for a growable heap. */
  readonly maximum: number
  readonly live: number[]
  blocks: number
  bytes: number
}

export function up(value: number, step: number): number {
  return Math.ceil(value / step) * step
}

const GRANULE = 32

/**
 * All heaps of a process in a plain form: for each 32 bytes of memory, which live block has them. Where a block lies is the emulator's business:
 * the model is told the address, looks whether it could be one, and commits the pages that the block touches. So it knows every gap and every
 * page, and with them which request must succeed and which cannot.
 */
export class HeapModel {
  readonly heaps: Heap[] = []
  readonly pages: PageModel
  /** Of each granule: the number of the live block that has it, 0 for none. */
  readonly granules: Int32Array
  /** By a block's number: where it is, bytes as requested and as taken, its heap, its place among the heap's live ones, what was written to it. */
  address: Int32Array = new Int32Array(1024)
  bytes: Int32Array = new Int32Array(1024)
  room: Int32Array = new Int32Array(1024)
  heap: Int32Array = new Int32Array(1024)
  place: Int32Array = new Int32Array(1024)
  stamp: Int32Array = new Int32Array(1024)
  big: Uint8Array = new Uint8Array(1024)
  /** By the first page of a reservation: bytes that a fixed heap spends on itself at its start (HC-10, C-45), and whether it is a big block's. */
  readonly #control: Int32Array
  readonly #isBig: Uint8Array
  readonly #free: number[] = []
  readonly #profile: Profile
  readonly #debug: boolean
  readonly #memory: number
  #blocks = 0
  #heaps = 0
  /** The gap that was found last, in granules. */
  #from = 0
  #to = 0

  constructor(profile: Profile, debug: boolean, memory: number, pages: PageModel) {
    this.#profile = profile
    this.#debug = debug
    this.#memory = memory
    this.pages = pages
    this.granules = new Int32Array(memory / GRANULE)
    this.#control = new Int32Array(pages.count)
    this.#isBig = new Uint8Array(pages.count)
  }

  find(handle: number): Heap | undefined {
    for (const heap of this.heaps) if (heap.handle === handle) return heap
    return undefined
  }

  /** HeapSize of a block of `bytes`: HS-3, HS-4. */
  sizeOf(bytes: number): number {
    return this.#debug ? bytes : up(Math.max(bytes, 1), GRANULE)
  }

  /** HA-7, C-1; one granule more on debug builds (C-46). */
  roomFor(bytes: number): number {
    return up(Math.max(bytes, 1), GRANULE) + (this.#debug ? GRANULE : 0)
  }

  #bigRoom(bytes: number): number {
    return up(bytes + (this.#debug ? GRANULE : 0), PAGE)
  }

  /** C-23. */
  isBig(heap: Heap, bytes: number): boolean {
    return heap.maximum === 0 && bytes > this.#profile.bigBlock
  }

  /** Bytes of a heap's first region, what it spends on itself, and how much of it is committed at once (HC-2, HC-3, C-24, C-27, C-45). */
  #firstRegion(initial: number, maximum: number): { size: number; control: number; committed: number } {
    const first = Math.max(PAGE, up(initial, PAGE))
    if (maximum === 0) return { size: up(Math.max(this.#profile.region, first), UNIT), control: 0, committed: first }
    const size = up(maximum, PAGE)
    const control = up(64 + size / GRANULE / 4, GRANULE)
    return { size, control, committed: Math.max(first, control) }
  }

  /** C-11. */
  canCreate(initial: number, maximum: number): boolean {
    const { size, committed } = this.#firstRegion(initial, maximum)
    return this.#hasRoom(size, committed)
  }

  #hasRoom(space: number, committed: number): boolean {
    return space < this.#memory && this.pages.hasRoom(space) && Math.ceil(committed / PAGE) <= this.pages.available
  }

  create(handle: number, address: number, initial: number, maximum: number): Heap {
    const { size, control, committed } = this.#firstRegion(initial, maximum)
    if (this.find(handle) !== undefined) disagree(`the handle ${hex(handle)} is another heap's`)
    const heap = { number: ++this.#heaps, handle, maximum, live: [], blocks: 0, bytes: 0 }
    this.#take(heap, address, size, control, 0)
    if (!this.pages.commit(address, committed)) disagree('a heap was made without physical memory for it')
    this.heaps.push(heap)
    return heap
  }

  #take(heap: Heap, address: number, size: number, control: number, big: number): void {
    this.pages.take(address, size, PAGE_READWRITE, heap.number)
    this.#control[address / PAGE] = control
    this.#isBig[address / PAGE] = big
  }

  destroy(heap: Heap): void {
    for (let page = UNIT / PAGE; page < this.pages.count; page += UNIT / PAGE) {
      if (!this.#begins(heap, page)) continue
      const end = page + (this.pages.pages[page] as number)
      for (let granule = (page * PAGE) / GRANULE; granule < (end * PAGE) / GRANULE; granule++) {
        const id = this.granules[granule] as number
        if (id !== 0 && this.granules[granule - 1] !== id) this.#free.push(id)
      }
      this.granules.fill(0, (page * PAGE) / GRANULE, (end * PAGE) / GRANULE)
      this.pages.drop(page)
    }
    this.heaps.splice(this.heaps.indexOf(heap), 1)
  }

  /** Whether a reservation of the heap begins with a page. */
  #begins(heap: Heap, page: number): boolean {
    return this.pages.base[page] === page + 1 && this.pages.owner[page] === heap.number
  }

  /** First pages of the heap's regions, by address. */
  regions(heap: Heap): number[] {
    const found: number[] = []
    for (let page = UNIT / PAGE; page < this.pages.count; page += UNIT / PAGE)
      if (this.#begins(heap, page) && this.#isBig[page] === 0) found.push(page)
    return found
  }

  /** Finds the first gap of a region at or behind a granule: whether there is one. */
  #nextGap(region: number, from: number): boolean {
    const { granules } = this
    const end = ((region + (this.pages.pages[region] as number)) * PAGE) / GRANULE
    let at = Math.max(from, (region * PAGE + (this.#control[region] as number)) / GRANULE)
    for (let id = granules[at] as number; at < end && id !== 0; id = granules[at] as number)
      at = ((this.address[id] as number) + (this.room[id] as number)) / GRANULE
    this.#from = at
    while (at < end && granules[at] === 0) at++
    this.#to = at
    return this.#from < end
  }

  /** Whether any gap of the heap has `room` bytes. */
  #hasGap(heap: Heap, room: number): boolean {
    for (const region of this.regions(heap))
      for (let at = 0; this.#nextGap(region, at); at = this.#to) if ((this.#to - this.#from) * GRANULE >= room) return true
    return false
  }

  /** Whether a new block of `bytes` finds a place. */
  canPlace(heap: Heap, bytes: number): boolean {
    if (this.isBig(heap, bytes)) return this.#hasRoom(this.#bigRoom(bytes), this.#bigRoom(bytes))
    if (heap.maximum !== 0 && bytes >= FIXED_HEAP_LIMIT) return false // HA-2
    const { pages } = this
    const room = this.roomFor(bytes)
    if (room > this.#memory) return false
    let fits = false
    for (const region of this.regions(heap)) {
      for (let at = 0; this.#nextGap(region, at); at = this.#to) {
        if ((this.#to - this.#from) * GRANULE < room) continue
        if (pages.missing(this.#from * GRANULE, room) <= pages.available) return true
        fits = true
      }
    }
    return !fits && heap.maximum === 0 && this.#hasRoom(room, room)
  }

  /** Takes in a new block where the emulator has put it; returns its number. `kept` ones are not among those that the program frees. */
  add(heap: Heap, address: number, bytes: number, stamp: number, kept = false): number {
    if (address % GRANULE !== 0) disagree(`the block at ${hex(address)} is not a multiple of 32`) // C-22
    const { pages } = this
    const big = this.isBig(heap, bytes)
    const room = big ? this.#bigRoom(bytes) : this.roomFor(bytes)
    if (big) this.#take(heap, address, room, 0, 1)
    else {
      if (heap.maximum !== 0 && bytes >= FIXED_HEAP_LIMIT) disagree('a fixed heap gave a block of 0x7FFF8 bytes or more')
      const base = pages.baseAt(address)
      if (base === 0 || pages.owner[base - 1] !== heap.number || this.#isBig[base - 1] === 1) this.#grow(heap, address, room)
      const first = pages.baseAt(address) - 1
      const start = first * PAGE + (this.#control[first] as number)
      const end = (first + (pages.pages[first] as number)) * PAGE
      if (address < start || address + room > end)
        disagree(`${hex(address)} with ${room} bytes does not lie in the region ${hex(start)} to ${hex(end)}`)
    }
    if (!pages.commit(address, room)) disagree('a block was given without physical memory for it')
    const id = this.#free.pop() ?? this.#fresh()
    this.#claim(id, address, room)
    this.address[id] = address
    this.bytes[id] = bytes
    this.room[id] = room
    this.heap[id] = heap.number
    this.stamp[id] = stamp
    this.big[id] = big ? 1 : 0
    this.place[id] = kept ? -1 : heap.live.push(id) - 1
    heap.blocks++
    heap.bytes += bytes
    return id
  }

  #fresh(): number {
    const id = ++this.#blocks
    if (id < this.address.length) return id
    const longer = (list: Int32Array): Int32Array => {
      const next = new Int32Array(list.length * 2)
      next.set(list)
      return next
    }
    this.address = longer(this.address)
    this.bytes = longer(this.bytes)
    this.room = longer(this.room)
    this.heap = longer(this.heap)
    this.place = longer(this.place)
    this.stamp = longer(this.stamp)
    const big = new Uint8Array(this.big.length * 2)
    big.set(this.big)
    this.big = big
    return id
  }

  /** The granules become the block's, which nobody else may have. */
  #claim(id: number, address: number, room: number): void {
    const { granules } = this
    const end = (address + room) >>> 5
    for (let granule = address >>> 5; granule < end; granule++) {
      const other = granules[granule] as number
      if (other !== 0)
        disagree(
          `${hex(address)} with ${room} bytes overlaps the live block at ${hex(this.address[other] as number)} of ${this.bytes[other]} bytes`
        )
      granules[granule] = id
    }
  }

  #release(address: number, room: number): void {
    const { granules } = this
    const end = (address + room) >>> 5
    for (let granule = address >>> 5; granule < end; granule++) granules[granule] = 0
  }

  /** C-24, C-50: a further region is only opened where no gap suffices. */
  #grow(heap: Heap, address: number, room: number): void {
    if (heap.maximum !== 0) disagree(`${hex(address)} lies outside of a fixed heap`)
    if (this.#hasGap(heap, room)) disagree(`a region at ${hex(address)} for ${room} bytes that had room in the heap`)
    const needed = up(room, UNIT)
    const usual = Math.max(this.#profile.region, needed)
    this.#take(heap, address, this.pages.hasRoom(usual) ? usual : needed, 0, 0)
  }

  remove(heap: Heap, id: number): void {
    const address = this.address[id] as number
    const place = this.place[id] as number
    if (place >= 0) {
      const last = heap.live.pop() as number
      if (last !== id) {
        heap.live[place] = last
        this.place[last] = place
      }
    }
    heap.blocks--
    heap.bytes -= this.bytes[id] as number
    this.#release(address, this.room[id] as number)
    if (this.big[id] === 1) this.pages.drop(address / PAGE)
    this.#free.push(id)
  }

  /** The number of the live block of a heap that begins at a pointer; 0 if there is none. */
  blockAt(heap: Heap, pointer: number): number {
    if (pointer >= this.#memory || pointer % GRANULE !== 0) return 0
    const id = this.granules[pointer / GRANULE] as number
    return id !== 0 && this.address[id] === pointer && this.heap[id] === heap.number ? id : 0
  }

  /** Whether `more` bytes right behind an ordinary block are its region's and nobody's. */
  #freeBehind(id: number, more: number): boolean {
    const { pages, granules } = this
    const from = (this.address[id] as number) + (this.room[id] as number)
    const first = pages.baseAt(this.address[id] as number) - 1
    if (from + more > (first + (pages.pages[first] as number)) * PAGE) return false
    for (let granule = from / GRANULE; granule < (from + more) / GRANULE; granule++) if (granules[granule] !== 0) return false
    return true
  }

  /** C-48: whether the block must stay where it is when it gets another size. */
  staysPut(heap: Heap, id: number, bytes: number, inPlace: boolean): boolean {
    const room = this.room[id] as number
    const big = this.isBig(heap, bytes)
    if (this.big[id] === 1) return (big || inPlace) && this.#bigRoom(bytes) <= room
    if (big || (heap.maximum !== 0 && bytes >= FIXED_HEAP_LIMIT)) return false
    const more = this.roomFor(bytes) - room
    if (more <= 0) return true
    return this.#freeBehind(id, more) && this.pages.missing((this.address[id] as number) + room, more) <= this.pages.available
  }

  /** Whether a big block has the pages for `bytes`, though it would rather move: it stays where no other place is found. */
  couldStay(id: number, bytes: number): boolean {
    return this.big[id] === 1 && this.#bigRoom(bytes) <= (this.room[id] as number)
  }

  /** The block has another size at its place. */
  resize(heap: Heap, id: number, bytes: number): void {
    const address = this.address[id] as number
    const old = this.room[id] as number
    heap.bytes += bytes - (this.bytes[id] as number)
    this.bytes[id] = bytes
    if (this.big[id] === 1) return
    const room = this.roomFor(bytes)
    if (!this.pages.commit(address, room)) disagree('a block grew without physical memory for it')
    if (room > old) this.#claim(id, address + old, room - old)
    else this.#release(address + room, old - room)
    this.room[id] = room
  }

  /** HP-2 to HP-4, C-42: what HeapCompact answers, and what it gives back. */
  compact(heap: Heap): number {
    const { pages } = this
    const regions = this.regions(heap)
    let largest = 0
    for (const region of regions) {
      const end = (region + (pages.pages[region] as number)) * PAGE
      for (let next = 0; this.#nextGap(region, next); next = this.#to) {
        const [from, to] = [this.#from * GRANULE, this.#to * GRANULE]
        let run = 0
        for (let at = from; at < to; ) {
          const page = Math.floor(at / PAGE)
          const stop = Math.min(to, (page + 1) * PAGE)
          run = pages.committed[page] === 1 ? run + stop - at : 0
          largest = Math.max(largest, run)
          at = stop
        }
        pages.decommit(up(from, PAGE) / PAGE, Math.floor(to / PAGE) - 1)
        if (region !== regions[0] && from === region * PAGE && to === end) pages.drop(region)
      }
    }
    return largest
  }
}
