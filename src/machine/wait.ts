/**
 * The seam: the only place that parks a thread or wakes one. Everything that waits goes through here, so that a schedule
 * can later decide who runs next.
 */

/** How often the next in turn of a schedule looks before it parks: about two microseconds, longer than most steps take. */
const SPINS = 200

/** How often a waiter for a section looks before it parks. */
const LOOKS = 5

/** How many turns of a loop a waiter stays away from the word between two looks: from about a microsecond to about 80. */
const SHORTEST = 1000
const LONGEST = 64_000

/** The turns that this thread's last wait came to. */
let absence = SHORTEST

/** Where parking is forbidden, how often the word is looked at between two looks at the clock: some ten microseconds. */
const BUSY_SPINS = 1000

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
 * Looks a bounded number of times for a section to come free; true as soon as its word is 0 or has one of the bits `gone`. Each look takes the word's cache
 * line from the owner, and whoever gets the section takes the heap's lines as well: two threads that look all the time come to 0.4 of what one does alone, two that
 * stay away for as long as LONGEST to 0.9 and more. But who meets the other once in a while ought not to stay away for so long. So a look in vain
 * doubles the next absence, and a wait that the first look ends shortens it.
 */
export function backOff(cells: Int32Array, at: number, gone: number): boolean {
  let turns = gone
  for (let look = 0; look < LOOKS; look++) {
    turns = rest(turns, absence)
    const word = Atomics.load(cells, at)
    if (word === 0 || (word & gone) !== 0) {
      if (look === 0) absence = Math.max(SHORTEST, absence - (absence >>> 2))
      return true
    }
    absence = Math.min(LONGEST, absence << 1)
  }
  // Never so, since it is odd; but a loop without a result would be taken out as useless.
  return turns === 0
}

function rest(from: number, length: number): number {
  let turns = from
  for (let turn = 0; turn < length; turn++) turns = Math.imul(turns, 1664525) | 1
  return turns
}

/**
 * Waits while `cells[at]` is `seen`, at most `ms` milliseconds (Infinity for no bound). Returns false when the time ran out.
 * Wake-ups without cause are allowed: the caller looks again.
 */
export function park(cells: Int32Array, at: number, seen: number, ms: number): boolean {
  if (!canPark()) return busy(cells, at, seen, ms)
  return Atomics.wait(cells, at, seen, ms) !== 'timed-out'
}

/**
 * `park` where parking is forbidden (a browser's main thread). The clock is Atomics.wait's own, in its place: it ends a wait that would
 * not end, and decides nothing else. A count of turns would not do: a turn costs 5 ns or 100, by machine and by what V8 has compiled.
 */
function busy(cells: Int32Array, at: number, seen: number, ms: number): boolean {
  const end = performance.now() + ms
  do {
    if (spin(cells, at, seen, BUSY_SPINS)) return true
  } while (performance.now() < end)
  return false
}

export function wakeOne(cells: Int32Array, at: number): void {
  Atomics.notify(cells, at, 1)
}

export function wakeAll(cells: Int32Array, at: number): void {
  Atomics.notify(cells, at)
}

/** Milliseconds between two looks where neither parking nor Atomics.waitAsync is to be had. */
const POLL = 4

/**
 * `park` for a place that must not block: the promise gives true as soon as the word may have changed, false when the time ran out or `signal`
 * was aborted. A wake-up that comes after that is handed on to the next waiter. The timer also keeps an event loop alive, which a waiting
 * promise alone does not do in Node.
 */
export function parkLater(cells: Int32Array, at: number, seen: number, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((settle) => {
    let poll: ReturnType<typeof setInterval> | undefined
    let over = false
    const end = (changed: boolean): void => {
      over = true
      clearTimeout(timer)
      clearInterval(poll)
      signal?.removeEventListener('abort', abort)
      settle(changed)
    }
    const abort = (): void => end(false)
    const timer = setTimeout(abort, ms)
    signal?.addEventListener('abort', abort)
    // Not in every browser.
    if (typeof Atomics.waitAsync !== 'function') {
      poll = setInterval(() => {
        if (Atomics.load(cells, at) !== seen) end(true)
      }, POLL)
      return
    }
    const waiting = Atomics.waitAsync(cells, at, seen, ms)
    if (!waiting.async) {
      end(waiting.value === 'not-equal')
      return
    }
    waiting.value.then((value) => {
      if (!over) end(value !== 'timed-out')
      else if (value === 'ok') wakeOne(cells, at)
    })
  })
}
