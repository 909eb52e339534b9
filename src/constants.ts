/**
 * The numbers of the Win32 and CE headers that this library takes and gives.
 * Values: public winerror.h, winnt.h and winbase.h values as collected in the rules named on each line.
 */

// Last errors (N-1) and the one that VirtualAlloc adds (cases of VirtualAlloc on desktop Windows).
export const NO_ERROR = 0
export const ERROR_SUCCESS = 0
export const ERROR_ACCESS_DENIED = 5
export const ERROR_INVALID_HANDLE = 6
export const ERROR_NOT_ENOUGH_MEMORY = 8
export const ERROR_NO_MORE_FILES = 18
export const ERROR_INVALID_PARAMETER = 87
export const ERROR_CALL_NOT_IMPLEMENTED = 120
export const ERROR_INVALID_ADDRESS = 487

// Exceptions that the emulated OS raises (LF-4, VP-4).
export const EXCEPTION_ACCESS_VIOLATION = 0xc0000005
export const EXCEPTION_GUARD_PAGE = 0x80000001

// Heap flags that CE documents (FL-1, FL-3, FL-4, FL-8, FL-10).
export const HEAP_NO_SERIALIZE = 0x00000001
export const HEAP_ZERO_MEMORY = 0x00000008
export const HEAP_REALLOC_IN_PLACE_ONLY = 0x00000010
export const HEAP_SHARED_READONLY = 0x00001000

// Heap flags of desktop Windows that CE does not document (FL-5, FL-7, FL-12).
export const HEAP_GROWABLE = 0x00000002
export const HEAP_GENERATE_EXCEPTIONS = 0x00000004
export const HEAP_TAIL_CHECKING_ENABLED = 0x00000020
export const HEAP_FREE_CHECKING_ENABLED = 0x00000040
export const HEAP_DISABLE_COALESCE_ON_FREE = 0x00000080
export const HEAP_CREATE_ENABLE_EXECUTE = 0x00040000

// Local memory flags that CE documents (LA-3, LR-2, LR-4).
export const LMEM_FIXED = 0x0000
export const LMEM_ZEROINIT = 0x0040
export const LPTR = 0x0040
export const LMEM_MODIFY = 0x0080
export const LMEM_MOVEABLE = 0x0002

// Local and global memory flags of desktop Windows (LA-4, GA-3).
export const LMEM_NOCOMPACT = 0x0010
export const LMEM_NODISCARD = 0x0020
export const LMEM_DISCARDABLE = 0x0f00
export const LHND = 0x0042
export const GMEM_FIXED = 0x0000
export const GMEM_MOVEABLE = 0x0002
export const GMEM_ZEROINIT = 0x0040
export const GMEM_MODIFY = 0x0080
export const GPTR = 0x0040
export const GHND = 0x0042

// Virtual memory (VA-8 to VA-11, VA-15, VF-2, VF-3).
export const MEM_COMMIT = 0x1000
export const MEM_RESERVE = 0x2000
export const MEM_DECOMMIT = 0x4000
export const MEM_RELEASE = 0x8000
export const MEM_FREE = 0x10000
export const MEM_PRIVATE = 0x20000
export const MEM_MAPPED = 0x40000
export const MEM_RESET = 0x80000
export const MEM_TOP_DOWN = 0x100000
export const MEM_IMAGE = 0x01000000
export const PAGE_NOACCESS = 0x01
export const PAGE_READONLY = 0x02
export const PAGE_READWRITE = 0x04
export const PAGE_WRITECOPY = 0x08
export const PAGE_EXECUTE = 0x10
export const PAGE_EXECUTE_READ = 0x20
export const PAGE_EXECUTE_READWRITE = 0x40
export const PAGE_EXECUTE_WRITECOPY = 0x80
export const PAGE_GUARD = 0x100
export const PAGE_NOCACHE = 0x200
export const PAGE_PHYSICAL = 0x400

/** The calling process where a call wants a process: what GetCurrentProcess() stands for (C-94). */
export const CURRENT_PROCESS = 0x42

/** What HeapSize answers when it fails (HS-5). */
export const HEAP_SIZE_FAILED = 0xffffffff

/** On a fixed heap a block must be smaller than this many bytes (HA-2). */
export const FIXED_HEAP_LIMIT = 0x7fff8

// HRESULTs (N-2, N-3) and E_NOINTERFACE, which every COM header has.
export const S_OK = 0
export const E_NOINTERFACE = 0x80004002
export const E_FAIL = 0x80004005
export const E_ACCESSDENIED = 0x80070005
export const E_OUTOFMEMORY = 0x8007000e
export const E_INVALIDARG = 0x80070057
export const CO_E_OBJNOTREG = 0x800401fb
export const CO_E_OBJISREG = 0x800401fc

// COM's task allocator (CM-1, CM-3) and its interfaces.
export const MEMCTX_TASK = 1
export const MEMCTX_SHARED = 2
export const IID_IUnknown = '00000000-0000-0000-c000-000000000046'
export const IID_IMalloc = '00000002-0000-0000-c000-000000000046'
export const IID_IMallocSpy = '0000001d-0000-0000-c000-000000000046'

// Tool help (TH-2, TH-12 to TH-15)
export const INVALID_HANDLE_VALUE = 0xffffffff
export const TH32CS_SNAPHEAPLIST = 0x1
export const TH32CS_SNAPPROCESS = 0x2
export const TH32CS_SNAPTHREAD = 0x4
export const TH32CS_SNAPMODULE = 0x8
export const TH32CS_SNAPALL = 0xf
export const TH32CS_GETALLMODS = 0x80000000
export const TH32CS_SNAPNOHEAPS = 0x40000000
export const HF32_DEFAULT = 0x1
export const HF32_SHARED = 0x2
export const LF32_FIXED = 0x1
export const LF32_FREE = 0x2
export const LF32_DECOMMIT = 0x8
export const LF32_BIGBLOCK = 0x10

// CLR hosting (HO-1, HO-3, HO-4, HO-7) and its interfaces (public header values).
export const HOST_E_DEADLOCK = 0x80131020
export const HOST_E_INTERRUPTED = 0x80131021
export const HOST_E_INVALIDOPERATION = 0x80131022
export const HOST_E_CLRNOTAVAILABLE = 0x80131023
export const HOST_E_TIMEOUT = 0x80131024
export const HOST_E_NOT_OWNER = 0x80131025
export const HOST_E_ABANDONED = 0x80131026
export const MALLOC_THREADSAFE = 0x1
export const MALLOC_EXECUTABLE = 0x2
export const eTaskCritical = 0
export const eAppDomainCritical = 1
export const eProcessCritical = 2
export const eMemoryAvailableLow = 1
export const eMemoryAvailableNeutral = 2
export const eMemoryAvailableHigh = 3
export const IID_IHostMalloc = '1831991c-cc53-4a31-b218-04e910446479'
export const IID_IHostMemoryManager = '7bc698d1-f9e3-4460-9cde-d04248e9fa25'
