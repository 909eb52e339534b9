import type { IMallocSpy } from '../com/spy.ts'
import type { IMalloc } from '../com/malloc.ts'
import type { HostPolicy } from '../hosting/policy.ts'
import type { IHostMemoryManager } from '../hosting/manager.ts'
import type { Build, ProfileName } from '../profile.ts'

/** Bytes of memory that the program of a case could read and write. */
export interface SubjectMemory {
  /** `length` bytes from `address` on. Throws where the program could not read them. */
  read(address: number, length: number): Uint8Array
  write(address: number, data: Uint8Array): void
  /** Reads a byte as the program does: 0, or the code of the exception it gets. For implementations that keep page protections. */
  touch?(address: number): number
}

/** Reserves, commits, decommits or releases pages for CeHeapCreate, as MEM_RESERVE... in `action` says (CH-4). */
export type PageFunction = (address: number, bytes: number, action: number) => number

/** The Win32 functions that cases call, numbers in and out: pointers, handles and DWORD from 0 to 2^32 - 1, BOOL 0 or nonzero. */
export interface HeapFunctions {
  HeapCreate(flOptions: number, dwInitialSize: number, dwMaximumSize: number): number
  CeHeapCreate(flOptions: number, dwInitialSize: number, dwMaximumSize: number, pfnAlloc: PageFunction, pfnFree: PageFunction): number
  HeapDestroy(hHeap: number): number
  HeapAlloc(hHeap: number, dwFlags: number, dwBytes: number): number
  HeapReAlloc(hHeap: number, dwFlags: number, lpMem: number, dwBytes: number): number
  HeapFree(hHeap: number, dwFlags: number, lpMem: number): number
  HeapSize(hHeap: number, dwFlags: number, lpMem: number): number
  HeapValidate(hHeap: number, dwFlags: number, lpMem: number): number
  HeapCompact(hHeap: number, dwFlags: number): number
  GetProcessHeap(): number
  GetLastError(): number
  SetLastError(dwErrCode: number): void
  LocalAlloc(uFlags: number, uBytes: number): number
  LocalReAlloc(hMem: number, uBytes: number, uFlags: number): number
  LocalFree(hMem: number): number
  LocalSize(hMem: number): number
  LocalLock(hMem: number): number
  LocalUnlock(hMem: number): number
  LocalHandle(pMem: number): number
  LocalFlags(hMem: number): number
  GlobalAlloc(uFlags: number, dwBytes: number): number
  GlobalReAlloc(hMem: number, dwBytes: number, uFlags: number): number
  GlobalFree(hMem: number): number
  GlobalSize(hMem: number): number
  GlobalLock(hMem: number): number
  GlobalUnlock(hMem: number): number
  GlobalHandle(pMem: number): number
  GlobalFlags(hMem: number): number
  GlobalMemoryStatus(lpBuffer: number): void
  GetSystemInfo(lpSystemInfo: number): void
  VirtualAlloc(lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number
  VirtualFree(lpAddress: number, dwSize: number, dwFreeType: number): number
  VirtualProtect(lpAddress: number, dwSize: number, flNewProtect: number, lpflOldProtect: number): number
  VirtualQuery(lpAddress: number, lpBuffer: number, dwLength: number): number
  VirtualAllocEx(hProcess: number, lpAddress: number, dwSize: number, flAllocationType: number, flProtect: number): number
  VirtualFreeEx(hProcess: number, lpAddress: number, dwSize: number, dwFreeType: number): number
  CeVirtualSharedAlloc(lpvAddr: number, cbSize: number, fdwAction: number): number
  InitializeCriticalSection(lpCriticalSection: number): void
  EnterCriticalSection(lpCriticalSection: number): void
  TryEnterCriticalSection(lpCriticalSection: number): number
  LeaveCriticalSection(lpCriticalSection: number): void
  DeleteCriticalSection(lpCriticalSection: number): void
  CoGetMalloc(dwMemContext: number): { readonly hr: number; readonly ppMalloc: IMalloc | null }
  CoTaskMemAlloc(cb: number): number
  CoTaskMemRealloc(pv: number, cb: number): number
  CoTaskMemFree(pv: number): void
  CoRegisterMallocSpy(lpMallocSpy: IMallocSpy | null): number
  CoRevokeMallocSpy(): number
}

/**
 * An implementation under test: as many of the functions as it has, and its memory. A case that needs one that is missing is not applicable.
 *
 *     const mine: HeapUnderTest = { memory, HeapCreate: (options, initial, maximum) => ..., HeapAlloc: ... }
 */
export interface HeapUnderTest extends Partial<HeapFunctions> {
  /** A module may have a WebAssembly.Memory instead. */
  readonly memory?: SubjectMemory
  /** The same process as another thread of it calls it, for cases that need two. */
  readonly secondThread?: HeapFunctionsOf
  /** A CLR host's memory manager (HO-1 to HO-21) under the policy; what it hands out lies in `memory`. */
  openHost?(policy: HostPolicy): IHostMemoryManager
  /** Ends the implementation: nothing of it is used afterwards. */
  close?(): void
}

export type HeapFunctionsOf = Partial<HeapFunctions>

/** The version and build of CE that answers are judged as. */
export interface SubjectOptions {
  readonly profile: ProfileName
  readonly build: Build
}

/** Makes an implementation anew, so that each case begins in one that nobody has used. */
export type SubjectFactory = (options: SubjectOptions) => HeapUnderTest
