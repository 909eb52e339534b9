// A fault planted in front of the emulator, and who waits for a run that meets it.
import { LMEM_ZEROINIT } from '../../src/index.ts'
import type { Watch } from '../../src/mixed/campaign.ts'
import type { OnThread } from '../../src/mixed/program.ts'

/** LocalAlloc that forgets to zero. */
export const forgets: OnThread = (ce) => {
  const alloc = ce.LocalAlloc.bind(ce)
  const value = (flags: number, bytes: number): number => alloc(flags & ~LMEM_ZEROINIT, bytes)
  // A recorded thread's calls cannot be assigned.
  Object.defineProperty(ce, 'LocalAlloc', { value, configurable: true })
}

export function watch(until: number): Watch {
  const all: Watch = { goOn: () => performance.now() < until, turn: async () => {}, shrinking: () => all }
  return all
}
