// A worker of the page: attaches, and does what it is told, one message an order, one message an answer.
import type { CeThread, ShareToken } from '../../src/index.ts'
import { generator, hammer } from '../machine/hammer.ts'
import { ADDS, type Answer, CONTROL, library, type Order, SLICE } from './orders.ts'

interface Scope {
  onmessage: ((event: { data: Order | { token: ShareToken } }) => void) | null
  postMessage(answer: Answer): void
}

const scope = globalThis as unknown as Scope
let ce: CeThread

/** Far beyond what the page asks for: a worker that nobody stops ends all the same. */
const MOST = 1_000_000

function plainAdd(at: number): void {
  ce.memory.writeU32(at, ce.memory.readU32(at) + 1)
}

const orders: { readonly [Name in Order['order']]: (order: Extract<Order, { order: Name }>) => Answer } = {
  /** Goes on until the page is done and `rounds` are made, so that all of them are at it together. */
  hammer({ seed, rounds, heap, shared, section, counter, control }) {
    const random = generator(seed)
    const flags = new Int32Array(control)
    const mine: [number, number][] = []
    let done = 0
    let added = 0
    while (done < rounds || Atomics.load(flags, CONTROL.STOP) === 0) {
      hammer(ce, { random, rounds: SLICE, heap, shared, mine })
      for (let n = 0; n < ADDS; n++) {
        ce.EnterCriticalSection(section)
        plainAdd(counter)
        ce.LeaveCriticalSection(section)
      }
      added += ADDS
      done += SLICE
      Atomics.store(flags, ce.tid, done)
      if (done > MOST) throw new Error('the page never stopped its workers')
    }
    return { tid: ce.tid, left: mine, added }
  },
  hold({ section }) {
    ce.EnterCriticalSection(section)
    return { tid: ce.tid }
  },
  leave({ section }) {
    ce.LeaveCriticalSection(section)
    return { tid: ce.tid }
  },
  /** Holds the section until the page is about to enter, then changes what it guards, and leaves. */
  holdUntil({ section, counter, rounds, control }) {
    const flags = new Int32Array(control)
    ce.EnterCriticalSection(section)
    Atomics.store(flags, ce.tid, 1)
    Atomics.notify(flags, ce.tid)
    Atomics.wait(flags, CONTROL.STOP, 0, 30_000)
    for (let n = 0; n < rounds; n++) plainAdd(counter)
    ce.LeaveCriticalSection(section)
    return { tid: ce.tid }
  },
  try({ section }) {
    const entered = ce.TryEnterCriticalSection(section)
    if (entered === 1) ce.LeaveCriticalSection(section)
    return { tid: ce.tid, entered }
  },
  add({ section, counter, rounds }) {
    for (let n = 0; n < rounds; n++) {
      ce.EnterCriticalSection(section)
      plainAdd(counter)
      ce.LeaveCriticalSection(section)
    }
    return { tid: ce.tid, added: rounds }
  },
  detach() {
    ce.detach()
    return { tid: ce.tid }
  }
}

const { attachThread } = (await import(library)) as typeof import('../../src/index.ts')

scope.onmessage = ({ data }) => {
  try {
    if ('token' in data) {
      ce = attachThread(data.token)
      scope.postMessage({ tid: ce.tid })
    } else scope.postMessage((orders[data.order] as (order: Order) => Answer)(data))
  } catch (error) {
    scope.postMessage({ tid: 0, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
  }
}
scope.postMessage({ tid: 0 })
