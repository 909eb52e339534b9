// Critical sections, as far as calls one after the other show them: how threads wait is for ceheap stress.
import { caseOf, type ConformCase, family } from './case.ts'

const section = 's = LocalAlloc(LPTR, 32) -> pointer\nInitializeCriticalSection(s)'

export const sectionCases: readonly ConformCase[] = family('section', [
  caseOf(
    'enter',
    'CS-1 CS-9',
    'a free section is entered at once',
    `${section}\nEnterCriticalSection(s)\nLeaveCriticalSection(s)\nDeleteCriticalSection(s)`
  ),
  caseOf(
    'recursive',
    'CS-2',
    'the owner may enter again',
    `${section}\nEnterCriticalSection(s)\nEnterCriticalSection(s)\nTryEnterCriticalSection(s) -> nonzero\nLeaveCriticalSection(s)\nLeaveCriticalSection(s)\nLeaveCriticalSection(s)`
  ),
  caseOf(
    'try-free',
    'CS-4',
    'trying a free section enters it',
    `${section}\nTryEnterCriticalSection(s) -> nonzero\n2: TryEnterCriticalSection(s) -> 0\nLeaveCriticalSection(s)`
  ),
  caseOf(
    'try-own',
    'CS-4',
    'trying an own section answers nonzero',
    `${section}\nEnterCriticalSection(s)\nTryEnterCriticalSection(s) -> nonzero`
  ),
  caseOf(
    'try-other',
    'CS-4 CS-1',
    "trying another thread's section answers 0",
    `${section}\nEnterCriticalSection(s)\n2: TryEnterCriticalSection(s) -> 0\nLeaveCriticalSection(s)\n2: TryEnterCriticalSection(s) -> nonzero\n2: LeaveCriticalSection(s)`
  ),
  caseOf(
    'count',
    'CS-2',
    'it is free once it was left as often as entered',
    `${section}\nEnterCriticalSection(s)\nEnterCriticalSection(s)\nLeaveCriticalSection(s)\n2: TryEnterCriticalSection(s) -> 0\nLeaveCriticalSection(s)\n2: TryEnterCriticalSection(s) -> nonzero`
  ),
  caseOf(
    'try-counts',
    'CS-2 CS-4',
    'a successful try counts as an enter',
    `${section}\nTryEnterCriticalSection(s) -> nonzero\nTryEnterCriticalSection(s) -> nonzero\nLeaveCriticalSection(s)\n2: TryEnterCriticalSection(s) -> 0`
  ),
  caseOf(
    'two-apart',
    'CS-3',
    'two sections are two',
    `${section}\nt = LocalAlloc(LPTR, 32) -> pointer\nInitializeCriticalSection(t)\nEnterCriticalSection(s)\n2: TryEnterCriticalSection(t) -> nonzero\n2: LeaveCriticalSection(t)`
  ),
  caseOf(
    'within-structure',
    'C-75 CS-3',
    'a section lies in 20 bytes that the program supplies, and nothing beyond them',
    `s = LocalAlloc(LPTR, 64) -> pointer\nInitializeCriticalSection(s)\nEnterCriticalSection(s)\nbytes(s + 20, 44) -> all 0`
  ),
  caseOf(
    'delete-other',
    'CS-5',
    'any thread may delete a section',
    `${section}\n2: DeleteCriticalSection(s)\nInitializeCriticalSection(s)\nEnterCriticalSection(s)\nLeaveCriticalSection(s)`
  ),
  caseOf(
    'again',
    'CS-5 CS-3',
    'deleted and initialised again it works',
    `${section}\nrepeat 200: EnterCriticalSection(s); LeaveCriticalSection(s); DeleteCriticalSection(s); InitializeCriticalSection(s)\nTryEnterCriticalSection(s) -> nonzero`
  ),
  caseOf(
    'take-turns',
    'CS-7 CS-1',
    'threads take turns',
    `${section}\nrepeat 50: EnterCriticalSection(s); LeaveCriticalSection(s); 2: EnterCriticalSection(s); 2: LeaveCriticalSection(s)`
  ),
  caseOf(
    'stray-leave',
    'C-79',
    'a leave by a thread that is not inside changes nothing',
    `${section}\nEnterCriticalSection(s)\n2: LeaveCriticalSection(s)\n2: TryEnterCriticalSection(s) -> 0`
  ),
  caseOf('deleted-zero', 'C-80', 'a deleted section is 20 bytes of 0', `${section}\nDeleteCriticalSection(s)\nbytes(s, 20) -> all 0`)
])
