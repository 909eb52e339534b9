import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

export const choices: readonly Rule[] = section('Our choices', [
  rule('C-1', 'choice', '', 'emulated', {
    statement: 'HeapAlloc of 0 bytes gives a valid block of one granule (32 bytes). On debug builds its size is told as 0, as requested.',
    value: 'a block of 32 bytes',
    source: [ourChoice, 'leans on desktop Windows, which returns a valid block of minimum size'],
    seeAlso: ['HA-10', 'HA-7'],
    advice: 'Ask for at least 1 byte where the program counts on a block of its own; do not take 0 bytes as a request that fails.'
  }),
  rule('C-2', 'choice', '', 'emulated', {
    statement: 'HeapAlloc of 0x7FFF8 bytes or more on a fixed heap fails, as too large for memory and not as a wrong parameter.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ourChoice, 'leans on desktop Windows, which answers so'],
    seeAlso: ['HA-2', 'HA-4'],
    advice: 'Create the heap with a maximum size of 0, or divide the data into blocks below 0x7FFF8 bytes.'
  }),
  rule('C-3', 'choice', '', 'emulated', {
    statement:
      'Sizes near 4 GB, given to HeapAlloc or HeapReAlloc, fail as out of memory. The arithmetic behind them never wraps to a small ' +
      'block.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: ourChoice,
    seeAlso: ['HA-4', 'HR-9', 'W-15'],
    advice: 'Find the computation that gave the size, most often a negative length or an overflow, and check it before allocating.'
  }),
  rule('C-4', 'choice', '', 'emulated', {
    statement:
      'A Heap call with a handle that is no live heap returns its failure value and sets an invalid-parameter error; HeapSize and ' +
      'HeapValidate leave the last error alone.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on HF-3 and HA-4, which name this code'],
    seeAlso: ['HA-4', 'HA-12', 'HD-5', 'HF-3', 'HS-5', 'HV-4'],
    advice: 'Test the result of HeapCreate for NULL, and do not use a heap after HeapDestroy.'
  }),
  rule('C-5', 'choice', '', 'emulated', {
    statement:
      "HeapFree of NULL, of a pointer that is not the heap's, of an address inside a block or of a block that is free already " +
      'fails, changes nothing and is reported.',
    value: 'FALSE, ERROR_INVALID_PARAMETER (87)',
    source: ourChoice,
    seeAlso: ['HF-4', 'HF-6', 'W-8'],
    advice:
      'Free each block once, with the pointer and the heap it came from; set the pointer to NULL afterwards and test it before ' +
      'freeing.'
  }),
  rule('C-6', 'choice', '', 'emulated', {
    statement: 'HeapReAlloc of NULL or of a pointer that is no live block of the heap fails, changes nothing and is reported.',
    value: 'NULL, ERROR_INVALID_PARAMETER (87)',
    source: ourChoice,
    seeAlso: ['HR-3', 'HR-9', 'W-13'],
    advice: 'Call HeapAlloc for a first allocation, and HeapReAlloc only with the last pointer that the same heap returned for the block.'
  }),
  rule('C-7', 'choice', '', 'emulated', {
    statement: 'HeapReAlloc to 0 bytes gives a valid block of one granule (32 bytes); nothing is freed.',
    value: 'a block of 32 bytes',
    source: ourChoice,
    seeAlso: ['HR-9', 'C-1'],
    advice: 'Call HeapFree where the block is no longer needed; do not shrink it to 0.'
  }),
  rule('C-8', 'choice', '', 'emulated', {
    statement: 'A HeapReAlloc that finds no room fails and leaves the old block as it was.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ourChoice, 'leans on HR-6 and HR-7, documented for CE 3.0'],
    seeAlso: ['HR-6', 'HR-7', 'HR-9'],
    advice: 'Keep the old pointer until the result is known: q = HeapReAlloc(heap, 0, p, n); if (q) p = q.'
  }),
  rule('C-9', 'choice', '', 'emulated', {
    statement: 'HeapReAlloc to 0x7FFF8 bytes or more on a fixed heap fails as HeapAlloc does, and the old block stays.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: [ourChoice, 'leans on desktop Windows, which restates the limit for HeapReAlloc'],
    seeAlso: ['HR-9', 'HA-2', 'C-2'],
    advice: 'Create the heap with a maximum size of 0, or keep each block below 0x7FFF8 bytes.'
  }),
  rule('C-10', 'choice', '', 'emulated', {
    statement: 'HeapCreate with an initial size above a nonzero maximum fails.',
    value: 'NULL, ERROR_INVALID_PARAMETER (87)',
    source: [ourChoice, 'leans on desktop Windows, which wants the initial size below the maximum'],
    seeAlso: ['HC-13'],
    advice: 'Pass an initial size that is at most the maximum, or a maximum of 0.'
  }),
  rule('C-11', 'choice', '', 'emulated', {
    statement: 'HeapCreate fails as out of memory when the address space or the physical memory does not suffice.',
    value: 'NULL, ERROR_NOT_ENOUGH_MEMORY (8)',
    source: ourChoice,
    seeAlso: ['HC-8', 'HC-9'],
    advice: 'Test the handle for NULL, and ask for a smaller initial or maximum size; a growable heap takes memory only as it is used.'
  }),
  rule('C-12', 'choice', '', 'emulated', {
    statement: 'HeapDestroy of the process heap fails, changes nothing and is reported.',
    value: 'FALSE, ERROR_INVALID_PARAMETER (87)',
    source: ourChoice,
    seeAlso: ['HD-2', 'HD-5', 'GP-2'],
    advice: 'Destroy only heaps that HeapCreate or CeHeapCreate returned.'
  }),
  rule('C-13', 'choice', '', 'emulated', {
    statement: "Flag bits that a function's CE table does not list are ignored and reported.",
    source: ourChoice,
    seeAlso: ['FL-6', 'FL-5', 'FL-7', 'FL-12'],
    advice: 'Remove the flag where the program is built for CE, and look up in its rule what the program expected from it.'
  }),
  rule('C-14', 'choice', '', 'emulated', {
    statement: 'LocalAlloc with LMEM_MOVEABLE, alone or in LHND or GHND, gives a fixed block and is reported.',
    value: 'a fixed block',
    source: ourChoice,
    seeAlso: ['LA-5', 'LA-4', 'GA-3', 'W-10'],
    advice: 'Use LMEM_FIXED, or LPTR for zeroed memory, and treat the handle as the pointer.'
  }),
  rule('C-15', 'choice', '', 'emulated', {
    statement:
      'LocalFree, LocalReAlloc and LocalSize of a handle that is no live block return their failure value, set an invalid-parameter ' +
      'error and are reported. LocalFree of NULL is no error.',
    value: 'ERROR_INVALID_PARAMETER (87)',
    source: ourChoice,
    seeAlso: ['LF-1', 'LF-5', 'LR-6', 'LS-3'],
    advice: 'Free each handle once, use the handle that LocalReAlloc returned last, and do not mix handles of different allocators.'
  }),
  rule('C-16', 'choice', '', 'emulated', {
    statement: 'HeapCreate with HEAP_SHARED_READONLY fails in a process without kernel mode and works in one that was created with it.',
    value: 'NULL, ERROR_ACCESS_DENIED (5)',
    source: [ourChoice, 'leans on FL-8 for the error and on FL-10 for the number of the flag'],
    seeAlso: ['FL-8', 'FL-10'],
    advice: 'Create the heap without the flag, or move this part of the program into a driver or service that runs in kernel mode.'
  }),
  rule('C-17', 'choice', '', 'emulated', {
    statement:
      'HeapSize and LocalSize give the size rounded up to 32 bytes when the emulated build is retail, and the requested size when ' +
      'it is debug, in every profile.',
    value: 'the next multiple of 32, or the requested size',
    source: ['our choice (the pages say so of Windows Mobile 6.5 and CE 6.0, here it holds for every profile)', 'HS-3', 'HS-4'],
    seeAlso: ['HS-3', 'HS-4', 'LS-2'],
    advice: 'Keep the requested length yourself, and take the result only as the capacity of the block.'
  }),
  rule('C-18', 'choice', '', 'emulated', {
    statement:
      'HeapReAlloc with HEAP_ZERO_MEMORY zeroes from the old size that the heap knows: the rounded size on retail, the requested ' +
      'one on debug.',
    source: [ourChoice, 'HR-10'],
    seeAlso: ['HR-10'],
    advice: 'Zero the added part yourself, from the length that the program had asked for before.'
  }),
  rule('C-19', 'choice', '', 'emulated', {
    statement: 'Pages that a heap commits are zero at first, and zero again when they are decommitted and committed anew.',
    value: '0',
    source: [ourChoice, 'leans on VA-2'],
    seeAlso: ['FL-3', 'VA-2'],
    advice: 'Pass HEAP_ZERO_MEMORY or initialise the block: reused blocks are not zeroed, only fresh pages are.'
  }),
  rule('C-20', 'choice', '', 'emulated', {
    statement: 'VirtualAlloc with a NULL address and MEM_COMMIT alone reserves and commits. CE 5 is stricter, so the call is reported.',
    source: [ourChoice, 'leans on desktop Windows'],
    seeAlso: ['VA-3', 'VA-5'],
    advice: 'Pass MEM_RESERVE | MEM_COMMIT, or reserve first and commit afterwards.'
  }),
  rule('C-21', 'choice', '', 'emulated', {
    statement:
      'Wrong parameters of VirtualAlloc, VirtualFree and VirtualProtect set an invalid-parameter error; an address outside the ' +
      "caller's reservation sets an invalid-address error.",
    value: 'ERROR_INVALID_PARAMETER (87), ERROR_INVALID_ADDRESS (487)',
    source: [ourChoice, 'leans on desktop Windows'],
    seeAlso: ['VA-4', 'VF-2', 'VP-2'],
    advice: 'Keep the base and size of each reservation, and pass addresses within it.'
  }),
  rule('C-22', 'choice', '', 'emulated', {
    statement: 'Pointers are aligned to 32 bytes. A program may rely on 8 without being reported.',
    value: '32 bytes given, 8 promised',
    source: [ourChoice, 'leans on desktop Windows, which promises 8 on 32-bit systems'],
    seeAlso: ['HA-11', 'HI-16'],
    advice: 'Where more than 8 bytes of alignment is needed, ask for more memory and align the address yourself.'
  }),
  rule('C-23', 'choice', '', 'emulated', {
    statement:
      "A block above the profile's limit gets virtual memory of its own, on growable heaps only. The sources disagree, so each " +
      'profile takes the limit told of its version.',
    value: 'above 0x18000 in compact-2013, 64 KB in compact-7, 16 KB in ce-6.0, 192 KB in ce-5.0',
    source: ['our choice (the sources disagree)', 'HC-6', 'HI-7', 'HI-9', 'HI-11'],
    seeAlso: ['HC-6', 'HI-7', 'HI-9', 'HI-10', 'HI-11', 'HI-12'],
    advice: "Keep blocks below the limit of the device's version where there are many of them."
  }),
  rule('C-24', 'choice', '', 'emulated', {
    statement:
      'A growable heap first reserves 192 KB in ce-5.0 and 64 KB in the other profiles, or its initial size in steps of 64 KB if that is ' +
      'larger. Further regions follow as needed, each at least that of the profile while there is so much address space, then as large as needed.',
    value: '64 KB; 192 KB in ce-5.0',
    source: ['our choice (the sources disagree)', 'HI-5', 'HI-7'],
    seeAlso: ['HI-5', 'HI-7', 'HI-8'],
    advice: 'Do not rely on one range of addresses for a heap; pass an initial size where the memory must be there from the start.'
  })
])
