import { misuse } from '../errors.ts'
import type { Machine } from '../machine/machine.ts'
import { hibernations } from '../machine/pressure.ts'
import { memoryFigures } from './figures.ts'
import type { MemoryFigures } from './figures.ts'
import { tell } from './listener.ts'

/** What is left of the budget when memory becomes low, in bytes. */
export type HibernateListener = (figures: MemoryFigures) => void

/**
 * WM_HIBERNATE (HI-18): told to the creating thread, as a window gets its messages in the thread that made it. Whatever thread makes memory low
 * sets a word in system memory (machine/pressure.ts) and goes on; the creating thread looks at it when it is outside every section.
 */
export class Hibernation {
  readonly #machine: Machine
  readonly #listeners: HibernateListener[] = []
  #seen = 0
  #telling = false

  constructor(machine: Machine) {
    this.#machine = machine
  }

  get listening(): boolean {
    return this.#listeners.length > 0
  }

  /** Returns a function that ends it. What happened before nobody listened is not told. */
  listen(listener: HibernateListener): () => void {
    if (typeof listener !== 'function') throw misuse('onHibernate: listener', 'a function', listener)
    if (!this.listening) this.#seen = hibernations(this.#machine)
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  /**
   * Tells the listeners once if memory became low since they were told last, however often. Not inside a page callback, which runs in a heap's
   * section, and not inside a listener: then the next call tells.
   */
  tell(): void {
    const count = hibernations(this.#machine)
    const apart = this.#telling || this.#machine.leases.length > 0 || this.#machine.closed
    if (count === this.#seen || !this.listening || apart) return
    this.#seen = count
    this.#telling = true
    for (const listener of [...this.#listeners]) tell(listener, memoryFigures({ machine: this.#machine }))
    this.#telling = false
  }
}
