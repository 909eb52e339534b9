import { eMemoryAvailableHigh, eMemoryAvailableLow, eMemoryAvailableNeutral } from '../constants.ts'
import { tell } from '../coredll/listener.ts'
import { memoryLoad } from '../coredll/status.ts'
import type { CeThread } from '../coredll/thread.ts'
import { misuse } from '../errors.ts'
import { HDR } from '../machine/layout.ts'
import type { Terms } from './policy.ts'

/** The CLR's side of memory notifications (HO-21). AddRef and Release are called where they are there. */
export interface ICLRMemoryNotificationCallback {
  AddRef?(): number
  Release?(): number
  /** Gets eMemoryAvailableLow, Neutral or High; its HRESULT is not looked at. */
  OnMemoryNotification(eMemoryAvailable: number): unknown
}

/**
 * Memory notifications: told in the host's thread, outside of every section and of every host method, after one of this thread's calls, and once for each
 * change (C-90). Nobody waits for one: what another thread changes is seen at this thread's next call.
 */
export class Notifications {
  readonly #ce: CeThread
  readonly #terms: Terms
  #callback: ICLRMemoryNotificationCallback | undefined
  #told: number = eMemoryAvailableNeutral
  #busy = 0
  #stop: (() => void) | undefined

  constructor(ce: CeThread, terms: Terms) {
    this.#ce = ce
    this.#terms = terms
  }

  /** Takes the place of the one before. Throws a TypeError for an object that cannot be told anything. */
  register(callback: unknown): void {
    const { OnMemoryNotification } = callback as Partial<ICLRMemoryNotificationCallback>
    if (typeof OnMemoryNotification !== 'function')
      throw misuse(
        'IHostMemoryManager::RegisterMemoryNotificationCallback: pCallback.OnMemoryNotification',
        'a function',
        OnMemoryNotification
      )
    const next = callback as ICLRMemoryNotificationCallback
    const before = this.#callback
    tell(() => next.AddRef?.())
    this.#callback = next
    this.#told = eMemoryAvailableNeutral
    this.#stop ??= this.#ce.afterCalls(() => this.tell())
    tell(() => before?.Release?.())
  }

  end(): void {
    const before = this.#callback
    this.#callback = undefined
    this.#stop?.()
    this.#stop = undefined
    tell(() => before?.Release?.())
  }

  /** Runs a host method, in whose midst nothing is told. */
  quietly<T>(run: () => T): T {
    this.#busy++
    let answer: T
    try {
      answer = run()
    } finally {
      this.#busy--
    }
    this.tell()
    return answer
  }

  /** Tells the callback how much memory there is, if that is not what it was told last. */
  tell(): void {
    const { machine } = this.#ce
    if (this.#callback === undefined || this.#busy > 0 || machine.closed || machine.leases.length > 0) return
    const now = this.#available()
    if (now === this.#told) return
    this.#told = now
    this.#busy++
    const callback = this.#callback
    if (!tell(() => callback.OnMemoryNotification(now)))
      this.#ce.raise('notifyThrew', 'IHostMemoryManager::RegisterMemoryNotificationCallback', now)
    this.#busy--
  }

  #available(): number {
    const load = memoryLoad(this.#ce)
    if (load >= this.#terms.low || this.#ce.machine.sys[HDR.IS_LOW] !== 0) return eMemoryAvailableLow
    return load <= this.#terms.high ? eMemoryAvailableHigh : eMemoryAvailableNeutral
  }
}
