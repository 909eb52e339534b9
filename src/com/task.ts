import { CO_E_OBJISREG, CO_E_OBJNOTREG, E_ACCESSDENIED, E_INVALIDARG, S_OK } from '../constants.ts'
import type { Caller } from '../coredll/caller.ts'
import { needOpen } from '../coredll/caller.ts'
import type { AnyKind } from '../coredll/findings.ts'
import { abandon, begin, end, endIfDue, registered, stateOf } from '../coredll/spyregistration.ts'
import type { SpyState } from '../coredll/spyregistration.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { ComCall } from '../coredll/uppercalls.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { mendMarks } from '../heap/marks.ts'
import { isSound } from '../machine/adrift.ts'
import { HDR } from '../machine/layout.ts'
import { enter, leave } from '../machine/section.ts'
import { allocate, CANNOT_TELL, didAllocate, free, minimize, NO_SIZE, reallocate, sizeOf } from './allocator.ts'
import { spiedAlloc, spiedDidAlloc, spiedFree, spiedMinimize, spiedRealloc, spiedSize } from './spied.ts'
import type { Spied } from './spied.ts'
import { referenceTo } from './spy.ts'
import type { Reference } from './spy.ts'
import { allocateUnseen, didAllocateUnseen, freeUnseen, reallocateUnseen, sizeUnseen } from './unseen.ts'

/** The three ways to serve a call: no spy is registered, the spy is shown it, or there is a spy that is not shown it. */
interface Ways<T> {
  plain(ce: Caller): T
  seen(spied: Spied): T
  unseen(ce: Caller): T
}

/** The task allocator as one thread calls it, with the spy that lives in this thread, if one does. */
export class TaskAllocator {
  readonly #ce: CeThread
  /** The spy that was registered here last, until it is released. */
  #own: (Reference & { readonly number: number }) | undefined
  /** How deep this thread is in the spy section, and in methods of the spy. */
  #held = 0
  #inside = 0
  /** Findings of the call in progress: a listener may do anything, so it is told outside of the section. */
  readonly #findings: (readonly [kind: AnyKind, call: ComCall, a: number, b: number])[] = []
  /** The spy whose absence from this thread, and whose own calls, have been told. */
  #toldElsewhere = 0
  #toldReentered = 0

  constructor(ce: CeThread) {
    this.#ce = ce
    ce.whenDetached(() => this.#leave())
  }

  alloc(call: ComCall, cb: number): number {
    if (!isDword(cb)) throw notDword(call, 'cb', cb)
    return this.#serve(call, {
      plain: (ce) => allocate(ce, cb),
      seen: (spied) => spiedAlloc(spied, cb),
      unseen: (ce) => allocateUnseen(ce, cb)
    })
  }

  realloc(call: ComCall, pv: number, cb: number): number {
    if (!isDword(pv)) throw notDword(call, 'pv', pv)
    if (!isDword(cb)) throw notDword(call, 'cb', cb)
    if (pv === 0) return this.alloc(call, cb)
    if (cb === 0) {
      this.free(call, pv)
      return 0
    }
    return this.#serve(call, {
      plain: (ce) => reallocate(ce, pv, cb),
      seen: (spied) => spiedRealloc(spied, pv, cb),
      unseen: (ce) => reallocateUnseen(ce, pv, cb)
    })
  }

  free(call: ComCall, pv: number): void {
    if (!isDword(pv)) throw notDword(call, 'pv', pv)
    if (pv === 0) {
      this.#nothing(call)
      return
    }
    this.#serve<unknown>(call, {
      plain: (ce) => free(ce, pv),
      seen: (spied) => spiedFree(spied, pv),
      unseen: (ce) => freeUnseen(ce, pv)
    })
  }

  getSize(call: ComCall, pv: number): number {
    if (!isDword(pv)) throw notDword(call, 'pv', pv)
    if (pv === 0) {
      this.#nothing(call)
      return NO_SIZE
    }
    return this.#serve(call, {
      plain: (ce) => sizeOf(ce, pv),
      seen: (spied) => spiedSize(spied, pv),
      unseen: (ce) => sizeUnseen(ce, pv)
    })
  }

  didAlloc(call: ComCall, pv: number): number {
    if (!isDword(pv)) throw notDword(call, 'pv', pv)
    if (pv === 0) {
      this.#nothing(call)
      return CANNOT_TELL
    }
    return this.#serve(call, {
      plain: (ce) => didAllocate(ce, pv),
      seen: (spied) => spiedDidAlloc(spied, pv),
      unseen: (ce) => didAllocateUnseen(ce, pv)
    })
  }

  heapMinimize(call: ComCall): void {
    this.#serve(call, { plain: minimize, seen: spiedMinimize, unseen: minimize })
  }

  register(spy: unknown): number {
    const call = 'CoRegisterMallocSpy'
    const { machine } = this.#ce
    const isNull = spy === null || spy === 0
    if (!isNull && (typeof spy !== 'object' || spy === undefined)) throw misuse(`${call}: lpMallocSpy`, 'a spy, or null or 0 for NULL', spy)
    needOpen(this.#ce, call)
    if (isNull) return E_INVALIDARG
    // One that ended meanwhile goes first: there is room for one. Asked inside of the section, so that the order of its grants explains the answer.
    const there = this.#exclusive(() => {
      this.#endIfDue()
      return registered(machine) !== 0
    })
    this.#dropEnded()
    if (there) return CO_E_OBJISREG
    // Outside of the section: its QueryInterface may do anything, even register a spy.
    const reference = referenceTo(spy as object)
    if (reference === undefined) return E_INVALIDARG
    const number = this.#exclusive(() => (registered(machine) === 0 ? begin(machine, this.#ce.tid) : 0))
    if (number === 0) {
      reference.release()
      return CO_E_OBJISREG
    }
    this.#own = { spy: reference.spy, release: () => reference.release(), number }
    return S_OK
  }

  revoke(): number {
    const call = 'CoRevokeMallocSpy'
    const { machine } = this.#ce
    const { sys } = machine
    needOpen(this.#ce, call)
    const hr = this.#exclusive(() => {
      if (registered(machine) === 0) return CO_E_OBJNOTREG
      if (sys[HDR.SPY_PENDING] !== 0) this.#note('secondRevoke', call)
      if (sys[HDR.SPY_BLOCKS] === 0 && this.#inside === 0) {
        end(machine)
        return S_OK
      }
      sys[HDR.SPY_PENDING] = 1
      return E_ACCESSDENIED
    })
    this.#tell()
    this.#dropEnded()
    return hr
  }

  state(): SpyState | undefined {
    const { machine } = this.#ce
    return this.#exclusive(() => stateOf(machine))
  }

  /** A finding of a call that is no matter of the spy. */
  raise(kind: AnyKind, call: ComCall): void {
    this.#note(kind, call)
    this.#tell()
  }

  #serve<T>(call: ComCall, ways: Ways<T>): T {
    const { machine, tid } = this.#ce
    needOpen(this.#ce, call)
    const ce: Caller = { machine, tid, raise: (kind, _, a, b) => this.#note(kind, call, a, b) }
    try {
      if (registered(machine) === 0) return ways.plain(ce)
      return this.#exclusive(() => {
        const number = registered(machine)
        if (number === 0) return ways.plain(ce)
        const own = this.#own?.number === number ? this.#own : undefined
        if (own === undefined || this.#inside > 0) {
          this.#countUnseen(call, number, own === undefined)
          return ways.unseen(ce)
        }
        return ways.seen({ ce, call, spy: own.spy, inside: (run) => this.#runInside(run) })
      })
    } finally {
      this.#tell()
      this.#dropEnded()
    }
  }

  /** A call for NULL: no spy is shown it, but it is a call, and one that is over goes (C-58). */
  #nothing(call: ComCall): void {
    needOpen(this.#ce, call)
    this.#dropEnded()
  }

  #countUnseen(call: ComCall, number: number, elsewhere: boolean): void {
    const { sys } = this.#ce.machine
    sys[HDR.SPY_UNSEEN] = (sys[HDR.SPY_UNSEEN] as number) + 1
    if (elsewhere && this.#toldElsewhere !== number) {
      this.#toldElsewhere = number
      this.#note('spyElsewhere', call, sys[HDR.SPY_THREAD])
    } else if (!elsewhere && this.#toldReentered !== number) {
      this.#toldReentered = number
      this.#note('spyReentered', call)
    }
  }

  #runInside<T>(run: () => T): T {
    const { machine } = this.#ce
    this.#inside++
    machine.spied.push(machine.sys[HDR.SPY_LOCK_COUNT] as number)
    try {
      return run()
    } finally {
      try {
        // A call that the method made was ended by an error: what it was in is told from what this call is in only until here.
        if (machine.adrift) machine.abandon?.()
      } finally {
        machine.spied.pop()
        this.#inside--
      }
    }
  }

  /** Runs `run` in the spy section. A pending revoke is done as soon as the last spied block has gone (SP-6) and no method of the spy is running (C-58). */
  #exclusive<T>(run: () => T): T {
    const { machine, tid } = this.#ce
    enter(machine, HDR.SPY_LOCK, tid)
    this.#held++
    try {
      mendMarks(machine)
      return run()
    } finally {
      // First, since it needs no stack: whatever else an error hinders is made good at the border of the call.
      this.#held--
      this.#endIfDue()
      leave(machine, HDR.SPY_LOCK)
    }
  }

  /** Not while a method of the spy is running (C-58). Precondition: inside the spy section. */
  #endIfDue(): void {
    if (this.#inside === 0) endIfDue(this.#ce.machine)
  }

  /** The thread detaches: its spy is revoked, and released at once, since it has no next call. */
  #leave(): void {
    const own = this.#own
    if (own === undefined) return
    // One that was terminated let go of its spy when it ended, and enters nothing any more.
    const { machine, tid } = this.#ce
    try {
      if (!machine.ended) this.#exclusive(() => abandon(machine, tid))
    } catch (error) {
      // The section is not to be had (a schedule that has failed or was closed, an owner that never leaves): the revoke is pending, as after a death.
      if (!isSound(error) && !machine.closed) throw error
      abandon(machine, tid)
    }
    this.#own = undefined
    own.release()
  }

  /** Releases the spy that lived here and is registered no more (SP-7): at once, or where another thread ended it at this thread's next call (C-58). */
  #dropEnded(): void {
    const own = this.#own
    if (own === undefined || this.#held > 0 || own.number === registered(this.#ce.machine)) return
    this.#own = undefined
    own.release()
  }

  #note(kind: AnyKind, call: ComCall, a = 0, b = 0): void {
    this.#findings.push([kind, call, a, b])
  }

  #tell(): void {
    if (this.#held > 0) return
    for (const [kind, call, a, b] of this.#findings.splice(0)) this.#ce.raise(kind, call, a, b)
  }
}
