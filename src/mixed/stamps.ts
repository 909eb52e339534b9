import type { Block } from './heapmodel.ts'
import { hex, must } from './disagreement.ts'
import type { World } from './world.ts'

/**
 * Cookies: the bytes that the program has written to a block, at its start, its end and in its middle. What overlaps a block, or moves it without its
 * contents, changes one of them.
 */

const EDGE = 8
/** Up to so many bytes a zeroed block is looked at whole. */
const WHOLE = 2048

function byteOf(stamp: number, at: number): number {
  return (stamp * 73 + at * 31 + 1) & 0xff
}

/** Whether the byte at `at` of a block of `bytes` carries a cookie. */
function isMarked(at: number, bytes: number): boolean {
  return at < EDGE || at >= bytes - EDGE || at === bytes >>> 1
}

/** Writes the cookies; with `zeroFrom` the bytes from there on must be zero before. */
export function write(world: World, { address, bytes, stamp }: Block, zeroFrom: number | undefined): void {
  const memory = world.process.thread.memory.bytes
  if (zeroFrom !== undefined) {
    const step = bytes - zeroFrom > WHOLE ? 61 : 1
    for (let at = zeroFrom; at < bytes; at += step)
      must(memory[address + at] === 0, () => `byte ${at} of the zeroed block at ${hex(address)} is ${memory[address + at]}`)
  }
  for (let at = 0; at < Math.min(EDGE, bytes); at++) memory[address + at] = byteOf(stamp, at)
  for (let at = Math.max(EDGE, bytes - EDGE); at < bytes; at++) memory[address + at] = byteOf(stamp, at)
  if (bytes > 2 * EDGE) memory[address + (bytes >>> 1)] = byteOf(stamp, bytes >>> 1)
}

/** Looks at the cookies of a block that had `written` bytes when they were written, as far as it has them still. */
export function verify(world: World, { address, bytes, stamp }: Block, written: number): void {
  if (stamp < 0) return
  const memory = world.process.thread.memory.bytes
  const look = (at: number): void => {
    if (at < bytes && isMarked(at, written))
      must(
        memory[address + at] === byteOf(stamp, at),
        () => `byte ${at} of the block at ${hex(address)} is ${memory[address + at]}, not ${byteOf(stamp, at)}`
      )
  }
  for (let at = 0; at < Math.min(EDGE, written); at++) look(at)
  for (let at = Math.max(EDGE, written - EDGE); at < written; at++) look(at)
  look(written >>> 1)
}
