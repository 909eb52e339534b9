import { misuse } from '../errors.ts'
import { endByError } from '../machine/adrift.ts'
import { COLD } from '../machine/machine.ts'
import { CREATOR, THREAD, threadAt } from '../machine/threads.ts'
import { bordered, within } from './border.ts'
import { CALLS } from './calls.ts'
import { abandonSections } from './critical.ts'
import { part } from './death.ts'
import type { AnyCall } from './findings.ts'
import { enterCriticalSectionLater, signalOf, whenHeapFree } from './later.ts'
import type { WaitOptions } from './later.ts'
import { tell } from './listener.ts'
import type { CallRecord, CallWriter } from './record.ts'
import { SectionCalls } from './sectioncalls.ts'

/**
 * One thread of an emulated process, and the coredll functions as it calls them: Win32 names, Win32 parameter order, numbers in and
 * out. HANDLE, pointers and DWORD are whole numbers from 0 to 2^32 - 1 (anything else throws a TypeError or RangeError), BOOL is 0 or 1.
 * What the emulated OS answers is the return value and `GetLastError()`, never an exception; calls on a closed process throw a TypeError.
 */
export class CeThread extends SectionCalls {
  #depth = 0
  #writer: CallWriter | undefined
  readonly #after: (() => void)[] = []
  readonly #parting: (() => void)[] = []
  #detached = false
  /** Promises of this thread's that wait for a section. */
  #waits = 0

  /**
   * Hands every API call of this thread to `writer` once it has returned; calls that a page callback makes inside another call are
   * left out. Returns a function that ends the recording. Calls cost nothing extra while none is on.
   */
  record(writer: CallWriter): () => void {
    if (typeof writer?.write !== 'function') throw misuse('record: writer', 'an object with a write(call) method', writer)
    if (this.#writer !== undefined)
      throw new TypeError('record: expected a thread that is not being recorded, got one that is; end the other recording first')
    this.#writer = writer
    this.#watch()
    let on = true
    return () => {
      // A second call must not end a later recording.
      if (!on) return
      on = false
      this.#writer = undefined
      this.#watch()
    }
  }

  /** @internal Runs `act` after each outermost call of this thread, which has left its sections by then. Returns a function that ends it. */
  afterCalls(act: () => void): () => void {
    this.#after.push(act)
    this.#watch()
    return () => {
      const at = this.#after.indexOf(act)
      if (at >= 0) this.#after.splice(at, 1)
      this.#watch()
    }
  }

  /** @internal Runs `act` when this thread detaches, before it lets go of anything. */
  whenDetached(act: () => void): void {
    this.#parting.push(act)
  }

  get #isWatched(): boolean {
    return this.#writer !== undefined || this.#after.length > 0
  }

  /** Puts a watched form of each call in front of the prototype's while somebody watches. */
  #watch(): void {
    if (this.#isWatched === Object.hasOwn(this, CALLS[0])) return
    for (const call of CALLS) {
      const method = CeThread.prototype[call] as (...args: unknown[]) => unknown
      const watched = (...args: unknown[]): unknown => this.outer(call, args, () => method.apply(this, args))
      if (this.#isWatched) Object.defineProperty(this, call, { value: watched, configurable: true })
      else delete (this as Record<string, unknown>)[call]
    }
  }

  /**
   * @internal Makes a call of a layer above: while this thread is watched it is one call, whatever it calls in turn. What it returns is recorded
   * if it is a number, its `hr` if it is an object.
   */
  outer<T>(call: AnyCall, args: readonly unknown[], run: () => T): T {
    return within(this.machine, () => (this.#isWatched ? this.#watched(call, args, run) : run()))
  }

  #watched<T>(call: AnyCall, args: readonly unknown[], run: () => T): T {
    this.#depth++
    let answer: T
    try {
      answer = run()
    } finally {
      this.#depth--
    }
    if (this.#depth > 0) return answer
    const writer = this.#writer
    if (writer !== undefined) tell((record: CallRecord) => writer.write(record), this.#recordOf(call, args, answer))
    for (const act of [...this.#after]) act()
    return answer
  }

  #recordOf(call: AnyCall, args: readonly unknown[], answer: unknown): CallRecord {
    const lastError = (this.machine.sys[threadAt(this.machine, this.tid) + THREAD.LAST_ERROR] as number) >>> 0
    const value: unknown = typeof answer === 'object' && answer !== null && 'hr' in answer ? answer.hr : answer
    const result = typeof value === 'number' ? value >>> 0 : undefined
    const told: CallRecord = { call, thread: this.tid, args: args.map((arg) => (typeof arg === 'number' ? arg : 0)), result, lastError }
    const order = this.machine.seat?.order ?? 0
    return order === 0 ? told : { ...told, order }
  }

  /**
   * EnterCriticalSection for a place that must not block, such as a browser's main thread: resolves once the thread owns the section. The owner is
   * the thread (CS-2): what else this thread does meanwhile, another task that waits included, is inside as well. Rejects with `signal`'s reason
   * when it is aborted, else where EnterCriticalSection would throw, LockTimeoutError included (C-85).
   *
   *     await ce.EnterCriticalSectionAsync(section, { signal: AbortSignal.timeout(1000) })
   */
  async EnterCriticalSectionAsync(lpCriticalSection: number, options: WaitOptions = {}): Promise<void> {
    const signal = signalOf('EnterCriticalSectionAsync', options)
    await this.#waiting(() => enterCriticalSectionLater(this, lpCriticalSection, signal))
    this.outer('EnterCriticalSection', [lpCriticalSection], () => undefined)
  }

  /**
   * Resolves once no other thread is inside the heap, so that the next call on it most likely does not wait; another thread may be faster.
   * Resolves too if the heap ends meanwhile. Rejects as EnterCriticalSectionAsync.
   */
  async whenFree(hHeap: number, options: WaitOptions = {}): Promise<void> {
    const signal = signalOf('whenFree', options)
    await this.#waiting(() => whenHeapFree(this, hHeap, signal))
  }

  async #waiting(wait: () => Promise<void>): Promise<void> {
    this.#waits++
    try {
      await wait()
    } catch (error) {
      this.machine.adrift = true
      this.machine.hot = COLD
      endByError(this.machine)
      throw error
    } finally {
      this.#waits--
    }
  }

  /** Gives this thread's place back; the object must not be used afterwards. The creating thread stays until `process.close()`. */
  detach(): void {
    if (this.tid === CREATOR) throw new TypeError('detach: expected an attached thread, got the creating thread; close the process instead')
    if (this.machine.leases.length > 0) throw new TypeError('detach: expected a thread outside every call, got one inside a page callback')
    if (this.machine.spied.length > 0) throw new TypeError('detach: expected a thread outside every call, got one inside a method of a spy')
    if (this.#waits > 0) throw new TypeError('detach: expected a thread that waits for nothing, got one with a promise that is not settled')
    // By the second call the place may be another thread's.
    if (!this.#detached) {
      // An error that nobody could catch may have left it in a section of the process's.
      this.machine.adrift = true
      this.machine.abandon?.()
      for (const act of this.#parting) act()
      abandonSections(this)
      part(this.machine, this.tid, this.tid)
      this.machine.seat?.leaves()
      this.machine.abandon = undefined
    }
    this.#detached = true
  }
}

bordered(
  CeThread.prototype,
  CALLS.filter((call) => call !== 'HeapAlloc' && call !== 'HeapFree'),
  ({ machine }) => machine
)
