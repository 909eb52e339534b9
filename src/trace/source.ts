import type { TraceEvent } from './event.ts'
import type { TraceHeader } from './writer.ts'

/**
 * What a recording can be:
 * `wine-relay` (WINEDEBUG=+relay), `wine-heap` (WINEDEBUG=+heap), `celog` (a .clg file of a CE device), `jsonl` (our own, see writer.ts).
 */
export type TraceFormat = 'wine-relay' | 'wine-heap' | 'celog' | 'jsonl'

/** Where an input is damaged or incomplete. What can be read is read all the same. */
export interface TraceDamage {
  /** What is wrong, for a person: names the line or offset where that is more exact than `position`. */
  readonly message: string
  /** In the unit of the source. */
  readonly position: number
  /** How many more places were damaged after this one. */
  readonly further: number
}

/** One opened recording. It is read once, from the beginning to the end. */
export interface TraceSource {
  /** File name as given, or `<stdin>`. */
  readonly name: string
  readonly format: TraceFormat
  readonly gzip: boolean
  /** What `TraceEvent.position` counts: 1-based lines, or byte offsets (of the decompressed data). */
  readonly unit: 'line' | 'offset'
  /** The header object of our own format; undefined for the others and where a file has none. */
  readonly header: TraceHeader | undefined
  /**
   * Batches of events, up to a few thousand each, in the order of the recording. It ends normally also for damaged input: `damage`
   * then says what is wrong and where. Can be called once; leaving the loop early closes the input.
   */
  events(): AsyncIterable<TraceEvent[]>
  /** Final after the iteration. */
  readonly damage: TraceDamage | undefined
  /** Lines or records so far that were not understood, and the app's calls that do not concern memory. */
  readonly skipped: number
  /** Memory calls of the app that had not returned when their thread or the recording ended. */
  readonly unfinished: number
  /** Bytes of log that the recording device itself says it lost (CeLog's CELID_DATA_LOSS). */
  readonly lost: number
  /** Bytes read so far from the input, and its size where that is known. */
  readonly progress: { readonly read: number; readonly total: number | undefined }
  /** Closes the input of a source that is not iterated after all. */
  close(): Promise<void>
}

/** An input of which nothing can be read: the message has the file name and what was expected. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}
