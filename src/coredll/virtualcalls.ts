import { LocalCalls } from './localcalls.ts'
import { virtualAlloc, virtualFree } from './virtual.ts'

/** Virtual memory (section 3 of the rules). */
export class VirtualCalls extends LocalCalls {
  /** Reserves and commits pages of the process's own (VA-1 to VA-5, C-20, C-21): what a CeHeapCreate callback hands to its heap. */
  VirtualAlloc(lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number {
    return virtualAlloc(this, lpAddress, dwSize, flAllocationType, flProtect)
  }

  /** Decommits pages or releases a whole reservation, which must be in one state (VF-1 to VF-6). */
  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number {
    return virtualFree(this, lpAddress, dwSize, dwFreeType)
  }
}
