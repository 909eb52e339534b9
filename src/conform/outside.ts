import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConformError, expectSome, failed, missingOf, notApplicable, notBegun, type Trial, type TrialResult } from './battery.ts'
import { functionsOf, statementsOf } from './case.ts'
import { Connection, greeting, type Launch } from './connection.ts'
import { scriptOn } from './faces.ts'
import { type Answer, interpret, type Outcome, type Request, SubjectFault } from './interpret.ts'
import { bytesOf, hexOf, type ProtocolAnswer, type ProtocolCall, protocolVersion } from './protocol.ts'
import { dwordOf } from './session.ts'

const memoryCalls: Readonly<Record<string, string>> = { bytes: 'read', read32: 'read', fill: 'write', write32: 'write' }
const nothing: Answer = { value: 0, out: [], lastError: undefined, bytes: undefined }
/** Bytes that one `read` or `write` is asked for: a device keeps the line in a buffer. */
const mostBytes = 0x4000
const mostNoise = 20
/** After so many cases that a function let hang, and none that it did not, it is not called any more: a run has to come to its end. */
const mostHangs = 5
/** After so many starts in a row that came to nothing the rest is told without trying. */
const mostFailedStarts = 3

/** How to start an implementation: modules run in a process of their own that speaks the same protocol as a command does. */
function launchOf(implementation: string): Launch {
  if (implementation.startsWith('command:')) {
    const command = implementation.slice('command:'.length).trim()
    if (command === '') throw new ConformError(`${implementation}: expected a command line behind "command:", got none`)
    return { command, args: [], shell: true }
  }
  const path = resolve(implementation)
  if (!existsSync(path)) throw new ConformError(`${implementation}: there is no such file; a command is written behind "command:"`)
  if (!/\.([cm]?[jt]s|wasm)$/.test(path))
    throw new ConformError(`${implementation}: expected a .js, .mjs, .ts or .wasm module; a command is written behind "command:"`)
  return { command: process.execPath, args: [fileURLToPath(new URL('./conformhost.js', import.meta.url)), path], shell: false }
}

/** Runs trials on an implementation outside, and tells what it did beside answering. It is started anew where it ends or hangs. */
export async function runOutside(
  implementation: string,
  selected: readonly Trial[],
  timeout: number,
  onResult: (result: TrialResult) => void
): Promise<string[]> {
  const run = new Outside(launchOf(implementation), implementation, timeout)
  try {
    for (const trial of selected) onResult({ ...trial, outcome: await run.trial(trial) })
  } finally {
    run.close()
  }
  return run.notes()
}

class Outside {
  readonly #launch: Launch
  readonly #name: string
  readonly #timeout: number
  readonly #noise = new Map<string, number>()
  #moreNoise = 0
  readonly #ends = new Map<string, number>()
  #connection: Connection | undefined
  #functions = new Set<string>()
  #began = false
  #target = ''
  #failedStarts = 0
  /** In how many of the cases that call it a function hung, since one that passed. */
  readonly #hangs = new Map<string, number>()
  readonly #silent = new Set<string>()
  #whyNot = ''
  /** The case that is being run, which a line of noise belongs to. */
  #now = ''

  constructor(launch: Launch, name: string, timeout: number) {
    this.#launch = launch
    this.#name = name
    this.#timeout = timeout
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  notes(): string[] {
    const noise = [...this.#noise].map(([text, times]) => `printed ${text}${times > 1 ? `, ${times} times` : ''}`)
    const ends = [...this.#ends].map(([text, times]) => `${text}${times > 1 ? `, ${times} times` : ''}`)
    return [...noise, ...(this.#moreNoise > 0 ? [`printed ${this.#moreNoise} other lines`] : []), ...ends]
  }

  async trial(trial: Trial): Promise<Outcome> {
    this.#now = trial.case.id
    try {
      await this.#ready(trial)
      if (this.#resets) await this.#ask({ thread: 1, call: 'reset', args: [], out: 0 })
    } catch (error) {
      if (!(error instanceof SubjectFault)) throw error
      if (error.kind === 'hang' && this.#began) this.#countHang('reset')
      this.#lost(error)
      return notBegun(error.message)
    }
    const missing = missingOf(trial, (name) => this.#offers(name))
    if (missing !== undefined) return notApplicable(`has no ${missing}`)
    const hopeless = [...callsOf(trial)].find((name) => this.#silent.has(name))
    if (hopeless !== undefined) return failed('an answer', `not asked: ${hopeless} gave no answer in ${mostHangs} cases in a row`)
    const outcome = await this.#run(trial)
    // What CE leaves undefined, and what went wrong, may have left anything behind.
    if ((trial.case.choice || outcome.status === 'failed') && !this.#resets) this.close()
    return outcome
  }

  async #run(trial: Trial): Promise<Outcome> {
    const script = statementsOf(scriptOn(trial.case, trial.face))
    const run = interpret(script, { debug: trial.build === 'debug', undo: !this.#resets })
    let step = run.next()
    let hung = ''
    while (step.done !== true) {
      if (this.#silent.has(step.value.call)) {
        // It would give back what the case holds: the next case begins in a new one instead.
        this.close()
        step = run.throw(new SubjectFault('ended', 'not asked'))
        continue
      }
      let answer: Answer
      try {
        answer = await this.#ask(step.value)
      } catch (error) {
        if (!(error instanceof SubjectFault)) throw error
        if (error.kind === 'hang') hung = step.value.call
        this.#lost(error)
        step = run.throw(error)
        continue
      }
      step = run.next(answer)
    }
    if (hung !== '') this.#countHang(hung)
    // One that failed may have ended before the call that would hang.
    else if (step.value.status === 'passed') for (const name of callsOf(trial)) this.#hangs.delete(name)
    return step.value
  }

  get #resets(): boolean {
    return this.#functions.has('reset') && !this.#silent.has('reset')
  }

  #countHang(call: string): void {
    const times = (this.#hangs.get(call) ?? 0) + 1
    this.#hangs.set(call, times)
    if (times >= mostHangs) this.#silent.add(call)
  }

  #lost(error: SubjectFault): void {
    if (error.kind !== 'hang' && error.kind !== 'ended') return
    const text = `${error.kind === 'hang' ? 'gave ' : ''}${error.message}`
    this.#ends.set(text, (this.#ends.get(text) ?? 0) + 1)
    this.close()
  }

  async #ready({ profile, build }: Trial): Promise<void> {
    const target = `${profile} ${build}`
    if (this.#connection?.alive === true && this.#target === target) return
    this.close()
    if (this.#failedStarts >= mostFailedStarts) throw new SubjectFault('garbage', this.#whyNot)
    const connection = new Connection(this.#launch, this.#timeout, (text) => {
      const line = `${JSON.stringify(text)} in ${this.#now}`
      if (this.#noise.size < mostNoise || this.#noise.has(line)) this.#noise.set(line, (this.#noise.get(line) ?? 0) + 1)
      else this.#moreNoise++
    })
    this.#connection = connection
    this.#target = target
    try {
      // A runtime takes longer to start than a call to answer.
      const hello = (await connection.ask(greeting(profile, build), Math.max(this.#timeout, 10_000))) as Readonly<Record<string, unknown>>
      this.#functions = functionsIn(hello)
      this.#began = true
      this.#failedStarts = 0
    } catch (error) {
      this.#failedStarts++
      this.#whyNot = error instanceof Error ? error.message : String(error)
      connection.close()
      if (!this.#began) throw new ConformError(`${this.#name}: ${this.#whyNot}`)
      throw error
    }
  }

  #offers(name: string): boolean {
    return this.#functions.has(memoryCalls[name] ?? name)
  }

  async #ask(request: Request): Promise<Answer> {
    const { thread, call, args } = request
    const [address, second, third] = args as [number, number, number]
    switch (call) {
      case 'bytes':
        return { ...nothing, bytes: await this.#read(thread, address, second) }
      case 'read32':
        return { ...nothing, value: new DataView((await this.#read(thread, address, 4)).buffer).getUint32(0, true) }
      case 'fill':
        return await this.#write(thread, address, new Uint8Array(second).fill(third))
      case 'write32':
        return await this.#write(thread, address, new Uint8Array(new Uint32Array([second]).buffer))
      default:
        return answerOf(request, await this.#line({ call, thread, args }))
    }
  }

  async #line(call: ProtocolCall): Promise<ProtocolAnswer> {
    const connection = this.#connection
    if (connection === undefined) throw new SubjectFault('ended', 'was ended')
    const line = await connection.ask(call)
    if (line.threw === undefined || line.call !== undefined) this.#compare(line, call)
    if (typeof line.threw === 'string') throw new SubjectFault('threw', line.threw.slice(0, 200))
    if (line.fault === true) throw new SubjectFault('threw', call.bytes === undefined ? 'could not read there' : 'could not write there')
    return line
  }

  /** Whether it answers that call; what is echoed of the arguments has to be theirs. */
  #compare(line: ProtocolAnswer, { call, args }: ProtocolCall): void {
    if (line.call === call && (line.args === undefined || JSON.stringify(line.args) === JSON.stringify(args))) return
    // Which answer belongs to which call is not known any more.
    this.close()
    const got = `${String(line.call)}${line.args === undefined ? '' : `(${String(line.args)})`}`.slice(0, 80)
    throw new SubjectFault('garbage', `answered a call of ${got} where ${call}(${args.join(', ')}) was asked`)
  }

  async #read(thread: number, address: number, length: number): Promise<Uint8Array> {
    const data = new Uint8Array(length)
    for (let at = 0; at < length; at += mostBytes) {
      const count = Math.min(mostBytes, length - at)
      const bytes = bytesOf((await this.#line({ call: 'read', thread, args: [address + at, count] })).bytes)
      if (bytes?.length !== count) throw new SubjectFault('garbage', `answered ${bytes?.length ?? 'no'} bytes where ${count} were asked`)
      data.set(bytes, at)
    }
    return data
  }

  async #write(thread: number, address: number, data: Uint8Array): Promise<Answer> {
    for (let at = 0; at < data.length; at += mostBytes) {
      const part = data.subarray(at, at + mostBytes)
      await this.#line({ call: 'write', thread, args: [address + at, part.length], bytes: hexOf(part) })
    }
    return nothing
  }
}

/** The functions that a trial calls. */
function callsOf({ case: one, face }: Trial): Set<string> {
  return functionsOf(statementsOf(scriptOn(one, face)))
}

function functionsIn(hello: Readonly<Record<string, unknown>>): Set<string> {
  if (typeof hello.failure === 'string') throw new SubjectFault('garbage', hello.failure)
  const { ceheap, version, functions, threads } = hello
  if (ceheap !== 'conform' || version !== protocolVersion || !Array.isArray(functions))
    throw new SubjectFault(
      'garbage',
      `answered ${JSON.stringify(hello).slice(0, 100)} where {"ceheap":"conform","version":1,"functions":[...]} belongs`
    )
  const names = new Set(functions.filter((name) => typeof name === 'string'))
  expectSome((name) => names.has(name))
  if (typeof threads === 'number' && threads > 1) names.add('secondThread')
  return names
}

/** What the line says, as the interpreter wants it. */
function answerOf({ out }: Request, line: ProtocolAnswer): Answer {
  const value = dwordOf(line.result)
  const given = Array.isArray(line.out) ? line.out.map(dwordOf) : []
  if (given.length < out) throw new SubjectFault('garbage', `answered ${given.length} out-parameters where ${out} belong`)
  const lastError = line.lastError === undefined || line.lastError === null ? undefined : dwordOf(line.lastError)
  return { value, out: given, lastError, bytes: undefined }
}
