import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NO_MORE_FILES,
  HF32_DEFAULT,
  LF32_BIGBLOCK,
  LF32_DECOMMIT,
  LF32_FREE,
  TH32CS_SNAPHEAPLIST,
  TH32CS_SNAPNOHEAPS,
  TH32CS_SNAPPROCESS
} from '../constants.ts'
import { HEAPENTRY32, HEAPLIST32 } from '../coredll/structures.ts'
import type { Draw } from './draw.ts'
import { hex, must } from './disagreement.ts'
import type { HeapModel } from './heapmodel.ts'
import type { World } from './world.ts'

/** Walks with tool help, over the moment of their snapshot and not the one of the walk. */

const LIST_AT = 512
const ENTRY_AT = 576
const MOST_OPEN = 3
const NO_HANDLE = 0xffffffff

/** One heap as a walk must show it: its items as `address size kind`, in any order, and the free ones that have a hole in any case. */
interface Expected {
  readonly isDefault: boolean
  readonly items: readonly string[]
  readonly holes: ReadonlySet<number>
}

interface Open {
  readonly handle: number
  readonly heaps: readonly Expected[]
}

const item = (address: number, size: number, kind: string): string => `${address} ${size} ${kind}`

function expectedOf(model: HeapModel): Expected[] {
  return model.heaps.map((heap) => {
    const gaps = model.gaps(heap)
    const items = [
      ...heap.blocks.map(({ address, room }) => item(address, room, 'live')),
      ...heap.bigs.map(({ address, room }) => item(address, room, 'big')),
      ...gaps.map(({ address, size }) => item(address, size, 'free'))
    ].sort()
    const holes = new Set(gaps.filter(({ address, size }) => model.pages.missing(address, size) > 0).map(({ address }) => address))
    return { isDefault: heap === model.heaps[0], items, holes }
  })
}

export class ToolHelp {
  readonly #world: World
  readonly #open: Open[] = []

  constructor(world: World) {
    this.#world = world
  }

  call(draw: Draw, thread: number): void {
    const kind = draw.below(8)
    const one = draw.any(this.#open)
    if (kind < 3 && this.#open.length < MOST_OPEN) this.#create(draw, thread)
    else if (kind < 4) this.#onNothing(draw, thread)
    else if (one === undefined) return
    else if (kind < 6) this.walk(one, thread)
    else this.#close(one, thread)
  }

  #create(draw: Draw, thread: number): void {
    const ce = this.#world.ce(thread)
    this.#world.begin()
    const flags = draw.pick([TH32CS_SNAPHEAPLIST, TH32CS_SNAPHEAPLIST, TH32CS_SNAPPROCESS, TH32CS_SNAPPROCESS | TH32CS_SNAPNOHEAPS, 0])
    const handle = ce.CreateToolhelp32Snapshot(flags, 0)
    if (flags === 0) {
      this.#world.expect(thread, 'CreateToolhelp32Snapshot', handle, { result: NO_HANDLE, error: ERROR_INVALID_PARAMETER })
      return
    }
    must(handle !== NO_HANDLE && handle !== 0, () => 'CreateToolhelp32Snapshot failed')
    this.#world.left(thread, 'CreateToolhelp32Snapshot', undefined)
    const heaps = (flags & TH32CS_SNAPNOHEAPS) !== 0 ? [] : expectedOf(this.#world.heaps)
    this.#open.push({ handle, heaps })
  }

  #close(one: Open, thread: number): void {
    this.#world.begin()
    this.#world.expect(thread, 'CloseToolhelp32Snapshot', this.#world.ce(thread).CloseToolhelp32Snapshot(one.handle), { result: 1 })
    this.#open.splice(this.#open.indexOf(one), 1)
  }

  #onNothing(draw: Draw, thread: number): void {
    const handle = draw.pick([0, 7, NO_HANDLE, this.#world.processHeap.handle])
    const made = { result: 0, error: ERROR_INVALID_HANDLE } // C-74
    const list = this.#world.scratch + LIST_AT
    this.#world.begin()
    this.#world.says('C-74', 'C-74')
    this.#world.expect(thread, 'Heap32ListFirst', this.#world.ce(thread).Heap32ListFirst(handle, list), made)
    this.#world.expect(thread, 'CloseToolhelp32Snapshot', this.#world.ce(thread).CloseToolhelp32Snapshot(handle), made)
  }

  /** Lists the heaps and walks each: every one must be one of the model's, and all of those must come. */
  walk({ handle, heaps }: Open, thread: number): void {
    const world = this.#world
    const ce = world.ce(thread)
    // A walk counts as one call, however many items it has.
    world.begin()
    const [list, entry] = [world.scratch + LIST_AT, world.scratch + ENTRY_AT]
    const left = [...heaps]
    HEAPLIST32.set(ce.memory, list, 'dwSize', HEAPLIST32.size)
    HEAPENTRY32.set(ce.memory, entry, 'dwSize', HEAPENTRY32.size)
    for (let more = ce.Heap32ListFirst(handle, list); more === 1; more = ce.Heap32ListNext(handle, list)) {
      const { th32HeapID, th32ProcessID, dwFlags } = HEAPLIST32.read(ce.memory, list)
      const items: string[] = []
      const holes = new Set<number>()
      for (let next = ce.Heap32First(handle, entry, th32ProcessID, th32HeapID); next === 1; next = ce.Heap32Next(handle, entry)) {
        const { dwAddress, dwBlockSize, dwFlags } = HEAPENTRY32.read(ce.memory, entry)
        const kind = (dwFlags & LF32_FREE) !== 0 ? 'free' : (dwFlags & LF32_BIGBLOCK) !== 0 ? 'big' : 'live'
        items.push(item(dwAddress, dwBlockSize, kind))
        if ((dwFlags & LF32_DECOMMIT) !== 0) holes.add(dwAddress)
      }
      world.left(thread, 'Heap32Next', ERROR_NO_MORE_FILES)
      items.sort()
      const found = left.find((one) => one.items.length === items.length && one.items.every((text, n) => text === items[n]))
      must(
        found !== undefined,
        () =>
          `tool help shows a heap ${hex(th32HeapID)} of ${items.length} items that the model does not have: ${items.slice(0, 20).join(', ')}`
      )
      must(found.isDefault === ((dwFlags & HF32_DEFAULT) !== 0), () => `tool help tells dwFlags ${dwFlags} of a heap`)
      for (const hole of found.holes) must(holes.has(hole), () => `tool help shows ${hex(hole)} without LF32_DECOMMIT`)
      left.splice(left.indexOf(found), 1)
    }
    world.left(thread, 'Heap32ListNext', ERROR_NO_MORE_FILES)
    must(left.length === 0, () => `tool help leaves out ${left.length} heaps`)
  }

  /** A walk over this very moment. */
  agree(thread: number): void {
    const handle = this.#world.ce(thread).CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
    this.walk({ handle, heaps: expectedOf(this.#world.heaps) }, thread)
    this.#world.expect(thread, 'CloseToolhelp32Snapshot', this.#world.ce(thread).CloseToolhelp32Snapshot(handle), { result: 1 })
  }

  end(): void {
    for (const one of [...this.#open]) {
      this.walk(one, 0)
      this.#close(one, 0)
    }
  }
}
