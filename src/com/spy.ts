import { IID_IMallocSpy } from '../constants.ts'
import { tell, throwApart } from '../coredll/listener.ts'
import { SPY_METHODS } from '../coredll/uppercalls.ts'
import type { SpyMethod } from '../coredll/uppercalls.ts'
import type { Interface } from '../coredll/unknown.ts'
import { isDword, misuse } from '../errors.ts'

/** What PreRealloc answers: the number of bytes to resize to (0 forces a failure, SP-18), and the start of the allocation (SP-17). */
export interface NewRequest {
  readonly cb: number
  readonly ppNewRequest: number
}

/**
 * COM's IMallocSpy (SP-9): pointers and counts are whole numbers from 0 to 2^32 - 1, BOOL is 0 or 1. `fSpyed` tells whether the block was allocated
 * under this spy (SP-16). A spy lives in the thread that registered it (C-55). A method that throws fails the call, or leaves its answer as it is (C-60).
 */
export interface IMallocSpy {
  /** Asked once, by CoRegisterMallocSpy, for IID_IMallocSpy (SP-2); a spy without it is taken as it is (C-61). */
  QueryInterface?(riid: string): Interface<object>
  AddRef?(): number
  /** Balances QueryInterface when the spy is revoked (SP-7). */
  Release?(): number
  /** Returns the number of bytes to allocate: `cbRequest` or more (SP-10). 0 for another request makes the allocation fail (SP-11). */
  PreAlloc(cbRequest: number): number
  /** Gets the new block, 0 if memory is out (SP-12); returns what the caller of Alloc gets (SP-14). */
  PostAlloc(pActual: number): number
  /** Returns the start of the allocation that is to be freed (SP-15). */
  PreFree(pRequest: number, fSpyed: number): number
  PostFree(fSpyed: number): void
  /** Its third parameter in C, `ppNewRequest`, comes back as a field (SP-17). */
  PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): NewRequest
  /** Gets the resized block, 0 if that failed (SP-18); returns what the caller of Realloc gets (SP-19). */
  PostRealloc(pActual: number, fSpyed: number): number
  PreGetSize(pRequest: number, fSpyed: number): number
  PostGetSize(cbActual: number, fSpyed: number): number
  PreDidAlloc(pRequest: number, fSpyed: number): number
  /** Gets the pointer that the caller gave and what DidAlloc answered: 1, 0 or -1 (SP-21). */
  PostDidAlloc(pRequest: number, fSpyed: number, fActual: number): number
  PreHeapMinimize(): void
  PostHeapMinimize(): void
}

/** A registered spy as its thread keeps it: its methods, and how to give it back. */
export interface Reference {
  readonly spy: IMallocSpy
  release(): void
}

const expected = 'an object with the twelve methods of IMallocSpy'

/** Takes a reference to the spy by its QueryInterface (SP-2); undefined if that fails. Throws a TypeError for what is no spy. */
export function referenceTo(candidate: object): Reference | undefined {
  const { QueryInterface } = candidate as Partial<IMallocSpy>
  if (QueryInterface === undefined) return { spy: spyOf(candidate), release: () => {} }
  if (typeof QueryInterface !== 'function') throw misuse('CoRegisterMallocSpy: QueryInterface', 'a function', QueryInterface)
  let answer: unknown
  try {
    answer = QueryInterface.call(candidate, IID_IMallocSpy)
  } catch (error) {
    throwApart(error)
    return undefined
  }
  const { hr, ppvObject } = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Interface<object>>
  if (!isDword(hr)) throw misuse("CoRegisterMallocSpy: the spy's QueryInterface", '{ hr, ppvObject }', answer)
  if (hr >= 0x80000000) return undefined
  const release = (): void => {
    tell(() => (ppvObject as IMallocSpy).Release?.())
  }
  try {
    return { spy: spyOf(ppvObject), release }
  } catch (error) {
    if (typeof (ppvObject as Partial<IMallocSpy> | null)?.Release === 'function') release()
    throw error
  }
}

function spyOf(candidate: unknown): IMallocSpy {
  if (typeof candidate !== 'object' || candidate === null) throw misuse('CoRegisterMallocSpy: lpMallocSpy', expected, candidate)
  const missing = SPY_METHODS.find((method) => typeof (candidate as Record<SpyMethod, unknown>)[method] !== 'function')
  if (missing !== undefined) {
    throw misuse(`CoRegisterMallocSpy: lpMallocSpy.${missing}`, 'a function', (candidate as Record<SpyMethod, unknown>)[missing])
  }
  return candidate as IMallocSpy
}
