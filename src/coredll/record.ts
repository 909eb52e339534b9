/**
 * One API call as it was made: what `process.record` hands to a writer, and what every trace event carries.
 * Numbers are unsigned; on a recording of a 64-bit program pointers may exceed 32 bits (exact up to 2^53).
 */
export interface CallRecord {
  /** The Win32 name as CE spells it: `HeapAlloc`, `LocalFree`, ... */
  call: string
  /** The calling thread's id. */
  thread: number
  /** The arguments in Win32 parameter order. */
  args: number[]
  /** The returned value; undefined where the recording does not show it (a call that never returned, a log that omits it). */
  result: number | undefined
  /** The thread's last error after the call, where the recording shows it. */
  lastError?: number
  /** In a process whose threads run one at a time: the step of the schedule in which the call had its last grant. */
  order?: number
}

/** Receives each call once it has returned. It must not call the recorded process. */
export interface CallWriter {
  write(call: CallRecord): void
}
