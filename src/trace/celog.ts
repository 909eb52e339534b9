import type { TraceEvent } from './event.ts'
import {
  type CeLogEvent,
  type CeLogVersion,
  celogId,
  chainAt,
  eventAt,
  formAt,
  isPlausible,
  largestEvent,
  markerVersion,
  mayBeFlagged
} from './celogform.ts'
import { DamageNote, type TraceDecoder } from './decoder.ts'
import type { TraceDamage } from './source.ts'
import { hexText } from './text.ts'

interface HeapEvent {
  readonly call: string
  /** The DWORDs that are the Win32 arguments, in their order. */
  readonly args: readonly number[]
  /** The DWORD that is the result; -1 where the event has none. */
  readonly result: number
  /** The DWORD with the thread id, which the process id follows. */
  readonly thread: number
  /** The first DWORD of the stack trace. */
  readonly stack: number
}

/** Rules CL-4 to CL-7. CEL_HEAP_DESTROY is not among the pages read: its layout is taken to be that of the others, handle, thread, process. */
const heapEvents: ReadonlyMap<number, HeapEvent> = new Map([
  [celogId.heapCreate, { call: 'HeapCreate', args: [0, 1, 2], result: 3, thread: 4, stack: Number.POSITIVE_INFINITY }],
  [celogId.heapAlloc, { call: 'HeapAlloc', args: [0, 1, 2], result: 3, thread: 4, stack: 7 }],
  [celogId.heapReAlloc, { call: 'HeapReAlloc', args: [0, 1, 3, 2], result: 4, thread: 5, stack: 8 }],
  [celogId.heapFree, { call: 'HeapFree', args: [0, 1, 2], result: -1, thread: 3, stack: 6 }],
  [celogId.heapDestroy, { call: 'HeapDestroy', args: [0], result: -1, thread: 1, stack: Number.POSITIVE_INFINITY }]
])

/** How many events have to fit behind a doubtful one before its reading is believed. */
const proof = 8
/** Bytes that are collected before they are read: each reading copies what is kept ahead. */
const worthwhile = 1 << 17

/**
 * CeLog's binary log (.clg), as a CE device writes it, in both header forms (celogform.ts). Heap events become calls; the events of other
 * kinds, VirtualAlloc's among them, whose layout is not in the public pages read for this, are skipped by their length. The call site is the
 * first DWORD behind the ids, a return address or, on some versions, a snapshot header (CL-8).
 *
 * No recording of a device was at hand: this reader was only tested against logs that were built from the documentation.
 */
export class CeLogDecoder implements TraceDecoder {
  readonly unit = 'offset'
  readonly header = undefined
  readonly unfinished = 0
  skipped = 0
  lost = 0
  position = 0
  private rest: Buffer = Buffer.alloc(0)
  private waiting: Buffer[] = []
  private waitingLength = 0
  private version: CeLogVersion | undefined
  private stopped = false
  private readonly note = new DamageNote()

  get damage(): TraceDamage | undefined {
    return this.note.first
  }

  push(chunk: Buffer, out: TraceEvent[]): void {
    if (this.stopped) return
    this.waiting.push(Buffer.from(chunk))
    this.waitingLength += chunk.length
    if (this.waitingLength < worthwhile) return
    this.join()
    // A doubtful header is judged by the events behind it, so reading keeps that many bytes ahead.
    this.advance(out, this.rest.length - proof * largestEvent)
  }

  end(out: TraceEvent[], cut: boolean): void {
    if (this.stopped) return
    this.join()
    this.advance(out, this.rest.length)
    if (this.rest.length > 0 && !this.stopped && !cut) {
      this.note.add(`the last event is truncated at offset ${this.position}: ${this.rest.length} bytes of it are there`, this.position)
    }
  }

  private join(): void {
    this.rest = Buffer.concat([this.rest, ...this.waiting])
    this.waiting = []
    this.waitingLength = 0
  }

  /** Reads the events that begin before `limit` and are complete. */
  private advance(out: TraceEvent[], limit: number): void {
    const bytes = this.rest
    let at = 0
    while (at < limit && !this.stopped) {
      const event = this.eventAt(bytes, at)
      if (event === undefined || at + event.size > bytes.length) break
      this.take(bytes, event, out)
      at += event.size
      this.position += event.size
    }
    this.rest = bytes.subarray(at)
  }

  private eventAt(bytes: Buffer, at: number): CeLogEvent | undefined {
    // Without the CPU field both forms read the same: the question waits until it matters.
    if (this.version === undefined && at + 2 <= bytes.length && (bytes[at + 1]! & 0xf0) !== 0) this.version = formAt(bytes, at)
    const version = this.version ?? 3
    const plain = eventAt(bytes, at, version, false)
    if (plain === undefined) return undefined
    if (!isPlausible(bytes, at, plain)) {
      this.stopped = true
      this.note.add(`no event header at offset ${this.position}: the rest of the log cannot be read`, this.position)
      return undefined
    }
    if (!mayBeFlagged(plain.id)) return plain
    const flagged = eventAt(bytes, at, version, true)
    if (flagged === undefined || !isPlausible(bytes, at, flagged)) return plain
    const behindPlain = chainAt(bytes, at + plain.size, version, proof)
    const behindFlagged = chainAt(bytes, at + flagged.size, version, proof)
    if (!behindFlagged.consistent) return plain
    return !behindPlain.consistent || behindFlagged.known > behindPlain.known ? flagged : plain
  }

  private take(bytes: Buffer, event: CeLogEvent, out: TraceEvent[]): void {
    const dword = (index: number) => bytes.readUInt32LE(event.data + 4 * index)
    const count = event.length >>> 2
    const heap = heapEvents.get(event.id)
    if (heap !== undefined) {
      out.push({
        call: heap.call,
        thread: count > heap.thread ? dword(heap.thread) : 0,
        args: heap.args.map(dword),
        result: heap.result < 0 ? undefined : dword(heap.result),
        process: count > heap.thread + 1 ? dword(heap.thread + 1) : 0,
        site: count > heap.stack ? hexText(dword(heap.stack)) : '',
        via: '',
        position: this.position
      })
      return
    }
    this.skipped++
    if (event.id === celogId.marker) this.version = markerVersion(bytes, event)
    if (event.id === celogId.dataLoss) {
      this.lost += dword(0)
      this.note.add(`the device lost ${dword(0)} bytes of log at offset ${this.position} (CELID_DATA_LOSS)`, this.position)
    }
  }
}
