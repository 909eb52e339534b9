import type { Caller } from '../coredll/caller.ts'
import { throwApart } from '../coredll/listener.ts'
import { SPY_METHODS } from '../coredll/uppercalls.ts'
import type { ComCall, ComKind, SpyMethod } from '../coredll/uppercalls.ts'
import { isDword, misuse } from '../errors.ts'
import { markOf, setMark } from '../heap/marks.ts'
import { GRANULE_SHIFT } from '../machine/layout.ts'
import { allocate, CANNOT_TELL, didAllocate, minimize, NO_SIZE, reallocate, sizeOf } from './allocator.ts'
import type { IMallocSpy, NewRequest } from './spy.ts'
import { freeMarked, marking, spiedAt, unmark } from './unseen.ts'

/**
 * The call in progress, as these functions need it: its thread and name, the spy, and the guard around the spy's methods. Pre, the allocator, Post
 * (SP-4). Precondition of all: inside the spy section, in the thread that the spy lives in.
 */
export interface Spied {
  readonly ce: Caller
  readonly call: ComCall
  readonly spy: IMallocSpy
  /** Runs a method of the spy, during which the thread's own calls are not shown to it (C-56). */
  inside<T>(run: () => T): T
}

function raise({ ce, call }: Spied, kind: ComKind, a = 0, b = 0): void {
  ce.raise(kind, call, a, b)
}

/**
 * Asks a method of the spy and checks its answer. undefined if it threw or its answer is none: that is told, and the error is thrown apart from the
 * call, which goes on as C-60 says.
 */
function ask<M extends SpyMethod, T>(
  spied: Spied,
  method: M,
  args: Parameters<IMallocSpy[M]>,
  check: (answer: unknown, what: string) => T
): T | undefined {
  try {
    const answer: unknown = spied.inside(() => (spied.spy[method] as (...args: unknown[]) => unknown)(...args))
    return check(answer, `${spied.call}: result of the spy's ${method}`)
  } catch (error) {
    raise(spied, 'spyThrew', SPY_METHODS.indexOf(method))
    throwApart(error)
    return undefined
  }
}

function dword(answer: unknown, what: string): number {
  if (!isDword(answer)) throw misuse(what, 'a whole number from 0 to 4294967295', answer)
  return answer
}

function verdict(answer: unknown, what: string): number {
  if (answer !== 1 && answer !== 0 && answer !== -1) throw misuse(what, 'a whole number from -1 to 1', answer)
  return answer
}

/** `ppNewRequest` is undefined where the spy has stored none. */
function newRequest(answer: unknown, what: string): { cb: number; ppNewRequest: number | undefined } {
  if (typeof answer !== 'object' || answer === null) throw misuse(what, '{ cb, ppNewRequest }', answer)
  const { cb, ppNewRequest } = answer as Partial<NewRequest>
  return {
    cb: dword(cb, `${what}, cb`),
    ppNewRequest: ppNewRequest === undefined ? undefined : dword(ppNewRequest, `${what}, ppNewRequest`)
  }
}

/** For a method without an answer. */
const anything = (): true => true

/** A block as its Pre method is told of it: where it begins, or what the caller gave if it is not spied, and whether it is (SP-16). */
function told({ ce }: Spied, pv: number): { start: number; fSpyed: number } {
  const start = spiedAt(ce, pv)
  return { start: start || pv, fSpyed: start === 0 ? 0 : 1 }
}

/** Says so if the spy names another start than that of the block: its own where it is spied, else what the caller gave (SP-15, SP-16). */
function checkStart(spied: Spied, answer: number, start: number): void {
  if (answer !== start) raise(spied, 'spyActual', answer, start)
}

/** Asks for the start of a block and does `act` on it; without an answer nothing is done, and the call gives `failed`. */
function onBlock<T>(
  spied: Spied,
  pre: 'PreFree' | 'PreGetSize' | 'PreDidAlloc',
  pv: number,
  failed: T,
  act: (actual: number, fSpyed: number) => T
): T {
  const { start, fSpyed } = told(spied, pv)
  const actual = ask(spied, pre, [pv, fSpyed], dword)
  if (actual === undefined) return failed
  checkStart(spied, actual, start)
  return act(actual, fSpyed)
}

/** Notes where the spy hands the block out (SP-14), unless it has freed it already; what is no address in the block is told and goes to the caller all the same. */
function place(spied: Spied, actual: number, handedOut: number): number {
  if (handedOut === actual) return handedOut
  const { ce } = spied
  const offset = handedOut - actual
  if (isMarked(spied, actual) && offset > 0 && offset < sizeOf(ce, actual)) mark(spied, actual, offset)
  else raise(spied, 'spyOffset', handedOut, actual)
  return handedOut
}

/** The block is spied from here on (SP-19), handed out at its start until the spy says how many bytes behind it. */
function mark({ ce }: Spied, actual: number, offset = 0): void {
  marking(ce, (machine) => setMark(machine, actual >>> GRANULE_SHIFT, offset + 1))
}

/** Whether there is a block and the spy has not freed it meanwhile. */
function isMarked({ ce }: Spied, actual: number): boolean {
  return actual !== 0 && marking(ce, (machine) => markOf(machine, actual >>> GRANULE_SHIFT)) !== 0
}

/** Gives back a new block that nobody has the address of. */
function giveBack(spied: Spied, actual: number): void {
  if (isMarked(spied, actual)) freeMarked(spied.ce, actual)
}

export function spiedAlloc(spied: Spied, cb: number): number {
  const { ce } = spied
  const wanted = ask(spied, 'PreAlloc', [cb], dword)
  if (wanted === undefined || (wanted === 0 && cb !== 0)) return 0
  if (wanted < cb) raise(spied, 'spyCount', cb, wanted)
  // What lies behind the header must lie in the block, be it of 0 bytes (C-59).
  const actual = allocate(ce, cb === 0 && wanted !== 0 ? Math.min(wanted + 1, 0xffffffff) : wanted)
  if (actual !== 0) mark(spied, actual)
  const pointer = ask(spied, 'PostAlloc', [actual], dword)
  if (pointer !== undefined) return place(spied, actual, pointer)
  giveBack(spied, actual)
  return 0
}

export function spiedFree(spied: Spied, pv: number): void {
  onBlock(spied, 'PreFree', pv, undefined, (actual, fSpyed) => {
    freeMarked(spied.ce, actual)
    ask(spied, 'PostFree', [fSpyed], anything)
  })
}

export function spiedRealloc(spied: Spied, pv: number, cb: number): number {
  const { ce } = spied
  const { start, fSpyed } = told(spied, pv)
  const request = ask(spied, 'PreRealloc', [pv, cb, fSpyed], newRequest)
  if (request === undefined || request.cb === 0) return 0
  const { cb: wanted, ppNewRequest: from } = request
  if (wanted < cb) raise(spied, 'spyCount', cb, wanted)
  if (from === undefined) {
    raise(spied, 'spyNewRequest')
    return 0
  }
  checkStart(spied, from, start)
  const actual = from === 0 ? 0 : reallocate(ce, from, wanted)
  if (actual !== 0) {
    if (actual !== from) unmark(ce, from)
    mark(spied, actual)
  }
  const pointer = ask(spied, 'PostRealloc', [actual, fSpyed], dword)
  return pointer === undefined ? actual : place(spied, actual, pointer)
}

export function spiedSize(spied: Spied, pv: number): number {
  return onBlock(spied, 'PreGetSize', pv, NO_SIZE, (actual, fSpyed) => {
    const size = sizeOf(spied.ce, actual)
    return ask(spied, 'PostGetSize', [size, fSpyed], dword) ?? size
  })
}

export function spiedDidAlloc(spied: Spied, pv: number): number {
  return onBlock(spied, 'PreDidAlloc', pv, CANNOT_TELL, (actual, fSpyed) => {
    const fActual = didAllocate(spied.ce, actual)
    return ask(spied, 'PostDidAlloc', [pv, fSpyed, fActual], verdict) ?? fActual
  })
}

export function spiedMinimize(spied: Spied): void {
  if (ask(spied, 'PreHeapMinimize', [], anything) === undefined) return
  minimize(spied.ce)
  ask(spied, 'PostHeapMinimize', [], anything)
}
