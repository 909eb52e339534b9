import { disagree } from '../../src/fuzz/disagreement.ts'

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`

/** Throws unless `holds`. The text is made only then. */
export function must(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) disagree(otherwise())
}
