import { Disagreement } from '../mixed/disagreement.ts'

export function hex(value: number): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`
}

/** Ends the run. Apart from the comparisons, so that no text is made where all is well. */
export function disagree(what: string): never {
  throw new Disagreement(what)
}
