import { isDword, misuse, notDword } from '../errors.ts'
import { siteNumber } from '../machine/failures.ts'
import { HDR } from '../machine/layout.ts'
import { UserMemory } from '../machine/memory.ts'
import type { Machine } from '../machine/machine.ts'
import { CREATOR, THREAD, threadAt } from '../machine/threads.ts'
import { needOpen, setLastError } from './caller.ts'
import type { Caller } from './caller.ts'
import { abandonCall, mend } from './death.ts'
import { tell } from './listener.ts'
import { fall } from './terminate.ts'
import { makeFinding, postFinding } from './findings.ts'
import type { AnyCall, AnyKind, Finding } from './findings.ts'

/**
 * What every family of functions stands on: the thread's place in the process, its last error, its findings. The families are classes
 * that extend one another only so that each has a file of its own; CeThread (thread.ts) is the last of them.
 */
export class ThreadCore implements Caller {
  /** @internal */
  readonly machine: Machine
  /** This thread's id: 1 for the creating thread. */
  readonly tid: number
  /** User memory, raw and with checked accessors. */
  readonly memory: UserMemory
  readonly #listeners: ((finding: Finding) => void)[] = []

  /** @internal Use `createProcess` and `attachThread`. */
  constructor(machine: Machine, tid: number) {
    this.machine = machine
    this.tid = tid
    this.memory = new UserMemory(machine, tid)
    machine.abandon = (insist) => abandonCall(machine, tid, insist)
    machine.fall = () => fall(machine, tid)
    machine.repair = (at, who, dead) => mend(machine, at, who, dead)
  }

  /** The thread's last error; 0 on a new thread. */
  GetLastError(): number {
    needOpen(this, 'GetLastError')
    return (this.machine.sys[threadAt(this.machine, this.tid) + THREAD.LAST_ERROR] as number) >>> 0
  }

  SetLastError(dwErrCode: number): void {
    if (!isDword(dwErrCode)) throw notDword('SetLastError', 'dwErrCode', dwErrCode)
    needOpen(this, 'SetLastError')
    setLastError(this, dwErrCode)
  }

  /** Calls `listener` with each finding of this thread's own calls, after the call has left its section. Returns a function that ends it. */
  onFinding(listener: (finding: Finding) => void): () => void {
    if (typeof listener !== 'function') throw misuse('onFinding: listener', 'a function', listener)
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  /**
   * Labels what this thread asks for from now on, for `process.injectFailures({ site })`; '' for nothing. Returns a function that puts the
   * former label back.
   *
   *     const done = ce.site('loading')
   *     load(ce)
   *     done()
   */
  site(label: string): () => void {
    if (typeof label !== 'string') throw misuse('site: label', 'a string', label)
    needOpen(this, 'site')
    const { sys } = this.machine
    const at = threadAt(this.machine, this.tid) + THREAD.SITE
    const former = sys[at] as number
    sys[at] = siteNumber(label)
    return () => {
      sys[at] = former
    }
  }

  /** @internal */
  raise(kind: AnyKind, call: AnyCall, a = 0, b = 0): void {
    for (const listener of [...this.#listeners]) tell(listener, makeFinding(kind, call, this.tid, a, b))
    // The creating thread's own listeners are the process's; only other threads' findings have to travel.
    if (this.tid !== CREATOR && this.machine.sys[HDR.LISTENING] !== 0) postFinding(this.machine, kind, call, this.tid, a, b)
  }
}
