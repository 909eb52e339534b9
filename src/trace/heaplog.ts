import type { TraceEvent } from './event.ts'
import { HeapParts } from './heapparts.ts'
import { LineSplitter } from './lines.ts'
import { LinePrefix } from './prefix.ts'
import { DamageNote, type TraceDecoder } from './decoder.ts'
import type { TraceDamage } from './source.ts'
import { ascii, hex8, hexEnd, hexValue, standsAt } from './text.ts'

/** A number that is read, at the place where the line shows it. */
interface Field {
  readonly label: Uint8Array
  /** The Win32 parameter that it is; `result` and `check` are none. */
  readonly role: number | 'result' | 'check'
}

interface HeapLine {
  readonly recorded: Uint8Array
  readonly via: string
  readonly call: string
  /** In the order of the line. */
  readonly fields: readonly Field[]
  /** Room for the arguments: a copy, because an array that grows by index is a slower one. */
  readonly blank: readonly number[]
  /** The line ends with a full stop. */
  readonly stopped: boolean
}

function heapLine(via: string, call: string, labels: string): HeapLine {
  const fields = labels.split(' ').map((label): Field => {
    const [name = '', parameter] = label.split('=')
    return { label: ascii(`${name} `), role: parameter === undefined ? 'check' : parameter === 'result' ? 'result' : Number(parameter) }
  })
  const blank = fields.filter(({ role }) => typeof role === 'number').map(() => 0)
  return { recorded: ascii(`${via} `), via, call, fields, blank, stopped: labels.endsWith('status') }
}

/** By the fourth letter of the name, in which they differ. Each label stands with the number of its Win32 parameter. */
const heapLines: ReadonlyMap<number, HeapLine> = new Map(
  [
    heapLine('RtlAllocateHeap', 'HeapAlloc', 'handle=0 flags=1 size=2 return=result status'),
    heapLine('RtlFreeHeap', 'HeapFree', 'handle=0 flags=1 ptr=2 return=result status'),
    heapLine('RtlReAllocateHeap', 'HeapReAlloc', 'handle=0 flags=1 ptr=2 size=3 return=result status'),
    heapLine('RtlSizeHeap', 'HeapSize', 'handle=0 flags=1 ptr=2 return=result status'),
    heapLine('RtlCreateHeap', 'HeapCreate', 'flags=0 total_size=2 commit_size=1 definition'),
    heapLine('RtlDestroyHeap', 'HeapDestroy', 'handle=0')
  ].map((shape) => [shape.recorded[3]!, shape])
)

const mark = ascii('trace:heap:')
const hexMark = ascii('0x')
const comma = 0x2c
const space = 0x20
const dot = 0x2e

/**
 * Wine's heap log (`WINEDEBUG=+heap,+pid`), written when a call is about to return:
 *
 *     00e0:00e4:trace:heap:RtlAllocateHeap handle 0000000000340000, flags 0x8, size 0x2000, return 0000000000340370, status 0.
 *
 * It shows every heap call, those that the system makes for itself too, without call sites; what calls log of their own work is left out
 * (heapparts.ts). The results of HeapCreate and HeapDestroy are not shown. Process id and time stamp in front are optional; other lines are
 * skipped.
 */
export class HeapLogDecoder implements TraceDecoder {
  readonly unit = 'line'
  readonly lost = 0
  readonly header = undefined
  readonly unfinished = 0
  private ignored = 0
  private readonly parts = new HeapParts()
  private understood = true
  /** The line at hand has no line end, so its last number may be torn. */
  private open = false
  /** Digits of the last number of a whole line without a full stop: a torn one has fewer. */
  private width = 0
  private readonly prefix = new LinePrefix()
  private readonly note = new DamageNote()
  private readonly lines = new LineSplitter(this)

  get skipped(): number {
    return this.ignored + this.lines.overlong
  }

  get position(): number {
    return this.lines.number
  }

  get damage(): TraceDamage | undefined {
    return this.note.first
  }

  push(chunk: Buffer, out: TraceEvent[]): void {
    this.lines.push(chunk)
    this.parts.flush(out, false)
  }

  end(out: TraceEvent[], cut: boolean): void {
    this.open = true
    const torn = this.lines.end() && !this.understood
    if (torn && !cut) this.note.add(`the last line (${this.position}) is cut: the recording breaks off`, this.position)
    this.parts.flush(out, true)
  }

  line(bytes: Buffer, start: number, end: number): void {
    this.understood = this.read(bytes, start, end)
    if (!this.understood) this.ignored++
  }

  private read(bytes: Buffer, start: number, end: number): boolean {
    const { prefix } = this
    prefix.read(bytes, start, end)
    let at = prefix.end
    if (!standsAt(bytes, at, end, mark)) return false
    at += mark.length
    const shape = heapLines.get(bytes[at + 3]!)
    if (shape === undefined || !standsAt(bytes, at, end, shape.recorded)) return false
    at += shape.recorded.length
    const args = shape.blank.slice()
    let result: number | undefined
    let digits = 0
    for (const { label, role } of shape.fields) {
      at = behindLabel(label, bytes, at, end)
      if (at < 0) return false
      if (standsAt(bytes, at, end, hexMark)) at += 2
      const stop = hexEnd(bytes, at, end)
      digits = stop - at
      if (digits === 0 || digits > 16) return false
      const value = digits === 16 ? hex8(bytes, at) * 0x100000000 + hex8(bytes, at + 8) : hexValue(bytes, at, stop)
      if (role === 'result') result = value
      else if (role !== 'check') args[role] = value
      at = stop
    }
    if (shape.stopped ? bytes[at] !== dot : this.open && digits !== this.width) return false
    if (!shape.stopped) this.width = digits
    this.parts.add({
      call: shape.call,
      thread: prefix.thread,
      args,
      result,
      process: prefix.process,
      site: '',
      via: shape.via,
      position: this.lines.number
    })
    return true
  }
}

/** The index behind the next field with this label, fields that are not read passed over; -1 where there is none. */
function behindLabel(label: Uint8Array, bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    if (bytes[at] === comma) at++
    if (bytes[at] === space) at++
    if (standsAt(bytes, at, end, label)) return at + label.length
    while (at < end && bytes[at] !== comma) at++
  }
  return -1
}
