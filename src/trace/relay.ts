import type { TraceEvent } from './event.ts'
import { FunctionTable, isNamedAt } from './functions.ts'
import { LineSplitter } from './lines.ts'
import type { RecordedCall } from './names.ts'
import { Nesting, type Thread } from './nesting.ts'
import { LinePrefix } from './prefix.ts'
import { Sequence } from './sequence.ts'
import { DamageNote, type TraceDecoder } from './decoder.ts'
import type { TraceDamage } from './source.ts'
import { ascii, hex8, hexDigit, hexEnd, hexValue, standsAt, word } from './text.ts'

const callMark = ascii('Call ')
const returnMark = ascii('Ret  ')
const startMark = ascii('Starting thread')
const resultMark = ascii(') retval=')
const siteMark = ascii(' ret=')
const hexMark = ascii('0x')
const callWord = word('Call')
const returnWord = word('Ret ')
const siteWord = word('ret=')

const byte = {
  space: 0x20,
  quote: 0x22,
  opening: 0x28,
  closing: 0x29,
  comma: 0x2c,
  colon: 0x3a,
  backslash: 0x5c,
  brace: 0x7b,
  braceEnd: 0x7d
}

/** The beginning of earlier lines, word by word, and the thread that it stands for. */
interface KnownPrefix {
  readonly length: number
  readonly first: number
  readonly second: number
  readonly last: number
  readonly thread: Thread
  readonly generation: number
}

const prefixSlots = 1 << 6

/**
 * Wine's relay log (`WINEDEBUG=+relay,+pid`): a `Call` and a `Ret` line for each call of an exported function.
 *
 *     0108:010c:Call KERNEL32.HeapFree(00c80000,00000000,00c81320) ret=2282a5cfe
 *     0108:010c:Call ntdll.RtlFreeHeap(00c80000,00000000,00c81320) ret=1700484ff
 *     0108:010c:Ret  ntdll.RtlFreeHeap() retval=00000001 ret=1700484ff
 *     0108:010c:Ret  KERNEL32.HeapFree() retval=00000001 ret=2282a5cfe
 *
 * The events are the calls that the app makes itself (nesting.ts), in an order that can be replayed (sequence.ts), with the line of the
 * `Call` as position. Process id and time stamp in front are optional. Numbers above 2^53 (a 64-bit -1) are rounded.
 */
export class RelayDecoder implements TraceDecoder {
  readonly unit = 'line'
  readonly lost = 0
  readonly header = undefined
  unfinished = 0
  private ignored = 0
  private understood = true
  /** The line in which `glued` has looked. */
  private salvaged = 0
  private bytes: Buffer = Buffer.alloc(0)
  private view = new DataView(this.bytes.buffer)
  private readonly prefix = new LinePrefix()
  private readonly prefixes: (KnownPrefix | undefined)[] = new Array(prefixSlots).fill(undefined)
  private readonly note = new DamageNote()
  private readonly lines = new LineSplitter(this)
  private readonly functions = new FunctionTable()
  private readonly sequence = new Sequence()
  private readonly nesting = new Nesting((frame) => {
    this.unfinished++
    this.sequence.abandon(frame)
  })

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
    this.sequence.flush(out, false)
  }

  end(out: TraceEvent[], cut: boolean): void {
    const torn = this.lines.end() && !this.understood
    if (torn && !cut) this.note.add(`the last line (${this.position}) is cut: the recording breaks off`, this.position)
    this.nesting.end()
    this.sequence.flush(out, true)
  }

  line(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    this.understood = this.read(bytes, start, end)
    if (!this.understood) this.ignored++
  }

  /** False where the line does not count in any way. */
  private read(bytes: Buffer, start: number, end: number): boolean {
    const { view, prefix } = this
    let slot = 0
    if (end - start >= 16) {
      // Of ids with four digits each, these four are the thread's. The factor spreads them over the upper six bits.
      slot = Math.imul(view.getInt32(start + 5, true), 0x9e3779b1) >>> 26
      const known = this.prefixes[slot]
      if (
        known !== undefined &&
        start + known.length + 5 <= end &&
        view.getInt32(start, true) === known.first &&
        view.getInt32(start + 4, true) === known.second &&
        view.getInt32(start + known.length - 4, true) === known.last &&
        known.generation === this.nesting.generation
      ) {
        return this.entry(known.thread, bytes, start, start + known.length, end)
      }
    }
    if (!prefix.read(bytes, start, end)) return this.glued(bytes, start, end)
    const thread = this.nesting.thread(prefix.process, prefix.thread)
    const length = prefix.end - start
    // Longer ones have a time stamp and do not come again.
    if (length >= 8 && length <= 12 && end - start >= 16) {
      this.prefixes[slot] = {
        length,
        first: view.getInt32(start, true),
        second: view.getInt32(start + 4, true),
        last: view.getInt32(prefix.end - 4, true),
        thread,
        generation: this.nesting.generation
      }
    }
    return this.entry(thread, bytes, start, prefix.end, end)
  }

  /** Reads what stands behind the ids. */
  private entry(thread: Thread, bytes: Buffer, start: number, at: number, end: number): boolean {
    if (at + 5 <= end) {
      const mark = this.view.getInt32(at, true)
      if (mark === callWord && bytes[at + 4] === byte.space) return this.call(thread, bytes, at + 5, end)
      if (mark === returnWord && bytes[at + 4] === byte.space) return this.returned(thread, bytes, at + 5, end)
    }
    if (standsAt(bytes, at, end, startMark)) {
      // Ids are used again: what an earlier thread of this id left open has nothing to do with this one.
      this.nesting.drop(thread, 0)
      return true
    }
    return this.glued(bytes, start, end)
  }

  private call(thread: Thread, bytes: Buffer, at: number, end: number): boolean {
    const site = this.siteAt(bytes, at, end)
    const called = this.functions.find(this.view, at, end, site)
    if (called === undefined) return this.glued(bytes, at, end)
    const own = this.nesting.enter(thread, called, site, this.lines.number)
    if (site < 0 && !called.opener) {
      // Cut short by another line: it stays on the stack, so that its return and what it calls find their place.
      this.glued(bytes, at, end)
      return false
    }
    if (!own || called.opener) return true
    const frame = thread.frames[thread.depth - 1]!
    const args = called.recorded === undefined ? undefined : argumentsAt(called.recorded, bytes, at + called.length + 1, end)
    if (args === undefined) {
      // Where a whole line of another thread broke in, the site is that one's, and the return of this call would not be found by it.
      if (this.glued(bytes, at, end)) frame.site = -1
      this.ignored++
      return true
    }
    frame.args = args
    this.sequence.begin(frame)
    return true
  }

  private returned(thread: Thread, bytes: Buffer, at: number, end: number): boolean {
    const site = this.siteAt(bytes, at, end)
    let index = thread.depth - 1
    if (index < 0) return this.glued(bytes, at, end)
    let frame = thread.frames[index]!
    if (frame.site !== site || !isNamedAt(frame.function, this.view, at, end)) {
      const called = this.functions.find(this.view, at, end, site)
      index = called === undefined ? -1 : this.nesting.find(thread, called, site)
      if (index < 0) return this.glued(bytes, at, end)
      this.nesting.drop(thread, index + 1)
      frame = thread.frames[index]!
    }
    if (frame.args !== undefined) {
      const from = at + frame.function.length + 1
      const value = from + resultMark.length
      const stop = hexEnd(bytes, value, end)
      if (stop === value || stop - value > 16 || !standsAt(bytes, from, end, resultMark) || !standsAt(bytes, stop, end, siteMark)) {
        this.nesting.drop(thread, index)
        return false
      }
      this.sequence.complete(frame, hexValue(bytes, value, stop))
    }
    thread.depth = index
    return true
  }

  /** The number behind `ret=` at the end of the line; -1 where there is none. */
  private siteAt(bytes: Buffer, start: number, end: number): number {
    for (let width = 8; width <= 10 && end - width - 5 >= start; width++) {
      if (this.view.getInt32(end - width - 4, true) !== siteWord || bytes[end - width - 5] !== byte.space) continue
      let high = 0
      for (let at = end - width; at < end - 8; at++) {
        const digit = hexDigit[bytes[at]!]!
        if (digit < 0) return -1
        high = high * 16 + digit
      }
      const low = hex8(bytes, end - 8)
      return low < 0 ? -1 : high * 0x100000000 + low
    }
    let at = end
    while (at > start && hexDigit[bytes[at - 1]!]! >= 0) at--
    if (at === end || end - at > 16 || at - start < siteMark.length || !standsAt(bytes, at - siteMark.length, end, siteMark)) return -1
    return hexValue(bytes, at, end)
  }

  /**
   * The app's own output on the same stream may lack a line end (a prompt, a progress bar), and a line may be torn by another: looks for
   * a call or return further on in the line. Of the digits in front, as many belong to the process id as give a known thread, else four,
   * which is how Wine prints small ids. Once a line: two such accidents in one are hostile.
   */
  private glued(bytes: Buffer, start: number, end: number): boolean {
    if (this.salvaged === this.lines.number) return false
    this.salvaged = this.lines.number
    for (let mark = start + 6; mark + 5 <= end; mark++) {
      if (bytes[mark - 1] !== byte.colon) continue
      const call = standsAt(bytes, mark, end, callMark)
      if (!call && !standsAt(bytes, mark, end, returnMark)) continue
      let from = mark - 1
      while (from > start && hexDigit[bytes[from - 1]!]! >= 0) from--
      const thread = hexValue(bytes, Math.max(from, mark - 9), mark - 1)
      let process = 0
      const stop = from - 1
      if (stop > start && bytes[stop] === byte.colon) {
        let first = stop
        while (first > start && stop - first < 8 && hexDigit[bytes[first - 1]!]! >= 0) first--
        let width = stop - first
        while (width > 4 && !this.nesting.knows(hexValue(bytes, stop - width, stop), thread)) width--
        process = hexValue(bytes, stop - width, stop)
      }
      const found = this.nesting.thread(process, thread)
      return call ? this.call(found, bytes, mark + 5, end) : this.returned(found, bytes, mark + 5, end)
    }
    return false
  }
}

/**
 * The arguments from behind the opening parenthesis on, in Win32 order; undefined where the list is torn or too short. Strings that Wine
 * shows behind a pointer, and structures, are passed over.
 */
function argumentsAt(recorded: RecordedCall, bytes: Buffer, start: number, end: number): number[] | undefined {
  const found: number[] = []
  let at = start
  for (let more = bytes[at] !== byte.closing; more; ) {
    // Nearly every argument is eight digits and a comma or the end.
    let stop = at + 8
    let value = stop < end ? hex8(bytes, at) : -1
    let next = bytes[stop]
    if (value < 0 || (next !== byte.comma && next !== byte.closing)) {
      if (standsAt(bytes, at, end, hexMark)) at += 2
      stop = hexEnd(bytes, at, end)
      if (stop === at || stop - at > 16) return undefined
      value = hexValue(bytes, at, stop)
      stop = argumentEnd(bytes, stop, end)
      if (stop === end) return undefined
      next = bytes[stop]
    }
    found.push(value)
    more = next === byte.comma
    at = stop + 1
  }
  const { order } = recorded
  if (order === undefined) return found.length === recorded.parameters ? found : undefined
  const args: number[] = []
  for (const index of order) {
    const value = found[index]
    if (value === undefined) return undefined
    args.push(value)
  }
  return args
}

/** The index of the comma or parenthesis that ends an argument; `end` where it is torn. */
function argumentEnd(bytes: Buffer, start: number, end: number): number {
  let depth = 0
  for (let at = start; at < end; at++) {
    const next = bytes[at]
    if (next === byte.quote) {
      at++
      while (at < end && bytes[at] !== byte.quote) at += bytes[at] === byte.backslash ? 2 : 1
    } else if (next === byte.opening || next === byte.brace) depth++
    else if (next === byte.braceEnd) depth--
    else if (depth === 0 && (next === byte.comma || next === byte.closing)) return at
    else if (next === byte.closing) depth--
  }
  return end
}
