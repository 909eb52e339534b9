/** How long one slice of work lasts: long enough for the clock, short enough for several pairs a second. */
const SLICE_MS = 4

export interface Measurement {
  /** Median over the pairs of (time of one operation of the subject) / (time of one bare lock pair, measured right before it). */
  readonly locks: number
  /** Median nanoseconds of one operation: the ratio travels to other machines, this does not. */
  readonly ns: number
  readonly pairs: number
}

const word = new Int32Array(new SharedArrayBuffer(4))

/** The yardstick: take and release an uncontended lock on shared memory, as every heap call must at least. */
function lockPairs(count: number): void {
  for (let i = 0; i < count; i++) {
    Atomics.compareExchange(word, 0, 0, 1)
    Atomics.exchange(word, 0, 0)
  }
}

function time(run: (count: number) => void, count: number): number {
  const start = process.hrtime.bigint()
  run(count)
  return Number(process.hrtime.bigint() - start) / count
}

const WARM_UP_MS = 300

/** Warms the code up and returns how many operations then fill a slice. */
function calibrate(run: (count: number) => void): number {
  const end = performance.now() + WARM_UP_MS
  for (let count = 1; ; ) {
    const ms = (time(run, count) * count) / 1e6
    if (ms < SLICE_MS) count *= 2
    else if (performance.now() >= end) return Math.max(1, Math.round((count * SLICE_MS) / ms))
  }
}

/** Measures `run(count)` operations in slices that alternate with slices of lock pairs, so that both see the same machine. */
export function measure(run: (count: number) => void, seconds: number): Measurement {
  const count = calibrate(run)
  const locks = calibrate(lockPairs)
  const ratios: number[] = []
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end || ratios.length < 5) {
    const lock = time(lockPairs, locks)
    const own = time(run, count)
    ratios.push(own / lock)
    times.push(own)
  }
  return { locks: median(ratios), ns: median(times), pairs: ratios.length }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
