import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce60, ceOld, heapSizeWm65Page, msdn, noPage, sdkApi } from './source.ts'

export const heapSize: readonly Rule[] = section('HeapSize', [
  rule('HS-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'HeapSize is DWORD HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem).',
    source: ce60('ee488405')
  }),
  rule('HS-2', 'documented', '6.0', 'emulated', {
    statement: 'HeapSize ignores its flags.',
    source: ce60('ee488405')
  }),
  rule('HS-3', 'documented', 'WM6.5, 6.0', 'emulated', {
    statement: 'On retail builds HeapSize returns the size rounded up to a multiple of 32 bytes, often more than was asked for.',
    value: 'the next multiple of 32',
    source: [heapSizeWm65Page, ce60('ee488405')],
    seeAlso: ['HS-4', 'HA-7', 'C-17', 'W-5']
  }),
  rule('HS-4', 'documented', 'WM6.5 (CE 6.0 R3)', 'emulated', {
    statement: 'On debug builds, where heap sentinels are on, HeapSize returns exactly the size that was asked for.',
    value: 'the requested size',
    source: heapSizeWm65Page,
    seeAlso: ['HS-3', 'HI-15', 'C-17', 'W-5']
  }),
  rule('HS-5', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'HeapSize returns 0xFFFFFFFF on failure and does not set the last error.',
    value: '0xFFFFFFFF (4294967295)',
    source: ce60('ee488405'),
    seeAlso: ['C-38', 'LS-3', 'W-7']
  }),
  rule('HS-6', 'desktop', 'desktop', 'background', {
    statement: 'Desktop HeapSize returns the requested size, or (SIZE_T)-1 on failure; a pointer that is not of that heap is undefined.',
    source: sdkApi('heapapi/nf-heapapi-heapsize'),
    seeAlso: ['HS-3']
  }),
  rule('HS-7', 'silent', '', 'background', {
    statement: 'That HeapSize answers 0xFFFFFFFF for a foreign pointer is implied, not stated; no Compact 2013 page of HeapSize was found.',
    source: noPage,
    seeAlso: ['HS-5', 'C-38']
  })
])

export const heapValidate: readonly Rule[] = section('HeapValidate', [
  rule('HV-1', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'HeapValidate is BOOL HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem).',
    source: ce60('ee488778')
  }),
  rule('HV-2', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'HeapValidate with a NULL pointer checks every block and every control structure of the heap; with a pointer it checks that ' +
      'one element.',
    source: ce60('ee488778')
  }),
  rule('HV-3', 'documented', '6.0', 'emulated', {
    statement: 'HeapValidate can check a single block only while it is allocated.',
    source: ce60('ee488778'),
    seeAlso: ['C-36']
  }),
  rule('HV-4', 'documented', '5.0, 6.0', 'emulated', {
    statement: "HeapValidate returns nonzero for valid and zero for invalid, and never sets the thread's last error.",
    value: '1 or 0',
    source: ce60('ee488778')
  }),
  rule('HV-5', 'documented', '5.0, 6.0', 'background', {
    statement: 'On a debug system HeapValidate of an invalid heap also prints debug messages and stops at a hard-coded breakpoint.',
    value: 'debug break',
    source: ce60('ee488778')
  })
])

export const heapCompact: readonly Rule[] = section('HeapCompact', [
  rule('HP-1', 'documented', '5.0+', 'emulated', {
    statement: 'HeapCompact is UINT HeapCompact(HANDLE hHeap, DWORD dwFlags): the result is a 32-bit UINT, not SIZE_T.',
    source: ce60('ee488005')
  }),
  rule('HP-2', 'documented', '5.0+', 'emulated', {
    statement: 'HeapCompact merges neighbouring free blocks and decommits large ones, so that their physical memory is free again.',
    source: ce60('ee488005'),
    seeAlso: ['C-42']
  }),
  rule('HP-3', 'documented', '5.0+', 'emulated', {
    statement: 'HeapCompact returns the size in bytes of the largest free block that is committed.',
    source: ce60('ee488005'),
    seeAlso: ['C-42']
  }),
  rule('HP-4', 'documented', '5.0+', 'emulated', {
    statement:
      'HeapCompact returns zero on failure, and GetLastError tells more. A heap without any free space also gives zero, with ' +
      'NO_ERROR as the last error.',
    value: '0; NO_ERROR (0) when there is no free space',
    source: ce60('ee488005'),
    seeAlso: ['HP-6', 'W-22']
  }),
  rule('HP-5', 'documented', '5.0+', 'background', {
    statement:
      'A later allocation of the size that HeapCompact reported may still fail, because of other threads or of a commit threshold.',
    source: ce60('ee488005'),
    seeAlso: ['HI-17']
  }),
  rule('HP-6', 'derived', '5.0+', 'emulated', {
    statement:
      'HeapCompact must set the last error to NO_ERROR itself when there is no free space, or a caller could not tell that case ' +
      'from a failure.',
    value: 'last error 0',
    source: 'HP-4',
    seeAlso: ['HP-4']
  })
])

export const getProcessHeap: readonly Rule[] = section('GetProcessHeap', [
  rule('GP-1', 'documented', '1.0+', 'emulated', {
    statement: 'GetProcessHeap is HANDLE GetProcessHeap(VOID). NULL means failure, and GetLastError tells more.',
    source: [msdn('aa908790'), ceOld('ms885635')]
  }),
  rule('GP-2', 'documented', '1.0+', 'emulated', {
    statement: 'The handle from GetProcessHeap works with HeapAlloc, HeapReAlloc, HeapFree and HeapSize but is not for HeapDestroy.',
    source: [msdn('aa908790'), ceOld('ms885635')],
    seeAlso: ['HD-2']
  }),
  rule('GP-3', 'documented', '5.0, WM6.5', 'background', {
    statement: 'On component builds the import library of GetProcessHeap is lmem.lib; the other heap calls are in coredll.lib.',
    source: [msdn('aa908790'), ceOld('ms885635')]
  })
])
