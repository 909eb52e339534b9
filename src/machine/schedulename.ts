import { misuse } from '../errors.ts'

/** What the option `schedule` of a process says. */
export type ScheduleSpec =
  | { readonly kind: 'seeded'; readonly seed: number }
  | { readonly kind: 'pct'; readonly seed: number; readonly depth: number; readonly steps: number }
  | { readonly kind: 'recorded' }
  | { readonly kind: 'replay'; readonly text: string }
  | { readonly kind: 'guided'; readonly prefix: readonly number[] }

/** Steps that `pct:N:d` reckons with where it is not told. */
const PCT_STEPS = 1000

const FORMS = 'one of free, seeded:N, pct:N:d, pct:N:d:k, recorded, replay:TEXT'

/**
 * Reads the option; undefined for `free`. Seeds are 0 to 2^32 - 1, d is 1 to 99, k 1 to 2^31 - 1. `guided:` is the search's own
 * (stress/explore.ts): the seats of the first steps in base 36, with commas.
 */
export function parseSchedule(given: unknown): ScheduleSpec | undefined {
  if (given === 'free') return undefined
  if (given === 'recorded') return { kind: 'recorded' }
  if (typeof given !== 'string') throw misuse('schedule', FORMS, given)
  if (given.startsWith('replay:')) return { kind: 'replay', text: given.slice('replay:'.length).trim() }
  const guided = /^guided:((?:[0-9a-z]{1,2}(?:,|$))*)$/.exec(given)
  if (guided !== null) {
    const seats = (guided[1] as string).split(',').filter((seat) => seat !== '')
    return { kind: 'guided', prefix: seats.map((seat) => Number.parseInt(seat, 36)) }
  }
  const seeded = /^seeded:(\d{1,10})$/.exec(given)
  if (seeded !== null && Number(seeded[1]) < 2 ** 32) return { kind: 'seeded', seed: Number(seeded[1]) }
  const pct = /^pct:(\d{1,10}):([1-9]\d?)(?::([1-9]\d{0,9}))?$/.exec(given)
  if (pct === null || Number(pct[1]) >= 2 ** 32 || Number(pct[3] ?? 1) >= 2 ** 31) throw misuse('schedule', FORMS, given)
  return { kind: 'pct', seed: Number(pct[1]), depth: Number(pct[2]), steps: Number(pct[3] ?? PCT_STEPS) }
}
