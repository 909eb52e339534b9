import { CALL_SHIFT } from '../machine/section.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'
import { CALLS } from './calls.ts'
import { callNumber } from './findings.ts'

/** What a call puts into the word of a section that it enters beside its thread's id: if the thread dies inside, the finding names the call. */
export function callBits(call: CallName): number {
  return callNumber(call) << CALL_SHIFT
}

const BITS: Readonly<Record<string, number>> = Object.fromEntries(CALLS.map((call) => [call, callBits(call)]))

/** The word of a section that the thread enters in this call. */
export function whoIn(ce: Caller, call: CallName): number {
  return ce.tid | (BITS[call] as number)
}
