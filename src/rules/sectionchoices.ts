import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** Critical sections of the program's own. */
export const sectionChoices: readonly Rule[] = section('Our choices', [
  rule('C-75', 'choice', '', 'emulated', {
    statement:
      'A CRITICAL_SECTION has five fields of four bytes: LockCount, how often the owner has entered; OwnerThread, its thread id; hCrit, which ' +
      'names the section; needtrap, always 0; dwContentions, how often an enter had to wait. What a program writes to the others changes ' +
      'nothing, since the lock itself lies in the system. None of the functions sets the last error.',
    value: '20 bytes; OwnerThread is 0 where nobody owns the section',
    source: [ourChoice, 'field names of open CE headers'],
    seeAlso: ['CS-3', 'C-78'],
    advice: 'Pass the structure to the functions and leave its fields alone: other CE versions lay it out differently.'
  }),
  rule('C-76', 'choice', '', 'emulated', {
    statement:
      'A call on a structure that was never initialised, or is deleted, changes nothing and is reported: Enter returns without having entered, ' +
      'TryEnter gives 0. So does an Enter that is waiting while the section is deleted.',
    value: 'TryEnterCriticalSection: 0',
    source: ourChoice,
    seeAlso: ['CS-3', 'CS-5'],
    advice:
      'Initialise the section before the first thread can reach it, and delete it after the last one has left. A device may crash here.'
  }),
  rule('C-77', 'choice', '', 'emulated', {
    statement:
      'A copy of a CRITICAL_SECTION is no section: calls on it are answered as on one that was never initialised, and are reported.',
    source: ourChoice,
    seeAlso: ['C-76'],
    advice: 'Pass the address of the original; initialise a section in each structure that is copied or moved.'
  }),
  rule('C-78', 'choice', '', 'emulated', {
    statement:
      'A live section is known by its address. Where its hCrit was overwritten the call works all the same, writes hCrit again and is reported.',
    source: ourChoice,
    seeAlso: ['C-75', 'C-81'],
    advice:
      'Find what writes there: a memset of the whole object, or memory that was freed without DeleteCriticalSection and is used again.'
  }),
  rule('C-79', 'choice', '', 'emulated', {
    statement: 'LeaveCriticalSection by a thread that does not own the section changes nothing and is reported.',
    source: ourChoice,
    seeAlso: ['CS-2'],
    advice: 'Leave in the thread that entered, once for each enter. A device may free the section while another thread is inside.'
  }),
  rule('C-80', 'choice', '', 'emulated', {
    statement:
      'DeleteCriticalSection fills the structure with zeros. While another thread owns the section it changes nothing; while its own thread does ' +
      'the section ends. Both are reported.',
    value: 'the 20 bytes are 0',
    source: ourChoice,
    seeAlso: ['CS-5', 'C-76'],
    advice: 'Delete a section only when no thread can be inside it or on its way in.'
  }),
  rule('C-81', 'choice', '', 'emulated', {
    statement:
      'InitializeCriticalSection at the address of a live section ends that one and begins a new one, even inside it; while another thread owns it ' +
      'nothing changes. Both are reported.',
    source: ourChoice,
    seeAlso: ['CS-3', 'C-80'],
    advice: 'Initialise once, and call DeleteCriticalSection before the memory is freed or used for something else.'
  }),
  rule('C-82', 'choice', '', 'emulated', {
    statement:
      'Each of the functions accesses all 20 bytes as a program that writes them: where it could not (NULL, pages not committed, read-only or with ' +
      'a guard) the exception is raised and nothing has changed. A misaligned structure works, and its initialisation is reported.',
    value: 'EXCEPTION_ACCESS_VIOLATION (0xC0000005), STATUS_GUARD_PAGE (0x80000001)',
    source: ourChoice,
    seeAlso: ['C-63', 'VP-4'],
    advice: 'Keep the structure in memory that stays committed and writable as long as the section lives, at a multiple of 4.'
  }),
  rule('C-83', 'choice', '', 'emulated', {
    statement:
      'A process has room for 16 critical sections for each 64 KB of its memory. Past that InitializeCriticalSection fills the structure with zeros, makes no ' +
      'section and is reported.',
    value: '16,384 sections in 64 MB',
    source: ourChoice,
    seeAlso: ['C-76'],
    advice: 'Delete sections that are no longer used. A device runs out of handles or memory instead, at another number.'
  }),
  rule('C-84', 'choice', '', 'emulated', {
    statement:
      'A section whose owner ends, in whatever way, is free for the next thread, as if left; a finding says so. Nothing tells the next thread, ' +
      'since CE has no abandoned sections.',
    source: [ourChoice, 'leans on CS-6'],
    seeAlso: ['CS-6'],
    advice:
      'Leave every section before the thread ends. On a device the others may wait for ever, and the data behind it may be half changed.'
  }),
  rule('C-85', 'choice', '', 'emulated', {
    statement:
      'An enter waits for one and the same owner as long as lockTimeout says, 30 seconds if nothing else is asked for; then it throws a ' +
      "LockTimeoutError that names the owner. That is the library's error, not CE's.",
    value: '30,000 ms; lockTimeout 0 waits for ever, as CE does',
    source: ourChoice,
    seeAlso: ['CS-1', 'CS-11'],
    advice: 'Look for two threads that enter the same sections in opposite orders, or for an owner that never leaves.'
  })
])
