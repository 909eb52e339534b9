/**
 * How an implementation behind a pipe is asked: lines of the trace format (trace/writer.ts), one call a line on its standard input, and the same
 * line with what came of it on its standard output.
 *
 *     >  {"ceheap":"conform","version":1,"profile":"compact-2013","build":"retail"}
 *     <  {"ceheap":"conform","version":1,"functions":["HeapCreate","HeapAlloc","HeapFree","GetLastError","SetLastError","read","write"],"threads":1}
 *     >  {"call":"HeapAlloc","thread":1,"args":[65536,8,100]}
 *     <  {"call":"HeapAlloc","thread":1,"args":[65536,8,100],"result":66560,"lastError":0}
 *     >  {"call":"read","thread":1,"args":[66560,4]}
 *     <  {"call":"read","thread":1,"args":[66560,4],"result":0,"bytes":"00000000"}
 *     >  {"call":"write","thread":1,"args":[66560,4],"bytes":"a5a5a5a5"}
 *     <  {"call":"write","thread":1,"args":[66560,4],"result":0}
 *
 * - The header is answered by the names of the functions that there are; whatever needs another one is not applicable. `threads` 2 tells that
 *   calls with `"thread":2` are made by a second thread of the same process.
 * - `result` is a whole number from -2^31 to 2^32 - 1; 0 for functions without a result. `lastError` is the thread's after the call.
 * - `out` is an array of what out-parameters brought, in their order, of functions whose object is not in memory: CoGetMalloc tells a number of its
 *   own for the interface there, which is the first argument of `IMalloc::Alloc` and the other methods then.
 * - `read` gives its bytes as hex digits, `write` takes them; at most 16,384 bytes a line. Where a program could not read or write there the
 *   answer is `"fault":true`, and nothing else is looked at.
 * - A call that brought no answer, an exception of the system for instance, is answered by `"threw"` with a few words.
 * - A function named `reset` makes the implementation as new; it is called before each case, without arguments. Where it is missing, cases give
 *   back what they hold, and the command is started anew after a case that failed or that CE leaves undefined.
 * - The end of standard input ends the command. Other lines on standard output are shown as notes, standard error is not looked at.
 */
export const protocolVersion = 1

export interface ProtocolCall {
  readonly call: string
  readonly thread: number
  readonly args: readonly (number | string)[]
  /** Hex digits, of `write`. */
  readonly bytes?: string
}

export interface ProtocolAnswer {
  readonly call?: unknown
  /** Compared where they come back: an answer out of turn is no answer. */
  readonly args?: unknown
  readonly result?: unknown
  readonly lastError?: unknown
  readonly out?: unknown
  readonly bytes?: unknown
  readonly fault?: unknown
  /** What ended the call instead of an answer. */
  readonly threw?: unknown
}

/** Bytes as hex digits. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The bytes of hex digits; undefined where they are none. */
export function bytesOf(hex: unknown): Uint8Array | undefined {
  if (typeof hex !== 'string' || hex.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(hex)) return undefined
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
