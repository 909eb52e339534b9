import { dword, Structure, word } from './structure.ts'

/**
 * The CE structures that calls read and write in user memory: one table each, offsets in bytes. A DWORD, a HANDLE and a pointer take four.
 */

/** What VirtualQuery tells of a run of like pages (VQ-1). */
export interface MemoryBasicInformation {
  readonly BaseAddress: number
  readonly AllocationBase: number
  /** Not supported on CE (VQ-2): always 0. */
  readonly AllocationProtect: number
  readonly RegionSize: number
  /** MEM_COMMIT, MEM_RESERVE or MEM_FREE. */
  readonly State: number
  readonly Protect: number
  readonly Type: number
}

export const MEMORY_BASIC_INFORMATION: Structure<MemoryBasicInformation> = new Structure({
  name: 'MEMORY_BASIC_INFORMATION',
  size: 28,
  source: 'VQ-1; https://learn.microsoft.com/en-us/previous-versions/windows/embedded/ms886752(v=msdn.10)',
  fields: {
    BaseAddress: dword(0),
    AllocationBase: dword(4),
    AllocationProtect: dword(8),
    RegionSize: dword(12),
    State: dword(16),
    Protect: dword(20),
    Type: dword(24)
  }
})

/** What GlobalMemoryStatus tells (GM-2); bytes, but for the load, which is a percentage. */
export interface MemoryStatus {
  readonly dwLength: number
  readonly dwMemoryLoad: number
  readonly dwTotalPhys: number
  readonly dwAvailPhys: number
  readonly dwTotalPageFile: number
  readonly dwAvailPageFile: number
  readonly dwTotalVirtual: number
  readonly dwAvailVirtual: number
}

export const MEMORYSTATUS: Structure<MemoryStatus> = new Structure({
  name: 'MEMORYSTATUS',
  size: 32,
  source: 'GM-2; https://learn.microsoft.com/en-us/previous-versions/windows/embedded/ee488368(v=winembedded.60)',
  fields: {
    dwLength: dword(0),
    dwMemoryLoad: dword(4),
    dwTotalPhys: dword(8),
    dwAvailPhys: dword(12),
    dwTotalPageFile: dword(16),
    dwAvailPageFile: dword(20),
    dwTotalVirtual: dword(24),
    dwAvailVirtual: dword(28)
  }
})

/** What GetSystemInfo tells. */
export interface SystemInfo {
  readonly wProcessorArchitecture: number
  readonly wReserved: number
  readonly dwPageSize: number
  readonly lpMinimumApplicationAddress: number
  readonly lpMaximumApplicationAddress: number
  readonly dwActiveProcessorMask: number
  readonly dwNumberOfProcessors: number
  readonly dwProcessorType: number
  readonly dwAllocationGranularity: number
  readonly wProcessorLevel: number
  readonly wProcessorRevision: number
}

export const SYSTEM_INFO: Structure<SystemInfo> = new Structure({
  name: 'SYSTEM_INFO',
  size: 36,
  source: 'https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/ns-sysinfoapi-system_info (32-bit)',
  fields: {
    wProcessorArchitecture: word(0),
    wReserved: word(2),
    dwPageSize: dword(4),
    lpMinimumApplicationAddress: dword(8),
    lpMaximumApplicationAddress: dword(12),
    dwActiveProcessorMask: dword(16),
    dwNumberOfProcessors: dword(20),
    dwProcessorType: dword(24),
    dwAllocationGranularity: dword(28),
    wProcessorLevel: word(32),
    wProcessorRevision: word(34)
  }
})

/** The caller's memory of a critical section (CS-3). All but hCrit mirror it (C-75). */
export interface CriticalSection {
  /** How often its owner has entered. */
  readonly LockCount: number
  /** The owner's thread id, 0 for nobody. */
  readonly OwnerThread: number
  /** Names the section; 0 where there is none. */
  readonly hCrit: number
  readonly needtrap: number
  /** How often an enter had to wait. */
  readonly dwContentions: number
}

export const CRITICAL_SECTION: Structure<CriticalSection> = new Structure({
  name: 'CRITICAL_SECTION',
  size: 20,
  source: 'our choice C-75: the fields of open CE headers',
  fields: { LockCount: dword(0), OwnerThread: dword(4), hCrit: dword(8), needtrap: dword(12), dwContentions: dword(16) }
})

/** One heap as Heap32ListFirst and Heap32ListNext tell it (TH-15). */
export interface HeapList32 {
  readonly dwSize: number
  readonly th32ProcessID: number
  /** Meaningful to tool help alone: no heap handle (TH-16). */
  readonly th32HeapID: number
  readonly dwFlags: number
}

export const HEAPLIST32: Structure<HeapList32> = new Structure({
  name: 'HEAPLIST32',
  size: 16,
  source: 'TH-15; https://learn.microsoft.com/en-us/previous-versions/windows/embedded/ms885660(v=msdn.10)',
  fields: { dwSize: dword(0), th32ProcessID: dword(4), th32HeapID: dword(8), dwFlags: dword(12) }
})

/** One block as Heap32First and Heap32Next tell it (TH-12). */
export interface HeapEntry32 {
  readonly dwSize: number
  readonly hHandle: number
  readonly dwAddress: number
  readonly dwBlockSize: number
  readonly dwFlags: number
  readonly dwLockCount: number
  readonly dwResvd: number
  readonly th32ProcessID: number
  readonly th32HeapID: number
}

export const HEAPENTRY32: Structure<HeapEntry32> = new Structure({
  name: 'HEAPENTRY32',
  size: 36,
  source: 'TH-12; https://learn.microsoft.com/en-us/previous-versions/windows/embedded/ee488609(v=winembedded.80)',
  fields: {
    dwSize: dword(0),
    hHandle: dword(4),
    dwAddress: dword(8),
    dwBlockSize: dword(12),
    dwFlags: dword(16),
    dwLockCount: dword(20),
    dwResvd: dword(24),
    th32ProcessID: dword(28),
    th32HeapID: dword(32)
  }
})
