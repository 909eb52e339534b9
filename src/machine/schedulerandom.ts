/**
 * splitmix32: a Weyl sequence (steps of 2^32 / golden ratio), mixed by two multiplications. Published, small, the same on every machine; its whole
 * state is one word, so that it can stand on the board and go from thread to thread with the turn.
 */
const STEP = 0x9e3779b9

/** Draws a whole number from 0 to `below` - 1 (`below` up to 2^16: beyond it the small ones would come more often) from the state in `words[at]`. */
export function draw(words: Int32Array, at: number, below: number): number {
  const state = ((words[at] as number) + STEP) | 0
  words[at] = state
  return Math.floor((mix(state) / 2 ** 32) * below)
}

/** Spreads every bit of a word over all others; 0 to 2^32 - 1. */
export function mix(word: number): number {
  let x = word
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}
