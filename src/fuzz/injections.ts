import type { FailureOptions, InjectedFailures } from '../coredll/inject.ts'
import type { CeProcess } from '../coredll/process.ts'
import { disagree } from './disagreement.ts'

interface Injection {
  readonly options: FailureOptions
  readonly failures: InjectedFailures
  /** Requests for blocks that it has seen, and refused, by the model's count. */
  seen: number
  failed: number
}

/**
 * Injected failures (DT-2) as the model counts them. Requests for blocks are counted one by one, so that the model knows which is refused; how often a
 * heap asks for pages hangs on where its blocks lie, so for commits it takes the emulator's count.
 */
export class Injections {
  readonly #process: CeProcess
  readonly #list: Injection[] = []
  /** How many are on. */
  count = 0

  constructor(process: CeProcess) {
    this.#process = process
  }

  begin(options: FailureOptions): void {
    this.#list.push({ options, failures: this.#process.injectFailures(options), seen: 0, failed: 0 })
    this.count++
  }

  end(at: number): void {
    this.#agree(this.#list[at] as Injection)
    this.#list[at]?.failures.end()
    this.#list.splice(at, 1)
    this.count--
  }

  /** Counts a request for a block: whether it is refused. */
  refuses(bytes: number): boolean {
    let refused = false
    for (const one of this.#list) {
      const { on, nth = 0, every = 0, minBytes = 0, maxBytes = 0xffffffff } = one.options
      if (on !== 'alloc' || bytes < minBytes || bytes > maxBytes) continue
      const n = ++one.seen
      const first = nth === 0 ? every : nth
      const due = every === 0 ? nth === 0 || n === nth : n >= first && (n - first) % every === 0
      if (!due) continue
      one.failed++
      refused = true
    }
    return refused
  }

  /** Commits that were refused so far. */
  get refusedCommits(): number {
    let sum = 0
    for (const { options, failures } of this.#list) if (options.on === 'commit') sum += failures.failed
    return sum
  }

  agree(): void {
    for (const one of this.#list) this.#agree(one)
  }

  #agree({ options, failures, seen, failed }: Injection): void {
    if (options.on === 'commit' || (failures.seen === seen && failures.failed === failed)) return
    disagree(`${failures.seen} requests seen and ${failures.failed} refused by an injection, the model says ${seen} and ${failed}`)
  }
}
