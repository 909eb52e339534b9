import type { Finding } from '../coredll/findings.ts'
import type { CeProcess, ProcessOptions } from '../coredll/process.ts'
import { endFault } from './endstate.ts'
import type { Call } from './history.ts'
import { Intervals } from './intervals.ts'
import { compareWithModel, unrepeatable } from './model.ts'

/**
 * What can be wrong with a run:
 *
 *   finding    a call breaks a rule of the emulated OS (a double free, ...): the workload's fault
 *   overlap    two live blocks share bytes                      result     an answer differs from the sequential model's, or a block could not be freed
 *   lost       a heap and the judge's books differ              leak       a block is left at the end
 *   cookie     somebody wrote into another's block              invariant  process.check(), or not one free block a region
 *   threw      run or finish threw                              timeout    a thread did not end
 *   exit       a worker ended in the middle of its work         posted     a worker posted what nobody asked for
 *   deadlock   every thread waits for another                   diverged   a replayed schedule does not fit what the threads do
 *   attached   a thread that run() attached is still there     entered    run() returned inside of a critical section
 */
export type FaultKind =
  | 'finding'
  | 'overlap'
  | 'result'
  | 'lost'
  | 'leak'
  | 'cookie'
  | 'invariant'
  | 'threw'
  | 'timeout'
  | 'exit'
  | 'posted'
  | 'deadlock'
  | 'diverged'
  | 'attached'
  | 'entered'

export interface Fault {
  readonly kind: FaultKind
  readonly message: string
  /** The thread that it happened in, where there is one. */
  readonly thread?: number
  /** The call of the history, counted from 0, where it is one call's fault. */
  readonly at?: number
  /** What the model answers instead, where that is known. */
  readonly expected?: string
}

/** The findings that make a run fail: errors that the workload does not name as meant. */
export function failingFinding(findings: readonly Finding[], tolerates: readonly string[]): Finding | undefined {
  return findings.find(({ severity, rule }) => severity === 'error' && !tolerates.includes(rule))
}

/** A run whose threads went one at a time, to be judged in full. */
export interface Trial {
  /** Every call, in the order of the last grants. */
  readonly history: readonly Call[]
  readonly threads: number
  /** Of the process, without its schedule. */
  readonly options: ProcessOptions
  readonly processHeap: number
  /** The process as the run left it; undefined if it did not come to its end. */
  readonly after: CeProcess | undefined
  readonly tolerates: readonly string[]
  /** See `compareWithModel`. */
  readonly refuses?: boolean
}

export interface Verdict {
  /** What is wrong, in the order of the calls. */
  readonly faults: Fault[]
  /** Why the model was not asked; undefined if it was. */
  readonly unasked: string | undefined
}

/** Judges a whole history: by books of its own, by the sequential model, and by the state that is left. */
export function judge({ history, threads, options, processHeap, after, tolerates, refuses = false }: Trial): Verdict {
  const faults: Fault[] = []
  const books = new Intervals(processHeap)
  for (const [at, call] of history.entries()) {
    const finding = failingFinding(call.findings, tolerates)
    if (finding !== undefined) faults.push({ kind: 'finding', message: findingText(finding), thread: call.thread, at })
    const fault = books.apply(call)
    if (fault !== undefined) faults.push({ ...fault, thread: call.thread, at })
  }
  const stranger = unrepeatable(history)
  if (stranger === undefined) {
    const mismatch = compareWithModel(history, threads, options, after, refuses)
    if (mismatch !== undefined) {
      const { at, message, expected } = mismatch
      faults.push({ kind: 'result', message, at, expected, thread: history[at]?.thread ?? 0 })
    }
  }
  if (after !== undefined) {
    const fault = endFault(
      after,
      books.live.map(({ address, asked, by }) => ({ address, bytes: asked, thread: by.thread }))
    )
    if (fault !== undefined) faults.push(fault)
  }
  // What came first is the cause of what came later.
  faults.sort((a, b) => (a.at ?? history.length) - (b.at ?? history.length))
  return { faults, unasked: stranger === undefined ? undefined : `${stranger} cannot be repeated, so the sequential model was not asked` }
}

export function findingText({ rule, message }: Finding): string {
  return `${message} (${rule})`
}
