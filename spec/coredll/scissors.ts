import type { CeThread } from '../../src/index.ts'
import type { Machine } from '../../src/machine/machine.ts'

/** Thrown by the store at which a thread is cut off; every later store of that thread throws it too, so that no handler of its own tidies up. */
export class Cut extends Error {}

/**
 * Counts the steps of a thread (each store to one of the shared memories, each step of a lock word, each bulk operation) and lets it die before
 * a step of one's choice: exactly what a worker leaves that is terminated there.
 */
export class Scissors {
  /** Steps made so far. */
  steps = 0
  /** Steps that are still made. */
  limit: number = Number.POSITIVE_INFINITY
  /** Whether the thread goes on after the cut: an error, and no death. */
  once = false
  #cut = false

  step(): void {
    if (this.once && this.#cut) return
    if (this.#cut || this.steps >= this.limit) {
      this.#cut = true
      throw new Cut(`cut off after ${this.limit} steps`)
    }
    this.steps++
  }

  /** Begins anew: `limit` steps are made from here on. */
  rewind(limit: number): void {
    this.steps = 0
    this.limit = limit
    this.#cut = false
  }

  get cut(): boolean {
    return this.#cut
  }
}

type Words = Int32Array | Uint8Array | Float64Array

const behind = new WeakMap<object, { readonly words: Int32Array; readonly scissors: Scissors }>()

/** Atomics take a real array: they look behind the proxy, and count what writes. */
for (const name of ['load', 'store', 'add', 'sub', 'exchange', 'compareExchange', 'notify', 'wait'] as const) {
  const original = Atomics[name] as (array: Int32Array, ...rest: unknown[]) => unknown
  const counted = (array: Int32Array, ...rest: unknown[]): unknown => {
    const held = behind.get(array)
    if (held !== undefined && name !== 'load' && name !== 'notify' && name !== 'wait') held.scissors.step()
    return original.call(Atomics, held?.words ?? array, ...rest)
  }
  Object.defineProperty(Atomics, name, { value: counted })
}

function counted<T extends Words>(words: T, scissors: Scissors): T {
  const fill = (value: number, from = 0, end = words.length): void => {
    for (let at = from; at < end; at++) {
      scissors.step()
      words[at] = value
    }
  }
  const proxy = new Proxy(words, {
    get: (target, key) => {
      if (key === 'fill') return fill
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, key, value) => {
      scissors.step()
      return Reflect.set(target, key, value, target)
    }
  })
  if (words instanceof Int32Array) behind.set(proxy, { words, scissors })
  return proxy
}

/** Puts the thread, from now on, under the scissors. The view on the process must be this thread's alone. */
export function underScissors(ce: CeThread): Scissors {
  const scissors = new Scissors()
  const { machine } = ce
  const { take, give, bulk } = machine
  const step = <A extends number[], R>(run: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      scissors.step()
      return run(...args)
    }
  }
  const arrays = ['mem', 'sys', 'units', 'pages', 'cells', 'map', 'marks', 'bytes', 'words', 'doubles'] as const
  const own: Partial<Record<keyof Machine, unknown>> = { take: step(take), give: step(give) }
  if (bulk !== undefined) own.bulk = { zero: step(bulk.zero), copy: step(bulk.copy) }
  for (const name of arrays) own[name] = counted(machine[name], scissors)
  // Its stores cannot be counted, nor can a worker be terminated between them (heap/hot.as).
  own.hot = { alloc: () => 0, free: () => 0 }
  Object.assign(machine, own)
  return scissors
}
