import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, dungeon, heapReAllocPage, heapSizeWm65Page, msdn, noPage } from './source.ts'

export const heapAlloc: readonly Rule[] = section('HeapAlloc', [
  rule('HA-1', 'documented', '2013', 'emulated', {
    statement: 'HeapAlloc is LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, DWORD dwBytes).',
    source: ce2013('ee488197')
  }),
  rule('HA-2', 'documented', '3.0 to 2013', 'emulated', {
    statement: 'On a fixed heap, one created with a maximum size, each request must be smaller than 0x7FFF8 bytes.',
    value: '0x7FFF8 = 524,280, so at most 524,279',
    source: ce2013('ee488197'),
    seeAlso: ['C-2', 'W-16']
  }),
  rule('HA-3', 'documented', '2013', 'emulated', {
    statement: 'A pointer from HeapAlloc stays valid until HeapFree; the memory never moves.',
    source: ce2013('ee488197')
  }),
  rule('HA-4', 'documented', '6.0, 2013', 'emulated', {
    statement:
      'When HeapAlloc fails it returns NULL, and in CE 6.0 and 2013 the last error is ERROR_INVALID_PARAMETER or ' +
      'ERROR_NOT_ENOUGH_MEMORY.',
    value: 'ERROR_INVALID_PARAMETER (87) or ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ce2013('ee488197'), ce60('ee488197')],
    seeAlso: ['HA-5', 'W-6']
  }),
  rule('HA-5', 'documented', '3.0, 5.0, WM6.5', 'emulated', {
    statement:
      'The pages of CE 3.0, 5.0 and Windows Mobile 6.5 say the opposite of the later ones: a failing HeapAlloc does not set the ' +
      'last error.',
    value: 'last error untouched',
    source: [ceOld('ms885654'), msdn('ms908479'), 'https://msdn.microsoft.com/en-us/library/aa909208.aspx'],
    seeAlso: ['HA-4', 'C-37', 'W-6']
  }),
  rule('HA-6', 'documented', '2013', 'emulated', {
    statement: 'HeapAlloc may give more bytes than were asked for. The program may use all of the larger block, whose size HeapSize tells.',
    source: ce2013('ee488197')
  }),
  rule('HA-7', 'documented', '6.0, WM6.5', 'emulated', {
    statement: 'Sizes are rounded up to a 32-byte boundary, as the pages of HeapSize, LocalAlloc and LocalSize state.',
    value: '32 bytes',
    source: [ce60('ee488405'), ce60('ee487963'), ce60('ee488019')],
    seeAlso: ['HA-8', 'HS-3']
  }),
  rule('HA-8', 'old', '2.x-3.0', 'background', {
    statement: 'Earlier CE versions counted in units of 4 or 8 bytes, depending on the processor.',
    value: '4 or 8 bytes',
    source: dungeon('msdn-2000-04/wcecore/htm/prog_mem_2.content.htm'),
    seeAlso: ['HA-7']
  }),
  rule('HA-9', 'documented', '5.0, WM6.5', 'emulated', {
    statement:
      'Each heap has one critical section that guards every call. Taking it while nobody holds it costs little, so a single thread ' +
      'pays about the same as it would without the lock.',
    source: [heapSizeWm65Page, ceOld('ms885662')],
    seeAlso: ['FL-1', 'CS-9']
  }),
  rule('HA-10', 'silent', '', 'background', {
    statement:
      'No public page says what CE does when HeapAlloc is asked for 0 bytes. Desktop Windows returns a valid block of minimum size.',
    source: noPage,
    seeAlso: ['C-1']
  }),
  rule('HA-11', 'silent', '', 'background', {
    statement:
      "No public page gives the size of a block's header or the alignment of pointers on CE. Desktop Windows aligns to 8 bytes on " +
      '32-bit systems.',
    value: 'MEMORY_ALLOCATION_ALIGNMENT, 8 on 32-bit desktop Windows',
    source: noPage,
    seeAlso: ['C-22']
  }),
  rule('HA-12', 'silent', '', 'background', {
    statement:
      'No public page says what HeapAlloc does with a heap handle that is NULL or not a heap. HeapFree answers NULL with ' +
      'ERROR_INVALID_PARAMETER and HeapAlloc lists that code too, so it is the consistent reading.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: [noPage, 'HF-3', 'HA-4'],
    seeAlso: ['C-4', 'HF-3', 'HA-4']
  })
])

export const heapReAlloc: readonly Rule[] = section('HeapReAlloc', [
  rule('HR-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'HeapReAlloc is LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, DWORD dwBytes).',
    source: heapReAllocPage,
    seeAlso: ['LR-7']
  }),
  rule('HR-2', 'documented', '5.0, 6.0', 'emulated', {
    statement:
      'HeapReAlloc ignores HEAP_NO_SERIALIZE and honours HEAP_REALLOC_IN_PLACE_ONLY when growing. HEAP_ZERO_MEMORY zeroes only the ' +
      'bytes beyond the original size and leaves the existing contents alone.',
    value: '0x1, 0x10, 0x8',
    source: heapReAllocPage,
    seeAlso: ['FL-1', 'FL-3', 'FL-4', 'HR-10']
  }),
  rule('HR-3', 'documented', '5.0, 6.0', 'emulated', {
    statement: "HeapReAlloc wants a valid pointer from HeapAlloc or HeapReAlloc. NULL is not offered as an option, unlike in C's realloc.",
    source: heapReAllocPage,
    seeAlso: ['C-6', 'W-13']
  }),
  rule('HR-4', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'The new size given to HeapReAlloc may be larger or smaller than the old one.',
    source: heapReAllocPage
  }),
  rule('HR-5', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'Growing may move the block, unless HEAP_REALLOC_IN_PLACE_ONLY is given.',
    source: heapReAllocPage,
    seeAlso: ['FL-4']
  }),
  rule('HR-6', 'old', '3.0/4.x', 'emulated', {
    statement: 'When HeapReAlloc fails it returns NULL and does set the last error, unlike HeapAlloc of the same releases.',
    value: 'NULL',
    source: [ce30('wcesdkrheaprealloc'), msdn('ms908485')],
    seeAlso: ['HA-5', 'C-8']
  }),
  rule('HR-7', 'old', '3.0', 'emulated', {
    statement: 'When HeapReAlloc fails, the original block is not freed and stays valid.',
    source: [ce30('wcesdkrheaprealloc'), msdn('ms908485')],
    seeAlso: ['C-8']
  }),
  rule('HR-8', 'old', '3.0', 'emulated', {
    statement: 'A successful HeapReAlloc gives at least the bytes asked for. The whole block is usable; HeapSize tells how large it is.',
    source: [ce30('wcesdkrheaprealloc'), msdn('ms908485')],
    seeAlso: ['HA-6']
  }),
  rule('HR-9', 'silent', '', 'background', {
    statement:
      'No public page says what HeapReAlloc to 0 bytes does on CE, which error codes it sets in 6.0 and 2013, or whether the limit ' +
      'of 0x7FFF8 bytes holds for it as it does for HeapReAlloc on desktop Windows.',
    source: noPage,
    seeAlso: ['C-3', 'C-6', 'C-7', 'C-8', 'C-9', 'HA-2']
  }),
  rule('HR-10', 'derived', '6.0', 'emulated', {
    statement:
      "On retail builds the heap knows a block's size only rounded to 32 bytes, so a HeapReAlloc that zeroes the added part zeroes " +
      'past that rounded size: bytes between the size once asked for and the rounded size may keep old contents.',
    source: ['HR-2', 'HS-3'],
    seeAlso: ['HR-2', 'HS-3', 'C-18']
  })
])

export const heapFree: readonly Rule[] = section('HeapFree', [
  rule('HF-1', 'documented', '2013', 'emulated', {
    statement: 'HeapFree is BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem).',
    source: ce2013('ee488228')
  }),
  rule('HF-2', 'documented', '2013', 'emulated', {
    statement: 'HeapFree defines only HEAP_NO_SERIALIZE, which is ignored; all other flag values are reserved.',
    value: '0x00000001',
    source: ce2013('ee488228'),
    seeAlso: ['FL-1', 'C-13']
  }),
  rule('HF-3', 'documented', '6.0, WM6.5, 2013', 'emulated', {
    statement: 'HeapFree with a NULL heap handle fails with the standard error for an invalid parameter.',
    value: '0, ERROR_INVALID_PARAMETER (87)',
    source: ce2013('ee488228'),
    seeAlso: ['C-4']
  }),
  rule('HF-4', 'documented', '2013', 'emulated', {
    statement: 'HeapFree wants a valid pointer from HeapAlloc or HeapReAlloc. CE does not say that NULL is allowed; desktop Windows does.',
    source: [ce2013('ee488228'), 'https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapfree'],
    seeAlso: ['C-5', 'W-8']
  }),
  rule('HF-5', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'HeapFree returns nonzero for success and zero for failure; GetLastError then tells more.',
    value: '0',
    source: ce2013('ee488228')
  }),
  rule('HF-6', 'silent', '', 'background', {
    statement:
      "No public page says what CE does on a double free or on a pointer that is not the heap's: an error code or a debug break. On " +
      'desktop Windows a double free may corrupt the heap.',
    source: noPage,
    seeAlso: ['C-5']
  })
])
