import { E_FAIL, E_NOINTERFACE, IID_IMalloc, S_OK } from '../constants.ts'
import { needOpen } from '../coredll/caller.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { ComCall } from '../coredll/uppercalls.ts'
import { hasInterface } from '../coredll/unknown.ts'
import type { Interface } from '../coredll/unknown.ts'
import { isDword, misuse, notDword } from '../errors.ts'
import { CANNOT_TELL, NO_SIZE } from './allocator.ts'
import type { TaskAllocator } from './task.ts'

/**
 * COM's IMalloc, its methods in the order of its vtable (IM-1). Pointers and counts are whole numbers from 0 to 2^32 - 1, 0 is NULL. Thread-safe (IM-2); the object
 * itself belongs to the thread that got it. Without references every method fails and is reported (C-54).
 */
export interface IMalloc {
  /** IID_IUnknown and IID_IMalloc give this object, with one reference more; anything else E_NOINTERFACE and null. */
  QueryInterface(riid: string): Interface<IMalloc>
  /** The references after the call. */
  AddRef(): number
  /** The references after the call; with the last one the interface ends. */
  Release(): number
  /** A block of at least `cb` bytes, 0 if memory is out; 0 bytes give a block too (IM-3). */
  Alloc(cb: number): number
  /** As Alloc for NULL (IM-4); frees and returns 0 for 0 bytes (IM-5); returns 0 and keeps the block if memory is out (IM-6, IM-7). */
  Realloc(pv: number, cb: number): number
  /** Does nothing for NULL (IM-8). */
  Free(pv: number): void
  /** The block's size in bytes, which may exceed the request; 0xFFFFFFFF for NULL (IM-9). */
  GetSize(pv: number): number
  /** 1 for a block of the allocator, 0 for any other pointer, -1 for NULL (IM-10). */
  DidAlloc(pv: number): number
  /** Gives unused pages back (IM-11). */
  HeapMinimize(): void
}

/** Recordings show the exported function that does the same, where there is one: replays know it. */
const recorded: Readonly<Partial<Record<ComCall, ComCall>>> = {
  'IMalloc::Alloc': 'CoTaskMemAlloc',
  'IMalloc::Realloc': 'CoTaskMemRealloc',
  'IMalloc::Free': 'CoTaskMemFree'
}

export class TaskMalloc implements IMalloc {
  readonly #ce: CeThread
  readonly #task: TaskAllocator
  #references = 0

  constructor(ce: CeThread, task: TaskAllocator) {
    this.#ce = ce
    this.#task = task
  }

  /** @internal */
  get references(): number {
    return this.#references
  }

  QueryInterface(riid: string): Interface<IMalloc> {
    if (typeof riid !== 'string') throw misuse('IMalloc::QueryInterface: riid', 'a string', riid)
    return this.#call('IMalloc::QueryInterface', [], { hr: E_FAIL, ppvObject: null }, () => {
      if (!hasInterface(riid, IID_IMalloc)) return { hr: E_NOINTERFACE, ppvObject: null }
      this.#references++
      return { hr: S_OK, ppvObject: this }
    })
  }

  AddRef(): number {
    return this.#call('IMalloc::AddRef', [], 0, () => this.addReference())
  }

  Release(): number {
    return this.#call('IMalloc::Release', [], 0, () => --this.#references)
  }

  Alloc(cb: number): number {
    if (!isDword(cb)) throw notDword('IMalloc::Alloc', 'cb', cb)
    return this.#call('IMalloc::Alloc', [cb], 0, (call) => this.#task.alloc(call, cb))
  }

  Realloc(pv: number, cb: number): number {
    if (!isDword(pv)) throw notDword('IMalloc::Realloc', 'pv', pv)
    if (!isDword(cb)) throw notDword('IMalloc::Realloc', 'cb', cb)
    return this.#call('IMalloc::Realloc', [pv, cb], 0, (call) => this.#task.realloc(call, pv, cb))
  }

  Free(pv: number): void {
    if (!isDword(pv)) throw notDword('IMalloc::Free', 'pv', pv)
    this.#call('IMalloc::Free', [pv], undefined, (call) => this.#task.free(call, pv))
  }

  GetSize(pv: number): number {
    if (!isDword(pv)) throw notDword('IMalloc::GetSize', 'pv', pv)
    return this.#call('IMalloc::GetSize', [pv], NO_SIZE, (call) => this.#task.getSize(call, pv))
  }

  DidAlloc(pv: number): number {
    if (!isDword(pv)) throw notDword('IMalloc::DidAlloc', 'pv', pv)
    return this.#call('IMalloc::DidAlloc', [pv], CANNOT_TELL, (call) => this.#task.didAlloc(call, pv))
  }

  HeapMinimize(): void {
    this.#call('IMalloc::HeapMinimize', [], undefined, (call) => this.#task.heapMinimize(call))
  }

  /** @internal */
  addReference(): number {
    this.#references++
    return this.#references
  }

  /** Makes the call if there is a reference to make it through; else reports it and answers `failed`. */
  #call<T>(call: ComCall, args: readonly number[], failed: T, run: (call: ComCall) => T): T {
    needOpen(this.#ce, call)
    return this.#ce.outer(recorded[call] ?? call, args, () => {
      if (this.#references > 0) return run(call)
      this.#task.raise('releasedMalloc', call)
      return failed
    })
  }
}
