// The index of free blocks of a next-fit heap (heap/cells.ts): what it rules out and goes through, and what is left of it where a region ended.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { type CeProcess, createProcess, type ProcessOptions } from '../../src/index.ts'
import { boundsAt } from '../../src/heap/cells.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { COLD } from '../../src/machine/machine.ts'
import { Pair, type Step } from './pair.ts'

const KB = 1024
const MB = 1024 * KB
const UNIT = 64 * KB

/** A next-fit process on the plain path, which is the TypeScript of heap/cells.ts. */
function plain(options: ProcessOptions = {}): CeProcess {
  const process = createProcess({ placement: 'next-fit', memory: MB, ...options })
  process.thread.machine.hot = COLD
  return process
}

/** Takes all that is free in blocks of 32 bytes. */
function fill(pair: Pair): void {
  while (pair.alloc(32) !== 0);
}

const search = suite('next-fit index: the search')

search('two holes and a start of the search at the borders of words, cells and units: each request finds what the naive list gives', () => {
  const process = plain()
  const pair = new Pair(process, 2 * UNIT, false)
  fill(pair)
  const [last, first] = [Math.max(...pair.live), Math.min(...pair.live)]
  // In granules; words of the index have 32, cells 64, units 2,048.
  const base = Math.floor(first / UNIT) * 2048
  const borders = [2048 - 32, 2048, 2048 + 32, 2048 + 64, 2048 + 128, 4096 - 64].flatMap((border) => [
    border - 1,
    border,
    border + 1,
    border + 9
  ])
  const places = [first / 32, first / 32 + 3, ...borders.map((border) => base + border), last / 32 - 1]
  let n = 0
  for (const rover of places) {
    for (const hole of places) {
      const other = places[n++ % places.length] as number
      for (const granule of new Set([hole, hole + 1, other, other + 1])) if (granule !== rover) pair.free(granule * 32)
      pair.free(rover * 32)
      const wide = pair.live.length
      while (pair.alloc(64) !== 0);
      fill(pair)
      for (const p of pair.live.slice(wide)) pair.free(p)
      fill(pair)
    }
  }
  process.check()
})

search('at the last block of a region the search does not go on into the next region, which may be another heap', () => {
  const process = plain()
  const pair = new Pair(process, UNIT, false)
  fill(pair)
  const next = new Pair(process, 0, false)
  const last = Math.max(...pair.live)
  assert.is(next.alloc(32), last + 32)
  next.free(last + 32)
  pair.free(last - 32)
  pair.free(last)
  assert.is(pair.alloc(32), last - 32)
  assert.is(pair.alloc(32), last)
  assert.is(pair.alloc(32), 0)
  process.check()
})

search('after a request that was refused each smaller hole is still found, the larger one of a cell too', () => {
  const process = plain()
  const pair = new Pair(process, UNIT, false)
  fill(pair)
  const cell = pair.live.find((p) => p % 2048 === 0) as number
  const free = (...granules: number[]): void => {
    for (const granule of granules) pair.free(cell + granule * 32)
  }
  // Four granules of which the first is taken again: the bounds still say four.
  free(2, 3, 4, 5)
  assert.is(pair.alloc(32), cell + 64)
  free(20)
  assert.is(pair.alloc(128), 0)
  process.check()
  assert.is(pair.alloc(96), cell + 96)
  process.check()
})

search('in a region of more than 32 units each group of units is ruled out by its own bound', () => {
  const process = plain({ memory: 8 * MB })
  const pair = new Pair(process, 70 * UNIT, false)
  const large: number[] = []
  const small: number[] = []
  for (let p = pair.alloc(28_000); p !== 0; p = pair.alloc(28_000)) {
    large.push(p)
    small.push(pair.alloc(2000))
  }
  fill(pair)
  // Nothing is free: every bound that is looked at falls, to be raised by these two alone.
  for (const hole of [3, 80, 150]) {
    for (const rover of [20, 50, 57, 59, 61, 63, 70, 100, 145]) {
      pair.free(large[hole] as number)
      pair.free(small[rover] as number)
      assert.is(pair.alloc(28_000), large[hole])
      assert.is(pair.alloc(28_000), 0)
      assert.is(pair.alloc(2000), small[rover])
    }
  }
  process.check()
})

search('one that finds nothing from the start of the heap on leaves each bound at the largest free block below it', () => {
  const process = plain({ memory: 8 * MB })
  const { thread: ce } = process
  const { machine } = ce
  const heap = ce.HeapCreate(0, 0, 70 * UNIT)
  const record = recordOf(machine, heap)
  const blocks: number[] = []
  for (let p = ce.HeapAlloc(heap, 0, 1024); p !== 0; p = ce.HeapAlloc(heap, 0, 1024)) blocks.push(p)
  while (ce.HeapAlloc(heap, 0, 32) !== 0);
  // Every bound is 32 granules from here on, and nothing free.
  for (const p of blocks) {
    ce.HeapFree(heap, 0, p)
    assert.is(ce.HeapAlloc(heap, 0, 1024), p)
  }
  const region = machine.sys[record + REC.REGIONS] as number
  // By unit of the region: granules that come free there. Three groups of units, the last one of six.
  const holes = new Map([
    [5, 3],
    [31, 2],
    [32, 5],
    [40, 4],
    [63, 1],
    [66, 6]
  ])
  const cells = new Array<number>(70 * 32).fill(0)
  for (const [unit, granules] of holes) {
    const p = blocks.find((block) => block >= (region + unit) * UNIT) as number
    assert.is(ce.HeapReAlloc(heap, 0, p, 1024 - 32 * granules), p)
    cells[Math.floor((p + 1024 - 32 * granules) / 2048) - region * 32] = granules
  }
  machine.sys[record + REC.ROVER] = 0
  assert.is(ce.HeapAlloc(heap, 0, 500), 0)
  process.check()
  const most = (from: number, to: number): number => Math.max(...cells.slice(from, to))
  for (const [cell, granules] of cells.entries()) {
    const [unit, group] = [Math.floor(cell / 32) * 32, Math.floor(cell / 1024) * 1024]
    assert.equal(
      boundsAt(machine, region * 32 + cell),
      { cell: granules, unit: most(unit, unit + 32), group: most(group, group + 1024) },
      `cell ${cell}`
    )
  }
})
search.run()

interface Case {
  readonly maximum: number
  readonly debug: boolean
  readonly steps: readonly Step[]
}

const KINDS = ['alloc', 'alloc', 'alloc', 'alloc', 'free', 'free', 'free', 'realloc', 'in place', 'compact'] as const

/** Calls on two heaps; `most` is the largest request in bytes. */
function casesOf(maximum: number, most: number, calls: number): fc.Arbitrary<Case> {
  const call = fc.nat({ max: 59 }).map((n) => KINDS[n === 59 ? 9 : n % 9] as Step['call'])
  const bytes = fc.oneof(fc.integer({ min: 1, max: most }), fc.integer({ min: 1, max: most >> 3 }))
  const step = fc.record({ call, heap: fc.nat({ max: 1 }), pick: fc.nat({ max: 1 << 20 }), bytes })
  return fc.record({
    maximum: fc.constant(maximum),
    debug: fc.boolean(),
    steps: fc.array(step, { minLength: calls, maxLength: calls })
  })
}

const sound = suite('next-fit index: every invariant after every call')

/** Name, bytes of user memory, cases. */
const shapes: readonly [string, number, fc.Arbitrary<Case>][] = [
  ['growable, regions of three units', 2 * MB, casesOf(0, 100 * KB, 120)],
  ['fixed, three units', MB, casesOf(180 * KB, 20 * KB, 120)],
  ['fixed, 72 units: three groups', 12 * MB, casesOf(4608 * KB, 400 * KB, 60)]
]

for (const [name, memory, cases] of shapes) {
  sound(`the pointers of the naive list, and process.check() [${name}]`, () => {
    property(
      'heap/nextfitindex',
      cases,
      ({ maximum, debug, steps }) => {
        const process = plain({ profile: 'ce-5.0', memory, build: debug ? 'debug' : 'retail' })
        const pairs = [new Pair(process, maximum, debug), new Pair(process, maximum, debug)] as const
        for (const step of steps) {
          pairs[step.heap === 0 ? 0 : 1].step(step)
          process.check()
        }
      },
      { runs: 5 }
    )
  })
}
sound.run()

const reopened = suite('next-fit index: where a region ended')

reopened('nothing of its free blocks and bounds is left for the region that is opened there', () => {
  const process = plain()
  const { thread } = process
  // One unit; behind it three, with a larger free block; then two units in the place of both.
  const one = thread.HeapCreate(0, 0, 4 * KB)
  const three = thread.HeapCreate(0, 0, 3 * UNIT)
  for (const heap of [one, three]) {
    const blocks = Array.from({ length: 9 }, () => thread.HeapAlloc(heap, 0, 100))
    for (const n of [1, 3, 7]) thread.HeapFree(heap, 0, blocks[n] as number)
    process.check()
  }
  for (const heap of [one, three]) assert.is(thread.HeapDestroy(heap), 1)
  const two = new Pair(process, 2 * UNIT, false)
  process.check()
  fill(two)
  process.check()
})
reopened.run()
