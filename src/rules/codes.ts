import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce60, ceHeapCreatePage, ceOld, coredllList, noPage } from './source.ts'

export const numbers: readonly Rule[] = section('Error numbers', [
  rule('N-1', 'documented', 'all', 'background', {
    statement: 'The Win32 error numbers that the heap, Local and tool-help functions leave in the last error.',
    value:
      'ERROR_SUCCESS (NO_ERROR) 0, ERROR_ACCESS_DENIED 5, ERROR_INVALID_HANDLE 6, ERROR_NOT_ENOUGH_MEMORY 8, ERROR_NO_MORE_FILES ' +
      '18, ERROR_INVALID_PARAMETER 87',
    source: 'the public winerror.h values'
  }),
  rule('N-2', 'documented', 'all', 'background', {
    statement: 'The HRESULTs that the COM allocator and its spy return.',
    value: 'E_ACCESSDENIED 0x80070005, E_OUTOFMEMORY 0x8007000E, CO_E_OBJNOTREG 0x800401FB, CO_E_OBJISREG 0x800401FC',
    source: 'the public winerror.h values'
  }),
  rule('N-3', 'documented', 'all', 'background', {
    statement: 'The common HRESULTs, with their standard numbers.',
    value: 'E_INVALIDARG 0x80070057, E_FAIL 0x80004005, CO_E_NOTINITIALIZED 0x800401F0, S_OK 0',
    source: 'https://learn.microsoft.com/windows/win32/com/com-error-codes-1'
  })
])

export const functions: readonly Rule[] = section('Which functions exist', [
  rule('EX-1', 'documented', '1.0 to 6.0; of the 2013 pages only HeapAlloc and HeapFree could be read', 'background', {
    statement: 'CE has had HeapCreate, HeapDestroy, HeapAlloc, HeapReAlloc, HeapFree, HeapSize and GetProcessHeap since its first version.',
    value: 'since CE 1.0',
    source: [ce60('ee488381'), ce60('ee488651'), ce60('ee488197'), ce60('ee488385'), ce60('ee488228'), ce60('ee488405')]
  }),
  rule('EX-2', 'documented', '5.0, 6.0, WM6.5', 'background', {
    statement: 'HeapCompact is documented for CE 5.0 and later.',
    value: 'since CE 5.0',
    source: ce60('ee488005'),
    seeAlso: ['EX-7']
  }),
  rule('EX-3', 'documented', '5.0, 6.0, WM6.5', 'background', {
    statement: 'HeapValidate is documented for CE.',
    source: [ceOld('ms885663'), ce60('ee488778')],
    seeAlso: ['EX-5']
  }),
  rule('EX-4', 'documented', '5.0 to 2013', 'background', {
    statement: 'CeHeapCreate exists on CE alone; desktop Windows has no function like it.',
    source: ceHeapCreatePage
  }),
  rule('EX-5', 'header', '3.0-5.0 era', 'background', {
    statement:
      'An open list of what coredll.dll exports names HeapAlloc, HeapAllocTrace, HeapCreate, HeapDestroy, HeapFree, HeapReAlloc, ' +
      'HeapSize, HeapValidate, GetProcessHeap, CompactAllHeaps, GetHeapSnapshot, the RemoteHeap* and RemoteLocal* calls (Alloc, ' +
      'Free, ReAlloc, Size), and LocalAllocInProcess, LocalFreeInProcess and LocalSizeInProcess.',
    source: coredllList,
    seeAlso: ['EX-3']
  }),
  rule('EX-6', 'header', '3.0-5.0 era', 'background', {
    statement:
      'The open list of what coredll.dll exports has no HeapLock, HeapUnlock, HeapWalk, GetProcessHeaps, HeapSetInformation, ' +
      'HeapQueryInformation or HeapSummary: a program that calls one of them does not link on CE.',
    value: 'unresolved external at link time',
    source: coredllList,
    seeAlso: ['EX-8', 'W-4']
  }),
  rule('EX-7', 'header', '', 'background', {
    statement:
      'The open list of what coredll.dll exports has no HeapCompact although Microsoft documents it from CE 5.0 on, so whether a ' +
      'device has it depends on the version.',
    source: [coredllList, 'EX-2'],
    seeAlso: ['EX-2']
  }),
  rule('EX-8', 'silent', '', 'background', {
    statement:
      'No CE page was found, in any version, for HeapLock, HeapUnlock, HeapWalk, GetProcessHeaps, HeapSetInformation or ' +
      'HeapQueryInformation. Together with the export list, the safe verdict is that CE lacks them.',
    source: [noPage, 'EX-6'],
    seeAlso: ['EX-6', 'W-4']
  }),
  rule('EX-9', 'documented', '2013', 'background', {
    statement: 'What comes nearest to HeapWalk and GetProcessHeaps on CE is a tool-help snapshot of the heaps.',
    value: 'TH32CS_SNAPHEAPLIST',
    source: ce2013('ee487995'),
    seeAlso: ['TH-1', 'TH-2']
  }),
  rule('EX-10', 'header', '3.0-5.0 era', 'background', {
    statement:
      'On CE the C functions malloc, calloc, realloc, free and _msize are exported by coredll.dll itself; there is no separate C ' +
      'runtime DLL.',
    source: coredllList,
    seeAlso: ['C-26']
  })
])
