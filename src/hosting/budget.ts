import { E_OUTOFMEMORY, eProcessCritical, HOST_E_TIMEOUT, S_OK } from '../constants.ts'
import { tell } from '../coredll/listener.ts'
import { HDR } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { park, wakeAll } from '../machine/wait.ts'
import type { Terms } from './policy.ts'

/** How long a waiting request sleeps before it tries again: the device's memory comes free without a word to hosts. */
const NAP = 20

/** What an attempt to meet a request gives: the memory, and the HRESULT. E_OUTOFMEMORY alone is worth waiting for. */
export interface Attempt {
  readonly hr: number
  readonly pointer: number
}

/**
 * What the hosts of a process have handed out, against what each level may have (HO-6).
 *
 *   header.HOST_BYTES = bytes of live blocks of all IHostMallocs + bytes committed through IHostMemoryManager::VirtualAlloc
 *   a request of a level is granted if HOST_BYTES with it <= the level's budget
 */
export class Budget {
  readonly #machine: Machine
  readonly #terms: Terms
  readonly #settle: () => number

  /** `settle` tells by how many bytes more is committed than was charged: what the program did past the host counts from the next request on. */
  constructor(machine: Machine, terms: Terms, settle: () => number) {
    this.#machine = machine
    this.#terms = terms
    this.#settle = settle
  }

  /** Bytes handed out by all hosts of the process. */
  get used(): number {
    return Atomics.load(this.#machine.sys, HDR.HOST_BYTES) >>> 0
  }

  /** Whether the CLR can be used: no request at process level has failed (HO-5). */
  get available(): boolean {
    return Atomics.load(this.#machine.sys, HDR.HOST_DOWN) === 0
  }

  /** Counts bytes that were handed out (or, below 0, fewer than expected). */
  charge(bytes: number): void {
    Atomics.add(this.#machine.sys, HDR.HOST_BYTES, bytes)
  }

  /** Charges or gives back what the host's reservations have come to. */
  settle(): void {
    const more = this.#settle()
    if (more < 0) this.refund(-more)
    else if (more > 0) this.charge(more)
  }

  /** Counts bytes that came back, and wakes requests that wait. */
  refund(bytes: number): void {
    const { sys } = this.#machine
    Atomics.sub(sys, HDR.HOST_BYTES, bytes)
    Atomics.add(sys, HDR.HOST_GIVEN, 1)
    wakeAll(sys, HDR.HOST_GIVEN)
  }

  /**
   * Meets a request of `bytes`: at once, or by the level's wait later, or not (HO-6). `attempt` is made while the bytes are charged; on
   * success they stay charged. A request at process level that fails disables the CLR (HO-5).
   */
  request(level: number, bytes: number, attempt: () => Attempt): Attempt {
    const { sys } = this.#machine
    const patience = this.#terms.wait[level] as number
    let waited = 0
    for (;;) {
      this.settle()
      const given = Atomics.load(sys, HDR.HOST_GIVEN)
      const got = this.#try(level, bytes, attempt)
      if (got.hr !== E_OUTOFMEMORY) return got
      if (waited >= patience) break
      const nap = Math.min(NAP, patience - waited)
      // A wake-up counts too, so that a wait ends however often others get what comes free.
      waited += park(sys, HDR.HOST_GIVEN, given, nap) ? 1 : nap
    }
    const hr = patience === 0 ? E_OUTOFMEMORY : HOST_E_TIMEOUT
    if (level === eProcessCritical) Atomics.store(sys, HDR.HOST_DOWN, 1)
    tell(this.#terms.onFailure, { level, bytes, hr })
    return { hr, pointer: 0 }
  }

  #try(level: number, bytes: number, attempt: () => Attempt): Attempt {
    const { sys } = this.#machine
    for (let before = Atomics.load(sys, HDR.HOST_BYTES); ; before = Atomics.load(sys, HDR.HOST_BYTES)) {
      // What costs nothing is granted whatever others have had.
      if (bytes > 0 && (before >>> 0) + bytes > (this.#terms.budget[level] as number)) return { hr: E_OUTOFMEMORY, pointer: 0 }
      if (Atomics.compareExchange(sys, HDR.HOST_BYTES, before, before + bytes) === before) break
    }
    let got: Attempt = { hr: E_OUTOFMEMORY, pointer: 0 }
    try {
      got = attempt()
    } finally {
      if (got.hr !== S_OK) Atomics.sub(sys, HDR.HOST_BYTES, bytes)
    }
    return got
  }
}
