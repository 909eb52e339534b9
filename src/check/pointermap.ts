const smallest = 1024

/**
 * A map from pointers to objects, with linear probing over two arrays. A Map costs three times the memory and half as much time again when a
 * trace has a million live blocks on a 64-bit system, since it keeps each pointer as an object of its own. NULL is no key.
 */
export class PointerMap<V> {
  size = 0
  private keys = new Float64Array(smallest)
  private items: (V | undefined)[] = new Array(smallest).fill(undefined)

  get(pointer: number): V | undefined {
    const { keys } = this
    const mask = keys.length - 1
    for (let at = hashOf(pointer) & mask; ; at = (at + 1) & mask) {
      const key = keys[at]!
      if (key === pointer) return this.items[at]
      if (key === 0) return undefined
    }
  }

  set(pointer: number, item: V): void {
    // At most five eighths full: beyond, the runs of used places grow long.
    if (this.size * 8 >= this.keys.length * 5) this.resize(this.keys.length * 2)
    const { keys } = this
    const mask = keys.length - 1
    let at = hashOf(pointer) & mask
    while (keys[at] !== 0 && keys[at] !== pointer) at = (at + 1) & mask
    if (keys[at] === 0) this.size++
    keys[at] = pointer
    this.items[at] = item
  }

  delete(pointer: number): void {
    const { keys, items } = this
    const mask = keys.length - 1
    let gap = hashOf(pointer) & mask
    while (keys[gap] !== pointer) {
      if (keys[gap] === 0) return
      gap = (gap + 1) & mask
    }
    this.size--
    // What stands behind the gap moves into it, unless its own place lies behind the gap: no key may have a gap before it in its run.
    for (let at = (gap + 1) & mask; keys[at] !== 0; at = (at + 1) & mask) {
      const home = hashOf(keys[at]!) & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      keys[gap] = keys[at]!
      items[gap] = items[at]
      gap = at
    }
    keys[gap] = 0
    items[gap] = undefined
    if (this.size * 8 < keys.length && keys.length > smallest) this.resize(keys.length / 2)
  }

  *values(): Generator<V> {
    for (const item of this.items) if (item !== undefined) yield item
  }

  private resize(length: number): void {
    const { keys, items } = this
    this.keys = new Float64Array(length)
    this.items = new Array(length).fill(undefined)
    const mask = length - 1
    for (let from = 0; from < keys.length; from++) {
      const pointer = keys[from]!
      if (pointer === 0) continue
      let at = hashOf(pointer) & mask
      while (this.keys[at] !== 0) at = (at + 1) & mask
      this.keys[at] = pointer
      this.items[at] = items[from]
    }
  }
}

/** Pointers lie close together and end in zeros: the product spreads them over the upper bits, which the shift brings down. */
function hashOf(pointer: number): number {
  const mixed = Math.imul((pointer | 0) ^ Math.imul((pointer / 0x100000000) | 0, 0x9e3779b1), 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
