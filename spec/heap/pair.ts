import * as assert from 'uvu/assert'
import { type CeProcess, type CeThread, HEAP_REALLOC_IN_PLACE_ONLY } from '../../src/index.ts'
import { NaiveList } from './naive.ts'

/** One call on a `Pair`: `pick` chooses the block that it is about. */
export interface Step {
  readonly call: 'alloc' | 'free' | 'realloc' | 'in place' | 'compact'
  readonly heap: number
  readonly pick: number
  readonly bytes: number
}

/** One next-fit heap of the emulator beside its naive list: each call has to give the pointer that the list gives. */
export class Pair {
  readonly handle: number
  readonly live: number[] = []
  readonly #ce: CeThread
  readonly #process: CeProcess
  readonly #list: NaiveList = new NaiveList()
  readonly #known: Set<number> = new Set()
  readonly #guard: number
  readonly #fixed: boolean

  constructor(process: CeProcess, maximum: number, debug: boolean) {
    this.#process = process
    this.#ce = process.thread
    this.#guard = debug ? 32 : 0
    this.#fixed = maximum !== 0
    this.handle = this.#ce.HeapCreate(0, 0, maximum)
    this.#learn()
  }

  step({ call, pick, bytes }: Step): void {
    const p = this.live[pick % Math.max(1, this.live.length)]
    if (call === 'compact') this.#compact()
    else if (call === 'alloc' || p === undefined) this.alloc(bytes)
    else if (call === 'free') this.free(p)
    else this.#resize(p, bytes, call === 'in place')
  }

  #whole(bytes: number): number {
    return Math.max(32, Math.ceil(bytes / 32) * 32) + this.#guard
  }

  /** Tells the list of regions that it does not know; true if there were any. */
  #learn(): boolean {
    const heap = this.#process.snapshot().heaps.find(({ handle }) => handle === this.handle)
    let news = false
    for (const region of heap?.regions ?? []) {
      if (this.#known.has(region.address)) continue
      const control = heap?.blocks.find(({ address, state }) => address === region.address && state === 'control')?.size ?? 0
      this.#list.addRegion(region.address, region.size, control)
      this.#known.add(region.address)
      news = true
    }
    return news
  }

  /** What the list answers where the emulator answered `got`; the heap may have grown meanwhile. */
  #expected(size: number, got: number): number {
    const found = this.#list.allocate(size)
    if (found !== 0 || this.#fixed) return found
    const grew = this.#learn()
    assert.is(grew, got !== 0, 'a growable heap grows when no free block fits, and only if the address space lets it')
    return grew ? this.#list.allocate(size) : 0
  }

  alloc(bytes: number): number {
    const p = this.#ce.HeapAlloc(this.handle, 0, bytes)
    assert.is(p, this.#expected(this.#whole(bytes), p))
    if (p !== 0) this.live.push(p)
    return p
  }

  free(p: number): void {
    assert.is(this.#ce.HeapFree(this.handle, 0, p), 1)
    this.#list.release(p)
    this.live.splice(this.live.indexOf(p), 1)
  }

  #resize(p: number, bytes: number, stay: boolean): void {
    const q = this.#ce.HeapReAlloc(this.handle, stay ? HEAP_REALLOC_IN_PLACE_ONLY : 0, p, bytes)
    const size = this.#whole(bytes)
    if (this.#list.resize(p, size)) {
      assert.is(q, p)
      return
    }
    assert.is(q, stay ? 0 : this.#expected(size, q))
    if (q === 0) return
    this.#list.release(p)
    this.live.splice(this.live.indexOf(p), 1, q)
  }

  #compact(): void {
    this.#ce.HeapCompact(this.handle, 0)
    const heap = this.#process.snapshot().heaps.find(({ handle }) => handle === this.handle)
    for (const address of [...this.#known]) {
      if (heap?.regions.some((region) => region.address === address)) continue
      this.#list.dropRegion(address)
      this.#known.delete(address)
    }
  }
}
