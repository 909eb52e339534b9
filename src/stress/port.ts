import { receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

/**
 * Hears what is left on `port`. For the `exit` of the thread at its other end, which can be told before what the thread said last, such as here:
 *
 *     event loop   | timers | poll: the port is read | check: the exit is told |
 *     the thread                                      ^ says the last word and ends
 */
export function hearRest<Told>(port: MessagePort, hear: (told: Told) => void): void {
  for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port)) hear(left.message as Told)
}

/** Waits for `done`, at most for `ms` milliseconds. */
export function within(done: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((settle) => {
    const timer = setTimeout(settle, ms)
    const end = (): void => {
      clearTimeout(timer)
      settle()
    }
    done.then(end, end)
  })
}
