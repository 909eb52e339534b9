/**
 * The seam: the only place that parks a thread or wakes one. Everything that waits goes through here, so that a schedule
 * can later decide who runs next.
 */

/** How often a waiter looks again before it parks: about two microseconds, longer than HeapAlloc and HeapFree usually hold a section. */
const SPINS = 200

/** Turns of the bounded spin where parking is forbidden (a browser's main thread); each turn costs some seven nanoseconds. */
const BUSY_TURNS_PER_MS = 140_000

let parking: boolean | undefined

/** Whether this thread may park. A browser's main thread may not: there Atomics.wait throws. */
export function canPark(): boolean {
  if (parking === undefined) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)
      parking = true
    } catch {
      parking = false
    }
  }
  return parking
}

/** Looks again a bounded number of times; true as soon as `cells[at]` is no longer `seen`. */
export function spin(cells: Int32Array, at: number, seen: number, turns: number = SPINS): boolean {
  for (let turn = 0; turn < turns; turn++) if (Atomics.load(cells, at) !== seen) return true
  return false
}

/**
 * Waits while `cells[at]` is `seen`, at most `ms` milliseconds (Infinity for no bound). Returns false when the time ran out.
 * Wake-ups without cause are allowed: the caller looks again.
 */
export function park(cells: Int32Array, at: number, seen: number, ms: number): boolean {
  if (!canPark()) return spin(cells, at, seen, ms * BUSY_TURNS_PER_MS)
  return Atomics.wait(cells, at, seen, ms) !== 'timed-out'
}

export function wakeOne(cells: Int32Array, at: number): void {
  Atomics.notify(cells, at, 1)
}

export function wakeAll(cells: Int32Array, at: number): void {
  Atomics.notify(cells, at)
}
