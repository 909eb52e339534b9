import type { HeapFunctions, HeapUnderTest } from '../../src/conform/subject.ts'
import type { Build, ProfileName } from '../../src/profile.ts'

export type Good = HeapFunctions & HeapUnderTest

/** A fault in front of the emulator, as somebody might have built it. */
export interface Fault {
  readonly what: string
  /** Where it has to be seen, among other places. */
  readonly rule: string
  readonly profile?: ProfileName
  readonly build?: Build
  plant(good: Good): Partial<HeapUnderTest>
}

/** The answer, after something else was done. */
export function after(_: unknown, answer: number): number {
  return answer
}
