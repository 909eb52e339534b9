// COM's task allocator and the spy on it.
import { caseOf, type ConformCase, family } from './case.ts'

const malloc = 'CoGetMalloc(MEMCTX_TASK, &m) -> S_OK'
const iidMalloc = "'00000002-0000-0000-C000-000000000046'"
function spied(kind: string): string {
  return `${malloc}\ns = NewSpy('${kind}')\nCoRegisterMallocSpy(s) -> S_OK`
}

export const comCases: readonly ConformCase[] = family('com', [
  caseOf('get', 'CM-1', 'CoGetMalloc(1) gives the interface', `${malloc}\ncheck m -> nonzero`),
  caseOf(
    'get-contexts',
    'CM-1 CM-3',
    'any other context is refused',
    'CoGetMalloc(2, &m) -> E_INVALIDARG\ncheck m -> NULL\nCoGetMalloc(0, &n) -> E_INVALIDARG\ncheck n -> NULL\nCoGetMalloc(3, &o) -> E_INVALIDARG'
  ),
  caseOf(
    'methods',
    'IM-1',
    'it has its six methods',
    `${malloc}\np = IMalloc::Alloc(m, 10) -> pointer\nq = IMalloc::Realloc(m, p, 20) -> pointer\nIMalloc::GetSize(m, q) -> >= 20\nIMalloc::DidAlloc(m, q) -> 1 or 0xFFFFFFFF\nIMalloc::HeapMinimize(m)\nIMalloc::Free(m, q)`
  ),
  caseOf(
    'other-thread',
    'IM-2',
    'one thread frees what another one allocated',
    `${malloc}\np = CoTaskMemAlloc(100) -> pointer\n2: q = CoTaskMemAlloc(100) -> pointer, not p\n2: CoTaskMemFree(p)\nCoTaskMemFree(q)`
  ),
  caseOf('size-null', 'IM-9', 'GetSize of NULL is -1', `${malloc}\nIMalloc::GetSize(m, NULL) -> 0xFFFFFFFF`),
  caseOf(
    'did-alloc',
    'IM-10',
    'DidAlloc knows its own blocks, or cannot tell',
    `${malloc}\np = IMalloc::Alloc(m, 10) -> pointer\nIMalloc::DidAlloc(m, p) -> 1 or 0xFFFFFFFF`
  ),
  caseOf('did-alloc-null', 'IM-10', 'DidAlloc of NULL is -1', `${malloc}\nIMalloc::DidAlloc(m, NULL) -> 0xFFFFFFFF`),
  caseOf(
    'did-alloc-foreign',
    'IM-10',
    'DidAlloc of a strange pointer is 0, or -1',
    `${malloc}\nIMalloc::DidAlloc(m, 1) -> 0 or 0xFFFFFFFF`
  ),
  caseOf(
    'minimize',
    'IM-11',
    'HeapMinimize leaves blocks alone',
    `${malloc}\np = IMalloc::Alloc(m, 0x4000) -> pointer\nq = IMalloc::Alloc(m, 100) -> pointer\nfill(q, 100, 0x28)\nIMalloc::Free(m, p)\nIMalloc::HeapMinimize(m)\nbytes(q, 100) -> all 0x28\nr = IMalloc::Alloc(m, 0x4000) -> pointer`
  ),
  caseOf(
    'co-and-malloc',
    'CT-1 CT-4',
    'CoTaskMem functions and IMalloc are one allocator',
    `${malloc}\nrepeat 150: p = CoTaskMemAlloc(0x8000) -> pointer; IMalloc::Free(m, p); q = IMalloc::Alloc(m, 0x8000) -> pointer; CoTaskMemFree(q)`
  ),
  caseOf(
    'process-heap',
    'C-52',
    'the blocks are those of the process heap',
    `${malloc}\nheap = GetProcessHeap() -> nonzero\np = IMalloc::Alloc(m, 100) -> pointer\nHeapValidate(heap, 0, p) -> nonzero\nn = HeapSize(heap, 0, p) -> >= 100\nIMalloc::GetSize(m, p) -> n`
  ),
  caseOf(
    'bad-pointer',
    'C-53 CT-3',
    'a pointer that is no block ends nothing here',
    'CoTaskMemFree(0x23456)\nCoTaskMemRealloc(0x23456, 10) -> NULL'
  ),
  caseOf(
    'query-interface',
    'CM-1',
    'QueryInterface gives the interface',
    `${malloc}\nIMalloc::QueryInterface(m, ${iidMalloc}, &n) -> S_OK\ncheck n -> nonzero`
  ),
  caseOf(
    'query-interface-other',
    'CM-1',
    'and no other one',
    `${malloc}\nIMalloc::QueryInterface(m, '0000000C-0000-0000-C000-000000000046', &n) -> E_NOINTERFACE\ncheck n -> NULL`
  )
])

export const spyCases: readonly ConformCase[] = family('spy', [
  caseOf(
    'register',
    'SP-1 SP-2 SP-5',
    'a spy is registered and revoked',
    `${spied('plain')}\nSpyCount(s, 'QueryInterface') -> 1\nCoRevokeMallocSpy() -> S_OK`
  ),
  caseOf(
    'register-second',
    'SP-1',
    'a second spy is refused',
    `${spied('plain')}\nt = NewSpy('plain')\nCoRegisterMallocSpy(t) -> CO_E_OBJISREG`
  ),
  caseOf(
    'register-null',
    'SP-1 SP-3',
    'NULL is a wrong argument, even while a spy is registered',
    `CoRegisterMallocSpy(NULL) -> E_INVALIDARG\n${spied('plain')}\nCoRegisterMallocSpy(NULL) -> E_INVALIDARG`
  ),
  caseOf(
    'register-stranger',
    'SP-1 SP-2',
    'what is no IMallocSpy is a wrong argument',
    "s = NewSpy('stranger')\nCoRegisterMallocSpy(s) -> E_INVALIDARG\nCoRevokeMallocSpy() -> CO_E_OBJNOTREG"
  ),
  caseOf('revoke-none', 'SP-5', 'without a spy there is nothing to revoke', 'CoRevokeMallocSpy() -> CO_E_OBJNOTREG'),
  caseOf(
    'revoke-twice',
    'SP-5',
    'a spy is revoked once',
    `${spied('plain')}\nCoRevokeMallocSpy() -> S_OK\nCoRevokeMallocSpy() -> CO_E_OBJNOTREG`
  ),
  caseOf(
    'revoke-releases',
    'SP-7',
    'a revoke releases the spy',
    `${spied('plain')}\nCoRevokeMallocSpy() -> S_OK\nSpyCount(s, 'Release') -> 1`
  ),
  caseOf(
    'methods',
    'SP-9 SP-4',
    'each method has its Pre and its Post',
    `${spied('plain')}\np = IMalloc::Alloc(m, 10) -> pointer\nq = IMalloc::Realloc(m, p, 20) -> pointer\nIMalloc::GetSize(m, q) -> >= 20\nIMalloc::DidAlloc(m, q) -> 1 or 0xFFFFFFFF\nIMalloc::HeapMinimize(m)\nIMalloc::Free(m, q)\nSpyCount(s, 'PreAlloc') -> 1\nSpyCount(s, 'PostAlloc') -> 1\nSpyCount(s, 'PreRealloc') -> 1\nSpyCount(s, 'PostRealloc') -> 1\nSpyCount(s, 'PreGetSize') -> 1\nSpyCount(s, 'PostGetSize') -> 1\nSpyCount(s, 'PreDidAlloc') -> 1\nSpyCount(s, 'PostDidAlloc') -> 1\nSpyCount(s, 'PreHeapMinimize') -> 1\nSpyCount(s, 'PostHeapMinimize') -> 1\nSpyCount(s, 'PreFree') -> 1\nSpyCount(s, 'PostFree') -> 1`
  ),
  caseOf(
    'co-task',
    'SP-4',
    'the CoTaskMem functions are seen too',
    `${spied('plain')}\np = CoTaskMemAlloc(10) -> pointer\nSpyCount(s, 'PreAlloc') -> 1\nCoTaskMemFree(p)\nSpyCount(s, 'PreFree') -> 1`
  ),
  caseOf(
    'alloc-arguments',
    'SP-10 SP-14',
    'PreAlloc gets the count, PostAlloc the block, and what it answers reaches the caller',
    `${spied('plain')}\np = IMalloc::Alloc(m, 123) -> pointer\nSpyArg(s, 'PreAlloc', 0) -> 123\nSpyArg(s, 'PostAlloc', 0) -> p`
  ),
  caseOf(
    'alloc-more',
    'SP-10',
    'as much is allocated as PreAlloc says',
    `${spied('more')}\np = IMalloc::Alloc(m, 100) -> pointer\nIMalloc::GetSize(m, p) -> >= 200`
  ),
  caseOf(
    'alloc-refused',
    'SP-11',
    '0 of PreAlloc makes the call fail, and PostAlloc is not called',
    `${spied('refuse')}\nIMalloc::Alloc(m, 100) -> NULL\nSpyCount(s, 'PreAlloc') -> 1\nSpyCount(s, 'PostAlloc') -> 0`
  ),
  caseOf(
    'alloc-refused-zero',
    'SP-11',
    '0 for a request of 0 is no refusal',
    `${spied('refuse')}\nIMalloc::Alloc(m, 0) -> pointer\nSpyCount(s, 'PostAlloc') -> 1`
  ),
  caseOf(
    'alloc-fails',
    'SP-12',
    'where memory is out PostAlloc gets NULL',
    `${spied('plain')}\nIMalloc::Alloc(m, 0xFFFF0000) -> NULL\nSpyCount(s, 'PostAlloc') -> 1\nSpyArg(s, 'PostAlloc', 0) -> 0`
  ),
  caseOf(
    'header',
    'SP-14 SP-15',
    'a spy may put a header in front of each block',
    `${spied('header')}\np = IMalloc::Alloc(m, 100) -> pointer\nSpyArg(s, 'PostAlloc', 0) -> p - 16\nfill(p, 100, 1)\nIMalloc::Free(m, p)\nSpyArg(s, 'PreFree', 0) -> p\nSpyArg(s, 'PreFree', 1) -> nonzero`
  ),
  caseOf(
    'header-frees',
    'SP-15',
    'and the whole of it is freed',
    `${spied('header')}\nrepeat 150: p = IMalloc::Alloc(m, 0x8000) -> pointer; IMalloc::Free(m, p)\nCoRevokeMallocSpy() -> S_OK`
  ),
  caseOf(
    'header-realloc',
    'SP-17 SP-19',
    'and moves with the block',
    `${spied('header')}\np = IMalloc::Alloc(m, 100) -> pointer\nfill(p, 100, 0x35)\nq = IMalloc::Realloc(m, p, 4000) -> pointer\nbytes(q, 100) -> all 0x35\nSpyArg(s, 'PreRealloc', 0) -> p\nSpyArg(s, 'PreRealloc', 1) -> 4000\nIMalloc::Free(m, q)\nCoRevokeMallocSpy() -> S_OK`
  ),
  caseOf(
    'unspied-block',
    'SP-16',
    'a block from before is told from one of the spy',
    `${malloc}\np = IMalloc::Alloc(m, 100) -> pointer\ns = NewSpy('header')\nCoRegisterMallocSpy(s) -> S_OK\nIMalloc::Free(m, p)\nSpyArg(s, 'PreFree', 1) -> 0`
  ),
  caseOf(
    'realloc-refused',
    'SP-18',
    '0 of PreRealloc makes the call fail, and PostRealloc is not called',
    `${malloc}\np = IMalloc::Alloc(m, 100) -> pointer\nfill(p, 100, 0x39)\ns = NewSpy('refuse')\nCoRegisterMallocSpy(s) -> S_OK\nIMalloc::Realloc(m, p, 500) -> NULL\nSpyCount(s, 'PostRealloc') -> 0\nbytes(p, 100) -> all 0x39`
  ),
  caseOf(
    'realloc-fails',
    'SP-18',
    'where memory is out PostRealloc is called',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nIMalloc::Realloc(m, p, 0xFFFF0000) -> NULL\nSpyCount(s, 'PostRealloc') -> 1\nSpyArg(s, 'PostRealloc', 0) -> 0`
  ),
  caseOf(
    'realloc-makes-spied',
    'SP-19 SP-22',
    'a block that is resized under the spy is its block from then on',
    `${malloc}\np = IMalloc::Alloc(m, 100) -> pointer\ns = NewSpy('plain')\nCoRegisterMallocSpy(s) -> S_OK\nq = IMalloc::Realloc(m, p, 500) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED\nIMalloc::Free(m, q)\nCoRevokeMallocSpy() -> CO_E_OBJNOTREG`
  ),
  caseOf(
    'get-size',
    'SP-20',
    'what PostGetSize answers reaches the caller',
    `${spied('header')}\np = IMalloc::Alloc(m, 100) -> pointer\nn = IMalloc::GetSize(m, p) -> >= 100\nSpyArg(s, 'PostGetSize', 0) -> n + 16`
  ),
  caseOf(
    'did-alloc',
    'SP-21',
    'PostDidAlloc gets the pointer of the caller',
    `${spied('header')}\np = IMalloc::Alloc(m, 100) -> pointer\nIMalloc::DidAlloc(m, p) -> 1 or 0xFFFFFFFF\nSpyArg(s, 'PostDidAlloc', 0) -> p`
  ),
  caseOf(
    'revoke-live',
    'SP-5',
    'a revoke while blocks of the spy live is refused',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED`
  ),
  caseOf(
    'revoke-pending',
    'SP-6',
    'and done when the last of them is freed',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nq = IMalloc::Alloc(m, 100) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED\nIMalloc::Free(m, p)\nSpyCount(s, 'Release') -> 0\nIMalloc::Free(m, q)\nSpyCount(s, 'Release') -> 1\nCoRevokeMallocSpy() -> CO_E_OBJNOTREG`
  ),
  caseOf(
    'revoke-pending-active',
    'SP-6',
    'until then the spy sees every call',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED\nIMalloc::GetSize(m, p)\nSpyCount(s, 'PreGetSize') -> 1`
  ),
  caseOf(
    'revoke-pending-realloc',
    'SP-22 SP-6',
    'a resize to 0 bytes counts as a free',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED\nIMalloc::Realloc(m, p, 0) -> NULL\nCoRevokeMallocSpy() -> CO_E_OBJNOTREG`
  ),
  caseOf('free-null', 'C-57', 'a free of NULL is not shown', `${spied('plain')}\nIMalloc::Free(m, NULL)\nSpyCount(s, 'PreFree') -> 0`),
  caseOf(
    'revoke-again',
    'C-58',
    'a revoke while one is pending is refused',
    `${spied('plain')}\np = IMalloc::Alloc(m, 100) -> pointer\nCoRevokeMallocSpy() -> E_ACCESSDENIED\nCoRevokeMallocSpy() -> E_ACCESSDENIED`
  )
])
