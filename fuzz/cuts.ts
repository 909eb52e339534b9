// Every store of every call cut off in a simulated run, none left out, and the mending after it at many of its stores: npm run cuts
import { setPriority } from 'node:os'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from '../spec/coredll/cutcalls.ts'
import { Cutting, cutsOf } from '../spec/coredll/cutting.ts'

/** Deaths of the thread that mends, for each of the four deaths of the first thread that are tried that way. */
const HEIRS = 40

// Long work that nobody waits for.
setPriority(10)
let deaths = 0
let heirs = 0
for (const placement of ['segregated', 'next-fit'] as const) {
  for (const build of ['retail', 'debug'] as const) {
    for (const call of [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls]) {
      const cutting = new Cutting(() => crowded(placement, build), call)
      for (let k = 0; k < cutting.steps; k++) {
        cutting.die(k)
        deaths++
      }
      for (const share of [0.3, 0.6, 0.8, 0.97]) {
        const k = Math.floor(cutting.steps * share)
        for (const j of cutsOf(cutting.dieTwice(k, Number.POSITIVE_INFINITY), HEIRS)) {
          cutting.dieTwice(k, j)
          heirs++
        }
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${deaths} deaths, ${heirs} of heirs`)
    }
  }
}
process.stdout.write(`ok   ${deaths} stores cut off, ${heirs} more in the mending after them\n`)
