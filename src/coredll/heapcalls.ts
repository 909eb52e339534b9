import { endByError } from '../machine/adrift.ts'
import { HDR } from '../machine/layout.ts'
import { COLD } from '../machine/machine.ts'
import { needOpen } from './caller.ts'
import { ceHeapCreate, heapAlloc, heapCompact, heapCreate, heapDestroy, heapFree, heapReAlloc, heapSize, heapValidate } from './heap.ts'
import type { PFN_AllocHeapMem, PFN_FreeHeapMem } from './heap.ts'
import { ThreadCore } from './threadcore.ts'

/** The Heap* functions (section 1 of the rules). */
export class HeapCalls extends ThreadCore {
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
    try {
      return heapAlloc(this, hHeap, dwFlags, dwBytes)
    } catch (error) {
      this.machine.adrift = true
      this.machine.hot = COLD
      endByError(this.machine)
      throw error
    }
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
    try {
      return heapFree(this, hHeap, dwFlags, lpMem)
    } catch (error) {
      this.machine.adrift = true
      this.machine.hot = COLD
      endByError(this.machine)
      throw error
    }
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
}
