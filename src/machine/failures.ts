import { HDR, INJECTION_WORDS, MAX_INJECTIONS } from './layout.ts'
import type { Machine } from './machine.ts'
import { TID } from './section.ts'
import { THREAD, threadAt } from './threads.ts'

/**
 * Injected failures (DT-2): requests that are refused although they could be met. Everything that decides lies in system memory, so all
 * threads see one count and the same requests fail again in a run with the same order.
 *
 *   injections   8 of 16 words   | ON | NTH | EVERY | LEAST | MOST | SITE | CHANCE | SEED | SEEN | FAILED | ... |
 *
 *   SEEN   = requests of its kind (ON), of LEAST to MOST bytes, at its SITE     counted while it is on, failed ones included
 *   FAILED = of these, the refused
 *   a request that is the n-th seen is refused
 *     if n = NTH, or n = NTH + k * EVERY (NTH = EVERY if only EVERY is given), or neither is given
 *     and if CHANCE is none, or draw(SEED, n) < CHANCE
 *
 *   header.INJECTING = the kinds of all that are on
 *
 * The words change inside the process section.
 */
export const INJECTION = {
  ON: 0, // 0 = this one is off
  NTH: 1,
  EVERY: 2,
  LEAST: 3,
  MOST: 4,
  SITE: 5, // 0 = any
  CHANCE: 6, // in 2^-30; -1 = always
  SEED: 7,
  SEEN: 8,
  FAILED: 9
} as const

/** Requests for a block of a heap. */
export const ON_ALLOC = 1
/** Requests for physical memory. */
export const ON_COMMIT = 2
/** Requests for address space. */
export const ON_RESERVE = 4

/** CHANCE of a request that is always refused. */
export const CERTAIN: number = 2 ** 30

export function injectionAt(machine: Machine, index: number): number {
  return machine.layout.injectionsAt + index * INJECTION_WORDS
}

/**
 * Counts a request of `bytes` with every injection that is meant for it, and says whether one refuses it.
 * Precondition: inside the process section while something is injected into requests of this kind.
 */
export function failsInjected(machine: Machine, who: number, kind: number, bytes: number): boolean {
  const { sys } = machine
  if (((sys[HDR.INJECTING] as number) & kind) === 0) return false
  const site = sys[threadAt(machine, who & TID) + THREAD.SITE] as number
  let refused = false
  for (let index = 0; index < MAX_INJECTIONS; index++) {
    const at = injectionAt(machine, index)
    const word = (field: number): number => sys[at + field] as number
    if (word(INJECTION.ON) !== kind || bytes < word(INJECTION.LEAST) >>> 0 || bytes > word(INJECTION.MOST) >>> 0) continue
    if (word(INJECTION.SITE) !== 0 && word(INJECTION.SITE) !== site) continue
    const n = word(INJECTION.SEEN) + 1
    sys[at + INJECTION.SEEN] = n
    if (!isDue(n, word(INJECTION.NTH), word(INJECTION.EVERY)) || !isDrawn(word(INJECTION.SEED), n, word(INJECTION.CHANCE))) continue
    sys[at + INJECTION.FAILED] = word(INJECTION.FAILED) + 1
    refused = true
  }
  return refused
}

function isDue(n: number, nth: number, every: number): boolean {
  if (every === 0) return nth === 0 || n === nth
  const first = nth === 0 ? every : nth
  return n >= first && (n - first) % every === 0
}

function isDrawn(seed: number, n: number, chance: number): boolean {
  return chance < 0 || draw(seed, n) < chance
}

/** The n-th number of a seed, 0 to 2^30 - 1: by its place alone, so that a request's fate does not hang on how earlier ones were asked about. */
function draw(seed: number, n: number): number {
  let hash = Math.imul(n, 0x9e3779b1) ^ seed
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 2
}

/** The number of a label: 32 bits of a hash, never 0 for a label that is not empty. */
export function siteNumber(label: string): number {
  if (label === '') return 0
  let hash = 0x811c9dc5
  for (let at = 0; at < label.length; at++) hash = Math.imul(hash ^ label.charCodeAt(at), 0x01000193)
  return hash === 0 ? 1 : hash | 0
}
