// The language of the cases: one call a line, as a C program would write it, and behind an arrow what CE answers.
//
//     heap = HeapCreate(0, 0x1000, 0) -> nonzero
//     p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100) -> pointer
//     IHostMalloc::Alloc(malloc, 100, eTaskCritical, &q) -> S_OK       & names what an out-parameter brings back
//     q = IHostMalloc::Alloc(malloc, 100, eTaskCritical, &q) -> NULL   the line is about the out-parameter, not about the HRESULT
//     2: TryEnterCriticalSection(section) -> 0                         a second thread calls
//     repeat 100: x = HeapAlloc(heap, 0, 64) -> pointer; HeapFree(heap, 0, x) -> nonzero
//     exhaust 16: y = HeapAlloc(heap, 0, 0x1000) -> error 8            until the answer is 0; y is the last that was not
//     drain 5000: y = HeapAlloc(heap, 0, 0x1000) -> error 8            the same, but who has more memory than that is not asked further
//     check p -> multiple of 8
//
// An argument is a sum of numbers, names of earlier answers, constants of CE and 'words'.
import { misuse } from '../errors.ts'
import { type Expectation, parseExpectation } from './expectation.ts'

/** A number to be, or a word in quotes. */
export type Expression = readonly { readonly sign: 1 | -1; readonly atom: string }[]

export interface Call {
  /** 1, or 2 for a second thread. */
  readonly thread: number
  /** The name that the answer gets; '' where nobody asks for it again. */
  readonly target: string
  readonly call: string
  readonly args: readonly Expression[]
  /** Names that out-parameters get, in their order. */
  readonly out: readonly string[]
  /** Whether the expectation is about the first out-parameter; then the returned value is an HRESULT that only tells success. */
  readonly aboutOut: boolean
  readonly expectations: readonly Expectation[]
}

export type Statement =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'repeat'; readonly count: number; readonly body: readonly Statement[] }
  | { readonly kind: 'exhaust'; readonly most: number; readonly must: boolean; readonly call: Call }
  | { readonly kind: 'check'; readonly value: Expression; readonly expectations: readonly Expectation[] }

const callForm = /^(?:(\d): *)?(?:([a-z]\w*) = )?([A-Za-z]\w*(?:::\w+)?)\((.*)\)$/
const atomForm = /^(?:0x[0-9A-Fa-f]+|\d+|[A-Za-z_]\w*|'[\w-]+')$/

/** The statements of a script. Throws a TypeError that shows the line it cannot read. */
export function parseScript(script: string): Statement[] {
  return script
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(parseLine)
}

function parseLine(line: string): Statement {
  const repeat = /^repeat (\d+): (.*)$/.exec(line)
  if (repeat !== null) return { kind: 'repeat', count: Number(repeat[1]), body: (repeat[2] as string).split('; ').map(parseLine) }
  const exhaust = /^(exhaust|drain) (\d+): (.*)$/.exec(line)
  if (exhaust !== null)
    return { kind: 'exhaust', most: Number(exhaust[2]), must: exhaust[1] === 'exhaust', call: parseCall(exhaust[3] as string) }
  const check = /^check (.*?) -> (.*)$/.exec(line)
  if (check !== null)
    return { kind: 'check', value: parseExpression(check[1] as string), expectations: parseExpectations(check[2] as string) }
  return { kind: 'call', call: parseCall(line) }
}

function parseCall(line: string): Call {
  const [left = '', right = ''] = line.split(' -> ')
  const parts = callForm.exec(left)
  if (parts === null) throw misuse('script', 'name = Call(arguments) -> expectations', line)
  const args: Expression[] = []
  const out: string[] = []
  for (const part of (parts[4] as string)
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')) {
    if (part.startsWith('&')) out.push(part.slice(1))
    else args.push(parseExpression(part))
  }
  return {
    thread: Number(parts[1] ?? 1),
    target: parts[2] ?? '',
    call: parts[3] as string,
    args,
    out,
    aboutOut: parts[2] !== undefined && out.includes(parts[2]),
    expectations: parseExpectations(right)
  }
}

/** A sum of atoms: `p + 0x10 - 4`. */
function parseExpression(text: string): Expression {
  const words = text.trim().split(/\s+/)
  const terms: { sign: 1 | -1; atom: string }[] = []
  let sign: 1 | -1 = 1
  for (const [at, word] of words.entries()) {
    if (at % 2 === 1) {
      if (word !== '+' && word !== '-') throw misuse('script', 'a sum such as p + 4', text)
      sign = word === '+' ? 1 : -1
    } else {
      if (!atomForm.test(word)) throw misuse('script', 'a number, a name or a quoted word', text)
      terms.push({ sign, atom: word })
    }
  }
  return terms
}

function parseExpectations(text: string): Expectation[] {
  return text
    .split(', ')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseExpectation(part, parseExpression))
}
