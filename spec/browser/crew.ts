// The page's side of its workers.
import type { CeProcess } from '../../src/index.ts'
import type { Answer, Order } from './orders.ts'

/** A worker that has attached. Orders are answered one after another. */
export class Hand {
  readonly #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  #settle: ((answer: Answer) => void) | undefined
  #fail: ((error: Error) => void) | undefined
  /** Its thread id. */
  tid = 0

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.error === undefined) this.#settle?.(data)
      else this.#fail?.(new Error(`in worker ${this.tid}: ${data.error}`))
    }
    this.#worker.onerror = ({ message }) => this.#fail?.(new Error(`worker ${this.tid}: ${message}`))
  }

  #answer(): Promise<Answer> {
    return new Promise((settle, fail) => {
      this.#settle = settle
      this.#fail = fail
    })
  }

  async attach(process: CeProcess): Promise<this> {
    // Its first word says that it listens.
    await this.#answer()
    const answer = this.#answer()
    this.#worker.postMessage({ token: process.share() })
    this.tid = (await answer).tid
    return this
  }

  tell(order: Order): Promise<Answer> {
    const answer = this.#answer()
    this.#worker.postMessage(order)
    return answer
  }

  async end(): Promise<void> {
    await this.tell({ order: 'detach' })
    this.#worker.terminate()
  }
}

/** `count` workers of the process, attached one after another: their ids are 2, 3... */
export async function hands(process: CeProcess, count: number): Promise<Hand[]> {
  const crew: Hand[] = []
  for (let n = 0; n < count; n++) crew.push(await new Hand().attach(process))
  return crew
}
