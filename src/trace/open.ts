import { behind, type Chunks, fromUtf16, gunzipped, Head, InputDamage, openFile, type Progress, streamChunks } from './bytes.ts'
import { CeLogDecoder } from './celog.ts'
import { detect } from './detect.ts'
import type { TraceEvent } from './event.ts'
import { HeapLogDecoder } from './heaplog.ts'
import { JsonLinesDecoder } from './jsonl.ts'
import { RelayDecoder } from './relay.ts'
import type { TraceDecoder } from './decoder.ts'
import { type TraceDamage, TraceError, type TraceFormat, type TraceSource } from './source.ts'
import type { TraceHeader } from './writer.ts'

export interface OpenTraceOptions {
  /** Takes the input for this format instead of recognising it. */
  readonly format?: TraceFormat
}

const decoders: Record<TraceFormat, () => TraceDecoder> = {
  'wine-relay': () => new RelayDecoder(),
  'wine-heap': () => new HeapLogDecoder(),
  celog: () => new CeLogDecoder(),
  jsonl: () => new JsonLinesDecoder()
}

const expected =
  'expected a Wine relay log (WINEDEBUG=+relay,+pid), a Wine heap log (WINEDEBUG=+heap,+pid), a CeLog file (.clg) or a ceheap trace (JSON Lines)'

/** How far a format is looked for: at first, and in a text that begins with lines of other kinds. */
const firstLook = 1 << 16
const lastLook = 1 << 20

/**
 * Opens a recording; `-` is standard input. The format is recognised from the content, and gzip, UTF-16 with a byte order mark and a UTF-8 one
 * are seen through.
 *
 * @throws TraceError when nothing can be read from it: not found, a directory, empty, not permitted, of no known format or version.
 */
export async function openTrace(path: string, options: OpenTraceOptions = {}): Promise<TraceSource> {
  if (typeof path !== 'string') throw new TypeError(`openTrace expected a path, got ${typeof path}`)
  checkFormat(options.format)
  if (path === '-') return openTraceStream(process.stdin, '<stdin>', options)
  const { chunks, progress } = await openFile(path)
  return openChunks(chunks, progress, path, options)
}

/** Opens a recording that comes as a stream of bytes. `name` is what messages call it. Throws as openTrace does. */
export async function openTraceStream(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  options: OpenTraceOptions = {}
): Promise<TraceSource> {
  checkFormat(options.format)
  const progress = { read: 0, total: undefined }
  return openChunks(streamChunks(stream, progress), progress, name, options)
}

function checkFormat(format: string | undefined): void {
  if (format === undefined || Object.hasOwn(decoders, format)) return
  throw new RangeError(`openTrace expected one of the formats ${Object.keys(decoders).join(', ')}, got ${JSON.stringify(format)}`)
}

async function openChunks(raw: Chunks, progress: Progress, name: string, options: OpenTraceOptions): Promise<TraceSource> {
  let head = new Head(raw)
  try {
    await head.extend(2)
    const gzip = head.bytes[0] === 0x1f && head.bytes[1] === 0x8b
    if (gzip) head = new Head(gunzipped(head.all()))
    await head.extend(firstLook)
    if (head.bytes.length === 0) {
      if (head.failure instanceof InputDamage) throw new TraceError(`${name}: ${head.failure.message}, before any data`)
      if (head.failure !== undefined) throw head.failure
      throw new TraceError(`${name}: is empty, ${expected}`)
    }
    head = await withoutMark(head)
    const format = options.format ?? (await recognise(head, name))
    return new OpenedTrace(name, format, gzip, progress, head)
  } catch (error) {
    await head.close()
    throw error
  }
}

/** The input behind its byte order mark, as UTF-8. */
async function withoutMark(head: Head): Promise<Head> {
  const [first, second, third] = head.bytes
  let next: Head
  if (first === 0xff && second === 0xfe) next = new Head(fromUtf16(head.all(), 'utf-16le'))
  else if (first === 0xfe && second === 0xff) next = new Head(fromUtf16(head.all(), 'utf-16be'))
  else if (first === 0xef && second === 0xbb && third === 0xbf) next = new Head(behind(head.all(), 3))
  else return head
  await next.extend(firstLook)
  return next
}

async function recognise(head: Head, name: string): Promise<TraceFormat> {
  for (let size = firstLook; ; size *= 4) {
    const found = detect(head.bytes)
    if (found !== undefined && 'format' in found) return found.format
    if (found !== undefined) throw new TraceError(`${name}: ${found.problem}`)
    if (head.complete || size >= lastLook || head.bytes.includes(0)) {
      const { failure } = head
      if (failure instanceof InputDamage) throw new TraceError(`${name}: ${failure.message}, and what is left is of no known format`)
      throw new TraceError(`${name}: is of no known format, ${expected}`)
    }
    await head.extend(size * 4)
  }
}

class OpenedTrace implements TraceSource {
  readonly name: string
  readonly format: TraceFormat
  readonly gzip: boolean
  readonly progress: { readonly read: number; readonly total: number | undefined }
  private readonly decoder: TraceDecoder
  private readonly head: Head
  private inputDamage: TraceDamage | undefined
  private begun = false

  constructor(name: string, format: TraceFormat, gzip: boolean, progress: Progress, head: Head) {
    this.name = name
    this.format = format
    this.gzip = gzip
    this.progress = progress
    this.decoder = decoders[format]()
    this.head = head
  }

  get unit(): 'line' | 'offset' {
    return this.decoder.unit
  }

  get header(): TraceHeader | undefined {
    return this.decoder.header
  }

  get skipped(): number {
    return this.decoder.skipped
  }

  get unfinished(): number {
    return this.decoder.unfinished
  }

  get lost(): number {
    return this.decoder.lost
  }

  get damage(): TraceDamage | undefined {
    const { damage } = this.decoder
    if (damage === undefined || this.inputDamage === undefined) return damage ?? this.inputDamage
    return { ...damage, further: damage.further + 1 }
  }

  events(): AsyncIterable<TraceEvent[]> {
    if (this.begun) throw new Error(`${this.name} is being read or was read already: a trace source gives its events once`)
    this.begun = true
    return this.read()
  }

  async close(): Promise<void> {
    this.begun = true
    await this.head.close()
  }

  private async *read(): AsyncGenerator<TraceEvent[]> {
    const { decoder } = this
    let cut = false
    let batch: TraceEvent[] = []
    try {
      for await (const chunk of this.head.all()) {
        decoder.push(chunk, batch)
        if (batch.length === 0) continue
        yield batch
        batch = []
      }
    } catch (error) {
      if (!(error instanceof InputDamage)) throw error
      cut = true
      this.inputDamage = { message: error.message, position: decoder.position, further: 0 }
    }
    decoder.end(batch, cut)
    if (batch.length > 0) yield batch
  }
}
