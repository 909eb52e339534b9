// The CLR's host memory interfaces.
import { caseOf, type ConformCase, family } from './case.ts'

function host(kind: string): string {
  return `OpenHost('${kind}', &h, &told)`
}
const malloc = `${host('generous')}\nIHostMemoryManager::CreateMalloc(h, MALLOC_THREADSAFE, &m) -> S_OK`

export const hostCases: readonly ConformCase[] = family('host', [
  caseOf(
    'create',
    'HO-11 HO-3',
    'CreateMalloc gives an allocator for each type',
    `${malloc}\ncheck m -> nonzero\nIHostMemoryManager::CreateMalloc(h, MALLOC_EXECUTABLE, &n) -> S_OK\ncheck n -> nonzero\nIHostMemoryManager::CreateMalloc(h, 0, &o) -> S_OK`
  ),
  caseOf(
    'alloc',
    'HO-8 HO-4',
    'Alloc gives S_OK and memory at each level',
    `${malloc}\nIHostMalloc::Alloc(m, 100, eTaskCritical, &p) -> S_OK\nIHostMalloc::Alloc(m, 100, eAppDomainCritical, &q) -> S_OK\nIHostMalloc::Alloc(m, 100, eProcessCritical, &r) -> S_OK\ncheck q -> pointer, not p or r`
  ),
  caseOf(
    'alloc-fails',
    'HO-8',
    'a failure is E_OUTOFMEMORY and NULL',
    `${malloc}\nIHostMalloc::Alloc(m, 0xFFFF0000, eTaskCritical, &p) -> E_OUTOFMEMORY\ncheck p -> NULL`
  ),
  caseOf(
    'debug-alloc',
    'HO-9',
    'DebugAlloc does the same',
    `${malloc}\nIHostMalloc::DebugAlloc(m, 100, eTaskCritical, 'file', 12, &p) -> S_OK\nfill(p, 100, 1)\nIHostMalloc::Free(m, p) -> S_OK`
  ),
  caseOf(
    'free',
    'HO-10',
    'Free of a block gives S_OK',
    `${malloc}\nIHostMalloc::Alloc(m, 100, eTaskCritical, &p) -> S_OK\nIHostMalloc::Free(m, p) -> S_OK`
  ),
  caseOf(
    'free-foreign',
    'HO-10 HO-1',
    'memory that is not from Alloc is an invalid operation',
    `${malloc}\nIHostMalloc::Free(m, 0x23456) -> HOST_E_INVALIDOPERATION\nIHostMalloc::Alloc(m, 100, eTaskCritical, &p) -> S_OK\nIHostMalloc::Free(m, p) -> S_OK\nIHostMalloc::Free(m, p) -> HOST_E_INVALIDOPERATION`
  ),
  caseOf(
    'free-other',
    'C-86 HO-10',
    "so is another allocator's",
    `${malloc}\nIHostMemoryManager::CreateMalloc(h, MALLOC_THREADSAFE, &n) -> S_OK\nIHostMalloc::Alloc(m, 100, eTaskCritical, &p) -> S_OK\nIHostMalloc::Free(n, p) -> HOST_E_INVALIDOPERATION\nIHostMalloc::Free(m, p) -> S_OK`
  ),
  caseOf(
    'budget',
    'HO-6 HO-4',
    'a host may grant more to a graver request',
    `${host('budget')}\nIHostMemoryManager::CreateMalloc(h, 1, &m) -> S_OK\nIHostMalloc::Alloc(m, 0x18000, eTaskCritical, &p) -> E_OUTOFMEMORY\nIHostMalloc::Alloc(m, 0x18000, eAppDomainCritical, &q) -> S_OK`
  ),
  caseOf(
    'budget-told',
    'HO-5',
    'a host is told of each failure',
    `${host('budget')}\nIHostMemoryManager::CreateMalloc(h, 1, &m) -> S_OK\nIHostMalloc::Alloc(m, 0x18000, eTaskCritical, &p) -> E_OUTOFMEMORY\nHostFailures(told) -> 1`
  ),
  caseOf(
    'process-critical',
    'HO-5 HO-2',
    'after a failure at process level every call says that the CLR is not available',
    `${host('strict')}\nIHostMemoryManager::CreateMalloc(h, 1, &m) -> S_OK\nIHostMalloc::Alloc(m, 0x18000, eProcessCritical, &p) -> not S_OK\nIHostMalloc::Alloc(m, 10, eTaskCritical, &q) -> HOST_E_CLRNOTAVAILABLE\nIHostMemoryManager::GetMemoryLoad(h, &l, &a) -> HOST_E_CLRNOTAVAILABLE`
  ),
  caseOf(
    'virtual-alloc',
    'HO-12',
    'VirtualAlloc is that of Win32',
    `${host('generous')}\nIHostMemoryManager::VirtualAlloc(h, NULL, 0x2000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE, eTaskCritical, &p) -> S_OK\nbytes(p, 0x2000) -> all 0\nIHostMemoryManager::VirtualFree(h, p, 0, MEM_RELEASE) -> S_OK`
  ),
  caseOf(
    'virtual-alloc-fails',
    'HO-12',
    'more than there is gives E_OUTOFMEMORY and NULL',
    `${host('generous')}\nIHostMemoryManager::VirtualAlloc(h, NULL, 0xFFFF0000, MEM_RESERVE, PAGE_NOACCESS, eTaskCritical, &p) -> E_OUTOFMEMORY\ncheck p -> NULL`
  ),
  caseOf(
    'virtual-free-foreign',
    'HO-13',
    'memory from elsewhere is an invalid operation',
    `${host('generous')}\np = VirtualAlloc(NULL, 0x1000, MEM_RESERVE, PAGE_NOACCESS) -> pointer\nIHostMemoryManager::VirtualFree(h, p, 0, MEM_RELEASE) -> HOST_E_INVALIDOPERATION`
  ),
  caseOf(
    'virtual-query',
    'HO-14',
    'VirtualQuery writes 28 bytes',
    `${host('generous')}\nIHostMemoryManager::VirtualAlloc(h, NULL, 0x2000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE, eTaskCritical, &p) -> S_OK\nIHostMemoryManager::VirtualQuery(h, p + 0x1000, p, 28, &n) -> S_OK\ncheck n -> 28\nread32(p) -> p + 0x1000`
  ),
  caseOf(
    'virtual-protect',
    'HO-15',
    'VirtualProtect tells the old protection',
    `${host('generous')}\nIHostMemoryManager::VirtualAlloc(h, NULL, 0x2000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE, eTaskCritical, &p) -> S_OK\nIHostMemoryManager::VirtualProtect(h, p, 0x1000, PAGE_READONLY, &old) -> S_OK\ncheck old -> PAGE_READWRITE`
  ),
  caseOf(
    'load',
    'HO-16',
    'GetMemoryLoad tells percent and bytes',
    `${host('generous')}\nIHostMemoryManager::GetMemoryLoad(h, &load, &available) -> S_OK\ncheck load -> <= 100\ncheck available -> nonzero`
  ),
  caseOf(
    'load-rises',
    'HO-16',
    'which change as memory is taken',
    `${host('generous')}\nIHostMemoryManager::GetMemoryLoad(h, &load, &available) -> S_OK\nIHostMemoryManager::VirtualAlloc(h, NULL, 0x100000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE, eTaskCritical, &p) -> S_OK\nIHostMemoryManager::GetMemoryLoad(h, &more, &less) -> S_OK\ncheck more -> >= load\ncheck less -> < available`
  ),
  caseOf(
    'callback',
    'HO-17 HO-21 HO-7',
    'the callback is told when memory becomes low',
    `${host('generous')}\nc = HostCallback(told)\nIHostMemoryManager::RegisterMemoryNotificationCallback(h, c) -> S_OK\ndrain 5000: p = VirtualAlloc(NULL, 0x10000, MEM_RESERVE + MEM_COMMIT, PAGE_READWRITE)\nHostTold(told) -> eMemoryAvailableLow`
  ),
  caseOf(
    'needs-space',
    'HO-18',
    'a host may refuse address space',
    `${host('budget')}\nIHostMemoryManager::NeedsVirtualAddressSpace(h, 0x100000, 0x10000) -> S_OK\nIHostMemoryManager::NeedsVirtualAddressSpace(h, 0x100000, 0x1000000) -> E_OUTOFMEMORY`
  ),
  caseOf(
    'acquired-space',
    'HO-19 HO-20',
    'what the CLR took from the system is recorded and forgotten',
    `${host('budget')}\nIHostMemoryManager::AcquiredVirtualAddressSpace(h, 0x100000, 0xF0000) -> S_OK\nIHostMemoryManager::NeedsVirtualAddressSpace(h, 0x800000, 0x40000) -> E_OUTOFMEMORY\nIHostMemoryManager::ReleasedVirtualAddressSpace(h, 0x100000) -> S_OK\nIHostMemoryManager::NeedsVirtualAddressSpace(h, 0x800000, 0x40000) -> S_OK`
  ),
  caseOf(
    'create-type',
    'C-86 C-87',
    'each allocator is a heap of its own',
    `${malloc}\nIHostMemoryManager::CreateMalloc(h, 1, &n) -> S_OK\ncheck n -> not m`
  )
])
