/**
 * A binary arithmetic coder whose odds adapt: each bit is coded in a context (any number), and costs the less the better that context has foretold
 * the bits before. What is coded is written once, for both directions: `code(context, bit)` writes the bit given, or reads one and ignores what
 * is given; both return the bit.
 *
 *   range       low <= high, 32 bits each; a bit takes the lower part of it, in proportion to the odds of a 1, or the upper part
 *   bytes       leading bytes that low and high share; zeros at the end are left out, and read as zeros
 */
export interface BitCoder {
  code(context: number, bit: number): number
}

const ONE = 0x10000
/** A context that has seen so many bits moves by 1/LIMIT of the rest with each further one. */
const LIMIT = 30
const FRESH = (ONE / 2) << 5

class Odds {
  /** By context: odds * 32 + how often it was seen. */
  readonly #contexts = new Map<number, number>()

  /** The odds of a 1 in 65,536ths, within the range and never certain. */
  of(context: number): number {
    return (this.#contexts.get(context) ?? FRESH) >>> 5
  }

  learn(context: number, bit: number): void {
    const known = this.#contexts.get(context) ?? FRESH
    const odds = known >>> 5
    const seen = known & 31
    const moved = Math.round(odds + ((bit === 1 ? ONE : 0) - odds) / (seen + 1.6))
    this.#contexts.set(context, (Math.min(ONE - 64, Math.max(64, moved)) << 5) | Math.min(LIMIT, seen + 1))
  }
}

function middle(low: number, high: number, odds: number): number {
  return low + Math.floor((high - low) / ONE) * odds
}

export class BitWriter implements BitCoder {
  readonly #odds = new Odds()
  readonly #bytes: number[] = []
  #low = 0
  #high = 0xffffffff

  code(context: number, bit: number): number {
    const cut = middle(this.#low, this.#high, this.#odds.of(context))
    if (bit === 1) this.#high = cut
    else this.#low = cut + 1
    this.#odds.learn(context, bit)
    while ((this.#low ^ this.#high) >>> 24 === 0) {
      this.#bytes.push(this.#low >>> 24)
      this.#low = (this.#low << 8) >>> 0
      this.#high = ((this.#high << 8) | 0xff) >>> 0
    }
    return bit
  }

  /** All bytes so far: with zeros behind them they lie within the range. */
  finish(): number[] {
    const bytes = [...this.#bytes]
    // The shortest number in the range, from the left.
    for (let kept = 0; kept <= 32; kept += 8) {
      const step = 2 ** (32 - kept)
      const tail = Math.ceil(this.#low / step) * step
      if (tail > this.#high) continue
      for (let at = 24; at >= 32 - kept; at -= 8) bytes.push((tail >>> at) & 0xff)
      break
    }
    while (bytes.at(-1) === 0) bytes.pop()
    return bytes
  }
}

export class BitReader implements BitCoder {
  readonly #odds = new Odds()
  readonly #bytes: readonly number[]
  #at = 4
  #low = 0
  #high = 0xffffffff
  #code: number

  constructor(bytes: readonly number[]) {
    this.#bytes = bytes
    const byte = (at: number): number => bytes[at] ?? 0
    this.#code = ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0
  }

  code(context: number): number {
    const cut = middle(this.#low, this.#high, this.#odds.of(context))
    const bit = this.#code <= cut ? 1 : 0
    if (bit === 1) this.#high = cut
    else this.#low = cut + 1
    this.#odds.learn(context, bit)
    while ((this.#low ^ this.#high) >>> 24 === 0) {
      this.#low = (this.#low << 8) >>> 0
      this.#high = ((this.#high << 8) | 0xff) >>> 0
      this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] ?? 0)) >>> 0
    }
    return bit
  }
}

/** Codes a whole number from 0 to 2^31 - 2 in contexts from `context` to `context` + 127: its length in ones, then its bits. */
export function codeNumber(coder: BitCoder, context: number, value: number): number {
  const given = value + 1
  const width = 31 - Math.clz32(given)
  let bits = 0
  while (bits < 30 && coder.code(context + bits, bits < width ? 1 : 0) === 1) bits++
  let read = 1
  for (let at = bits - 1; at >= 0; at--) {
    // The highest bits of short numbers are worth learning; those behind them are noise.
    const where = bits < 8 && bits - at < 3 ? 32 + bits * 8 + (read & 7) : 31
    read = read * 2 + coder.code(context + where, (given >>> at) & 1)
  }
  return read - 1
}
