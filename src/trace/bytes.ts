import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { TraceError } from './source.ts'

/** Chunks of an input. Each may be overwritten as soon as the next one is asked for. */
export type Chunks = AsyncGenerator<Buffer, void, undefined>

/** The input broke off or turned out damaged; everything before was delivered. */
export class InputDamage extends Error {}

export interface Progress {
  read: number
  total: number | undefined
}

const chunkSize = 1 << 17

/** Opens a file; `chunks` closes it at its end. */
export async function openFile(path: string): Promise<{ chunks: Chunks; progress: Progress }> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const stat = await file.stat()
    if (stat.isDirectory()) throw Object.assign(new Error('directory'), { code: 'EISDIR' })
    const progress = { read: 0, total: stat.isFile() && stat.size > 0 ? stat.size : undefined }
    return { chunks: fileChunks(file, progress), progress }
  } catch (error) {
    await file?.close()
    throw new TraceError(`${path}: ${readProblem(error)}`)
  }
}

async function* fileChunks(file: FileHandle, progress: Progress): Chunks {
  // Two buffers for the whole file, one read while the other is worked on: a fresh one a chunk left 100 MB of garbage standing.
  const buffers = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)] as const
  const read = (turn: number) => file.read(buffers[turn & 1]!, 0, chunkSize, null).catch((error: unknown) => readProblem(error))
  let ahead = read(0)
  try {
    for (let turn = 1; ; turn++) {
      const done = await ahead
      if (typeof done === 'string') throw new InputDamage(`reading failed after ${progress.read} bytes: ${done}`)
      if (done.bytesRead === 0) return
      ahead = read(turn)
      progress.read += done.bytesRead
      yield done.buffer.subarray(0, done.bytesRead)
    }
  } finally {
    await ahead
    await file.close()
  }
}

/** A stream's chunks in the same form, large ones cut. */
export async function* streamChunks(stream: AsyncIterable<Uint8Array>, progress: Progress): Chunks {
  const chunks = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw new InputDamage(`reading failed after ${progress.read} bytes: ${readProblem(error)}`)
      })
      if (next.done === true) return
      const chunk: unknown = next.value
      if (!(chunk instanceof Uint8Array)) throw new TypeError(`the stream of a trace has to give Uint8Array chunks, got ${typeof chunk}`)
      progress.read += chunk.length
      for (let at = 0; at < chunk.length; at += chunkSize) {
        yield Buffer.from(chunk.buffer, chunk.byteOffset + at, Math.min(chunkSize, chunk.length - at))
      }
    }
  } finally {
    await chunks.return?.()
  }
}

/** What a failed open or read means to a person. */
function readProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EISDIR') return 'is a directory, expected the file of a recording'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)'
  return message ?? String(error)
}

/** The first bytes of an input, at least `size` where it has as many, and the whole input from the start again. */
export class Head {
  bytes: Buffer = Buffer.alloc(0)
  /** Nothing follows behind `bytes`. */
  complete = false
  failure: unknown
  private readonly chunks: Chunks

  constructor(chunks: Chunks) {
    this.chunks = chunks
  }

  async extend(size: number): Promise<void> {
    const parts = [this.bytes]
    let length = this.bytes.length
    while (length < size && !this.complete) {
      try {
        const next = await this.chunks.next()
        if (next.done === true) this.complete = true
        else {
          parts.push(Buffer.from(next.value))
          length += next.value.length
        }
      } catch (error) {
        this.complete = true
        this.failure = error
      }
    }
    this.bytes = Buffer.concat(parts)
  }

  async *all(): Chunks {
    try {
      const first = this.bytes
      this.bytes = Buffer.alloc(0)
      for (let at = 0; at < first.length; at += chunkSize) yield first.subarray(at, at + chunkSize)
      if (!this.complete) yield* this.chunks
      if (this.failure !== undefined) throw this.failure
    } finally {
      await this.close()
    }
  }

  /** Closes the input, once `extend` was called: a generator that was never asked for anything would not notice. */
  async close(): Promise<void> {
    await this.chunks.return()
  }
}

const pieceSize = 1024
const tailSize = 512

/**
 * Decompresses gzip, several members behind each other too. zlib drops what it has decompressed of a piece of input in which it meets an
 * error, so it is fed small pieces, and the end of the input byte by byte: a wrong checksum or a little garbage behind it cost nothing of
 * the data.
 */
export async function* gunzipped(chunks: Chunks): Chunks {
  const gunzip = createGunzip({ chunkSize: 1 << 16 })
  const ready: Buffer[] = []
  let failure: NodeJS.ErrnoException | undefined
  let ended = false
  let fed = 0
  let wake: () => void = () => {}
  gunzip.on('data', (data: Buffer) => ready.push(data))
  gunzip.on('end', () => {
    ended = true
    wake()
  })
  gunzip.on('error', (error) => {
    failure = error
    wake()
  })
  const settled = (start: (done: () => void) => void) =>
    new Promise<void>((resolve) => {
      wake = resolve
      start(resolve)
    })
  async function* feed(input: Buffer, size: number): Chunks {
    for (let at = 0; at < input.length && failure === undefined && !ended; at += size) {
      const piece = input.subarray(at, at + size)
      await settled((done) => gunzip.write(piece, done))
      if (failure === undefined) fed += piece.length
      yield* ready.splice(0)
    }
  }
  try {
    let held: Buffer = Buffer.alloc(0)
    for await (const chunk of chunks) {
      const input = Buffer.concat([held, chunk])
      held = input.subarray(Math.max(0, input.length - tailSize))
      yield* feed(input.subarray(0, input.length - held.length), pieceSize)
    }
    yield* feed(held, 1)
    // Not the callback of end: it comes before the error that says the stream is incomplete.
    if (failure === undefined && !ended) await settled(() => gunzip.end())
    yield* ready.splice(0)
    if (failure?.code === 'Z_BUF_ERROR') throw new InputDamage(`the gzip stream is cut after ${fed} bytes`)
    if (failure !== undefined) throw new InputDamage(`the gzip stream is damaged near byte ${fed}: ${failure.message}`)
  } finally {
    gunzip.destroy()
    await chunks.return()
  }
}

/** UTF-16, as PowerShell's redirection writes it, into UTF-8. */
export async function* fromUtf16(chunks: Chunks, encoding: 'utf-16le' | 'utf-16be'): Chunks {
  const decoder = new TextDecoder(encoding)
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }))
  yield Buffer.from(decoder.decode())
}

/** Without the first `count` bytes. */
export async function* behind(chunks: Chunks, count: number): Chunks {
  let left = count
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}
