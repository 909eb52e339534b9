/** A block of the naive list: a free or a live run of granules. */
interface Item {
  readonly region: number
  address: number
  size: number
  free: boolean
}

/**
 * Next-fit as CE 5.0's pages tell it (HI-2), in the plainest way: one array of blocks in address order, searched from the block that
 * was last allocated or freed, once round; the first free block that is large enough is taken from its lower end. Free neighbours of
 * one region are merged at once. Addresses and sizes in bytes, sizes multiples of 32.
 */
export class NaiveList {
  items: Item[] = []
  #rover: Item | undefined

  /** A region at `address`, of which the first `control` bytes are the heap's own. */
  addRegion(address: number, size: number, control: number): void {
    const fresh: Item[] = [{ region: address, address: address + control, size: size - control, free: true }]
    if (control > 0) fresh.unshift({ region: address, address, size: control, free: false })
    const at = this.items.findIndex((item) => item.address > address)
    this.items.splice(at < 0 ? this.items.length : at, 0, ...fresh)
  }

  /** Forgets a region without live blocks; a search that would have started in it starts at the first block. */
  dropRegion(address: number): void {
    if (this.#rover?.region === address) this.#rover = undefined
    this.items = this.items.filter((item) => item.region !== address)
  }

  /** The address of a new block, 0 if no free block is large enough. */
  allocate(size: number): number {
    const start = this.#rover === undefined ? 0 : this.items.indexOf(this.#rover)
    for (let n = 0; n < this.items.length; n++) {
      const at = (start + n) % this.items.length
      const item = this.items[at] as Item
      if (!item.free || item.size < size) continue
      this.#cut(at, size)
      item.free = false
      this.#rover = item
      return item.address
    }
    return 0
  }

  release(address: number): void {
    const at = this.#indexOf(address)
    const item = this.items[at] as Item
    item.free = true
    this.#rover = this.#merge(at)
  }

  /** Shrinks or grows in place; false if the block behind is not free or too small. */
  resize(address: number, size: number): boolean {
    const at = this.#indexOf(address)
    const item = this.items[at] as Item
    if (size === item.size) return true
    if (size < item.size) {
      this.#cut(at, size)
      this.#rover = this.#merge(at + 1)
      return true
    }
    const next = this.items[at + 1]
    if (next === undefined || !next.free || next.region !== item.region || item.size + next.size < size) return false
    item.size += next.size
    this.items.splice(at + 1, 1)
    this.#cut(at, size)
    this.#rover = item
    return true
  }

  /** Sizes of the free blocks. */
  get free(): number[] {
    return this.items.filter((item) => item.free).map((item) => item.size)
  }

  #indexOf(address: number): number {
    const at = this.items.findIndex((item) => item.address === address && !item.free)
    if (at < 0) throw new Error(`the model has no block at ${address}`)
    return at
  }

  /** Leaves `size` bytes to the block at `at` and makes the rest a free block behind it. */
  #cut(at: number, size: number): void {
    const item = this.items[at] as Item
    if (item.size === size) return
    this.items.splice(at + 1, 0, { region: item.region, address: item.address + size, size: item.size - size, free: true })
    item.size = size
  }

  /** Merges the free block at `at` with its free neighbours; returns what it became. */
  #merge(at: number): Item {
    let item = this.items[at] as Item
    for (const lower of [at, at - 1]) {
      const first = this.items[lower]
      const second = this.items[lower + 1]
      if (first === undefined || second === undefined || !first.free || !second.free || first.region !== second.region) continue
      first.size += second.size
      this.items.splice(lower + 1, 1)
      item = first
    }
    return item
  }
}
