// HeapReAlloc, HeapValidate, HeapCompact.
import { caseOf, type ConformCase, family } from './case.ts'

const on = { on: 'heap' } as const

export const heapReAllocCases: readonly ConformCase[] = family('heaprealloc', [
  caseOf(
    'parameters',
    'HR-1 HR-4',
    'HeapReAlloc(heap, flags, block, bytes)',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nq = HeapReAlloc(heap, 0, p, 200) -> pointer\nHeapSize(heap, 0, q) -> >= 200',
    on
  ),
  caseOf(
    'no-serialize',
    'FL-1 HR-2',
    'HEAP_NO_SERIALIZE is accepted',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 100, 6)\nq = HeapReAlloc(heap, HEAP_NO_SERIALIZE, p, 2000) -> pointer\nbytes(q, 100) -> all 6',
    on
  ),
  caseOf(
    'in-place-shrink',
    'FL-4 HR-2',
    'HEAP_REALLOC_IN_PLACE_ONLY shrinks where the block is',
    'p = HeapAlloc(heap, 0, 2000) -> pointer\nfill(p, 2000, 8)\nHeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 100) -> p\nbytes(p, 100) -> all 8',
    on
  ),
  caseOf(
    'in-place-same',
    'FL-4',
    'and keeps a block that needs no room',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nHeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 64) -> p',
    on
  ),
  caseOf(
    'in-place-never-moves',
    'FL-4 HR-5',
    'a block grows where it is or not at all',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapAlloc(heap, 0, 64) -> pointer\nHeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 0x4000) -> NULL or p',
    on
  ),
  caseOf(
    'in-place-blocked',
    'FL-4',
    'between neighbours it cannot grow',
    'a = HeapAlloc(heap, 0, 64) -> pointer\nb = HeapAlloc(heap, 0, 64) -> pointer\nc = HeapAlloc(heap, 0, 64) -> pointer\nd = HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, a, 0xFFFF0000) -> NULL',
    on
  ),
  caseOf(
    'in-place-failure-keeps',
    'FL-4 HR-7',
    'and then the block is as it was',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nfill(p, 64, 0x19)\nn = HeapSize(heap, 0, p) -> >= 64\nHeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 0xF0000000) -> NULL\nbytes(p, 64) -> all 0x19\nHeapSize(heap, 0, p) -> n\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'in-place-zero',
    'FL-4 FL-11 HR-2',
    'in place and zeroing together',
    'p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 2048) -> pointer\nfill(p, 2048, 0xFF)\nHeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY + HEAP_ZERO_MEMORY, p, 64) -> p\nbytes(p, 64) -> all 0xFF',
    on
  ),
  caseOf(
    'failure-error',
    'HR-6',
    'a failure sets the last error, on CE 5.0 too',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(heap, 0, p, 0xFFFF0000) -> NULL, error set',
    on
  ),
  caseOf(
    'failure-code',
    'C-8',
    'it is a lack of memory',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(heap, 0, p, 0xFFFF0000) -> NULL, error 8',
    on
  ),
  caseOf(
    'huge-code',
    'C-3',
    'so is a size near 4 GB',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(heap, 0, p, 0xFFFFFFFF) -> NULL, error 8',
    on
  ),
  caseOf('null', 'C-6 HR-3', 'NULL is no block: nothing is allocated', 'p = HeapReAlloc(heap, 0, NULL, 100) -> NULL', on),
  caseOf('null-code', 'C-6', 'NULL is a wrong parameter', 'p = HeapReAlloc(heap, 0, NULL, 100) -> NULL, error 87', on),
  caseOf(
    'freed',
    'C-6',
    'a freed block is a wrong parameter',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nq = HeapReAlloc(heap, 0, p, 100) -> NULL, error 87',
    on
  ),
  caseOf(
    'inside',
    'C-6',
    'an address inside a block is a wrong parameter',
    'p = HeapAlloc(heap, 0, 128) -> pointer\nq = HeapReAlloc(heap, 0, p + 32, 100) -> NULL, error 87\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'bad-heap',
    'C-4',
    'a handle of no heap is a wrong parameter',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(NULL, 0, p, 100) -> NULL, error 87\nHeapFree(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'to-zero-size',
    'C-7',
    'a block of 0 bytes can grow again',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(heap, 0, p, 0) -> pointer\nr = HeapReAlloc(heap, 0, q, 500) -> pointer\nfill(r, 500, 1)',
    on
  ),
  caseOf(
    'limit',
    'C-9',
    'a fixed heap refuses to grow a block to 0x7FFF8 bytes',
    'heap = HeapCreate(0, 0, 0x200000) -> nonzero\np = HeapAlloc(heap, 0, 64) -> pointer\nfill(p, 64, 0x31)\nq = HeapReAlloc(heap, 0, p, 0x7FFF8) -> NULL, error 8\nbytes(p, 64) -> all 0x31'
  ),
  caseOf(
    'limit-below',
    'HR-4',
    'a fixed heap grows a block to a quarter of it',
    'heap = HeapCreate(0, 0, 0x100000) -> nonzero\np = HeapAlloc(heap, 0, 64) -> pointer\nfill(p, 64, 0x31)\nq = HeapReAlloc(heap, 0, p, 0x40000) -> pointer\nbytes(q, 64) -> all 0x31'
  ),
  caseOf(
    'unlisted-flags',
    'C-13',
    'flags that CE does not list are ignored',
    'p = HeapAlloc(heap, 0, 64) -> pointer\nq = HeapReAlloc(heap, 0x104, p, 200) -> pointer',
    on
  ),
  caseOf(
    'stays-on-shrink',
    'C-48',
    'a shrinking block stays where it is',
    'p = HeapAlloc(heap, 0, 2000) -> pointer\nHeapReAlloc(heap, 0, p, 100) -> p',
    on
  ),
  caseOf(
    'old-block-freed',
    'HR-5',
    'a block that moved is not there twice',
    'repeat 100: p = HeapAlloc(heap, 0, 0x2000) -> pointer; q = HeapAlloc(heap, 0, 64) -> pointer; r = HeapReAlloc(heap, 0, p, 0x6000) -> pointer; HeapFree(heap, 0, r) -> nonzero; HeapFree(heap, 0, q) -> nonzero',
    on
  ),
  caseOf(
    'zero-debug',
    'HR-10 HR-2 C-18',
    'on debug a zeroing resize zeroes from the byte behind the requested size',
    'p = HeapAlloc(heap, 0, 40) -> pointer\nfill(p, 40, 0x55)\nq = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 64) -> pointer\nbytes(q, 40) -> all 0x55\nbytes(q + 40, 24) -> all 0',
    { ...on, builds: ['debug'] }
  ),
  caseOf(
    'zero-retail',
    'C-18',
    'on retail it zeroes from the rounded size on',
    'p = HeapAlloc(heap, 0, 40) -> pointer\nfill(p, 64, 0x55)\nq = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 400) -> pointer\nbytes(q, 64) -> all 0x55\nbytes(q + 64, 336) -> all 0',
    { ...on, builds: ['retail'] }
  )
])

export const heapValidateCases: readonly ConformCase[] = family('heapvalidate', [
  caseOf(
    'whole',
    'HV-1 HV-2',
    'NULL asks for the whole heap',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapValidate(heap, 0, NULL) -> nonzero',
    on
  ),
  caseOf(
    'block',
    'HV-2 HV-3',
    'a pointer asks for one block',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 100, 0xFF)\nHeapValidate(heap, 0, p) -> nonzero',
    on
  ),
  caseOf(
    'empty',
    'HV-2',
    'a heap without blocks is in order',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nHeapValidate(heap, 0, NULL) -> nonzero'
  ),
  caseOf(
    'flags',
    'FL-1',
    'HEAP_NO_SERIALIZE is accepted',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapValidate(heap, HEAP_NO_SERIALIZE, p) -> nonzero',
    on
  ),
  caseOf('keeps-error', 'HV-4', 'a heap in order leaves the last error alone', 'HeapValidate(heap, 0, NULL) -> nonzero, error kept', on),
  caseOf(
    'keeps-error-block',
    'HV-4',
    'so does a block in order',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapValidate(heap, 0, p) -> nonzero, error kept',
    on
  ),
  caseOf(
    'keeps-error-invalid',
    'HV-4',
    'the last error is left alone where the answer is no',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapValidate(heap, 0, p) -> error kept',
    on
  ),
  caseOf(
    'freed',
    'C-36 HV-3',
    'a freed block is no allocated one',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapValidate(heap, 0, p) -> 0',
    on
  ),
  caseOf(
    'inside',
    'C-36',
    'an address inside a block is no block',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapValidate(heap, 0, p + 32) -> 0',
    on
  ),
  caseOf('bad-heap', 'C-4', 'a handle of no heap is not in order', 'HeapValidate(NULL, 0, NULL) -> 0, error kept'),
  caseOf(
    'after-work',
    'HV-2',
    'a heap that was much used is in order',
    'repeat 40: a = HeapAlloc(heap, 0, 100) -> pointer; b = HeapAlloc(heap, 0, 300) -> pointer; HeapFree(heap, 0, a) -> nonzero; c = HeapReAlloc(heap, 0, b, 900) -> pointer\nHeapValidate(heap, 0, NULL) -> nonzero',
    on
  ),
  caseOf(
    'sentinel',
    'C-46',
    'on debug a write behind a block shows',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 104, 0)\nHeapValidate(heap, 0, p) -> 0',
    { ...on, builds: ['debug'] }
  )
])

export const heapCompactCases: readonly ConformCase[] = family('heapcompact', [
  caseOf(
    'largest',
    'HP-1 HP-3',
    'it tells the size of a free block that is committed',
    'p = HeapAlloc(heap, 0, 0x2000) -> pointer\nq = HeapAlloc(heap, 0, 64) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapCompact(heap, 0) -> >= 32',
    on
  ),
  caseOf(
    'not-more-than-heap',
    'HP-3',
    'which is not larger than the heap',
    'heap = HeapCreate(0, 0x4000, 0x10000) -> nonzero\nHeapCompact(heap, 0) -> <= 0x10000'
  ),
  caseOf(
    'merges',
    'HP-2 HI-2',
    'free neighbours are one block then: two blocks of 20 KB leave room for one of 48 KB in 64 KB',
    'heap = HeapCreate(0, 0x1000, 0x10000) -> nonzero\na = HeapAlloc(heap, 0, 0x5000) -> pointer\nb = HeapAlloc(heap, 0, 0x5000) -> pointer\nHeapFree(heap, 0, a) -> nonzero\nHeapFree(heap, 0, b) -> nonzero\nHeapCompact(heap, 0)\nc = HeapAlloc(heap, 0, 0xC000) -> pointer\nfill(c, 0xC000, 0x4E)\nbytes(c, 0xC000) -> all 0x4E'
  ),
  caseOf(
    'keeps-blocks',
    'HP-2',
    'blocks stay where they are, with their bytes',
    'p = HeapAlloc(heap, 0, 0x3000) -> pointer\nq = HeapAlloc(heap, 0, 500) -> pointer\nfill(q, 500, 0x47)\nHeapFree(heap, 0, p) -> nonzero\nHeapCompact(heap, 0)\nbytes(q, 500) -> all 0x47\nHeapFree(heap, 0, q) -> nonzero',
    on
  ),
  caseOf(
    'usable-after',
    'HP-2',
    'the heap works on',
    'p = HeapAlloc(heap, 0, 0x4000) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapCompact(heap, 0)\nq = HeapAlloc(heap, 0, 0x4000) -> pointer\nfill(q, 0x4000, 0x74)\nbytes(q, 0x4000) -> all 0x74',
    on
  ),
  caseOf(
    'twice',
    'HP-2',
    'it may be called again',
    'HeapCompact(heap, 0)\nHeapCompact(heap, HEAP_NO_SERIALIZE)\nHeapValidate(heap, 0, NULL) -> nonzero',
    on
  ),
  caseOf(
    'full',
    'HP-4 HP-6',
    'a heap without free space answers 0 with NO_ERROR',
    'heap = HeapCreate(0, 0, 0x1000) -> nonzero\nexhaust 200: p = HeapAlloc(heap, 0, 0x400)\nexhaust 200: p = HeapAlloc(heap, 0, 1)\nHeapCompact(heap, 0) -> <= 64\ndrain 1: n = HeapCompact(heap, 0) -> error 0'
  ),
  caseOf('bad-heap', 'C-4 HP-4', 'a handle of no heap answers 0', 'HeapCompact(NULL, 0) -> 0'),
  caseOf('bad-heap-code', 'C-4', 'as a wrong parameter', 'HeapCompact(NULL, 0) -> 0, error 87'),
  caseOf(
    'after-exhaustion',
    'HP-2',
    'what is free can be allocated again, where there is no other memory',
    'a = HeapCreate(0, 0, 0) -> nonzero\ndrain 5000: p = HeapAlloc(a, 0, 0x8000)\nHeapFree(a, 0, p) -> nonzero\nHeapCompact(a, 0)\nq = HeapAlloc(a, 0, 0x4000) -> pointer'
  )
])
