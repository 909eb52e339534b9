import type { TraceEvent } from './event.ts'
import { LineSplitter, longestLine } from './lines.ts'
import { DamageNote, type TraceDecoder } from './decoder.ts'
import type { TraceDamage } from './source.ts'
import { type TraceHeader, traceVersion } from './writer.ts'

const mostWords = 1 << 14
const largest = 2 ** 64

/** Our own format, as writer.ts specifies it. A bad line is noted as damage and reading goes on behind it. */
export class JsonLinesDecoder implements TraceDecoder {
  readonly unit = 'line'
  readonly lost = 0
  readonly unfinished = 0
  header: TraceHeader | undefined = undefined
  private bad = 0
  private out: TraceEvent[] = []
  private ended = true
  private cut = false
  private readonly words = new Map<string, string>()
  private readonly note = new DamageNote()
  private readonly lines = new LineSplitter(this)

  get skipped(): number {
    return this.bad + this.lines.overlong
  }

  get position(): number {
    return this.lines.number
  }

  get damage(): TraceDamage | undefined {
    return this.note.first
  }

  push(chunk: Buffer, out: TraceEvent[]): void {
    this.out = out
    this.lines.push(chunk)
  }

  end(out: TraceEvent[], cut: boolean): void {
    this.out = out
    this.ended = false
    this.cut = cut
    this.lines.end()
  }

  line(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('utf8', start, end)
    if (text.trim() === '') return
    const reason = this.read(text)
    if (reason === undefined) return
    this.bad++
    if (this.ended || !this.cut) this.note.add(`line ${this.position} ${reason}`, this.position)
  }

  overlong(): void {
    if (this.ended || !this.cut) this.note.add(`line ${this.position} is longer than ${longestLine} bytes`, this.position)
  }

  /** What is wrong with the line; undefined where nothing is. */
  private read(text: string): string | undefined {
    const value = parsed(text)
    if (value === undefined) return this.ended ? 'is not JSON' : 'is not JSON: the file seems to be cut'
    if (!isFields(value)) return 'is not a JSON object'
    if ('ceheap' in value) return this.begin(value)
    return this.take(value)
  }

  private begin(value: Fields): string | undefined {
    const problem = headerProblem(value)
    if (problem === undefined) this.header ??= value as unknown as TraceHeader
    return problem
  }

  private take(value: Fields): string | undefined {
    const { call, args, site = '', via = '' } = value
    if (typeof call !== 'string' || call === '') return 'has no "call", the name of a function'
    if (!Array.isArray(args)) return 'has no "args", an array of numbers'
    const numbers: number[] = []
    for (const given of args) {
      const argument = unsigned(given)
      if (argument === undefined) return `has ${shown(given)} in "args" where ${wanted} is expected`
      numbers.push(argument)
    }
    const thread = unsigned(value.thread)
    if (thread === undefined) return misfit('thread', value.thread)
    const process = value.process === undefined ? 0 : unsigned(value.process)
    if (process === undefined) return misfit('process', value.process)
    const result = unsigned(value.result)
    if (result === undefined && !isMissing(value.result)) return misfit('result', value.result)
    const lastError = unsigned(value.lastError)
    if (lastError === undefined && !isMissing(value.lastError)) return misfit('lastError', value.lastError)
    if (typeof site !== 'string') return misfit('site', site, 'a string')
    if (typeof via !== 'string') return misfit('via', via, 'a string')
    const event: TraceEvent = {
      call: this.word(call),
      thread,
      args: numbers,
      result,
      process,
      site: this.word(site),
      via: this.word(via),
      position: this.position
    }
    if (lastError !== undefined) event.lastError = lastError
    this.out.push(event)
    return undefined
  }

  /** One string object for equal texts, as every line brings its own. */
  private word(text: string): string {
    const known = this.words.get(text)
    if (known !== undefined) return known
    if (this.words.size === mostWords) this.words.clear()
    this.words.set(text, text)
    return text
  }
}

type Fields = Record<string, unknown>

const wanted = 'an integer from 0 on, or a "0x" string,'

function misfit(field: string, value: unknown, expected: string = wanted): string {
  return value === undefined ? `has no "${field}"` : `has ${shown(value)} as "${field}" where ${expected} is expected`
}

/** A value as it stands in the line, short enough for a message. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

function unsigned(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= largest ? value : undefined
  if (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value)) return Number(value)
  return undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the reader cannot do with a line that has a field `ceheap`; undefined for a header that it knows. */
function headerProblem(value: Fields): string | undefined {
  if (value.ceheap !== 'trace') return `is the header of another format: "ceheap" is ${shown(value.ceheap)}, expected "trace"`
  if (value.version === traceVersion) return undefined
  return `is the header of trace version ${shown(value.version)}, but this reader knows version ${traceVersion} only`
}

/**
 * What one line says about the format: `yes` a header or a call of ours, a text where it is a header that the reader does not know,
 * `no` for everything else.
 */
export function jsonLinesSign(line: string): 'yes' | 'no' | { problem: string } {
  if (!line.trimStart().startsWith('{')) return 'no'
  const value = parsed(line)
  if (!isFields(value)) return 'no'
  if ('ceheap' in value) {
    const problem = headerProblem(value)
    return problem === undefined ? 'yes' : { problem }
  }
  return typeof value.call === 'string' && Array.isArray(value.args) ? 'yes' : 'no'
}
