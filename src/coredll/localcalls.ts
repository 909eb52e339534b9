import { HeapCalls } from './heapcalls.ts'
import { cast, localAlloc, localFree, localReAlloc, localSize, nothing } from './local.ts'

/** Local and global memory: the process heap (LA-2); Global* are macros over Local* (GA-1). */
export class LocalCalls extends HeapCalls {
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
    return nothing(this, 'LocalUnlock', hMem)
  }

  /** A cast on CE (LM-1). */
  LocalHandle(pMem: number): number {
    return cast(this, 'LocalHandle', pMem)
  }

  /** 0 on CE (LM-1, LM-2). */
  LocalFlags(hMem: number): number {
    return nothing(this, 'LocalFlags', hMem)
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
    return nothing(this, 'GlobalUnlock', hMem)
  }

  /** As LocalHandle (GA-1). */
  GlobalHandle(pMem: number): number {
    return cast(this, 'GlobalHandle', pMem)
  }

  /** As LocalFlags (GA-1). */
  GlobalFlags(hMem: number): number {
    return nothing(this, 'GlobalFlags', hMem)
  }
}
