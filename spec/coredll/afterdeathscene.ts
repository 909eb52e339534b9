// What the specs of death share: a process with three threads, a wait that ends in vain at once, and a call that is cut off.
import { attachThread, type CeProcess, type CeThread, createProcess, type ShareToken } from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { Cut, underScissors } from './scissors.ts'

export interface AfterDeath {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
  readonly three: CeThread
  readonly token: ShareToken
  readonly heap: number
  readonly record: number
}

export function scene(lockTimeout = 1000): AfterDeath {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout })
  const token = process.share()
  const two = attachThread(token)
  const three = attachThread(process.share())
  const heap = process.thread.HeapCreate(0, 0, 0)
  return { process, one: process.thread, two, three, token, heap, record: recordOf(process.thread.machine, heap) }
}

/** Runs `act` while every wait ends in vain at once, and `after` is told how many there were and how long they would have been; returns the latter, in milliseconds. */
export function waitingInVain(act: () => void, after: (waits: number, waited: number) => void = () => undefined): number {
  const { wait } = Atomics
  let waits = 0
  let waited = 0
  const inVain = (_cells: Int32Array, _at: number, _value: number, ms: number): string => {
    waited += ms
    after(++waits, waited)
    return 'timed-out'
  }
  Object.defineProperty(Atomics, 'wait', { value: inVain, configurable: true, writable: true })
  try {
    act()
  } finally {
    Object.defineProperty(Atomics, 'wait', { value: wait, configurable: true, writable: true })
  }
  return waited
}

export function stepsOf(call: (ce: CeThread, heap: number) => unknown): number {
  const { two, heap } = scene()
  const scissors = underScissors(two)
  call(two, heap)
  return scissors.steps
}

/** The thread makes the call and is cut off before step `k`; false if it came to the end. */
export function cutOff(ce: CeThread, k: number, call: () => unknown, once = false): boolean {
  const scissors = underScissors(ce)
  scissors.limit = k
  scissors.once = once
  try {
    call()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  return scissors.cut
}
