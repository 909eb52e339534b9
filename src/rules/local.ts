import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce30, ce60, ceOld, coredllList, csdn, header, msdn, noPage } from './source.ts'

export const localAlloc: readonly Rule[] = section('LocalAlloc', [
  rule('LA-1', 'documented', '2013', 'emulated', {
    statement: 'LocalAlloc is HLOCAL LocalAlloc(UINT uFlags, UINT uBytes).',
    source: ce2013('ee487963')
  }),
  rule('LA-2', 'documented', '6.0 to 2013', 'emulated', {
    statement: 'LocalAlloc is the same as HeapAlloc on the process heap: there is one heap, with no separate local or global one.',
    source: ce2013('ee487963')
  }),
  rule('LA-3', 'documented', '3.0 to 2013', 'emulated', {
    statement: 'The complete CE flag table of LocalAlloc is LMEM_FIXED, LMEM_ZEROINIT and LPTR. Flags of 0 mean LMEM_FIXED.',
    value: 'LMEM_FIXED 0x0000, LMEM_ZEROINIT 0x0040, LPTR 0x0040',
    source: [ce2013('ee487963'), header('winbase.h'), 'https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localalloc']
  }),
  rule('LA-4', 'documented', '3.0 to 2013', 'emulated', {
    statement:
      'The desktop flags LMEM_MOVEABLE, LHND, LMEM_DISCARDABLE, LMEM_NOCOMPACT, LMEM_NODISCARD and NONZEROLHND are not in the CE ' +
      'table. Desktop Windows itself ignores NOCOMPACT, NODISCARD and DISCARDABLE.',
    value: 'on desktop: LMEM_MOVEABLE 0x2, LHND 0x42, LMEM_NOCOMPACT 0x10, LMEM_NODISCARD 0x20, LMEM_DISCARDABLE 0x0F00',
    source: [ce2013('ee487963'), 'https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-localalloc'],
    seeAlso: ['LA-5', 'W-10']
  }),
  rule('LA-5', 'silent', '', 'background', {
    statement:
      'No public page says what LocalAlloc with LMEM_MOVEABLE does on CE: whether it fails or gives a fixed block anyway. CE has no ' +
      'movable blocks at all.',
    source: noPage,
    seeAlso: ['LA-4', 'TH-12', 'C-14']
  }),
  rule('LA-6', 'documented', '2013', 'emulated', {
    statement: 'The handle that LocalAlloc returns is the pointer itself, since the memory is fixed.',
    source: ce2013('ee487963')
  }),
  rule('LA-7', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'LocalAlloc returns NULL on failure, and GetLastError tells more. Address 0 is never handed out.',
    value: 'NULL',
    source: ce2013('ee487963')
  }),
  rule('LA-8', 'documented', '6.0', 'emulated', {
    statement: 'LocalAlloc gives at least the bytes asked for, rounded up to the next 32-byte boundary, and the whole block is usable.',
    value: '32 bytes',
    source: ce60('ee487963'),
    seeAlso: ['HA-7']
  }),
  rule('LA-9', 'old', '1.0-1.01', 'background', {
    statement: 'In CE 1.0 and 1.01 the local heap held at most 1 MB a process.',
    value: '1 MB',
    source: ceOld('ms886739')
  }),
  rule('LA-10', 'old', '1.0-2.12', 'background', {
    statement: 'CE 1.0 to 2.12 had a bug: a size of 0 to 7 bytes less than 192 KB could give a block that LocalFree then refuses.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: ceOld('ms886739'),
    seeAlso: ['LF-5']
  }),
  rule('LA-11', 'secondary', '3.0-5.0 era', 'background', {
    statement: 'Older heaps rounded the requested size up to a multiple of 8 bytes.',
    value: '8 bytes',
    source: ["a translation of Boling's book", csdn('whw8007/article/details/8865740')],
    seeAlso: ['HA-7', 'HA-8']
  }),
  rule('LA-12', 'desktop', 'desktop', 'background', {
    statement: 'On desktop Windows 0 bytes with LMEM_MOVEABLE gives a discarded object. CE has no movable memory, so that cannot happen.',
    source: 'the desktop page of LocalAlloc',
    seeAlso: ['LA-4']
  })
])

export const localReAlloc: readonly Rule[] = section('LocalReAlloc', [
  rule('LR-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'LocalReAlloc is HLOCAL LocalReAlloc(HLOCAL hMem, UINT uBytes, UINT fuFlags).',
    source: ce60('ee488426'),
    seeAlso: ['LR-7']
  }),
  rule('LR-2', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'LMEM_MODIFY changes only the attributes of the object; the size is ignored.',
    value: '0x0080',
    source: ce60('ee488426'),
    seeAlso: ['C-33']
  }),
  rule('LR-3', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'Turning a fixed object movable with LMEM_MODIFY and LMEM_MOVEABLE is an error.',
    source: ce60('ee488426'),
    seeAlso: ['C-32']
  }),
  rule('LR-4', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'Without LMEM_MODIFY, LMEM_MOVEABLE permits the block to move when it cannot grow at its place. Without that flag a growth ' +
      'that needs a move fails.',
    value: '0x0002',
    source: ce60('ee488426'),
    seeAlso: ['C-31', 'W-12']
  }),
  rule('LR-5', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'LMEM_ZEROINIT zeroes only the bytes that LocalReAlloc adds.',
    value: '0x0040',
    source: ce60('ee488426')
  }),
  rule('LR-6', 'old', '3.0', 'emulated', {
    statement: 'LocalReAlloc returns NULL on failure and GetLastError tells more; the original object is not freed and stays valid.',
    value: 'NULL',
    source: ce30('wcesdkrlocalrealloc'),
    seeAlso: ['C-15']
  }),
  rule('LR-7', 'documented', 'all', 'background', {
    statement:
      'The parameters of LocalReAlloc stand in another order (handle, bytes, flags) than those of HeapReAlloc (heap, flags, ' +
      'pointer, bytes).',
    source: ce60('ee488426'),
    seeAlso: ['HR-1']
  }),
  rule('LR-8', 'silent', '', 'background', {
    statement: 'No public page says what LocalReAlloc to 0 bytes does on CE.',
    source: noPage,
    seeAlso: ['C-41']
  })
])

export const localFree: readonly Rule[] = section('LocalFree', [
  rule('LF-1', 'documented', '2013', 'emulated', {
    statement: 'LocalFree returns NULL for success. For failure it returns the same handle, and GetLastError tells more.',
    value: 'NULL for success, the handle for failure',
    source: ce2013('ee488030'),
    seeAlso: ['W-9']
  }),
  rule('LF-2', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'LocalFree of NULL is ignored and returns NULL, unlike HeapFree.',
    value: 'NULL',
    source: ce2013('ee488030'),
    seeAlso: ['HF-4', 'W-8']
  }),
  rule('LF-3', 'documented', '2013', 'emulated', {
    statement: 'LocalFree frees a locked object too. Debug systems print a message and break before doing so.',
    value: 'debug break on debug systems',
    source: ce2013('ee488030'),
    seeAlso: ['LM-1']
  }),
  rule('LF-4', 'documented', '2013', 'background', {
    statement: 'Using memory after its free can corrupt the heap or raise EXCEPTION_ACCESS_VIOLATION.',
    value: '0xC0000005, the standard number',
    source: ce2013('ee488030')
  }),
  rule('LF-5', 'documented', '<=2.12', 'background', {
    statement: 'ERROR_INVALID_PARAMETER is the one code named for LocalFree, for the bug of CE 1.0 to 2.12.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: ce60('ee488030'),
    seeAlso: ['LA-10', 'C-15']
  })
])

export const localSize: readonly Rule[] = section('LocalSize', [
  rule('LS-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement: 'LocalSize is UINT LocalSize(HLOCAL hMem).',
    source: ce60('ee488019')
  }),
  rule('LS-2', 'documented', 'WM6.5 (CE 6.0 R3)', 'emulated', {
    statement:
      'On retail builds LocalSize returns the size rounded up to 32 bytes; on debug builds, with heap sentinels, it returns exactly ' +
      'the requested size.',
    value: 'the next multiple of 32, or the requested size',
    source: msdn('aa908770'),
    seeAlso: ['HS-3', 'HS-4', 'C-17']
  }),
  rule('LS-3', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'LocalSize returns 0 for an invalid or discarded handle and sets the last error. HeapSize instead returns 0xFFFFFFFF and sets ' +
      'none.',
    value: '0',
    source: [msdn('aa908770'), ce60('ee488019')],
    seeAlso: ['HS-5', 'C-15', 'W-7']
  })
])

export const localMacros: readonly Rule[] = section('Local macros', [
  rule('LM-1', 'header', '3.0+', 'emulated', {
    statement:
      'On CE LocalLock(h) is a macro that gives h as a pointer, LocalUnlock(h) gives 0, LocalHandle(p) gives p as a handle and ' +
      'LocalFlags(h) gives 0. None of them is exported by coredll.dll.',
    source: [header('winbase.h'), coredllList],
    seeAlso: ['W-10']
  }),
  rule('LM-2', 'derived', '3.0+', 'emulated', {
    statement:
      'A desktop loop that unlocks while LocalUnlock returns nonzero ends at once on CE, and LocalFlags never reports ' +
      'LMEM_INVALID_HANDLE or LMEM_DISCARDED.',
    value: 'LMEM_INVALID_HANDLE 0x8000, LMEM_DISCARDED 0x4000',
    source: 'LM-1',
    seeAlso: ['LM-1', 'W-10']
  })
])
