import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce2013, ce60, ceOld, header, ourChoice } from './source.ts'

export const toolHelp: readonly Rule[] = section('Tool help', [
  rule('TH-1', 'documented', '2.0 to 2013', 'emulated', {
    statement:
      'CreateToolhelp32Snapshot is HANDLE CreateToolhelp32Snapshot(DWORD dwFlags, DWORD th32ProcessID). Failure is ' +
      'INVALID_HANDLE_VALUE, and GetLastError tells more.',
    value: 'INVALID_HANDLE_VALUE (0xFFFFFFFF)',
    source: ce2013('ee487995')
  }),
  rule('TH-2', 'documented', '2013', 'emulated', {
    statement:
      'The snapshot flags are SNAPHEAPLIST, SNAPPROCESS, SNAPTHREAD, SNAPMODULE, SNAPALL for these four, GETALLMODS to go with ' +
      'SNAPMODULE, and SNAPNOHEAPS, which makes SNAPPROCESS cheaper.',
    value:
      'TH32CS_SNAPHEAPLIST 0x1, TH32CS_SNAPPROCESS 0x2, TH32CS_SNAPTHREAD 0x4, TH32CS_SNAPMODULE 0x8, TH32CS_SNAPALL 0xF, ' +
      'TH32CS_GETALLMODS 0x80000000, TH32CS_SNAPNOHEAPS 0x40000000',
    source: [ce2013('ee487995'), header('tlhelp32.h'), 'public P/Invoke code']
  }),
  rule('TH-3', 'documented', '6.0, 2013', 'emulated', {
    statement: 'By default a process snapshot on CE carries the heap data of the processes; TH32CS_SNAPNOHEAPS turns that off.',
    value: '0x40000000',
    source: ce2013('ee487995'),
    seeAlso: ['TH-2', 'W-21']
  }),
  rule('TH-4', 'documented', '2.0 to 2013', 'emulated', {
    statement: 'A process id of 0 means the current process. The id is used only with SNAPHEAPLIST or SNAPMODULE.',
    value: '0',
    source: ce2013('ee487995')
  }),
  rule('TH-5', 'documented', '2.0 to 2013', 'emulated', {
    statement: 'A snapshot is closed with CloseToolhelp32Snapshot; CloseHandle leaks it. On desktop Windows it is the other way round.',
    source: ce2013('ee487995'),
    seeAlso: ['W-21']
  }),
  rule('TH-6', 'derived', '', 'emulated', {
    statement:
      "TH32CS_GETALLMODS has the same bit as the desktop's TH32CS_INHERIT, so desktop code that passes INHERIT asks for all modules " +
      'on CE.',
    value: '0x80000000',
    source: header('tlhelp32.h'),
    seeAlso: ['W-21']
  }),
  rule('TH-7', 'documented', '2.0 to 6.0', 'emulated', {
    statement:
      'Heap32ListFirst and Heap32ListNext are BOOL (HANDLE hSnapshot, LPHEAPLIST32 lphl). At the end, or without heap data, they ' +
      'return FALSE with ERROR_NO_MORE_FILES.',
    value: 'ERROR_NO_MORE_FILES (18)',
    source: [ceOld('ms885651'), ce60('ee488180')]
  }),
  rule('TH-8', 'documented', '2.0 to 6.0', 'emulated', {
    statement:
      'Heap32First is BOOL Heap32First(HANDLE hSnapshot, LPHEAPENTRY32, DWORD th32ProcessID, DWORD th32HeapID). The leading ' +
      'snapshot handle is there on CE only; the desktop function has three parameters.',
    value: '4 parameters',
    source: ce60('ee487960'),
    seeAlso: ['W-21']
  }),
  rule('TH-9', 'documented', '2.0 to 6.0', 'emulated', {
    statement:
      'Heap32First returns FALSE with ERROR_NO_MORE_FILES when the heap is invalid or empty. Where the page says that FALSE ' +
      'indicates success, that is a slip.',
    value: 'ERROR_NO_MORE_FILES (18)',
    source: ce60('ee487960')
  }),
  rule('TH-10', 'derived', '', 'emulated', {
    statement:
      'Since Heap32First does, Heap32Next on CE takes the snapshot handle as well, as (HANDLE, LPHEAPENTRY32). Its page was not ' +
      "found, and CeGCC's header shows only the desktop form.",
    source: 'TH-8',
    seeAlso: ['TH-8']
  }),
  rule('TH-11', 'documented', '1.0 to 2013', 'emulated', {
    statement:
      'The caller sets dwSize first, or Heap32First fails. The functions may write back a smaller dwSize, and the members beyond it ' +
      'are then not valid.',
    source: [ce2013('ee488609'), ceOld('ms885651')]
  }),
  rule('TH-12', 'documented', '1.0 to 2013', 'emulated', {
    statement:
      'HEAPENTRY32 has the fields dwSize, hHandle, dwAddress, dwBlockSize, dwFlags, dwLockCount, dwResvd, th32ProcessID and ' +
      'th32HeapID. CE has no movable blocks.',
    value: '9 DWORDs, 36 bytes',
    source: ce2013('ee488609')
  }),
  rule('TH-13', 'documented', '1.0 to 2013', 'emulated', {
    statement:
      'The block flags on CE are LF32_FIXED, LF32_FREE, LF32_BIGBLOCK for a large block in virtual memory of its own and ' +
      'LF32_DECOMMIT for a decommitted one. LF32_MOVEABLE does not exist there.',
    value: 'LF32_FIXED 0x1, LF32_FREE 0x2; LF32_MOVEABLE 0x4 on desktop',
    source: [ce2013('ee488609'), header('tlhelp32.h')],
    seeAlso: ['TH-14', 'HI-13']
  }),
  rule('TH-14', 'header', '', 'emulated', {
    statement: 'Several independent public headers give the numbers of LF32_DECOMMIT, LF32_BIGBLOCK and HF32_SHARED.',
    value: 'LF32_DECOMMIT 0x8, LF32_BIGBLOCK 0x10, HF32_SHARED 2',
    source: 'several public tlhelp32.h headers',
    seeAlso: ['TH-13']
  }),
  rule('TH-15', 'documented', '1.0 to 5.0', 'emulated', {
    statement:
      'HEAPLIST32 on CE has the fields dwSize, th32ProcessID, th32HeapID and dwFlags, all DWORDs. HF32_DEFAULT is the only flag ' +
      'defined.',
    value: '16 bytes; HF32_DEFAULT 0x1',
    source: ceOld('ms885660')
  }),
  rule('TH-16', 'documented', '1.0 to 2013', 'emulated', {
    statement: 'The field th32HeapID has a meaning only to tool help: it is not a heap handle.',
    source: ceOld('ms885660')
  }),
  rule('TH-17', 'documented', '2.0+', 'background', {
    statement: 'Tool help needs the header tlhelp32.h and the import library toolhelp.lib (toolhelp.dll); it is not in coredll.dll.',
    source: ce60('ee488180'),
    seeAlso: ['W-21']
  })
])

/** What the pages on tool help leave open. */
export const toolHelpChoices: readonly Rule[] = section('Our choices', [
  rule('C-73', 'choice', '', 'emulated', {
    statement:
      'The emulated process is the only one there is. CreateToolhelp32Snapshot for heaps takes its id or 0; another id, or flags that ask for ' +
      'nothing, give INVALID_HANDLE_VALUE. Processes, threads and modules are not listed.',
    value: 'process id 0x00400002; ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on TH-1 and TH-4'],
    seeAlso: ['TH-1', 'TH-2', 'TH-4', 'C-13'],
    advice: 'Pass 0 for the own process. On a device the walk of another process needs its id.'
  }),
  rule('C-74', 'choice', '', 'emulated', {
    statement:
      'A handle that is no open snapshot fails; a snapshot is open in the JavaScript thread that took it, so that a worker does not see ' +
      "another worker's. A heap is walked as it was when the snapshot was taken, even once it is destroyed; what a fixed heap spends on its own " +
      'structures is no block of it. Of a million open snapshots (2^20) none is another one; beyond them CreateToolhelp32Snapshot fails.',
    value: 'ERROR_INVALID_HANDLE (6); ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ourChoice, 'leans on TH-5'],
    seeAlso: ['TH-5', 'TH-9', 'C-45'],
    advice: 'Take, walk and close a snapshot in one thread.'
  })
])
