// Local*, Global*, GlobalMemoryStatus.
import { caseOf, type ConformCase, family } from './case.ts'

export const localCases: readonly ConformCase[] = family('local', [
  caseOf(
    'alloc',
    'LA-1 LA-6 LA-7',
    'LocalAlloc(flags, bytes) gives memory: the handle is the pointer',
    'p = LocalAlloc(LMEM_FIXED, 100) -> pointer\nfill(p, 100, 0x21)\nbytes(p, 100) -> all 0x21'
  ),
  caseOf('lptr', 'LA-3', 'LPTR gives zeros', 'p = LocalAlloc(LPTR, 1000) -> pointer\nbytes(p, 1000) -> all 0'),
  caseOf('zeroinit', 'LA-3', 'LMEM_ZEROINIT gives zeros', 'p = LocalAlloc(LMEM_ZEROINIT, 333) -> pointer\nbytes(p, 333) -> all 0'),
  caseOf(
    'process-heap',
    'LA-2',
    'a block of LocalAlloc is one of the process heap',
    'heap = GetProcessHeap() -> nonzero\np = LocalAlloc(0, 100) -> pointer\nHeapValidate(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'process-heap-size',
    'LA-2 LS-2',
    'HeapSize and LocalSize tell the same of it',
    'heap = GetProcessHeap() -> nonzero\np = LocalAlloc(0, 100) -> pointer\nn = LocalSize(p) -> >= 100\nHeapSize(heap, 0, p) -> n'
  ),
  caseOf(
    'process-heap-free',
    'LA-2',
    'HeapFree frees it',
    'heap = GetProcessHeap() -> nonzero\nrepeat 200: p = LocalAlloc(0, 0x8000) -> pointer; HeapFree(heap, 0, p) -> nonzero'
  ),
  caseOf(
    'heap-local-free',
    'LA-2',
    'LocalFree frees a block of the process heap',
    'heap = GetProcessHeap() -> nonzero\nrepeat 200: p = HeapAlloc(heap, 0, 0x8000) -> pointer; LocalFree(p) -> NULL'
  ),
  caseOf('failure-error', 'LA-7', 'a failure sets the last error', 'p = LocalAlloc(0, 0xFFFF0000) -> NULL, error set', {
    profiles: ['compact-2013', 'compact-7', 'ce-6.0']
  }),
  caseOf(
    'moveable',
    'C-14 LA-4',
    'LMEM_MOVEABLE is no flag of CE: memory does not move',
    'p = LocalAlloc(LMEM_MOVEABLE, 100) -> pointer\nfill(p, 100, 1)'
  ),
  caseOf('moveable-zero', 'C-14', 'LHND gives a fixed block of zeros', 'p = LocalAlloc(0x42, 100) -> pointer\nbytes(p, 100) -> all 0'),
  caseOf('free', 'LF-1', 'LocalFree answers NULL for success', 'p = LocalAlloc(0, 100) -> pointer\nLocalFree(p) -> NULL'),
  caseOf('free-null', 'LF-2', 'LocalFree(NULL) is ignored and answers NULL', 'LocalFree(NULL) -> NULL'),
  caseOf(
    'free-null-error',
    'LF-2 LF-1',
    'and is no failure',
    'p = LocalAlloc(0, 100) -> pointer\nLocalFree(NULL) -> NULL\nLocalFree(p) -> NULL'
  ),
  caseOf(
    'free-locked',
    'LF-3',
    'a locked block is freed too',
    'p = LocalAlloc(0, 100) -> pointer\nLocalLock(p) -> p\nLocalFree(p) -> NULL'
  ),
  caseOf(
    'free-bad',
    'C-15 LF-1',
    'a handle that is no block comes back, as the sign of failure',
    'p = LocalAlloc(0, 100) -> pointer\nLocalFree(p) -> NULL\nLocalFree(p) -> p'
  ),
  caseOf(
    'free-bad-code',
    'C-15',
    'as a wrong parameter',
    'p = LocalAlloc(0, 100) -> pointer\nLocalFree(p + 32) -> error 87\nLocalFree(p) -> NULL'
  ),
  caseOf('size', 'LS-1', 'LocalSize tells a size that suffices', 'p = LocalAlloc(0, 1000) -> pointer\nLocalSize(p) -> >= 1000'),
  caseOf(
    'size-bad',
    'LS-3',
    'LocalSize of a bad handle is 0 with a last error',
    'p = LocalAlloc(0, 1000) -> pointer\nLocalFree(p) -> NULL\nLocalSize(p) -> 0, error set'
  ),
  caseOf('size-bad-code', 'C-15', 'of a wrong parameter', 'LocalSize(0x23456) -> 0, error 87'),
  caseOf(
    'realloc-parameters',
    'LR-1 LR-7',
    'LocalReAlloc(block, bytes, flags): flags come last',
    'p = LocalAlloc(0, 100) -> pointer\nfill(p, 100, 0x66)\nq = LocalReAlloc(p, 5000, LMEM_MOVEABLE) -> pointer\nLocalSize(q) -> >= 5000\nbytes(q, 100) -> all 0x66'
  ),
  caseOf(
    'realloc-modify',
    'LR-2',
    'LMEM_MODIFY ignores the size',
    'p = LocalAlloc(0, 100) -> pointer\nn = LocalSize(p) -> >= 100\nLocalReAlloc(p, 0x7000, LMEM_MODIFY)\nLocalSize(p) -> n'
  ),
  caseOf(
    'realloc-modify-same',
    'C-33',
    'LMEM_MODIFY alone gives the handle back',
    'p = LocalAlloc(0, 100) -> pointer\nLocalReAlloc(p, 0, LMEM_MODIFY) -> p'
  ),
  caseOf(
    'realloc-modify-moveable',
    'LR-3',
    'turning a fixed block movable is an error',
    'p = LocalAlloc(0, 100) -> pointer\nLocalReAlloc(p, 0, LMEM_MODIFY + LMEM_MOVEABLE) -> NULL'
  ),
  caseOf(
    'realloc-modify-moveable-code',
    'C-32',
    'of a wrong parameter',
    'p = LocalAlloc(0, 100) -> pointer\nLocalReAlloc(p, 0, LMEM_MODIFY + LMEM_MOVEABLE) -> NULL, error 87'
  ),
  caseOf(
    'realloc-in-place',
    'LR-4',
    'without LMEM_MOVEABLE a block does not move',
    'p = LocalAlloc(0, 64) -> pointer\nq = LocalAlloc(0, 64) -> pointer\nLocalReAlloc(p, 0x4000, 0) -> NULL or p'
  ),
  caseOf(
    'realloc-in-place-keeps',
    'LR-4 LR-6',
    'and is kept if it cannot grow where it is',
    'p = LocalAlloc(0, 64) -> pointer\nfill(p, 64, 0x29)\nq = LocalAlloc(0, 64) -> pointer\nLocalReAlloc(p, 0xF0000000, 0) -> NULL\nbytes(p, 64) -> all 0x29\nLocalFree(p) -> NULL'
  ),
  caseOf(
    'realloc-in-place-code',
    'C-31',
    'which is told as a lack of memory',
    'p = LocalAlloc(0, 64) -> pointer\nLocalReAlloc(p, 0xF0000000, 0) -> NULL, error 8'
  ),
  caseOf(
    'realloc-shrink',
    'LR-4',
    'shrinking needs no LMEM_MOVEABLE',
    'p = LocalAlloc(0, 4000) -> pointer\nfill(p, 4000, 0x37)\nq = LocalReAlloc(p, 100, 0) -> pointer\nbytes(q, 100) -> all 0x37'
  ),
  caseOf(
    'realloc-failure-error',
    'LR-6',
    'a failure sets the last error',
    'p = LocalAlloc(0, 64) -> pointer\nLocalReAlloc(p, 0xFFFF0000, LMEM_MOVEABLE) -> NULL, error set'
  ),
  caseOf(
    'realloc-bad',
    'C-15',
    'a handle that is no block is a wrong parameter',
    'LocalReAlloc(0x23456, 100, LMEM_MOVEABLE) -> NULL, error 87'
  ),
  caseOf(
    'lock',
    'LM-1',
    'LocalLock and LocalHandle give what they get',
    'p = LocalAlloc(0, 100) -> pointer\nLocalLock(p) -> p\nLocalHandle(p) -> p'
  ),
  caseOf(
    'unlock',
    'LM-1 LM-2',
    'LocalUnlock is 0 at once, LocalFlags always',
    'p = LocalAlloc(0, 100) -> pointer\nLocalUnlock(p) -> 0\nLocalFlags(p) -> 0\nLocalFree(p) -> NULL\nLocalFlags(p) -> 0'
  ),
  caseOf('other-thread', 'LA-2', 'a block may be freed by another thread', 'p = LocalAlloc(0, 100) -> pointer\n2: LocalFree(p) -> NULL')
])

export const globalCases: readonly ConformCase[] = family('global', [
  caseOf('alloc', 'GA-1', 'GlobalAlloc is LocalAlloc', 'p = GlobalAlloc(0, 100) -> pointer\nLocalSize(p) -> >= 100\nLocalFree(p) -> NULL'),
  caseOf('zero', 'GA-1', 'GPTR gives zeros', 'p = GlobalAlloc(0x40, 500) -> pointer\nbytes(p, 500) -> all 0'),
  caseOf(
    'realloc',
    'GA-1',
    'GlobalReAlloc is LocalReAlloc',
    'p = GlobalAlloc(0, 100) -> pointer\nfill(p, 100, 4)\nq = GlobalReAlloc(p, 3000, 2) -> pointer\nbytes(q, 100) -> all 4\nGlobalFree(q) -> NULL'
  ),
  caseOf('size', 'GA-1', 'GlobalSize is LocalSize', 'p = LocalAlloc(0, 100) -> pointer\nn = LocalSize(p) -> >= 100\nGlobalSize(p) -> n'),
  caseOf(
    'lock',
    'GA-1 LM-1',
    'GlobalLock, GlobalHandle, GlobalUnlock and GlobalFlags are the macros',
    'p = GlobalAlloc(0, 100) -> pointer\nGlobalLock(p) -> p\nGlobalHandle(p) -> p\nGlobalUnlock(p) -> 0\nGlobalFlags(p) -> 0'
  ),
  caseOf(
    'ghnd',
    'C-14 GA-3',
    'GHND carries LMEM_MOVEABLE and gives a fixed block of zeros',
    'p = GlobalAlloc(0x42, 100) -> pointer\nbytes(p, 100) -> all 0'
  ),
  caseOf(
    'status',
    'GM-1 GM-2 GM-3',
    'GlobalMemoryStatus fills 32 bytes',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\nread32(s + 4) -> <= 100\ntotal = read32(s + 8) -> nonzero\nread32(s + 12) -> <= total\nread32(s + 32) -> 0'
  ),
  caseOf(
    'status-virtual',
    'GM-4',
    'it tells the address space of the program',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\ntotal = read32(s + 24) -> nonzero, <= 0x80000000\nread32(s + 28) -> <= total'
  ),
  caseOf(
    'status-virtual-5',
    'GM-4 VL-1',
    'which on CE 5.0 is at most 32 MB',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\nread32(s + 24) -> <= 0x2000000',
    { profiles: ['ce-5.0'] }
  ),
  caseOf(
    'status-again',
    'GM-5',
    'a second call need not agree with the first, but keeps to the same bounds',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\nGlobalMemoryStatus(s)\nread32(s + 4) -> <= 100\ntotal = read32(s + 8) -> nonzero\nread32(s + 12) -> <= total'
  ),
  caseOf(
    'status-falls',
    'GM-2',
    'available memory falls when memory is committed and written',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\nbefore = read32(s + 12) -> nonzero\np = VirtualAlloc(0, 0x100000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE) -> pointer\nfill(p, 0x100000, 0x71)\nGlobalMemoryStatus(s)\nread32(s + 12) -> < before'
  ),
  caseOf(
    'status-virtual-falls',
    'GM-4',
    'available address space falls when some is reserved',
    's = LocalAlloc(LPTR, 64) -> pointer\nwrite32(s, 32)\nGlobalMemoryStatus(s)\nbefore = read32(s + 28) -> nonzero\np = VirtualAlloc(0, 0x100000, MEM_RESERVE, PAGE_NOACCESS) -> pointer\nGlobalMemoryStatus(s)\nread32(s + 28) -> < before'
  )
])
