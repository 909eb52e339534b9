import { E_NOINTERFACE, IID_IMallocSpy } from '../constants.ts'
import type { IMallocSpy, NewRequest } from '../com/spy.ts'

/**
 * `plain` passes everything through, `header` puts 16 bytes in front of each block, `refuse` lets no allocation happen, `more` asks for 100 bytes more,
 * `stranger` is no IMallocSpy by its QueryInterface.
 */
export const SPIES = ['plain', 'header', 'refuse', 'more', 'stranger'] as const
export type SpyKind = (typeof SPIES)[number]

const HEADER = 16

/** A spy that counts the calls of its methods and keeps the arguments of the last one. */
export class CaseSpy implements IMallocSpy {
  readonly #kind: SpyKind
  readonly #counts = new Map<string, number>()
  readonly #last = new Map<string, readonly number[]>()

  constructor(kind: SpyKind) {
    this.#kind = kind
  }

  count(method: string): number {
    return this.#counts.get(method) ?? 0
  }

  argument(method: string, at: number): number {
    return this.#last.get(method)?.[at] ?? 0
  }

  #note(method: string, ...args: number[]): void {
    this.#counts.set(method, this.count(method) + 1)
    this.#last.set(method, args)
  }

  #ahead(spied: number): number {
    return this.#kind === 'header' && spied !== 0 ? HEADER : 0
  }

  #request(cb: number): number {
    if (this.#kind === 'refuse') return 0
    return cb + (this.#kind === 'header' ? HEADER : this.#kind === 'more' ? 100 : 0)
  }

  QueryInterface(riid: string): { hr: number; ppvObject: object | null } {
    this.#note('QueryInterface')
    const good = this.#kind !== 'stranger' && riid.replace(/[{}]/g, '').toLowerCase() === IID_IMallocSpy
    return good ? { hr: 0, ppvObject: this } : { hr: E_NOINTERFACE, ppvObject: null }
  }

  AddRef(): number {
    this.#note('AddRef')
    return 2
  }

  Release(): number {
    this.#note('Release')
    return 1
  }

  PreAlloc(cbRequest: number): number {
    this.#note('PreAlloc', cbRequest)
    return this.#request(cbRequest)
  }

  PostAlloc(pActual: number): number {
    this.#note('PostAlloc', pActual)
    return pActual === 0 ? 0 : pActual + this.#ahead(1)
  }

  PreFree(pRequest: number, fSpyed: number): number {
    this.#note('PreFree', pRequest, fSpyed)
    return pRequest === 0 ? 0 : pRequest - this.#ahead(fSpyed)
  }

  PostFree(fSpyed: number): void {
    this.#note('PostFree', fSpyed)
  }

  PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): NewRequest {
    this.#note('PreRealloc', pRequest, cbRequest, fSpyed)
    return { cb: this.#request(cbRequest), ppNewRequest: pRequest === 0 ? 0 : pRequest - this.#ahead(fSpyed) }
  }

  PostRealloc(pActual: number, fSpyed: number): number {
    this.#note('PostRealloc', pActual, fSpyed)
    return pActual === 0 ? 0 : pActual + this.#ahead(fSpyed)
  }

  PreGetSize(pRequest: number, fSpyed: number): number {
    this.#note('PreGetSize', pRequest, fSpyed)
    return pRequest === 0 ? 0 : pRequest - this.#ahead(fSpyed)
  }

  PostGetSize(cbActual: number, fSpyed: number): number {
    this.#note('PostGetSize', cbActual, fSpyed)
    return cbActual - this.#ahead(fSpyed)
  }

  PreDidAlloc(pRequest: number, fSpyed: number): number {
    this.#note('PreDidAlloc', pRequest, fSpyed)
    return pRequest === 0 ? 0 : pRequest - this.#ahead(fSpyed)
  }

  PostDidAlloc(pRequest: number, fSpyed: number, fActual: number): number {
    this.#note('PostDidAlloc', pRequest, fSpyed, fActual >>> 0)
    return fActual
  }

  PreHeapMinimize(): void {
    this.#note('PreHeapMinimize')
  }

  PostHeapMinimize(): void {
    this.#note('PostHeapMinimize')
  }
}
