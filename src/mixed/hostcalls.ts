import { hostReport, type IHostMalloc, type IHostMemoryManager, openHost } from '../hosting/index.ts'
import {
  E_INVALIDARG,
  E_OUTOFMEMORY,
  eMemoryAvailableHigh,
  eMemoryAvailableLow,
  eMemoryAvailableNeutral,
  ERROR_NOT_ENOUGH_MEMORY,
  HOST_E_INVALIDOPERATION,
  MALLOC_EXECUTABLE,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_EXECUTE_READWRITE,
  PAGE_GUARD,
  PAGE_READONLY,
  PAGE_READWRITE,
  S_OK
} from '../constants.ts'
import { isProtection } from './virtualmodel.ts'
import { type Draw, sizeOf } from './draw.ts'
import { hex, must } from './disagreement.ts'
import { crowded, enroll } from './heapcalls.ts'
import type { Block, Heap } from './heapmodel.ts'
import { saysOut, virtualMade } from './virtualcalls.ts'
import type { World } from './world.ts'

/** IHostMemoryManager and IHostMalloc in the creating thread: heaps and pages of the same process, under a budget for each level. */

const PAGE = 4096
const MOST_MALLOCS = 3
const MOST_RESERVATIONS = 4
/** By level: eTaskCritical, eAppDomainCritical. A request at process level that failed would end the CLR for good (HO-5). */
const BUDGETS = [300_000, 600_000] as const

interface Malloc {
  readonly malloc: IHostMalloc
  readonly heap: Heap
}

export class HostCalls {
  readonly #world: World
  readonly #host: IHostMemoryManager
  readonly #mallocs: Malloc[] = []
  /** What the callback was told since the last look, and last of all. */
  readonly #told: number[] = []
  #last = eMemoryAvailableNeutral
  /** Below so many free pages memory is low (C-71). */
  readonly #low: number

  constructor(world: World) {
    this.#world = world
    this.#host = openHost(world.process.thread, { budget: { task: BUDGETS[0], appDomain: BUDGETS[1] } })
    this.#low = Math.floor(world.pages.physical / 16)
    this.#host.RegisterMemoryNotificationCallback({ OnMemoryNotification: (available) => this.#told.push(available) })
  }

  call(draw: Draw): void {
    const one = draw.any(this.#mallocs)
    const kind = one !== undefined && crowded(this.#world, one.heap, draw) ? 18 : draw.below(43)
    if (kind < 3) this.#create(draw)
    else if (kind < 4 && one !== undefined) this.#release(one)
    else if (kind < 18 && one !== undefined) this.#alloc(draw, one)
    else if (kind < 28 && one !== undefined) this.#free(draw, one)
    else if (kind < 35) this.#virtualAlloc(draw)
    else if (kind < 38) this.#virtualFree(draw)
    else if (kind < 40) this.#protect(draw)
    else if (kind < 42) this.#query(draw)
    else this.#load()
    // Which last error a host leaves is not documented.
    this.#world.forgetError(0)
  }

  /** Bytes that the host has handed out: blocks as large as they are, and committed pages. */
  get #used(): number {
    let sum = 0
    for (const { heap } of this.#mallocs) for (const { bytes } of [...heap.blocks, ...heap.bigs]) sum += this.#world.heaps.sizeOf(bytes)
    for (const base of this.#world.hosted) sum += this.#committed(base) * PAGE
    return sum
  }

  #committed(base: number): number {
    const { pages } = this.#world.pages
    let count = 0
    for (let page = base / PAGE; pages[page]?.base === base; page++) if (pages[page]?.committed) count++
    return count
  }

  #create(draw: Draw): void {
    if (this.#mallocs.length >= MOST_MALLOCS) return
    const world = this.#world
    const type = draw.below(5)
    world.begin()
    const { hr, ppMalloc } = this.#host.CreateMalloc(type)
    const expected = type > 3 ? E_INVALIDARG : hr === S_OK ? S_OK : E_OUTOFMEMORY
    must(
      hr === expected && (ppMalloc !== null) === (hr === S_OK),
      () => `CreateMalloc(${type}) gave ${hex(hr)}, the model says ${hex(expected)}`
    )
    if (type > 3) return
    const verdict = world.heaps.canCreate(0, 0)
    if (ppMalloc === null) {
      world.mayFail('CreateMalloc', verdict, false)
      return
    }
    must(!world.refused && verdict === 'must', () => 'CreateMalloc worked although there is no room')
    const lent = (type & MALLOC_EXECUTABLE) !== 0
    const protection = lent ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE
    enroll(world, ppMalloc.heap, 0, 0, { lent, protection, host: true })
    this.#mallocs.push({ malloc: ppMalloc, heap: world.heaps.find(ppMalloc.heap) as Heap })
  }

  #release(one: Malloc): void {
    this.#world.begin()
    const left = one.malloc.Release()
    this.#world.saysIf(one.heap.blocks.length + one.heap.bigs.length > 0, 'C-87')
    must(left === 0, () => `IHostMalloc::Release gave ${left}`)
    this.#world.heaps.destroy(one.heap)
    this.#mallocs.splice(this.#mallocs.indexOf(one), 1)
  }

  #alloc(draw: Draw, { malloc, heap }: Malloc): void {
    const world = this.#world
    const bytes = sizeOf(draw, world.process.profile.bigBlock)
    const level = draw.once(32) ? 3 : draw.below(2)
    world.begin()
    const before = this.#used
    const granted = level < 3 && (bytes === 0 || before + bytes <= (BUDGETS[level] as number))
    const refused = granted && world.refuses(0, bytes)
    const { hr, ppMem } = draw.once(2) ? malloc.Alloc(bytes, level) : malloc.DebugAlloc(bytes, level, 'mixed.cpp', draw.below(1000))
    const what = `IHostMalloc::Alloc of ${bytes} bytes at level ${level}`
    const failure = level > 2 ? E_INVALIDARG : E_OUTOFMEMORY
    must(hr === (ppMem === 0 ? failure : S_OK), () => `${what} gave ${hex(hr)} and ${hex(ppMem)}`)
    if (ppMem === 0) {
      if (granted) world.mayFail(what, world.heaps.canPlace(heap, bytes, true), refused)
      return
    }
    must(granted, () => `${what} worked, with ${before} bytes handed out before`)
    world.mustNotBeRefused(what, refused)
    world.keep(heap, ppMem, bytes, { kept: true })
  }

  #free(draw: Draw, { malloc, heap }: Malloc): void {
    const world = this.#world
    const block: Block | undefined = draw.any(heap.blocks) ?? draw.any(heap.bigs)
    const pointer = block === undefined || draw.once(8) ? (draw.any(world.stale) ?? 7) : block.address
    const mine = world.blockAt(heap, pointer)
    world.begin()
    if (mine !== undefined) world.inspect(mine)
    const hr = malloc.Free(pointer)
    const expected = mine === undefined ? HOST_E_INVALIDOPERATION : S_OK
    must(hr === expected, () => `IHostMalloc::Free of ${hex(pointer)} gave ${hex(hr)}, the model says ${hex(expected)}`) // HO-10
    world.saysIf(mine === undefined, 'C-89')
    if (mine !== undefined) world.gone(mine)
  }

  #virtualAlloc(draw: Draw): void {
    const world = this.#world
    const base = draw.any([...world.hosted])
    const fresh = base === undefined || draw.once(3)
    if (fresh && world.hosted.size >= MOST_RESERVATIONS) return
    const foreign = !fresh && draw.once(16) ? (world.reservations[0] ?? 0x10000) : undefined
    const address = fresh ? 0 : (foreign ?? base + draw.below(5) * PAGE)
    const size = draw.once(16) ? draw.pick([0, 0x7fffffff, 0xffffffff]) : 1 + draw.below(4 * PAGE)
    const type = fresh ? draw.pick([MEM_RESERVE, MEM_RESERVE, MEM_RESERVE | MEM_COMMIT]) : MEM_COMMIT
    const level = draw.below(2)
    world.begin()
    const before = this.#used
    const { hr, ppMem } = this.#host.VirtualAlloc(address, size, type, PAGE_READWRITE, level)
    const what = `IHostMemoryManager::VirtualAlloc(${hex(address)}, ${size}, ${hex(type)}) at level ${level}`
    if (address !== 0 && !world.isHosted(address)) {
      world.says('C-89')
      must(hr === HOST_E_INVALIDOPERATION, () => `${what} of memory that is not the host's gave ${hex(hr)}`)
      return
    }
    const bytes = size === 0 || type === MEM_RESERVE ? 0 : this.#cost(address, size)
    if (bytes > 0 && before + bytes > (BUDGETS[level] as number)) {
      must(hr === E_OUTOFMEMORY, () => `${what} gave ${hex(hr)} beyond the budget`)
      return
    }
    const made = virtualMade(world, address, size, type, PAGE_READWRITE, ppMem)
    const expected = made.result !== 0 ? S_OK : made.error === ERROR_NOT_ENOUGH_MEMORY ? E_OUTOFMEMORY : 0x80070000 + (made.error ?? 0)
    must(
      hr === expected && ppMem === made.result,
      () => `${what} gave ${hex(hr)} and ${hex(ppMem)}, the model says ${hex(expected)} and ${hex(made.result)}`
    )
    if (hr === S_OK && address === 0) world.hosted.add(ppMem)
  }

  /** Bytes of the pages that a commit would take: all of a new reservation, the missing ones of the host's own; none where it must fail for its range (C-96). */
  #cost(address: number, size: number): number {
    const first = address - (address % PAGE)
    const count = Math.ceil((address + size - first) / PAGE)
    if (address === 0) return Math.min(count, 2 ** 20 - 1) * PAGE
    const { pages } = this.#world.pages
    const base = pages[first / PAGE]?.base
    let missing = 0
    for (let page = first / PAGE; page < first / PAGE + count; page++) {
      if (pages[page]?.base !== base) return 0
      if (!pages[page]?.committed) missing++
    }
    return missing * PAGE
  }

  #virtualFree(draw: Draw): void {
    const world = this.#world
    const base = draw.any([...world.hosted])
    const address = base === undefined || draw.once(12) ? (world.reservations[0] ?? 0x10000) : base
    if (draw.once(2) && base !== undefined && address === base) {
      this.#freeAt(base, 0, MEM_RELEASE)
      return
    }
    const part = draw.once(3) || address !== base
    this.#freeAt(part ? address + draw.below(3) * PAGE : address, part ? PAGE : 0, MEM_DECOMMIT)
  }

  #freeAt(address: number, size: number, type: number): void {
    const world = this.#world
    const own = world.isHosted(address)
    world.begin()
    const hr = this.#host.VirtualFree(address, size, type)
    world.saysIf(!own, 'C-89')
    const made = own ? world.pages.free(address, size, type) : undefined
    const expected = made === undefined ? HOST_E_INVALIDOPERATION : made.result === 1 ? S_OK : 0x80070000 + (made.error ?? 0)
    must(
      hr === expected,
      () => `IHostMemoryManager::VirtualFree(${hex(address)}, ${size}, ${hex(type)}) gave ${hex(hr)}, the model says ${hex(expected)}`
    )
    if (hr === S_OK && type === MEM_RELEASE) world.hosted.delete(address)
  }

  /** An address in a reservation of the host's, or of the app's own: HO-14 and HO-15 do not ask whose it is. */
  #anywhere(draw: Draw): number {
    const base = draw.any(draw.once(3) ? this.#world.reservations : [...this.#world.hosted]) ?? this.#world.scratch
    return base + draw.below(4) * PAGE + draw.pick([0, 0, 1, 0xfff])
  }

  /** HO-15. */
  #protect(draw: Draw): void {
    const world = this.#world
    const [address, size] = [this.#anywhere(draw), draw.pick([0, 1, PAGE, 2 * PAGE, 0xffffffff])]
    const protection = draw.pick([PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY, PAGE_READWRITE | PAGE_GUARD, 0])
    const before = world.pages.pages[Math.floor(address / PAGE)]?.protection ?? 0
    world.begin()
    const { hr, pflOldProtect } = this.#host.VirtualProtect(address, size, protection)
    world.saysIf(size !== 0 && isProtection(protection) && world.isHeap(address), 'C-21')
    // Where the program would have the old protection written to is no matter here.
    const { result, error = 0 } = world.pages.protect(address, size, protection, world.scratch)
    const expected = result === 1 ? [S_OK, before] : [0x80070000 + error, 0]
    must(
      hr === expected[0] && pflOldProtect === expected[1],
      () => `IHostMemoryManager::VirtualProtect gave ${hex(hr)} and ${hex(pflOldProtect)}, the model says ${expected.map(hex)}`
    )
  }

  /** HO-14. */
  #query(draw: Draw): void {
    const world = this.#world
    const [address, length] = [draw.once(4) ? draw.below(world.memory) : this.#anywhere(draw), draw.pick([28, 28, 28, 27])]
    const buffer = draw.once(8) ? 0 : world.scratch
    world.begin()
    const { hr, pResult } = this.#host.VirtualQuery(address, buffer, length)
    const { result, error = 0 } = world.pages.query(address, buffer, length)
    saysOut(world, buffer, result !== 0, result === 0 && length >= 28 && address < world.memory)
    const expected = result === 0 ? 0x80070000 + error : S_OK
    must(hr === expected && pResult === result, () => `IHostMemoryManager::VirtualQuery gave ${hex(hr)}, the model says ${hex(expected)}`)
    if (result === 0) return
    const told = Array.from({ length: 7 }, (_, n) => world.ce(0).memory.readU32(buffer + 4 * n))
    must(told.join() === world.pages.told.join(), () => `IHostMemoryManager::VirtualQuery tells ${told}, the model ${world.pages.told}`)
  }

  /** HO-7, HO-21, C-90: after a call of the creating thread its callback was told what there is, once each time it changed. */
  notified(): void {
    const world = this.#world
    world.ce(0).GetLastError()
    for (const one of this.#told.splice(0)) {
      must(one !== this.#last, () => `the callback was told ${one} twice`)
      this.#last = one
    }
    const { committed, physical, available } = world.pages
    const load = Math.min(100, Math.floor((committed * 100) / physical))
    const isLow = load >= 90 || available < this.#low
    const level = isLow ? eMemoryAvailableLow : load <= 50 ? eMemoryAvailableHigh : eMemoryAvailableNeutral
    // A refused commit makes memory low as well, until pages come or go (C-71).
    const right = this.#last === level || (this.#last === eMemoryAvailableLow && world.mayBeLow)
    must(right, () => `the callback was told ${this.#last} last, the model says ${level}`)
    if (this.#last !== eMemoryAvailableLow) world.mayBeLow = false
  }

  /** HO-16. */
  #load(): void {
    this.#world.begin()
    const { committed, physical, available } = this.#world.pages
    const { pMemoryLoad, pAvailableBytes } = this.#host.GetMemoryLoad()
    const load = Math.min(100, Math.floor((committed * 100) / physical))
    must(
      pMemoryLoad === load && pAvailableBytes === available * PAGE,
      () => `GetMemoryLoad tells ${pMemoryLoad} and ${pAvailableBytes}, the model ${load} and ${available * PAGE}`
    )
  }

  agree(): void {
    const { bytes, available, mallocs } = hostReport(this.#host)
    must(bytes === this.#used && available, () => `the host has handed out ${bytes} bytes, the model says ${this.#used}`)
    const told = mallocs.map(({ heap, blocks }) => `${heap}: ${blocks.map(({ address }) => address).sort((a, b) => a - b)}`)
    const expected = this.#mallocs.map(
      ({ heap }) => `${heap.handle}: ${[...heap.blocks, ...heap.bigs].map(({ address }) => address).sort((a, b) => a - b)}`
    )
    must(told.join(' ') === expected.join(' '), () => `the host's blocks are ${told.join('; ')}, the model says ${expected.join('; ')}`)
  }

  end(): void {
    for (const one of [...this.#mallocs]) this.#release(one)
    for (const base of [...this.#world.hosted]) {
      this.#freeAt(base, 0, MEM_DECOMMIT)
      this.#freeAt(base, 0, MEM_RELEASE)
    }
    this.agree()
    must(this.#world.hosted.size === 0, () => 'the host has reservations left')
    this.#host.Release()
  }
}
