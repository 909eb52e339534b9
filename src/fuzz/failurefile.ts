import type { Program } from '../mixed/program.ts'
import { type FuzzKind, fuzzKinds } from './options.ts'
import { parseThreadsRun, type ThreadsRun } from './threadsrun.ts'
import { bytesOf, COMMAND_WORDS, commandsIn, MOST_COMMANDS, SETUP_WORDS, wordsOf } from './words.ts'

/** A failure as any machine replays it: what it said, and what fails, by kind. */
export type FailureFile = {
  readonly message: string
  /** The seed whose run it came from; null for bytes from elsewhere. */
  readonly seed: number | null
} & FailingRun

export type FailingRun =
  | { readonly kind: 'fast'; readonly words: Uint32Array }
  | { readonly kind: 'mixed'; readonly program: Program }
  | { readonly kind: 'threads'; readonly run: ThreadsRun }

const KIND = 'fuzz failure'
const VERSION = 1

/**
 * The file: JSON, in which `program` is what the kind runs and `commands` says how much that is.
 *
 *     fast      the words of the program (words.ts), little-endian, in base64
 *     mixed     the numbers of the seed's commands that are left, `0-3 17 204`; `finishing` says whether everything is given back after them
 *     threads   the options of one run of ceheap stress
 */
export function failureFile(file: FailureFile): string {
  const { kind, message, seed } = file
  const head = { ceheap: KIND, version: VERSION, kind, message, seed }
  return `${JSON.stringify({ ...head, ...programIn(file) }, null, 2)}\n`
}

function programIn(file: FailingRun): object {
  switch (file.kind) {
    case 'fast':
      return { commands: commandsIn(file.words), program: Buffer.from(bytesOf(file.words)).toString('base64') }
    case 'mixed': {
      const { commands, finishing } = file.program
      return { commands: commands.length, finishing, program: rangesOf(commands) }
    }
    default:
      return { commands: file.run.threads * file.run.ops, program: file.run }
  }
}

/** Reads such a file. Throws a RangeError that says what is wrong with the text. */
export function parseFailureFile(text: string): FailureFile {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    throw new RangeError('expected a failure as ceheap fuzz writes it, got text that is no JSON, or only the beginning of one')
  }
  const fields = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>
  // Files that are older than the kinds are all of one.
  const { ceheap, version, kind = 'fast', message, seed, commands } = fields
  if (ceheap !== KIND) throw new RangeError(`expected a failure as ceheap fuzz writes it ("ceheap": "${KIND}"), got other JSON`)
  if (version !== VERSION)
    throw new RangeError(`expected a failure of version ${VERSION}, got version ${brief(version)}: another ceheap has written it`)
  if (!fuzzKinds.includes(kind as FuzzKind))
    throw new RangeError(`expected a failure of the kind ${fuzzKinds.join(', ')}, got ${brief(kind)}: another ceheap has written it`)
  if (fields.program === undefined || typeof message !== 'string' || !isWhole(commands, Number.MAX_SAFE_INTEGER))
    throw new RangeError('expected the fields program, message and commands, got a failure without them')
  const from = isWhole(seed, Number.MAX_SAFE_INTEGER) ? seed : null
  return { message, seed: from, ...runIn(kind as FuzzKind, fields, from, commands) }
}

function runIn(kind: FuzzKind, { program, finishing }: Record<string, unknown>, seed: number | null, commands: number): FailingRun {
  if (kind === 'threads') {
    const run = parseThreadsRun(program)
    expectCommands(commands, run.threads * run.ops)
    return { kind, run }
  }
  if (typeof program !== 'string') throw new RangeError(`expected a program as text, got ${brief(program)}: the file is damaged`)
  if (kind === 'fast') {
    const bytes = Buffer.from(program, 'base64')
    const made = (bytes.length / 4 - SETUP_WORDS) / COMMAND_WORDS
    if (made !== commands || made > MOST_COMMANDS)
      throw new RangeError(`expected a program of ${commands} commands, got ${bytes.length} bytes: the file is damaged`)
    return { kind, words: wordsOf(bytes) }
  }
  if (!isWhole(seed, 2 ** 32 - 1) || typeof finishing !== 'boolean')
    throw new RangeError('expected a seed up to 2^32 - 1 and "finishing" true or false, got a failure without them: the file is damaged')
  const list = numbersIn(program)
  expectCommands(commands, list.length)
  return { kind, program: { seed, commands: list, finishing } }
}

function expectCommands(said: number, got: number): void {
  if (said !== got) throw new RangeError(`expected a program of ${said} commands, got ${got}: the file is damaged`)
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none'
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

/** Numbers in ascending order as text: `0-3 17 204`. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = []
  for (const number of numbers) {
    const range = ranges.at(-1)
    if (range !== undefined && number === range[1] + 1) range[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(' ')
}

function numbersIn(text: string): number[] {
  const numbers: number[] = []
  let next = 0
  for (const range of text === '' ? [] : text.split(' ')) {
    const match = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(range)
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null || first < next || last < first || last >= MOST_COMMANDS)
      throw new RangeError(
        `expected the numbers of commands in ascending order, up to ${MOST_COMMANDS - 1}, got ${brief(range)}: the file is damaged`
      )
    for (let number = first; number <= last; number++) numbers.push(number)
    next = last + 1
  }
  return numbers
}
