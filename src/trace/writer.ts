import type { CallRecord, CallWriter } from '../coredll/record.ts'
import type { TraceEvent } from './event.ts'

/**
 * Our own trace format, version 1: JSON Lines (UTF-8, one JSON object a line, LF or CR LF, blank lines allowed), `.jsonl`, gzipped or not.
 *
 *     {"ceheap":"trace","version":1,"program":"shop.exe","profile":"compact-2013","pointerBits":32}
 *     {"call":"HeapCreate","thread":1,"args":[0,4096,262144],"result":65536,"site":"main.c:12"}
 *     {"call":"HeapAlloc","thread":1,"args":["0x10000",8,100],"result":"0x10400","lastError":0}
 *     {"call":"HeapFree","thread":2,"process":7,"args":[65536,0,66560],"result":1}
 *
 * The first line is the header. `ceheap` is "trace" and `version` is 1; everything else in it is optional (TraceHeader). Every further
 * line is one call, written when the call has returned:
 *
 * | field       |                                                                                              |
 * |-------------|----------------------------------------------------------------------------------------------|
 * | `call`      | the Win32 name as CE spells it, a string that is not empty                                     |
 * | `thread`    | id of the calling thread                                                                       |
 * | `process`   | id of its process; 0 where it is missing                                                       |
 * | `args`      | the arguments in Win32 parameter order, an array of numbers                                    |
 * | `result`    | the returned value; missing where there is none or it is not known                             |
 * | `lastError` | the thread's last error after the call; missing where it is not known                          |
 * | `site`      | call site: a return address, a name or `file:line`; missing where it is not known              |
 * | `via`       | the name under which the call was recorded, where that is another one                          |
 *
 * A number is an integer from 0 to 2^64 - 1: a JSON number, or a string of hex digits behind "0x". Above 2^53 it is rounded. Unknown
 * fields are ignored, so that fields can be added within version 1; a reader refuses a version that it does not know.
 */
export const traceVersion = 1

/** The header object of a trace in our own format. */
export interface TraceHeader {
  readonly ceheap: 'trace'
  readonly version: typeof traceVersion
  /** The profile under which the calls were answered, where an emulator recorded them. */
  readonly profile?: string
  readonly build?: string
  /** 32 or 64: the width of a pointer in the recorded program. */
  readonly pointerBits?: number
  /** What was recorded. */
  readonly program?: string
  readonly [field: string]: unknown
}

/** What can be said in the header: everything but the two fields that identify the format. */
export interface TraceHeaderFields {
  readonly profile?: string
  readonly build?: string
  readonly pointerBits?: number
  readonly program?: string
  readonly [field: string]: unknown
}

/** A call with as much of a trace event as its recorder knows. */
export type WritableCall = CallRecord & Partial<TraceEvent>

/** Writes calls as JSON Lines. */
export interface JsonLinesWriter extends CallWriter {
  write(call: WritableCall): void
  /** Calls written so far, the header not counted. */
  readonly calls: number
}

/**
 * A writer of the format above, for `process.record` and for converting traces. It hands `sink` one line at a time without a line end,
 * the header at once. Runs in browsers too. What `sink` throws goes to the caller of `write`.
 */
export function jsonLinesWriter(sink: (line: string) => void, header: TraceHeaderFields = {}): JsonLinesWriter {
  if (typeof sink !== 'function') throw new TypeError(`jsonLinesWriter expected a function that takes a line, got ${typeof sink}`)
  let calls = 0
  sink(JSON.stringify({ ...header, ceheap: 'trace', version: traceVersion } satisfies TraceHeader))
  return {
    write({ call, thread, process, args, result, lastError, site, via }: WritableCall): void {
      const line = {
        call,
        thread,
        process: process === 0 ? undefined : process,
        args,
        result,
        lastError,
        site: site === '' ? undefined : site,
        via: via === '' ? undefined : via
      }
      sink(JSON.stringify(line))
      calls++
    },
    get calls(): number {
      return calls
    }
  }
}
