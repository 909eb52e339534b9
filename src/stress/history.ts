import type { CallRecord, CallWriter } from '../coredll/record.ts'
import type { Finding } from '../coredll/findings.ts'

/** One call of a run, with its place in the order of grants. */
export interface Call extends CallRecord {
  /** The step of its last grant; a call that needs none has that of its thread's call before. */
  readonly order: number
  /** What the emulated OS said of it. */
  readonly findings: readonly Finding[]
}

/** A thread's calls as they travel from its worker: names once, numbers in one array. */
export interface PackedHistory {
  readonly thread: number
  readonly names: readonly string[]
  /** A call is: name, order + 1 (0 for none), last error, how it returned (0 nothing, 1 a number), result, number of arguments, arguments. */
  readonly words: Uint32Array
  readonly calls: number
  /** Findings with the number of the call, in its thread, that raised them. */
  readonly findings: readonly (readonly [call: number, finding: Finding])[]
  /** The history stops here because there were more than `MOST_CALLS`. */
  readonly cut: boolean
}

/** Calls of one thread that are kept. A run with more is judged without the model: its history would not fit in memory. */
export const MOST_CALLS = 250_000
/** Findings of one thread that are kept. */
const MOST_FINDINGS = 200
const FIRST_WORDS = 1024

/** Keeps one thread's calls; give it to `CeThread.record`, and its findings to `note`. */
export class HistoryWriter implements CallWriter {
  #words = new Uint32Array(FIRST_WORDS)
  #length = 0
  #calls = 0
  #cut = false
  readonly #names = new Map<string, number>()
  readonly #findings: [number, Finding][] = []

  /** Calls so far. */
  get calls(): number {
    return this.#calls
  }

  write({ call, args, result, lastError, order }: CallRecord): void {
    this.#calls++
    if (this.#calls > MOST_CALLS) {
      this.#cut = true
      return
    }
    if (this.#length + args.length + 6 > this.#words.length) {
      const wider = new Uint32Array(this.#words.length * 2)
      wider.set(this.#words)
      this.#words = wider
    }
    let name = this.#names.get(call)
    if (name === undefined) {
      name = this.#names.size
      this.#names.set(call, name)
    }
    const words = this.#words
    let at = this.#length
    words[at++] = name
    words[at++] = (order ?? -1) + 1
    words[at++] = lastError ?? 0
    words[at++] = result === undefined ? 0 : 1
    words[at++] = result ?? 0
    words[at++] = args.length
    for (const arg of args) words[at++] = arg
    this.#length = at
  }

  /** A finding of the call that is being made. */
  note(finding: Finding): void {
    if (this.#findings.length < MOST_FINDINGS) this.#findings.push([this.#calls, finding])
  }

  pack(thread: number): PackedHistory {
    const words = this.#words.slice(0, this.#length)
    return { thread, names: [...this.#names.keys()], words, calls: this.#calls, findings: this.#findings, cut: this.#cut }
  }
}

export function unpack({ thread, names, words, findings }: PackedHistory): Call[] {
  const calls: Call[] = []
  const said = new Map<number, Finding[]>()
  for (const [call, finding] of findings) said.set(call, [...(said.get(call) ?? []), finding])
  let order = 0
  for (let at = 0; at < words.length; ) {
    const word = (offset: number): number => words[at + offset] as number
    const count = word(5)
    if (word(1) > 0) order = word(1) - 1
    calls.push({
      call: names[word(0)] as string,
      thread,
      args: [...words.subarray(at + 6, at + 6 + count)],
      result: word(3) === 0 ? undefined : word(4),
      lastError: word(2),
      order,
      findings: said.get(calls.length) ?? []
    })
    at += 6 + count
  }
  return calls
}

/** All threads' calls in the order of their last grants. A thread's own calls stay in their order. */
export function merge(threads: readonly (readonly Call[])[]): Call[] {
  return threads.flat().sort((a, b) => a.order - b.order || a.thread - b.thread)
}
