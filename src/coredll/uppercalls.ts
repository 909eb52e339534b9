import type { Kind } from './findings.ts'

/**
 * What the layers above name in findings and recordings. It stands here because a finding travels between threads as numbers, and the thread
 * that takes it in may not have loaded that layer.
 */

/** The calls of com/; a call's number is its place in this list behind CALLS. */
export const COM_CALLS = [
  'CoGetMalloc',
  'CoTaskMemAlloc',
  'CoTaskMemRealloc',
  'CoTaskMemFree',
  'CoRegisterMallocSpy',
  'CoRevokeMallocSpy',
  'IMalloc::QueryInterface',
  'IMalloc::AddRef',
  'IMalloc::Release',
  'IMalloc::Alloc',
  'IMalloc::Realloc',
  'IMalloc::Free',
  'IMalloc::GetSize',
  'IMalloc::DidAlloc',
  'IMalloc::HeapMinimize'
] as const

export type ComCall = (typeof COM_CALLS)[number]

/** The calls of hosting/, behind those of com/. */
export const HOST_CALLS = [
  'IHostMalloc::QueryInterface',
  'IHostMalloc::AddRef',
  'IHostMalloc::Release',
  'IHostMalloc::Alloc',
  'IHostMalloc::DebugAlloc',
  'IHostMalloc::Free',
  'IHostMemoryManager::QueryInterface',
  'IHostMemoryManager::AddRef',
  'IHostMemoryManager::Release',
  'IHostMemoryManager::CreateMalloc',
  'IHostMemoryManager::VirtualAlloc',
  'IHostMemoryManager::VirtualFree',
  'IHostMemoryManager::VirtualQuery',
  'IHostMemoryManager::VirtualProtect',
  'IHostMemoryManager::GetMemoryLoad',
  'IHostMemoryManager::RegisterMemoryNotificationCallback',
  'IHostMemoryManager::NeedsVirtualAddressSpace',
  'IHostMemoryManager::AcquiredVirtualAddressSpace',
  'IHostMemoryManager::ReleasedVirtualAddressSpace'
] as const

export type HostCall = (typeof HOST_CALLS)[number]

/** The methods of IMallocSpy behind those of IUnknown (SP-9), in the order of their pairs. */
export const SPY_METHODS = [
  'PreAlloc',
  'PostAlloc',
  'PreFree',
  'PostFree',
  'PreRealloc',
  'PostRealloc',
  'PreGetSize',
  'PostGetSize',
  'PreDidAlloc',
  'PostDidAlloc',
  'PreHeapMinimize',
  'PostHeapMinimize'
] as const

export type SpyMethod = (typeof SPY_METHODS)[number]

const hex = (value: number): string => `0x${(value >>> 0).toString(16).toUpperCase().padStart(8, '0')}`

export type ComKind =
  | 'releasedMalloc'
  | 'spyElsewhere'
  | 'spyReentered'
  | 'spyCount'
  | 'spyActual'
  | 'spyOffset'
  | 'spyNewRequest'
  | 'spyThrew'
  | 'secondRevoke'

/** What com/ can say about a call. */
export const COM_KINDS: Readonly<Record<ComKind, Kind>> = {
  releasedMalloc: { rule: 'C-54', severity: 'error', text: () => 'the interface was released: no reference to it is left' },
  spyElsewhere: {
    rule: 'C-55',
    severity: 'warning',
    text: (a) =>
      `the spy ${a === 0 ? 'lived in a thread that has ended' : `lives in thread ${a}`}: this thread's calls are counted and not shown to it`
  },
  spyReentered: {
    rule: 'C-56',
    severity: 'warning',
    text: () => 'a method of the spy calls the allocator: what the spy does itself is counted and not shown to it'
  },
  spyCount: { rule: 'SP-10', severity: 'error', text: (a, b) => `the spy answers ${b} bytes for a request of ${a}: too few` },
  spyActual: {
    rule: 'SP-15',
    severity: 'error',
    text: (a, b) => `the spy answers ${hex(a)} for the start of the allocation, which is ${hex(b)}`
  },
  spyOffset: {
    rule: 'SP-14',
    severity: 'error',
    text: (a, b) => `the spy hands out ${hex(a)} for the block at ${hex(b)}, which does not hold that address`
  },
  spyNewRequest: { rule: 'SP-17', severity: 'error', text: () => 'PreRealloc stored no ppNewRequest: nothing is resized' },
  spyThrew: { rule: 'C-60', severity: 'error', text: (a) => `${SPY_METHODS[a]} of the spy threw an error, or gave an answer that is none` },
  secondRevoke: {
    rule: 'C-58',
    severity: 'warning',
    text: () => 'the revoke is pending already: it is to be called once for each register'
  }
}

export type HostKind = 'releasedHost' | 'notOfHost' | 'hostLeak' | 'badName' | 'ledger' | 'notifyThrew'

/** What hosting/ can say about a call. */
export const HOST_KINDS: Readonly<Record<HostKind, Kind>> = {
  releasedHost: { rule: 'C-86', severity: 'error', text: () => 'the interface was released: no reference to it is left' },
  notOfHost: { rule: 'C-89', severity: 'error', text: (a) => `${hex(a)} is not memory that was allocated through this interface` },
  hostLeak: {
    rule: 'C-87',
    severity: 'warning',
    text: (a, b) => `the allocator ends with ${a} ${a === 1 ? 'block' : 'blocks'} still allocated, the first at ${hex(b)}`
  },
  badName: { rule: 'C-87', severity: 'error', text: (a) => `the file name at ${hex(a)} cannot be read: the block is recorded without it` },
  ledger: {
    rule: 'C-91',
    severity: 'error',
    text: (a, b) => `the range of ${b} bytes at ${hex(a)} does not fit what was told before: nothing is recorded`
  },
  notifyThrew: { rule: 'C-90', severity: 'error', text: (a) => `OnMemoryNotification(${a}) threw an error` }
}
