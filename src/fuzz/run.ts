import { processEnded } from '../collect.ts'
import { agree, finish } from './agree.ts'
import { disagree } from './disagreement.ts'
import { heapAlloc, heapCompact, heapCreate, heapDestroy, heapFree, heapLook, heapOnNothing, heapReAlloc } from './heapcalls.ts'
import { localAlloc, localFree, localOnNothing, localReAlloc, localSize } from './localcalls.ts'
import { pressure, setError } from './pressure.ts'
import { setupOf } from './setup.ts'
import type { Wrap } from './subject.ts'
import { access, isBad, virtualAlloc, virtualCommit, virtualFree, virtualProtect, virtualQuery } from './virtualcalls.ts'
import { COMMAND_WORDS, SETUP_WORDS } from './words.ts'
import { type Tell, World } from './world.ts'

type Op = (world: World, first: number, second: number) => void

/** What a command may be, and how often of 256 times. The first is what zero means. */
const OPS: readonly (readonly [weight: number, op: Op])[] = [
  [84, heapAlloc],
  [72, heapFree],
  [36, heapReAlloc],
  [14, heapLook],
  [5, heapOnNothing],
  [12, localAlloc],
  [10, localFree],
  [6, localReAlloc],
  [2, localSize],
  [2, localOnNothing],
  [2, virtualAlloc],
  [2, virtualCommit],
  [3, virtualFree],
  [1, virtualProtect],
  [1, virtualQuery],
  [2, setError],
  [2, seldom]
]

/** What takes long, or changes much, chosen by the highest bits of the first word. */
const SELDOM: readonly Op[] = [
  ...[heapCompact, heapCompact, heapCreate, heapCreate, heapCreate, heapCreate, heapDestroy, heapDestroy],
  ...[isBad, isBad, access, access, failing, pressure, pressure, pressure]
]

/** Calls that fail change nothing but the last error, not even what no call tells. Seldom: to hash all memory takes as long as thousands of calls. */
function failing(world: World, first: number, second: number): void {
  if (second >>> 25 !== 0) return
  const { process, lastErrors } = world
  const errors = [...lastErrors]
  const hash = process.imageHash()
  heapOnNothing(world, first, second)
  localOnNothing(world, first, second)
  errors.forEach((error, thread) => {
    world.ce(thread).SetLastError(error)
    lastErrors[thread] = error
  })
  if (process.imageHash() !== hash) disagree('calls that failed changed the process')
}

function seldom(world: World, first: number, second: number): void {
  const op = SELDOM[first >>> 28] as Op
  op(world, first, second)
}

const table: Op[] = OPS.flatMap(([weight, op]) => Array.from({ length: weight }, () => op))
if (table.length !== 256) throw new Error(`the weights of all commands are ${table.length} in sum, not 256`)

/** Runs a program: its commands one by one, and between them, now and then, a look at everything. What goes wrong is thrown. */
export class Run {
  readonly world: World
  readonly #words: Uint32Array
  readonly #look: number
  #next = SETUP_WORDS

  /** `look`: commands between two looks at everything. */
  constructor(words: Uint32Array, look: number, wrap?: Wrap, tell?: Tell) {
    this.world = new World(setupOf(words[0] as number, words[1] as number), wrap, tell)
    this.#words = words
    this.#look = look
  }

  /** Commands that were run. */
  get done(): number {
    return (this.#next - SETUP_WORDS) / COMMAND_WORDS
  }

  /** Runs at most so many commands more; false once none is left. */
  go(most: number): boolean {
    const words = this.#words
    const { world } = this
    const end = Math.min(words.length, this.#next + most * COMMAND_WORDS)
    while (this.#next < end) {
      const first = words[this.#next] as number
      const second = words[this.#next + 1] as number
      this.#next += COMMAND_WORDS
      const op = table[first & 0xff] as Op
      op(world, first, second)
      if (this.done % this.#look === 0 && this.#next < words.length) agree(world)
    }
    return this.#next < words.length
  }

  /** Looks at everything, gives everything back, and looks at what is left. */
  finish(): void {
    finish(this.world)
  }

  close(): void {
    this.world.process.close()
    processEnded(this.world.memory)
  }
}
