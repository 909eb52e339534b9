// Byte-level helpers for the two Wine logs: a log of five million lines allows no string for a line that is not needed.

/** Value of an ASCII hex digit by its code, -1 for every other byte. */
export const hexDigit: Int8Array = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) {
  hexDigit[value.toString(16).charCodeAt(0)] = value
  hexDigit[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

/** The hex number in [start, end), all of it digits. Exact up to 2^53; a larger one (a 64-bit -1) is rounded. */
export function hexValue(bytes: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 16 + hexDigit[bytes[at]!]!
  return value
}

/** The number of the eight hex digits at `at`, all within `bytes`; -1 where one of them is none. Half the time of hexValue. */
export function hex8(bytes: Buffer, at: number): number {
  const a = hexDigit[bytes[at]!]!
  const b = hexDigit[bytes[at + 1]!]!
  const c = hexDigit[bytes[at + 2]!]!
  const d = hexDigit[bytes[at + 3]!]!
  const e = hexDigit[bytes[at + 4]!]!
  const f = hexDigit[bytes[at + 5]!]!
  const g = hexDigit[bytes[at + 6]!]!
  const h = hexDigit[bytes[at + 7]!]!
  if ((a | b | c | d | e | f | g | h) < 0) return -1
  return ((a << 28) | (b << 24) | (c << 20) | (d << 16) | (e << 12) | (f << 8) | (g << 4) | h) >>> 0
}

/** The first index from `start` on that holds no hex digit; at most `end`. */
export function hexEnd(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && hexDigit[bytes[at]!]! >= 0) at++
  return at
}

/** Whether the ASCII text stands at `at`. */
export function standsAt(bytes: Buffer, at: number, end: number, text: Uint8Array): boolean {
  if (at + text.length > end) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** Four ASCII characters as DataView.getInt32 reads them: one comparison instead of four. */
export function word(text: string): number {
  return Buffer.from(text, 'latin1').readInt32LE(0)
}

/** How a pointer stands in Wine's relay logs: at least eight lower-case hex digits. */
export function hexText(value: number): string {
  return value.toString(16).padStart(8, '0')
}
