import { bigBlockCases } from './casesbig.ts'
import { blockCases } from './casesblocks.ts'
import type { ConformCase } from './case.ts'
import { ceHeapCases, heapCreateCases, heapDestroyCases, heapSizeCases, processHeapCases } from './casesheap.ts'
import { heapAllocCases } from './casesheapalloc.ts'
import { comCases, spyCases } from './casescom.ts'
import { hostCases } from './caseshost.ts'
import { globalCases, localCases } from './caseslocal.ts'
import { sectionCases } from './casessection.ts'
import { virtualCases } from './casesvirtual.ts'
import { heapCompactCases, heapReAllocCases, heapValidateCases } from './casesheapmore.ts'

/** Every case, family by family. */
export const cases: readonly ConformCase[] = [
  blockCases,
  heapCreateCases,
  bigBlockCases,
  heapDestroyCases,
  ceHeapCases,
  heapAllocCases,
  heapReAllocCases,
  heapSizeCases,
  heapValidateCases,
  heapCompactCases,
  processHeapCases,
  localCases,
  globalCases,
  virtualCases,
  sectionCases,
  comCases,
  spyCases,
  hostCases
].flat()
