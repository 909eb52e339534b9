import { LocalCalls } from './localcalls.ts'
import { isBadCodePtr, isBadReadPtr, isBadWritePtr } from './probe.ts'
import { getSystemInfo, globalMemoryStatus } from './status.ts'
import { ceVirtualSharedAlloc, virtualAlloc, virtualFree, virtualProtect } from './virtual.ts'
import { virtualAllocEx, virtualFreeEx, virtualProtectEx } from './virtualex.ts'
import { virtualQuery } from './virtualquery.ts'

/** Virtual memory and what is told of memory (sections 2.4 and 3 of the rules). */
export class VirtualCalls extends LocalCalls {
  /**
   * Reserves address space, commits pages of it, or both (VA-1 to VA-11, C-20, C-21, C-51). Returns the first address, NULL on failure with
   * ERROR_INVALID_PARAMETER, ERROR_INVALID_ADDRESS or ERROR_NOT_ENOUGH_MEMORY.
   */
  VirtualAlloc(lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number {
    return virtualAlloc(this, lpAddress, dwSize, flAllocationType, flProtect)
  }

  /**
   * Memory that other processes may read, for kernel mode alone (VX-2): action 0 reserves and commits, else MEM_RESERVE without an address or
   * MEM_COMMIT with one. Freed with VirtualFree. NULL and ERROR_ACCESS_DENIED outside kernel mode.
   */
  CeVirtualSharedAlloc(lpvAddr: number, cbSize: number, fdwAction: number): number {
    return ceVirtualSharedAlloc(this, lpvAddr, cbSize, fdwAction)
  }

  /** Decommits pages or releases a whole reservation, which must be in one state (VF-1 to VF-6). */
  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number {
    return virtualFree(this, lpAddress, dwSize, dwFreeType)
  }

  /** Changes the protection of committed pages of one reservation and stores the first one's old protection (VP-1 to VP-4, C-21, C-62). */
  VirtualProtect(lpAddress: number, dwSize: number, flNewProtect: number, lpflOldProtect: number): number {
    return virtualProtect(this, lpAddress, dwSize, flNewProtect, lpflOldProtect)
  }

  /** VirtualAlloc on this process, from CE 6.0 on (VX-1, C-94); NULL and ERROR_INVALID_HANDLE for any other process. */
  VirtualAllocEx(hProcess: number, lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number {
    return virtualAllocEx(this, hProcess, lpAddress, dwSize, flAllocationType, flProtect)
  }

  /** VirtualFree on this process, from CE 6.0 on (VX-1, C-94). */
  VirtualFreeEx(hProcess: number, lpAddress: number, dwSize: number, dwFreeType: number): number {
    return virtualFreeEx(this, hProcess, lpAddress, dwSize, dwFreeType)
  }

  /** VirtualProtect on this process, from CE 6.0 on (VX-1, C-94). */
  VirtualProtectEx(hProcess: number, lpAddress: number, dwSize: number, flNewProtect: number, lpflOldProtect: number): number {
    return virtualProtectEx(this, hProcess, lpAddress, dwSize, flNewProtect, lpflOldProtect)
  }

  /** Describes the run of like pages at an address in a MEMORY_BASIC_INFORMATION (VQ-1, VQ-2). Returns 28, 0 on failure with ERROR_INVALID_PARAMETER. */
  VirtualQuery(lpAddress: number, lpBuffer: number, dwLength: number): number {
    return virtualQuery(this, lpAddress, lpBuffer, dwLength)
  }

  /** 1 if one of `ucb` bytes cannot be read, else 0; the last error stays. A guard page on the way goes off (VP-4). */
  IsBadReadPtr(lp: number, ucb: number): number {
    return isBadReadPtr(this, lp, ucb)
  }

  /** 1 if one of `ucb` bytes cannot be written, else 0; the last error stays. A guard page on the way goes off (VP-4). */
  IsBadWritePtr(lp: number, ucb: number): number {
    return isBadWritePtr(this, lp, ucb)
  }

  /** 1 if the byte at `lpfn` cannot be read, else 0; the last error stays. */
  IsBadCodePtr(lpfn: number): number {
    return isBadCodePtr(this, lpfn)
  }

  /** Writes a MEMORYSTATUS: the process's physical memory and address space (GM-1 to GM-5). Set its dwLength before. */
  GlobalMemoryStatus(lpBuffer: number): void {
    globalMemoryStatus(this, lpBuffer)
  }

  /** Writes a SYSTEM_INFO; its memory fields are those of the emulated process, its processor fields say nothing. */
  GetSystemInfo(lpSystemInfo: number): void {
    getSystemInfo(this, lpSystemInfo)
  }
}
