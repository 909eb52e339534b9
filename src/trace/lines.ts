/** The longest line that is kept, in bytes. Real ones stay below 10 KB; a longer one is hostile or not text. */
export const longestLine: number = 1 << 20

const newline = 0x0a
const carriageReturn = 0x0d

/** Receives lines without their line end; `bytes` is valid during the call only. */
export interface LineSink {
  line(bytes: Buffer, start: number, end: number): void
  /** A line was dropped because it is longer than `longestLine`. */
  overlong?(): void
}

/**
 * Cuts chunks into lines in place: only a line that crosses from one chunk into the next is copied.
 * LF and CR LF both end a line.
 */
export class LineSplitter {
  /** Lines begun so far, hence the 1-based number of the line at hand. */
  number = 0
  /** Lines that were dropped because they are longer than `longestLine`. */
  overlong = 0
  private readonly sink: LineSink
  private carry: Buffer = Buffer.allocUnsafe(1024)
  private carried = 0
  private dropping = false

  constructor(sink: LineSink) {
    this.sink = sink
  }

  push(chunk: Buffer): void {
    let start = 0
    if (this.carried > 0 || this.dropping) {
      const end = chunk.indexOf(newline)
      this.keep(chunk, 0, end < 0 ? chunk.length : end)
      if (end < 0) return
      this.finish()
      start = end + 1
    }
    const sink = this.sink
    for (;;) {
      const end = chunk.indexOf(newline, start)
      if (end < 0) break
      this.number++
      sink.line(chunk, start, end > start && chunk[end - 1] === carriageReturn ? end - 1 : end)
      start = end + 1
    }
    if (start < chunk.length) this.keep(chunk, start, chunk.length)
  }

  /** Delivers what stands behind the last line end; false where nothing does. */
  end(): boolean {
    if (this.carried === 0 && !this.dropping) return false
    this.finish()
    return true
  }

  private keep(chunk: Buffer, start: number, end: number): void {
    if (this.dropping) return
    const length = this.carried + end - start
    if (length > longestLine) {
      this.dropping = true
      return
    }
    if (length > this.carry.length) {
      const larger = Buffer.allocUnsafe(Math.min(longestLine, Math.max(length, 2 * this.carry.length)))
      this.carry.copy(larger, 0, 0, this.carried)
      this.carry = larger
    }
    chunk.copy(this.carry, this.carried, start, end)
    this.carried = length
  }

  private finish(): void {
    const length = this.carried
    this.number++
    this.carried = 0
    if (this.dropping) {
      this.dropping = false
      this.overlong++
      this.sink.overlong?.()
      return
    }
    this.sink.line(this.carry, 0, length > 0 && this.carry[length - 1] === carriageReturn ? length - 1 : length)
  }
}
