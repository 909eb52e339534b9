import { type ChildProcess, spawn } from 'node:child_process'
import { SubjectFault } from './interpret.ts'
import { type ProtocolAnswer, type ProtocolCall, protocolVersion } from './protocol.ts'

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly shell: boolean
}

const longestLine = 1 << 22
const longestNoise = 100

/** One run of a command that answers calls on its standard output. Ends by itself where the command does not answer in time. */
export class Connection {
  readonly #child: ChildProcess
  readonly #timeout: number
  readonly #onNoise: (text: string) => void
  #text = ''
  #waiting: { resolve(line: ProtocolAnswer): void; reject(error: Error): void } | undefined
  #ended: string | undefined
  #errors = ''

  constructor({ command, args, shell }: Launch, timeout: number, onNoise: (text: string) => void) {
    this.#timeout = timeout
    this.#onNoise = onNoise
    // A group of its own: what a shell or a simulator starts in turn ends with it.
    const child = spawn(command, [...args], { shell, stdio: ['pipe', 'pipe', 'pipe'], detached: process.platform !== 'win32' })
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-2000)
    })
    // Writing to a command that has ended is told by its end.
    child.stdin?.on('error', () => {})
    child.on('error', (error) => this.#end(`cannot be started (${error.message})`))
    child.on('close', (code, signal) => this.#end(signal === null ? `ended with status ${code}` : `was ended by ${signal}`))
  }

  get alive(): boolean {
    return this.#ended === undefined
  }

  /** The last line on standard error, for a message. */
  get lastWords(): string {
    return this.#errors.trim().split('\n').at(-1)?.trim().slice(0, 200) ?? ''
  }

  /** Makes a call and waits for its answer; throws a SubjectFault where none comes. */
  async ask(
    line: ProtocolCall | { readonly ceheap: string; readonly [field: string]: unknown },
    timeout: number = this.#timeout
  ): Promise<ProtocolAnswer> {
    if (this.#ended !== undefined) throw new SubjectFault('ended', this.#ended)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<ProtocolAnswer>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        timer = setTimeout(() => {
          reject(new SubjectFault('hang', `no answer within ${timeout} ms`))
          this.close()
        }, timeout)
        this.#child.stdin?.write(`${JSON.stringify(line)}\n`)
      })
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  #read(text: string): void {
    const [first = '', ...others] = text.split('\n')
    this.#text += first
    for (const next of others) {
      this.#line(this.#text)
      this.#text = next
    }
    if (this.#text.length > longestLine) {
      this.#onNoise(`${this.#text.slice(0, longestNoise)}... without an end of the line`)
      this.#text = ''
    }
  }

  #line(line: string): void {
    const at = line.search(/\{\s*"/)
    const value = at < 0 ? undefined : parsed(line.slice(at))
    // What was printed without an end of line stands in front of the answer.
    const noise = value === undefined ? line : line.slice(0, at)
    if (noise.trim() !== '') this.#onNoise(noise.trim().slice(0, longestNoise))
    if (value === undefined) return
    if (this.#waiting === undefined) this.#onNoise('an answer that nobody asked for')
    this.#waiting?.resolve(value)
    this.#waiting = undefined
  }

  #end(reason: string): void {
    const words = this.lastWords
    this.#ended ??= words === '' ? reason : `${reason}: ${words}`
    this.#waiting?.reject(new SubjectFault('ended', this.#ended))
  }

  close(): void {
    this.#ended ??= 'was ended'
    // Whoever the command left behind may hold the pipes open: nobody waits for them.
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe?.destroy()
    this.#child.unref()
    const { pid } = this.#child
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    try {
      if (process.platform === 'win32') this.#child.kill('SIGKILL')
      else process.kill(-pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL')
    }
  }
}

function parsed(text: string): ProtocolAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ProtocolAnswer) : undefined
  } catch {
    return undefined
  }
}

/** The line that begins a conversation. */
export function greeting(profile: string, build: string): { readonly ceheap: string; readonly [field: string]: unknown } {
  return { ceheap: 'conform', version: protocolVersion, profile, build }
}
