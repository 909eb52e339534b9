/** The emulator and the model say different things. */
export class Disagreement extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Disagreement'
  }
}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`

/** Throws unless `holds`. The text is made only then. */
export function must(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) throw new Disagreement(otherwise())
}
