// HeapAlloc, HeapFree and their flags.
import { caseOf, type ConformCase, family } from './case.ts'

const on = { on: 'heap' } as const
const setsError = ['compact-2013', 'compact-7', 'ce-6.0'] as const

export const heapAllocCases: readonly ConformCase[] = family('heapalloc', [
  caseOf(
    'not-larger-heap',
    'HA-1',
    'flags come before the size: HeapAlloc(heap, flags, bytes)',
    'p = HeapAlloc(heap, 8, 100) -> pointer\nn = HeapSize(heap, 0, p) -> >= 100',
    on
  ),
  caseOf(
    'no-serialize',
    'FL-1',
    'HEAP_NO_SERIALIZE is accepted by HeapAlloc',
    'p = HeapAlloc(heap, HEAP_NO_SERIALIZE, 100) -> pointer\nfill(p, 100, 1)',
    on
  ),
  caseOf(
    'no-serialize-zero',
    'FL-1 FL-3',
    'HEAP_NO_SERIALIZE does not disturb HEAP_ZERO_MEMORY',
    'p = HeapAlloc(heap, HEAP_NO_SERIALIZE + HEAP_ZERO_MEMORY, 100) -> pointer\nbytes(p, 100) -> all 0',
    on
  ),
  caseOf(
    'zero-large',
    'FL-3',
    'HEAP_ZERO_MEMORY zeroes a block of many pages',
    'p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 0x9000) -> pointer\nbytes(p, 0x9000) -> all 0',
    on
  ),
  caseOf(
    'override',
    'FL-11',
    'flags of a call hold for that call alone',
    `p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100) -> pointer
     fill(p, 100, 5)
     q = HeapAlloc(heap, 0, 100) -> pointer
     r = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100) -> pointer
     bytes(r, 100) -> all 0`,
    on
  ),
  caseOf(
    'no-exceptions',
    'FL-5',
    'HEAP_GENERATE_EXCEPTIONS raises nothing: a failure is NULL',
    'p = HeapAlloc(heap, 4, 0xFFFF0000) -> NULL',
    on
  ),
  caseOf(
    'does-not-move',
    'HA-3',
    'a block stays where it is while others come and go',
    `p = HeapAlloc(heap, 0, 64) -> pointer
     fill(p, 64, 0x12)
     repeat 100: x = HeapAlloc(heap, 0, 200) -> pointer, not p
     HeapValidate(heap, 0, p) -> nonzero
     bytes(p, 64) -> all 0x12`,
    on
  ),
  caseOf(
    'failure-error',
    'HA-4',
    'a failure sets ERROR_NOT_ENOUGH_MEMORY or ERROR_INVALID_PARAMETER',
    'p = HeapAlloc(heap, 0, 0xFFFF0000) -> NULL, error 8 or 87',
    {
      ...on,
      profiles: setsError
    }
  ),
  caseOf(
    'failure-error-exhausted',
    'HA-4',
    'memory that is used up sets one of the two codes as well',
    'drain 5000: p = HeapAlloc(heap, 0, 0x8000) -> error 8 or 87',
    {
      ...on,
      profiles: setsError
    }
  ),
  caseOf(
    'failure-error-kept',
    'HA-5',
    'on CE 5.0 a failing HeapAlloc leaves the last error alone',
    'p = HeapAlloc(heap, 0, 0xFFFF0000) -> NULL, error kept',
    {
      ...on,
      profiles: ['ce-5.0']
    }
  ),
  caseOf(
    'failure-error-kept-exhausted',
    'HA-5',
    'on CE 5.0 used up memory leaves the last error alone',
    'drain 5000: p = HeapAlloc(heap, 0, 0x8000) -> error kept',
    {
      ...on,
      profiles: ['ce-5.0']
    }
  ),
  caseOf('free', 'HF-1 HF-5', 'a good free answers nonzero', 'p = HeapAlloc(heap, 0, 10) -> pointer\nHeapFree(heap, 0, p) -> nonzero', on),
  caseOf(
    'free-no-serialize',
    'FL-1 HF-2',
    'HEAP_NO_SERIALIZE is accepted by HeapFree',
    'p = HeapAlloc(heap, 0, 10) -> pointer\nHeapFree(heap, HEAP_NO_SERIALIZE, p) -> nonzero',
    on
  ),
  caseOf(
    'free-any-order',
    'HF-5',
    'blocks may be freed in any order',
    `a = HeapAlloc(heap, 0, 40) -> pointer
     b = HeapAlloc(heap, 0, 400) -> pointer
     c = HeapAlloc(heap, 0, 4000) -> pointer
     HeapFree(heap, 0, b) -> nonzero
     HeapFree(heap, 0, a) -> nonzero
     HeapFree(heap, 0, c) -> nonzero
     HeapValidate(heap, 0, 0) -> nonzero`,
    on
  ),
  caseOf(
    'limit-below',
    'HA-2',
    'a fixed heap grants 0x7FFF7 bytes, the largest it may be asked for',
    'heap = HeapCreate(0, 0, 0x100000) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF7) -> pointer\nfill(p, 0x7FFF7, 1)\nHeapSize(heap, 0, p) -> >= 0x7FFF7'
  ),
  caseOf(
    'limit',
    'HA-2',
    'a fixed heap refuses 0x7FFF8 bytes, however large it is',
    'heap = HeapCreate(0, 0, 0x200000) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF8) -> NULL\nq = HeapAlloc(heap, 0, 0x7FFF9) -> NULL'
  ),
  caseOf(
    'limit-growable',
    'HA-2',
    'a growable heap grants 0x7FFF8 bytes',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF8) -> pointer\nq = HeapAlloc(heap, 0, 0x80000) -> pointer, not p'
  ),
  caseOf(
    'limit-error',
    'HA-2 HA-4',
    'the refusal sets one of the two documented codes',
    'heap = HeapCreate(0, 0, 0x200000) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF8) -> NULL, error 8 or 87',
    { profiles: setsError }
  ),
  caseOf(
    'limit-code',
    'C-2',
    'the refusal is told as a lack of memory',
    'heap = HeapCreate(0, 0, 0x200000) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF8) -> NULL, error 8',
    { profiles: setsError }
  ),
  caseOf('huge-code', 'C-3', 'a size near 4 GB is told as a lack of memory', 'p = HeapAlloc(heap, 0, 0xFFFFFFFF) -> NULL, error 8', {
    ...on,
    profiles: setsError
  }),
  caseOf(
    'free-null-heap',
    'HF-3',
    'HeapFree with a NULL heap fails with ERROR_INVALID_PARAMETER',
    'p = HeapAlloc(heap, 0, 10) -> pointer\nHeapFree(0, 0, p) -> 0, error ERROR_INVALID_PARAMETER',
    on
  ),
  caseOf(
    'free-null-heap-keeps',
    'HF-3 HF-5',
    'HeapFree with a NULL heap leaves the block',
    'p = HeapAlloc(heap, 0, 10) -> pointer\nfill(p, 10, 7)\nHeapFree(0, 0, p) -> 0\nbytes(p, 10) -> all 7\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf('alloc-null-heap', 'C-4', 'HeapAlloc from a NULL heap fails as a wrong parameter', 'p = HeapAlloc(0, 0, 10) -> NULL, error 87', {
    profiles: setsError
  }),
  caseOf('alloc-bad-heap', 'C-4', 'HeapAlloc from a handle of no heap fails', 'p = HeapAlloc(0x00012345, 0, 10) -> NULL'),
  caseOf(
    'alloc-destroyed-heap',
    'C-4',
    'HeapAlloc from a destroyed heap fails',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nHeapDestroy(heap) -> nonzero\np = HeapAlloc(heap, 0, 10) -> NULL'
  ),
  caseOf('free-null', 'C-5', 'HeapFree of NULL fails as a wrong parameter', 'HeapFree(heap, 0, 0) -> 0, error 87', on),
  caseOf(
    'free-twice',
    'C-5',
    'a second free of a block fails as a wrong parameter',
    'p = HeapAlloc(heap, 0, 10) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapFree(heap, 0, p) -> 0, error 87',
    on
  ),
  caseOf(
    'free-inside',
    'C-5',
    'a free of an address inside a block fails and changes nothing',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapFree(heap, 0, p + 32) -> 0, error 87\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'free-other-heap',
    'C-5',
    'a free through another heap fails and changes nothing',
    'other = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nHeapFree(other, 0, p) -> 0, error 87\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'unlisted-flags',
    'C-13',
    'flags that CE does not list are ignored',
    'p = HeapAlloc(heap, 0x00000104, 100) -> pointer\nHeapFree(heap, 0x100, p) -> nonzero',
    on
  ),
  caseOf(
    'fresh-pages',
    'C-19',
    'fresh memory of a new heap is zero',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x3000) -> pointer\nbytes(p, 0x3000) -> all 0'
  ),
  caseOf(
    'heaps-apart',
    'HC-4 HA-3',
    'two heaps share no memory',
    `a = HeapCreate(0, 0, 0) -> nonzero
     b = HeapCreate(0, 0, 0) -> nonzero, not a
     p = HeapAlloc(a, 0, 500) -> pointer
     q = HeapAlloc(b, 0, 500) -> pointer, not p
     fill(p, 500, 1)
     fill(q, 500, 2)
     bytes(p, 500) -> all 1
     HeapDestroy(a) -> nonzero
     bytes(q, 500) -> all 2`
  ),
  caseOf(
    'second-thread',
    'FL-1',
    'a second thread allocates from the same heap, and the first one frees',
    `2: p = HeapAlloc(heap, HEAP_NO_SERIALIZE, 100) -> pointer
     q = HeapAlloc(heap, HEAP_NO_SERIALIZE, 100) -> pointer, not p
     HeapFree(heap, 0, p) -> nonzero
     2: HeapFree(heap, 0, q) -> nonzero`,
    on
  ),
  caseOf(
    'last-error-own',
    'HA-4',
    "a failure in one thread leaves the other's last error alone",
    `SetLastError(1234)
     2: p = HeapAlloc(heap, 0, 0xFFFF0000) -> NULL
     GetLastError() -> 1234`,
    on
  ),
  caseOf(
    'sizes-around-pages',
    'HA-7 HS-3',
    'sizes around a page and 64 KB are rounded to 32 as well',
    `a = HeapAlloc(heap, 0, 4095) -> pointer
     HeapSize(heap, 0, a) -> 4096
     b = HeapAlloc(heap, 0, 4097) -> pointer
     HeapSize(heap, 0, b) -> 4128
     c = HeapAlloc(heap, 0, 8161) -> pointer
     HeapSize(heap, 0, c) -> 8192`,
    { ...on, builds: ['retail'] }
  )
])
