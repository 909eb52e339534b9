// A thread that dies before any store of any call leaves a process in which the others go on (C-92): simulated, store by store.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { heapCalls, heapEnds, lentCalls, pageCalls, crowded } from './cutcalls.ts'
import { Cutting, cutsOf } from './cutting.ts'

const cuts = suite('a thread is cut off before each store')
let deaths = 0

for (const placement of ['segregated', 'next-fit'] as const) {
  for (const build of ['retail', 'debug'] as const) {
    for (const call of [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls]) {
      cuts(`C-92: ${call.name} [${placement}, ${build}]`, () => {
        const cutting = new Cutting(() => crowded(placement, build), call)
        for (const k of cutsOf(cutting.steps, 120)) {
          cutting.die(k)
          deaths++
        }
      })
    }
  }
}
cuts('were many', () => {
  assert.ok(deaths > 5000, `${deaths} deaths`)
})
cuts.run()
