import type { CeThread } from '../coredll/thread.ts'

/**
 * Marks in the bytes of a block, by which a thread sees that another one wrote there. A byte depends on the block's size and on its place in the block,
 * not on the address, so that a mark survives HeapReAlloc and can be verified by whoever the block was handed to.
 */
export interface Cookie {
  /** Marks the first `bytes` bytes at `address`. */
  write(address: number, bytes: number): void
  /** Throws a CookieError unless the first `length` (default: all) bytes are as `write(address, bytes)` left them, there or before a move. */
  verify(address: number, bytes: number, length?: number): void
}

/** Thrown where a block's bytes are not those that were written into it: somebody else wrote there. */
export class CookieError extends Error {
  readonly address: number

  constructor(address: number, at: number, expected: number, found: number) {
    super(`the cookie of the block at 0x${address.toString(16)} is damaged: byte ${at} is ${found}, expected ${expected}`)
    this.name = 'CookieError'
    this.address = address
  }
}

/** Of a block longer than twice this, the middle is not marked: both ends and the rhythm of a run matter more. */
const EDGE = 4096

export function cookieOf({ memory: { bytes } }: CeThread): Cookie {
  const byteAt = (size: number, offset: number): number => (size * 7 + offset * 13 + (offset >>> 8) + 5) & 0xff
  const write = (address: number, size: number, from: number, to: number): void => {
    for (let at = from; at < to; at++) bytes[address + at] = byteAt(size, at)
  }
  const verify = (address: number, size: number, from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      const found = bytes[address + at] as number
      if (found !== byteAt(size, at)) throw new CookieError(address, at, byteAt(size, at), found)
    }
  }
  return {
    write(address, size) {
      write(address, size, 0, Math.min(size, EDGE))
      write(address, size, Math.max(EDGE, size - EDGE), size)
    },
    verify(address, size, length = size) {
      verify(address, size, 0, Math.min(length, EDGE))
      verify(address, size, Math.max(EDGE, size - EDGE), length)
    }
  }
}
