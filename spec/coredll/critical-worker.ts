// What criticalthreads.spec.ts runs in real workers.
import { parentPort, workerData } from 'node:worker_threads'
import { attachThread, type CeThread, type ShareToken } from '../../src/index.ts'

export type Task = 'count' | 'hold' | 'enter'

export interface Order {
  readonly token: ShareToken
  readonly task: Task
  /** Address of the section. */
  readonly section: number
  /** Address of a plain counter. */
  readonly counter: number
  readonly rounds: number
  /** Measure waits and holds. */
  readonly clock?: boolean
}

export type News =
  | { readonly step: 'inside' }
  | { readonly step: 'done'; readonly rules: readonly string[]; readonly tried: number }
  | { readonly step: 'threw'; readonly name: string; readonly message: string }

const tell = (news: News): void => parentPort?.postMessage(news)

/** Adds to the counter, which only the section keeps exact; goes in twice, and by TryEnter, now and then. Gives how often TryEnter got in. */
function count(ce: CeThread, { section, counter, rounds }: Order): number {
  const cells = new Int32Array(ce.memory.bytes.buffer, counter, 1)
  let tried = 0
  for (let n = 0; n < rounds; n++) {
    if (n % 5 === 0 && ce.TryEnterCriticalSection(section) === 1) tried++
    else ce.EnterCriticalSection(section)
    if (n % 3 === 0) ce.EnterCriticalSection(section)
    cells[0] = (cells[0] as number) + 1
    if (n % 3 === 0) ce.LeaveCriticalSection(section)
    ce.LeaveCriticalSection(section)
  }
  return tried
}

const order = workerData as Order
try {
  const ce = attachThread(order.token, order.clock === true ? { clock: () => performance.now() } : {})
  const rules: string[] = []
  ce.onFinding(({ rule }) => rules.push(rule))
  let tried = 0
  if (order.task === 'count') tried = count(ce, order)
  else {
    ce.EnterCriticalSection(order.section)
    if (rules.length === 0) tell({ step: 'inside' })
    if (order.task === 'hold') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    if (rules.length === 0) ce.LeaveCriticalSection(order.section)
  }
  ce.detach()
  tell({ step: 'done', rules, tried })
} catch (error) {
  tell({ step: 'threw', name: (error as Error).name, message: (error as Error).message })
}
