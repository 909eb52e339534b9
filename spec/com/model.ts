// The spy protocol as plainly as it can be written: what is live, which of it is spied, what a spy is shown. The oracle of model.spec.ts.

/** A block as the program knows it, by the pointer that it was handed. */
export interface Block {
  readonly pointer: number
  readonly bytes: number
  /** Allocated under the spy that is registered (SP-16). */
  readonly spied: boolean
  /** Bytes between the start of the block and the pointer. */
  readonly offset: number
  /** What was asked of the heap. */
  readonly asked: number
}

export interface SpyModel {
  /** Bytes that it puts in front of a block. */
  readonly header: number
  /** It makes each n-th Alloc and Realloc fail; 0 for none. */
  readonly failing: number
  requests: number
  pending: boolean
}

/** What a call must have shown the spy, and answered. `?` stands for a pointer that only the emulator knows. */
export interface Expected {
  readonly log: readonly string[]
  readonly result: number | '?' | undefined
}

const nothing: readonly string[] = []

/** One process; calls come from the spy's own thread (`seen`) or from another one. */
export class Model {
  readonly blocks: Block[] = []
  spy: SpyModel | undefined
  unseen = 0
  /** A spy that another thread's call has ended, and that waits for its own thread to be released. */
  #ended = false

  /** Calls of the spy's own thread end with the release of a spy that is registered no more. */
  finish(seen: boolean, log: readonly string[]): string[] {
    if (this.spy?.pending && this.#spied() === 0) {
      this.spy = undefined
      this.#ended = true
    }
    if (!seen || !this.#ended) return [...log]
    this.#ended = false
    return [...log, 'Release']
  }

  #spied(): number {
    return this.blocks.filter(({ spied }) => spied).length
  }

  get spiedBlocks(): number {
    return this.#spied()
  }

  /** Whether the spy is shown this call; counts those that it is not shown. */
  #shown(seen: boolean): SpyModel | undefined {
    if (this.spy !== undefined && !seen) this.unseen++
    return seen ? this.spy : undefined
  }

  #fails(spy: SpyModel): boolean {
    spy.requests++
    return spy.failing !== 0 && spy.requests % spy.failing === 0
  }

  register(spy: SpyModel): number {
    if (this.spy !== undefined) return 0x800401fc
    this.spy = spy
    this.unseen = 0
    return 0
  }

  revoke(): number {
    if (this.spy === undefined) return 0x800401fb
    this.spy.pending = true
    return this.#spied() === 0 ? 0 : 0x80070005
  }

  alloc(seen: boolean, bytes: number): Expected & { readonly block: Omit<Block, 'pointer'> | undefined } {
    const spy = this.#shown(seen)
    if (spy === undefined) return { log: nothing, result: '?', block: { bytes, spied: false, offset: 0, asked: bytes } }
    if (this.#fails(spy) && bytes !== 0) return { log: [`PreAlloc ${bytes}`], result: 0, block: undefined }
    const asked = bytes + spy.header + (bytes === 0 && spy.header !== 0 ? 1 : 0)
    return { log: [`PreAlloc ${bytes}`, 'PostAlloc ?'], result: '?', block: { bytes, spied: true, offset: spy.header, asked } }
  }

  free(seen: boolean, { pointer, spied }: Block): Expected {
    const spy = this.#shown(seen)
    const flag = spied ? 1 : 0
    this.blocks.splice(
      this.blocks.findIndex((block) => block.pointer === pointer),
      1
    )
    return { log: spy === undefined ? nothing : [`PreFree ${pointer} ${flag}`, `PostFree ${flag}`], result: undefined }
  }

  realloc(seen: boolean, block: Block, bytes: number): Expected & { readonly block: Omit<Block, 'pointer'> | undefined } {
    const spy = this.#shown(seen)
    const { pointer, spied, offset } = block
    if (spy === undefined) return { log: nothing, result: '?', block: { bytes, spied, offset, asked: bytes + offset } }
    const pre = `PreRealloc ${pointer} ${bytes} ${spied ? 1 : 0}`
    // A spy with headers refuses to resize what has none.
    if (this.#fails(spy) || (spy.header !== 0 && !spied)) return { log: [pre], result: 0, block: undefined }
    return {
      log: [pre, `PostRealloc ? ${spied ? 1 : 0}`],
      result: '?',
      block: { bytes, spied: true, offset: spy.header, asked: bytes + spy.header }
    }
  }

  getSize(seen: boolean, { pointer, spied, offset, asked }: Block, size: (asked: number) => number): Expected {
    const spy = this.#shown(seen)
    const flag = spied ? 1 : 0
    const log = spy === undefined ? nothing : [`PreGetSize ${pointer} ${flag}`, `PostGetSize ${size(asked)} ${flag}`]
    return { log, result: size(asked) - offset }
  }

  didAlloc(seen: boolean, pointer: number, ours: number): Expected {
    const spy = this.#shown(seen)
    const flag = this.blocks.some((block) => block.pointer === pointer && block.spied) ? 1 : 0
    return {
      log: spy === undefined ? nothing : [`PreDidAlloc ${pointer} ${flag}`, `PostDidAlloc ${pointer} ${flag} ${ours}`],
      result: ours
    }
  }

  minimize(seen: boolean): Expected {
    return { log: this.#shown(seen) === undefined ? nothing : ['PreHeapMinimize', 'PostHeapMinimize'], result: undefined }
  }
}
