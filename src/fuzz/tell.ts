import type { CallRecord } from '../coredll/record.ts'
import { jsonLinesWriter } from '../trace/writer.ts'
import { messageOf } from '../mixed/disagreement.ts'
import { hex } from './disagreement.ts'
import { runWords } from './once.ts'
import { type Setup, setupOf } from './setup.ts'
import { CAMPAIGN_CALLS, type Subject, type Wrap } from './subject.ts'

/** A program as API calls. */
export interface Told {
  /** What went wrong; undefined if nothing did. */
  readonly message: string | undefined
  /** The calls as they can be pasted into a test. */
  readonly text: string
  /** The calls as a trace of ours, one line each. */
  readonly trace: readonly string[]
}

/** Of each argument: a handle or pointer (p), which is told by its name, or a number (n). */
const ARGUMENTS: Readonly<Record<string, string>> = {
  HeapDestroy: 'p',
  HeapAlloc: 'pnn',
  HeapReAlloc: 'pnpn',
  HeapFree: 'pnp',
  HeapSize: 'pnp',
  HeapValidate: 'pnp',
  HeapCompact: 'pn',
  LocalReAlloc: 'pnn',
  LocalFree: 'p',
  LocalSize: 'p',
  LocalLock: 'p',
  LocalUnlock: 'p',
  LocalHandle: 'p',
  LocalFlags: 'p',
  GlobalReAlloc: 'pnn',
  GlobalFree: 'p',
  GlobalSize: 'p',
  GlobalFlags: 'p',
  VirtualAlloc: 'pnnn',
  VirtualFree: 'pnn',
  VirtualProtect: 'pnnp',
  VirtualQuery: 'ppn',
  IsBadReadPtr: 'pn',
  IsBadWritePtr: 'pn',
  GlobalMemoryStatus: 'p'
}
const HEAPS = new Set(['HeapCreate', 'GetProcessHeap'])
const BLOCKS = new Set(['HeapAlloc', 'HeapReAlloc', 'LocalAlloc', 'LocalReAlloc', 'GlobalAlloc', 'GlobalReAlloc', 'VirtualAlloc'])
/** Lines before these are left out: what could not be made smaller is not to be read. */
const MOST_LINES = 400

/** Runs a program once more with everything written down. */
export function tell(words: Uint32Array, wrap?: Wrap): Told {
  const setup = setupOf(words[0] as number, words[1] as number)
  const lines: string[] = []
  const trace: string[] = []
  const { profile, build, placement, memory, physical } = setup
  const writer = jsonLinesWriter((line) => trace.push(line), {
    profile,
    build,
    pointerBits: 32,
    program: 'ceheap fuzz',
    placement,
    memory,
    physical
  })
  const names = new Map<number, string>()
  const note = (call: CallRecord): void => {
    lines.push(lineOf(call, names))
    writer.write(call)
  }
  const recorded: Wrap = (subject, thread) => recording(wrap === undefined ? subject : wrap(subject, thread), thread, note)
  let message: string | undefined
  try {
    runWords(words, recorded, (line) => lines.push(line))
  } catch (error) {
    message = messageOf(error)
  }
  const left = Math.max(0, lines.length - MOST_LINES)
  const shown = left === 0 ? lines : [`// ... ${left} lines before`, ...lines.slice(left)]
  const text = [...beginning(setup, lines.join('\n')), ...shown, ...(message === undefined ? [] : [`// ${message}`])].join('\n')
  return { message, text, trace }
}

/** A thread whose calls are handed to `note` once they have returned. What only looks at the last error is left out. */
function recording(subject: Subject, thread: number, note: (call: CallRecord) => void): Subject {
  const calls: Record<string, unknown> = { memory: subject.memory }
  for (const call of CAMPAIGN_CALLS) {
    calls[call] = (...args: number[]): number => {
      const result = (subject[call] as (...args: number[]) => number).apply(subject, args)
      if (call !== 'GetLastError')
        note({ call, thread: thread + 1, args, result: typeof result === 'number' ? result : undefined, lastError: subject.GetLastError() })
      return result
    }
  }
  return calls as unknown as Subject
}

function lineOf({ call, thread, args, result }: CallRecord, names: Map<number, string>): string {
  const kinds = ARGUMENTS[call] ?? ''
  const told = args.map((arg, n) => (kinds[n] === 'p' ? nameOf(arg, names) : hex(arg)))
  const made = `ce[${thread - 1}].${call}(${told.join(', ')})`
  if (result === undefined) return made
  const heap = HEAPS.has(call)
  if (result === 0 || !(heap || BLOCKS.has(call))) return `${made} // ${hex(result)}`
  const known = names.get(result)
  if (known !== undefined) return `${made} // ${hex(result)}, ${known} again`
  const name = `${heap ? 'h' : 'p'}${names.size}`
  names.set(result, name)
  return `const ${name} = ${made} // ${hex(result)}`
}

function nameOf(value: number, names: Map<number, string>): string {
  return names.get(value) ?? hex(value)
}

/** What the calls need before them. What the program writes to its blocks is left out. */
function beginning({ profile, build, placement, memory, physical, dirty, plain }: Setup, calls: string): string[] {
  const options = [
    `profile: '${profile}'`,
    `build: '${build}'`,
    `placement: '${placement}'`,
    dirty ? 'memory: user' : `memory: ${hex(memory)}`,
    `physical: ${hex(physical)}`,
    ...(plain ? ['clock: () => 0'] : [])
  ]
  return [
    ...(dirty ? [`const user = new SharedArrayBuffer(${hex(memory)})`, 'new Float64Array(user).fill(-1.1e-55)'] : []),
    `const process = createProcess({ ${options.join(', ')} })`,
    'const ce = [process.thread, attachThread(process.share())]',
    ...(calls.includes('injections.') ? ['const injections = []'] : [])
  ]
}
