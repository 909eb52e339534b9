import { parentPort, workerData } from 'node:worker_threads'
import type * as ceheapTypes from '../src/index.ts'
import type { ShareToken } from '../src/index.ts'

// One thread of the threads scenarios: replaces blocks of 16 to 256 bytes, 64 of them live, until its time is over.

const { attachThread } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof ceheapTypes

export interface ThreadJob {
  readonly token: ShareToken
  readonly heap: number
  readonly ms: number
  /** Counts the workers that are ready; they begin when all are. */
  readonly ready: SharedArrayBuffer
  readonly workers: number
}

const LIVE = 64
/** Operations between two looks at the clock. */
const ROUND = 256

const { token, heap, ms, ready, workers } = workerData as ThreadJob
const ce = attachThread(token)
const blocks = new Int32Array(LIVE)
let at = 0

function round(): void {
  for (let n = 0; n < ROUND; n++) {
    at = (at + 29) & (LIVE - 1)
    ce.HeapFree(heap, 0, blocks[at] as number)
    blocks[at] = ce.HeapAlloc(heap, 0, 16 + ((n * 37) & 255))
  }
}

for (let n = 0; n < LIVE; n++) blocks[n] = ce.HeapAlloc(heap, 0, 16)
for (const end = performance.now() + 300; performance.now() < end; ) round()
const gate = new Int32Array(ready)
Atomics.add(gate, 0, 1)
while (Atomics.load(gate, 0) < workers);
const start = performance.now()
let rounds = 0
while (performance.now() - start < ms) {
  round()
  rounds++
}
const elapsed = performance.now() - start
// The others are still counting: a heap that was left alone must not be theirs for the last moment.
Atomics.add(gate, 0, 1)
while (Atomics.load(gate, 0) < workers * 2) round()
ce.detach()
parentPort?.postMessage((rounds * ROUND) / elapsed)
