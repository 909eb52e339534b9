import { closedProcess } from '../errors.ts'
import { WrongPages } from '../heap/lent.ts'
import type { Machine } from '../machine/machine.ts'
import { needLife, THREAD, threadAt } from '../machine/threads.ts'
import type { CallName } from './calls.ts'
import type { AnyCall, AnyKind } from './findings.ts'
import { throwApart } from './listener.ts'

/** The thread that makes a call, as the families of functions see it. */
export interface Caller {
  readonly machine: Machine
  readonly tid: number
  raise(kind: AnyKind, call: AnyCall, a?: number, b?: number): void
}

export function setLastError(ce: Caller, code: number): void {
  ce.machine.sys[threadAt(ce.machine, ce.tid) + THREAD.LAST_ERROR] = code
}

/** Sets the last error and returns 0: NULL or FALSE. */
export function fail(ce: Caller, code: number): 0 {
  setLastError(ce, code)
  return 0
}

/** Throws if the process was closed or the thread terminated. Calls on a heap need not ask: closing a process kills its handles, and a dead handle leads here. */
export function needOpen(ce: Caller, call: string): void {
  if (ce.machine.closed) throw closedProcess(call)
  needLife(ce.machine, ce.tid)
}

/** Reports what page callbacks did wrong during the call that just left its section; what they threw is thrown apart (C-97). */
export function afterCallbacks(ce: Caller, call: CallName): void {
  for (const error of ce.machine.callbackErrors.splice(0)) {
    if (error instanceof WrongPages) ce.raise('badPages', call, error.answer)
    else {
      throwApart(error)
      ce.raise('pagesThrew', call)
    }
  }
}
