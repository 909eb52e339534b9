import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Each run of a campaign has a process of its own, some megabytes that only the garbage collector frees. It sees the small objects that stand for them,
 * and would let gigabytes pile up in thousands of runs, the more so where other programs leave its threads no time. A collection of a thread's small
 * heap takes some milliseconds.
 */
const MOST = 128 * 1024 * 1024
/** User memory of a process whose size nobody tells: what a run of ceheap stress has. */
const USUAL = 4 * 1024 * 1024

let collect: (() => void) | undefined
let left = 0

/** Told of each process that has ended in this thread, and how much user memory it had: collects what they left behind, now and then. */
export function processEnded(bytes: number = USUAL): void {
  left += bytes
  if (left < MOST) return
  left = 0
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
