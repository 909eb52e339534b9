import type { CeThread } from '../coredll/thread.ts'

/** The calls that the campaign makes. */
export const CAMPAIGN_CALLS = [
  'HeapCreate',
  'HeapDestroy',
  'HeapAlloc',
  'HeapReAlloc',
  'HeapFree',
  'HeapSize',
  'HeapValidate',
  'HeapCompact',
  'GetProcessHeap',
  'LocalAlloc',
  'LocalReAlloc',
  'LocalFree',
  'LocalSize',
  'LocalLock',
  'LocalUnlock',
  'LocalHandle',
  'LocalFlags',
  'GlobalAlloc',
  'GlobalReAlloc',
  'GlobalFree',
  'GlobalSize',
  'GlobalFlags',
  'VirtualAlloc',
  'VirtualFree',
  'VirtualProtect',
  'VirtualQuery',
  'IsBadReadPtr',
  'IsBadWritePtr',
  'GlobalMemoryStatus',
  'GetLastError',
  'SetLastError'
] as const

/** A thread as the campaign sees it: the emulator's own, or one with something in front of it (a recorder, a planted fault). */
export type Subject = Pick<CeThread, (typeof CAMPAIGN_CALLS)[number] | 'memory'>

/** Puts something in front of a thread's calls. */
export type Wrap = (subject: Subject, thread: number) => Subject

/** A thread with other functions in the place of some of its own. */
export function instead(subject: Subject, others: Partial<Subject>): Subject {
  const calls: Record<string, unknown> = { memory: subject.memory }
  for (const call of CAMPAIGN_CALLS)
    calls[call] = (...args: never[]) => (subject[call] as (...args: never[]) => number).apply(subject, args)
  return Object.assign(calls, others) as unknown as Subject
}
