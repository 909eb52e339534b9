// What the specs of a thread that is adrift or loose share (machine/adrift.ts).
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess } from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { enter } from '../../src/machine/section.ts'
import { type AfterDeath, waitingInVain } from './afterdeathscene.ts'
import { Cut, type Scissors, underScissors } from './scissors.ts'

export interface Adrift extends Omit<AfterDeath, 'token'> {
  readonly four: CeThread
}

export function scene(): Adrift {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 1000 })
  const [two, three, four] = [1, 2, 3].map(() => attachThread(process.share())) as [
    ReturnType<typeof attachThread>,
    ReturnType<typeof attachThread>,
    ReturnType<typeof attachThread>
  ]
  const heap = process.thread.HeapCreate(0, 0, 0)
  return { process, one: process.thread, two, three, four, heap, record: recordOf(process.thread.machine, heap) }
}

const known = new WeakMap<CeThread, Scissors>()

export function scissorsOf(ce: CeThread): Scissors {
  const scissors = known.get(ce) ?? underScissors(ce)
  known.set(ce, scissors)
  return scissors
}

/** Makes a call with an error that ends `length` of its steps, from step `k` on; false if it came to its end before. */
export function errs(ce: CeThread, k: number, call: () => unknown, length = 1): boolean {
  const scissors = scissorsOf(ce)
  scissors.rewind(k)
  scissors.once = true
  scissors.length = length
  try {
    call()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  const { cut } = scissors
  scissors.rewind(Number.POSITIVE_INFINITY)
  return cut
}

/**
 * Makes a call of the second thread, which an error ends when it has left the section at `at` with what it has made; and the third thread stays there from that
 * moment on, so that what the call has made cannot be undone.
 */
export function leavesLoose({ two, three }: { two: CeThread; three: CeThread }, at: number, call: () => unknown): void {
  const scissors = scissorsOf(two)
  scissors.once = true
  scissors.length = 1
  const { give } = two.machine
  two.machine.give = (address) => {
    const seen = give(address)
    if (address >>> 2 !== at || two.machine.sys[at] !== 0) return seen
    two.machine.give = give
    enter(three.machine, at, three.tid)
    scissors.rewind(0)
    return seen
  }
  assert.throws(call, (error: unknown) => error instanceof Cut)
  scissors.rewind(Number.POSITIVE_INFINITY)
  assert.ok(two.machine.loose)
}

/** The second thread has made a block that nobody heard of, in a heap in which the third one stays: nothing but that is left to undo. */
export function adrift(): Adrift {
  const world = scene()
  waitingInVain(() => leavesLoose(world, world.record, () => world.two.HeapAlloc(world.heap, 0, 100)))
  return world
}
