// Runs a script against something that answers calls, wherever that is: each call is yielded, its answer comes back by next(), and what the
// implementation did instead of answering by throw(). So one interpreter serves subjects in this thread and behind a pipe.
import * as constants from '../constants.ts'
import { type Answered, type Expectation, judge, needsLastError, shown } from './expectation.ts'
import type { Call, Expression, Statement } from './scriptline.ts'
import { Ledger } from './undo.ts'

/** One call as the implementation gets it: words are names of methods and kinds that only calls of the battery itself take. */
export interface Request {
  readonly thread: number
  readonly call: string
  readonly args: readonly (number | string)[]
  /** Out-parameters to answer. */
  readonly out: number
}

export interface Answer {
  readonly value: number
  readonly out: readonly number[]
  readonly lastError: number | undefined
  readonly bytes: Uint8Array | undefined
}

/** What an implementation does instead of answering. */
export class SubjectFault extends Error {
  override readonly name = 'SubjectFault'
  readonly kind: 'garbage' | 'threw' | 'hang' | 'ended'

  constructor(kind: SubjectFault['kind'], message: string) {
    // It goes to terminals and into files, and a stranger may have written it.
    super(message.slice(0, 300).replace(/[\p{Cc}\p{Cs}]/gu, '?'))
    this.kind = kind
  }
}

/** What an implementation threw, in words: it may be anything, and may throw again when it is asked what it is. */
export function thrown(error: unknown): string {
  try {
    if (error instanceof SubjectFault) return error.message
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something that has no words'
  }
}

export interface Outcome {
  readonly status: 'passed' | 'failed' | 'notApplicable'
  /** The calls as made, with their results, the failing one last; empty where all was well. */
  readonly sequence: readonly string[]
  /** What was expected of the last call, what came instead, or why the case is not applicable; '' where all was well. */
  readonly expected: string
  readonly got: string
  /** Calls made. */
  readonly calls: number
}

/** Differs from every code that a rule names, so that a last error that is set is told from one that is left alone. */
const SENTINEL = 0x2e7a
const kept = 40

class Differs extends Error {
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`)
    this.expected = expected
    this.got = got
  }
}

/** The implementation has more of something than a case can use up. */
class Plenty extends Error {}

export interface Circumstances {
  readonly debug: boolean
  /** Whether what the case leaves behind is undone by calls; else the implementation begins anew for the next case. */
  readonly undo: boolean
}

type Run = Generator<Request, void, Answer>

/** Runs the statements to the first that is not as expected. */
export function* interpret(script: readonly Statement[], { debug, undo }: Circumstances): Generator<Request, Outcome, Answer> {
  const run = new Script(debug)
  let outcome: Outcome = { status: 'passed', sequence: [], expected: '', got: '', calls: 0 }
  let answers = true
  try {
    yield* run.all(script)
  } catch (error) {
    if (error instanceof Plenty) outcome = { status: 'notApplicable', sequence: [], expected: '', got: error.message, calls: 0 }
    else {
      if (!(error instanceof Differs) && !(error instanceof SubjectFault)) throw error
      answers = error instanceof Differs || error.kind === 'garbage' || error.kind === 'threw'
      const [expected, got] = error instanceof Differs ? [error.expected, error.got] : ['an answer', error.message]
      outcome = { status: 'failed', sequence: run.sequence, expected, got, calls: 0 }
    }
  }
  if (undo && answers) {
    for (const request of run.ledger.undo()) {
      try {
        yield request
      } catch (error) {
        if (!(error instanceof SubjectFault)) throw error
        if (error.kind === 'hang' || error.kind === 'ended') break
      }
    }
  }
  return { ...outcome, calls: run.calls }
}

class Script {
  readonly sequence: string[] = []
  readonly ledger: Ledger = new Ledger()
  calls = 0
  readonly #names = new Map<string, number>()
  readonly #debug: boolean

  constructor(debug: boolean) {
    this.#debug = debug
  }

  *all(statements: readonly Statement[]): Run {
    for (const statement of statements) yield* this.#statement(statement)
  }

  *#statement(statement: Statement): Run {
    switch (statement.kind) {
      case 'call':
        yield* this.#call(statement.call, true)
        break
      case 'check': {
        const value = this.#value(statement.value)
        const answered = { value, lastError: undefined, sentinel: SENTINEL, bytes: undefined }
        for (const expectation of statement.expectations) {
          const got = judge(expectation, answered, (expression) => this.#value(expression), this.#debug)
          if (got !== undefined) throw new Differs(`${text(statement.value)} to be ${expectation.text}`, got)
        }
        break
      }
      case 'repeat': {
        const before = this.sequence.length
        for (let turn = 1; turn <= statement.count; turn++) {
          this.sequence.length = before
          if (turn > 1) this.sequence.push(`(${turn - 1} ${turn === 2 ? 'turn' : 'turns'} of what follows)`)
          yield* this.all(statement.body)
        }
        break
      }
      case 'exhaust':
        yield* this.#exhaust(statement.most, statement.must, statement.call)
        break
    }
  }

  *#exhaust(most: number, must: boolean, call: Call): Run {
    const before = this.sequence.length
    const { target } = call
    let last = 0
    for (let turn = 1; turn <= most; turn++) {
      this.sequence.length = before
      if (turn > 1) this.sequence.push(`(${turn - 1} times what follows)`)
      const value = yield* this.#call(call, false)
      if (value === 0) {
        if (last !== 0 && target !== '') this.#names.set(target, last)
        return
      }
      last = value
    }
    if (!must) throw new Plenty(`has more memory than ${most.toLocaleString('en-US')} calls of the case use up`)
    throw new Differs(`0 within ${most} calls`, shown(last))
  }

  /** Makes the call and judges it; in an exhaustion only the answer that ends it. */
  *#call(call: Call, always: boolean): Generator<Request, number, Answer> {
    const { thread, expectations } = call
    const args = call.args.map((arg) => this.#argument(arg))
    const line = lineOf(call)
    this.sequence.push(line)
    // The beginning and the end of a long sequence: what the reader needs is the set-up and the failing call.
    if (this.sequence.length > kept) this.sequence.splice(kept / 2, 1)
    if (expectations.some(needsLastError)) yield { thread, call: 'SetLastError', args: [SENTINEL], out: 0 }
    this.calls++
    const request = { thread, call: call.call, args, out: call.out.length }
    const answer = yield request
    const { value, lastError, bytes, out } = answer
    this.ledger.note(request, answer)
    for (const [at, name] of call.out.entries()) this.#names.set(name, out[at] ?? 0)
    const subject = call.aboutOut ? (out[0] ?? 0) : value
    if (call.target !== '') this.#names.set(call.target, subject)
    this.sequence[this.sequence.length - 1] = `${line}  // ${shown(subject)}`
    if (!always && subject !== 0) return subject
    const answered: Answered = { value: subject, lastError, sentinel: SENTINEL, bytes }
    for (const expectation of expectations) {
      const got = judge(expectation, answered, (expression) => this.#value(expression), this.#debug)
      if (got !== undefined) throw new Differs(this.#wanted(expectation, call), got)
    }
    return subject
  }

  /** The expectation with the values of the names in it. */
  #wanted(expectation: Expectation, call: Call): string {
    const words = expectation.text
    if (expectation.kind === 'size') {
      const bytes = this.#value(expectation.values[0] as Expression)
      return this.#debug ? `${bytes}, as requested` : `${Math.ceil(bytes / 32) * 32}, the multiple of 32 that holds ${bytes}`
    }
    const values = [...this.#names].filter(([name]) => new RegExp(`\\b${name}\\b`).test(words) && name !== call.target)
    return values.length === 0 ? words : `${words} (${values.map(([name, value]) => `${name} is ${shown(value)}`).join(', ')})`
  }

  #argument(expression: Expression): number | string {
    const [term] = expression
    if (expression.length === 1 && term?.atom.startsWith("'")) return term.atom.slice(1, -1)
    return this.#value(expression)
  }

  #value(expression: Expression): number {
    let sum = 0
    for (const { sign, atom } of expression) sum += sign * this.#atom(atom)
    return sum >>> 0
  }

  #atom(atom: string): number {
    if (atom === 'NULL') return 0
    if (/^\d/.test(atom)) return Number(atom)
    const value = this.#names.get(atom) ?? (constants as Readonly<Record<string, unknown>>)[atom]
    if (typeof value !== 'number') throw new TypeError(`script: expected a name that an earlier line sets or a constant, got ${atom}`)
    return value
  }
}

const lines = new WeakMap<Call, string>()

/** The call as it is shown; each is written once, since repetitions make it often. */
function lineOf(call: Call): string {
  const known = lines.get(call)
  if (known !== undefined) return known
  const { thread, target } = call
  const args = [...call.args.map(text), ...call.out.map((name) => `&${name}`)]
  const line = `${thread === 1 ? '' : `${thread}: `}${target === '' ? '' : `${target} = `}${call.call}(${args.join(', ')})`
  lines.set(call, line)
  return line
}

function text(expression: Expression): string {
  return expression.map(({ sign, atom }, at) => (at === 0 ? atom : `${sign === 1 ? ' + ' : ' - '}${atom}`)).join('')
}
