import * as assert from 'uvu/assert'

/** Runs `run` and gives what it returns, with the errors that listeners and callbacks threw meanwhile (C-97). */
export function apart<T>(run: () => T): { answer: T; thrown: unknown[] } {
  const thrown: unknown[] = []
  const { queueMicrotask: queue } = globalThis
  globalThis.queueMicrotask = (act) => {
    try {
      act()
    } catch (error) {
      thrown.push(error)
    }
  }
  try {
    return { answer: run(), thrown }
  } finally {
    globalThis.queueMicrotask = queue
  }
}

/** The messages of those errors. */
export function messagesApart(run: () => unknown): string[] {
  return apart(run).thrown.map((error) => (error instanceof Error ? error.message : String(error)))
}

/** What `run` answers although exactly one error of this type with this message is thrown apart meanwhile. */
export function throwsApart<T>(run: () => T, type: ErrorConstructor, message: string | RegExp): T {
  const { answer, thrown } = apart(run)
  assert.is(thrown.length, 1, `one error is thrown apart, not ${thrown.length}`)
  const [error] = thrown as [Error]
  assert.is(error.constructor, type, error.message)
  if (typeof message === 'string') assert.is(error.message, message)
  else assert.match(error.message, message)
  return answer
}
