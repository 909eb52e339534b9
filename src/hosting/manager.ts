import {
  E_INVALIDARG,
  E_OUTOFMEMORY,
  ERROR_NOT_ENOUGH_MEMORY,
  HOST_E_CLRNOTAVAILABLE,
  HOST_E_INVALIDOPERATION,
  IID_IHostMemoryManager,
  S_OK
} from '../constants.ts'
import { bordered } from '../coredll/border.ts'
import { needOpen } from '../coredll/caller.ts'
import { memoryLoad } from '../coredll/status.ts'
import { CeThread } from '../coredll/thread.ts'
import type { HostKind } from '../coredll/uppercalls.ts'
import { isAllocation, reprotect, virtualAlloc } from '../coredll/virtual.ts'
import { virtualQuery } from '../coredll/virtualquery.ts'
import type { Interface } from '../coredll/unknown.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { PAGE } from '../machine/layout.ts'
import { availablePages } from '../machine/pressure.ts'
import { Budget } from './budget.ts'
import { isRange, Ledger } from './ledger.ts'
import type { Range } from './ledger.ts'
import { heapFor, HostMalloc, isMallocType } from './malloc.ts'
import type { HostBlock, IHostMalloc, Memory } from './malloc.ts'
import { Notifications } from './notify.ts'
import type { ICLRMemoryNotificationCallback } from './notify.ts'
import { isLevel, termsOf } from './policy.ts'
import type { HostPolicy, Terms } from './policy.ts'
import { Reservations } from './reservations.ts'
import type { HostReservation } from './reservations.ts'
import { HostUnknown } from './unknown.ts'

/** What CreateMalloc answers: the HRESULT, and the interface or null. */
export interface Malloc {
  readonly hr: number
  readonly ppMalloc: IHostMalloc | null
}

/**
 * The CLR's IHostMemoryManager; out-parameters come back as fields, HRESULTs are unsigned. Every method gives HOST_E_CLRNOTAVAILABLE once a request
 * at process level has failed (HO-5), and HOST_E_INVALIDOPERATION once the interface is released (C-86).
 */
export interface IHostMemoryManager {
  QueryInterface(riid: string): Interface<IHostMemoryManager>
  AddRef(): number
  Release(): number
  /** S_OK and an allocator with a heap of its own (HO-11, C-87); E_OUTOFMEMORY, E_INVALIDARG and null. */
  CreateMalloc(dwMallocType: number): Malloc
  /** CreateMalloc under the spelling of the header. */
  CreateMAlloc(dwMallocType: number): Malloc
  /** As Win32, within the level's budget (HO-12, C-88, C-89). */
  VirtualAlloc(pAddress: number, dwSize: number, flAllocationType: number, flProtect: number, eCriticalLevel: number): Memory
  /** As Win32; HOST_E_INVALIDOPERATION for memory not allocated through this host (HO-13). */
  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number
  /** As Win32: a MEMORY_BASIC_INFORMATION in user memory and its size. Never waits for another thread (HO-14). */
  VirtualQuery(lpAddress: number, lpBuffer: number, dwLength: number): { readonly hr: number; readonly pResult: number }
  /** As Win32 (HO-15). */
  VirtualProtect(lpAddress: number, dwSize: number, flNewProtect: number): { readonly hr: number; readonly pflOldProtect: number }
  /** Percent of physical memory in use, and the bytes that are left of it (HO-16). */
  GetMemoryLoad(): { readonly hr: number; readonly pMemoryLoad: number; readonly pAvailableBytes: number }
  /** From here on the callback is told when memory becomes low, neutral or high (HO-17, HO-21, C-90); E_INVALIDARG for NULL (null or 0). */
  RegisterMemoryNotificationCallback(pCallback: ICLRMemoryNotificationCallback | null | 0): number
  /** S_OK, or E_OUTOFMEMORY: the host refuses (HO-18). */
  NeedsVirtualAddressSpace(startAddress: number, size: number): number
  /** Records a range that the CLR took from the system (HO-19). E_INVALIDARG if it cannot be or overlaps another (C-91). */
  AcquiredVirtualAddressSpace(startAddress: number, size: number): number
  /** Forgets the range that begins there (HO-20). E_INVALIDARG if none does (C-91). */
  ReleasedVirtualAddressSpace(startAddress: number): number
}

/** A host as plain data. */
export interface HostReport {
  /** Bytes that all hosts of the process have handed out. */
  readonly bytes: number
  /** No request at process level has failed. */
  readonly available: boolean
  /** Live allocators, each with its blocks in the order of their allocation. */
  readonly mallocs: readonly { readonly heap: number; readonly type: number; readonly blocks: readonly HostBlock[] }[]
  /** Blocks that were still allocated when their allocator ended, with file and line where DebugAlloc gave them. */
  readonly leaks: readonly HostBlock[]
  readonly reservations: readonly HostReservation[]
  /** What the CLR has taken from the system itself. */
  readonly addressSpace: readonly Range[]
}

class HostMemoryManager extends HostUnknown implements IHostMemoryManager {
  static {
    const methods = ['CreateMalloc', 'VirtualAlloc', 'VirtualFree', 'VirtualQuery', 'VirtualProtect', 'GetMemoryLoad']
    const notes = ['NeedsVirtualAddressSpace', 'AcquiredVirtualAddressSpace', 'ReleasedVirtualAddressSpace']
    const others = ['QueryInterface', 'AddRef', 'Release', 'RegisterMemoryNotificationCallback', 'report']
    bordered(HostMemoryManager.prototype, [...methods, ...notes, ...others], ({ ce }) => ce.machine)
  }

  readonly #terms: Terms
  readonly #budget: Budget
  readonly #notifications: Notifications
  readonly #reservations: Reservations
  readonly #ledger = new Ledger()
  readonly #mallocs: HostMalloc[] = []
  readonly #leaks: HostBlock[] = []

  constructor(ce: CeThread, policy: HostPolicy) {
    super(ce, 'IHostMemoryManager', IID_IHostMemoryManager)
    this.#terms = termsOf(policy)
    this.#reservations = new Reservations(ce)
    this.#budget = new Budget(ce.machine, this.#terms, () => this.#reservations.settle())
    this.#notifications = new Notifications(ce, this.#terms)
  }

  CreateMalloc(dwMallocType: number): Malloc {
    const hr = this.#enter('CreateMalloc', { dwMallocType })
    if (hr !== S_OK) return { hr, ppMalloc: null }
    if (!isMallocType(dwMallocType)) return { hr: E_INVALIDARG, ppMalloc: null }
    return this.#notifications.quietly(() => {
      const heap = heapFor(this.ce, dwMallocType)
      if (heap === 0) return { hr: E_OUTOFMEMORY, ppMalloc: null }
      const malloc = new HostMalloc(this.ce, heap, dwMallocType, {
        budget: this.#budget,
        quietly: (run) => this.#notifications.quietly(run),
        ended: (gone, leaks) => {
          this.#mallocs.splice(this.#mallocs.indexOf(gone), 1)
          this.#leaks.push(...leaks)
        }
      })
      this.#mallocs.push(malloc)
      return { hr: S_OK, ppMalloc: malloc }
    })
  }

  CreateMAlloc(dwMallocType: number): Malloc {
    return this.CreateMalloc(dwMallocType)
  }

  VirtualAlloc(pAddress: number, dwSize: number, flAllocationType: number, flProtect: number, eCriticalLevel: number): Memory {
    const hr = this.#enter('VirtualAlloc', { pAddress, dwSize, flAllocationType, flProtect, eCriticalLevel })
    if (hr !== S_OK) return { hr, ppMem: 0 }
    if (!isLevel(eCriticalLevel)) return { hr: E_INVALIDARG, ppMem: 0 }
    if (!this.#reservations.covers(pAddress, flAllocationType)) return { hr: this.#foreign('VirtualAlloc', pAddress), ppMem: 0 }
    return this.#notifications.quietly(() => {
      // A call that is wrong in itself asks for nothing: it must not fail for a budget, which at process level ends the CLR.
      const sound = isAllocation(dwSize, flAllocationType, flProtect)
      const bytes = sound ? this.#reservations.missing(pAddress, dwSize, flAllocationType) : 0
      const got = this.#budget.request(eCriticalLevel, bytes, () => {
        const pointer = this.ce.outer('VirtualAlloc', [pAddress, dwSize, flAllocationType, flProtect], () =>
          virtualAlloc(this.ce, pAddress, dwSize, flAllocationType, flProtect, 'VirtualAlloc', this.#reservations.number)
        )
        return pointer === 0 ? { hr: this.#lastResult(), pointer } : { hr: S_OK, pointer }
      })
      if (got.hr !== S_OK) return { hr: got.hr, ppMem: 0 }
      if (this.#reservations.at(got.pointer) === got.pointer) this.#reservations.add(got.pointer)
      // From here on what was asked for counts as what it has come to.
      this.#budget.charge(this.#reservations.settle() - bytes)
      return { hr: S_OK, ppMem: got.pointer }
    })
  }

  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number {
    const hr = this.#enter('VirtualFree', { lpAddress, dwSize, dwFreeType })
    if (hr !== S_OK) return hr
    if (this.#reservations.at(lpAddress) === 0) return this.#foreign('VirtualFree', lpAddress)
    return this.#notifications.quietly(() => {
      const freed = this.ce.VirtualFree(lpAddress, dwSize, dwFreeType)
      if (freed === 0) return this.#lastResult()
      this.#budget.settle()
      return S_OK
    })
  }

  VirtualQuery(lpAddress: number, lpBuffer: number, dwLength: number): { hr: number; pResult: number } {
    const hr = this.#enter('VirtualQuery', { lpAddress, lpBuffer, dwLength })
    if (hr !== S_OK) return { hr, pResult: 0 }
    const pResult = virtualQuery(this.ce, lpAddress, lpBuffer, dwLength, false)
    return pResult === 0 ? { hr: this.#lastResult(), pResult } : { hr: S_OK, pResult }
  }

  VirtualProtect(lpAddress: number, dwSize: number, flNewProtect: number): { hr: number; pflOldProtect: number } {
    const hr = this.#enter('VirtualProtect', { lpAddress, dwSize, flNewProtect })
    if (hr !== S_OK) return { hr, pflOldProtect: 0 }
    return this.#notifications.quietly(() => {
      let pflOldProtect = 0
      const store = (old: number): boolean => {
        pflOldProtect = old
        return true
      }
      // The old protection is a field here: a block for it could not be had when memory is out.
      const changed = this.ce.outer('VirtualProtect', [lpAddress, dwSize, flNewProtect, 0], () =>
        reprotect(this.ce, 'VirtualProtect', lpAddress, dwSize, flNewProtect, store)
      )
      return changed === 0 ? { hr: this.#lastResult(), pflOldProtect: 0 } : { hr: S_OK, pflOldProtect }
    })
  }

  GetMemoryLoad(): { hr: number; pMemoryLoad: number; pAvailableBytes: number } {
    const hr = this.#enter('GetMemoryLoad', {})
    if (hr !== S_OK) return { hr, pMemoryLoad: 0, pAvailableBytes: 0 }
    return { hr, pMemoryLoad: memoryLoad(this.ce), pAvailableBytes: availablePages(this.ce.machine) * PAGE }
  }

  RegisterMemoryNotificationCallback(pCallback: ICLRMemoryNotificationCallback | null | 0): number {
    const isNull = pCallback === null || pCallback === 0
    if (!isNull && typeof pCallback !== 'object')
      throw misuse('IHostMemoryManager::RegisterMemoryNotificationCallback: pCallback', 'an object, or null or 0 for NULL', pCallback)
    const hr = this.#enter('RegisterMemoryNotificationCallback', {})
    if (hr !== S_OK) return hr
    if (isNull) return E_INVALIDARG
    this.#notifications.register(pCallback)
    this.#notifications.tell()
    return S_OK
  }

  NeedsVirtualAddressSpace(startAddress: number, size: number): number {
    const hr = this.#enter('NeedsVirtualAddressSpace', { startAddress, size })
    if (hr !== S_OK) return hr
    if (!isRange(startAddress, size)) return this.#unrecorded('NeedsVirtualAddressSpace', startAddress, size)
    return this.#ledger.bytes + size <= this.#terms.addressSpace ? S_OK : E_OUTOFMEMORY
  }

  AcquiredVirtualAddressSpace(startAddress: number, size: number): number {
    const hr = this.#enter('AcquiredVirtualAddressSpace', { startAddress, size })
    if (hr !== S_OK) return hr
    return this.#ledger.acquire(startAddress, size) ? S_OK : this.#unrecorded('AcquiredVirtualAddressSpace', startAddress, size)
  }

  ReleasedVirtualAddressSpace(startAddress: number): number {
    const hr = this.#enter('ReleasedVirtualAddressSpace', { startAddress })
    if (hr !== S_OK) return hr
    return this.#ledger.release(startAddress) ? S_OK : this.#unrecorded('ReleasedVirtualAddressSpace', startAddress, 0)
  }

  /** @internal */
  report(): HostReport {
    this.#budget.settle()
    return {
      bytes: this.#budget.used,
      available: this.#budget.available,
      mallocs: this.#mallocs.map((malloc) => ({ heap: malloc.heap, type: malloc.type, blocks: malloc.blocks() })),
      leaks: [...this.#leaks],
      reservations: this.#reservations.all(),
      addressSpace: this.#ledger.ranges()
    }
  }

  protected override end(): void {
    this.#notifications.end()
  }

  /** Checks the arguments, then whether the method may go on: S_OK, or what it answers instead. */
  #enter(method: string, args: Readonly<Record<string, number>>): number {
    for (const [name, value] of Object.entries(args)) if (!isDword(value)) throw notDword(this.call(method), name, value)
    if (!this.live(method)) return HOST_E_INVALIDOPERATION
    return this.#budget.available ? S_OK : HOST_E_CLRNOTAVAILABLE
  }

  #foreign(method: string, address: number): number {
    return this.#refuse(method, 'notOfHost', HOST_E_INVALIDOPERATION, address)
  }

  #unrecorded(method: string, start: number, size: number): number {
    return this.#refuse(method, 'ledger', E_INVALIDARG, start, size)
  }

  #refuse(method: string, kind: HostKind, hr: number, a: number, b = 0): number {
    this.ce.raise(kind, this.call(method), a, b)
    return hr
  }

  /** The thread's last error as an HRESULT (C-89). */
  #lastResult(): number {
    const code = this.ce.GetLastError()
    return code === ERROR_NOT_ENOUGH_MEMORY ? E_OUTOFMEMORY : 0x80070000 + code
  }
}

/**
 * A CLR host's memory manager for a thread of an emulated process, with one reference. What it hands out is memory of the process: heaps, pages, the physical budget.
 *
 *     const host = openHost(process.thread, { budget: { task: 8 * 1024 * 1024 } })
 *     const { ppMalloc } = host.CreateMalloc(MALLOC_THREADSAFE)
 */
export function openHost(ce: CeThread, policy: HostPolicy = {}): IHostMemoryManager {
  if (!(ce instanceof CeThread)) throw misuse('openHost: ce', 'a CeThread', ce)
  needOpen(ce, 'openHost')
  return new HostMemoryManager(ce, policy)
}

/** What the host has handed out, to whom, and what was never given back: the leak report. */
export function hostReport(host: IHostMemoryManager): HostReport {
  if (!(host instanceof HostMemoryManager)) throw misuse('hostReport: host', 'what openHost gave', host)
  return host.report()
}
