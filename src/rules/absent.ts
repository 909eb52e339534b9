/** Functions that the documentation names and that a program cannot call here. */
export interface Absent {
  readonly names: readonly string[]
  readonly reason: string
  /** The rule that speaks of them. */
  readonly rule: string
}

export const absent: readonly Absent[] = [
  {
    names: ['HeapLock', 'HeapUnlock', 'HeapWalk', 'GetProcessHeaps', 'HeapSetInformation', 'HeapQueryInformation', 'HeapSummary'],
    reason: 'CE does not have them: a program that calls one does not link',
    rule: 'EX-6'
  },
  { names: ['GlobalMemoryStatusEx'], reason: 'CE does not have it', rule: 'GM-6' },
  { names: ['InitializeCriticalSectionAndSpinCount'], reason: 'CE does not have it', rule: 'CS-11' },
  {
    names: ['HeapAllocTrace', 'CompactAllHeaps', 'GetHeapSnapshot', 'LocalAllocInProcess', 'LocalFreeInProcess', 'LocalSizeInProcess'],
    reason: 'exported, but no page says what they do',
    rule: 'EX-5'
  },
  {
    names: ['RemoteHeapAlloc', 'RemoteHeapFree', 'RemoteHeapReAlloc', 'RemoteHeapSize'],
    reason: 'work on another process, and the emulated one is alone; no page says what they do',
    rule: 'EX-5'
  },
  {
    names: ['RemoteLocalAlloc', 'RemoteLocalFree', 'RemoteLocalReAlloc', 'RemoteLocalSize'],
    reason: 'work on another process, and the emulated one is alone; no page says what they do',
    rule: 'EX-5'
  },
  {
    names: ['VirtualCopyEx', 'VirtualAllocCopyEx'],
    reason: 'map memory of one process into another, for drivers and the kernel; the emulated process is alone',
    rule: 'VX-1'
  }
]
