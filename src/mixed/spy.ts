import { Headers } from './spies.ts'
import type { NewRequest } from '../com/index.ts'

const MOST = 0xffffffff

/** A spy with headers that makes each n-th request fail and writes down what it is asked. */
export class FailingSpy extends Headers {
  /** 0: no request fails. */
  readonly each: number
  requests = 0

  constructor(header: number, each: number) {
    super(header)
    this.each = each
  }

  /** Whether the next request fails. */
  get nextFails(): boolean {
    return this.each !== 0 && (this.requests + 1) % this.each === 0
  }

  #fails(): boolean {
    const fails = this.nextFails
    this.requests++
    return fails
  }

  override PreAlloc(cbRequest: number): number {
    const count = Math.min(super.PreAlloc(cbRequest), MOST)
    return this.#fails() && cbRequest !== 0 ? 0 : count
  }

  override PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): NewRequest {
    const answer = super.PreRealloc(pRequest, cbRequest, fSpyed)
    const fails = this.#fails()
    if (this.header === 0) return { cb: fails ? 0 : cbRequest, ppNewRequest: pRequest }
    return { cb: fails ? 0 : Math.min(answer.cb, MOST), ppNewRequest: answer.ppNewRequest }
  }
}
