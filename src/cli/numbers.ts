import { InvalidArgumentError } from 'commander'

/** A whole number of 0 or more, as an option gives it. */
export function parseWhole(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.')
  return value
}

/** Seconds above 0, whole or not. */
export function parseSeconds(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number of seconds above 0.')
  return value
}
