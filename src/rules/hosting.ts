import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { hostingPage, noPage } from './source.ts'

export const hosting: readonly Rule[] = section('CLR hosting memory', [
  rule('HO-1', 'desktop', 'desktop', 'emulated', {
    statement:
      'The HRESULTs of the hosting interfaces of the .NET Framework 2.0 and later on desktop Windows. No page offers these ' +
      'interfaces on CE.',
    value:
      'HOST_E_DEADLOCK 0x80131020, HOST_E_INTERRUPTED 0x80131021, HOST_E_INVALIDOPERATION 0x80131022, HOST_E_CLRNOTAVAILABLE ' +
      '0x80131023, HOST_E_TIMEOUT 0x80131024, HOST_E_NOT_OWNER 0x80131025, HOST_E_ABANDONED 0x80131026',
    source: 'the public table of HRESULTs'
  }),
  rule('HO-2', 'desktop', 'desktop', 'emulated', {
    statement:
      'HOST_E_CLRNOTAVAILABLE means that the CLR is not loaded or cannot run, HOST_E_TIMEOUT a time-out, HOST_E_NOT_OWNER that the ' +
      'caller lacks the lock, HOST_E_ABANDONED that an event was cancelled while waiting. After E_FAIL the CLR is unusable and ' +
      'later calls return HOST_E_CLRNOTAVAILABLE.',
    value: 'the common results: S_OK, HOST_E_CLRNOTAVAILABLE, HOST_E_TIMEOUT, HOST_E_NOT_OWNER, HOST_E_ABANDONED, E_FAIL',
    source: hostingPage('ihostmalloc-alloc-method')
  }),
  rule('HO-3', 'desktop', 'desktop', 'emulated', {
    statement: 'MALLOC_TYPE has MALLOC_THREADSAFE, without which the caller must serialise the calls, and MALLOC_EXECUTABLE.',
    value: 'MALLOC_THREADSAFE 0x1, MALLOC_EXECUTABLE 0x2',
    source: hostingPage('malloc-type-enumeration')
  }),
  rule('HO-4', 'desktop', 'desktop', 'emulated', {
    statement: 'EMemoryCriticalLevel says how grave a failed allocation would be.',
    value: 'eTaskCritical 0, eAppDomainCritical 1, eProcessCritical 2',
    source: hostingPage('ememorycriticallevel-enumeration')
  }),
  rule('HO-5', 'desktop', 'desktop', 'emulated', {
    statement:
      'What a failure leads to: at task level a ThreadAbortException on the thread; at application-domain level the domain may be ' +
      'unusable and the host decides; at process level the CLR is disabled and all later calls give HOST_E_CLRNOTAVAILABLE.',
    source: hostingPage('ememorycriticallevel-enumeration'),
    seeAlso: ['HO-4']
  }),
  rule('HO-6', 'desktop', 'desktop', 'emulated', {
    statement: 'By severity, a host may fail a request at once or wait until it can be met.',
    source: hostingPage('ememorycriticallevel-enumeration'),
    seeAlso: ['HO-4']
  }),
  rule('HO-7', 'desktop', 'desktop', 'emulated', {
    statement: 'EMemoryAvailable tells the CLR how much memory there is.',
    value: 'eMemoryAvailableLow 1, eMemoryAvailableNeutral 2, eMemoryAvailableHigh 3',
    source: hostingPage('ememoryavailable-enumeration')
  }),
  rule('HO-8', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMalloc::Alloc(SIZE_T cbSize, EMemoryCriticalLevel, void** ppMem) gives one of the common results or E_OUTOFMEMORY; on ' +
      'failure the pointer is null.',
    source: hostingPage('ihostmalloc-alloc-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-9', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMalloc::DebugAlloc(SIZE_T, EMemoryCriticalLevel, char* pszFileName, int iLineNo, void** ppMem) is Alloc that also ' +
      'records file and line.',
    source: hostingPage('ihostmalloc-debugalloc-method'),
    seeAlso: ['HO-8']
  }),
  rule('HO-10', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMalloc::Free(void* pMem) gives one of the common results, or HOST_E_INVALIDOPERATION for memory that is not from Alloc.',
    value: 'HOST_E_INVALIDOPERATION 0x80131022',
    source: hostingPage('ihostmalloc-free-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-11', 'desktop', 'desktop', 'emulated', {
    statement: 'IHostMemoryManager::CreateMalloc(DWORD dwMallocType, IHostMalloc**) gives one of the common results or E_OUTOFMEMORY.',
    source: hostingPage('ihostmemorymanager-createmalloc-method'),
    seeAlso: ['HO-3', 'HO-2']
  }),
  rule('HO-12', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::VirtualAlloc(void* pAddress, SIZE_T, DWORD type, DWORD protect, EMemoryCriticalLevel, void** ppMem) ' +
      'gives one of the common results or E_OUTOFMEMORY.',
    source: hostingPage('ihostmemorymanager-virtualalloc-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-13', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::VirtualFree(LPVOID, SIZE_T, DWORD) gives one of the common results, or HOST_E_INVALIDOPERATION for ' +
      'memory not allocated through the host; otherwise it follows Win32.',
    source: hostingPage('ihostmemorymanager-virtualfree-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-14', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::VirtualQuery(void*, void* buf, SIZE_T len, SIZE_T* pResult) gives one of the common results. It must not ' +
      'deadlock and must be able to finish while other threads are suspended.',
    source: hostingPage('ihostmemorymanager-virtualquery-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-15', 'desktop', 'desktop', 'emulated', {
    statement: 'IHostMemoryManager::VirtualProtect(void*, SIZE_T, DWORD new, DWORD* old) gives one of the common results.',
    source: hostingPage('ihostmemorymanager-virtualprotect-method'),
    seeAlso: ['HO-2']
  }),
  rule('HO-16', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::GetMemoryLoad(DWORD* pMemoryLoad, SIZE_T* pAvailableBytes) gives the percentage of memory in use and the ' +
      'bytes available. The CLR takes it as a hint for garbage collection.',
    value: '0 to 100',
    source: hostingPage('ihostmemorymanager-getmemoryload-method')
  }),
  rule('HO-17', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::RegisterMemoryNotificationCallback(ICLRMemoryNotificationCallback*) gives one of the common results and ' +
      'takes the place of CreateMemoryResourceNotification.',
    source: hostingPage('ihostmemorymanager-registermemorynotificationcallback-method'),
    seeAlso: ['HO-21', 'HO-2']
  }),
  rule('HO-18', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::NeedsVirtualAddressSpace(LPVOID start, SIZE_T size) is a call into the host, which may refuse with ' +
      'E_OUTOFMEMORY.',
    source: hostingPage('ihostmemorymanager-needsvirtualaddressspace-method')
  }),
  rule('HO-19', 'desktop', 'desktop', 'emulated', {
    statement:
      'IHostMemoryManager::AcquiredVirtualAddressSpace(LPVOID start, SIZE_T size) tells the host that the CLR took memory from the ' +
      'system.',
    source: hostingPage('ihostmemorymanager-acquiredvirtualaddressspace-method')
  }),
  rule('HO-20', 'desktop', 'desktop', 'emulated', {
    statement: 'IHostMemoryManager::ReleasedVirtualAddressSpace(LPVOID start) tells the host that the CLR released memory, without a size.',
    source: hostingPage('ihostmemorymanager-releasedvirtualaddressspace-method')
  }),
  rule('HO-21', 'desktop', 'desktop', 'emulated', {
    statement:
      'ICLRMemoryNotificationCallback::OnMemoryNotification(EMemoryAvailable) gives one of the common results, never blocks and ' +
      'returns at once. The CLR may free memory when told that it is low.',
    source: hostingPage('iclrmemorynotificationcallback-onmemorynotification-method'),
    seeAlso: ['HO-7', 'HO-2']
  }),
  rule('HO-22', 'silent', '', 'background', {
    statement:
      "The order of IHostMemoryManager's methods in its vtable was not found on the page, which lists them alphabetically; " +
      'MSCorEE.h has it.',
    source: noPage
  })
])
