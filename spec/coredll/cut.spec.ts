// A thread that dies before any store of any call leaves a process in which the others go on (C-92): simulated, store by store.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from './cutcalls.ts'
import { Cutting, cutsOf, heirsOf } from './cutting.ts'

const calls = [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls]

const cuts = suite('a thread is cut off before each store')
let deaths = 0

for (const placement of ['segregated', 'next-fit'] as const) {
  for (const build of ['retail', 'debug'] as const) {
    for (const call of calls) {
      cuts(`C-92: ${call.name} [${placement}, ${build}]`, () => {
        const cutting = new Cutting(() => crowded(placement, build), call)
        for (const k of cutsOf(cutting.steps, 75)) {
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

for (const [n, call] of calls.entries()) {
  const placement = n % 2 === 0 ? 'segregated' : 'next-fit'
  const build = n % 3 === 0 ? 'debug' : 'retail'
  twice(`C-92: ${call.name} [${placement}, ${build}]`, () => {
    const cutting = new Cutting(() => crowded(placement, build), call)
    // In the middle, and with all done but the way out of the section.
    for (const k of [cutting.steps >>> 1, cutting.steps - 2, cutting.steps - 1])
      for (const j of heirsOf(cutting.dieTwice(k, Number.POSITIVE_INFINITY), 16, 4)) cutting.dieTwice(k, j)
  })
}

// HeapReAlloc that moves is the call with the most to lose, and was lost once: both blocks, where the mending was cut off at its very end.
twice('C-92: HeapReAlloc that moves, at every store of the call and of the mending', () => {
  const call = calls.find(({ name }) => name === 'HeapReAlloc: moves') as (typeof calls)[number]
  const cutting = new Cutting(() => crowded('segregated', 'retail'), call)
  const { deaths, heirs, judged } = cutting.everyDeath()
  assert.is(deaths, cutting.steps)
  assert.ok(heirs > 10_000 && judged > 10, `${heirs} and ${judged}`)
})

twice('what a journal of the steps tells is what a thread leaves that is cut off', () => {
  for (const name of [
    'HeapReAlloc: moves, zeroed',
    'HeapAlloc: a big block',
    'VirtualProtect',
    'on lent pages: HeapAlloc that asks for pages'
  ]) {
    const call = calls.find((one) => one.name === name) as (typeof calls)[number]
    const cutting = new Cutting(() => crowded('next-fit', 'retail'), call)
    const names = new Set<string>()
    for (let k = 0; k < cutting.steps; k++) {
      const { told, found } = cutting.left(k)
      assert.is(told, found, `${name}, step ${k}`)
      names.add(told)
    }
    assert.ok(names.size > 5, name)
  }
})
twice.run()
