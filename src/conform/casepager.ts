import { MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE } from '../constants.ts'
import type { HeapUnderTest, PageFunction } from './subject.ts'

/** `virtual` serves CeHeapCreate by VirtualAlloc and VirtualFree, `refuse` gives nothing. */
export const PAGERS = ['virtual', 'refuse'] as const

const actions: Readonly<Record<string, number>> = { reserve: MEM_RESERVE, commit: MEM_COMMIT, decommit: MEM_DECOMMIT, release: MEM_RELEASE }

/** The two page functions that a case gives to CeHeapCreate (CH-4), with a count of what they were asked for. */
export class CasePager {
  readonly alloc: PageFunction
  readonly free: PageFunction
  readonly #asked = new Map<number, number>()

  constructor(kind: (typeof PAGERS)[number], subject: HeapUnderTest) {
    const note = (action: number): void => {
      for (const bit of Object.values(actions)) if ((action & bit) !== 0) this.#asked.set(bit, (this.#asked.get(bit) ?? 0) + 1)
    }
    // The last error of what a page function calls is not that of the heap call which asked for the pages.
    const quietly = (run: () => number): number => {
      const before = subject.GetLastError?.() ?? 0
      const answer = run()
      subject.SetLastError?.(before)
      return answer
    }
    this.alloc = (address, bytes, action) => {
      note(action)
      return kind === 'refuse' ? 0 : quietly(() => subject.VirtualAlloc?.(address, bytes, action, PAGE_READWRITE) ?? 0)
    }
    this.free = (address, bytes, action) => {
      note(action)
      return quietly(() => subject.VirtualFree?.(address, action === MEM_RELEASE ? 0 : bytes, action) ?? 0)
    }
  }

  count(action: string): number {
    return this.#asked.get(actions[action] ?? 0) ?? 0
  }
}
