// A heap under fire, for workers of Node and for pages: nothing of either in here.
import type { CeThread } from '../../src/index.ts'
import { cookieSize, verifyCookie, writeCookie } from './cookie.ts'

/** Blocks that a thread leaves behind, as address and size. */
export type Left = readonly (readonly [number, number])[]

export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Words through which the threads hand blocks to one another. */
export const SLOTS = 32

const HEAP_ZERO_MEMORY = 8

export interface Hammer {
  readonly random: (below: number) => number
  readonly rounds: number
  readonly heap: number
  /** Address of the slots. */
  readonly shared: number
  /** Blocks to begin with; those that are left are in it afterwards. */
  readonly mine: [number, number][]
}

/** Allocates, checks, frees, resizes and hands blocks to the other threads through the slots. Gives `mine`. */
export function hammer(ce: CeThread, { random, rounds, heap, shared, mine }: Hammer): Left {
  const slots = new Int32Array(ce.memory.bytes.buffer, shared, SLOTS)
  const take = (): [number, number] => {
    const at = random(mine.length)
    const block = mine[at] as [number, number]
    mine[at] = mine.at(-1) as [number, number]
    mine.pop()
    verifyCookie(ce, ...block)
    return block
  }
  const size = (): number => 8 + (random(40) === 0 ? random(120_000) : random(1 << (3 + random(9))))
  for (let n = 0; n < rounds; n++) {
    const choice = random(100)
    if (choice < 45 || mine.length === 0) {
      const bytes = size()
      const p = ce.HeapAlloc(heap, choice % 2 === 0 ? HEAP_ZERO_MEMORY : 0, bytes)
      if (p === 0) continue
      if (choice % 2 === 0 && !ce.memory.bytes.subarray(p, p + bytes).every((byte) => byte === 0))
        throw new Error('a zeroed block is not zero')
      writeCookie(ce, p, bytes)
      mine.push([p, bytes])
    } else if (choice < 75) {
      if (ce.HeapFree(heap, 0, take()[0]) !== 1) throw new Error('a live block could not be freed')
    } else if (choice < 85) {
      const [p, old] = take()
      const bytes = size()
      const q = ce.HeapReAlloc(heap, 0, p, bytes)
      if (q === 0) mine.push([p, old])
      else {
        verifyCookie(ce, q, old, Math.min(old, bytes))
        writeCookie(ce, q, bytes)
        mine.push([q, bytes])
      }
    } else if (choice < 99) {
      const got = Atomics.exchange(slots, random(SLOTS), take()[0])
      if (got !== 0) mine.push([got, cookieSize(ce, got)])
    } else if (random(4) === 0) ce.HeapCompact(heap, 0)
    else if (ce.HeapValidate(heap, 0, 0) !== 1) throw new Error('HeapValidate refuses the heap')
  }
  for (const block of mine) verifyCookie(ce, ...block)
  return mine
}
