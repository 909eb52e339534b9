import type { CeThread } from '../../src/index.ts'

/** A byte that depends on the block's size and its place in the block; not on the address, so that it survives a move. */
function cookieByte(size: number, offset: number): number {
  return (size * 7 + offset * 13 + 5) & 0xff
}

/** Marks all bytes of a block of `size`, of which the first four tell the size. At least 8 bytes. */
export function writeCookie({ memory: { bytes } }: CeThread, p: number, size: number): void {
  for (let i = 0; i < 4; i++) bytes[p + i] = size >>> (i * 8)
  for (let i = 4; i < size; i++) bytes[p + i] = cookieByte(size, i)
}

/** The size that a marked block tells of itself. */
export function cookieSize({ memory: { bytes } }: CeThread, p: number): number {
  return (bytes[p] as number) | ((bytes[p + 1] as number) << 8) | ((bytes[p + 2] as number) << 16) | ((bytes[p + 3] as number) << 24)
}

/** Throws unless the first `length` bytes of the block are those that `writeCookie` wrote for `size`. */
export function verifyCookie(ce: CeThread, p: number, size: number, length: number = size): void {
  if (cookieSize(ce, p) !== size)
    throw new Error(`the block at 0x${p.toString(16)} says that it has ${cookieSize(ce, p)} bytes, expected ${size}`)
  for (let i = 4; i < length; i++) {
    if (ce.memory.bytes[p + i] !== cookieByte(size, i))
      throw new Error(`byte ${i} of the block at 0x${p.toString(16)} (${size} bytes) was overwritten`)
  }
}
