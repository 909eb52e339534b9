import { MEM_FREE } from '../constants.ts'
import { attachThread, type CeProcess, createProcess } from '../coredll/process.ts'
import { Injections } from '../mixed/injections.ts'
import type { Profile } from '../profile.ts'
import { disagree, hex } from './disagreement.ts'
import { type Heap, HeapModel } from './heapmodel.ts'
import { PAGE, PageModel, UNIT } from './pagemodel.ts'
import type { Setup } from './setup.ts'
import { Stamps } from './stamps.ts'
import type { Subject, Wrap } from './subject.ts'

/** The campaign's own block in the process heap, for structures that calls write to. */
const SCRATCH_BYTES = 64
const STALE = 32
const PER_UNIT = UNIT / PAGE

/** What a run tells of what it does beside API calls. */
export type Tell = (line: string) => void

/** The process that a program runs in and the model of all of it, side by side. */
export class World {
  readonly setup: Setup
  readonly process: CeProcess
  readonly threads: Subject[]
  readonly profile: Profile
  readonly debug: boolean
  readonly memory: number
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly pages: PageModel
  readonly heaps: HeapModel
  readonly stamps: Stamps
  readonly injections: Injections
  /** What GetLastError must give, by thread. */
  readonly lastErrors: number[] = [0, 0]
  readonly scratch: number
  /** Addresses of the program's own reservations. */
  readonly reservations: number[] = []
  /** Pointers that were blocks once. */
  readonly stale: number[] = []
  readonly tell: Tell | undefined
  calls = 0
  #stamp = 0
  #stale = 0
  #refused = 0

  constructor(setup: Setup, wrap?: Wrap, tell?: Tell) {
    this.setup = setup
    this.tell = tell
    const { profile, build, placement, memory, physical, dirty, plain } = setup
    const options = {
      profile,
      build,
      placement,
      memory: dirty ? dirtyMemory(memory) : memory,
      physical,
      lockTimeout: 1000,
      ...(plain ? { clock: () => 0 } : {})
    }
    this.process = createProcess(options)
    const second = attachThread(this.process.share())
    const real: Subject[] = [this.process.thread, second]
    this.threads = wrap === undefined ? real : real.map(wrap)
    this.profile = this.process.profile
    this.debug = build === 'debug'
    this.memory = memory
    this.bytes = this.process.thread.memory.bytes
    this.words = new Int32Array(this.bytes.buffer, 0, memory >>> 2)
    this.stamps = new Stamps(this.bytes)
    this.pages = new PageModel(memory, physical)
    this.heaps = new HeapModel(this.profile, this.debug, memory, this.pages)
    this.injections = new Injections(this.process)
    const ce = this.ce(0)
    const handle = ce.GetProcessHeap()
    // The first block of a process heap that is empty tells where its region is.
    this.scratch = ce.HeapAlloc(handle, 0, SCRATCH_BYTES)
    this.heaps.create(handle, this.scratch - (this.scratch % UNIT), 0, 0)
    this.heaps.add(this.processHeap, this.scratch, SCRATCH_BYTES, 0, true)
    this.calls = 1
  }

  get processHeap(): Heap {
    return this.heaps.heaps[0] as Heap
  }

  ce(thread: number): Subject {
    return this.threads[thread] as Subject
  }

  /** Begins a call: commits that are refused from here on are the call's. */
  begin(): void {
    this.calls++
    if (this.injections.list.length > 0) this.#refused = this.injections.refused('commit')
  }

  /** Whether a commit of the call was refused by an injection. */
  get refused(): boolean {
    return this.injections.list.length > 0 && this.injections.refused('commit') > this.#refused
  }

  /** Compares what a call of a thread gave, and the last error, with what it must give; `error` is -1 for a call that leaves it alone. */
  expect(thread: number, call: string, result: number, expected: number, error: number): void {
    if (result !== expected) disagree(`${call} gave ${hex(result)}, the model says ${hex(expected)}`)
    this.left(thread, call, error)
  }

  /** Compares the last error that a call left. */
  left(thread: number, call: string, error: number): void {
    if (error >= 0) this.lastErrors[thread] = error
    const told = this.ce(thread).GetLastError()
    if (told !== this.lastErrors[thread]) disagree(`${call} left the last error ${told}, the model says ${this.lastErrors[thread]}`)
  }

  /** Takes in a new block and writes to it. */
  keep(heap: Heap, address: number, bytes: number, zero: boolean): void {
    const stamp = ++this.#stamp
    this.heaps.add(heap, address, bytes, stamp)
    // HA-6: all that HeapSize tells is the program's.
    const size = this.heaps.sizeOf(bytes)
    if (zero) this.stamps.zeroed(address, 0, size)
    this.stamps.write(address, size, stamp)
  }

  /** Looks whether a block is as the program left it. */
  inspect(id: number): void {
    const { address, bytes, stamp } = this.heaps
    const size = this.heaps.sizeOf(bytes[id] as number)
    this.stamps.verify(address[id] as number, size, size, stamp[id] as number)
  }

  /** A block has another size, and maybe another address: what it had of its bytes is there still. */
  resized(heap: Heap, id: number, address: number, bytes: number, zero: boolean): void {
    const { heaps, stamps } = this
    const old = heaps.sizeOf(heaps.bytes[id] as number)
    const size = heaps.sizeOf(bytes)
    const was = heaps.stamp[id] as number
    const stamp = ++this.#stamp
    if (address === heaps.address[id]) {
      heaps.resize(heap, id, bytes)
      heaps.stamp[id] = stamp
    } else {
      // Before the old block goes: the two may not overlap.
      heaps.add(heap, address, bytes, stamp)
      this.gone(heap, id)
    }
    stamps.verify(address, Math.min(old, size), old, was)
    // HR-10: from the size that the heap knew.
    if (zero && size > old) stamps.zeroed(address, old, size)
    stamps.write(address, size, stamp)
  }

  gone(heap: Heap, id: number): void {
    this.stale[this.#stale++ % STALE] = this.heaps.address[id] as number
    this.heaps.remove(heap, id)
  }

  /** Where a reservation begins that the model does not know of yet: a new heap's first region. */
  discover(): number {
    const ce = this.ce(0)
    const first = this.scratch >>> 2
    for (let unit = 1; unit < this.memory / UNIT; unit++) {
      if (this.pages.base[unit * PER_UNIT] !== 0) continue
      const known = ce.VirtualQuery(unit * UNIT, this.scratch, 28)
      if (known !== 28) disagree(`VirtualQuery gave ${known} for ${hex(unit * UNIT)}`)
      if (this.words[first + 4] !== MEM_FREE) return (this.words[first + 1] as number) >>> 0
    }
    return disagree('a heap was made and no address space taken')
  }
}

let dirtied: SharedArrayBuffer | undefined

/** Memory full of bytes that are not zero. The buffer is one for all runs of a size: making them is slower than filling. */
function dirtyMemory(bytes: number): SharedArrayBuffer {
  if (dirtied?.byteLength !== bytes) dirtied = new SharedArrayBuffer(bytes)
  new Float64Array(dirtied).fill(-1.1e-55)
  return dirtied
}
