import { HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY } from '../constants.ts'
import type { CeThread } from '../coredll/thread.ts'
import { anySize, smallSize } from './sizes.ts'
import type { Context, Workload } from './workload.ts'

/** Blocks that a thread holds at a time. */
const MOST = 24
const FIXED = 256 * 1024

interface Heaps {
  readonly heaps: readonly number[]
}

interface Block {
  heap: number
  address: number
  bytes: number
}

/** Throws unless a call did what it must. */
export function must(done: boolean, what: string): void {
  if (!done) throw new Error(what)
}

function destroyAll(ce: CeThread, { heaps }: Heaps): void {
  for (const heap of heaps) must(ce.HeapDestroy(heap) === 1, 'HeapDestroy refused a live heap')
}

/** A few blocks of a thread's own, that are what they say at any time. */
class Blocks {
  readonly held: Block[] = []
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  take(heap: number, bytes: number): void {
    const { ce, cookie, random } = this.#context
    const zero = random(3) === 0
    const address = ce.HeapAlloc(heap, zero ? HEAP_ZERO_MEMORY : 0, bytes)
    // Fixed heaps and small devices are full at times.
    if (address === 0) return
    if (zero && !ce.memory.bytes.subarray(address, address + bytes).every((byte) => byte === 0))
      throw new Error('a zeroed block is not zero')
    cookie.write(address, bytes)
    this.held.push({ heap, address, bytes })
  }

  resize(bytes: number): void {
    const { ce, cookie, random } = this.#context
    const block = this.held[random(this.held.length)] as Block
    const address = ce.HeapReAlloc(block.heap, random(4) === 0 ? HEAP_REALLOC_IN_PLACE_ONLY : 0, block.address, bytes)
    if (address === 0) return
    cookie.verify(address, block.bytes, Math.min(block.bytes, bytes))
    cookie.write(address, bytes)
    block.address = address
    block.bytes = bytes
  }

  free(): void {
    const { ce, cookie, random } = this.#context
    const at = random(this.held.length)
    const { heap, address, bytes } = this.held[at] as Block
    this.held[at] = this.held.at(-1) as Block
    this.held.pop()
    cookie.verify(address, bytes)
    must(ce.HeapFree(heap, 0, address) === 1, 'HeapFree refused a live block')
  }

  freeAll(): void {
    while (this.held.length > 0) this.free()
  }
}

export const resizeStorm: Workload<Heaps> = {
  name: 'resize-storm',
  description: 'blocks of one growable and one fixed heap grow and shrink without end, across the threshold of big blocks',
  setup: (ce) => ({ heaps: [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, FIXED)] }),
  run(context) {
    const { data, random, more } = context
    const blocks = new Blocks(context)
    while (more()) {
      if (blocks.held.length < 6) blocks.take(data.heaps[random(2)] as number, smallSize(random))
      else if (random(12) === 0) blocks.free()
      else blocks.resize(anySize(random))
    }
    blocks.freeAll()
  },
  finish: destroyAll
}

export const manyHeaps: Workload<Heaps> = {
  name: 'many-heaps',
  description: 'all threads on eight heaps, growable and fixed: allocate, free, resize, measure, validate, compact',
  setup: (ce) => ({ heaps: Array.from({ length: 8 }, (_, n) => ce.HeapCreate(0, 0, n % 2 === 0 ? 0 : FIXED)) }),
  run(context) {
    const { ce, data, random, more } = context
    const blocks = new Blocks(context)
    while (more()) {
      const heap = data.heaps[random(data.heaps.length)] as number
      const choice = random(100)
      if (blocks.held.length === 0 || (choice < 45 && blocks.held.length < MOST)) blocks.take(heap, anySize(random))
      else if (choice < 80) blocks.free()
      else if (choice < 90) blocks.resize(smallSize(random))
      else if (choice < 95) {
        const { heap: owner, address, bytes } = blocks.held[random(blocks.held.length)] as Block
        must(ce.HeapSize(owner, 0, address) >= bytes, 'HeapSize tells less than was asked for')
        must(ce.HeapValidate(owner, 0, address) === 1, 'HeapValidate refuses a live block')
      } else if (choice < 98) must(ce.HeapValidate(heap, 0, 0) === 1, 'HeapValidate refuses a heap')
      else ce.HeapCompact(heap, 0)
    }
    blocks.freeAll()
  },
  finish: destroyAll
}

export const createDestroy: Workload = {
  name: 'create-destroy',
  description: 'heaps are made, filled and destroyed with live blocks in them, while others do the same and share the process heap',
  run(context) {
    const { ce, random, more, cookie } = context
    const blocks = new Blocks(context)
    while (more()) {
      const heap = ce.HeapCreate(0, random(3) * 4096, random(2) * 0x10000)
      if (blocks.held.length < MOST) blocks.take(ce.GetProcessHeap(), smallSize(random))
      if (heap !== 0) {
        const last = { address: 0, bytes: 0 }
        for (let n = 1 + random(4); n > 0; n--) {
          const bytes = anySize(random)
          const address = ce.HeapAlloc(heap, 0, bytes)
          if (address === 0) continue
          cookie.write(address, bytes)
          Object.assign(last, { address, bytes })
        }
        if (last.address !== 0) cookie.verify(last.address, last.bytes)
        must(ce.HeapDestroy(heap) === 1, 'HeapDestroy refused a live heap')
      }
      if (blocks.held.length > 0 && random(2) === 0) blocks.free()
    }
    blocks.freeAll()
  }
}
