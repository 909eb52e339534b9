// What the page and its workers say to one another.
import type { Left } from '../machine/hammer.ts'

/** The library as it is shipped, where the server of this test has it. */
export const library: string = '/dist/index.js'

/** Words of the control array; those from FIRST_WORKER on are the workers', by thread id. */
export const CONTROL = { STOP: 0, FIRST_WORKER: 2, WORDS: 8 } as const

/** Rounds at the heap, and enters of the section, in turn: about as long as one another, so that the threads meet at both. */
export const SLICE = 100
export const ADDS = 2000

interface Place {
  readonly section: number
  readonly counter: number
  readonly rounds: number
  readonly control: SharedArrayBuffer
}

export type Order =
  | (Place & { readonly order: 'hammer'; readonly seed: number; readonly heap: number; readonly shared: number })
  | (Place & { readonly order: 'holdUntil' })
  | { readonly order: 'hold' | 'leave' | 'try'; readonly section: number }
  | { readonly order: 'add'; readonly section: number; readonly counter: number; readonly rounds: number }
  | { readonly order: 'detach' }

export interface Answer {
  readonly tid: number
  readonly left?: Left
  /** How often the worker added to the counter. */
  readonly added?: number
  readonly entered?: number
  readonly error?: string
}

/** One case of the page, as it tells it to the driver. */
export interface Verdict {
  readonly name: string
  readonly error: string | undefined
}
