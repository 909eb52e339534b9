/**
 * A program: what one run of the campaign does, as 32-bit words. Two words say in what process it runs (setup.ts), and each further two are a command
 * (run.ts). Every sequence of words means something, so that any bytes are a program, and a program with words left out or changed is another one.
 *
 *     | setup | setup | command 0 | command 0 | command 1 | command 1 | ...
 *
 * Bytes are taken in little-endian order; what is missing of the last command is zero.
 */
export const SETUP_WORDS = 2
export const COMMAND_WORDS = 2
const PER_COMMAND = COMMAND_WORDS * 4

/** Commands that one run may have: more are another run's. */
export const MOST_COMMANDS = 1_000_000

export function wordsOf(bytes: Uint8Array): Uint32Array {
  const commands = Math.min(MOST_COMMANDS, Math.max(0, Math.ceil((bytes.length - SETUP_WORDS * 4) / PER_COMMAND)))
  const words = new Uint32Array(SETUP_WORDS + commands * COMMAND_WORDS)
  for (let at = 0; at < Math.min(bytes.length, words.length * 4); at++) {
    words[at >>> 2] = (words[at >>> 2] as number) | ((bytes[at] as number) << (8 * (at & 3)))
  }
  return words
}

export function bytesOf(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  for (let at = 0; at < bytes.length; at++) bytes[at] = ((words[at >>> 2] as number) >>> (8 * (at & 3))) & 0xff
  return bytes
}

export function commandsIn(words: Uint32Array): number {
  return (words.length - SETUP_WORDS) / COMMAND_WORDS
}

/** The program of a seed, 0 to 2^53 - 1: as good as any bytes, and the same on every machine. */
export function wordsOfSeed(seed: number, commands: number): Uint32Array {
  const words = new Uint32Array(SETUP_WORDS + commands * COMMAND_WORDS)
  // sfc32 (Chris Doty-Humphrey, PractRand), whose state begins with the seed and is stirred before the first word.
  let a = seed | 0
  let b = Math.floor(seed / 2 ** 32) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  for (let n = -12; n < words.length; n++) {
    const word = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + word) | 0
    if (n >= 0) words[n] = word
  }
  return words
}
