/**
 * Recorded memory calls: readers for what Wine, a CE device and this library record, and a writer.
 *
 *     import { openTrace } from 'ceheap/trace'
 *
 *     const trace = await openTrace('app.wine-relay.log.gz')
 *     for await (const batch of trace.events()) for (const { call, args, result } of batch) console.log(call, args, result)
 *     if (trace.damage) console.error(`${trace.name}: ${trace.damage.message}`)
 */
export type { CallRecord, CallWriter } from '../coredll/record.ts'
export type { TraceEvent } from './event.ts'
export { type OpenTraceOptions, openTrace, openTraceStream } from './open.ts'
export { type TraceDamage, TraceError, type TraceFormat, type TraceSource } from './source.ts'
export { type JsonLinesWriter, jsonLinesWriter, type TraceHeader, type TraceHeaderFields, type WritableCall } from './writer.ts'
