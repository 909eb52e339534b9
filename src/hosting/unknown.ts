import { E_NOINTERFACE, HOST_E_INVALIDOPERATION, S_OK } from '../constants.ts'
import { needOpen } from '../coredll/caller.ts'
import type { CeThread } from '../coredll/thread.ts'
import { hasInterface } from '../coredll/unknown.ts'
import type { Interface } from '../coredll/unknown.ts'
import type { HostCall } from '../coredll/uppercalls.ts'
import { misuse } from '../errors.ts'

/** IUnknown of the two host interfaces: counts references, and lets no method of a released one do anything (C-86). */
export class HostUnknown {
  protected readonly ce: CeThread
  readonly #name: string
  readonly #iid: string
  #references = 1

  constructor(ce: CeThread, name: 'IHostMalloc' | 'IHostMemoryManager', iid: string) {
    this.ce = ce
    this.#name = name
    this.#iid = iid
  }

  /** IUnknown and the object's own interface give it with one reference more; anything else E_NOINTERFACE and null. */
  QueryInterface(riid: string): Interface<this> {
    if (typeof riid !== 'string') throw misuse(`${this.#name}::QueryInterface: riid`, 'a string', riid)
    if (!this.live('QueryInterface')) return { hr: HOST_E_INVALIDOPERATION, ppvObject: null }
    if (!hasInterface(riid, this.#iid)) return { hr: E_NOINTERFACE, ppvObject: null }
    this.#references++
    return { hr: S_OK, ppvObject: this }
  }

  /** The references after the call. */
  AddRef(): number {
    return this.live('AddRef') ? ++this.#references : 0
  }

  /** The references after the call; with the last one the interface ends. */
  Release(): number {
    if (!this.live('Release')) return 0
    this.#references--
    if (this.#references === 0) this.end()
    return this.#references
  }

  /** @internal */
  get references(): number {
    return this.#references
  }

  /** What happens with the last Release. */
  protected end(): void {}

  protected call(method: string): HostCall {
    return `${this.#name}::${method}` as HostCall
  }

  /** Whether a method may go on: the process is open, and there is a reference to call it through. */
  protected live(method: string): boolean {
    needOpen(this.ce, `${this.#name}::${method}`)
    if (this.#references > 0) return true
    this.ce.raise('releasedHost', this.call(method))
    return false
  }
}
