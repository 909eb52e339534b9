import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'

export const porting: readonly Rule[] = section('Porting surprises', [
  rule('W-1', 'porting', 'all', 'reported', {
    statement:
      "HEAP_NO_SERIALIZE does nothing on CE: every heap call takes the heap's lock. The time that the flag saves on desktop Windows " +
      "is not saved there, while races between the program's own threads stay as they are.",
    seeAlso: ['FL-1'],
    advice: "Drop the flag, and keep the program's own locks around data that its threads share: the heap's lock protects the heap alone."
  }),
  rule('W-2', 'porting', 'all', 'reported', {
    statement:
      'HEAP_GENERATE_EXCEPTIONS is not a CE flag: a failed allocation returns NULL and raises nothing. Code that relies on the ' +
      'exception and never tests for NULL goes on with address 0 and crashes.',
    seeAlso: ['FL-5', 'FL-6', 'C-13'],
    advice:
      'Remove the flag, test every result of HeapAlloc and HeapReAlloc for NULL, and move what the exception handler did into that ' +
      'test.'
  }),
  rule('W-3', 'porting', 'all', 'reported', {
    statement:
      'HEAP_CREATE_ENABLE_EXECUTE is not a CE flag, so code placed in memory from such a heap cannot count on being allowed to run.',
    seeAlso: ['FL-7', 'C-13'],
    advice: 'Remove the flag. Take memory for generated code from VirtualAlloc with PAGE_EXECUTE_READWRITE instead of from a heap.'
  }),
  rule('W-4', 'porting', 'all', 'reported', {
    statement:
      'HeapWalk, HeapLock, HeapUnlock, GetProcessHeaps, HeapSetInformation and HeapQueryInformation are neither documented for CE ' +
      'nor exported by its coredll.dll: a program that calls them does not link.',
    seeAlso: ['EX-6', 'EX-8', 'EX-9'],
    advice:
      'Remove these calls. To list heaps and blocks use a tool-help snapshot; to hold a heap over several calls use a critical ' +
      'section of your own.'
  }),
  rule('W-5', 'porting', 'all', 'reported', {
    statement:
      'HeapSize and LocalSize return the size rounded up to 32 bytes on retail devices and the exact size on debug ones. Code that ' +
      'takes the result as the length of its data behaves differently in the two builds.',
    seeAlso: ['HS-3', 'HS-4', 'LS-2', 'C-17'],
    advice: 'Keep the requested length in a variable of your own, and use HeapSize or LocalSize only as the capacity of the block.'
  }),
  rule('W-6', 'porting', 'all', 'reported', {
    statement:
      'A failing HeapAlloc sets the last error to 87 or 8 in CE 6.0 and 2013, but leaves it alone in CE 3.0 to 5.0 and Windows ' +
      'Mobile 6.5. There GetLastError returns whatever an earlier call left.',
    seeAlso: ['HA-4', 'HA-5', 'C-37'],
    advice:
      'Decide by the NULL result alone. Where the code is wanted for a message, call SetLastError(0) before HeapAlloc and treat 0 ' +
      'as out of memory.'
  }),
  rule('W-7', 'porting', 'all', 'reported', {
    statement:
      'HeapSize reports failure as 0xFFFFFFFF and sets no last error; LocalSize reports failure as 0 and sets one. Code written for ' +
      'one of them misreads the other.',
    seeAlso: ['HS-5', 'LS-3', 'C-38'],
    advice: "Compare HeapSize's result with 0xFFFFFFFF and LocalSize's with 0, and call GetLastError only after LocalSize."
  }),
  rule('W-8', 'porting', 'all', 'reported', {
    statement: 'LocalFree of NULL is safe on CE, but HeapFree of NULL is not promised to be, although desktop Windows allows it.',
    seeAlso: ['LF-2', 'HF-4', 'C-5'],
    advice: 'Test the pointer before the call: if (p) HeapFree(heap, 0, p).'
  }),
  rule('W-9', 'porting', 'all', 'background', {
    statement:
      'LocalFree returns NULL for success and the handle for failure, the reverse of HeapFree. It does so on desktop Windows too ' +
      'and is often got wrong.',
    seeAlso: ['LF-1'],
    advice: 'Write the test as if (LocalFree(h) != NULL) and handle the failure there.'
  }),
  rule('W-10', 'porting', 'all', 'reported', {
    statement:
      'CE has no movable or discardable memory: LMEM_MOVEABLE, LHND and their relatives are not in its flag table. LocalLock is a ' +
      'cast there, LocalFlags is always 0 and LocalUnlock is always 0.',
    seeAlso: ['LA-4', 'LA-5', 'LM-1', 'LM-2', 'GA-3', 'C-14'],
    advice:
      'Allocate with LMEM_FIXED or LPTR and use the returned handle as the pointer. Remove code that counts locks or waits for ' +
      'memory to be discarded.'
  }),
  rule('W-11', 'porting', 'all', 'reported', {
    statement: 'On CE the GlobalAlloc family are macros over the Local functions, not exports, and GlobalMemoryStatusEx is absent.',
    seeAlso: ['GA-1', 'GM-6'],
    advice:
      'Call LocalAlloc and its relatives directly, never look the Global names up with GetProcAddress, and use GlobalMemoryStatus ' +
      'in place of GlobalMemoryStatusEx.'
  }),
  rule('W-12', 'porting', 'all', 'reported', {
    statement:
      'LocalReAlloc without LMEM_MOVEABLE may not move the block, so a growth that does not fit behind it fails where a desktop ' +
      'programmer expects success.',
    seeAlso: ['LR-4', 'C-31'],
    advice:
      'Pass LMEM_MOVEABLE when the block may move, use the returned handle from then on, and keep the old one until the result is ' +
      'known not to be NULL.'
  }),
  rule('W-13', 'porting', 'all', 'reported', {
    statement:
      "HeapReAlloc with a NULL pointer is not an allocation, unlike C's realloc. IMalloc::Realloc and CoTaskMemRealloc with NULL do " +
      'allocate.',
    seeAlso: ['HR-3', 'IM-4', 'C-6'],
    advice: 'Call HeapAlloc for the first allocation: p ? HeapReAlloc(heap, 0, p, n) : HeapAlloc(heap, 0, n).'
  }),
  rule('W-14', 'porting', 'all', 'reported', {
    statement:
      'CoTaskMemRealloc to 0 bytes frees the block and returns NULL; when memory is out it also returns NULL but keeps the block. ' +
      'The result alone does not tell whether the block still exists.',
    seeAlso: ['IM-5', 'IM-6'],
    advice:
      'Look at the size as well: after NULL for a size of 0 forget the old pointer, after NULL for any other size keep and later ' +
      'free it.'
  }),
  rule('W-15', 'porting', 'all', 'reported', {
    statement:
      'Sizes on CE are 32-bit (DWORD, UINT, ULONG), never SIZE_T. A size computed in 64 bits is cut off, and a product that passes ' +
      '4 GB wraps to a small number.',
    seeAlso: ['HC-1', 'HP-1', 'IM-3', 'C-3'],
    advice:
      'Check that a size is below 4 GB before casting it to DWORD, and check multiplications and additions for overflow before ' +
      'allocating.'
  }),
  rule('W-16', 'porting', 'all', 'reported', {
    statement:
      'A heap with a maximum size refuses requests of 0x7FFF8 bytes (just under 512 KB) and more, however large it is, and some of ' +
      "its bytes hold the heap's own structures.",
    seeAlso: ['HA-2', 'HC-10', 'C-2'],
    advice:
      'Create the heap with a maximum size of 0 where large blocks are needed, or take those from VirtualAlloc; give a fixed heap ' +
      'some room above the sum of its blocks.'
  }),
  rule('W-17', 'porting', 'all', 'reported', {
    statement:
      'A block above a limit that depends on the CE version leaves the heap and gets virtual memory of its own. Each such block ' +
      'costs at least 64 KB of address space, so a CE 5 process with its 32 MB has room for at most 512.',
    seeAlso: ['HI-9', 'HI-10', 'HI-11', 'HI-12', 'VA-3', 'VL-5', 'C-23', 'C-30'],
    advice: 'Keep blocks below the limit, reuse large buffers instead of allocating them again, or divide one large block yourself.'
  }),
  rule('W-18', 'porting', '<=5.0', 'reported', {
    statement: 'On CE 5 and earlier a process has 32 MB of address space for everything, and the device runs at most 32 processes.',
    seeAlso: ['VL-1', 'C-29'],
    advice: 'Keep program, stacks and heaps together well below 32 MB. Load large data in parts.'
  }),
  rule('W-19', 'porting', '5.0, 6.0', 'reported', {
    statement:
      'On CE VirtualFree with MEM_RELEASE needs all pages of the region in one state. A region of which only a part is committed is ' +
      'not released, and its address space leaks.',
    seeAlso: ['VF-5'],
    advice: 'Call VirtualFree(p, size, MEM_DECOMMIT) for the whole region, then VirtualFree(p, 0, MEM_RELEASE), and test both results.'
  }),
  rule('W-20', 'porting', 'all', 'reported', {
    statement:
      'On CE VirtualAlloc of 0 bytes is an error, MEM_RESET is not supported, VirtualQuery does not fill AllocationProtect, and one ' +
      'VirtualProtect call may not span two allocations.',
    seeAlso: ['VA-4', 'VA-11', 'VQ-2', 'VP-2'],
    advice:
      'Never pass a size of 0, replace MEM_RESET by MEM_DECOMMIT and a new commit, remember protections yourself, and call ' +
      'VirtualProtect once for each allocation.'
  }),
  rule('W-21', 'porting', 'all', 'reported', {
    statement:
      'Tool help differs on CE: Heap32First takes the snapshot handle as an extra first parameter, snapshots are not closed with ' +
      'CloseHandle, and the bit that means INHERIT on the desktop asks for all modules.',
    seeAlso: ['TH-3', 'TH-5', 'TH-6', 'TH-8', 'TH-17'],
    advice:
      'Pass the snapshot to Heap32First, close with CloseToolhelp32Snapshot, link toolhelp.lib, drop TH32CS_INHERIT, and add ' +
      'TH32CS_SNAPNOHEAPS to snapshots that need only processes.'
  }),
  rule('W-22', 'porting', 'all', 'reported', {
    statement: 'HeapCompact can return 0 without having failed: a heap with no free space gives 0 as well.',
    seeAlso: ['HP-4'],
    advice: 'After a result of 0 call GetLastError: NO_ERROR means that there is no free space, anything else is a failure.'
  }),
  rule('W-23', 'porting', 'all', 'reported', {
    statement:
      'CE heaps have only blocks that never move, so a fragmented heap stays fragmented: a page goes back to the system only when ' +
      'all of it is free.',
    seeAlso: ['HI-1', 'HI-14'],
    advice:
      'Give each kind of object of one size a heap of its own, free in the reverse order of allocation, and destroy a heap as a ' +
      'whole where its objects end together.'
  }),
  rule('W-24', 'porting', 'all', 'reported', {
    statement:
      'CE has no paging to fall back on: when memory is out, allocations fail. Before that, CE asks programs by the message ' +
      'WM_HIBERNATE to free memory.',
    seeAlso: ['HI-18', 'SP-11', 'DT-2'],
    advice:
      'Handle WM_HIBERNATE by freeing caches, test every allocation for NULL, and try these paths by making allocations fail on ' +
      'purpose.'
  }),
  rule('W-25', 'porting', 'all', 'reported', {
    statement:
      'HEAP_SHARED_READONLY, CeHeapCreate and CeVirtualSharedAlloc exist on CE alone. The first needs kernel mode from CE 5.0 on, ' +
      'the last from CE 6.0 on.',
    seeAlso: ['FL-8', 'VX-2', 'EX-4', 'C-16'],
    advice: 'Keep these calls behind a CE-only condition, and share memory between ordinary programs through a file mapping instead.'
  }),
  rule('W-26', 'porting', 'all', 'background', {
    statement: 'On CE the heap functions live in coredll.dll, so a P/Invoke declaration that names kernel32.dll does not find them.',
    seeAlso: ['GA-4'],
    advice: 'Name coredll.dll in DllImport and LoadLibrary, for instance by a constant that the build for CE sets.'
  }),
  rule('W-27', 'porting', 'all', 'reported', {
    statement:
      'On CE the owner of a critical section runs at the priority of the most urgent thread waiting for it, so the timing of ' +
      'threads differs from the desktop.',
    seeAlso: ['CS-8'],
    advice: 'Keep critical sections short, and do not rely on the order or timing in which threads get through them.'
  }),
  rule('W-28', 'porting', 'all', 'reported', {
    statement: 'On CE an invalid pointer passed to CoTaskMemRealloc, and in some circumstances NULL, can terminate the program.',
    seeAlso: ['CT-3'],
    advice:
      'Pass only pointers that the same allocator gave and that are not yet freed; set pointers to NULL after freeing them and test ' +
      'them before the call.'
  })
])
