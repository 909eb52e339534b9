import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** Virtual memory, what is told of memory, and memory that runs short. */
export const virtualChoices: readonly Rule[] = section('Our choices', [
  rule('C-62', 'choice', '', 'emulated', {
    statement:
      'A pointer to where a call is to write must name bytes that the program could write itself. If it does not (NULL, pages not ' +
      'committed, read-only or with a guard, the end of memory), the call writes nothing, changes nothing and is reported. A guard stays.',
    value:
      'VirtualQuery, VirtualProtect and the walks of tool help: 0, ERROR_INVALID_PARAMETER (87); GlobalMemoryStatus and GetSystemInfo: last error untouched',
    source: ourChoice,
    seeAlso: ['VQ-1', 'VP-1', 'GM-1'],
    advice: 'Pass the address of a variable. A device may end the program with an access violation here.'
  }),
  rule('C-63', 'choice', '', 'emulated', {
    statement: 'A pointer to where a call is to write a structure or a DWORD may be misaligned: the call works, and is reported.',
    value: 'multiples of 4 are not reported',
    source: ourChoice,
    advice: 'Align it to 4 bytes: ARM, MIPS and SH processors raise a misalignment exception at such an address.'
  }),
  rule('C-64', 'choice', '', 'emulated', {
    statement:
      'VirtualQuery gives 0 for AllocationProtect, for Protect of reserved pages, and for AllocationBase and Type of free ones, whose Protect is ' +
      'PAGE_NOACCESS. A run ends with its reservation; what is left of its last 64 KB is free. A buffer below 28 bytes and an ' +
      'address beyond memory fail.',
    value: '0, ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on desktop Windows'],
    seeAlso: ['VQ-1', 'VQ-2'],
    advice: 'Read AllocationBase, Type and Protect only where State says that they mean something.'
  }),
  rule('C-65', 'choice', '', 'emulated', {
    statement:
      "VirtualProtect fails for 0 bytes, and for pages that are not all committed, not all of one reservation or a heap's. The old " +
      'protection that it stores is that of the first page, and is stored before the new one holds.',
    value: 'ERROR_INVALID_PARAMETER (87) for 0 bytes, ERROR_INVALID_ADDRESS (487) for the pages',
    source: [ourChoice, 'leans on desktop Windows'],
    seeAlso: ['VP-1', 'VP-2', 'C-21'],
    advice: 'Commit the pages first, and take memory whose protection is to change with VirtualAlloc, not from a heap.'
  }),
  rule('C-66', 'choice', '', 'emulated', {
    statement:
      'A protection is one of PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ and PAGE_EXECUTE_READWRITE, with ' +
      'or without PAGE_NOCACHE (which changes nothing here) and PAGE_GUARD. Any other, the two for copy on write and PAGE_PHYSICAL among ' +
      'them, is a wrong parameter. A commit gives it to the pages that were committed before too.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on VP-3 and on desktop Windows'],
    seeAlso: ['VA-15', 'VP-3', 'VP-4'],
    advice: 'Pass exactly one of the six; PAGE_EXECUTE can be read as well here, but do not rely on it.'
  }),
  rule('C-67', 'choice', '', 'emulated', {
    statement:
      'Any access to a page with PAGE_GUARD sets the guard off before its protection is looked at, and then the guard is gone. An access to ' +
      'several pages raises for the first byte that cannot be reached, and has read or written nothing. What the system itself reads or ' +
      'writes sets no guard off.',
    source: [ourChoice, 'leans on VP-4'],
    seeAlso: ['VP-4'],
    advice: 'Restart the whole access after handling the exception: on a device part of it may have been done.'
  }),
  rule('C-68', 'choice', '', 'emulated', {
    statement:
      'IsBadReadPtr, IsBadWritePtr and IsBadCodePtr give 1 if a byte of the range cannot be accessed, and 0 for a range of no bytes. They leave ' +
      'the last error alone. They touch the memory: a guard page goes off and makes the answer 1, which is reported.',
    value: '1 or 0',
    source: [ourChoice, 'leans on desktop Windows'],
    seeAlso: ['VP-4', 'C-67'],
    advice: 'Do not call them: another thread may change the pages at once, and a guard that they spend is missing afterwards.'
  }),
  rule('C-69', 'choice', '', 'emulated', {
    statement:
      'GlobalMemoryStatus tells the budget of the emulated process as physical memory, no page file, its user memory without the first 64 KB ' +
      'as address space, and as available of it what a reservation could begin in: whole free 64 KB. The load is rounded down. dwLength is ' +
      'written in any case; another value there is reported.',
    source: [ourChoice, 'leans on GM-2 to GM-4'],
    seeAlso: ['GM-2', 'GM-3', 'GM-4'],
    advice: 'Set dwLength before the call, and do not take the figures for those of a device: its other programs take memory too.'
  }),
  rule('C-70', 'choice', '', 'emulated', {
    statement:
      'GetSystemInfo tells pages of 4 KB, reservations in steps of 64 KB and the addresses of user memory above the first 64 KB. Of ' +
      'the processor it says nothing: one of unknown architecture.',
    value: 'PROCESSOR_ARCHITECTURE_UNKNOWN (0xFFFF)',
    source: [ourChoice, 'leans on VA-3, VA-6 and VL-3'],
    seeAlso: ['VA-3', 'VA-6', 'VL-3'],
    advice: "Nothing to change; decide nothing by the processor's fields."
  }),
  rule('C-71', 'choice', '', 'emulated', {
    statement:
      'Memory is low while less than a threshold of the budget is left (a sixteenth of it at the start unless set), and from a refused commit ' +
      'until pages come or go. WM_HIBERNATE is sent once each time it becomes low. A budget lowered below what is committed takes ' +
      'nothing back; one lowered below the threshold is low at once. A process cannot begin with a threshold above its budget.',
    source: [ourChoice, 'leans on HI-18'],
    seeAlso: ['HI-18', 'W-24'],
    advice: 'Free caches on WM_HIBERNATE, and test each allocation for NULL all the same.'
  }),
  rule('C-72', 'choice', '', 'emulated', {
    statement:
      'MEM_TOP_DOWN goes with MEM_RESERVE, MEM_COMMIT or both, and has no effect where an address is given. Any other flag makes VirtualAlloc ' +
      'fail.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on VA-10 and VA-11'],
    seeAlso: ['VA-10', 'VA-11', 'C-21'],
    advice: 'Remove MEM_RESET; to have pages zero again decommit and commit them.'
  })
])
