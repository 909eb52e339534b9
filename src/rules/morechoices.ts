import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

export const moreChoices: readonly Rule[] = section('Our choices', [
  rule('C-25', 'choice', '', 'emulated', {
    statement:
      'Which free block a request takes: the profile ce-5.0 goes on from the last item like the documented list (next-fit), the ' +
      'others use a segregated fit. Either can be set for any profile, and the same calls always give the same pointers.',
    value: 'next-fit in ce-5.0, segregated in the others',
    source: [ourChoice, 'HI-2 for CE 5.0'],
    seeAlso: ['HI-2'],
    advice: 'Do not rely on where a block lies or which freed block is used again; compare both placements when memory is tight.'
  }),
  rule('C-26', 'choice', '', 'emulated', {
    statement: 'Calls of malloc, calloc, realloc, free and _msize in a recording are replayed on the process heap.',
    source: [ourChoice, 'leans on EX-10'],
    seeAlso: ['EX-10'],
    advice: "Nothing to change. To see the C runtime's blocks apart from the others, give the others a heap of their own."
  }),
  rule('C-27', 'choice', '', 'emulated', {
    statement: 'HeapCreate with an initial size of 0 commits one page.',
    value: '4096 bytes',
    source: [ourChoice, 'leans on desktop Windows (HC-14)'],
    seeAlso: ['HC-14', 'HC-2'],
    advice: 'Pass the initial size that the program needs at once, so that a lack of memory shows at the creation.'
  }),
  rule('C-28', 'choice', '', 'emulated', {
    statement:
      'The process heap is created with the process, is growable, and has the handle that GetProcessHeap returns. Its first ' +
      'reservation is that of the profile.',
    source: ourChoice,
    seeAlso: ['GP-1', 'GP-2', 'C-24'],
    advice: 'Nothing to change. Data that must stay within a bound belongs into a heap with a maximum size.'
  }),
  rule('C-29', 'choice', '', 'emulated', {
    statement: 'The address space of a process is at most 32 MB in the profile ce-5.0 and at most 2 GB in the others.',
    value: '32 MB in ce-5.0, 2 GB in the others',
    source: ['our choice (of what VL-1 and VL-2 document, the sizes alone are followed)', 'VL-1', 'VL-2'],
    seeAlso: ['VL-1', 'VL-2', 'W-18'],
    advice: "Bring the program's peak below the limit of the device's version, or load data in parts."
  }),
  rule('C-30', 'choice', '', 'emulated', {
    statement: 'A block that leaves the heap as a big block costs whole reservations of 64 KB, whatever its size.',
    value: '64 KB = 65,536 bytes',
    source: [ourChoice, 'leans on VA-3'],
    seeAlso: ['VA-3', 'HI-9'],
    advice: 'Put many blocks just above the limit into one larger block, or make them smaller than the limit.'
  }),
  rule('C-31', 'choice', '', 'emulated', {
    statement: 'LocalReAlloc without LMEM_MOVEABLE fails as out of memory when the block cannot grow at its place; the block is kept.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ourChoice, 'leans on LR-4'],
    seeAlso: ['LR-4', 'W-12'],
    advice: 'Pass LMEM_MOVEABLE and use the returned handle.'
  }),
  rule('C-32', 'choice', '', 'emulated', {
    statement: 'LocalReAlloc with LMEM_MODIFY and LMEM_MOVEABLE fails, since a fixed object cannot become movable.',
    value: 'NULL, ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on LR-3'],
    seeAlso: ['LR-3'],
    advice: 'Remove the call: memory on CE is always fixed.'
  }),
  rule('C-33', 'choice', '', 'emulated', {
    statement: 'LocalReAlloc with LMEM_MODIFY alone returns the handle and changes nothing.',
    value: 'the same handle',
    source: [ourChoice, 'leans on LR-2'],
    seeAlso: ['LR-2'],
    advice: 'Remove the call: there are no attributes to change on CE.'
  }),
  rule('C-34', 'choice', '', 'emulated', {
    statement: 'CeHeapCreate with options other than zero fails.',
    value: 'NULL, ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on CH-2'],
    seeAlso: ['CH-2'],
    advice: 'Pass 0 as flOptions.'
  }),
  rule('C-35', 'choice', '', 'emulated', {
    statement:
      'When a page callback of CeHeapCreate returns 0 or throws, the call that needed the pages fails; the error is thrown apart. When it returns anything but what it was ' +
      "asked for (the base of a large enough reservation of the program's own, or the address of pages that it has committed), the " +
      'call fails too; this and what throws is reported.',
    value: 'ERROR_NOT_ENOUGH_MEMORY (8)',
    source: ourChoice,
    seeAlso: ['CH-4', 'C-43', 'C-97'],
    advice:
      'Let the callback return the address that VirtualAlloc gave it for MEM_RESERVE, and the address that it was given for MEM_COMMIT, or ' +
      '0 when it has no memory.'
  }),
  rule('C-36', 'choice', '', 'emulated', {
    statement: 'HeapValidate of a pointer that is not an allocated block of the heap gives FALSE.',
    value: 'FALSE',
    source: [ourChoice, 'leans on HV-3'],
    seeAlso: ['HV-3', 'HV-4'],
    advice: 'Pass pointers of allocated blocks only, or NULL to check the whole heap.'
  }),
  rule('C-37', 'choice', '', 'emulated', {
    statement:
      'In the profile ce-5.0 a failing HeapAlloc leaves the last error alone, whatever the cause. In the others it sets out of ' +
      'memory or invalid parameter.',
    value: 'untouched in ce-5.0; ERROR_NOT_ENOUGH_MEMORY (8) or ERROR_INVALID_PARAMETER (87) in the others',
    source: ['our choice (the pages of different versions disagree)', 'HA-4', 'HA-5'],
    seeAlso: ['HA-4', 'HA-5', 'W-6'],
    advice: 'Test the result for NULL and do not decide by the last error.'
  }),
  rule('C-38', 'choice', '', 'emulated', {
    statement: 'HeapSize answers 0xFFFFFFFF for a pointer that is not a live block of the heap, and leaves the last error alone.',
    value: '0xFFFFFFFF (4294967295)',
    source: [ourChoice, 'leans on HS-5'],
    seeAlso: ['HS-5', 'HS-7'],
    advice: 'Ask only for the size of blocks that are allocated, with the heap they came from, and compare the result with 0xFFFFFFFF.'
  }),
  rule('C-39', 'choice', '', 'emulated', {
    statement: 'GetLastError starts at 0 on every thread and gives what SetLastError was given until a call sets another code.',
    value: '0',
    source: ourChoice,
    advice: 'Call GetLastError only after a call that has failed and is documented to set it.'
  }),
  rule('C-40', 'choice', '', 'reported', {
    statement:
      'A recording that frees, resizes or measures a block without showing its allocation, and succeeds, is believed: the block came ' +
      'from before the recording or from inside a call that shows only from outside. Such calls are counted and not replayed.',
    value: 'counted as unknown pointers',
    source: ourChoice,
    seeAlso: ['C-5', 'C-26'],
    advice:
      'Nothing to change. Where such an address was freed before in the recording, look whether the program frees one block twice; strdup ' +
      'and FormatMessage allocate inside and may have been given the address again.'
  }),
  rule('C-41', 'choice', '', 'emulated', {
    statement: 'LocalReAlloc to 0 bytes gives a valid block of one granule (32 bytes), as HeapReAlloc does; nothing is freed.',
    value: 'a block of 32 bytes',
    source: ourChoice,
    seeAlso: ['LR-8', 'C-7'],
    advice: 'Call LocalFree where the block is no longer needed; do not shrink it to 0.'
  }),
  rule('C-42', 'choice', '', 'emulated', {
    statement:
      'HeapCompact measures the largest committed free block before it gives pages back. It gives back every page that lies wholly in ' +
      'a free block, and every region that is wholly free except the lowest.',
    source: [ourChoice, 'leans on HP-2, HP-3 and HI-1'],
    seeAlso: ['HP-2', 'HP-3', 'HP-5', 'HI-1'],
    advice: 'Do not take the result for what is committed after the call: a later allocation commits again and may find no memory.'
  }),
  rule('C-43', 'choice', '', 'emulated', {
    statement:
      'The page callbacks of CeHeapCreate take an address, a size and an action: pfnAlloc MEM_RESERVE with NULL, then MEM_COMMIT for ' +
      'pages; pfnFree MEM_DECOMMIT, then MEM_RELEASE with the size of the reservation. They run in the thread that created the heap ' +
      'alone: another thread gets no new pages, and pages that it frees stay where they are.',
    value: '(lpAddress, dwSize, fdwAction)',
    source: [ourChoice, 'leans on CH-4'],
    seeAlso: ['CH-1', 'CH-4', 'C-35', 'C-44'],
    advice:
      'Let the thread that created the heap also grow, compact and destroy it. For MEM_RELEASE pass VirtualFree a size of 0, whatever the ' +
      'callback was given.'
  }),
  rule('C-44', 'choice', '', 'emulated', {
    statement:
      'While a page callback runs, its heap is in the middle of a call: every call on that heap fails as on a handle of no heap and is ' +
      'reported. Pages lent to a heap can be committed and decommitted only by a callback that was asked to.',
    value: 'ERROR_INVALID_PARAMETER (87) from heap calls, ERROR_INVALID_ADDRESS (487) from VirtualAlloc and VirtualFree',
    source: ourChoice,
    seeAlso: ['CH-4', 'C-4', 'C-21', 'C-43'],
    advice: 'Keep what the callback needs outside of the heap that it serves, and leave the pages to the heap until it releases them.'
  }),
  rule('C-45', 'choice', '', 'emulated', {
    statement:
      'A fixed heap spends 64 bytes and two bits for each 32 bytes of its size, rounded up to 32, on its own structures. They lie at ' +
      'its start and are committed at its creation.',
    value: '576 bytes of 64 KB, 8256 bytes of 1 MB',
    source: [ourChoice, 'leans on HC-10'],
    seeAlso: ['HC-10', 'W-16'],
    advice: 'Give a fixed heap a maximum that is larger than the sum of its rounded blocks.'
  }),
  rule('C-46', 'choice', '', 'emulated', {
    statement:
      'On debug builds at least 32 bytes behind the requested size of each block hold 0xFD. A call that frees or resizes a block whose ' +
      'bytes there have changed works and is reported; HeapValidate of the block or of its heap gives FALSE.',
    value: 'the byte 0xFD',
    source: [ourChoice, 'leans on HI-15'],
    seeAlso: ['HI-15', 'HI-16', 'HV-2', 'DT-2'],
    advice: 'Find what writes past the end of the block: a length that forgets the terminating zero, or an index that runs one too far.'
  }),
  rule('C-47', 'choice', '', 'emulated', {
    statement:
      'HeapFree leaves the pages of a region committed, however much of it is free: only HeapCompact and HeapDestroy give them back. A ' +
      'big block goes back to the system at once.',
    source: [ourChoice, 'leans on HI-1'],
    seeAlso: ['HI-1', 'C-42', 'W-23'],
    advice: 'Call HeapCompact after a phase of the program that needed much memory, or give that phase a heap of its own and destroy it.'
  }),
  rule('C-48', 'choice', '', 'emulated', {
    statement:
      'HeapReAlloc and LocalReAlloc leave a block where it is if they can: when it shrinks, and when free memory right behind it ' +
      'suffices. A big block stays within its pages; one that shrinks to the size of an ordinary block moves into the heap, unless it ' +
      'may not or finds no room, so that shrinking never fails.',
    source: [ourChoice, 'leans on HR-5'],
    seeAlso: ['HR-5', 'FL-4', 'LR-4', 'C-23'],
    advice: 'Use the pointer that the call returns, whatever the sizes.'
  }),
  rule('C-49', 'choice', '', 'emulated', {
    statement:
      'Where no range of addresses is left for a further region of the usual size, a growable heap takes one of the size that is ' +
      'needed, in steps of 64 KB. A call that fails because a new region cannot be had or committed leaves nothing of it behind.',
    value: '64 KB = 65,536 bytes',
    source: ourChoice,
    seeAlso: ['HI-8', 'HA-4', 'C-24'],
    advice: 'Test each result for NULL; after a failure the heap is as it was, and smaller requests may still be met.'
  }),
  rule('C-50', 'choice', '', 'emulated', {
    statement:
      'A heap handle is never a multiple of 32, so it is no pointer of any heap. The handle of a destroyed heap stays invalid: the next ' +
      'heap gets another one, until 8,191 more heaps have come and gone in its place.',
    source: ourChoice,
    seeAlso: ['HC-8', 'C-4'],
    advice: 'Set the variable to NULL after HeapDestroy. A device may give the number of a destroyed heap to the next one at once.'
  }),
  rule('C-51', 'choice', '', 'emulated', {
    statement:
      'VirtualAlloc with an address and both MEM_RESERVE and MEM_COMMIT begins at the 64 KB border below the address, commits from ' +
      'there to the last page touched, and returns that border.',
    source: [ourChoice, 'leans on VA-3 and on desktop Windows'],
    seeAlso: ['VA-3', 'VA-5', 'VF-2'],
    advice: 'Pass a multiple of 64 KB, and release what the call returned.'
  })
])
