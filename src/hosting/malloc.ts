import {
  E_INVALIDARG,
  E_OUTOFMEMORY,
  HOST_E_CLRNOTAVAILABLE,
  HOST_E_INVALIDOPERATION,
  IID_IHostMalloc,
  MALLOC_EXECUTABLE,
  MALLOC_THREADSAFE,
  MEM_RELEASE,
  PAGE_EXECUTE_READWRITE,
  S_OK
} from '../constants.ts'
import { bordered } from '../coredll/border.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { Interface } from '../coredll/unknown.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { firstFault } from '../machine/access.ts'
import type { Budget } from './budget.ts'
import { isLevel } from './policy.ts'
import { HostUnknown } from './unknown.ts'

/** What an allocation answers: the HRESULT, and the memory or 0. */
export interface Memory {
  readonly hr: number
  readonly ppMem: number
}

/**
 * The CLR's IHostMalloc: each a heap of its own (C-87), whose handle `heap` is. eCriticalLevel is eTaskCritical, eAppDomainCritical or eProcessCritical.
 */
export interface IHostMalloc {
  readonly heap: number
  QueryInterface(riid: string): Interface<IHostMalloc>
  AddRef(): number
  /** With the last reference the heap and all its blocks go; those still allocated are reported as leaks. */
  Release(): number
  /** S_OK and a block of at least `cbSize` bytes; E_OUTOFMEMORY, HOST_E_TIMEOUT, HOST_E_CLRNOTAVAILABLE and 0 (HO-8, C-88). */
  Alloc(cbSize: number, eCriticalLevel: number): Memory
  /** Alloc, and file and line are kept for the leak report (HO-9). The name is a string, or the address of a zero-terminated one of one-byte characters. */
  DebugAlloc(cbSize: number, eCriticalLevel: number, pszFileName: string | number, iLineNo: number): Memory
  /** S_OK, or HOST_E_INVALIDOPERATION for memory that is not from Alloc (HO-10). */
  Free(pMem: number): number
}

/** A live block of an IHostMalloc. */
export interface HostBlock {
  readonly address: number
  /** As requested. */
  readonly bytes: number
  readonly level: number
  /** Where DebugAlloc was called; undefined for Alloc. */
  readonly file: string | undefined
  readonly line: number | undefined
}

interface Site {
  readonly file: string | undefined
  readonly line: number | undefined
}

const NOWHERE: Site = { file: undefined, line: undefined }

/** What an IHostMalloc tells its manager. */
export interface Owner {
  readonly budget: Budget
  /** Runs a method without memory notifications in its midst. */
  quietly<T>(run: () => T): T
  ended(malloc: HostMalloc, leaks: readonly HostBlock[]): void
}

/** The heap for a malloc of this type; 0 if there is no memory. Pages of an executable one come with PAGE_EXECUTE_READWRITE. */
export function heapFor(ce: CeThread, dwMallocType: number): number {
  if ((dwMallocType & MALLOC_EXECUTABLE) === 0) return ce.HeapCreate(0, 0, 0)
  return ce.CeHeapCreate(
    0,
    0,
    0,
    (address, bytes, action) => ce.VirtualAlloc(address, bytes, action, PAGE_EXECUTE_READWRITE),
    (address, bytes, action) => ce.VirtualFree(address, action === MEM_RELEASE ? 0 : bytes, action)
  )
}

/** Whether only bits of MALLOC_TYPE are set (HO-3). */
export function isMallocType(dwMallocType: number): boolean {
  return (dwMallocType & ~(MALLOC_THREADSAFE | MALLOC_EXECUTABLE)) === 0
}

export class HostMalloc extends HostUnknown implements IHostMalloc {
  static {
    bordered(HostMalloc.prototype, ['QueryInterface', 'AddRef', 'Release', 'Alloc', 'DebugAlloc', 'Free'], ({ ce }) => ce.machine)
  }

  readonly heap: number
  /** MALLOC_TYPE bits. */
  readonly type: number
  readonly #owner: Owner
  readonly #blocks = new Map<number, HostBlock & { readonly charged: number }>()

  constructor(ce: CeThread, heap: number, type: number, owner: Owner) {
    super(ce, 'IHostMalloc', IID_IHostMalloc)
    this.heap = heap
    this.type = type
    this.#owner = owner
  }

  Alloc(cbSize: number, eCriticalLevel: number): Memory {
    return this.#allocate('Alloc', cbSize, eCriticalLevel, () => NOWHERE)
  }

  DebugAlloc(cbSize: number, eCriticalLevel: number, pszFileName: string | number, iLineNo: number): Memory {
    if (typeof pszFileName !== 'string' && !isDword(pszFileName))
      throw misuse('IHostMalloc::DebugAlloc: pszFileName', 'a string, or a whole number from 0 to 4294967295', pszFileName)
    if (typeof iLineNo !== 'number' || (iLineNo | 0) !== iLineNo)
      throw misuse('IHostMalloc::DebugAlloc: iLineNo', 'a whole number from -2147483648 to 2147483647', iLineNo)
    return this.#allocate('DebugAlloc', cbSize, eCriticalLevel, () => ({ file: this.#name(pszFileName), line: iLineNo }))
  }

  #allocate(method: 'Alloc' | 'DebugAlloc', cbSize: number, eCriticalLevel: number, site: () => Site): Memory {
    if (!isDword(cbSize)) throw notDword(this.call(method), 'cbSize', cbSize)
    if (!isDword(eCriticalLevel)) throw notDword(this.call(method), 'eCriticalLevel', eCriticalLevel)
    if (!this.live(method)) return { hr: HOST_E_INVALIDOPERATION, ppMem: 0 }
    const { budget } = this.#owner
    if (!budget.available) return { hr: HOST_E_CLRNOTAVAILABLE, ppMem: 0 }
    if (!isLevel(eCriticalLevel)) return { hr: E_INVALIDARG, ppMem: 0 }
    return this.#owner.quietly(() => {
      const where = site()
      const { hr, pointer } = budget.request(eCriticalLevel, cbSize, () => {
        const block = this.ce.HeapAlloc(this.heap, 0, cbSize)
        return { hr: block === 0 ? E_OUTOFMEMORY : S_OK, pointer: block }
      })
      if (hr !== S_OK) return { hr, ppMem: 0 }
      // The block may be larger than was asked for, and what it costs is what it is.
      const charged = this.ce.HeapSize(this.heap, 0, pointer)
      budget.charge(charged - cbSize)
      this.#blocks.set(pointer, { address: pointer, bytes: cbSize, level: eCriticalLevel, ...where, charged })
      return { hr, ppMem: pointer }
    })
  }

  Free(pMem: number): number {
    if (!isDword(pMem)) throw notDword('IHostMalloc::Free', 'pMem', pMem)
    if (!this.live('Free')) return HOST_E_INVALIDOPERATION
    if (!this.#owner.budget.available) return HOST_E_CLRNOTAVAILABLE
    const block = this.#blocks.get(pMem)
    if (block === undefined) {
      this.ce.raise('notOfHost', this.call('Free'), pMem)
      return HOST_E_INVALIDOPERATION
    }
    return this.#owner.quietly(() => {
      const freed = this.ce.HeapFree(this.heap, 0, pMem)
      // Gone in either case: a block that HeapFree refuses was freed past this interface.
      this.#blocks.delete(pMem)
      this.#owner.budget.refund(block.charged)
      return freed === 1 ? S_OK : HOST_E_INVALIDOPERATION
    })
  }

  /** @internal In the order in which they were allocated. */
  blocks(): HostBlock[] {
    return [...this.#blocks.values()].map(({ charged: _, ...block }) => block)
  }

  protected override end(): void {
    const leaks = this.blocks()
    const [first] = leaks
    this.#owner.quietly(() => {
      for (const { charged } of this.#blocks.values()) this.#owner.budget.refund(charged)
      this.#blocks.clear()
      this.ce.HeapDestroy(this.heap)
      this.#owner.ended(this, leaks)
    })
    if (first !== undefined) this.ce.raise('hostLeak', this.call('Release'), leaks.length, first.address)
  }

  #name(pszFileName: string | number): string | undefined {
    if (typeof pszFileName === 'string') return pszFileName
    if (pszFileName === 0) return undefined
    const { machine, memory } = this.ce
    for (let end = pszFileName; firstFault(machine, end, 1, 'read') < 0; end++) {
      if (memory.bytes[end] === 0) return memory.readString(pszFileName, false)
    }
    this.ce.raise('badName', this.call('DebugAlloc'), pszFileName)
    return undefined
  }
}
