import { effectOf } from './effects.ts'
import type { Call } from './history.ts'

/** A live block, as the calls told it. It spans the bytes that were asked for, and at least one. */
export interface Held {
  readonly address: number
  readonly asked: number
  readonly heap: number
  /** The call that handed it out. */
  readonly by: Call
}

/** What is wrong with a call in the light of those before it. */
export interface IntervalFault {
  readonly kind: 'overlap' | 'result'
  readonly message: string
}

const endOf = ({ address, asked }: Held): number => address + Math.max(1, asked)

const hex = (address: number): string => `0x${address.toString(16).toUpperCase()}`

/**
 * The live blocks of a history, in the order of their addresses: no two of them may share a byte, only a live block can be freed, and a live
 * block can always be.
 */
export class Intervals {
  /** Sorted by address, disjoint: endOf(held[i]) <= held[i + 1].address. */
  readonly #held: Held[] = []
  readonly #processHeap: number

  /** `processHeap`: the handle that Local* and Global* stand for. */
  constructor(processHeap: number) {
    this.#processHeap = processHeap
  }

  get live(): readonly Held[] {
    return this.#held
  }

  /** Takes the next call of the history in; says what is wrong with it, if anything is. */
  apply(call: Call): IntervalFault | undefined {
    const effect = effectOf(call.call, call.args)
    if (effect === undefined || call.result === undefined) return undefined
    const done = effect.succeeded(call.result)
    const place = this.#placeOf(effect.gives)
    const old = this.#held[place]
    const known = effect.gives !== 0 && old?.address === effect.gives
    if (effect.takes < 0 && effect.gives !== 0) {
      if (done && !known) return { kind: 'result', message: `${call.call} freed ${hex(effect.gives)}, which is no live block` }
      if (!done && known) return { kind: 'result', message: `${call.call} refused to free ${this.#text(old)}` }
    }
    if (!done) return undefined
    if (effect.takes >= 0 && effect.gives !== 0 && !known)
      return { kind: 'result', message: `${call.call} resized ${hex(effect.gives)}, which is no live block` }
    if (known) this.#held.splice(place, 1)
    if (effect.ends !== 0) {
      for (let at = this.#held.length - 1; at >= 0; at--) if (this.#held[at]?.heap === effect.ends) this.#held.splice(at, 1)
    }
    if (effect.takes < 0) return undefined
    return this.#take({ address: call.result, asked: effect.takes, heap: effect.heap || this.#processHeap, by: call })
  }

  #take(block: Held): IntervalFault | undefined {
    const place = this.#placeOf(block.address)
    const before = this.#held[place - 1]
    const behind = this.#held[place]
    this.#held.splice(place, 0, block)
    for (const other of [before, behind]) {
      if (other === undefined || endOf(other) <= block.address || endOf(block) <= other.address) continue
      const text = `${block.by.call} handed out ${hex(block.address)} (${block.asked} bytes), which overlaps ${this.#text(other)}`
      return { kind: 'overlap', message: text }
    }
    return undefined
  }

  #text({ address, asked, by }: Held): string {
    return `the live block ${hex(address)} (${asked} bytes, from ${by.call} of thread ${by.thread})`
  }

  /** The place of the first block at `address` or behind it. */
  #placeOf(address: number): number {
    let from = 0
    for (let to = this.#held.length; from < to; ) {
      const middle = (from + to) >> 1
      if ((this.#held[middle] as Held).address < address) from = middle + 1
      else to = middle
    }
    return from
  }
}
