// Reads a whole trace at once, for the specs of this folder.
import { fileURLToPath } from 'node:url'
import { type OpenTraceOptions, openTrace, openTraceStream, type TraceEvent, type TraceSource } from '../../src/trace/index.ts'

export interface WholeTrace {
  readonly events: TraceEvent[]
  readonly source: TraceSource
}

/** Every event of an opened trace. */
export async function drain(source: TraceSource): Promise<WholeTrace> {
  const events: TraceEvent[] = []
  for await (const batch of source.events()) events.push(...batch)
  return { events, source }
}

/** Reads a text or bytes that arrive in chunks of `chunk` bytes. */
export async function read(content: string | Uint8Array, options: OpenTraceOptions & { chunk?: number } = {}): Promise<WholeTrace> {
  const { chunk = 1 << 16, ...rest } = options
  return drain(await openTraceStream(inChunks(content, chunk), 'sample', rest))
}

export async function* inChunks(content: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The path of a bundled recording. */
export function example(name: string): string {
  return fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))
}

export async function readExample(name: string): Promise<WholeTrace> {
  return drain(await openTrace(example(name)))
}

/** How often each value of a field occurs. */
export function tally(events: readonly TraceEvent[], field: 'call' | 'thread' | 'process' | 'site' | 'via'): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const event of events) counts[event[field]] = (counts[event[field]] ?? 0) + 1
  return counts
}

/** Events as `HeapAlloc(1,2,3)=4`, which reads well in a failed comparison. */
export function shown(events: readonly TraceEvent[]): string[] {
  return events.map(
    ({ call, args, result }) => `${call}(${args.map((value) => value.toString(16)).join(',')})=${result?.toString(16) ?? '?'}`
  )
}

/** Where two lists differ first, as a short text; undefined where they do not. A comparison of long lists that fails prints it instead of both. */
export function difference(found: readonly unknown[], expected: readonly unknown[]): string | undefined {
  for (let index = 0; index < Math.max(found.length, expected.length); index++) {
    const [one, other] = [JSON.stringify(found[index]), JSON.stringify(expected[index])]
    if (one !== other) return `${index}: found ${one}, expected ${other} (${found.length} and ${expected.length} in all)`
  }
  return undefined
}
