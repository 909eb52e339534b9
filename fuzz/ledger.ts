import type { CeThread } from '../src/index.ts'

/** A block as the app knows it. */
export interface Held {
  readonly heap: number
  readonly address: number
  /** As asked for. */
  readonly requested: number
  /** What HeapSize tells, all of which the app may use (HA-6). */
  readonly capacity: number
  /** Seed of the bytes that the app wrote. */
  readonly stamp: number
}

export function fault(text: string): Error {
  return new Error(text)
}

const hex = (value: number): string => `0x${value.toString(16)}`

/**
 * The app's side of the story, told without a look at the emulator: which blocks it holds and what it wrote into them. Blocks that
 * overlap, move or lose bytes show here whatever the emulator's own bookkeeping says.
 */
export class Ledger {
  readonly blocks: Held[] = []
  readonly #ce: CeThread
  readonly #debug: boolean
  #stamps = 0

  constructor(ce: CeThread, debug: boolean) {
    this.#ce = ce
    this.#debug = debug
  }

  /** What HeapSize must tell of a block of `bytes` (HS-3, HS-4, C-1). */
  capacity(bytes: number): number {
    return this.#debug ? bytes : Math.ceil(Math.max(bytes, 1) / 32) * 32
  }

  of(heap: number): Held[] {
    return this.blocks.filter((block) => block.heap === heap)
  }

  /** Takes a new block over: checks its address, its size and, if `zeroed`, its bytes; then writes to all of it. */
  add(heap: number, address: number, requested: number, zeroed: boolean): void {
    const capacity = this.capacity(requested)
    this.#place(address, Math.max(capacity, 1))
    this.#size(heap, address, capacity)
    if (zeroed) this.#zero(address, 0, capacity)
    this.#write({ heap, address, requested, capacity, stamp: 0 })
  }

  /** Checks that a block still holds what was written, and forgets it. */
  take(block: Held): void {
    this.verify(block, block.capacity)
    this.blocks.splice(this.blocks.indexOf(block), 1)
  }

  /**
   * A block that got another size, maybe at another address: the bytes that both sizes have are kept, those beyond the old size that
   * the heap knows are zero if `zeroed` (HR-10, C-18).
   */
  resized(block: Held, address: number, requested: number, zeroed: boolean): void {
    const capacity = this.capacity(requested)
    this.blocks.splice(this.blocks.indexOf(block), 1)
    this.#place(address, Math.max(capacity, 1))
    this.#size(block.heap, address, capacity)
    this.verify({ ...block, address }, Math.min(block.capacity, capacity))
    if (zeroed) this.#zero(address, block.capacity, capacity)
    this.#write({ heap: block.heap, address, requested, capacity, stamp: 0 })
  }

  /** Forgets a heap's blocks without a look: it was destroyed. */
  drop(heap: number): void {
    for (const block of this.of(heap)) this.blocks.splice(this.blocks.indexOf(block), 1)
  }

  verifyAll(): void {
    for (const block of this.blocks) {
      this.verify(block, block.capacity)
      this.#size(block.heap, block.address, block.capacity)
    }
  }

  verify(block: Held, length: number): void {
    const { bytes } = this.#ce.memory
    for (let i = 0; i < length; i++) {
      if (bytes[block.address + i] !== stampedByte(block.stamp, i)) {
        throw fault(
          `byte ${i} of the block at ${hex(block.address)} is ${bytes[block.address + i]}, the app had written ${stampedByte(block.stamp, i)}`
        )
      }
    }
  }

  #write(block: Held): void {
    const stamp = ++this.#stamps
    const { bytes } = this.#ce.memory
    for (let i = 0; i < block.capacity; i++) bytes[block.address + i] = stampedByte(stamp, i)
    this.blocks.push({ ...block, stamp })
  }

  #place(address: number, length: number): void {
    const end = this.#ce.memory.bytes.length
    if (address % 32 !== 0) throw fault(`${hex(address)} is not a multiple of 32`)
    if (address < 0x10000 || address + length > end) throw fault(`${hex(address)} to ${hex(address + length)} is not in user memory`)
    for (const { address: other, capacity } of this.blocks) {
      if (address < other + Math.max(capacity, 1) && other < address + length) {
        throw fault(`the block at ${hex(address)} of ${length} bytes overlaps the one at ${hex(other)} of ${capacity}`)
      }
    }
  }

  #size(heap: number, address: number, capacity: number): void {
    const told = this.#ce.HeapSize(heap, 0, address)
    if (told !== capacity) throw fault(`HeapSize tells ${told} of the block at ${hex(address)}, expected ${capacity}`)
  }

  #zero(address: number, from: number, to: number): void {
    const { bytes } = this.#ce.memory
    for (let i = from; i < to; i++) {
      if (bytes[address + i] !== 0) throw fault(`byte ${i} of the zeroed block at ${hex(address)} is ${bytes[address + i]}`)
    }
  }
}

function stampedByte(stamp: number, offset: number): number {
  return (stamp * 73 + offset * 31 + (offset >>> 8) + 1) & 0xff
}
