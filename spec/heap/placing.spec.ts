// Which free block a request takes (C-25), on the hot path and on the plain one, which debug builds and processes with injected failures take.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProcessOptions } from '../../src/index.ts'
import { COLD } from '../../src/machine/machine.ts'
import { type World, world } from './heaps.ts'

const KB = 1024
const MB = 1024 * KB

/** Worlds that take a request by each path: hot, plain, and plain with a sentinel behind each block. */
const paths: readonly [string, number, (options: ProcessOptions, maximum: number) => World][] = [
  ['hot', 0, (options, maximum) => world(options, maximum)],
  [
    'plain',
    0,
    (options, maximum) => {
      const made = world(options, maximum)
      made.ce.machine.goBy(COLD)
      return made
    }
  ],
  ['debug', 32, (options, maximum) => world({ ...options, build: 'debug' }, maximum)]
]

const segregated = suite('placing: segregated')
const nextfit = suite('placing: next-fit')

for (const [path, guard, make] of paths) {
  segregated(`a freed block of 64 granules or more serves the same request again, whatever larger ones are free [${path}]`, () => {
    const { alloc, free, process } = make({ placement: 'segregated' }, 1024 * KB)
    for (const granules of [64, 65, 66, 100, 127, 128, 129, 500, 1023, 1024, 1500]) {
      const size = granules * 32 - guard
      const block = alloc(size)
      const wall = alloc(1)
      free(block)
      assert.is(alloc(size), block, `${granules} granules`)
      free(block)
      free(wall)
    }
    process.check()
  })

  segregated(`a block one granule too small in the request's own list is passed over, and taken for its own size [${path}]`, () => {
    const { alloc, free } = make({ placement: 'segregated' }, 1024 * KB)
    // 130 and 131 granules are of one list.
    const small = alloc(130 * 32 - guard)
    alloc(1)
    free(small)
    assert.is.not(alloc(131 * 32 - guard), small)
    assert.is(alloc(130 * 32 - guard), small)
  })

  segregated(`a fixed heap refuses only what no free block holds, in the request's own list too [${path}]`, () => {
    const { alloc, free, info } = make({ placement: 'segregated' }, 256 * KB)
    // 128 to 131 granules are of one list; the one that fits lies behind the others.
    const sizes = [131, 130, 129, 128]
    const blocks = sizes.map((granules) => {
      const block = alloc(granules * 32 - guard)
      alloc(1)
      return block
    })
    for (let rest = info().largestFree; rest > 0 && alloc(rest - guard) !== 0; ) rest = info().largestFree
    for (const block of blocks) free(block)
    assert.is(alloc(132 * 32 - guard), 0)
    for (const [n, granules] of sizes.entries()) assert.is(alloc(granules * 32 - guard), blocks[n], `${granules} granules`)
    assert.is(alloc(128 * 32 - guard), 0)
  })

  nextfit(
    `the one free block that fits is found wherever it lies in a heap of 8 MB, and nothing where there is none (HI-2) [${path}]`,
    () => {
      const { alloc, free, process } = make({ placement: 'next-fit', memory: 16 * MB }, 8 * MB)
      const blocks: [large: number, small: number][] = []
      for (let large = alloc(40_000); large !== 0; large = alloc(40_000)) blocks.push([large, alloc(8000)])
      while (alloc(1000) !== 0);
      const middle = blocks.length >> 1
      for (const rover of [1, middle, blocks.length - 2]) {
        for (let at = 0; at < blocks.length; at += 9) {
          const [large] = blocks[at] as [number, number]
          free(large)
          const other = (blocks[rover] as [number, number])[1]
          // The search starts at what was freed last, which is too small.
          if (other !== 0 && rover !== at) free(other)
          assert.is(alloc(40_000), large, `block ${at}, search from ${rover}`)
          assert.is(alloc(40_000), 0)
          if (other !== 0 && rover !== at) assert.is(alloc(8000), other)
        }
      }
      process.check()
    }
  )
}
segregated.run()
nextfit.run()
