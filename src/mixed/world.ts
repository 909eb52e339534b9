import { VirtualModel } from './virtualmodel.ts'
import type { FailureOptions } from '../coredll/inject.ts'
import { attachThread, type CeProcess, createProcess } from '../coredll/process.ts'
import type { CeThread } from '../coredll/thread.ts'
import { type Build, type Placement, type ProfileName, placements, profileNames } from '../profile.ts'
import { hex, must } from './disagreement.ts'
import { Draw } from './draw.ts'
import { type Block, type Heap, HeapModel, type Verdict } from './heapmodel.ts'
import { Injections } from './injections.ts'
import { verify, write } from './stamps.ts'

const PAGE = 4096
const UNIT = 65_536
/** The campaign's own block: structures that calls write to, and critical sections. */
export const SCRATCH_BYTES = 1024
export const SECTIONS_AT = 256
export const THREADS = 4

/** What a process is made with. */
interface Setup {
  readonly profile: ProfileName
  readonly build: Build
  readonly placement: Placement
  readonly memory: number
  readonly physical: number
  readonly lockTimeout: number
}

/** The process that a seed runs in. */
export function setupOf(seed: number): Setup {
  const draw = new Draw(seed, -1)
  const units = 64 + draw.below(64)
  return {
    profile: draw.pick(profileNames),
    build: draw.once(3) ? 'debug' : 'retail',
    placement: draw.pick(placements),
    memory: units * UNIT,
    physical: (units * 8 + draw.below(units * 8)) * PAGE,
    lockTimeout: 1000
  }
}

type Kind = FailureOptions['on']
const NONE = { alloc: 0, commit: 0, reserve: 0 } as const

export interface Made {
  readonly result: number
  /** The last error that the call must leave, undefined if it leaves it alone. */
  readonly error?: number | undefined
}

/** The process of a seed and the one model of all of it, side by side. */
export class World {
  readonly seed: number
  readonly process: CeProcess
  readonly threads: CeThread[]
  readonly pages: VirtualModel
  readonly heaps: HeapModel
  readonly injections: Injections
  readonly debug: boolean
  readonly memory: number
  /** What GetLastError must give, by thread. */
  readonly lastErrors: number[] = Array.from({ length: THREADS }, () => 0)
  /** Where the campaign's own block lies. */
  readonly scratch: number
  /** Bases of the app's own reservations. */
  readonly reservations: number[] = []
  /** Those that a host has made. */
  readonly hosted: Set<number> = new Set<number>()
  /** Pointers that were blocks once. */
  readonly stale: number[] = []
  /** What the calls say, for a run that is told. */
  tell: ((line: string) => void) | undefined
  calls = 0
  /** Blocks from which on a heap rather loses some. */
  readonly crowd: number
  /** What each thread's requests are labelled. */
  readonly labels: string[] = Array.from({ length: THREADS }, () => '')
  /** A commit may have been refused, which makes memory low (C-71), since it was last seen not to be. */
  mayBeLow = false
  #stamps = 0
  /** Refused requests of each kind when the call began. */
  #before: Readonly<Record<Kind, number>> = NONE
  readonly #onThread: (ce: CeThread, index: number) => void
  /** Rules of the findings that the calls since the last look raised, and those that they had to raise. */
  readonly #heard: string[] = []
  #expected: string[] = []

  constructor(seed: number, onThread: (ce: CeThread, index: number) => void = () => {}) {
    this.seed = seed
    this.crowd = new Draw(seed, -2).pick([12, 40, 200, 5000])
    const setup = setupOf(seed)
    this.process = createProcess(setup)
    this.memory = setup.memory
    this.debug = setup.build === 'debug'
    const others = Array.from({ length: THREADS - 1 }, () => attachThread(this.process.share()))
    this.threads = [this.process.thread, ...others]
    this.#onThread = onThread
    this.threads.forEach(onThread)
    this.process.onFinding(({ rule }) => this.#heard.push(rule))
    const ce = this.process.thread
    const [heap] = this.process.snapshot().heaps
    const region = heap?.regions[0]
    must(heap !== undefined && region !== undefined, () => 'the process began without a heap')
    this.pages = new VirtualModel(setup.memory, setup.physical, { address: region.address, pages: region.size / PAGE, committed: 1 })
    this.heaps = new HeapModel(this.process.profile, this.debug, setup.memory, this.pages)
    const own = { address: region.address, size: region.size, control: 0 }
    this.heaps.heaps.push({
      handle: heap.handle,
      maximum: 0,
      regions: [own],
      blocks: [],
      bigs: [],
      lent: false,
      protection: 4,
      host: false
    })
    this.injections = new Injections(this.process)
    this.heaps.isShort = () => this.wasRefused('reserve')
    this.scratch = ce.HeapAlloc(heap.handle, 0, SCRATCH_BYTES)
    this.heaps.place(this.processHeap, this.scratch, SCRATCH_BYTES, { stamp: -1, spied: false, offset: 0, kept: true })
  }

  get processHeap(): Heap {
    return this.heaps.heaps[0] as Heap
  }

  ce(thread: number): CeThread {
    return this.threads[thread] as CeThread
  }

  /** Whether a thread can get pages for a heap that has callbacks. */
  owns(thread: number): boolean {
    return thread === 0
  }

  /** Another thread comes in the place of one. */
  replace(thread: number): void {
    this.tell?.(`ce[${thread}].detach()`)
    const before = this.ce(thread)
    before.detach()
    this.tell?.(`ce[${thread}] = attachThread(process.share())`)
    const ce = attachThread(this.process.share())
    must(ce.tid === before.tid, () => `the next thread has the id ${ce.tid}, not ${before.tid}`)
    this.threads[thread] = ce
    this.lastErrors[thread] = 0
    this.labels[thread] = ''
    this.#onThread(ce, thread)
  }

  /** Begins a call: requests that are refused from here on are the call's. */
  begin(): void {
    this.calls++
    if (this.injections.list.length > 0) this.#before = this.#refusals()
    else this.#before = NONE
  }

  #refusals(): Readonly<Record<Kind, number>> {
    const { injections } = this
    return { alloc: injections.refused('alloc'), commit: injections.refused('commit'), reserve: injections.refused('reserve') }
  }

  /** Whether a request of this kind was refused in the call; for blocks, whether chance refused it. */
  wasRefused(kind: Kind): boolean {
    return this.injections.list.length > 0 && this.injections.refused(kind) > this.#before[kind]
  }

  /** Whether anything that the model does not count was refused in the call. */
  get refused(): boolean {
    return this.wasRefused('alloc') || this.wasRefused('commit') || this.wasRefused('reserve')
  }

  /** Counts a request for a block: whether it is refused. */
  refuses(thread: number, bytes: number): boolean {
    return this.injections.refuses(bytes, this.labels[thread] ?? '')
  }

  /** The call must raise findings of these rules; without a word it must raise none. */
  says(...rules: string[]): void {
    this.#expected.push(...rules)
  }

  /** The same where `holds`. */
  saysIf(holds: boolean, rule: string): void {
    if (holds) this.says(rule)
  }

  /** Compares the findings since the last time with those that had to come: a call that is defined raises none. */
  judge(): void {
    must(this.process.drainFindings() === 0, () => 'findings were lost')
    const heard = this.#heard.splice(0).sort().join()
    const expected = this.#expected.sort().join()
    this.#expected = []
    must(heard === expected, () => `the findings were [${heard}], the model says [${expected}]`)
  }

  /** Compares what a call of a thread gave, and the last error, with what it must give. */
  expect(thread: number, what: string, result: number, made: Made): void {
    must(result === made.result, () => `${what} gave ${hex(result)}, the model says ${hex(made.result)}`)
    this.left(thread, what, made.error)
  }

  /** Compares the last error that a call left. */
  left(thread: number, what: string, error: number | undefined): void {
    if (error !== undefined) this.lastErrors[thread] = error
    const told = this.ce(thread).GetLastError()
    must(told === this.lastErrors[thread], () => `${what} left the last error ${told}, the model says ${this.lastErrors[thread]}`)
  }

  /** The rules do not say which last error a call leaves: whatever it is now. */
  forgetError(thread: number): void {
    this.lastErrors[thread] = this.ce(thread).GetLastError()
  }

  /** A call that asked for memory failed: it must, or might. */
  mayFail(what: string, verdict: Verdict, refused: boolean): void {
    this.mayBeLow = true
    must(refused || this.refused || verdict !== 'must', () => `${what} failed although there is room`)
  }

  mustNotBeRefused(what: string, refused: boolean): void {
    must(!refused && !this.wasRefused('alloc'), () => `${what} worked although a failure was injected`)
  }

  /** Takes in a new block and writes to it. */
  keep(heap: Heap, address: number, bytes: number, how: { zero?: boolean; spied?: boolean; offset?: number; kept?: boolean } = {}): Block {
    const { zero = false, spied = false, offset = 0, kept = false } = how
    const block = this.heaps.place(heap, address, bytes, { stamp: ++this.#stamps, spied, offset, kept })
    // It may have been refused the pages of another place first.
    if (this.wasRefused('commit') || Math.ceil(block.room / PAGE) + 1 > this.pages.available) this.mayBeLow = true
    write(this, block, zero ? 0 : undefined)
    return block
  }

  /** The block was resized at its place. */
  resized(block: Block, bytes: number, zero: boolean): Block {
    const from = this.heaps.sizeOf(block.bytes)
    const kept = this.heaps.resize(block, bytes, block.stamp)
    verify(this, { ...kept, bytes: Math.min(block.bytes, bytes) }, block.bytes)
    const next = this.heaps.replace(kept, { stamp: ++this.#stamps })
    write(this, next, zero ? from : undefined)
    return next
  }

  /** The block was moved: its bytes are at the new place. */
  moved(block: Block, address: number, bytes: number, zero: boolean, how: Partial<Pick<Block, 'spied' | 'offset'>> = {}): Block {
    const { heap, spied, offset, kept } = block
    const next = this.heaps.place(heap, address, bytes, { stamp: block.stamp, spied, offset, kept, ...how })
    verify(this, { ...next, bytes: Math.min(block.bytes, bytes) }, block.bytes)
    this.heaps.remove(block)
    this.#forget(block)
    const fresh = this.heaps.replace(next, { stamp: ++this.#stamps })
    write(this, fresh, zero ? this.heaps.sizeOf(block.bytes) : undefined)
    return fresh
  }

  /** Looks whether a block is as the program left it; before it is freed. */
  inspect(block: Block): void {
    verify(this, block, block.bytes)
  }

  gone(block: Block): void {
    this.heaps.remove(block)
    this.#forget(block)
  }

  #forget(block: Block): void {
    if (this.stale.length < 32) this.stale.push(block.address)
    else this.stale[block.stamp % 32] = block.address
  }

  /** The block that lives at an address. */
  blockAt(heap: Heap, address: number): Block | undefined {
    return heap.blocks.find((block) => block.address === address) ?? heap.bigs.find((block) => block.address === address)
  }

  /** Whether a page of the app's own cannot be meant by this address, since it lies in a heap (C-21). */
  isHeap(address: number): boolean {
    return this.pages.pages[Math.floor(address / UNIT) * (UNIT / PAGE)]?.heap === true
  }

  /** A page of an app's reservation that is a host's. */
  isHosted(address: number): boolean {
    const page = this.pages.pages[Math.floor(address / PAGE)]
    return page !== undefined && this.hosted.has(page.base)
  }
}

/** A live block of a heap that calls may free. */
export function anyBlock(draw: Draw, heap: Heap): Block | undefined {
  const count = heap.blocks.length + heap.bigs.length
  if (count === 0) return undefined
  const n = draw.below(count)
  const block = n < heap.blocks.length ? heap.blocks[n] : heap.bigs[n - heap.blocks.length]
  return block?.kept ? undefined : block
}

/** A pointer that is no live block: stale, inside or behind one, of another heap, of the app's pages, or nothing. */
export function badPointer(world: World, draw: Draw): number {
  const heap = draw.pick(world.heaps.heaps)
  const block = draw.any(heap.blocks)
  const kind = draw.below(8)
  if (kind < 3) return draw.any(world.stale) ?? 0
  if (kind === 3 && block !== undefined) return block.address + draw.pick([1, 4, 32])
  if (kind === 4 && block !== undefined) return block.address + block.room
  if (kind === 5 && block !== undefined) return block.address
  if (kind === 6) return (draw.any(world.reservations) ?? 0) + draw.pick([0, 32, 4096])
  return draw.pick([0, 0, 7, 0x10000, world.memory - 32, world.memory, 0x80000000, 0xffffffe0, 0xffffffff])
}
