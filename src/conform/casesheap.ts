// Heaps as such: HeapCreate, HeapDestroy, CeHeapCreate, GetProcessHeap.
import { caseOf, type ConformCase, family } from './case.ts'

const onHeap = { on: 'heap' } as const

export const heapCreateCases: readonly ConformCase[] = family('heapcreate', [
  caseOf(
    'growable',
    'HC-1 HC-4 HC-8',
    'a heap without a maximum',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nHeapDestroy(heap) -> nonzero'
  ),
  caseOf(
    'fixed',
    'HC-3 HC-8',
    'a heap with a maximum',
    'heap = HeapCreate(0, 0x1000, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nHeapDestroy(heap) -> nonzero'
  ),
  caseOf(
    'initial-rounded',
    'HC-2',
    'an initial size that is no whole page is rounded up',
    'heap = HeapCreate(0, 1, 0) -> nonzero\np = HeapAlloc(heap, 0, 3000) -> pointer\nfill(p, 3000, 1)'
  ),
  caseOf(
    'initial-large',
    'HC-2',
    'an initial size of many pages',
    'heap = HeapCreate(0, 0x20000, 0) -> nonzero\np = HeapAlloc(heap, 0, 0x8000) -> pointer\nfill(p, 0x8000, 1)'
  ),
  caseOf('initial-odd', 'HC-2', 'an odd initial size', 'heap = HeapCreate(0, 12345, 0) -> nonzero\nHeapValidate(heap, 0, NULL) -> nonzero'),
  caseOf(
    'maximum-rounded',
    'HC-3',
    'a maximum of 5000 bytes is two pages',
    'heap = HeapCreate(0, 0, 5000) -> nonzero\np = HeapAlloc(heap, 0, 5001) -> pointer'
  ),
  caseOf(
    'maximum-bounds',
    'HC-3',
    'what does not fit into the maximum is refused',
    'heap = HeapCreate(0, 0, 0x4000) -> nonzero\np = HeapAlloc(heap, 0, 0x5000) -> NULL\nq = HeapAlloc(heap, 0, 0x1000) -> pointer'
  ),
  caseOf(
    'maximum-sum',
    'HC-3',
    'all blocks together fit into the maximum',
    'heap = HeapCreate(0, 0, 0x10000) -> nonzero\nexhaust 16: p = HeapAlloc(heap, 0, 0x1000)'
  ),
  caseOf(
    'maximum-small-blocks',
    'HC-3',
    'small blocks use a fixed heap up as well',
    'heap = HeapCreate(0, 0, 0x1000) -> nonzero\nexhaust 129: p = HeapAlloc(heap, 0, 32)'
  ),
  caseOf(
    'maximum-no-big-blocks',
    'HC-3 HC-6',
    'a fixed heap gives no block outside its maximum, however large',
    'heap = HeapCreate(0, 0, 0x8000) -> nonzero\np = HeapAlloc(heap, 0, 0x18001) -> NULL\nq = HeapAlloc(heap, 0, 0x40000) -> NULL'
  ),
  caseOf(
    'maximum-resize',
    'HC-3',
    'a block of a fixed heap does not grow past the maximum',
    'heap = HeapCreate(0, 0, 0x4000) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 100, 0x15)\nq = HeapReAlloc(heap, 0, p, 0x5000) -> NULL\nbytes(p, 100) -> all 0x15'
  ),
  caseOf(
    'maximum-region',
    'HC-3',
    'blocks of a fixed heap lie within its maximum of one another',
    'heap = HeapCreate(0, 0, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 0x4000) -> pointer\nq = HeapAlloc(heap, 0, 0x4000) -> pointer, < p + 0x10000\ncheck p -> < q + 0x10000'
  ),
  caseOf(
    'own-structures',
    'HC-10',
    'a heap of 64 KB cannot give all of it as one block',
    'heap = HeapCreate(0, 0, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 0x10000) -> NULL'
  ),
  caseOf(
    'own-structures-most',
    'HC-10',
    'it can give most of it',
    'heap = HeapCreate(0, 0, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 0xC000) -> pointer'
  ),
  caseOf(
    'growable-grows',
    'HC-4 HI-8',
    'a growable heap grows past its initial size',
    'heap = HeapCreate(0, 0x1000, 0) -> nonzero\nrepeat 40: p = HeapAlloc(heap, 0, 0x4000) -> pointer; fill(p, 0x4000, 3)\nHeapValidate(heap, 0, NULL) -> nonzero'
  ),
  caseOf(
    'no-serialize',
    'FL-1',
    'HEAP_NO_SERIALIZE is accepted by HeapCreate',
    'heap = HeapCreate(HEAP_NO_SERIALIZE, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 10) -> pointer'
  ),
  caseOf(
    'no-execute-flag',
    'FL-7',
    'HEAP_CREATE_ENABLE_EXECUTE is no flag of CE: no heap depends on it',
    'heap = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 10) -> pointer'
  ),
  caseOf('execute-flag', 'C-13', 'HEAP_CREATE_ENABLE_EXECUTE is ignored', 'heap = HeapCreate(0x40000, 0, 0) -> nonzero'),
  caseOf(
    'exceptions-flag',
    'C-13',
    'HEAP_GENERATE_EXCEPTIONS is ignored',
    'heap = HeapCreate(4, 0, 0) -> nonzero\np = HeapAlloc(heap, 0, 0xFFFF0000) -> NULL'
  ),
  caseOf(
    'shared-readonly',
    'FL-8 FL-10 HC-9',
    'HEAP_SHARED_READONLY is refused to a program that is not trusted',
    'heap = HeapCreate(HEAP_SHARED_READONLY, 0, 0) -> NULL, error ERROR_ACCESS_DENIED'
  ),
  caseOf(
    'shared-readonly-choice',
    'C-16',
    'HEAP_SHARED_READONLY gives NULL',
    'heap = HeapCreate(HEAP_SHARED_READONLY, 0, 0x10000) -> NULL'
  ),
  caseOf('too-large', 'HC-8', 'a maximum that is more than the address space gives NULL', 'heap = HeapCreate(0, 0, 0xFFFF0000) -> NULL'),
  caseOf('too-large-initial', 'HC-8', 'an initial size that is more than memory gives NULL', 'heap = HeapCreate(0, 0xF0000000, 0) -> NULL'),
  caseOf(
    'too-large-wraps',
    'HC-1 HC-8',
    'rounding a size up does not wrap to nothing',
    'heap = HeapCreate(0, 0, 0xFFFFFFFF) -> NULL\nother = HeapCreate(0, 0xFFFFFFFF, 0) -> NULL'
  ),
  caseOf('too-large-told', 'HC-8', 'a failure sets the last error, whatever to', 'heap = HeapCreate(0, 0, 0xFFFF0000) -> NULL, error set'),
  caseOf('too-large-error', 'C-11', 'the lack of memory is told as such', 'heap = HeapCreate(0, 0, 0xFFFF0000) -> NULL, error 8'),
  caseOf(
    'initial-above-maximum',
    'C-10',
    'an initial size above the maximum is a wrong parameter',
    'heap = HeapCreate(0, 0x20000, 0x10000) -> NULL, error 87'
  ),
  caseOf(
    'initial-zero',
    'C-27 HC-2',
    'an initial size of 0 makes a heap',
    'heap = HeapCreate(0, 0, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer'
  ),
  caseOf(
    'initial-equals-maximum',
    'C-10 HC-3',
    'initial size and maximum may be the same',
    'heap = HeapCreate(0, 0x10000, 0x10000) -> nonzero\np = HeapAlloc(heap, 0, 0x4000) -> pointer'
  ),
  caseOf(
    'many',
    'HC-4 HC-8',
    'a program may have several heaps at once',
    'a = HeapCreate(0, 0, 0x8000) -> nonzero\nb = HeapCreate(0, 0, 0x8000) -> nonzero, not a\nc = HeapCreate(0, 0, 0) -> nonzero, not a or b\nd = HeapCreate(0, 0, 0) -> nonzero, not a or b or c'
  ),
  caseOf(
    'first-region',
    'HI-5 HI-7',
    'a growable heap that is just made gives 48 KB in small blocks',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nrepeat 48: p = HeapAlloc(heap, 0, 1000) -> pointer'
  )
])

export const heapDestroyCases: readonly ConformCase[] = family('heapdestroy', [
  caseOf('empty', 'HD-1 HD-3', 'destroying a heap answers nonzero', 'heap = HeapCreate(0, 0, 0) -> nonzero\nHeapDestroy(heap) -> nonzero'),
  caseOf(
    'with-blocks',
    'HD-4',
    'blocks need not be freed before',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nrepeat 50: p = HeapAlloc(heap, 0, 500) -> pointer\nHeapDestroy(heap) -> nonzero'
  ),
  caseOf(
    'gives-back',
    'HD-4 HD-3',
    'the memory of a destroyed heap comes back, for ever',
    'repeat 60: heap = HeapCreate(0, 0, 0x40000) -> nonzero; p = HeapAlloc(heap, 0, 0x30000) -> pointer; HeapDestroy(heap) -> nonzero'
  ),
  caseOf(
    'gives-back-growable',
    'HD-4',
    'and that of a growable one',
    'repeat 60: heap = HeapCreate(0, 0, 0) -> nonzero; p = HeapAlloc(heap, 0, 0x8000) -> pointer; q = HeapAlloc(heap, 0, 0x30000) -> pointer; HeapDestroy(heap) -> nonzero'
  ),
  caseOf(
    'others-stay',
    'HD-1',
    'other heaps are not touched',
    'a = HeapCreate(0, 0, 0) -> nonzero\nb = HeapCreate(0, 0, 0) -> nonzero\np = HeapAlloc(b, 0, 100) -> pointer\nfill(p, 100, 0x4B)\nHeapDestroy(a) -> nonzero\nbytes(p, 100) -> all 0x4B\nHeapFree(b, 0, p) -> nonzero'
  ),
  caseOf(
    'process-heap',
    'C-12',
    'the process heap is not destroyed',
    'heap = GetProcessHeap() -> nonzero\nHeapDestroy(heap) -> 0, error 87\np = HeapAlloc(heap, 0, 10) -> pointer'
  ),
  caseOf(
    'twice',
    'C-4',
    'a heap that is destroyed twice is a wrong parameter',
    'heap = HeapCreate(0, 0, 0) -> nonzero\nHeapDestroy(heap) -> nonzero\nHeapDestroy(heap) -> 0, error 87'
  ),
  caseOf('null', 'C-4', 'NULL is a wrong parameter', 'HeapDestroy(NULL) -> 0, error 87')
])

export const ceHeapCases: readonly ConformCase[] = family('ceheapcreate', [
  caseOf(
    'made',
    'CH-1 CH-5',
    'a heap on pages of the program',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x1000, 0x10000, pages, pages) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nfill(p, 100, 1)\nHeapDestroy(heap) -> nonzero"
  ),
  caseOf(
    'asks',
    'CH-4',
    'the pages come from the function',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x1000, 0, pages, pages) -> nonzero\np = HeapAlloc(heap, 0, 100) -> pointer\nPagerCount(pages, 'reserve') -> >= 1\nPagerCount(pages, 'commit') -> >= 1"
  ),
  caseOf(
    'gives-back',
    'CH-4',
    'and go back to the function',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x1000, 0, pages, pages) -> nonzero\nHeapDestroy(heap) -> nonzero\nPagerCount(pages, 'release') -> >= 1"
  ),
  caseOf(
    'refused',
    'CH-5',
    'where the function gives nothing the answer is NULL',
    "pages = NewPager('refuse')\nheap = CeHeapCreate(0, 0x1000, 0x10000, pages, pages) -> NULL"
  ),
  caseOf(
    'maximum',
    'CH-3',
    'a maximum bounds it',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0, 0x4000, pages, pages) -> nonzero\np = HeapAlloc(heap, 0, 0x5000) -> NULL"
  ),
  caseOf(
    'limit',
    'CH-3 HA-2',
    'a fixed one refuses 0x7FFF8 bytes',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0, 0x100000, pages, pages) -> nonzero\np = HeapAlloc(heap, 0, 0x7FFF8) -> NULL"
  ),
  caseOf(
    'grows',
    'CH-3',
    'without a maximum it grows',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x1000, 0, pages, pages) -> nonzero\nrepeat 30: p = HeapAlloc(heap, 0, 0x3000) -> pointer"
  ),
  caseOf(
    'options',
    'C-34 CH-2',
    'options other than 0 are refused',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(HEAP_ZERO_MEMORY, 0, 0, pages, pages) -> NULL"
  ),
  caseOf(
    'options-code',
    'C-34',
    'as a wrong parameter',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(HEAP_NO_SERIALIZE, 0, 0, pages, pages) -> NULL, error 87"
  ),
  caseOf(
    'initial-above-maximum',
    'C-10',
    'an initial size above the maximum is refused',
    "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x20000, 0x10000, pages, pages) -> NULL"
  )
])

export const processHeapCases: readonly ConformCase[] = family('getprocessheap', [
  caseOf('handle', 'GP-1', 'there is a process heap', 'heap = GetProcessHeap() -> nonzero'),
  caseOf('same', 'GP-1 C-28', 'and it is always the same', 'heap = GetProcessHeap() -> nonzero\nGetProcessHeap() -> heap'),
  caseOf(
    'works',
    'GP-2',
    'it works with every heap function',
    'heap = GetProcessHeap() -> nonzero\np = HeapAlloc(heap, 0, 10) -> pointer\nq = HeapReAlloc(heap, 0, p, 100) -> pointer\nHeapSize(heap, 0, q) -> >= 100\nHeapFree(heap, 0, q) -> nonzero'
  ),
  caseOf(
    'not-private',
    'GP-1 HC-4',
    'no heap that is made is it',
    'heap = GetProcessHeap() -> nonzero\nother = HeapCreate(0, 0, 0) -> nonzero, not heap'
  ),
  caseOf('grows', 'C-28', 'it is growable', 'heap = GetProcessHeap() -> nonzero\np = HeapAlloc(heap, 0, 0x80000) -> pointer'),
  caseOf(
    'other-thread',
    'GP-1 HC-11',
    'threads of a process have the same one',
    'heap = GetProcessHeap() -> nonzero\n2: GetProcessHeap() -> heap'
  ),
  caseOf(
    'validates',
    'GP-2 HV-2',
    'it is in order from the start',
    'heap = GetProcessHeap() -> nonzero\nHeapValidate(heap, 0, NULL) -> nonzero'
  )
])

export const heapSizeCases: readonly ConformCase[] = family('heapsize', [
  caseOf(
    'flags-ignored',
    'HS-2 FL-1',
    'flags make no difference',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nn = HeapSize(heap, 0, p) -> >= 100\nHeapSize(heap, HEAP_NO_SERIALIZE, p) -> n\nHeapSize(heap, HEAP_ZERO_MEMORY, p) -> n',
    onHeap
  ),
  caseOf('retail-example', 'HS-3', 'on retail 100 bytes are 128', 'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapSize(heap, 0, p) -> 128', {
    ...onHeap,
    builds: ['retail']
  }),
  caseOf(
    'debug-example',
    'HS-4 HI-15',
    'on debug 100 bytes are 100',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapSize(heap, 0, p) -> 100',
    { ...onHeap, builds: ['debug'] }
  ),
  caseOf(
    'retail-steps',
    'HS-3 HA-7',
    'each size on retail is a multiple of 32',
    'a = HeapAlloc(heap, 0, 5) -> pointer\nHeapSize(heap, 0, a) -> multiple of 32\nb = HeapAlloc(heap, 0, 65) -> pointer\nHeapSize(heap, 0, b) -> multiple of 32\nc = HeapAlloc(heap, 0, 2049) -> pointer\nHeapSize(heap, 0, c) -> multiple of 32',
    { ...onHeap, builds: ['retail'] }
  ),
  caseOf(
    'keeps-error',
    'HS-5',
    'a good call leaves the last error alone',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapSize(heap, 0, p) -> error kept',
    onHeap
  ),
  caseOf(
    'bad-pointer',
    'C-38',
    'of NULL it tells 0xFFFFFFFF and leaves the last error alone',
    'HeapSize(heap, 0, NULL) -> 0xFFFFFFFF, error kept',
    onHeap
  ),
  caseOf(
    'freed',
    'C-38',
    'so it does of a freed block',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapFree(heap, 0, p) -> nonzero\nHeapSize(heap, 0, p) -> 0xFFFFFFFF, error kept',
    onHeap
  ),
  caseOf(
    'bad-heap',
    'C-4 HS-5',
    'a handle of no heap gives 0xFFFFFFFF',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapSize(NULL, 0, p) -> 0xFFFFFFFF',
    onHeap
  ),
  caseOf(
    'bad-heap-error',
    'HS-5',
    'and leaves the last error alone',
    'p = HeapAlloc(heap, 0, 100) -> pointer\nHeapSize(NULL, 0, p) -> 0xFFFFFFFF, error kept',
    onHeap
  )
])
