// segregated: the two-level lists that every profile but ce-5.0 takes blocks from (C-25).
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { type CeProcess, createProcess, profiles } from '../../src/index.ts'
import { script } from './script.ts'

const KB = 1024

const placing = suite('segregated: which free block a request takes (C-25)')

placing('every profile but ce-5.0 uses it unless told otherwise', () => {
  for (const { name } of Object.values(profiles)) {
    const [heap] = createProcess({ profile: name, memory: 512 * KB }).snapshot().heaps
    assert.is(heap?.placement, name === 'ce-5.0' ? 'next-fit' : 'segregated')
  }
})

placing('below 32 granules each size has its list, and the block freed last is taken first', () => {
  const ce = createProcess({ memory: 2048 * KB }).thread
  const heap = ce.HeapCreate(0, 0, 512 * KB)
  for (let size = 32; size < 32 * 32; size += 32) {
    const blocks: number[] = []
    for (let n = 0; n < 5; n++) {
      blocks.push(ce.HeapAlloc(heap, 0, size))
      // Keeps the neighbours apart once they are free.
      ce.HeapAlloc(heap, 0, 32)
    }
    const order = [3, 0, 4, 1, 2]
    for (const n of order) ce.HeapFree(heap, 0, blocks[n] as number)
    for (const n of order.reverse()) assert.is(ce.HeapAlloc(heap, 0, size), blocks[n], `${size} bytes`)
  }
})

placing('a size without a free block of its own takes from the next larger list, from the lower end of the block', () => {
  const ce = createProcess({ memory: 1024 * KB }).thread
  const heap = ce.HeapCreate(0, 0, 64 * KB)
  const [large, , small] = [ce.HeapAlloc(heap, 0, 800), ce.HeapAlloc(heap, 0, 32), ce.HeapAlloc(heap, 0, 320), ce.HeapAlloc(heap, 0, 32)]
  ce.HeapFree(heap, 0, small)
  ce.HeapFree(heap, 0, large)
  assert.is(ce.HeapAlloc(heap, 0, 300), small)
  ce.HeapFree(heap, 0, small)
  assert.is(ce.HeapAlloc(heap, 0, 321), large)
  assert.is(ce.HeapAlloc(heap, 0, 400), large + 352)
})

placing('a freed block goes back with its neighbours: what was cut up is whole again', () => {
  const process = createProcess({ memory: 1024 * KB })
  const ce = process.thread
  const heap = ce.HeapCreate(0, 0, 64 * KB)
  const [, fresh] = process.snapshot().heaps
  const blocks = Array.from({ length: 100 }, (_, n) => ce.HeapAlloc(heap, 0, 1 + n * 5))
  for (const n of blocks.keys()) ce.HeapFree(heap, 0, blocks[(n * 37) % 100] as number)
  const [, after] = process.snapshot().heaps
  assert.equal(after?.blocks, fresh?.blocks)
  assert.is(after?.largestFree, fresh?.largestFree)
})
placing.run()

interface Step {
  readonly free: boolean
  readonly pick: number
  readonly bytes: number
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    free: fc.integer({ min: 0, max: 9 }).map((n) => n < 4),
    pick: fc.nat({ max: 1 << 20 }),
    bytes: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 6000 }))
  }),
  { maxLength: 300, size: 'max' }
)

function freeBlocks(process: CeProcess): { address: number; size: number }[] {
  return process.snapshot().heaps[1]?.blocks.filter(({ state }) => state === 'free') ?? []
}

const fit = suite('segregated: a good fit')

fit('a fixed heap refuses a request only if no free block is large enough, and otherwise takes one of the smallest list that surely fits', () => {
  property(
    'heap/segregated',
    fc.record({ debug: fc.boolean(), steps }),
    ({ debug, steps }) => {
      const process = createProcess({ memory: 512 * KB, build: debug ? 'debug' : 'retail' })
      const ce = process.thread
      const heap = ce.HeapCreate(0, 0, 48 * KB)
      const live: number[] = []
      for (const { free, pick, bytes } of steps) {
        if (free && live.length > 0) {
          ce.HeapFree(heap, 0, live.splice(pick % live.length, 1)[0] as number)
          continue
        }
        const need = Math.ceil(bytes / 32) + (debug ? 1 : 0)
        const sizes = freeBlocks(process)
        const p = ce.HeapAlloc(heap, 0, bytes)
        assert.is(
          p !== 0,
          sizes.some(({ size }) => size >= need * 32)
        )
        if (p === 0) continue
        live.push(p)
        const taken = (sizes.find(({ address }) => address === p)?.size ?? 0) / 32
        // A list spans one size below 32 granules, and a 32nd of its smallest size's power of two above.
        const span = need < 32 ? 1 : 2 ** (Math.floor(Math.log2(need)) - 5)
        const sure = sizes.map(({ size }) => size / 32).filter((size) => size >= Math.ceil(need / span) * span)
        if (sure.length === 0) assert.ok(taken >= need, 'only the list of the size itself was left')
        else
          assert.ok(
            taken >= need && taken <= Math.min(...sure) * (1 + 1 / 32),
            `took ${taken} granules for ${need}, the least sure fit is ${Math.min(...sure)}`
          )
      }
      process.check()
    },
    { runs: 60 }
  )
})
fit.run()

const determinism = suite('the same calls give the same process')

for (const placement of ['segregated', 'next-fit'] as const) {
  for (const build of ['retail', 'debug'] as const) {
    determinism(`twice in one JavaScript process and once in another: the same results and image (C-25) [${placement} ${build}]`, () => {
      const first = script(placement, build)
      assert.is(script(placement, build), first)
      const program = fileURLToPath(new URL('./script.js', import.meta.url))
      assert.is(execFileSync(process.execPath, [program, placement, build], { encoding: 'utf8' }), first)
    })
  }
}

determinism('the two placements and builds give different images: the image tells them apart', () => {
  const images = [script('segregated', 'retail'), script('next-fit', 'retail'), script('segregated', 'debug'), script('next-fit', 'debug')]
  assert.is(new Set(images.map((image) => image.slice(0, 16))).size, 4)
})

/** One change each to a process that is otherwise the same. */
const differences: readonly [string, (process: CeProcess, block: number) => void][] = [
  ['a byte of a committed page', ({ thread }, block) => thread.memory.writeU8(block + 5, 1)],
  ['a last error', ({ thread }) => thread.SetLastError(1)],
  ['a block', ({ thread }) => thread.HeapAlloc(thread.GetProcessHeap(), 0, 1)],
  ['the requested size of a block', ({ thread }, block) => thread.HeapReAlloc(thread.GetProcessHeap(), 0, block, 99)],
  ['a heap', ({ thread }) => thread.HeapCreate(0, 0, 0)],
  ['a heap that was made and ended: the next has another handle', ({ thread }) => thread.HeapDestroy(thread.HeapCreate(0, 0, 0))],
  ['a reservation', ({ thread }) => thread.VirtualAlloc(0, 1, 0x2000, 4)]
]

for (const [name, change] of differences) {
  determinism(`the image shows ${name}`, () => {
    const make = (): [CeProcess, number] => {
      const process = createProcess({ memory: 512 * KB })
      return [process, process.thread.HeapAlloc(process.thread.GetProcessHeap(), 0, 100)]
    }
    const [one, block] = make()
    assert.is(one.imageHash(), make()[0].imageHash())
    change(one, block)
    assert.is.not(one.imageHash(), make()[0].imageHash())
  })
}
determinism('the image shows the order of a free list', () => {
  const images = [0, 1].map((first) => {
    const process = createProcess({ memory: 512 * KB })
    const { thread } = process
    const heap = thread.GetProcessHeap()
    const blocks = [0, 1, 2, 3].map(() => thread.HeapAlloc(heap, 0, 32))
    thread.HeapFree(heap, 0, blocks[first * 2] as number)
    thread.HeapFree(heap, 0, blocks[2 - first * 2] as number)
    return process.imageHash()
  })
  assert.is.not(images[0], images[1])
})
determinism.run()
