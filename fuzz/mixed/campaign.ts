import { messageOf } from '../../src/fuzz/once.ts'
import type { CallRecord, CallWriter } from '../../src/index.ts'
import { hex } from './disagreement.ts'
import { Run } from './run.ts'
import { shrink } from './shrink.ts'
import { setupOf } from './world.ts'

/** A mixed run: as many commands of a seed as it takes to make `calls` API calls, or the commands that are named. */
export interface Wanted {
  readonly seed: number
  readonly calls: number
  /** Told now and then how many calls were made. */
  readonly onProgress?: (calls: number) => void
  /** Whether shrinking a failure may take longer. */
  readonly goOn: () => boolean
}

export interface Outcome {
  readonly calls: number
  readonly commands: number
  readonly failure: Failure | undefined
}

export interface Failure {
  readonly message: string
  /** The number of the command that failed, and how many were left of those before it. */
  readonly command: number
  readonly commands: readonly number[]
  /** The calls as they can be pasted. */
  readonly text: string
}

/** Runs a seed; a failure is shrunk and told as API calls. */
export function runMixed({ seed, calls, onProgress, goOn }: Wanted): Outcome {
  const run = new Run(seed)
  let n = 0
  let finishing = false
  try {
    for (; run.world.calls < calls; n++) {
      run.command(n)
      if (n % 20_000 === 19_999) onProgress?.(run.world.calls)
    }
    finishing = true
    run.finish()
    return { calls: run.world.calls, commands: n, failure: undefined }
  } catch (error) {
    const commands = shortest(seed, finishing ? n : n + 1, finishing, goOn)
    const text = tellRun(seed, commands, finishing)
    return { calls: run.world.calls, commands: n, failure: { message: messageOf(error), command: n, commands, text } }
  }
}

/** The fewest of the first `count` commands that go wrong. */
function shortest(seed: number, count: number, finishing: boolean, goOn: () => boolean): readonly number[] {
  const fails = (list: readonly number[]): boolean => failureOf(seed, list, finishing) !== undefined
  const first = (length: number): number[] => Array.from({ length }, (_, command) => command)
  let [good, bad] = [0, count]
  // What a look finds may have been wrong for long.
  while (bad - good > 1 && goOn()) {
    const middle = (good + bad) >>> 1
    // Most often it lies in the last commands, since every thousandth looks.
    const at = Math.max(middle, bad - 500)
    if (fails(first(at))) bad = at
    else good = at
  }
  return shrink(first(bad), fails, goOn)
}

/** What goes wrong in a run of these commands, looked at once at its end; undefined if all is well. */
function failureOf(seed: number, commands: readonly number[], finishing: boolean): string | undefined {
  try {
    const run = new Run(seed, undefined, Number.POSITIVE_INFINITY)
    for (const command of commands) run.command(command)
    if (finishing) run.finish()
    else run.agree()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** The calls of a run of these commands as a program, up to what goes wrong in it. */
function tellRun(seed: number, commands: readonly number[], finishing: boolean): string {
  const lines: string[] = []
  const writerOf = (index: number): CallWriter => ({
    write: (call) => {
      if (!SILENT.has(call.call)) lines.push(lineOf(index, call))
    }
  })
  let told = ''
  try {
    const run = new Run(seed, (ce, index) => ce.record(writerOf(index)), Number.POSITIVE_INFINITY)
    run.world.tell = (line) => lines.push(line)
    for (const command of commands) {
      lines.push(`// ${command}`)
      run.command(command)
    }
    lines.push('// the end')
    if (finishing) run.finish()
    else run.agree()
  } catch (error) {
    told = messageOf(error)
  }
  const calls = lines.filter((line, n) => !(line.startsWith('// ') && lines[n + 1]?.startsWith('// ')))
  const left = Math.max(0, calls.length - MOST_LINES)
  const shown = left === 0 ? calls : [`// ... ${left} lines before, which the command below repeats`, ...calls.slice(left)]
  return [...beginning(seed, calls.join('\n')), ...shown, `// ${told}`].join('\n')
}

/** What could not be shrunk to so many lines is not to be read. */
const MOST_LINES = 400

/** Calls that say nothing of how it came about. */
const SILENT = new Set(['GetLastError', 'SetLastError', 'CoGetMalloc', 'CoRegisterMallocSpy'])

/** What the calls need before them. What the program writes to its blocks is left out. */
function beginning(seed: number, calls: string): string[] {
  const { profile, build, placement, memory, physical } = setupOf(seed)
  const needed = (word: string, ...lines: string[]): string[] => (calls.includes(word) ? lines : [])
  return [
    `const process = createProcess(${JSON.stringify({ profile, build, placement, memory, physical })})`,
    'const ce = [process.thread, ...[1, 2, 3].map(() => attachThread(process.share()))]',
    ...needed('com[', 'const com = ce.map((thread) => openCom(thread))'),
    ...needed('malloc[', 'const malloc = ce.map((thread) => openCom(thread).CoGetMalloc(1).ppMalloc)'),
    ...needed('...pages', 'const alloc = (address, bytes, action) => ce[0].VirtualAlloc(address, bytes, action, PAGE_READWRITE)'),
    ...needed(
      '...pages',
      'const free = (address, bytes, action) => ce[0].VirtualFree(address, action === MEM_RELEASE ? 0 : bytes, action)'
    ),
    ...needed('...pages', 'const pages = [alloc, free]'),
    ...needed('injections.', 'const injections = []')
  ]
}

/** A call as it is made in a program. */
function lineOf(index: number, { call, args, result }: CallRecord): string {
  const method = call.replace(/.*::/, '')
  const list = call === 'CeHeapCreate' ? [...args.slice(0, 3).map(hex), '...pages'] : args.map(hex)
  const by = call.startsWith('IMalloc::') ? 'malloc' : call.startsWith('Co') ? 'com' : 'ce'
  return `${by}[${index}].${method}(${list.join(', ')})${result === undefined ? '' : ` // ${hex(result)}`}`
}
