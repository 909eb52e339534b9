import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce60, coredllList, dungeon, header, msdn } from './source.ts'

export const globalAlloc: readonly Rule[] = section('GlobalAlloc family', [
  rule('GA-1', 'header', '3.0+', 'emulated', {
    statement:
      'GlobalAlloc, GlobalFree, GlobalReAlloc, GlobalHandle, GlobalLock, GlobalUnlock, GlobalSize and GlobalFlags are not exported ' +
      'by coredll.dll; the headers map them to the Local functions.',
    source: [header('winbase.h'), coredllList],
    seeAlso: ['W-11']
  }),
  rule('GA-2', 'secondary', '2.11', 'background', {
    statement: 'A porting note on CE 2.11 says that the GlobalAlloc family is missing and that programs should call the Local functions.',
    value: 'link error',
    source: 'http://www.rainer-keuchel.de/wince/wince-api-diffs.txt',
    seeAlso: ['GA-1']
  }),
  rule('GA-3', 'derived', '', 'emulated', {
    statement:
      'A GlobalAlloc with GHND that is ported unchanged becomes LocalAlloc with flags 0x42: it carries LMEM_MOVEABLE, which CE does ' +
      'not list.',
    source: ['GA-1', 'LA-4'],
    seeAlso: ['GA-1', 'LA-4', 'LA-5', 'C-14', 'W-10']
  }),
  rule('GA-4', 'derived', 'all', 'background', {
    statement:
      'The Heap, Local and Global functions live in coredll.dll, so P/Invoke declarations and LoadLibrary calls must name ' +
      'coredll.dll and not kernel32.dll.',
    value: 'coredll.dll',
    source: [ce60('ee487963'), 'its requirements name coredll.lib'],
    seeAlso: ['W-26']
  })
])

export const globalMemoryStatus: readonly Rule[] = section('GlobalMemoryStatus', [
  rule('GM-1', 'documented', '1.0+', 'emulated', {
    statement: 'GlobalMemoryStatus is void GlobalMemoryStatus(LPMEMORYSTATUS): it returns nothing and reports no error.',
    source: msdn('ms908470')
  }),
  rule('GM-2', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'MEMORYSTATUS has the fields dwLength, dwMemoryLoad (0 to 100), dwTotalPhys, dwAvailPhys, dwTotalPageFile, dwAvailPageFile, ' +
      'dwTotalVirtual and dwAvailVirtual, all of them DWORDs.',
    value: '8 DWORDs, 32 bytes',
    source: ce60('ee488368')
  }),
  rule('GM-3', 'documented', '3.0+ / 2.x', 'emulated', {
    statement: 'The caller sets dwLength to the size of MEMORYSTATUS before the call; the text of CE 2.x said that the function sets it.',
    value: '32',
    source: [ce60('ee488368'), dungeon('msdn-2000-04/wcesdkr/htm/ks_mn_3.content.htm')],
    seeAlso: ['GM-2']
  }),
  rule('GM-4', 'documented', '1.0 to 6.0', 'emulated', {
    statement: "The fields dwTotalVirtual and dwAvailVirtual describe the calling process's user-mode address space.",
    value: 'about 32 MB up to 5.0, up to 2 GB from 6.0 on',
    source: ce60('ee488368'),
    seeAlso: ['VL-1', 'VL-2']
  }),
  rule('GM-5', 'documented', '3.0', 'emulated', {
    statement: 'The values of GlobalMemoryStatus are volatile: two calls need not agree.',
    source: msdn('ms908470')
  }),
  rule('GM-6', 'header', '', 'background', {
    statement: "GlobalMemoryStatusEx is not in the list of coredll.dll's exports, and no CE page for it was found.",
    source: coredllList,
    seeAlso: ['W-11']
  })
])
