// The two forms of a CeLog event header and how to tell them apart (rules CL-1, CL-2, CL-9).

/** 2: the header before Compact 2013 (CEL_HEADER). 3: Compact 2013's (CEL_HEADER_V3), with a CPU number in it. */
export type CeLogVersion = 2 | 3

export const celogId = {
  heapCreate: 25,
  heapAlloc: 26,
  heapReAlloc: 27,
  heapFree: 28,
  heapDestroy: 29,
  dataLoss: 150,
  syncEnd: 0x1ffe,
  marker: 0x1fff
} as const

/** Where the parts of one event lie. `size` counts everything up to the next header. */
export interface CeLogEvent {
  readonly id: number
  /** Offset of the data, and its length in bytes. */
  readonly data: number
  readonly length: number
  readonly size: number
}

const word = 4
const longestHeader = 4 * word
/** Events of a chain that are looked at to judge it. */
const farthest = 4096
/** The largest event of either form, with everything in front of its data. */
export const largestEvent: number = longestHeader + 0x10000

/**
 * The event at `at`; undefined where less than a header is left. What the header says is taken as it is: its data may lie beyond the end
 * of `bytes`. `flagged` reads it as one with four bytes of flag data behind its time stamp, the first two of which are the real id.
 */
export function eventAt(bytes: Buffer, at: number, version: CeLogVersion, flagged: boolean): CeLogEvent | undefined {
  if (at + word > bytes.length) return undefined
  const header = bytes.readUInt32LE(at)
  const length = version === 3 ? header & 0xfff : header & 0xffff
  let id = (header >>> 16) & 0x3fff
  let data = at + word
  if (header >>> 31 === 1) data += word
  if (flagged) {
    if (data + word > bytes.length) return undefined
    id = bytes.readUInt16LE(data)
    data += word
  }
  if (version === 3 && ((header >>> 12) & 0xf) === 15) data += word
  return { id, data, length, size: data - at + ((length + 3) & ~3) }
}

/** Whether an id lies where CELID_FLAGGED, whose number is not in the public pages read for this, may lie: between the ids known and the markers. */
export function mayBeFlagged(id: number): boolean {
  return id >= 0x100 && id < celogId.syncEnd
}

/** The shortest data of the events that are read, in bytes: the oldest logs lack the ids behind it. */
const shortest: ReadonlyMap<number, number> = new Map([
  [celogId.heapCreate, 16],
  [celogId.heapAlloc, 16],
  [celogId.heapReAlloc, 20],
  [celogId.heapFree, 12],
  [celogId.heapDestroy, 4],
  [celogId.dataLoss, 4],
  [celogId.marker, 12]
])

/** Whether the event's header can be one at all: no reserved bit, no id 0, and room for the data that the id is known to have. */
export function isPlausible(bytes: Buffer, at: number, event: CeLogEvent): boolean {
  if ((bytes[at + 3]! & 0x40) !== 0 || event.id === 0) return false
  const least = shortest.get(event.id)
  return least === undefined || (event.length >= least && event.length % word === 0)
}

/** How well bytes read as a chain of events under one form. */
export interface Chain {
  /** Every header met is plausible. */
  readonly consistent: boolean
  /** Complete events, and those among them of a kind that is read, or a marker. */
  readonly events: number
  readonly known: number
  /** The form that the log itself names in a marker; undefined where the chain meets none. */
  readonly named: CeLogVersion | undefined
}

/** Follows the chain of events from `at` on, through at most `most` of them or to the end of `bytes`. */
export function chainAt(bytes: Buffer, at: number, version: CeLogVersion, most: number): Chain {
  let events = 0
  let known = 0
  let named: CeLogVersion | undefined
  for (let next = at; events < most; events++) {
    const event = eventAt(bytes, next, version, false)
    if (event === undefined) break
    if (!isPlausible(bytes, next, event)) return { consistent: false, events, known, named }
    if (next + event.size > bytes.length) break
    if (shortest.has(event.id) || event.id === celogId.syncEnd) known++
    if (event.id === celogId.marker) {
      named = markerVersion(bytes, event)
      if (named !== version) return { consistent: false, events, known, named }
    }
    next += event.size
  }
  return { consistent: true, events, known, named }
}

/** The form that a marker names: its third DWORD is dwVersion, and from 3 on the headers are Compact 2013's. */
export function markerVersion(bytes: Buffer, event: CeLogEvent): CeLogVersion {
  return bytes.readUInt32LE(event.data + 2 * word) >= 3 ? 3 : 2
}

/**
 * The form of the headers from `at` on, by which of the two readings holds. It matters only from the first event on that is longer than
 * 4,095 bytes or comes from a second CPU: before, both read the same.
 */
export function formAt(bytes: Buffer, at: number): CeLogVersion {
  const older = chainAt(bytes, at, 2, farthest)
  const newer = chainAt(bytes, at, 3, farthest)
  if (older.consistent !== newer.consistent) return older.consistent ? 2 : 3
  if (older.known !== newer.known) return older.known > newer.known ? 2 : 3
  return older.events > newer.events ? 2 : 3
}

/** Whether the beginning of an input is that of a CeLog file. Noise passes once in 10,000 times at most. */
export function looksLikeCeLog(head: Buffer): boolean {
  return ([2, 3] as const).some((version) => {
    const { consistent, events, known } = chainAt(head, 0, version, farthest)
    return known >= 4 || (consistent && (known > 0 || events >= 32))
  })
}
