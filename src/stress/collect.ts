import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Each run has a process of its own, some megabytes that only the garbage collector frees. It sees the small objects that stand for them, and would let
 * gigabytes pile up in a campaign of thousands of runs. A collection of a thread's small heap takes about as long as a run.
 */
const EVERY = 32

let collect: (() => void) | undefined
let left = EVERY

/** Told of each run that has ended in this thread: collects what it left behind, now and then. */
export function runEnded(): void {
  if (--left > 0) return
  left = EVERY
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
