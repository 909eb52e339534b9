import type { Caller } from '../coredll/caller.ts'
import { SPY_METHODS } from '../coredll/uppercalls.ts'
import type { ComCall, ComKind, SpyMethod } from '../coredll/uppercalls.ts'
import { isDword, misuse } from '../errors.ts'
import { markOf, setMark } from '../heap/marks.ts'
import { GRANULE_SHIFT } from '../machine/layout.ts'
import { allocate, didAllocate, free, minimize, reallocate, sizeOf } from './allocator.ts'
import type { IMallocSpy, NewRequest } from './spy.ts'
import { marking, spiedAt, unmark } from './unseen.ts'

/** The call in progress, as these functions need it: its thread and name, the spy, and the guard around the spy's methods. */
export interface Spied {
  readonly ce: Caller
  readonly call: ComCall
  readonly spy: IMallocSpy
  /** Runs a method of the spy, during which the thread's own calls are not shown to it (C-56). */
  inside<T>(run: () => T): T
}

/** Pre, the allocator, Post (SP-4). Precondition of all: inside the spy section, in the thread that the spy lives in. */

function raise({ ce, call }: Spied, kind: ComKind, a = 0, b = 0): void {
  ce.raise(kind, call, a, b)
}

/** Asks a method of the spy; an error that it throws is told and goes on to the caller (C-60). */
function ask<M extends SpyMethod>(spied: Spied, method: M, args: Parameters<IMallocSpy[M]>): ReturnType<IMallocSpy[M]> {
  try {
    return spied.inside(() => (spied.spy[method] as (...args: unknown[]) => ReturnType<IMallocSpy[M]>)(...args))
  } catch (error) {
    raise(spied, 'spyThrew', SPY_METHODS.indexOf(method))
    throw error
  }
}

type Numeric = { [M in SpyMethod]: ReturnType<IMallocSpy[M]> extends number ? M : never }[SpyMethod]

/** Asks a method whose answer is a pointer or a count. */
function number<M extends Numeric>(spied: Spied, method: M, args: Parameters<IMallocSpy[M]>): number {
  const answer: unknown = ask(spied, method, args)
  if (!isDword(answer)) throw misuse(`${spied.call}: result of the spy's ${method}`, 'a whole number from 0 to 4294967295', answer)
  return answer
}

/** Says so if the spy names another start than that of the block: its own where it is spied, else what the caller gave (SP-15, SP-16). */
function checkStart(spied: Spied, answer: number, start: number): void {
  if (answer !== start) raise(spied, 'spyActual', answer, start)
}

/** Notes where the spy hands the block out (SP-14), unless it has freed it already; what is no address in the block is told and goes to the caller all the same. */
function place(spied: Spied, actual: number, handedOut: number): void {
  const { ce } = spied
  if (handedOut === actual) return
  const block = actual >>> GRANULE_SHIFT
  const offset = handedOut - actual
  const live = actual !== 0 && marking(ce, (machine) => markOf(machine, block)) !== 0
  if (live && offset > 0 && offset < sizeOf(ce, actual)) marking(ce, (machine) => setMark(machine, block, offset + 1))
  else raise(spied, 'spyOffset', handedOut, actual)
}

/** The block is spied from here on (SP-19), handed out at its start until the spy says otherwise. */
function mark({ ce }: Spied, actual: number): void {
  marking(ce, (machine) => setMark(machine, actual >>> GRANULE_SHIFT, 1))
}

export function spiedAlloc(spied: Spied, cb: number): number {
  const { ce } = spied
  const wanted = number(spied, 'PreAlloc', [cb])
  if (wanted === 0 && cb !== 0) return 0
  if (wanted < cb) raise(spied, 'spyCount', cb, wanted)
  // What lies behind the header must lie in the block, be it of 0 bytes (C-59).
  const actual = allocate(ce, cb === 0 && wanted !== 0 ? Math.min(wanted + 1, 0xffffffff) : wanted)
  if (actual !== 0) mark(spied, actual)
  let pointer: number
  try {
    pointer = number(spied, 'PostAlloc', [actual])
  } catch (error) {
    // Nobody has its address. The spy may have freed it, and then it is no longer marked.
    if (actual !== 0 && marking(ce, (machine) => markOf(machine, actual >>> GRANULE_SHIFT)) !== 0 && free(ce, actual)) unmark(ce, actual)
    throw error
  }
  place(spied, actual, pointer)
  return pointer
}

export function spiedFree(spied: Spied, pv: number): void {
  const { ce } = spied
  const start = spiedAt(ce, pv)
  const fSpyed = start === 0 ? 0 : 1
  const actual = number(spied, 'PreFree', [pv, fSpyed])
  checkStart(spied, actual, start || pv)
  if (free(ce, actual)) unmark(ce, actual)
  ask(spied, 'PostFree', [fSpyed])
}

export function spiedRealloc(spied: Spied, pv: number, cb: number): number {
  const { ce } = spied
  const start = spiedAt(ce, pv)
  const fSpyed = start === 0 ? 0 : 1
  const { cb: wanted, ppNewRequest: from } = newRequest(spied, ask(spied, 'PreRealloc', [pv, cb, fSpyed]))
  if (wanted === 0) return 0
  if (wanted < cb) raise(spied, 'spyCount', cb, wanted)
  if (from === undefined) {
    raise(spied, 'spyNewRequest')
    return 0
  }
  checkStart(spied, from, start || pv)
  const actual = from === 0 ? 0 : reallocate(ce, from, wanted)
  if (actual !== 0) {
    if (actual !== from) unmark(ce, from)
    mark(spied, actual)
  }
  const pointer = number(spied, 'PostRealloc', [actual, fSpyed])
  place(spied, actual, pointer)
  return pointer
}

function newRequest(spied: Spied, answer: unknown): { cb: number; ppNewRequest: number | undefined } {
  const what = `${spied.call}: result of the spy's PreRealloc`
  if (typeof answer !== 'object' || answer === null) throw misuse(what, '{ cb, ppNewRequest }', answer)
  const { cb, ppNewRequest } = answer as Partial<NewRequest>
  if (!isDword(cb)) throw misuse(`${what}, cb`, 'a whole number from 0 to 4294967295', cb)
  if (ppNewRequest !== undefined && !isDword(ppNewRequest)) {
    throw misuse(`${what}, ppNewRequest`, 'a whole number from 0 to 4294967295', ppNewRequest)
  }
  return { cb, ppNewRequest }
}

export function spiedSize(spied: Spied, pv: number): number {
  const { ce } = spied
  const start = spiedAt(ce, pv)
  const fSpyed = start === 0 ? 0 : 1
  const actual = number(spied, 'PreGetSize', [pv, fSpyed])
  checkStart(spied, actual, start || pv)
  return number(spied, 'PostGetSize', [sizeOf(ce, actual), fSpyed])
}

export function spiedDidAlloc(spied: Spied, pv: number): number {
  const { ce } = spied
  const start = spiedAt(ce, pv)
  const fSpyed = start === 0 ? 0 : 1
  const actual = number(spied, 'PreDidAlloc', [pv, fSpyed])
  checkStart(spied, actual, start || pv)
  const answer: unknown = ask(spied, 'PostDidAlloc', [pv, fSpyed, didAllocate(ce, actual)])
  if (answer !== 1 && answer !== 0 && answer !== -1) {
    throw misuse(`${spied.call}: result of the spy's PostDidAlloc`, 'a whole number from -1 to 1', answer)
  }
  return answer
}

export function spiedMinimize(spied: Spied): void {
  ask(spied, 'PreHeapMinimize', [])
  minimize(spied.ce)
  ask(spied, 'PostHeapMinimize', [])
}
