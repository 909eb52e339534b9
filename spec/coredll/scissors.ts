import type { CeThread } from '../../src/index.ts'
import type { Machine } from '../../src/machine/machine.ts'
import type { Journal } from './journal.ts'

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
  /** How many steps in a row throw if the thread goes on: as where a stack has overflowed and there is no room for what would tidy up. */
  length = 1
  /** Where the steps are written down. */
  journal: Journal | undefined
  #cut = false
  #thrown = 0

  step(): void {
    if (this.once && this.#thrown >= this.length) return
    if (this.#cut || this.steps >= this.limit) {
      this.#cut = true
      this.#thrown++
      throw new Cut(`cut off after ${this.limit} steps`)
    }
    this.steps++
  }

  /** A step that changes nothing but the bytes [from, from + length) of a memory. */
  store<T>(memory: ArrayBufferLike, from: number, length: number, act: () => T): T {
    this.step()
    return this.journal === undefined ? act() : this.journal.write(memory, from, length, act)
  }

  /** Makes a call of the thread's: what it writes for the program goes by a DataView, which all threads have alike. */
  during<T>(call: () => T): T {
    const before = calling
    calling = this
    try {
      return call()
    } finally {
      calling = before
    }
  }

  /** Begins anew: `limit` steps are made from here on. */
  rewind(limit: number): void {
    this.steps = 0
    this.limit = limit
    this.#cut = false
    this.#thrown = 0
  }

  get cut(): boolean {
    return this.#cut
  }
}

type Words = Int32Array | Uint8Array | Float64Array

const behind = new WeakMap<object, { readonly words: Int32Array; readonly scissors: Scissors }>()
let calling: Scissors | undefined

/** Atomics take a real array: they look behind the proxy, and count what writes. */
for (const name of ['load', 'store', 'add', 'sub', 'exchange', 'compareExchange', 'notify', 'wait'] as const) {
  const original = Atomics[name] as (array: Int32Array, ...rest: unknown[]) => unknown
  const writes = name !== 'load' && name !== 'notify' && name !== 'wait'
  const counted = (array: Int32Array, ...rest: unknown[]): unknown => {
    const held = behind.get(array)
    const act = (): unknown => original.call(Atomics, held?.words ?? array, ...rest)
    if (held === undefined || !writes) return act()
    return held.scissors.store(held.words.buffer, held.words.byteOffset + (rest[0] as number) * 4, 4, act)
  }
  Object.defineProperty(Atomics, name, { value: counted })
}

for (const [name, length] of [
  ['setUint8', 1],
  ['setUint16', 2],
  ['setUint32', 4]
] as const) {
  const original = DataView.prototype[name] as (this: DataView, at: number, ...rest: unknown[]) => void
  const counted = function (this: DataView, at: number, ...rest: unknown[]): void {
    const act = (): void => original.call(this, at, ...rest)
    if (calling === undefined) act()
    else calling.store(this.buffer, this.byteOffset + at, length, act)
  }
  Object.defineProperty(DataView.prototype, name, { value: counted })
}

function counted<T extends Words>(words: T, scissors: Scissors): T {
  const { buffer, byteOffset, BYTES_PER_ELEMENT: size } = words
  const fill = (value: number, from = 0, end = words.length): void => {
    for (let at = from; at < end; at++)
      scissors.store(buffer, byteOffset + at * size, size, () => {
        words[at] = value
      })
  }
  const proxy = new Proxy(words, {
    get: (target, key) => {
      if (key === 'fill') return fill
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, key, value) =>
      scissors.store(buffer, byteOffset + Number(key) * size, size, () => Reflect.set(target, key, value, target))
  })
  if (words instanceof Int32Array) behind.set(proxy, { words, scissors })
  return proxy
}

/** Puts the thread, from now on, under the scissors. The view on the process must be this thread's alone. */
export function underScissors(ce: CeThread): Scissors {
  const scissors = new Scissors()
  const { machine } = ce
  const { take, give, bulk, mem, bytes } = machine
  const arrays = ['mem', 'sys', 'units', 'pages', 'cells', 'map', 'marks', 'bytes', 'words', 'doubles'] as const
  const own: Partial<Record<keyof Machine, unknown>> = {
    take: (address: number, who: number) => scissors.store(mem.buffer, address, 4, () => take(address, who)),
    give: (address: number) => scissors.store(mem.buffer, address, 4, () => give(address))
  }
  if (bulk !== undefined)
    own.bulk = {
      zero: (address: number, length: number) => scissors.store(bytes.buffer, address, length, () => bulk.zero(address, length)),
      copy: (to: number, from: number, length: number) => scissors.store(bytes.buffer, to, length, () => bulk.copy(to, from, length))
    }
  for (const name of arrays) own[name] = counted(machine[name], scissors)
  // Its stores cannot be counted, nor can a worker be terminated between them (heap/hot.as).
  machine.goBy({ alloc: () => 0, free: () => 0 })
  Object.assign(machine, own)
  return scissors
}
