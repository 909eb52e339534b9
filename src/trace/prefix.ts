import { hexDigit, hexEnd } from './text.ts'

const colon = 0x3a
const dot = 0x2e
const letterC = 0x43

/**
 * What stands in front of every line of a Wine log: `[time:][pid:]tid:`, ids in hex. After `read` the fields hold what was found, `end` the
 * index behind it.
 */
export class LinePrefix {
  process = 0
  thread = 0
  end = 0

  /** False where the line begins with no id. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.process = 0
    this.thread = 0
    this.end = start
    let fields = 0
    while (fields < 2) {
      let at = this.end
      // "Call" begins with two hex digits, but no id has an upper-case one.
      if (bytes[at] === letterC) break
      let value = 0
      for (let digit = 0; at < end; at++) {
        digit = hexDigit[bytes[at]!]!
        if (digit < 0) break
        value = value * 16 + digit
      }
      if (at === this.end || at - this.end > 8) break
      if (bytes[at] === dot && fields === 0) {
        const stop = hexEnd(bytes, at + 1, end)
        if (bytes[stop] !== colon) break
        this.end = stop + 1
        continue
      }
      if (bytes[at] !== colon) break
      this.process = this.thread
      this.thread = value
      this.end = at + 1
      fields++
    }
    return fields > 0
  }
}
