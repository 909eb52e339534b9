import { InvariantError } from '../coredll/check.ts'

/** The emulator and the model say different things. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement'
}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`

/** Throws unless `holds`. The text is made only then. */
export function must(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) throw new Disagreement(otherwise())
}

/** What went wrong, in words; for what nobody foresaw, with the place where it was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Disagreement || error instanceof InvariantError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
