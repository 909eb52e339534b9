import type { TraceHeap } from './heaps.ts'
import { PointerMap } from './pointermap.ts'

/** Which functions a block came from: a block of the C runtime or of COM may be freed by whatever they call inside. */
export type Family = 'heap' | 'local' | 'crt' | 'com'

/** One block as the recording knows it, live or freed a short while ago. Objects are used again; a trace can have a million of them. */
export class Block {
  /** In the recording; of movable memory the handle. */
  pointer = 0
  /** In the emulator; 0 where CE would not have given the block. */
  own = 0
  heap: TraceHeap
  family: Family = 'heap'
  size = 0
  call = ''
  site = ''
  thread = 0
  position = 0
  /** The number of the free that ended it; 0 while it lives. */
  freeNumber = 0
  /** The neighbours in the list of its heap's live blocks. */
  previous: Block | undefined = undefined
  next: Block | undefined = undefined

  constructor(heap: TraceHeap) {
    this.heap = heap
  }

  get freed(): boolean {
    return this.freeNumber !== 0
  }
}

/** How a block was freed. */
export interface Free {
  readonly block: Block
  readonly number: number
  readonly call: string
  readonly site: string
  readonly position: number
}

/** Freed blocks that are remembered, for reports of double frees. */
const mostFreed = 4096

/** The recording's blocks by pointer. Its size is that of the live blocks and a bounded number of freed ones. */
export class Ledger {
  private readonly blocks = new PointerMap<Block>()
  /** What GlobalLock gave, of movable memory, both ways. */
  private readonly byAlias = new Map<number, Block>()
  private readonly aliases = new Map<Block, number>()
  /** The last frees, by their number modulo the size. */
  private readonly frees: (Free | undefined)[] = new Array(mostFreed).fill(undefined)
  private count = 0

  /** The live or lately freed block that begins at this pointer, or whose content lies there. */
  find(pointer: number): Block | undefined {
    const block = this.blocks.get(pointer)
    return block !== undefined || this.byAlias.size === 0 ? block : this.byAlias.get(pointer)
  }

  /** The live block with this pointer or handle itself. */
  live(pointer: number): Block | undefined {
    const block = this.blocks.get(pointer)
    return block?.freeNumber === 0 ? block : undefined
  }

  /** A block for an allocation that returned `pointer`. Precondition: no live block has it. The caller fills it in. */
  claim(pointer: number, heap: TraceHeap): Block {
    let block = this.blocks.get(pointer)
    if (block === undefined) {
      block = new Block(heap)
      this.blocks.set(pointer, block)
    }
    block.pointer = pointer
    block.freeNumber = 0
    block.heap = heap
    block.previous = undefined
    block.next = heap.first
    if (heap.first !== undefined) heap.first.previous = block
    heap.first = block
    return block
  }

  /** The block's content can also be reached by this pointer (GlobalLock), until it is freed or another alias is given. */
  alias(block: Block, pointer: number): void {
    this.dropAlias(block)
    if (pointer === block.pointer) return
    this.aliases.set(block, pointer)
    this.byAlias.set(pointer, block)
  }

  /** The block was freed. It stays known for a while. */
  release(block: Block, call: string, site: string, position: number): void {
    if (block.previous !== undefined) block.previous.next = block.next
    else block.heap.first = block.next
    if (block.next !== undefined) block.next.previous = block.previous
    block.previous = undefined
    block.next = undefined
    if (this.aliases.size > 0) this.dropAlias(block)
    const number = ++this.count
    block.freeNumber = number
    const slot = number % mostFreed
    const oldest = this.frees[slot]
    // Live again, or freed again since, it has no number or a younger one.
    if (oldest !== undefined && oldest.block.freeNumber === oldest.number) this.blocks.delete(oldest.block.pointer)
    this.frees[slot] = { block, number, call, site, position }
  }

  /** How a freed block was freed. Precondition: `find` gave it. */
  freeOf(block: Block): Free {
    return this.frees[block.freeNumber % mostFreed]!
  }

  /** The live block that `pointer` points into, by looking at all of them. */
  around(pointer: number): Block | undefined {
    for (const block of this.blocks.values()) {
      if (!block.freed && pointer > block.pointer && pointer < block.pointer + block.size) return block
    }
    return undefined
  }

  private dropAlias(block: Block): void {
    const alias = this.aliases.get(block)
    if (alias === undefined) return
    this.aliases.delete(block)
    if (this.byAlias.get(alias) === block) this.byAlias.delete(alias)
  }
}
