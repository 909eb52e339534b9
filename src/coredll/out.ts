import { firstFault } from '../machine/access.ts'
import type { UserMemory } from '../machine/memory.ts'
import type { Caller } from './caller.ts'
import type { CallName } from './calls.ts'

/** A caller that takes answers in user memory. */
export interface Taker extends Caller {
  readonly memory: UserMemory
}

/**
 * A pointer to where a call is to write. NULL and every other place that the program itself could not write to is an answer, not an exception:
 * nothing is written, the call fails or is lost, and a finding says so (C-62). A guard page is such a place, and its guard stays.
 */
export class OutPointer {
  readonly #ce: Caller
  readonly #call: CallName
  readonly #address: number
  readonly #bytes: number
  #bad = false
  #asked = false

  constructor(ce: Caller, call: CallName, address: number, bytes: number) {
    this.#ce = ce
    this.#call = call
    this.#address = address
    this.#bytes = bytes
  }

  /** Runs `write` if all the bytes can be written; whether it did. Precondition: inside the process section, so that no other thread takes the pages away. */
  write(write: () => void): boolean {
    this.#asked = true
    this.#bad = firstFault(this.#ce.machine, this.#address, this.#bytes, 'write') >= 0
    if (!this.#bad) write()
    return !this.#bad
  }

  /** Raises what is odd about the pointer, if the call came as far as to write. Call it once the section is left. */
  tell(): void {
    if (this.#bad) this.#ce.raise('badOut', this.#call, this.#address, this.#bytes)
    else if (this.#asked && this.#address % 4 !== 0) this.#ce.raise('misalignedOut', this.#call, this.#address)
  }
}
