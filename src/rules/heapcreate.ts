import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceHeapCreatePage, ceOld, csdn, desktop, noPage } from './source.ts'

export const heapCreate: readonly Rule[] = section('HeapCreate', [
  rule('HC-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'HeapCreate is HANDLE HeapCreate(DWORD flOptions, DWORD dwInitialSize, DWORD dwMaximumSize): the sizes are 32-bit DWORDs, not ' +
      'SIZE_T.',
    source: ce60('ee488381'),
    seeAlso: ['W-15']
  }),
  rule('HC-2', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'The initial size is the physical memory that the heap commits at its creation, rounded up to whole pages.',
    value: 'a page is 4096 bytes',
    source: [ce60('ee488381'), ce60('ee482770')],
    seeAlso: ['VA-6']
  }),
  rule('HC-3', 'documented', '5.0, 6.0, WM6.5', 'emulated', {
    statement:
      'A maximum size other than zero makes a fixed heap: the size is rounded up to whole pages, that much address space is ' +
      'reserved, and all allocations must fit in it.',
    source: ceOld('ms885656'),
    seeAlso: ['HC-4']
  }),
  rule('HC-4', 'documented', '5.0, 6.0', 'emulated', {
    statement: 'A maximum size of zero makes a growable heap, bounded only by the memory that is available.',
    source: ceOld('ms885656'),
    seeAlso: ['HC-3']
  }),
  rule('HC-5', 'old', '3.0', 'background', {
    statement: 'Up to CE 3.0 the maximum size was not supported: it was ignored, and programs had to pass 0.',
    source: ce30('wcesdkrheapcreate'),
    seeAlso: ['HC-3']
  }),
  rule('HC-6', 'documented', '5.0 to 2013', 'emulated', {
    statement:
      'A request above 0x18000 bytes does not fail for that reason alone: the system takes it from VirtualAlloc. Programs that need ' +
      'such large blocks should create the heap with a maximum size of 0.',
    value: '0x18000 = 98,304 bytes (96 KB)',
    source: ceHeapCreatePage,
    seeAlso: ['HI-10', 'C-23']
  }),
  rule('HC-7', 'secondary', '5.0', 'background', {
    statement:
      'A Chinese translation of the CE 5.0 page says that requests above 0x18000 bytes always fail. That is a mistranslation: the ' +
      'same paragraph in English says that they do not fail automatically.',
    source: csdn('windroid/article/details/42302519'),
    seeAlso: ['HC-6']
  }),
  rule('HC-8', 'documented', '1.0 to 6.0', 'emulated', {
    statement: "HeapCreate returns the heap's handle. NULL means failure, and GetLastError tells more.",
    value: 'NULL',
    source: ce60('ee488381')
  }),
  rule('HC-9', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'The only error code that the HeapCreate page names is ERROR_ACCESS_DENIED, for HEAP_SHARED_READONLY. It lists none for ' +
      'running out of memory.',
    value: 'ERROR_ACCESS_DENIED (5)',
    source: ce60('ee488381'),
    seeAlso: ['HC-8', 'C-11']
  }),
  rule('HC-10', 'secondary', '5.0', 'emulated', {
    statement: "Part of a fixed heap holds the heap's own structures, so asking a heap of at most 64 KB for 64 KB normally fails.",
    value: 'overhead above 0',
    source: csdn('windroid/article/details/42302519'),
    seeAlso: ['C-45', 'W-16']
  }),
  rule('HC-11', 'secondary', '5.0', 'emulated', {
    statement: 'Only the process that created a heap can use it. A heap that a DLL creates belongs to the process that called the DLL.',
    source: csdn('windroid/article/details/42302519')
  }),
  rule('HC-12', 'documented', '5.0, 6.0', 'background', {
    statement:
      'The CE 5.0 and 6.0 pages open by saying that HeapCreate reserves from the shared memory area. That is true of ' +
      'HEAP_SHARED_READONLY heaps; an ordinary heap lies in its process.',
    source: ceOld('ms885656'),
    seeAlso: ['FL-8']
  }),
  rule('HC-13', 'silent', '', 'background', {
    statement:
      'No public page says what CE does when the initial size is larger than a nonzero maximum. Desktop Windows wants the initial ' +
      'size below the maximum.',
    source: [noPage, desktop('heapapi/nf-heapapi-heapcreate')],
    seeAlso: ['C-10']
  }),
  rule('HC-14', 'desktop', '', 'background', {
    statement: 'On desktop Windows an initial size of 0 commits one page; the CE pages do not say.',
    source: desktop('heapapi/nf-heapapi-heapcreate'),
    seeAlso: ['C-27']
  }),
  rule('HC-15', 'documented', '2013', 'background', {
    statement: 'The Compact 2013 page of HeapCreate states the same flags and size rules as the page of CE 6.0.',
    source: ce2013('ee488381'),
    seeAlso: ['HC-2', 'HC-3', 'HC-4']
  })
])

export const ceHeapCreate: readonly Rule[] = section('CeHeapCreate', [
  rule('CH-1', 'documented', '2013', 'emulated', {
    statement:
      'CeHeapCreate is HANDLE CeHeapCreate(DWORD flOptions, DWORD dwInitialSize, DWORD dwMaximumSize, PFN_AllocHeapMem pfnAlloc, ' +
      'PFN_FreeHeapMem pfnFree).',
    source: ceHeapCreatePage,
    seeAlso: ['EX-4']
  }),
  rule('CH-2', 'documented', '5.0 to 2013', 'emulated', {
    statement: 'The flOptions parameter of CeHeapCreate is reserved and must be zero.',
    value: '0',
    source: ceHeapCreatePage,
    seeAlso: ['C-34']
  }),
  rule('CH-3', 'documented', '5.0 to 2013', 'emulated', {
    statement: 'CeHeapCreate follows the same size rules as HeapCreate.',
    source: ceHeapCreatePage,
    seeAlso: ['HC-2', 'HC-3', 'HC-4', 'HC-5', 'HC-6']
  }),
  rule('CH-4', 'documented', 'WM6.5, 2013', 'emulated', {
    statement:
      "The two callbacks of CeHeapCreate are the caller's own allocator and deallocator of pages; the documented use is a heap on " +
      'special physical memory.',
    source: 'https://msdn.microsoft.com/en-us/library/aa908814.aspx',
    seeAlso: ['C-35', 'C-43', 'C-44']
  }),
  rule('CH-5', 'documented', '5.0 to 2013', 'emulated', {
    statement: "CeHeapCreate returns NULL on failure. Unlike HeapCreate's page, its page does not promise a code in GetLastError.",
    value: 'NULL',
    source: ceHeapCreatePage,
    seeAlso: ['HC-8']
  })
])

export const heapDestroy: readonly Rule[] = section('HeapDestroy', [
  rule('HD-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'HeapDestroy is BOOL HeapDestroy(HANDLE hHeap).',
    source: ce60('ee488651')
  }),
  rule('HD-2', 'documented', '1.0 to 6.0', 'emulated', {
    statement: "The handle given to HeapDestroy must come from HeapCreate; the process heap's handle must not be passed.",
    source: ce60('ee488651'),
    seeAlso: ['GP-2', 'C-12']
  }),
  rule('HD-3', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'HeapDestroy returns nonzero for success and zero for failure; GetLastError then tells more, though the page lists no code.',
    value: '0',
    source: ce60('ee488651')
  }),
  rule('HD-4', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'The blocks of a heap need not be freed before the heap is destroyed.',
    source: ce60('ee488651')
  }),
  rule('HD-5', 'silent', '', 'background', {
    statement: 'No public page gives the exact error of HeapDestroy for the process heap or for an invalid handle.',
    source: noPage,
    seeAlso: ['C-4', 'C-12']
  })
])
