import type { CallRecord, CallWriter } from '../coredll/record.ts'
import { jsonLinesWriter } from '../trace/writer.ts'
import { hex, messageOf } from './disagreement.ts'
import { type OnThread, type Program, play } from './program.ts'
import { setupOf } from './world.ts'

/** A program as API calls. */
export interface Told {
  /** What goes wrong in it; '' if nothing does. */
  readonly message: string
  /** The calls as they can be pasted into a test. */
  readonly text: string
  /** The calls as a trace of ours: JSON Lines. */
  readonly trace: string
}

/** Runs a program once more with everything written down, up to what goes wrong in it. */
export function tell(program: Program, onThread?: OnThread): Told {
  const lines: string[] = []
  const trace: string[] = []
  const { profile, build, placement, memory, physical } = setupOf(program.seed)
  const writer = jsonLinesWriter((line) => trace.push(`${line}\n`), {
    profile,
    build,
    pointerBits: 32,
    program: 'ceheap fuzz --kind mixed',
    placement,
    memory,
    physical
  })
  const writerOf = (index: number): CallWriter => ({
    write: (call) => {
      if (call.call !== 'GetLastError') writer.write(call)
      if (!SILENT.has(call.call)) lines.push(lineOf(index, call))
    }
  })
  let message = ''
  try {
    play(
      program,
      (ce, index) => {
        ce.record(writerOf(index))
        onThread?.(ce, index)
      },
      (line) => lines.push(line)
    )
  } catch (error) {
    message = messageOf(error)
  }
  // Of commands that made no call nothing is told.
  const calls = lines.filter((line, n) => !(line.startsWith('// ') && lines[n + 1]?.startsWith('// ')))
  const left = Math.max(0, calls.length - MOST_LINES)
  const shown = left === 0 ? calls : [`// ... ${left} lines before`, ...calls.slice(left)]
  return {
    message,
    text: [...beginning(program.seed, calls.join('\n')), ...shown, ...(message === '' ? [] : [`// ${message}`])].join('\n'),
    trace: trace.join('')
  }
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

/** A call as it is made in a program, by the thread of that index. */
export function lineOf(index: number, { call, args, result }: CallRecord): string {
  const method = call.replace(/.*::/, '')
  const list = call === 'CeHeapCreate' ? [...args.slice(0, 3).map(hex), '...pages'] : args.map(hex)
  const by = call.startsWith('IMalloc::') ? 'malloc' : call.startsWith('Co') ? 'com' : 'ce'
  return `${by}[${index}].${method}(${list.join(', ')})${result === undefined ? '' : ` // ${hex(result)}`}`
}
