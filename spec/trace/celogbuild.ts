// Builds CeLog files from the documentation (rules CL-1 to CL-9), as there is no recording of a device to test against.

export interface LogEvent {
  readonly id: number
  /** The data as DWORDs; a byte count that is no multiple of four is made with `length`. */
  readonly data: readonly number[]
  /** Bytes of data that the header says, where it is not all of them: the rest of the last DWORD is padding. */
  readonly length?: number
  readonly stamp?: number
  /** The CPU field; above 14 the number goes into a DWORD of its own. Version 3 only. */
  readonly cpu?: number
  /** Reads as an event of id `id` behind a header of this id and four bytes of flag data. */
  readonly flaggedAs?: number
  readonly flag?: number
}

export function buildEvent(version: 2 | 3, event: LogEvent): Buffer {
  const { id, data, length = 4 * data.length, stamp, cpu = 0, flaggedAs, flag = 0 } = event
  const words: number[] = []
  const cpuField = version === 3 ? Math.min(cpu, 15) * 0x1000 : 0
  words.push(length + cpuField + (flaggedAs ?? id) * 0x10000 + (stamp === undefined ? 0 : 0x80000000))
  if (stamp !== undefined) words.push(stamp)
  if (flaggedAs !== undefined) words.push(id + flag * 0x10000)
  if (version === 3 && cpu >= 15) words.push(cpu)
  words.push(...data)
  const bytes = Buffer.alloc(4 * words.length)
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 4 * index)
  return bytes
}

export function buildLog(version: 2 | 3, events: readonly LogEvent[]): Buffer {
  return Buffer.concat(events.map((event) => buildEvent(version, event)))
}

/** CELID_LOG_MARKER: frequency, default quantum, version, and in version 3 the number of CPUs. */
export function marker(version: 2 | 3): LogEvent {
  return { id: 0x1fff, data: version === 3 ? [1000, 100, 3, 2] : [1000, 100, 2], stamp: 0 }
}

export const heapCreate = (handle: number): LogEvent => ({ id: 25, data: [0, 0x1000, 0x40000, handle, 0x11, 0x22] })
export const heapAlloc = (handle: number, size: number, block: number, ...stack: number[]): LogEvent => ({
  id: 26,
  data: [handle, 8, size, block, 0x11, 0x22, 0x33, ...stack]
})
export const heapReAlloc = (handle: number, size: number, old: number, block: number, ...stack: number[]): LogEvent => ({
  id: 27,
  data: [handle, 0, size, old, block, 0x11, 0x22, 0x33, ...stack]
})
export const heapFree = (handle: number, block: number, ...stack: number[]): LogEvent => ({
  id: 28,
  data: [handle, 0, block, 0x11, 0x22, 0x33, ...stack]
})
export const heapDestroy = (handle: number): LogEvent => ({ id: 29, data: [handle, 0x11, 0x22] })
/** A thread switch: an event that the reader does not know. */
export const threadSwitch: LogEvent = { id: 1, data: [0xd1234567], stamp: 7 }
