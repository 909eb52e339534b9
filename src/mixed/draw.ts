/** Spreads every bit of a 32-bit number over all others. */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}

/**
 * The numbers that decide one command. Those of command n of a seed hang on seed and n alone, so that commands may be left out and the others stay what
 * they were, and a run is told by its seed and the numbers of its commands.
 */
export class Draw {
  #state = 0

  constructor(seed = 0, command = 0) {
    this.begin(seed, command)
  }

  begin(seed: number, command: number): void {
    this.#state = mix(mix(seed ^ 0x5bd1e995) ^ Math.imul(command + 1, 0x85ebca6b))
  }

  /** 0 to 2^32 - 1. */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return mix(this.#state) >>> 0
  }

  /** A whole number from 0 to `most` - 1. */
  below(most: number): number {
    return Math.floor((this.word() / 2 ** 32) * most)
  }

  /** True once in `n` times. */
  once(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** One of `list`, undefined if there is none. */
  any<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.below(list.length)]
  }
}

const BORDERS = [0, 1, 4, 31, 32, 33, 63, 64, 65, 4064, 4065, 4095, 4096, 4097, 0xffe0, 0xffff, 0x10000, 0x10001]
const GIANTS = [0x7fff6, 0x7fff7, 0x7fff8, 0x7fff9, 0x7fffffff, 0x80000000, 0xffffffe0, 0xfffffffe, 0xffffffff]

/** Bytes to ask a heap for: mostly few, often at a border, now and then far too many. `threshold` is where big blocks begin. */
export function sizeOf(draw: Draw, threshold: number): number {
  const kind = draw.below(64)
  if (kind < 44) return draw.below(300)
  if (kind < 54) return draw.pick(BORDERS)
  if (kind < 60) return draw.below(20_000)
  if (kind < 62) return Math.max(0, threshold + draw.pick([-33, -32, -1, 0, 1, 31, 32, 33, 4096]))
  return draw.pick(GIANTS)
}
