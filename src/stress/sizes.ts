import type { Random } from './random.ts'

/** Bytes of a block, log-uniform from 8 to 4,096: most programs' blocks are small. */
export function smallSize(random: Random): number {
  const bits = 3 + random(9)
  return (1 << bits) + random(1 << bits)
}

/** As `smallSize`, with one in forty up to 120,000: above every profile's threshold but one, those are big blocks. */
export function anySize(random: Random): number {
  return random(40) === 0 ? 1 + random(120_000) : smallSize(random)
}
