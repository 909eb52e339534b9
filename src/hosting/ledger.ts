/** A range of addresses, in bytes. */
export interface Range {
  readonly start: number
  readonly size: number
}

/** What the CLR says that it has taken from the system itself (HO-19, HO-20): disjoint ranges, by their start. */
export class Ledger {
  readonly #ranges = new Map<number, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  ranges(): Range[] {
    return [...this.#ranges].map(([start, size]) => ({ start, size })).sort((a, b) => a.start - b.start)
  }

  /** False, and nothing recorded, for a range that is empty, ends beyond 4 GB or overlaps another. */
  acquire(start: number, size: number): boolean {
    if (!isRange(start, size)) return false
    for (const [other, length] of this.#ranges) if (start < other + length && other < start + size) return false
    this.#ranges.set(start, size)
    this.#bytes += size
    return true
  }

  /** False if no range begins there. */
  release(start: number): boolean {
    this.#bytes -= this.#ranges.get(start) ?? 0
    return this.#ranges.delete(start)
  }
}

/** Whether there is such a range in an address space of 32 bits. */
export function isRange(start: number, size: number): boolean {
  return size > 0 && start + size <= 2 ** 32
}
