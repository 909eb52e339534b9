// Any calls of two hosts of one process, beside sums of their own: what is charged is what there is, and no level exceeds its budget.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { hostReport, type IHostMalloc, type IHostMemoryManager, openHost } from '../../src/hosting/index.ts'
import {
  E_OUTOFMEMORY,
  HOST_E_INVALIDOPERATION,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { open, type Place, places, type World } from '../coredll/world.ts'

const calls = [
  'alloc',
  'alloc',
  'alloc',
  'free',
  'free',
  'foreign',
  'create',
  'release',
  'reserve',
  'commit',
  'commit',
  'decommit',
  'releasePages'
] as const

interface Command {
  readonly do: (typeof calls)[number]
  readonly host: number
  readonly at: number
  readonly bytes: number
  readonly level: number
}

const command: fc.Arbitrary<Command> = fc.record({
  do: fc.constantFrom(...calls),
  host: fc.integer({ min: 0, max: 1 }),
  at: fc.nat(),
  bytes: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 40_000 })),
  level: fc.integer({ min: 0, max: 1 })
})

const BUDGETS = [100_000, 200_000] as const
const PAGES = 16

interface Mine {
  readonly host: number
  readonly malloc: IHostMalloc
  readonly blocks: Map<number, number>
}

interface Segment {
  readonly host: number
  readonly address: number
  readonly committed: Set<number>
}

class Day {
  readonly #world: World
  readonly #hosts: readonly IHostMemoryManager[]
  readonly #mallocs: Mine[] = []
  readonly #segments: Segment[] = []

  constructor(place: Place) {
    this.#world = open(place, { memory: 8 * 1024 * 1024 })
    this.#hosts = [0, 1].map(() => openHost(this.#world.ce, { budget: { task: BUDGETS[0], appDomain: BUDGETS[1] } }))
  }

  get #used(): number {
    const blocks = this.#mallocs.flatMap(({ blocks }) => [...blocks.values()])
    const pages = this.#segments.reduce((sum, { committed }) => sum + committed.size, 0)
    return blocks.reduce((sum, bytes) => sum + bytes, 0) + pages * 4096
  }

  run({ do: call, host, at, bytes, level }: Command): void {
    const manager = this.#hosts[host] as IHostMemoryManager
    const mine = this.#mallocs[at % (this.#mallocs.length || 1)]
    const segment = this.#segments[at % (this.#segments.length || 1)]
    if (call === 'create') {
      const { ppMalloc } = manager.CreateMalloc(at % 4)
      if (ppMalloc !== null) this.#mallocs.push({ host, malloc: ppMalloc, blocks: new Map() })
    } else if (call === 'reserve') {
      const { hr, ppMem } = manager.VirtualAlloc(0, PAGES * 4096, MEM_RESERVE, PAGE_READWRITE, level)
      if (hr === S_OK) this.#segments.push({ host, address: ppMem, committed: new Set() })
    } else if (mine !== undefined && ['alloc', 'free', 'foreign', 'release'].includes(call)) this.#onMalloc(call, mine, at, bytes, level)
    else if (segment !== undefined) this.#onSegment(call, segment, at, bytes, level)
    this.#compare()
  }

  #onMalloc(call: Command['do'], mine: Mine, at: number, bytes: number, level: number): void {
    const { malloc, blocks } = mine
    const pointer = [...blocks.keys()][at % (blocks.size || 1)]
    if (call === 'alloc') {
      const before = this.#used
      const { hr, ppMem } = malloc.DebugAlloc(bytes, level, 'day.cpp', at % 1000)
      const fits = bytes === 0 || before + bytes <= (BUDGETS[level] as number)
      assert.is(hr, fits && ppMem !== 0 ? S_OK : E_OUTOFMEMORY)
      if (ppMem !== 0) blocks.set(ppMem, this.#world.size(bytes))
    } else if (call === 'free' && pointer !== undefined) {
      assert.is(malloc.Free(pointer), S_OK)
      blocks.delete(pointer)
    } else if (call === 'foreign') {
      const other = this.#mallocs.find((one) => one !== mine && one.blocks.size > 0)
      assert.is(malloc.Free([...(other?.blocks.keys() ?? [7])][0] as number), HOST_E_INVALIDOPERATION)
    } else if (call === 'release') {
      malloc.Release()
      this.#mallocs.splice(this.#mallocs.indexOf(mine), 1)
    }
  }

  #onSegment(call: Command['do'], segment: Segment, at: number, bytes: number, level: number): void {
    const manager = this.#hosts[segment.host] as IHostMemoryManager
    const { address, committed } = segment
    const first = at % PAGES
    const count = Math.min(1 + (bytes % 5), PAGES - first)
    const range = Array.from({ length: count }, (_, n) => first + n)
    if (call === 'commit') {
      const missing = range.filter((page) => !committed.has(page)).length * 4096
      const fits = missing === 0 || this.#used + missing <= (BUDGETS[level] as number)
      const { hr } = manager.VirtualAlloc(address + first * 4096, count * 4096, MEM_COMMIT, PAGE_READWRITE, level)
      assert.is(hr, fits ? S_OK : E_OUTOFMEMORY)
      if (fits) for (const page of range) committed.add(page)
    } else if (call === 'decommit') {
      assert.is(manager.VirtualFree(address + first * 4096, count * 4096, MEM_DECOMMIT), S_OK)
      for (const page of range) committed.delete(page)
    } else if (call === 'releasePages') {
      const mixed = committed.size > 0 && committed.size < PAGES
      const other = this.#hosts[1 - segment.host] as IHostMemoryManager
      assert.is(other.VirtualFree(address, 0, MEM_RELEASE), HOST_E_INVALIDOPERATION)
      assert.is(manager.VirtualFree(address, 0, MEM_RELEASE), mixed ? 0x80070057 : S_OK)
      if (!mixed) this.#segments.splice(this.#segments.indexOf(segment), 1)
    }
  }

  #compare(): void {
    const reports = this.#hosts.map(hostReport)
    for (const { bytes, available } of reports) assert.equal([bytes, available], [this.#used, true])
    assert.ok(this.#used <= BUDGETS[1] + 4096)
  }

  end(): void {
    this.#hosts.forEach((host, n) => {
      const { mallocs, reservations } = hostReport(host)
      assert.equal(
        mallocs.map(({ blocks }) => blocks.map(({ address }) => address).sort((a, b) => a - b)),
        this.#mallocs.filter((mine) => mine.host === n).map(({ blocks }) => [...blocks.keys()].sort((a, b) => a - b))
      )
      assert.is(
        reservations.reduce((sum, { committed }) => sum + committed, 0),
        this.#segments.filter((one) => one.host === n).reduce((sum, { committed }) => sum + committed.size * 4096, 0)
      )
    })
    this.#world.process.check()
    for (const { malloc } of this.#mallocs) malloc.Release()
    this.#world.process.check()
  }
}

const days = suite('hosts and their sums')
for (const place of places) {
  days(`HO-6, HO-8, HO-10, HO-12, HO-13, C-86 to C-89: the report, the budget and the pages agree [${place.name}]`, () => {
    property(
      'hosting/property',
      fc.array(command, { minLength: 1, maxLength: 300, size: 'max' }),
      (commands) => {
        const day = new Day(place)
        commands.forEach((one, n) => {
          try {
            day.run(one)
          } catch (error) {
            const { message, actual, expected } = error as { message: string; actual?: unknown; expected?: unknown }
            throw new Error(
              `${place.name}: call ${n + 1}, ${JSON.stringify(one)}: ${message} (${JSON.stringify(actual)} for ${JSON.stringify(expected)})`
            )
          }
        })
        day.end()
      },
      { runs: 8, within: 15_000 }
    )
  })
}
days.run()
