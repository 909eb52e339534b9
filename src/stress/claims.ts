import { CALLS } from '../coredll/calls.ts'
import type { CeThread } from '../coredll/thread.ts'
import { GRANULE, GRANULE_SHIFT } from '../machine/layout.ts'
import { effectOf } from './effects.ts'
import type { Effect } from './effects.ts'

/**
 * Which thread holds which granule of user memory, in a buffer of its own that all threads write while they run: how overlaps are seen in
 * schedules where many threads run at once and nobody knows the order of their calls. A block is claimed right after the call that hands it out and
 * given up right before the call that frees it, so a granule that is claimed when a block is handed out belongs to two of them.
 *
 *   owner   one word a granule: the holder's thread id at a block's first granule, minus the id at its others, 0 where free
 *   bytes   at the first granule: the size as requested
 *   heap    at the first granule: the heap's handle
 *   top     one word: granules below it may have been claimed
 */
export interface ClaimsBuffer {
  readonly granules: number
  readonly buffer: SharedArrayBuffer
}

export interface Claim {
  readonly address: number
  readonly bytes: number
  readonly heap: number
  readonly thread: number
}

/** What claims say against a call. */
export interface ClaimFault {
  readonly kind: 'overlap' | 'result'
  readonly message: string
}

/** Faults kept by a thread: the first one is what matters. */
const MOST_FAULTS = 20

const hex = (address: number): string => `0x${address.toString(16).toUpperCase()}`

export function claimsBuffer(bytes: number): ClaimsBuffer {
  const granules = bytes >>> GRANULE_SHIFT
  return { granules, buffer: new SharedArrayBuffer((granules * 3 + 1) * 4) }
}

export class Claims {
  /** What was wrong, oldest first. */
  readonly faults: ClaimFault[] = []
  /** Calls made under `watch` so far. */
  calls = 0
  readonly #granules: number
  readonly #owner: Int32Array
  readonly #bytes: Uint32Array
  readonly #heap: Uint32Array
  readonly #top: Int32Array

  constructor({ granules, buffer }: ClaimsBuffer) {
    this.#granules = granules
    this.#owner = new Int32Array(buffer, 0, granules)
    this.#bytes = new Uint32Array(buffer, granules * 4, granules)
    this.#heap = new Uint32Array(buffer, granules * 8, granules)
    this.#top = new Int32Array(buffer, granules * 12, 1)
  }

  /** Counts the calls of `ce`, and looks after those that hand out or free blocks. Returns a function that ends it. */
  watch(ce: CeThread): () => void {
    const processHeap = ce.GetProcessHeap()
    const target = ce as unknown as Record<string, (...args: number[]) => number>
    for (const call of CALLS) {
      const real = (target[call] as (...args: number[]) => number).bind(ce)
      target[call] = (...args) => {
        this.calls++
        const effect = effectOf(call, args)
        return effect === undefined ? real(...args) : this.#around(call, effect, ce.tid, effect.heap || processHeap, () => real(...args))
      }
    }
    return () => {
      for (const call of CALLS) delete target[call]
    }
  }

  /** All that is claimed. */
  list(heap = 0): Claim[] {
    const found: Claim[] = []
    const top = Math.min(Atomics.load(this.#top, 0), this.#granules)
    for (let granule = 0; granule < top; granule++) {
      const thread = this.#owner[granule] as number
      if (thread <= 0 || (heap !== 0 && this.#heap[granule] !== heap)) continue
      found.push({ address: granule << GRANULE_SHIFT, bytes: this.#bytes[granule] as number, heap: this.#heap[granule] as number, thread })
    }
    return found
  }

  #around(call: string, effect: Effect, thread: number, heap: number, make: () => number): number {
    const given = effect.gives !== 0 ? this.#release(effect.gives) : undefined
    // A heap that ends takes its blocks with it; what it then hands out anew must find them free.
    const ended = effect.ends !== 0 ? this.list(effect.ends) : []
    for (const { address } of ended) this.#release(address)
    const result = make()
    const done = effect.succeeded(result)
    if (!done) {
      if (given !== undefined) this.#claim(given)
      for (const claim of ended) this.#claim(claim)
      if (effect.takes < 0 && given !== undefined)
        this.#fault('result', `${call} refused to free the live block ${textOf(given)}; or two threads freed it at once`)
      return result
    }
    if (effect.gives !== 0 && given === undefined)
      this.#fault('result', `${call} took ${hex(effect.gives)}, which was no live block; or two threads gave it back at once`)
    if (effect.takes >= 0) {
      const block: Claim = { address: result, bytes: effect.takes, heap, thread }
      const other = this.#claim(block)
      if (other !== undefined)
        this.#fault('overlap', `${call} handed out ${hex(result)} (${effect.takes} bytes), which overlaps the live block ${textOf(other)}`)
    }
    return result
  }

  #fault(kind: ClaimFault['kind'], message: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push({ kind, message })
  }

  /** Claims the granules of a block; returns a block that holds one of them already. */
  #claim({ address, bytes, heap, thread }: Claim): Claim | undefined {
    const first = address >>> GRANULE_SHIFT
    const count = Math.max(1, Math.ceil(bytes / GRANULE))
    let other: Claim | undefined
    if (first + count > this.#granules) return { address, bytes, heap, thread }
    for (let granule = first; granule < first + count; granule++) {
      const found = Atomics.compareExchange(this.#owner, granule, 0, granule === first ? thread : -thread)
      if (found !== 0) other ??= this.#at(granule)
    }
    this.#bytes[first] = bytes
    this.#heap[first] = heap
    for (let top = Atomics.load(this.#top, 0); top < first + count; ) top = Atomics.compareExchange(this.#top, 0, top, first + count)
    return other
  }

  /** Gives a block's granules back; undefined if no block is claimed there. */
  #release(address: number): Claim | undefined {
    const first = address >>> GRANULE_SHIFT
    if (address % GRANULE !== 0 || first >= this.#granules) return undefined
    const thread = Atomics.load(this.#owner, first)
    if (thread <= 0) return undefined
    const claim: Claim = { address, bytes: this.#bytes[first] as number, heap: this.#heap[first] as number, thread }
    if (Atomics.compareExchange(this.#owner, first, thread, 0) !== thread) return undefined
    const count = Math.max(1, Math.ceil(claim.bytes / GRANULE))
    for (let granule = first + 1; granule < first + count; granule++) Atomics.compareExchange(this.#owner, granule, -thread, 0)
    return claim
  }

  /** The block that holds a granule. */
  #at(granule: number): Claim {
    let first = granule
    while (first > 0 && Atomics.load(this.#owner, first) < 0) first--
    return {
      address: first << GRANULE_SHIFT,
      bytes: this.#bytes[first] as number,
      heap: this.#heap[first] as number,
      thread: Math.abs(Atomics.load(this.#owner, granule))
    }
  }
}

function textOf({ address, bytes, thread }: Claim): string {
  return `${hex(address)} (${bytes} bytes, of thread ${thread})`
}
