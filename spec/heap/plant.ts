import * as assert from 'uvu/assert'
import { recordOf } from '../../src/heap/record.ts'
import {
  type Build,
  type CeProcess,
  type CeThread,
  createProcess,
  InvariantError,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import type { Machine } from '../../src/machine/machine.ts'

/** What a plant has to hand: blocks as granules, heaps as records, reservations as units. */
export interface Field {
  readonly process: CeProcess
  readonly ce: CeThread
  readonly machine: Machine
  /** A growable heap: two regions, two big blocks. In the first region live `a`, free `hole`, live `b`, the rest free. */
  readonly heap: number
  readonly record: number
  readonly a: number
  readonly hole: number
  readonly b: number
  readonly rest: number
  readonly regions: readonly [number, number]
  readonly bigs: readonly [number, number]
  /** A fixed heap with one live block. */
  readonly fixed: number
  readonly fixedRecord: number
  /** A reservation of the app: two pages, the first committed. */
  readonly app: number
}

export function field(placement: 'segregated' | 'next-fit', build: Build = 'retail'): Field {
  const process = createProcess({ placement, build, memory: 1024 * 1024 })
  const ce = process.thread
  const machine = ce.machine
  const heap = ce.HeapCreate(0, 0, 0)
  const alloc = (bytes: number): number => ce.HeapAlloc(heap, 0, bytes) / 32
  const a = alloc(100)
  const hole = alloc(320)
  const b = alloc(100)
  alloc(60_000)
  const newer = alloc(200_000)
  const newest = alloc(100_000)
  ce.HeapFree(heap, 0, hole * 32)
  const fixed = ce.HeapCreate(0, 0, 16 * 1024)
  ce.HeapAlloc(fixed, 0, 5000)
  const app = ce.VirtualAlloc(0, 8 * 1024, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(app, 1, MEM_COMMIT, PAGE_READWRITE)
  // A second region, without anything live in it but one block.
  const far = alloc(8000)
  const [first, second] = (process.snapshot().heaps.find(({ handle }) => handle === heap)?.regions ?? []).map(
    ({ address }) => address / 65_536
  )
  assert.is(second, Math.floor(far / 2048))
  process.check()
  return {
    process,
    ce,
    machine,
    heap,
    record: recordOf(machine, heap),
    a,
    hole,
    b,
    rest: b + 4 + 60_000 / 32,
    regions: [first as number, second as number],
    bigs: [newest / 2048, newer / 2048],
    fixed,
    fixedRecord: recordOf(machine, fixed),
    app: app / 65_536
  }
}

export interface Plant {
  readonly invariant: string
  readonly placement?: 'segregated' | 'next-fit'
  /** Which heap HeapValidate has to refuse, if the fault is in one. */
  readonly heap?: 'heap' | 'fixed'
  readonly plant: (field: Field) => void
  readonly says: RegExp
}

/** Sets one word of a block's entry in the block map. */
export function setWord({ machine }: Field, granule: number, word: number, value: number): void {
  assert.is.not(machine.map[granule * 4 + word], value, 'the plant changes nothing')
  machine.map[granule * 4 + word] = value
}

export function addTo(words: Int32Array, at: number, value: number): void {
  words[at] = (words[at] as number) + value
}

/** Plants each fault in a sound process of its own. */
export function run(test: (name: string, body: () => void) => void, plants: readonly Plant[]): void {
  for (const { invariant, placement, heap, plant, says } of plants) {
    for (const where of placement === undefined ? (['segregated', 'next-fit'] as const) : [placement]) {
      test(`${invariant} [${where}]`, () => {
        const world = field(where)
        for (const handle of [world.heap, world.fixed]) assert.is(world.ce.HeapValidate(handle, 0, 0), 1)
        plant(world)
        try {
          world.process.check()
        } catch (error) {
          assert.instance(error, InvariantError)
          assert.match((error as Error).message, /^the process's state contradicts itself: /)
          assert.match((error as Error).message, says)
          if (heap !== undefined) assert.is(world.ce.HeapValidate(world[heap], 0, 0), 0, 'HV-2: HeapValidate sees it too')
          return
        }
        assert.unreachable('the fault was not seen')
      })
    }
  }
}
