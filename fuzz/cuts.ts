// Every store of every call cut off in a simulated run, none left out, and the mending after it at many of its stores: npm run cuts
import { setPriority } from 'node:os'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from '../spec/coredll/cutcalls.ts'
import { Cutting, heirsOf } from '../spec/coredll/cutting.ts'

/** Of the steps of a mending so many at its begin, and so many of the rest. */
const FIRST = 60
const MORE = 30

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
      const { steps } = cutting
      for (const k of [steps >>> 2, steps >>> 1, (steps * 3) >>> 2, steps - 2, steps - 1]) {
        for (const j of heirsOf(cutting.dieTwice(k, Number.POSITIVE_INFINITY), FIRST, MORE)) {
          cutting.dieTwice(k, j)
          heirs++
        }
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${deaths} deaths, ${heirs} of heirs`)
    }
  }
}
process.stdout.write(`ok   ${deaths} stores cut off, ${heirs} more in the mending after them\n`)
