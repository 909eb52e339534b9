import { InvalidArgumentError } from 'commander'

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, kb: 1024, m: 1024 ** 2, mb: 1024 ** 2, g: 1024 ** 3, gb: 1024 ** 3 }

/** A size in bytes from `67108864`, `0x4000000`, `65536K`, `64MB` or `1.5 GB`. */
export function parseSize(text: string): number {
  const match = /^\s*(?:(0x[0-9a-f]+)|(\d+(?:\.\d+)?)\s*([kmg]?b?))\s*$/i.exec(text)
  const bytes = match === null ? Number.NaN : match[1] !== undefined ? Number(match[1]) : Number(match[2]) * units[match[3]!.toLowerCase()]!
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('Expected a size such as 64MB, 65536K or 0x4000000.')
  return bytes
}

/** A process id in decimal or, behind 0x, in hexadecimal (as Wine prints them). */
export function parseProcess(text: string): number {
  const value = /^(?:\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a process id such as 264 or 0x108.')
  return value
}
