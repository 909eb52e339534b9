import { type Verdict, verdict } from './verdict.ts'

type HabitName =
  | 'noSerialize'
  | 'exceptions'
  | 'execute'
  | 'absentHeap'
  | 'freeNull'
  | 'moveable'
  | 'localObsolete'
  | 'unlock'
  | 'memoryFlags'
  | 'globalMacro'
  | 'globalStatusEx'
  | 'realloc0'
  | 'size64'
  | 'bigBlock'
  | 'virtualZero'
  | 'memReset'
  | 'virtualQuery'
  | 'commitNull'
  | 'mixedRelease'
  | 'commitNullCe5'
  | 'virtualEx'
  | 'snapshot'
  | 'inherit'
  | 'heap32'
  | 'ceOnly'
  | 'kernelOnly'
  | 'spinCount'
  | 'zeroBytes'
  | 'shrinkToZero'
  | 'oddFlags'

/** What the arguments of a call alone show: desktop habits that CE does not share (porting.ts decides). */
export const habits: Readonly<Record<HabitName, Verdict>> = {
  noSerialize: verdict('W-1', 'note', {
    title: 'HEAP_NO_SERIALIZE has no effect',
    onCe: "the flag is ignored and the heap's lock is taken"
  }),
  exceptions: verdict('W-2', 'warning', {
    title: 'HEAP_GENERATE_EXCEPTIONS is not a CE flag',
    choice: 'C-13',
    onCe: 'the flag is ignored: a failure returns NULL and raises no exception'
  }),
  execute: verdict('W-3', 'warning', {
    title: 'HEAP_CREATE_ENABLE_EXECUTE is not a CE flag',
    choice: 'C-13',
    onCe: 'the flag is ignored: memory of this heap is not made executable'
  }),
  absentHeap: verdict('W-4', 'error', {
    title: 'Heap function that CE does not have',
    onCe: "coredll.dll, which is CE's kernel32.dll, does not have the function: the program does not link or load"
  }),
  freeNull: verdict('W-8', 'warning', {
    title: 'HeapFree of NULL',
    choice: 'C-5',
    onCe: 'the call fails: FALSE and ERROR_INVALID_PARAMETER (87); nothing is damaged (our choice C-5, the documentation is silent)'
  }),
  moveable: verdict('W-10', 'warning', {
    title: 'Movable or discardable memory',
    choice: 'C-14',
    onCe: 'the block is fixed, its handle is its address, and it is never moved or discarded (our choice C-14)'
  }),
  localObsolete: verdict('W-10', 'warning', {
    title: 'Function for movable memory',
    onCe: 'nothing in CE moves or is discarded, and the function is not among the documented ones',
    advice: 'Remove the call: there is nothing to compact or to shrink. HeapCompact gives wholly free pages of a heap back.'
  }),
  unlock: verdict('W-10', 'warning', {
    title: 'Lock counts do not exist',
    onCe: 'the call is a macro that gives 0: no locks are counted',
    advice: 'Remove code that counts locks or waits until a lock count is 0: the block can be used and freed at any time.'
  }),
  memoryFlags: verdict('W-10', 'warning', {
    title: 'LocalFlags and GlobalFlags say nothing',
    onCe: 'the call is a macro that gives 0 for every handle',
    advice: 'Remove tests for discarded memory and for invalid handles: this call never tells of either.'
  }),
  globalMacro: verdict('W-11', 'note', {
    title: 'The Global functions are macros',
    onCe: 'the compiler turns it into the Local function of the same name',
    advice:
      'Nothing to change where the program is compiled from source. Call LocalAlloc and its relatives directly where the names are ' +
      'looked up at run time (GetProcAddress, P/Invoke).'
  }),
  globalStatusEx: verdict('W-11', 'error', {
    title: 'GlobalMemoryStatusEx does not exist',
    onCe: "coredll.dll, which is CE's kernel32.dll, does not have the function: the program does not link or load"
  }),
  realloc0: verdict('W-14', 'note', {
    title: 'CoTaskMemRealloc to 0 bytes',
    onCe: 'the block is freed and NULL is returned, which looks like a failure'
  }),
  size64: verdict('W-15', 'error', {
    title: 'Size of 4 GB or more',
    onCe: 'a size has 32 bits: the upper half is cut off, and a much smaller block or an error comes back'
  }),
  bigBlock: verdict('W-17', 'note', {
    title: 'Block with virtual memory of its own',
    choice: 'C-23',
    onCe: 'the block lies outside the heap and costs whole 64 KB of address space'
  }),
  virtualZero: verdict('W-20', 'error', {
    title: 'VirtualAlloc of 0 bytes',
    onCe: 'the call fails: a size of 0 is an error',
    explanation: 'VirtualAlloc gives whole pages, and none for a size of 0: CE documents that as an error (VA-4).',
    advice: 'Test the size before the call, and find out why it is 0.'
  }),
  memReset: verdict('W-20', 'error', {
    title: 'MEM_RESET is not supported',
    onCe: 'the call fails: MEM_RESET does not exist',
    explanation: 'MEM_RESET tells desktop Windows that the content of pages is no longer needed. CE does not support it (VA-11).',
    advice: 'Give the pages back with VirtualFree and MEM_DECOMMIT, and commit them again when they are needed.'
  }),
  virtualQuery: verdict('W-20', 'note', {
    title: 'AllocationProtect is not filled',
    onCe: 'the member AllocationProtect of the answer is not filled',
    explanation: 'CE does not support the member AllocationProtect of MEMORY_BASIC_INFORMATION (VQ-2).',
    advice: 'Nothing to change where the program does not read that member. Else keep the protection that VirtualAlloc was given.'
  }),
  mixedRelease: verdict('W-19', 'error', {
    title: 'MEM_RELEASE of a partly committed region',
    onCe: 'the call fails and the region stays reserved: some of its pages are committed and some are not (VF-5)'
  }),
  commitNull: verdict('C-20', 'note', {
    title: 'MEM_COMMIT without MEM_RESERVE and address',
    onCe: 'taken to reserve and commit, as on the desktop (our choice, the documentation is silent)'
  }),
  commitNullCe5: verdict('C-20', 'warning', {
    title: 'MEM_COMMIT without MEM_RESERVE and address',
    onCe: 'CE 5.0 wants MEM_RESERVE as well; here it is taken to reserve and commit (our choice)'
  }),
  virtualEx: verdict('VX-1', 'error', {
    title: 'Function that came with CE 6.0',
    onCe: 'CE 5.0 does not have the function',
    advice: 'Call VirtualAlloc, VirtualFree and VirtualProtect in the process that owns the memory.'
  }),
  snapshot: verdict('W-21', 'warning', {
    title: 'Tool-help snapshot',
    onCe: 'CloseHandle leaks the snapshot: it is closed with CloseToolhelp32Snapshot'
  }),
  inherit: verdict('W-21', 'warning', {
    title: 'TH32CS_INHERIT means something else',
    onCe: 'the bit 0x80000000 is TH32CS_GETALLMODS: the snapshot lists the modules of all processes'
  }),
  heap32: verdict('W-21', 'error', {
    title: 'Heap walk with other parameters',
    onCe: 'Heap32First and Heap32Next take the snapshot handle as an additional first parameter: the desktop call does not compile'
  }),
  ceOnly: verdict('W-25', 'note', {
    title: 'Function that only CE has',
    onCe: 'the function exists, desktop Windows does not have it'
  }),
  kernelOnly: verdict('W-25', 'error', {
    title: 'HEAP_SHARED_READONLY needs kernel mode',
    choice: 'C-16',
    onCe: 'the call fails: NULL and ERROR_ACCESS_DENIED (5), unless the program runs in kernel mode'
  }),
  spinCount: verdict('CS-11', 'error', {
    title: 'Critical section with a spin count',
    onCe: "coredll.dll, which is CE's kernel32.dll, does not have the function: the program does not link or load",
    explanation:
      'CE has InitializeCriticalSection alone. Spin counts and the functions that set them, InitializeCriticalSectionAndSpinCount and ' +
      'InitializeCriticalSectionEx, belong to the desktop.',
    advice: 'Call InitializeCriticalSection; there is no spin count to set.'
  }),
  zeroBytes: verdict('C-1', 'note', {
    title: 'Allocation of 0 bytes',
    onCe: 'gives a valid block of 32 bytes (our choice, the documentation is silent)',
    explanation: 'The pages on CE do not say what an allocation of 0 bytes gives. Here it is a valid block, as on desktop Windows.'
  }),
  shrinkToZero: verdict('C-7', 'note', {
    title: 'HeapReAlloc to 0 bytes',
    onCe: 'gives a valid block of 32 bytes and frees nothing (our choice, the documentation is silent)',
    explanation: 'The pages on CE do not say what HeapReAlloc to 0 bytes does. Here the block stays.'
  }),
  oddFlags: verdict('C-13', 'warning', {
    title: 'Flags that CE does not list',
    onCe: 'the flags are ignored (our choice, the documentation is silent)'
  })
}
