import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ce60, ceOld, coredllList, dungeon, heapSizeWm65Page, msdn } from './source.ts'

export const criticalSections: readonly Rule[] = section('Critical sections', [
  rule('CS-1', 'documented', '1.0 to 6.0', 'emulated', {
    statement:
      'EnterCriticalSection is void EnterCriticalSection(LPCRITICAL_SECTION): it blocks without a time-out until the caller owns ' +
      'the section.',
    source: ce60('ee488915')
  }),
  rule('CS-2', 'documented', 'all', 'emulated', {
    statement: 'A critical section is recursive: its owner may enter again without blocking and must leave once for each enter.',
    source: ce60('ee488915')
  }),
  rule('CS-3', 'documented', 'all', 'emulated', {
    statement: 'A critical section serves the threads of one process only. The caller supplies its memory and must initialise it first.',
    source: ce60('ee488915')
  }),
  rule('CS-4', 'documented', '4.x, 5.0', 'emulated', {
    statement:
      "BOOL TryEnterCriticalSection never blocks: it returns nonzero when the section was entered or was this thread's already, and " +
      'zero when another thread owns it.',
    value: '1 or 0',
    source: [msdn('ms919195'), ceOld('aa450959')]
  }),
  rule('CS-5', 'documented', 'all', 'emulated', {
    statement: 'DeleteCriticalSection may be called by any thread; afterwards the object cannot be used.',
    source: ce60('ee488915')
  }),
  rule('CS-6', 'documented', '6.0 / desktop', 'emulated', {
    statement:
      'The page of EnterCriticalSection ends with a clause on a thread that terminates while it owns the section, of which the rest ' +
      "could not be read. On desktop Windows the section's state is then undefined.",
    source: [ce60('ee488915'), 'the desktop page of EnterCriticalSection']
  }),
  rule('CS-7', 'documented', '2.x', 'emulated', {
    statement: 'The order in which waiting threads get a critical section is not guaranteed.',
    source: dungeon('msdn-1998-06/CEGuide/devdoc/good/wince/procs_20s3.content.htm')
  }),
  rule('CS-8', 'documented', '5.0, WM6.5', 'background', {
    statement:
      "Priority inheritance applies to critical sections and mutexes but not to semaphores: the owner runs at the waiter's higher " +
      'priority until it lets go.',
    source: [ceOld('aa450594'), msdn('aa915356')],
    seeAlso: ['W-27']
  }),
  rule('CS-9', 'documented', '5.0+', 'emulated', {
    statement: "Entering a section that nobody holds is a fast path with little overhead; the page says so of the heap's own sections.",
    source: heapSizeWm65Page,
    seeAlso: ['HA-9']
  }),
  rule('CS-10', 'documented', '3.0+', 'background', {
    statement: 'CeLog records only an enter that blocks and a boost of priority.',
    value: 'CEL_CRITSEC_ENTER (hCS, hOwnerThread), CEL_SYSTEM_INVERT (hThread, nPriority)',
    source: [ceOld('aa450798'), ce60('ee488594')]
  }),
  rule('CS-11', 'desktop', '', 'reported', {
    statement:
      'On desktop Windows an enter can raise EXCEPTION_POSSIBLE_DEADLOCK after a time-out from the registry, and spin counts exist. ' +
      "Neither was found for CE, and coredll.dll's export list has no InitializeCriticalSectionAndSpinCount.",
    source: coredllList
  })
])
