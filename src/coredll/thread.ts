import { isDword, misuse, notDword } from '../errors.ts'
import { HDR } from '../machine/layout.ts'
import { UserMemory } from '../machine/memory.ts'
import type { Machine } from '../machine/machine.ts'
import { partThread, THREAD, threadAt } from '../machine/threads.ts'
import { needOpen, setLastError } from './caller.ts'
import type { Caller } from './caller.ts'
import { CALLS } from './calls.ts'
import type { CallName } from './calls.ts'
import { makeFinding, postFinding } from './findings.ts'
import type { Finding, FindingKind } from './findings.ts'
import { ceHeapCreate, heapAlloc, heapCompact, heapCreate, heapDestroy, heapFree, heapReAlloc, heapSize, heapValidate } from './heap.ts'
import type { PFN_AllocHeapMem, PFN_FreeHeapMem } from './heap.ts'
import { cast, localAlloc, localFree, localReAlloc, localSize } from './local.ts'
import type { CallRecord, CallWriter } from './record.ts'
import { virtualAlloc, virtualFree } from './virtual.ts'

/**
 * One thread of an emulated process, and the coredll functions as it calls them: Win32 names, Win32 parameter order, numbers in and
 * out. HANDLE, pointers and DWORD are whole numbers from 0 to 2^32 - 1 (anything else throws a TypeError or RangeError), BOOL is 0 or 1.
 * What the emulated OS answers is the return value and `GetLastError()`, never an exception; calls on a closed process throw a TypeError.
 */
export class CeThread implements Caller {
  /** @internal */
  readonly machine: Machine
  /** This thread's id: 1 for the creating thread. */
  readonly tid: number
  /** User memory, raw and with checked accessors. */
  readonly memory: UserMemory
  readonly #listeners: ((finding: Finding) => void)[] = []
  #depth = 0
  #detached = false

  /** @internal Use `createProcess` and `attachThread`. */
  constructor(machine: Machine, tid: number) {
    this.machine = machine
    this.tid = tid
    this.memory = new UserMemory(machine)
  }

  // Heaps

  /**
   * Makes a heap: growable if `dwMaximumSize` is 0, else fixed at that size (HC-1 to HC-4). Sizes are rounded up to pages.
   * NULL on failure: ERROR_INVALID_PARAMETER if initial > nonzero maximum, ERROR_NOT_ENOUGH_MEMORY, ERROR_ACCESS_DENIED for HEAP_SHARED_READONLY (FL-8).
   *
   *     const heap = ce.HeapCreate(0, 0x1000, 0x40000)
   */
  HeapCreate(flOptions: number, dwInitialSize: number, dwMaximumSize: number): number {
    return heapCreate(this, flOptions, dwInitialSize, dwMaximumSize)
  }

  /** As HeapCreate, on pages that the caller's functions provide (CH-1 to CH-5); `flOptions` must be 0. The functions work in this thread alone. */
  CeHeapCreate(
    flOptions: number,
    dwInitialSize: number,
    dwMaximumSize: number,
    pfnAlloc: PFN_AllocHeapMem,
    pfnFree: PFN_FreeHeapMem
  ): number {
    return ceHeapCreate(this, flOptions, dwInitialSize, dwMaximumSize, pfnAlloc, pfnFree)
  }

  /** Ends a heap with everything in it (HD-1 to HD-4). FALSE and ERROR_INVALID_PARAMETER for a bad handle or the process heap (C-12). */
  HeapDestroy(hHeap: number): number {
    return heapDestroy(this, hHeap)
  }

  /**
   * Allocates at least `dwBytes` (HA-1 to HA-7); HEAP_ZERO_MEMORY zeroes. 0 is NULL: ERROR_NOT_ENOUGH_MEMORY, or ERROR_INVALID_PARAMETER for a
   * bad handle; ce-5.0 leaves the last error alone (HA-5). A fixed heap refuses 0x7FFF8 bytes and more (HA-2).
   */
  HeapAlloc(hHeap: number, dwFlags: number, dwBytes: number): number {
    return heapAlloc(this, hHeap, dwFlags, dwBytes)
  }

  /**
   * Resizes a block, moving it unless HEAP_REALLOC_IN_PLACE_ONLY (HR-1 to HR-8). NULL and
   * ERROR_INVALID_PARAMETER for a bad handle or pointer, else ERROR_NOT_ENOUGH_MEMORY: the old block stays as it was.
   */
  HeapReAlloc(hHeap: number, dwFlags: number, lpMem: number, dwBytes: number): number {
    return heapReAlloc(this, hHeap, dwFlags, lpMem, dwBytes)
  }

  /** Frees a block (HF-1 to HF-5). FALSE and ERROR_INVALID_PARAMETER for NULL or anything that is not a live block of this heap (C-5). */
  HeapFree(hHeap: number, dwFlags: number, lpMem: number): number {
    return heapFree(this, hHeap, dwFlags, lpMem)
  }

  /** Bytes of a block: rounded up to 32 on retail, as requested on debug builds (HS-3, HS-4). 0xFFFFFFFF on failure; never sets the last error (HS-5). */
  HeapSize(hHeap: number, dwFlags: number, lpMem: number): number {
    return heapSize(this, hHeap, dwFlags, lpMem)
  }

  /** Whether a heap (`lpMem` 0) or one allocated block is sound (HV-1 to HV-4). Never sets the last error. */
  HeapValidate(hHeap: number, dwFlags: number, lpMem: number): number {
    return heapValidate(this, hHeap, dwFlags, lpMem)
  }

  /**
   * Gives wholly free pages back; returns the largest run of committed free memory in bytes as it was before, 0 with NO_ERROR if there was
   * none, 0 with ERROR_INVALID_PARAMETER for a bad handle (HP-1 to HP-6).
   */
  HeapCompact(hHeap: number, dwFlags: number): number {
    return heapCompact(this, hHeap, dwFlags)
  }

  /** The handle of the heap that the process starts with (GP-1, GP-2). */
  GetProcessHeap(): number {
    needOpen(this, 'GetProcessHeap')
    return this.machine.sys[HDR.PROCESS_HEAP] as number
  }

  // Local and global memory: the process heap (LA-2); Global* are macros over Local* (GA-1)

  /** Allocates from the process heap; LMEM_ZEROINIT zeroes (LA-1 to LA-8). NULL and ERROR_NOT_ENOUGH_MEMORY on failure. */
  LocalAlloc(uFlags: number, uBytes: number): number {
    return localAlloc(this, 'LocalAlloc', uFlags, uBytes)
  }

  /** Resizes; moves only with LMEM_MOVEABLE (LR-4). LMEM_MODIFY with LMEM_MOVEABLE is an error (LR-3). NULL on failure: the old block stays. */
  LocalReAlloc(hMem: number, uBytes: number, fuFlags: number): number {
    return localReAlloc(this, 'LocalReAlloc', hMem, uBytes, fuFlags)
  }

  /** Frees; NULL is ignored (LF-2). Returns NULL for success and the handle itself for failure (LF-1). */
  LocalFree(hMem: number): number {
    return localFree(this, 'LocalFree', hMem)
  }

  /** Bytes of a block as HeapSize tells them; 0 and ERROR_INVALID_PARAMETER on failure (LS-3). */
  LocalSize(hMem: number): number {
    return localSize(this, 'LocalSize', hMem)
  }

  /** A cast on CE (LM-1). */
  LocalLock(hMem: number): number {
    return cast(this, 'LocalLock', hMem)
  }

  /** 0 on CE (LM-1). */
  LocalUnlock(hMem: number): number {
    cast(this, 'LocalUnlock', hMem)
    return 0
  }

  /** A cast on CE (LM-1). */
  LocalHandle(pMem: number): number {
    return cast(this, 'LocalHandle', pMem)
  }

  /** 0 on CE (LM-1, LM-2). */
  LocalFlags(hMem: number): number {
    cast(this, 'LocalFlags', hMem)
    return 0
  }

  /** As LocalAlloc (GA-1). */
  GlobalAlloc(uFlags: number, dwBytes: number): number {
    return localAlloc(this, 'GlobalAlloc', uFlags, dwBytes)
  }

  /** As LocalReAlloc (GA-1). */
  GlobalReAlloc(hMem: number, dwBytes: number, uFlags: number): number {
    return localReAlloc(this, 'GlobalReAlloc', hMem, dwBytes, uFlags)
  }

  /** As LocalFree (GA-1). */
  GlobalFree(hMem: number): number {
    return localFree(this, 'GlobalFree', hMem)
  }

  /** As LocalSize (GA-1). */
  GlobalSize(hMem: number): number {
    return localSize(this, 'GlobalSize', hMem)
  }

  /** As LocalLock (GA-1). */
  GlobalLock(hMem: number): number {
    return cast(this, 'GlobalLock', hMem)
  }

  /** As LocalUnlock (GA-1). */
  GlobalUnlock(hMem: number): number {
    cast(this, 'GlobalUnlock', hMem)
    return 0
  }

  /** As LocalHandle (GA-1). */
  GlobalHandle(pMem: number): number {
    return cast(this, 'GlobalHandle', pMem)
  }

  /** As LocalFlags (GA-1). */
  GlobalFlags(hMem: number): number {
    cast(this, 'GlobalFlags', hMem)
    return 0
  }

  // Virtual memory

  /** Reserves and commits pages of the process's own (VA-1 to VA-5, C-20, C-21): what a CeHeapCreate callback hands to its heap. */
  VirtualAlloc(lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number {
    return virtualAlloc(this, lpAddress, dwSize, flAllocationType, flProtect)
  }

  /** Decommits pages or releases a whole reservation, which must be in one state (VF-1 to VF-6). */
  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number {
    return virtualFree(this, lpAddress, dwSize, dwFreeType)
  }

  // Last error

  /** The thread's last error; 0 on a new thread. */
  GetLastError(): number {
    needOpen(this, 'GetLastError')
    return (this.machine.sys[threadAt(this.machine, this.tid) + THREAD.LAST_ERROR] as number) >>> 0
  }

  SetLastError(dwErrCode: number): void {
    if (!isDword(dwErrCode)) throw notDword('SetLastError', 'dwErrCode', dwErrCode)
    needOpen(this, 'SetLastError')
    setLastError(this, dwErrCode)
  }

  // The library's own

  /** Calls `listener` with each finding of this thread's own calls, after the call has left its section. Returns a function that ends it. */
  onFinding(listener: (finding: Finding) => void): () => void {
    if (typeof listener !== 'function') throw misuse('onFinding: listener', 'a function', listener)
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  /** @internal */
  raise(kind: FindingKind, call: CallName, a = 0, b = 0): void {
    if (this.#listeners.length > 0) {
      const finding = makeFinding(kind, call, this.tid, a, b)
      for (const listener of [...this.#listeners]) listener(finding)
    }
    // The creating thread's own listeners are the process's; only other threads' findings have to travel.
    if (this.tid !== 1 && this.machine.sys[HDR.LISTENING] !== 0) postFinding(this.machine, kind, call, this.tid, a, b)
  }

  /**
   * Hands every API call of this thread to `writer` once it has returned; calls that a page callback makes inside another call are
   * left out. Returns a function that ends the recording. Calls cost nothing extra while none is on.
   */
  record(writer: CallWriter): () => void {
    if (typeof writer?.write !== 'function') throw misuse('record: writer', 'an object with a write(call) method', writer)
    if (Object.hasOwn(this, CALLS[0]))
      throw new TypeError('record: expected a thread that is not being recorded, got one that is; end the other recording first')
    for (const call of CALLS) {
      Object.defineProperty(this, call, { value: (...args: unknown[]) => this.#recorded(writer, call, args), configurable: true })
    }
    let on = true
    return () => {
      // A second call must not end a later recording.
      if (on) for (const call of CALLS) delete (this as Record<string, unknown>)[call]
      on = false
    }
  }

  #recorded(writer: CallWriter, call: CallName, args: unknown[]): unknown {
    const method = CeThread.prototype[call] as (...args: unknown[]) => number | undefined
    this.#depth++
    let result: number | undefined
    try {
      result = method.apply(this, args)
    } finally {
      this.#depth--
    }
    if (this.#depth === 0) {
      const lastError = (this.machine.sys[threadAt(this.machine, this.tid) + THREAD.LAST_ERROR] as number) >>> 0
      const record: CallRecord = { call, thread: this.tid, args: args.map((arg) => (typeof arg === 'number' ? arg : 0)), result, lastError }
      writer.write(record)
    }
    return result
  }

  /** Gives this thread's place back; the object must not be used afterwards. The creating thread stays until `process.close()`. */
  detach(): void {
    if (this.tid === 1) throw new TypeError('detach: expected an attached thread, got the creating thread; close the process instead')
    if (this.machine.leases.length > 0) throw new TypeError('detach: expected a thread outside every call, got one inside a page callback')
    // By the second call the place may be another thread's.
    if (!this.#detached) partThread(this.machine, this.tid)
    this.#detached = true
  }
}
