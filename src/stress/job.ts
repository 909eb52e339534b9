import { setImmediate } from 'node:timers'
import type { ShareToken } from '../machine/machine.ts'
import type { ClaimFault, ClaimsBuffer } from './claims.ts'
import type { PackedHistory } from './history.ts'
import type { WorkloadSource } from './load.ts'

/** What the harness hands to a worker: one thread's part of one run. */
export interface Job {
  readonly run: number
  readonly token: ShareToken
  readonly workload: WorkloadSource
  readonly thread: number
  readonly threads: number
  readonly seed: number
  /** Operations for this thread, or milliseconds to work; one of them is Infinity. */
  readonly ops: number
  readonly ms: number
  readonly data: unknown
  /** Present where threads run at once: where they claim their blocks. Otherwise every call is kept. */
  readonly claims: ClaimsBuffer | undefined
  /** One word a thread: operations done so far. */
  readonly done: SharedArrayBuffer
  /** Present where all begin at one moment: one word, which the harness sets. */
  readonly gate: SharedArrayBuffer | undefined
}

/** Words of a gate. */
export const SHUT = 0
export const OPEN = 1
export const OFF = 2

/** What a worker tells the harness. */
export type Told =
  | { readonly run: number; readonly step: 'attached'; readonly tid: number }
  /** It did not begin, because another thread could not. */
  | { readonly run: number; readonly step: 'off' }
  | { readonly run: number; readonly step: 'done'; readonly work: Work; readonly result: unknown }
  | { readonly run: number; readonly step: 'failed'; readonly work: Work | undefined; readonly error: Thrown }

/** What a thread did. */
export interface Work {
  readonly tid: number
  readonly calls: number
  readonly ms: number
  readonly history: PackedHistory
  readonly claimFaults: readonly ClaimFault[]
  /** Addresses of the critical sections that it is inside of. */
  readonly entered: readonly number[]
}

/** Until the event loop of this thread has turned. */
export function turn(): Promise<void> {
  return new Promise((settle) => setImmediate(settle))
}

/** An error on its way between threads. */
export interface Thrown {
  /** The library's own kinds, by the name of their class; anything else is 'threw'. */
  readonly kind: 'threw' | 'cookie' | 'deadlock' | 'diverged' | 'timeout' | 'module'
  readonly message: string
}

const KINDS: Readonly<Record<string, Thrown['kind']>> = {
  CookieError: 'cookie',
  DeadlockError: 'deadlock',
  DivergenceError: 'diverged',
  LockTimeoutError: 'timeout',
  TurnTimeoutError: 'timeout',
  StressError: 'module'
}

export function thrownBy(error: unknown): Thrown {
  try {
    if (!(error instanceof Error)) return { kind: 'threw', message: String(error) }
    const [name, message] = [String(error.name), String(error.message)]
    const kind = Object.hasOwn(KINDS, name) ? (KINDS[name] as Thrown['kind']) : 'threw'
    return { kind, message: kind === 'threw' && name !== 'Error' ? `${name}: ${message}` : message }
  } catch {
    // Anything can be thrown, such as an object that has no text and throws when it is asked for one.
    return { kind: 'threw', message: 'something that has no text' }
  }
}
