import { bytesOf, COMMAND_WORDS, commandsIn, SETUP_WORDS, wordsOf } from './words.ts'

/** A failure as any machine replays it: the program that fails, and what it said. */
export interface FailureFile {
  readonly message: string
  /** The seed whose run it came from; null for bytes from elsewhere. */
  readonly seed: number | null
  readonly words: Uint32Array
}

const KIND = 'fuzz failure'
const VERSION = 1

export function failureFile({ message, seed, words }: FailureFile): string {
  const program = Buffer.from(bytesOf(words)).toString('base64')
  return `${JSON.stringify({ ceheap: KIND, version: VERSION, message, seed, commands: commandsIn(words), program }, null, 2)}\n`
}

/** Reads such a file. Throws a RangeError that says what is wrong with the text. */
export function parseFailureFile(text: string): FailureFile {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    throw new RangeError('expected a failure as ceheap fuzz writes it, got text that is no JSON, or only the beginning of one')
  }
  const { ceheap, version, message, seed, commands, program } = (typeof data === 'object' && data !== null ? data : {}) as Record<
    string,
    unknown
  >
  if (ceheap !== KIND) throw new RangeError(`expected a failure as ceheap fuzz writes it ("ceheap": "${KIND}"), got other JSON`)
  if (version !== VERSION)
    throw new RangeError(`expected a failure of version ${VERSION}, got version ${JSON.stringify(version)}: another ceheap has written it`)
  if (typeof program !== 'string' || typeof message !== 'string' || typeof commands !== 'number')
    throw new RangeError('expected the fields program, message and commands, got a failure without them')
  const bytes = Buffer.from(program, 'base64')
  if (bytes.length !== 4 * (SETUP_WORDS + commands * COMMAND_WORDS))
    throw new RangeError(`expected a program of ${commands} commands, got ${bytes.length} bytes: the file is damaged`)
  return { message, seed: typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0 ? seed : null, words: wordsOf(bytes) }
}
