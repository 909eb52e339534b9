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
  | 'snapshot'
  | 'inherit'
  | 'snapshotClosed'
  | 'sectionGone'
  | 'sectionShared'
  | 'spy'
  | 'pendingRevoke'
  | 'taskBlock'
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
  snapshot: verdict('W-21', 'warning', {
    title: 'Tool-help snapshot',
    onCe: 'CloseHandle leaks the snapshot: it is closed with CloseToolhelp32Snapshot'
  }),
  inherit: verdict('W-21', 'warning', {
    title: 'TH32CS_INHERIT means something else',
    onCe: 'the bit 0x80000000 is TH32CS_GETALLMODS: the snapshot lists the modules of all processes'
  }),
  snapshotClosed: verdict('W-21', 'error', {
    title: 'Snapshot closed with CloseHandle',
    onCe: 'the snapshot leaks: CloseHandle does not close it (TH-5)'
  }),
  sectionGone: verdict('CS-5', 'error', {
    title: 'Critical section used after it was deleted',
    choice: 'C-76',
    onCe: 'the call changes nothing: Enter returns without having entered (our choice C-76; a device may crash or hang)',
    advice: 'Delete a section only when no thread can call on it any more, and initialise it before it is used again.'
  }),
  sectionShared: verdict('W-27', 'note', {
    title: 'Critical section of several threads',
    onCe: 'its owner runs at the priority of the most urgent thread that waits: threads get through in another order than on the desktop'
  }),
  spy: verdict('SP-4', 'note', {
    title: 'Malloc spy',
    onCe: 'every call of IMalloc goes through the spy; what it adds to sizes and pointers does not show in a recording',
    advice: 'Nothing to change. Compare figures of memory with a recording without the spy.'
  }),
  pendingRevoke: verdict('SP-6', 'warning', {
    title: 'Spy revoked while its blocks live',
    onCe: 'E_ACCESSDENIED as well: the spy stays until the last block that it saw is freed, and is released then',
    advice: 'Free those blocks, and keep the spy alive until its Release.'
  }),
  taskBlock: verdict('C-52', 'warning', {
    title: 'Block of the COM task allocator given to another family',
    onCe: 'works here, where the task allocator is the process heap; a device may differ, and a spy does not see the call'
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
