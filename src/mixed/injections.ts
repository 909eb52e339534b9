import type { FailureOptions, InjectedFailures } from '../coredll/inject.ts'
import type { CeProcess } from '../coredll/process.ts'
import { must } from './disagreement.ts'

interface Injection {
  readonly options: FailureOptions
  readonly failures: InjectedFailures
  /** Requests for blocks that it has seen, and refused, by the model's count. */
  seen: number
  failed: number
}

/**
 * Injected failures (DT-2) as the model counts them. Requests for blocks are counted one by one, so that the model knows which is refused; how often a
 * heap asks for pages or regions hangs on where its blocks lie, so for those it takes the emulator's count, and so it does where chance decides.
 */
export class Injections {
  readonly #process: CeProcess
  readonly list: Injection[] = []

  constructor(process: CeProcess) {
    this.#process = process
  }

  begin(options: FailureOptions): void {
    this.list.push({ options, failures: this.#process.injectFailures(options), seen: 0, failed: 0 })
  }

  end(at: number): void {
    this.#agree(this.list[at] as Injection)
    this.list[at]?.failures.end()
    this.list.splice(at, 1)
  }

  /** Counts a request for a block by a thread under a label: whether it is refused, as far as that can be told before chance has spoken. */
  refuses(bytes: number, label: string): boolean {
    let refused = false
    for (const one of this.list) {
      const { on, nth = 0, every = 0, minBytes = 0, maxBytes = 0xffffffff, site, probability } = one.options
      if (on !== 'alloc' || bytes < minBytes || bytes > maxBytes || (site !== undefined && site !== label)) continue
      const n = ++one.seen
      if (probability !== undefined) continue
      const first = nth === 0 ? every : nth
      const due = every === 0 ? nth === 0 || n === nth : n >= first && (n - first) % every === 0
      if (!due) continue
      one.failed++
      refused = true
    }
    return refused
  }

  /** Requests of a kind that were refused so far; of those for blocks the ones that chance refused. */
  refused(on: FailureOptions['on']): number {
    let sum = 0
    for (const { options, failures } of this.list)
      if (options.on === on && (on !== 'alloc' || options.probability !== undefined)) sum += failures.failed
    return sum
  }

  agree(): void {
    for (const one of this.list) this.#agree(one)
  }

  #agree({ options, failures, seen, failed }: Injection): void {
    if (options.on !== 'alloc') return
    const told = `${failures.seen} requests seen and ${failures.failed} refused`
    const right = options.probability === undefined ? failures.failed === failed : failures.failed <= seen
    must(failures.seen === seen && right, () => `${told}, the model says ${seen} and ${failed}`)
  }
}
