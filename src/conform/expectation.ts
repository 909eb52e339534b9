// What a call may answer. Where CE leaves freedom, the expectation does: `pointer` is any address but NULL, `>= 100` any size that suffices.
import { misuse } from '../errors.ts'
import type { Expression } from './scriptline.ts'

export type Expectation =
  | { readonly kind: 'nonzero' | 'pointer' | 'any' | 'kept' | 'set'; readonly text: string }
  | {
      readonly kind: 'is' | 'not' | 'atLeast' | 'atMost' | 'above' | 'below' | 'multiple' | 'size' | 'error' | 'all'
      readonly text: string
      readonly values: readonly Expression[]
    }

const words: readonly (readonly [RegExp, Expectation['kind']])[] = [
  [/^nonzero$/, 'nonzero'],
  [/^pointer$/, 'pointer'],
  [/^any$/, 'any'],
  [/^error kept$/, 'kept'],
  [/^error set$/, 'set'],
  [/^error (.+)$/, 'error'],
  [/^not (.+)$/, 'not'],
  [/^>= (.+)$/, 'atLeast'],
  [/^<= (.+)$/, 'atMost'],
  [/^> (.+)$/, 'above'],
  [/^< (.+)$/, 'below'],
  [/^multiple of (.+)$/, 'multiple'],
  [/^size (.+)$/, 'size'],
  [/^all (.+)$/, 'all'],
  [/^([^ ].*)$/, 'is']
]

/**
 * | text              | the answer                                                                   |
 * |-------------------|------------------------------------------------------------------------------|
 * | `8`, `p`, `a or b`| is that value, or one of those                                               |
 * | `not p`, `>= n` … | is another value, is large or small enough                                    |
 * | `nonzero`         | is not 0                                                                     |
 * | `pointer`         | is an address but NULL                                                       |
 * | `multiple of n`   | can be divided by n                                                          |
 * | `size n`          | is what HeapSize tells of n bytes: the next multiple of 32 on retail (HS-3), n on debug (HS-4) |
 * | `error a or b`    | and the last error is one of these; it is set to another value before the call |
 * | `error kept`      | and the last error is what it was before                                      |
 * | `error set`       | and the last error is another than before, and not NO_ERROR                   |
 * | `all n`           | of `bytes(address, count)`: each byte is n                                    |
 * | `any`             | is a number                                                                  |
 */
export function parseExpectation(text: string, expression: (text: string) => Expression): Expectation {
  for (const [form, kind] of words) {
    const parts = form.exec(text)
    if (parts === null) continue
    if (kind === 'nonzero' || kind === 'pointer' || kind === 'any' || kind === 'kept' || kind === 'set') return { kind, text }
    return { kind, text, values: (parts[1] as string).split(' or ').map(expression) }
  }
  throw misuse('script', 'an expectation', text)
}

/** Whether the expectation looks at the last error, which the implementation must then be able to tell and to set. */
export function needsLastError({ kind }: Expectation): boolean {
  return kind === 'error' || kind === 'kept' || kind === 'set'
}

export interface Answered {
  readonly value: number
  readonly lastError: number | undefined
  /** What the last error was set to before the call. */
  readonly sentinel: number
  /** Of `bytes`: what was read. */
  readonly bytes: Uint8Array | undefined
}

/** Whether the answer is as expected; else what it was, in words. */
export function judge(
  expectation: Expectation,
  answer: Answered,
  evaluate: (expression: Expression) => number,
  debug: boolean
): string | undefined {
  const { value, lastError, sentinel, bytes } = answer
  const got = shown(value)
  const tell = (good: boolean): string | undefined => (good ? undefined : got)
  switch (expectation.kind) {
    case 'any':
      return undefined
    case 'nonzero':
    case 'pointer':
      return tell(value !== 0)
    case 'kept':
      return lastError === sentinel ? undefined : `last error ${lastError}`
    case 'set':
      if (lastError === sentinel) return 'no last error'
      return lastError === undefined || lastError === 0 ? `last error ${lastError}` : undefined
  }
  const values = expectation.values.map(evaluate)
  const first = values[0] as number
  switch (expectation.kind) {
    case 'is':
      return tell(values.includes(value))
    case 'not':
      return tell(!values.includes(value))
    case 'atLeast':
      return tell(value >= first)
    case 'atMost':
      return tell(value <= first)
    case 'above':
      return tell(value > first)
    case 'below':
      return tell(value < first)
    case 'multiple':
      return tell(value % first === 0)
    case 'size':
      return tell(value === (debug ? first : Math.ceil(first / 32) * 32))
    case 'error':
      if (values.includes(lastError as number)) return undefined
      return lastError === sentinel ? 'no last error' : `last error ${lastError}`
    case 'all': {
      const at = bytes?.findIndex((byte) => byte !== first) ?? 0
      return at < 0 ? undefined : `${shown(bytes?.[at] ?? 0)} at byte ${at}`
    }
  }
}

/** A number as a programmer reads it: small ones decimal, addresses and codes in hex. */
export function shown(value: number): string {
  return value < 0x10000 ? String(value) : `0x${value.toString(16).toUpperCase().padStart(8, '0')}`
}
