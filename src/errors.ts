/** How an `expected` that takes numbers begins. */
const NUMBERS = /^(?:a whole number|a multiple of|a number of|room for)/

/** Misuse of this library: TypeError for the wrong type, RangeError for the wrong value, always with expected and received. */
export function misuse(what: string, expected: string, got: unknown): TypeError | RangeError {
  const message = `${what}: expected ${expected}, got ${show(got)}`
  const wanted = expected.startsWith('one of') ? 'string' : NUMBERS.test(expected) ? 'number' : ''
  return typeof got === wanted ? new RangeError(message) : new TypeError(message)
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value)
  return `an object (${Object.getPrototypeOf(value)?.constructor?.name ?? 'null prototype'})`
}

/** Whether an argument is a DWORD. `>>>` alone would throw at a BigInt or a Symbol, and call an object's valueOf. */
export function isDword(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

/** The error for an argument that is not a DWORD. Kept apart from isDword so that the test stays small enough to be inlined. */
export function notDword(call: string, parameter: string, got: unknown): TypeError | RangeError {
  return misuse(`${call}: ${parameter}`, 'a whole number from 0 to 4294967295', got)
}

/** Checks a count-like option of the library (not an emulated argument). */
export function wholeNumber(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw misuse(what, `a whole number from ${least} to ${most}`, value)
  if (!Number.isInteger(value) || value < least || value > most) throw misuse(what, `a whole number from ${least} to ${most}`, value)
  return value
}

/** Thrown by every call on a process that was closed. */
export function closedProcess(call: string): TypeError {
  return new TypeError(`${call}: expected an open process, got one that was closed with process.close()`)
}
