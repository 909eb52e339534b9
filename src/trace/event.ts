import type { CallRecord } from '../coredll/record.ts'

/** The one type that every reader produces and everything above consumes. */
export interface TraceEvent extends CallRecord {
  /** Process id as the recording gives it; 0 where it has none. */
  process: number
  /** Call site as the recording gives it (a return address in hex, a name, `file:line`), or '' where it has none. */
  site: string
  /** The name under which the call was recorded where that is not `call` (`ntdll.RtlAllocateHeap`), else ''. */
  via: string
  /** Where in the input this event stands: a 1-based line number, or a byte offset for binary logs (see TraceSource.unit). */
  position: number
}
