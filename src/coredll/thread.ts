import { misuse } from '../errors.ts'
import { partThread, THREAD, threadAt } from '../machine/threads.ts'
import { CALLS } from './calls.ts'
import type { CallName } from './calls.ts'
import type { CallRecord, CallWriter } from './record.ts'
import { VirtualCalls } from './virtualcalls.ts'

/**
 * One thread of an emulated process, and the coredll functions as it calls them: Win32 names, Win32 parameter order, numbers in and
 * out. HANDLE, pointers and DWORD are whole numbers from 0 to 2^32 - 1 (anything else throws a TypeError or RangeError), BOOL is 0 or 1.
 * What the emulated OS answers is the return value and `GetLastError()`, never an exception; calls on a closed process throw a TypeError.
 */
export class CeThread extends VirtualCalls {
  #depth = 0
  #detached = false

  /**
   * Hands every API call of this thread to `writer` once it has returned; calls that a page callback makes inside another call are
   * left out. Returns a function that ends the recording. Calls cost nothing extra while none is on.
   */
  record(writer: CallWriter): () => void {
    if (typeof writer?.write !== 'function') throw misuse('record: writer', 'an object with a write(call) method', writer)
    if (Object.hasOwn(this, CALLS[0]))
      throw new TypeError('record: expected a thread that is not being recorded, got one that is; end the other recording first')
    for (const call of CALLS) {
      Object.defineProperty(this, call, { value: (...args: unknown[]) => this.#recorded(writer, call, args), configurable: true })
    }
    let on = true
    return () => {
      // A second call must not end a later recording.
      if (on) for (const call of CALLS) delete (this as Record<string, unknown>)[call]
      on = false
    }
  }

  #recorded(writer: CallWriter, call: CallName, args: unknown[]): unknown {
    const method = CeThread.prototype[call] as (...args: unknown[]) => number | undefined
    this.#depth++
    let result: number | undefined
    try {
      result = method.apply(this, args)
    } finally {
      this.#depth--
    }
    if (this.#depth === 0) {
      const lastError = (this.machine.sys[threadAt(this.machine, this.tid) + THREAD.LAST_ERROR] as number) >>> 0
      const record: CallRecord = { call, thread: this.tid, args: args.map((arg) => (typeof arg === 'number' ? arg : 0)), result, lastError }
      writer.write(record)
    }
    return result
  }

  /** Gives this thread's place back; the object must not be used afterwards. The creating thread stays until `process.close()`. */
  detach(): void {
    if (this.tid === 1) throw new TypeError('detach: expected an attached thread, got the creating thread; close the process instead')
    if (this.machine.leases.length > 0) throw new TypeError('detach: expected a thread outside every call, got one inside a page callback')
    // By the second call the place may be another thread's.
    if (!this.#detached) partThread(this.machine, this.tid)
    this.#detached = true
  }
}
