import { HDR, HEAP_SHIFT, SECTION_SHIFT } from './layout.ts'
import type { Layout } from './layout.ts'
import { BitReader, BitWriter, codeNumber } from './schedulecode.ts'
import type { BitCoder } from './schedulecode.ts'
import { ENDED } from './scheduleboard.ts'
import { mix } from './schedulerandom.ts'

/**
 * A schedule as a string to paste: `v1_` and base64url.
 *
 *   | form | seats | steps | events | program | events by a binary arithmetic coder      | checksum |
 *     1 byte varint  varint  varint   4 bytes   (schedulecode.ts), until the last byte     3 bytes
 *                                               that is not 0
 *
 *   form `choices`     an event is a step that more than one thread could have made, or that begins with a try: who made it, and the deed it began with. Those at the end at
 *                      which the thread before simply went on are left out: that is what a replay does when the events are over
 *   form `grants`      an event is a section entered, a try that was refused, or how a thread ended that did not detach (STOPPED, ENDED), in an order of
 *                      grants of a run where threads were free
 *   steps              of the whole run; 0 if it did not come to its end
 *
 * Who makes an event is coded as whether it is who made the one before, else as the distance from there. The deed is foretold as the one that
 * followed, the last time, on the deed of that thread before; a program that does the same again and again costs little but for the choices. The
 * deed is what tells a replay, at the very step, that it is another program's or went another way.
 */
export interface ScheduleText {
  readonly form: 'choices' | 'grants'
  readonly seats: number
  readonly steps: number
  readonly events: readonly (readonly [seat: number, deed: number])[]
}

const VERSION = 1
/** Choices or grants of a run that are kept; a longer one has no string. */
export const MOST_EVENTS: number = 1 << 18
const FORMS = ['choices', 'grants'] as const

// Contexts of the coder.
const SAME = 0
const DISTANCE = 16
const DEED = 4096
const FORETOLD = 8192

export function writeSchedule({ form, seats, steps, events }: ScheduleText, program: string, layout: Layout): string {
  const head = [FORMS.indexOf(form) + 1, ...varint(seats), ...varint(steps), ...varint(events.length), ...wordBytes(fingerprint(program))]
  const writer = new BitWriter()
  codeEvents(writer, form, seats, events.length, layout, (at) => events[at] as readonly [number, number])
  const bytes = head.concat(writer.finish())
  return `v${VERSION}_${toBase64(bytes.concat(wordBytes(checksum(bytes)).slice(0, 3)))}`
}

/**
 * Reads a string back. Throws a TypeError that says what to do if it is no such string, damaged, of another version, of another program or for
 * another number of threads.
 */
export function readSchedule(text: string, seats: number, program: string, layout: Layout): ScheduleText {
  const match = /^v(\d+)_([A-Za-z0-9_-]*)$/.exec(text)
  if (match === null)
    throw new TypeError(
      `replay: expected a schedule string as scheduleReport().text gives it (v${VERSION}_...), got ${JSON.stringify(text.slice(0, 60))}`
    )
  if (Number(match[1]) !== VERSION)
    throw new TypeError(
      `replay: the schedule string has version ${match[1]}, this ceheap reads version ${VERSION}; replay it with the ceheap that wrote it, or make a new one with this one`
    )
  const bytes = fromBase64(match[2] as string)
  const sum = bytes.splice(-3)
  if (bytes.length < 8 || wordBytes(checksum(bytes)).slice(0, 3).join() !== sum.join())
    throw new TypeError('replay: the schedule string is damaged (its checksum is wrong); copy the whole of it, without line breaks')
  let at = 1
  const number = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }
  const form = FORMS[(bytes[0] as number) - 1]
  const [written, steps, count] = [number(), number(), number()]
  const mark = bytes.slice(at, at + 4).join()
  if (form === undefined || count > MOST_EVENTS)
    throw new TypeError('replay: the schedule string is of a form that this ceheap does not know')
  if (written !== seats)
    throw new TypeError(`replay: the schedule string is of a run with ${written} threads, this one has ${seats}; give threads: ${written}`)
  if (mark !== wordBytes(fingerprint(program)).join())
    throw new TypeError(
      `replay: the schedule string is of another program; replay it with the same workload and options (the option program, here ${JSON.stringify(program.slice(0, 80))})`
    )
  const events: (readonly [number, number])[] = []
  codeEvents(new BitReader(bytes.slice(at + 4)), form, seats, count, layout, undefined, (event) => events.push(event))
  return { form, seats, steps, events }
}

/** Both directions in one: with `given` the events are written, without they are read and `told`. */
function codeEvents(
  coder: BitCoder,
  form: ScheduleText['form'],
  seats: number,
  count: number,
  layout: Layout,
  given?: (at: number) => readonly [number, number],
  told?: (event: readonly [number, number]) => void
): void {
  const followed = new Map<number, number>()
  const latest = new Map<number, number>()
  let seat = 0
  let same = 0
  for (let at = 0; at < count; at++) {
    const [nextSeat, nextDeed] = given?.(at) ?? [0, 0]
    same = coder.code(SAME + same, nextSeat === seat ? 1 : 0)
    if (same === 0) seat = (seat + 1 + codeTree(coder, seats - 1, (nextSeat - seat - 1 + seats) % seats)) % seats
    const before = latest.get(seat) ?? -1
    const foretold = followed.get(before)
    const symbol = symbolOf(nextDeed, form, layout)
    const hit = foretold !== undefined && coder.code(FORETOLD + before + 1, symbol === foretold ? 1 : 0) === 1
    const found = hit ? foretold : codeNumber(coder, DEED, symbol)
    followed.set(before, found)
    latest.set(seat, found)
    told?.([seat, deedOfSymbol(found, form, layout)])
  }
}

/** Codes a number from 0 to `of` - 1, bit by bit from the highest. */
function codeTree(coder: BitCoder, of: number, value: number): number {
  let node = 1
  for (let bits = 32 - Math.clz32(Math.max(0, of - 1)) - 1; bits >= 0; bits--)
    node = node * 2 + coder.code(DISTANCE + node, (value >>> bits) & 1)
  return node - 2 ** (31 - Math.clz32(node))
}

// A deed's symbol is (number of its section) * 4 + what it does; the process section is 0, the spy's 1, heaps are even from 2 on, critical sections odd.
// In the place of a section ENDED has a call.

function symbolOf(deed: number, form: ScheduleText['form'], layout: Layout): number {
  if (form === 'grants' && (deed & 3) === ENDED) return deed
  const at = deed >>> 2
  let section = 0
  if (at === HDR.SPY_LOCK) section = 1
  else if (at >= layout.sectionsAt) section = 3 + 2 * ((at - layout.sectionsAt) >>> SECTION_SHIFT)
  else if (at >= layout.heapsAt) section = 2 + 2 * ((at - layout.heapsAt) >>> HEAP_SHIFT)
  return section * 4 + (deed & 3)
}

function deedOfSymbol(symbol: number, form: ScheduleText['form'], layout: Layout): number {
  if (form === 'grants' && (symbol & 3) === ENDED) return symbol
  const section = symbol >>> 2
  const index = (section - 2) >>> 1
  if (section < 2) return ((section === 0 ? HDR.LOCK : HDR.SPY_LOCK) << 2) | (symbol & 3)
  const at = section % 2 === 0 ? layout.heapsAt + (index << HEAP_SHIFT) : layout.sectionsAt + (index << SECTION_SHIFT)
  return (at << 2) | (symbol & 3)
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}

function wordBytes(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]
}

function fingerprint(program: string): number {
  let hash = mix(program.length + 1)
  for (let at = 0; at < program.length; at++) hash = mix(hash ^ program.charCodeAt(at)) + at
  return hash >>> 0
}

function checksum(bytes: readonly number[]): number {
  let hash = mix(VERSION)
  for (const byte of bytes) hash = mix((hash << 8) ^ (hash >>> 24) ^ byte)
  return hash
}

function toBase64(bytes: readonly number[]): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function fromBase64(text: string): number[] {
  try {
    return [...atob(text.replaceAll('-', '+').replaceAll('_', '/'))].map((char) => char.charCodeAt(0))
  } catch {
    return []
  }
}
