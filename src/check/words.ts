import type { TraceEvent } from '../trace/event.ts'

type Names = readonly (readonly [bit: number, name: string])[]

const heapFlags: Names = [
  [0x1, 'HEAP_NO_SERIALIZE'],
  [0x2, 'HEAP_GROWABLE'],
  [0x4, 'HEAP_GENERATE_EXCEPTIONS'],
  [0x8, 'HEAP_ZERO_MEMORY'],
  [0x10, 'HEAP_REALLOC_IN_PLACE_ONLY'],
  [0x20, 'HEAP_TAIL_CHECKING_ENABLED'],
  [0x40, 'HEAP_FREE_CHECKING_ENABLED'],
  [0x80, 'HEAP_DISABLE_COALESCE_ON_FREE'],
  [0x1000, 'HEAP_SHARED_READONLY'],
  [0x40000, 'HEAP_CREATE_ENABLE_EXECUTE']
]

const memoryFlags = (prefix: string): Names => [
  [0x2, `${prefix}_MOVEABLE`],
  [0x10, `${prefix}_NOCOMPACT`],
  [0x20, `${prefix}_NODISCARD`],
  [0x40, `${prefix}_ZEROINIT`],
  [0x80, `${prefix}_MODIFY`]
]
const localFlags = memoryFlags('LMEM')
const globalFlags = memoryFlags('GMEM')

const allocationTypes: Names = [
  [0x1000, 'MEM_COMMIT'],
  [0x2000, 'MEM_RESERVE'],
  [0x4000, 'MEM_DECOMMIT'],
  [0x8000, 'MEM_RELEASE'],
  [0x80000, 'MEM_RESET'],
  [0x100000, 'MEM_TOP_DOWN']
]

const protections: Names = [
  [0x1, 'PAGE_NOACCESS'],
  [0x2, 'PAGE_READONLY'],
  [0x4, 'PAGE_READWRITE'],
  [0x8, 'PAGE_WRITECOPY'],
  [0x10, 'PAGE_EXECUTE'],
  [0x20, 'PAGE_EXECUTE_READ'],
  [0x40, 'PAGE_EXECUTE_READWRITE'],
  [0x80, 'PAGE_EXECUTE_WRITECOPY'],
  [0x100, 'PAGE_GUARD'],
  [0x200, 'PAGE_NOCACHE']
]

const snapshotFlags: Names = [
  [0x1, 'TH32CS_SNAPHEAPLIST'],
  [0x2, 'TH32CS_SNAPPROCESS'],
  [0x4, 'TH32CS_SNAPTHREAD'],
  [0x8, 'TH32CS_SNAPMODULE'],
  [0x40000000, 'TH32CS_SNAPNOHEAPS'],
  [0x80000000, 'TH32CS_INHERIT']
]

/** Parameters in their order and, behind a colon, the result: p pointer or handle, n number, b BOOL, v none, others flags. */
const shapes: Readonly<Record<string, string>> = {
  HeapCreate: 'hnn:p',
  CeHeapCreate: 'hnnpp:p',
  HeapDestroy: 'p:b',
  HeapAlloc: 'phn:p',
  HeapReAlloc: 'phpn:p',
  HeapFree: 'php:b',
  HeapSize: 'php:n',
  HeapValidate: 'php:b',
  HeapCompact: 'ph:n',
  HeapLock: 'p:b',
  HeapUnlock: 'p:b',
  HeapWalk: 'pp:b',
  HeapSummary: 'php:b',
  HeapSetInformation: 'pnpn:b',
  HeapQueryInformation: 'pnpnp:b',
  GetProcessHeap: ':p',
  GetProcessHeaps: 'np:n',
  LocalAlloc: 'ln:p',
  LocalReAlloc: 'pnl:p',
  LocalFree: 'p:p',
  LocalSize: 'p:n',
  LocalLock: 'p:p',
  LocalUnlock: 'p:b',
  LocalHandle: 'p:p',
  LocalFlags: 'p:x',
  LocalCompact: 'n:n',
  LocalShrink: 'pn:n',
  GlobalAlloc: 'gn:p',
  GlobalReAlloc: 'png:p',
  GlobalFree: 'p:p',
  GlobalSize: 'p:n',
  GlobalLock: 'p:p',
  GlobalUnlock: 'p:b',
  GlobalHandle: 'p:p',
  GlobalFlags: 'p:x',
  GlobalCompact: 'n:n',
  GlobalMemoryStatus: 'p:v',
  GlobalMemoryStatusEx: 'p:b',
  VirtualAlloc: 'pnao:p',
  VirtualAllocEx: 'ppnao:p',
  VirtualFree: 'pna:b',
  VirtualFreeEx: 'ppna:b',
  VirtualProtect: 'pnop:b',
  VirtualProtectEx: 'ppnop:b',
  VirtualQuery: 'ppn:n',
  VirtualQueryEx: 'pppn:n',
  VirtualLock: 'pn:b',
  VirtualUnlock: 'pn:b',
  CeVirtualSharedAlloc: 'pna:p',
  IsBadReadPtr: 'pn:b',
  IsBadWritePtr: 'pn:b',
  IsBadCodePtr: 'p:b',
  CreateToolhelp32Snapshot: 'sn:p',
  CloseToolhelp32Snapshot: 'p:b',
  CloseHandle: 'p:b',
  CoGetMalloc: 'np:x',
  CoRegisterMallocSpy: 'p:x',
  CoRevokeMallocSpy: ':x',
  'IMalloc::GetSize': 'p:n',
  InitializeCriticalSection: 'p:v',
  InitializeCriticalSectionAndSpinCount: 'pn:b',
  InitializeCriticalSectionEx: 'pnx:b',
  EnterCriticalSection: 'p:v',
  TryEnterCriticalSection: 'p:b',
  LeaveCriticalSection: 'p:v',
  DeleteCriticalSection: 'p:v',
  CoTaskMemAlloc: 'n:p',
  CoTaskMemRealloc: 'pn:p',
  CoTaskMemFree: 'p:v',
  malloc: 'n:p',
  calloc: 'nn:p',
  realloc: 'pn:p',
  free: 'p:v',
  _msize: 'p:n'
}

const flagNames: Readonly<Record<string, Names>> = {
  h: heapFlags,
  l: localFlags,
  g: globalFlags,
  a: allocationTypes,
  o: protections,
  s: snapshotFlags
}

export function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase()}`
}

/** A pointer or handle. */
export function pointer(value: number): string {
  return value === 0 ? 'NULL' : hex(value)
}

/** A size in C: whole pages in hexadecimal, as they are mostly written. */
function size(value: number): string {
  return value >= 0x1000 && value % 0x1000 === 0 ? hex(value) : String(value)
}

/** Flags by name, `A | B`; bits without a name as one number. */
function flags(value: number, names: Names): string {
  if (value > 0xffffffff) return hex(value)
  const parts: string[] = []
  let rest = value
  for (const [bit, name] of names) {
    if ((rest & bit) === 0) continue
    parts.push(name)
    rest = (rest & ~bit) >>> 0
  }
  if (rest !== 0) parts.push(hex(rest))
  return parts.join(' | ') || '0'
}

function argument(value: number, kind: string): string {
  if (kind === 'p') return pointer(value)
  if (kind === 'n') return size(value)
  const names = flagNames[kind]
  return names === undefined ? hex(value) : flags(value, names)
}

function shape(call: string): string {
  return Object.hasOwn(shapes, call) ? shapes[call]! : ''
}

/** The call as a C programmer writes it: `HeapAlloc(0x10A0000, HEAP_ZERO_MEMORY, 100)`. */
export function callText(event: TraceEvent): string {
  const kinds = shape(event.call).split(':')[0] ?? ''
  const args = event.args.slice(0, 12).map((value, index) => argument(value, kinds[index] ?? 'x'))
  return `${event.call}(${args.join(', ')})`
}

/** What it returned in the recording: `returned TRUE`. */
export function resultText(event: TraceEvent): string {
  const kind = shape(event.call).split(':')[1] ?? 'x'
  if (event.result === undefined) return kind === 'v' ? 'returned' : 'returned, the recording does not show what'
  if (kind === 'b') return event.result === 0 ? 'returned FALSE' : 'returned TRUE'
  if (kind === 'p') return `returned ${pointer(event.result)}`
  if (kind === 'n') return event.result >= 0xffffffff ? 'returned -1' : `returned ${event.result}`
  return `returned ${event.result === 0 ? '0' : hex(event.result)}`
}

/** A size for a person: `100 bytes`, `508 KB`. */
export function bytesText(value: number): string {
  if (value < 10_240) return value === 1 ? '1 byte' : `${value.toLocaleString('en-US')} bytes`
  if (value < 10 * 1024 * 1024) return `${Math.round(value / 1024).toLocaleString('en-US')} KB`
  return `${Math.round(value / (1024 * 1024)).toLocaleString('en-US')} MB`
}
