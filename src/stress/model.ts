import { CALLS } from '../coredll/calls.ts'
import { attachThread, createProcess } from '../coredll/process.ts'
import type { CeProcess, ProcessOptions } from '../coredll/process.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { Call } from './history.ts'

/** How a call's answer differs from what the same calls give when nothing runs beside them. */
export interface Mismatch {
  readonly at: number
  readonly message: string
  /** What the model answered, where the call differs. */
  readonly expected: string
}

/** Calls that no model can repeat: what they answer depends on functions or on clocks of the app's. */
const UNREPEATABLE = new Set(['CeHeapCreate'])
const KNOWN: ReadonlySet<string> = new Set(CALLS)

/** The first call that the model cannot make; undefined if it can make them all. */
export function unrepeatable(history: readonly Call[]): string | undefined {
  return history.find(({ call }) => UNREPEATABLE.has(call) || !KNOWN.has(call))?.call
}

/**
 * The sequential model: a fresh process on which the calls of a history are made one after the other, by a thread for each id. Every result and
 * last error must be the history's own, and so must the heaps be at the end (`after`: the process that the history comes from). With `refuses` a try of a
 * section may have been refused though nobody is inside at that place.
 * Precondition: `unrepeatable(history)` is undefined.
 */
export function compareWithModel(
  history: readonly Call[],
  threads: number,
  options: ProcessOptions,
  after: CeProcess | undefined,
  refuses = false
): Mismatch | undefined {
  // A thread that would have to wait waits for ever: there is nobody beside it.
  const model = createProcess({ ...options, lockTimeout: 1 })
  const callers = [model.thread]
  for (let thread = 0; thread < threads; thread++) callers.push(attachThread(model.share()))
  try {
    for (const [at, call] of history.entries()) {
      const found = compareCall(callers[call.thread - 1], call, refuses)
      if (found !== undefined) return { at, ...found }
    }
    if (after === undefined) return undefined
    const [ours, theirs] = [heapsOf(model), heapsOf(after)]
    if (ours === theirs) return undefined
    const message = `after all calls the heaps are not those that the same calls give in a row: ${difference(ours, theirs)}`
    return { at: history.length - 1, message, expected: '' }
  } finally {
    model.close()
  }
}

function compareCall(
  caller: CeThread | undefined,
  { call, thread, args, result, lastError }: Call,
  refuses: boolean
): Omit<Mismatch, 'at'> | undefined {
  if (caller === undefined) return { message: `${call} was made by thread ${thread}, which is none of the run's`, expected: '' }
  let answer: number | undefined
  try {
    const given: unknown = (caller[call as keyof CeThread] as (...args: number[]) => unknown).apply(caller, args)
    answer = typeof given === 'number' ? given >>> 0 : undefined
  } catch (error) {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { message: `${call} cannot be made at this place of the order: ${said}`, expected: 'nothing: it waits' }
  }
  if (refuses && call === 'TryEnterCriticalSection' && result === 0 && answer === 1) {
    caller.LeaveCriticalSection(args[0] as number)
    return undefined
  }
  const error = caller.GetLastError()
  if (answer === result && (lastError === undefined || error === lastError)) return undefined
  const expected = `${textOf(answer)}, last error ${error}`
  const message = `${call} of thread ${thread} answered ${textOf(result)}, last error ${lastError}; the same calls in a row give ${expected}`
  return { message, expected }
}

function textOf(result: number | undefined): string {
  return result === undefined ? 'nothing' : `0x${result.toString(16).toUpperCase()}`
}

/** Heaps and reservations without peaks: within one call the pages of two threads may be committed in turns. */
function heapsOf(process: CeProcess): string {
  const { heaps, reservations, committed } = process.snapshot()
  return JSON.stringify({ heaps: heaps.map(({ peakCommitted: _, ...heap }) => heap), reservations, committed })
}

function difference(expected: string, found: string): string {
  let at = 0
  while (expected[at] === found[at]) at++
  const cut = (text: string): string => text.slice(Math.max(0, at - 40), at + 40)
  return `expected ...${cut(expected)}..., found ...${cut(found)}...`
}
