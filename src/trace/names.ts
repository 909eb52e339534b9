/**
 * What a returned value is and how it becomes the Win32 result:
 * `block` a pointer or handle that the call has just handed out; `value` as printed; `dword` its low 32 bits (BOOL, DWORD: the upper
 * half of the register is not defined); `byte` a BOOLEAN, its low 8 bits; `status` an NTSTATUS or "0 is success", turned into TRUE or
 * FALSE; `none` a function without a result.
 */
export type ResultKind = 'block' | 'value' | 'dword' | 'byte' | 'status' | 'none'

/** How one recorded function is read as a Win32 call. */
export interface RecordedCall {
  readonly call: string
  /** What goes to TraceEvent.via. */
  readonly via: string
  /** How many parameters the Win32 function has. */
  readonly parameters: number
  /** The recorded argument for each of them, where the recorded function has others or another order; else undefined. */
  readonly order: readonly number[] | undefined
  readonly result: ResultKind
  /** The Win32 parameter whose block, heap or region the call gives up; -1 where it gives up none. */
  readonly releases: number
  /** The function calls no exported function itself: a call inside it means that it did not return (an exception, a lost line). */
  readonly leaf: boolean
}

type Win32Row = readonly [name: string, parameters: number, result: ResultKind, releases?: number]
type OtherRow = readonly [name: string, call: string, parameters: number | readonly number[], result: ResultKind, releases?: number]

// kernel32 and kernelbase: the recorded name is the Win32 name.
const win32: readonly Win32Row[] = [
  ['HeapAlloc', 3, 'block'],
  ['HeapCompact', 2, 'value'],
  ['HeapCreate', 3, 'block'],
  ['HeapDestroy', 1, 'dword', 0],
  ['HeapFree', 3, 'dword', 2],
  ['HeapLock', 1, 'dword'],
  ['HeapQueryInformation', 5, 'dword'],
  ['HeapReAlloc', 4, 'block', 2],
  ['HeapSetInformation', 4, 'dword'],
  ['HeapSize', 3, 'value'],
  ['HeapSummary', 3, 'dword'],
  ['HeapUnlock', 1, 'dword'],
  ['HeapValidate', 3, 'dword'],
  ['HeapWalk', 2, 'dword'],
  ['GetProcessHeap', 0, 'value'],
  ['GetProcessHeaps', 2, 'dword'],
  ['LocalAlloc', 2, 'block'],
  ['LocalCompact', 1, 'value'],
  ['LocalFlags', 1, 'dword'],
  ['LocalFree', 1, 'value', 0],
  ['LocalHandle', 1, 'value'],
  ['LocalLock', 1, 'value'],
  ['LocalReAlloc', 3, 'block', 0],
  ['LocalShrink', 2, 'value'],
  ['LocalSize', 1, 'value'],
  ['LocalUnlock', 1, 'dword'],
  ['GlobalAlloc', 2, 'block'],
  ['GlobalCompact', 1, 'value'],
  ['GlobalFlags', 1, 'dword'],
  ['GlobalFree', 1, 'value', 0],
  ['GlobalHandle', 1, 'value'],
  ['GlobalLock', 1, 'value'],
  ['GlobalMemoryStatus', 1, 'none'],
  ['GlobalMemoryStatusEx', 1, 'dword'],
  ['GlobalReAlloc', 3, 'block', 0],
  ['GlobalSize', 1, 'value'],
  ['GlobalUnlock', 1, 'dword'],
  ['VirtualAlloc', 4, 'block'],
  ['VirtualAllocEx', 5, 'block'],
  ['VirtualFree', 3, 'dword', 0],
  ['VirtualFreeEx', 4, 'dword', 1],
  ['VirtualLock', 2, 'dword'],
  ['VirtualProtect', 4, 'dword'],
  ['VirtualProtectEx', 5, 'dword'],
  ['VirtualQuery', 3, 'value'],
  ['VirtualQueryEx', 4, 'value'],
  ['VirtualUnlock', 2, 'dword'],
  ['IsBadCodePtr', 1, 'dword'],
  ['IsBadReadPtr', 2, 'dword'],
  ['IsBadWritePtr', 2, 'dword'],
  ['CloseHandle', 1, 'dword'],
  ['CreateToolhelp32Snapshot', 2, 'value'],
  ['Heap32First', 3, 'dword'],
  ['Heap32ListFirst', 2, 'dword'],
  ['Heap32ListNext', 2, 'dword'],
  ['Heap32Next', 1, 'dword'],
  ['InitializeCriticalSection', 1, 'none'],
  ['InitializeCriticalSectionAndSpinCount', 2, 'dword'],
  ['InitializeCriticalSectionEx', 3, 'dword'],
  ['EnterCriticalSection', 1, 'none'],
  ['TryEnterCriticalSection', 1, 'dword'],
  ['LeaveCriticalSection', 1, 'none'],
  ['DeleteCriticalSection', 1, 'none']
]

// ntdll: what kernel32 forwards to, with the order in which ntdll takes the Win32 parameters.
const ntdll: readonly OtherRow[] = [
  ['RtlAllocateHeap', 'HeapAlloc', 3, 'block'],
  ['RtlCompactHeap', 'HeapCompact', 2, 'value'],
  ['RtlCreateHeap', 'HeapCreate', [0, 3, 2], 'block'],
  ['RtlDestroyHeap', 'HeapDestroy', 1, 'status', 0],
  ['RtlFreeHeap', 'HeapFree', 3, 'byte', 2],
  ['RtlGetProcessHeaps', 'GetProcessHeaps', 2, 'dword'],
  ['RtlLockHeap', 'HeapLock', 1, 'byte'],
  ['RtlQueryHeapInformation', 'HeapQueryInformation', 5, 'status'],
  ['RtlReAllocateHeap', 'HeapReAlloc', 4, 'block', 2],
  ['RtlSetHeapInformation', 'HeapSetInformation', 4, 'status'],
  ['RtlSizeHeap', 'HeapSize', 3, 'value'],
  ['RtlUnlockHeap', 'HeapUnlock', 1, 'byte'],
  ['RtlValidateHeap', 'HeapValidate', 3, 'byte'],
  ['RtlWalkHeap', 'HeapWalk', 2, 'status'],
  ['RtlInitializeCriticalSection', 'InitializeCriticalSection', 1, 'none'],
  ['RtlInitializeCriticalSectionAndSpinCount', 'InitializeCriticalSectionAndSpinCount', 2, 'status'],
  ['RtlInitializeCriticalSectionEx', 'InitializeCriticalSectionEx', 3, 'status'],
  ['RtlEnterCriticalSection', 'EnterCriticalSection', 1, 'none'],
  ['RtlTryEnterCriticalSection', 'TryEnterCriticalSection', 1, 'dword'],
  ['RtlLeaveCriticalSection', 'LeaveCriticalSection', 1, 'none'],
  ['RtlDeleteCriticalSection', 'DeleteCriticalSection', 1, 'none']
]

// ole32 and combase.
const com: readonly Win32Row[] = [
  ['CoGetMalloc', 2, 'dword'],
  ['CoRegisterMallocSpy', 1, 'dword'],
  ['CoRevokeMallocSpy', 0, 'dword'],
  ['CoTaskMemAlloc', 1, 'block'],
  ['CoTaskMemFree', 1, 'none', 0],
  ['CoTaskMemRealloc', 2, 'block', 0]
]

// msvcrt, ucrtbase and the msvcr*.dll. Operators new and delete by their decorated names, 32 and 64 bits.
const crt: readonly OtherRow[] = [
  ['malloc', 'malloc', 1, 'block'],
  ['calloc', 'calloc', 2, 'block'],
  ['realloc', 'realloc', 2, 'block', 0],
  ['free', 'free', 1, 'none', 0],
  ['_msize', '_msize', 1, 'value'],
  ['_malloc_base', 'malloc', 1, 'block'],
  ['_calloc_base', 'calloc', 2, 'block'],
  ['_realloc_base', 'realloc', 2, 'block', 0],
  ['_free_base', 'free', 1, 'none', 0],
  ['_malloc_dbg', 'malloc', [0], 'block'],
  ['_calloc_dbg', 'calloc', [0, 1], 'block'],
  ['_realloc_dbg', 'realloc', [0, 1], 'block', 0],
  ['_free_dbg', 'free', [0], 'none', 0],
  ['??2@YAPAXI@Z', 'malloc', 1, 'block'],
  ['??2@YAPEAX_K@Z', 'malloc', 1, 'block'],
  ['??_U@YAPAXI@Z', 'malloc', 1, 'block'],
  ['??_U@YAPEAX_K@Z', 'malloc', 1, 'block'],
  ['??3@YAXPAX@Z', 'free', 1, 'none', 0],
  ['??3@YAXPEAX@Z', 'free', 1, 'none', 0],
  ['??_V@YAXPAX@Z', 'free', 1, 'none', 0],
  ['??_V@YAXPEAX@Z', 'free', 1, 'none', 0]
]

/**
 * Functions that run the app's own code, so that calls made inside them are the app's: the start of a thread, the initialisers and
 * finalisers of the C runtime (with the registration of the latter: both use one table, whose block would otherwise be freed but never
 * allocated), and the ways into an exception handler, which do not return.
 */
const openers: ReadonlySet<string> = new Set([
  'kernel32.BaseThreadInitThunk',
  'ntdll.RtlUserThreadStart',
  ...['_initterm', '_initterm_e', '_onexit', '__dllonexit', 'exit', '_cexit', '_CxxThrowException', 'longjmp', '_longjmpex'].map(
    (name) => `crt.${name}`
  ),
  ...['kernel32', 'kernelbase'].map((module) => `${module}.RaiseException`),
  ...['RtlRaiseException', 'RtlRaiseStatus', 'RtlUnwind', 'RtlUnwindEx'].map((name) => `ntdll.${name}`)
])

const calls: ReadonlyMap<string, OtherRow> = new Map([
  ...win32.flatMap(([name, ...rest]): [string, OtherRow][] => [
    [`kernel32.${name}`, [name, name, ...rest]],
    [`kernelbase.${name}`, [name, name, ...rest]]
  ]),
  ...com.flatMap(([name, ...rest]): [string, OtherRow][] => [
    [`ole32.${name}`, [name, name, ...rest]],
    [`combase.${name}`, [name, name, ...rest]]
  ]),
  ...ntdll.map((row): [string, OtherRow] => [`ntdll.${row[0]}`, row]),
  ...crt.map((row): [string, OtherRow] => [`crt.${row[0]}`, row])
])

/** `module.function` with the module in lower case and every C runtime under one name. */
function key(module: string, name: string): string {
  const lower = module.toLowerCase()
  return `${/^(msvcrt|msvcr\d+|ucrtbase|crtdll)d?$/.test(lower) ? 'crt' : lower}.${name}`
}

/**
 * The Win32 reading of a recorded function; undefined for one that is not a memory call. `via` is the full recorded name where the
 * function is called differently, and for every C runtime function: several runtimes in one process keep separate heaps.
 */
export function recordedCall(module: string, name: string): RecordedCall | undefined {
  const found = key(module, name)
  const row = calls.get(found)
  if (row === undefined) return undefined
  const [, call, parameters, result, releases] = row
  return {
    call,
    via: name === call && !found.startsWith('crt.') ? '' : `${module}.${name}`,
    parameters: typeof parameters === 'number' ? parameters : parameters.length,
    order: typeof parameters === 'number' ? undefined : parameters,
    result,
    releases: releases ?? -1,
    leaf: found.startsWith('ntdll.')
  }
}

/** Whether calls made inside this function are the app's own. */
export function runsAppCode(module: string, name: string): boolean {
  return openers.has(key(module, name))
}

/** A returned value as the Win32 function gives it. */
export function win32Result(kind: ResultKind, printed: number): number | undefined {
  switch (kind) {
    case 'block':
    case 'value':
      return printed
    case 'dword':
      return printed % 0x100000000
    case 'byte':
      return printed % 0x100
    case 'status':
      return printed % 0x100000000 === 0 ? 1 : 0
    case 'none':
      return undefined
  }
}
