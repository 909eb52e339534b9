// A thread that dies before any store of any call leaves a process in which the others go on (C-92): simulated, store by store.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from './cutcalls.ts'
import { Cutting, cutsOf } from './cutting.ts'

const calls = [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls]

const cuts = suite('a thread is cut off before each store')
let deaths = 0

for (const placement of ['segregated', 'next-fit'] as const) {
  for (const build of ['retail', 'debug'] as const) {
    for (const call of calls) {
      cuts(`C-92: ${call.name} [${placement}, ${build}]`, () => {
        const cutting = new Cutting(() => crowded(placement, build), call)
        for (const k of cutsOf(cutting.steps, 90)) {
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

const twice = suite('who mends after it is cut off as well')

for (const [placement, build] of [
  ['segregated', 'debug'],
  ['next-fit', 'retail']
] as const) {
  for (const call of calls) {
    twice(`C-92: ${call.name} [${placement}, ${build}]`, () => {
      const cutting = new Cutting(() => crowded(placement, build), call)
      for (const share of [0.5, 0.97]) {
        const k = Math.floor(cutting.steps * share)
        const steps = cutting.dieTwice(k, Number.POSITIVE_INFINITY)
        for (const j of cutsOf(steps, 9)) cutting.dieTwice(k, j)
      }
    })
  }
}
twice.run()
