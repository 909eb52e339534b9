import { disagree, hex } from './disagreement.ts'

/**
 * What the program has written to a block: words that hang on the block's stamp, everywhere in one block of four, else at its start, in its middle and at
 * its end. What overlaps a block, or moves it without its contents, changes one of them.
 */
export class Stamps {
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#words = new Int32Array(bytes.buffer, 0, bytes.length >>> 2)
  }

  write(address: number, bytes: number, stamp: number): void {
    const words = this.#words
    const at = address >>> 2
    const count = bytes >>> 2
    if (isWhole(bytes, stamp)) {
      for (let n = 0; n < count; n++) words[at + n] = pattern(stamp, n)
    } else if (count > 0) {
      words[at] = pattern(stamp, 0)
      words[at + (count >>> 1)] = pattern(stamp, count >>> 1)
      words[at + count - 1] = pattern(stamp, count - 1)
    }
    for (let n = count << 2; n < bytes; n++) this.#bytes[address + n] = stamp >>> (8 * (n & 3))
  }

  /** Looks at what of `written` bytes a block of `bytes` has still. */
  verify(address: number, bytes: number, written: number, stamp: number): void {
    const count = written >>> 2
    const have = bytes >>> 2
    if (isWhole(written, stamp)) {
      for (let n = 0; n < Math.min(count, have); n++) this.#word(address, n, stamp)
    } else if (count > 0) {
      if (have > 0) this.#word(address, 0, stamp)
      if (have > count >>> 1) this.#word(address, count >>> 1, stamp)
      if (have > count - 1) this.#word(address, count - 1, stamp)
    }
    for (let n = count << 2; n < Math.min(written, bytes); n++) {
      const there = this.#bytes[address + n]
      const expected = (stamp >>> (8 * (n & 3))) & 0xff
      if (there !== expected) disagree(`byte ${n} of the block at ${hex(address)} is ${there}, the program wrote ${expected}`)
    }
  }

  #word(address: number, n: number, stamp: number): void {
    const there = this.#words[(address >>> 2) + n] as number
    const expected = pattern(stamp, n)
    if (there !== expected)
      disagree(`the word ${4 * n} bytes into the block at ${hex(address)} is ${hex(there >>> 0)}, the program wrote ${hex(expected >>> 0)}`)
  }

  /** Looks whether the bytes from `from` to `to` of a block are zero: all of them up to 2 KB, else each eighth word and both ends. */
  zeroed(address: number, from: number, to: number): void {
    const bytes = this.#bytes
    const start = Math.min(to, (from + 3) & ~3)
    const end = Math.max(start, to & ~3)
    const step = end - start > 2048 ? 8 : 1
    for (let at = from; at < start; at++) if (bytes[address + at] !== 0) this.#notZero(address, at)
    for (let at = start; at < end; at += 4 * step) if (this.#words[(address + at) >>> 2] !== 0) this.#notZero(address, at)
    if (end > start && this.#words[(address + end - 4) >>> 2] !== 0) this.#notZero(address, end - 4)
    for (let at = end; at < to; at++) if (bytes[address + at] !== 0) this.#notZero(address, at)
  }

  #notZero(address: number, at: number): never {
    return disagree(`byte ${at} of the zeroed block at ${hex(address)} is ${this.#bytes[address + at]}`)
  }
}

function isWhole(bytes: number, stamp: number): boolean {
  return (stamp & 3) === 0 && bytes <= 1024
}

function pattern(stamp: number, n: number): number {
  return (Math.imul(stamp, 0x85ebca6b) + Math.imul(n, 0x9e3779b1)) | 0
}
