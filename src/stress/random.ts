/** A whole number from 0 to `below` - 1. */
export type Random = (below: number) => number

/** Spreads every bit of a 32-bit number over all others. */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}

/** A generator of its own for each seed and thread: a Weyl sequence, mixed. The same numbers on every machine. */
export function randomOf(seed: number, thread: number): Random {
  let state = mix(mix(seed) + Math.imul(thread + 1, 0x9e3779b9))
  return (below) => {
    state = (state + 0x9e3779b9) | 0
    return Math.floor(((mix(state) >>> 0) / 2 ** 32) * below)
  }
}
