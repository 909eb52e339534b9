import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** What CE's pages leave open about the task allocator and its spy. */
export const comChoices: readonly Rule[] = section('Our choices', [
  rule('C-52', 'choice', '', 'emulated', {
    statement:
      'The task allocator is the process heap: each of its blocks is a block of that heap, and each block of that heap is its own, ' +
      'whichever function allocated it. What the Heap functions below leave in the last error stays there.',
    value: 'IMalloc::DidAlloc gives 1 for what LocalAlloc returned',
    source: [ourChoice, 'leans on IM-10 and LA-2'],
    seeAlso: ['IM-10', 'LA-2'],
    advice: 'Free a block by the family of functions that allocated it: a spy sees IMalloc alone.'
  }),
  rule('C-53', 'choice', '', 'emulated', {
    statement:
      'For a pointer that is not a live block IMalloc::Free and CoTaskMemFree do nothing, Realloc gives NULL, GetSize 0xFFFFFFFF, and ' +
      'nothing changes; DidAlloc gives 0, which is no error. A device may end the program.',
    value: 'NULL, 0xFFFFFFFF; ERROR_INVALID_PARAMETER (87) from Free and Realloc',
    source: [ourChoice, 'leans on CT-3'],
    seeAlso: ['CT-3', 'W-28', 'C-5'],
    advice: 'Set the variable to NULL once the block is freed, and hand over only pointers that the task allocator gave.'
  }),
  rule('C-54', 'choice', '', 'emulated', {
    statement:
      'CoGetMalloc works without CoInitialize and refuses every context but 1 with E_INVALIDARG and NULL. A thread has one IMalloc while it holds ' +
      'references; each CoGetMalloc adds one. A method of an IMalloc without references fails, changes nothing and is reported.',
    value: 'NULL, -1, 0 references, E_FAIL from QueryInterface',
    source: [ourChoice, 'leans on CM-1 and CM-3'],
    seeAlso: ['CM-1', 'CM-3'],
    advice: 'Call Release once for each CoGetMalloc and AddRef, and nothing after the last.'
  }),
  rule('C-55', 'choice', '', 'emulated', {
    statement:
      'One spy is registered for the whole process and lives in the thread that registered it. Calls of other threads wait for a spied call to end, are not ' +
      'shown to the spy, and are counted; their blocks are not spied. What the spy put in front of a block is kept and minded in their Free, Realloc and GetSize. ' +
      'The end of its thread revokes the spy.',
    value: 'one finding for each such thread',
    source: [ourChoice, 'leans on SP-4, SP-6, SP-13 and SP-16: a function cannot be shared between workers'],
    seeAlso: ['SP-4', 'SP-6', 'SP-13', 'SP-16'],
    advice: 'Register the spy in the thread whose calls matter, or look at the count of calls that it was not shown.'
  }),
  rule('C-56', 'choice', '', 'emulated', {
    statement:
      'Calls that a method of the spy makes of the allocator are served and counted, and not shown to the spy; their blocks are not spied. On a device ' +
      'they would come back to the spy, and recurse.',
    source: [ourChoice, 'leans on SP-4'],
    seeAlso: ['SP-4'],
    advice: "Keep the spy's own memory elsewhere: in a heap of its own, or in arrays."
  }),
  rule('C-57', 'choice', '', 'emulated', {
    statement:
      'Under a spy, Realloc of NULL goes through PreAlloc and PostAlloc, Realloc to 0 bytes through PreFree and PostFree. Free, GetSize and DidAlloc of NULL ' +
      'call no method of the spy. QueryInterface, AddRef and Release of IMalloc are not spied.',
    source: [ourChoice, 'leans on IM-4, IM-5 and what tests of desktop Windows show'],
    seeAlso: ['IM-4', 'IM-5', 'IM-8', 'IM-9', 'IM-10', 'SP-4'],
    advice: 'Let PreRealloc and PreFree accept whatever pointer the program has.'
  }),
  rule('C-58', 'choice', '', 'emulated', {
    statement:
      'While a revoke is pending, a further revoke gives E_ACCESSDENIED and is reported, and registering gives CO_E_OBJISREG. A revoke by a method of the ' +
      'spy is pending until the call ends. Any thread may revoke; the spy is released in its own thread, at its next call of the allocator.',
    value: 'E_ACCESSDENIED 0x80070005, CO_E_OBJISREG 0x800401FC',
    source: [ourChoice, 'leans on SP-5 and SP-6'],
    seeAlso: ['SP-5', 'SP-6', 'SP-7', 'SP-8'],
    advice: 'Revoke once, when every block that was allocated under the spy is freed.'
  }),
  rule('C-59', 'choice', '', 'emulated', {
    statement:
      'What a spy answers is followed, and reported where it breaks a rule: too small a count, a pointer outside of the block. A PreRealloc without ppNewRequest ' +
      'fails. A block of 0 bytes for which the spy asks more has one byte more than that, so that the address behind a header lies in it.',
    source: [ourChoice, 'leans on SP-10, SP-14, SP-15 and SP-17'],
    seeAlso: ['SP-10', 'SP-14', 'SP-15', 'SP-17', 'IM-3'],
    advice: "Return the request or more from PreAlloc and PreRealloc, and pointers inside the block from the spy's other methods."
  }),
  rule('C-60', 'choice', '', 'emulated', {
    statement:
      'A method of the spy that throws, or answers what is no answer, is reported, and its error is thrown apart. After a Pre method nothing has happened, and the call ' +
      'fails; after a Post method the call answers what the allocator did, save that a new block is given back, and Alloc fails.',
    value: 'NULL from Alloc and Realloc, 0xFFFFFFFF from GetSize, -1 from DidAlloc',
    source: [ourChoice, 'leans on SP-11'],
    seeAlso: ['SP-11', 'SP-13', 'C-97'],
    advice: 'Catch errors inside the spy; on a device an exception that leaves it has no defined end.'
  }),
  rule('C-61', 'choice', '', 'emulated', {
    statement:
      'A spy without a QueryInterface is taken as it is and is not released. One whose QueryInterface fails or throws is refused with E_INVALIDARG. It is asked only ' +
      'where no spy is registered.',
    value: 'E_INVALIDARG 0x80070057',
    source: [ourChoice, 'leans on SP-1, SP-2 and SP-3'],
    seeAlso: ['SP-1', 'SP-2', 'SP-3', 'SP-7'],
    advice: 'Give the spy a QueryInterface that answers IID_IMallocSpy, and a Release that balances it.'
  })
])
