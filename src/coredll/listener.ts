/**
 * Listeners and callbacks of the program that uses the library (C-97). What one throws never takes the place of the answer of the call that it is
 * told of, or keeps another from being told. It is not swallowed either: it is thrown apart, as an event listener's is, once the JavaScript that is
 * running has ended, where nobody but the thread's handler of uncaught errors sees it.
 */

/** Throws `error` apart from whatever is being done. */
export function throwApart(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Calls a listener; whether it returned. */
export function tell<A extends readonly unknown[]>(listener: (...args: A) => unknown, ...args: A): boolean {
  try {
    listener(...args)
    return true
  } catch (error) {
    throwApart(error)
    return false
  }
}
