import { type Verdict, verdict } from './verdict.ts'

type FaultName =
  | 'roundedSize'
  | 'otherSize'
  | 'silentFailure'
  | 'sizeFails'
  | 'cannotMove'
  | 'cannotGrowInPlace'
  | 'resizeNull'
  | 'fixedLimit'
  | 'fixedFull'
  | 'addressSpace5'
  | 'addressSpace'
  | 'physical'
  | 'cannotCreate'
  | 'initialAboveMaximum'
  | 'fragmented'
  | 'compactZero'
  | 'compact'
  | 'badHeap'
  | 'freedTwice'
  | 'usedAfterFree'
  | 'otherHeap'
  | 'notRuntime'
  | 'foreign'
  | 'refused'
  | 'badResize'
  | 'badLocal'
  | 'badTask'
  | 'processHeap'
  | 'modify'
  | 'perhapsFreedTwice'
  | 'succeedsGrowable'
  | 'succeedsFixed'
  | 'createSucceeds'
  | 'damagedHeap'
  | 'leakProcessHeap'
  | 'leakDestroyed'
  | 'leakHeap'

/** What the replay shows: calls that fail or answer otherwise on CE, and pointers that are none. */
export const faults: Readonly<Record<FaultName, Verdict>> = {
  roundedSize: verdict('W-5', 'warning', {
    title: 'The size of a block is rounded up',
    choice: 'C-17',
    onCe: 'returns the size rounded up to 32 bytes'
  }),
  otherSize: verdict('W-5', 'warning', { title: 'The size of a block differs', onCe: 'returns another size' }),
  silentFailure: verdict('W-6', 'note', {
    title: 'A failed HeapAlloc leaves the last error alone',
    choice: 'C-37',
    onCe: 'returns NULL as well, and GetLastError gives the code of an earlier call'
  }),
  sizeFails: verdict('W-7', 'warning', {
    title: 'Size of no block',
    choice: 'C-38',
    onCe: 'HeapSize returns 0xFFFFFFFF without a last error, LocalSize and GlobalSize return 0 with one'
  }),
  cannotMove: verdict('W-12', 'error', {
    title: 'Growing without LMEM_MOVEABLE',
    choice: 'C-31',
    onCe: 'the block cannot grow where it lies: NULL and ERROR_NOT_ENOUGH_MEMORY (8), the old block stays'
  }),
  cannotGrowInPlace: verdict('FL-4', 'warning', {
    title: 'No room to grow in place',
    onCe: 'the block cannot grow where it lies: NULL, the old block stays',
    advice:
      'Take NULL from HEAP_REALLOC_IN_PLACE_ONLY as an ordinary answer: allocate a new block, copy and free the old one. Where blocks lie ' +
      'differs from the desktop, so a call that always succeeded there may not here.'
  }),
  resizeNull: verdict('W-13', 'error', {
    title: 'HeapReAlloc of NULL',
    choice: 'C-6',
    onCe: 'nothing is allocated: NULL and ERROR_INVALID_PARAMETER (87) (our choice C-6)'
  }),
  fixedLimit: verdict('W-16', 'error', {
    title: 'Too large for a heap with a maximum size',
    choice: 'C-2',
    onCe: 'the call fails: NULL and ERROR_NOT_ENOUGH_MEMORY (8)'
  }),
  fixedFull: verdict('W-16', 'error', {
    title: 'The heap with a maximum size is full',
    onCe: 'the call fails: NULL and ERROR_NOT_ENOUGH_MEMORY (8)',
    explanation:
      'A heap with a maximum size never grows past it, and part of that size holds the structures of the heap itself. Every block is ' +
      'rounded up to 32 bytes, and free memory between live blocks is of use only to blocks that fit into a gap.',
    advice: 'Create the heap with a larger maximum, or with a maximum of 0, which lets it grow.'
  }),
  addressSpace5: verdict('W-18', 'error', {
    title: 'Out of address space',
    choice: 'C-29',
    onCe: 'the call fails: NULL'
  }),
  addressSpace: verdict('C-29', 'error', {
    title: 'Out of address space',
    onCe: 'the call fails: NULL and ERROR_NOT_ENOUGH_MEMORY (8)',
    explanation:
      'Every heap region and every large block needs a range of addresses of its own. The emulated process has as many as --memory says, ' +
      'at most 2 GB.',
    advice:
      'Run the check with the address space of the device (--memory 512MB, for instance). If it still fails, load large data in parts and ' +
      'free what is no longer needed.'
  }),
  physical: verdict('W-24', 'error', {
    title: 'Out of memory',
    onCe: 'the call fails: NULL and ERROR_NOT_ENOUGH_MEMORY (8)',
    advice:
      'Run the check with the memory of the device (--memory and --physical). If it still fails, free caches on WM_HIBERNATE, load large ' +
      'data in parts, and test every allocation for NULL.'
  }),
  cannotCreate: verdict('C-11', 'error', {
    title: 'The heap cannot be created',
    onCe: 'the call fails: NULL and ERROR_NOT_ENOUGH_MEMORY (8)',
    explanation:
      'A heap takes address space for its maximum size and memory for its initial size at once, and what the process has does not suffice.',
    advice:
      'Run the check with the memory of the device (--memory and --physical). If it still fails, ask for smaller sizes: a heap with a maximum of 0 ' +
      'takes memory only as it is used.'
  }),
  initialAboveMaximum: verdict('C-10', 'error', {
    title: 'Initial size above the maximum size',
    onCe: 'the call fails: NULL and ERROR_INVALID_PARAMETER (87) (our choice, the documentation is silent)'
  }),
  fragmented: verdict('W-23', 'note', {
    title: 'Fragmented heap',
    onCe: 'the free memory lies in pieces between live blocks'
  }),
  compactZero: verdict('W-22', 'warning', {
    title: 'HeapCompact returns 0 without having failed',
    onCe: 'returns 0 and sets the last error to NO_ERROR: no committed memory is free'
  }),
  compact: verdict('W-22', 'note', {
    title: 'The result of HeapCompact',
    onCe: 'returns the largest committed free block, and 0 where nothing is free'
  }),
  badHeap: verdict('C-4', 'error', {
    title: 'Not the handle of a live heap',
    onCe: 'the call fails with ERROR_INVALID_PARAMETER (87) (our choice; a device may crash)'
  }),
  freedTwice: verdict('C-5', 'error', {
    title: 'Block freed twice',
    onCe: 'the second free fails and changes nothing (our choice; a device may corrupt the heap)',
    explanation:
      'Once freed, the memory may have been given to another part of the program: a second free takes it away from there. The documentation ' +
      'does not say what CE does then; desktop Windows says that it may corrupt the heap.',
    advice: 'Free each block once. Set the pointer to NULL when it is freed, and test it before freeing.'
  }),
  usedAfterFree: verdict('C-5', 'error', {
    title: 'Freed block used in a heap call',
    onCe: 'the call fails and changes nothing (our choice; a device may corrupt the heap)',
    explanation: 'Once freed, the memory may have been given to another part of the program. No call may be made on it any more.',
    advice: 'Set the pointer to NULL when the block is freed, and look for a second pointer to the same block.'
  }),
  otherHeap: verdict('C-5', 'error', {
    title: 'Block of another heap',
    onCe: 'the call fails and changes nothing (our choice; a device may corrupt the heap)',
    explanation: 'A block belongs to the heap that it was allocated from, and every call on it must name that heap.',
    advice: 'Keep the handle of the heap with the pointer, or use one heap.'
  }),
  notRuntime: verdict('C-5', 'error', {
    title: 'Block of a heap of its own, given to the process heap',
    onCe: 'these functions work on the process heap, where no such block is (our choice; a device may corrupt the heap)',
    explanation: 'A block that HeapAlloc took from a heap of the program is none that malloc or CoTaskMemAlloc gave.',
    advice: 'Free and resize the block with HeapFree and HeapReAlloc and the handle of its heap.'
  }),
  foreign: verdict('C-5', 'error', {
    title: 'Pointer that is not the start of a block',
    onCe: 'the call fails and changes nothing (our choice; a device may corrupt the heap)',
    explanation: 'Heap functions want the pointer that an allocation returned: not one into a block, and not one from elsewhere.',
    advice: 'Keep the pointer as it was returned, and pass each pointer to the functions of the allocator that it came from.'
  }),
  refused: verdict('C-5', 'error', {
    title: 'Call that failed on a valid block',
    onCe: 'works, as far as the calls show: the heap of the recording was damaged, or its result was misread',
    explanation:
      'The block is allocated and not yet freed, so the call should have worked in the recording too. The usual cause is a heap whose ' +
      'structures the program has overwritten. On a CE device such a heap breaks in its own way.',
    advice: 'Look for writes past the end of a block (a memory checker on the desktop finds them) before the first line named here.'
  }),
  badResize: verdict('C-6', 'error', {
    title: 'Resizing what is no live block',
    onCe: 'the call fails: NULL and ERROR_INVALID_PARAMETER (87) (our choice; a device may corrupt the heap)'
  }),
  badLocal: verdict('C-15', 'error', {
    title: 'Not a live local block',
    onCe: 'the call fails with ERROR_INVALID_PARAMETER (87) (our choice; a device may corrupt the heap)'
  }),
  badTask: verdict('W-28', 'error', {
    title: 'Not a live block of the COM task allocator',
    onCe: 'the program can be terminated'
  }),
  processHeap: verdict('C-12', 'error', {
    title: 'The process heap is destroyed',
    onCe: 'the call fails: FALSE and ERROR_INVALID_PARAMETER (87) (our choice); the heap lives on'
  }),
  modify: verdict('LR-3', 'error', {
    title: 'A fixed block is to become movable',
    choice: 'C-32',
    onCe: 'the call fails: NULL and ERROR_INVALID_PARAMETER (87) (our choice C-32)',
    advice: 'Remove the call: memory on CE is always fixed.'
  }),
  perhapsFreedTwice: verdict('C-40', 'note', {
    title: 'Freed twice, or allocated out of sight',
    onCe: 'if it is one block, the second free fails (our choice C-5; a device may corrupt the heap)'
  }),
  succeedsGrowable: verdict('HC-4', 'note', {
    title: 'Failed in the recording, works on CE',
    onCe: 'succeeds',
    advice: 'Nothing to change. What the program does after the failure was not compared any further.'
  }),
  succeedsFixed: verdict('HC-3', 'note', {
    title: 'Failed in the recording, works on CE',
    onCe: 'succeeds',
    advice: 'Nothing to change. What the program does after the failure was not compared any further.'
  }),
  createSucceeds: verdict('HC-8', 'note', {
    title: 'Failed in the recording, works on CE',
    onCe: 'succeeds',
    advice: 'Nothing to change. What the program does after the failure was not compared any further.'
  }),
  damagedHeap: verdict('HV-5', 'error', {
    title: 'HeapValidate found a damaged heap',
    onCe: 'returns FALSE as well; on a debug device it also prints messages and stops at a breakpoint',
    explanation:
      'The recording says that the heap was damaged: the program wrote outside its blocks before this call. The emulator keeps its own ' +
      'books outside the memory of the program, so the replay goes on with a sound heap.',
    advice: 'Find the write past the end of a block or into a freed one that comes before this call, with a memory checker on the desktop.'
  }),
  leakProcessHeap: verdict('DT-3', 'note', {
    title: 'Blocks never freed, in the process heap',
    onCe: 'the memory comes back when the process ends',
    explanation:
      'These blocks of the process heap were still allocated when the recording ended. The system and the C runtime keep blocks of ' +
      'their own there; those come from call sites in their DLLs. A device runs for months, so what grows with every use is a leak.',
    advice: 'Look at the call sites of your own program, the largest first, and free there what is no longer used.'
  }),
  leakDestroyed: verdict('DT-3', 'note', {
    title: 'Blocks not freed before HeapDestroy',
    onCe: 'HeapDestroy frees them (HD-4)',
    explanation:
      'These blocks were still allocated when their heap was destroyed. CE allows that and takes the memory back, so it is no leak; it shows ' +
      'what the heap held until the end.',
    advice: 'Nothing to change where the heap is meant to be dropped as a whole; else free the blocks.'
  }),
  leakHeap: verdict('DT-3', 'warning', {
    title: 'Blocks never freed, in a heap never destroyed',
    onCe: 'the memory comes back only when the process ends',
    explanation:
      'These blocks were never freed, and their heap was never destroyed before the recording ended. On a device without paging every such ' +
      'block is physical memory that nothing else can use.',
    advice: 'Free the blocks, or call HeapDestroy when the heap is no longer needed.'
  })
}
