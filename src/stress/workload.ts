import type { CeThread } from '../coredll/thread.ts'
import type { ShareToken } from '../machine/machine.ts'
import type { Cookie } from './cookie.ts'
import type { Random } from './random.ts'

/** What a workload's `run` is given, in each worker. */
export interface Context<Data = unknown> {
  /** This thread of the emulated process. */
  readonly ce: CeThread
  /** Which of the threads this is, from 0 on. Its id in the process is `ce.tid`, which is `thread` + 2: the creating thread has 1. */
  readonly thread: number
  readonly threads: number
  /** A whole number from 0 to `below` - 1, by the run's seed and the thread. The only randomness that repeats. */
  readonly random: Random
  /** How many operations this thread has to do; Infinity where the run is bounded by time. */
  readonly ops: number
  /** When to end, as `performance.now()` tells it, in milliseconds; Infinity where the run is bounded by operations. */
  readonly deadline: number
  /** True as long as there is something left to do; counts an operation. `while (more()) { ... }` is the loop of a workload. */
  readonly more: () => boolean
  /** What `setup` returned. */
  readonly data: Data
  readonly cookie: Cookie
  /** The token that this thread was attached with. In every schedule but `free` it is used up. */
  readonly token: ShareToken
}

/**
 * Work for several threads on one emulated process: what the built-in workloads are, and what a module given as `--workload ./mine.js` exports.
 * `run` and `finish` throw where something is wrong. Everything allocated must be freed by the end of `finish`: what is left counts as a leak.
 */
export interface Workload<Data = unknown> {
  readonly name: string
  readonly description?: string
  /** Rules whose findings of severity error are meant to happen here (`['C-5']`); every other one is a failure. */
  readonly tolerates?: readonly string[]
  /** Prepares the process in its creating thread; returns plain data for the others (what postMessage can copy). */
  setup?(ce: CeThread, run: { readonly threads: number; readonly random: Random }): Data
  /** One thread's work; synchronous. What it returns goes to `finish`. */
  run(context: Context<Data>): unknown
  /** Checks the outcome and frees what is left, in the creating thread. `results` are what the threads' `run` returned, in their order. */
  finish?(ce: CeThread, data: Data, results: readonly unknown[]): void
}

/** Thrown where a run cannot even begin: options, the workload's module or its setup. The message says what to do. */
export class StressError extends Error {
  override readonly name = 'StressError'
}

const FUNCTIONS = ['setup', 'run', 'finish'] as const

/** The workload that the module `from` exports, by name or as default; a StressError says what is missing. */
export function workloadOf(module: Readonly<Record<string, unknown>>, from: string): Workload {
  const { default: whole } = module
  const offered = typeof whole === 'object' && whole !== null ? (whole as Readonly<Record<string, unknown>>) : module
  const exported = `exports of ${from}`
  const { name, run, tolerates } = offered
  if (typeof run !== 'function')
    throw new StressError(`${from}: a workload exports a function "run", which does one thread's work; ${exported}: ${namesIn(offered)}`)
  if (typeof name !== 'string' || name === '')
    throw new StressError(`${from}: a workload exports its "name" as a string; ${exported}: ${namesIn(offered)}`)
  for (const key of FUNCTIONS) {
    const value = offered[key]
    if (value !== undefined && typeof value !== 'function')
      throw new StressError(`${from}: "${key}" must be a function, it is ${typeof value}`)
    if (value?.constructor.name === 'AsyncFunction')
      throw new StressError(`${from}: "${key}" must be synchronous: calls of a heap do not wait`)
  }
  if (tolerates !== undefined && !(Array.isArray(tolerates) && tolerates.every((rule) => typeof rule === 'string')))
    throw new StressError(`${from}: "tolerates" must be a list of rule ids such as ['C-5']`)
  return offered as unknown as Workload
}

function namesIn(module: Readonly<Record<string, unknown>>): string {
  return Object.keys(module).join(', ') || 'none'
}
