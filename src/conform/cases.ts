import { blockCases } from './casesblocks.ts'
import type { ConformCase } from './case.ts'
import { heapAllocCases } from './casesheapalloc.ts'

/** Every case, family by family. */
export const cases: readonly ConformCase[] = [...blockCases, ...heapAllocCases]
