import * as assert from 'uvu/assert'
import type { Profile } from '../../src/index.ts'

/**
 * What CE's pages and our choices say of every heap call, in the plainest form: heaps as lists of live blocks. Where a block lies is the
 * emulator's business: the model is told the address and checks that it could be one. From the addresses it knows which memory between
 * the blocks is free, and so what must succeed.
 *
 * Memory is taken to be plenty: only sizes beyond all memory fail for want of it.
 */

/** What a call gave. */
export interface Given {
  readonly result: number
  readonly lastError: number
}

interface Block {
  readonly address: number
  /** As requested. */
  readonly bytes: number
  /** Bytes of the pages that a big block has for itself; 0 for an ordinary block. */
  readonly pages: number
}

export interface Region {
  readonly address: number
  readonly size: number
}

interface Heap {
  readonly handle: number
  /** The one region of a fixed heap, without the heap's own structures; undefined for a growable one. */
  readonly fixed: Region | undefined
  readonly blocks: Map<number, Block>
}

const [OK, ACCESS, MEMORY, PARAMETER] = [0, 5, 8, 87]
const NOTHING = 0xffffffff
const FIXED_LIMIT = 0x7fff8
const up = (value: number, step: number): number => Math.ceil(value / step) * step

export class Model {
  readonly heaps: Heap[] = []
  lastError: number = OK
  readonly #profile: Profile
  readonly #debug: boolean
  readonly #memory: number
  /** The regions of a growable heap, as the emulator lays them: a block may grow up to its region's end. */
  readonly #regionsOf: (handle: number) => readonly Region[]

  constructor(profile: Profile, debug: boolean, memory: number, processHeap: number, regionsOf: (handle: number) => readonly Region[]) {
    this.#profile = profile
    this.#debug = debug
    this.#memory = memory
    this.#regionsOf = regionsOf
    this.heaps.push({ handle: processHeap, fixed: undefined, blocks: new Map() })
  }

  get liveBytes(): number {
    return this.heaps.reduce((sum, { blocks }) => [...blocks.values()].reduce((all, { bytes }) => all + bytes, sum), 0)
  }

  /** HeapSize of a block of `bytes`: HS-3, HS-4. */
  sizeOf(bytes: number): number {
    return this.#debug ? bytes : up(Math.max(bytes, 1), 32)
  }

  heapCreate(initial: number, maximum: number, given: Given): void {
    if (maximum !== 0 && initial > maximum) {
      this.#is(given, 0, PARAMETER) // C-10
      return
    }
    if (Math.max(initial, maximum) >= this.#memory) {
      this.#is(given, 0, MEMORY) // C-11
      return
    }
    this.#succeeds(given)
    const size = up(maximum, 4096)
    const control = up(64 + size / 32 / 4, 32) // HC-10, C-45
    const [region] = this.#regionsOf(given.result)
    assert.ok(region && (maximum === 0 || region.size === size), 'HC-3')
    assert.is(this.#heap(given.result), undefined, 'a handle of its own (HC-8)')
    const fixed = maximum === 0 ? undefined : { address: region.address + control, size: size - control }
    this.heaps.push({ handle: given.result, fixed, blocks: new Map() })
  }

  heapDestroy(handle: number, given: Given): void {
    const at = this.heaps.findIndex((heap) => heap.handle === handle)
    if (at <= 0) {
      this.#is(given, 0, PARAMETER) // C-4, C-12
      return
    }
    this.#is(given, 1)
    this.heaps.splice(at, 1)
  }

  heapAlloc(handle: number, bytes: number, given: Given): void {
    const heap = this.#heap(handle)
    // HA-5: ce-5.0 leaves the last error alone.
    const failure = (code: number): number | undefined => (this.#profile.name === 'ce-5.0' ? undefined : code)
    if (heap === undefined) {
      this.#is(given, 0, failure(PARAMETER))
      return
    }
    if (!this.#fits(heap, bytes)) {
      this.#is(given, 0, failure(MEMORY))
      return
    }
    this.#succeeds(given)
    this.#add(heap, given.result, bytes)
  }

  heapReAlloc(handle: number, inPlace: boolean, pointer: number, bytes: number, given: Given): void {
    const heap = this.#heap(handle)
    const block = heap?.blocks.get(pointer)
    if (heap === undefined || block === undefined) {
      this.#is(given, 0, PARAMETER) // C-4, C-6
      return
    }
    this.#resize(heap, block, bytes, inPlace, given)
  }

  heapFree(handle: number, pointer: number, given: Given): void {
    const gone = this.#heap(handle)?.blocks.delete(pointer) === true
    if (gone) this.#is(given, 1)
    else this.#is(given, 0, PARAMETER) // C-4, C-5
  }

  heapSize(handle: number, pointer: number, given: Given): void {
    const block = this.#heap(handle)?.blocks.get(pointer)
    this.#is(given, block === undefined ? NOTHING : this.sizeOf(block.bytes)) // C-38: the last error is left alone
  }

  heapValidate(handle: number, pointer: number, given: Given): void {
    const heap = this.#heap(handle)
    this.#is(given, heap !== undefined && (pointer === 0 || heap.blocks.has(pointer)) ? 1 : 0) // HV-4, C-36
  }

  heapCompact(handle: number, given: Given): void {
    if (this.#heap(handle) === undefined) {
      this.#is(given, 0, PARAMETER)
      return
    }
    this.#is(given, given.result, given.result === 0 ? OK : undefined) // HP-4
    assert.is(given.result % 32, 0)
  }

  localAlloc(bytes: number, given: Given): void {
    const [heap] = this.heaps as [Heap]
    if (!this.#fits(heap, bytes)) {
      this.#is(given, 0, MEMORY) // LA-7, ce-5.0 included
      return
    }
    this.#succeeds(given)
    this.#add(heap, given.result, bytes)
  }

  localReAlloc(handle: number, bytes: number, moveable: boolean, modify: boolean, given: Given): void {
    const [heap] = this.heaps as [Heap]
    const block = heap.blocks.get(handle)
    if (block === undefined) {
      this.#is(given, 0, PARAMETER) // C-15
      return
    }
    if (!modify)
      this.#resize(heap, block, bytes, !moveable, given) // LR-4
    else if (moveable)
      this.#is(given, 0, PARAMETER) // C-32
    else this.#is(given, handle) // C-33
  }

  localFree(handle: number, given: Given): void {
    const [heap] = this.heaps as [Heap]
    if (handle === 0 || heap.blocks.delete(handle))
      this.#is(given, 0) // LF-1, LF-2
    else this.#is(given, handle, PARAMETER)
  }

  localSize(handle: number, given: Given): void {
    const block = this.heaps[0]?.blocks.get(handle)
    if (block === undefined)
      this.#is(given, 0, PARAMETER) // LS-3
    else this.#is(given, this.sizeOf(block.bytes))
  }

  /** HeapCreate with HEAP_SHARED_READONLY in a process without kernel mode. */
  sharedReadonly(given: Given): void {
    this.#is(given, 0, ACCESS) // C-16
  }

  setLastError(code: number, given: Given): void {
    this.#is(given, given.result, code)
  }

  #heap(handle: number): Heap | undefined {
    return this.heaps.find((heap) => heap.handle === handle)
  }

  /** The answer must be `result`; the last error `code`, or what it was before. */
  #is(given: Given, result: number, code?: number): void {
    this.lastError = code ?? this.lastError
    assert.equal(given, { result, lastError: this.lastError })
  }

  /** The answer must be a handle or a pointer, and the last error what it was before. */
  #succeeds(given: Given): void {
    assert.is.not(given.result, 0)
    assert.is(given.lastError, this.lastError)
  }

  /** Bytes that a block takes of its heap: HA-7, one granule for 0 bytes (C-1), one more behind it on debug builds (C-46). */
  #room(bytes: number): number {
    return up(Math.max(bytes, 1), 32) + (this.#debug ? 32 : 0)
  }

  #isBig(heap: Heap, bytes: number): boolean {
    return heap.fixed === undefined && bytes > this.#profile.bigBlock // C-23
  }

  #pages(bytes: number): number {
    return up(bytes + (this.#debug ? 32 : 0), 4096)
  }

  /** Whether a new block must find a place. */
  #fits({ fixed, blocks }: Heap, bytes: number): boolean {
    if (fixed === undefined) return bytes < this.#memory
    if (bytes >= FIXED_LIMIT) return false // HA-2
    let largest = 0
    let free = fixed.address
    for (const block of [...blocks.values()].sort((a, b) => a.address - b.address)) {
      largest = Math.max(largest, block.address - free)
      free = block.address + this.#room(block.bytes)
    }
    return Math.max(largest, fixed.address + fixed.size - free) >= this.#room(bytes)
  }

  /** C-48: in place where that is possible; elsewhere if that is allowed and there is a place. */
  #resize(heap: Heap, block: Block, bytes: number, inPlace: boolean, given: Given): void {
    if (this.#staysPut(heap, block, bytes, inPlace)) {
      this.#is(given, block.address)
      heap.blocks.set(block.address, { ...block, bytes })
      return
    }
    if (inPlace || !this.#fits(heap, bytes)) {
      this.#is(given, 0, MEMORY) // FL-4, C-8, C-9
      return
    }
    this.#succeeds(given)
    this.#add(heap, given.result, bytes)
    heap.blocks.delete(block.address)
  }

  #staysPut(heap: Heap, block: Block, bytes: number, inPlace: boolean): boolean {
    const big = this.#isBig(heap, bytes)
    if (block.pages > 0) return (big || inPlace) && this.#pages(bytes) <= block.pages
    if (big || (heap.fixed !== undefined && bytes >= FIXED_LIMIT)) return false
    return this.#room(bytes) <= this.#room(block.bytes) + this.#behind(heap, block)
  }

  /** Bytes of free memory right behind an ordinary block. */
  #behind({ handle, fixed, blocks }: Heap, block: Block): number {
    const end = block.address + this.#room(block.bytes)
    const region = fixed ?? this.#regionsOf(handle).find(({ address, size }) => block.address >= address && block.address < address + size)
    assert.ok(region, 'an ordinary block lies in a region')
    const next = [...blocks.values()].map(({ address }) => address).filter((address) => address >= end)
    return Math.min(region.address + region.size, ...next) - end
  }

  /** Takes in a new block, where it must not overlap any other. */
  #add(heap: Heap, address: number, bytes: number): void {
    const pages = this.#isBig(heap, bytes) ? this.#pages(bytes) : 0
    const end = address + (pages || this.#room(bytes))
    assert.is(address % 32, 0, 'C-22')
    assert.ok(address >= 0x10000 && end <= this.#memory)
    if (heap.fixed !== undefined) assert.ok(address >= heap.fixed.address && end <= heap.fixed.address + heap.fixed.size, 'HC-3')
    for (const { blocks } of this.heaps) {
      for (const other of blocks.values())
        assert.ok(end <= other.address || address >= other.address + (other.pages || this.#room(other.bytes)), 'no overlap')
    }
    heap.blocks.set(address, { address, bytes, pages })
  }
}
