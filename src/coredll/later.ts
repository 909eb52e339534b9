import { isDword, misuse, notDword } from '../errors.ts'
import { REC, recordOf } from '../heap/record.ts'
import { enterLater, untilFree } from '../machine/enterlater.ts'
import { leave } from '../machine/section.ts'
import { SEC } from '../machine/sectiontable.ts'
import { needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import { check, entered, sectionFor } from './critical.ts'
import type { Taker } from './out.ts'

/** What the calls that wait without blocking take. */
export interface WaitOptions {
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

export function signalOf(call: string, options: WaitOptions): AbortSignal | undefined {
  if (typeof options !== 'object' || options === null) throw misuse(`${call}: options`, 'an object of options', options)
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw misuse(`${call}: signal`, 'an AbortSignal', signal)
  return signal
}

/** A thread that waits by a promise is at no point of a schedule, where its turn could go to another one. */
function needNoSchedule(ce: Caller, call: string): void {
  if (ce.machine.seat === undefined) return
  throw new TypeError(
    `${call}: expected a process whose threads run freely, got one with a schedule; there threads wait by EnterCriticalSection`
  )
}

/** EnterCriticalSection by a promise. Findings name it as that. */
export async function enterCriticalSectionLater(ce: Taker, lp: number, signal: AbortSignal | undefined): Promise<void> {
  const call = 'EnterCriticalSection'
  check(ce, call, lp)
  needNoSchedule(ce, 'EnterCriticalSectionAsync')
  const at = sectionFor(ce, call, lp)
  if (at === 0) return
  const { machine } = ce
  const handle = machine.sys[at + SEC.HANDLE] as number
  const waited = await enterLater(machine, at, ce.tid, signal)
  try {
    needOpen(ce, call)
  } catch (error) {
    // A terminated thread has let go of all it owned, and the section may be another's by now.
    if (!machine.ended) leave(machine, at)
    throw error
  }
  entered(ce, call, lp, at, handle, waited)
}

/** Waits until no other thread is inside the heap, or the heap has ended. */
export async function whenHeapFree(ce: Caller, hHeap: number, signal: AbortSignal | undefined): Promise<void> {
  const call = 'whenFree'
  if (!isDword(hHeap)) throw notDword(call, 'hHeap', hHeap)
  needOpen(ce, call)
  needNoSchedule(ce, call)
  const { machine } = ce
  const record = recordOf(machine, hHeap)
  const handle = record === 0 ? 0 : (machine.sys[record + REC.HANDLE] as number)
  // Below 0 while it is being made or ended, or its page callbacks run.
  if (record === 0 || (handle !== hHeap && handle >= 0)) throw misuse(`${call}: hHeap`, 'the handle of a live heap', hHeap)
  await untilFree(machine, record, ce.tid, signal)
  needOpen(ce, call)
}
