import { misuse } from '../errors.ts'
import { bulkOf } from './bulk.ts'
import type { Bulk } from './bulk.ts'
import type { SectionCounts } from './counts.ts'
import {
  COUNTS_BYTES,
  GRANULES_PER_UNIT,
  HDR,
  HEAP_WORDS,
  LAYOUT_VERSION,
  layoutFor,
  MAGIC,
  PAGES_PER_UNIT,
  UNIT,
  UNIT_WORDS
} from './layout.ts'
import type { Layout } from './layout.ts'
import { lockWordOf } from './lockword.ts'
import type { LockWord } from './lockword.ts'
import { moreWords, needSeat } from './schedule.ts'

/** User memory: a wasm memory where it is ours or a guest's, a bare buffer where the caller brought one. */
export type UserBuffer = SharedArrayBuffer | WebAssembly.Memory

export function bufferOf(user: UserBuffer): SharedArrayBuffer {
  return user instanceof SharedArrayBuffer ? user : (user.buffer as unknown as SharedArrayBuffer)
}

/** What a process hands to its other threads: two shared memories, and a number that tells which token a thread came with. */
export interface ShareToken {
  readonly ceheap: number
  readonly ticket: number
  readonly user: UserBuffer
  readonly system: WebAssembly.Memory
  /** Where sections are counted, in a process that counts (counts.ts). */
  readonly counts?: SharedArrayBuffer
  /** Where threads agree on whose turn it is, in a process with a schedule (scheduleboard.ts). */
  readonly schedule?: SharedArrayBuffer
}

/** The caller's page-level allocator of a CeHeapCreate heap (CH-4): address and size in bytes, action MEM_RESERVE, MEM_COMMIT, MEM_DECOMMIT or MEM_RELEASE. */
export interface PageCallbacks {
  alloc(address: number, bytes: number, action: number): number
  free(address: number, bytes: number, action: number): number
}

/** HeapAlloc and HeapFree at once, where nothing is out of the ordinary: 0 says that nothing was done (heap/hot.ts). */
export interface HotPath {
  /** The new block's address. */
  alloc(who: number, handle: number, bytes: number): number
  /** 1. */
  free(who: number, handle: number, pointer: number): number
}

/** No hot path. */
export const COLD: HotPath = { alloc: () => 0, free: () => 0 }

/** What a schedule has a thread tell of (scheduleseat.ts, schedulegrants.ts). */
export interface Scheduling {
  /** In a schedule where threads go one at a time: the step of this thread's last grant, 0 before the first. */
  readonly order: number
  /** Before a section is tried without waiting for it. */
  tries(at: number, who: number): void
  /** Before a wait for a section that another thread owns. */
  awaits(at: number): void
  /** Before each nap of such a wait. */
  dozes(): void
  /** A section whose owner is dead was taken over. */
  inherits(at: number): void
  /** Before a checked access to user memory. */
  touches(address: number, length: number, changes: boolean): void
  /** A call begins. */
  calls(): void
  /** This thread, which was terminated, hears of it: at a call, or as it waits for the section at `at`. */
  ends(at: number): void
  /** Then it lets go of all that it owns. */
  falls(): void
  /** The creating thread asks for the end of a thread: what it is to be told where the schedule says when that is, else undefined. */
  terminates(tid: number): boolean | undefined
  /** The thread has detached. */
  leaves(): void
  /** Does what mends after the threads that came with a token, which are dead: the creating thread may enter sections for that. */
  bury<T>(ticket: number, mend: () => T): T
  /** The process is closed. */
  close(): void
}

/** What a running page callback was asked to do, and so what it may change of pages lent to a heap. */
export interface Lease {
  readonly action: number
  readonly address: number
  readonly bytes: number
  /** The heap whose callback it is, and how often its section had been entered beyond the first time. */
  readonly record: number
  readonly entered: number
}

/**
 * One thread's view of the two buffers. Every JS thread makes its own Machine over the same memory; what decides
 * an address, an error or an order lives in the buffers, except page callbacks: functions cannot be shared (the last three fields).
 */
export class Machine {
  readonly user: UserBuffer
  readonly system: WebAssembly.Memory
  /** The two steps of a lock word (lockword.ts). Who counts them or orders them wraps what is there, once the machine is made. */
  take: LockWord['take']
  give: LockWord['give']
  /** The hot path enters sections by itself: whoever changes `take` and `give` has to take it away (`goBy`). */
  hot: HotPath = COLD
  /** Zeroing and copying by wasm, where user memory is a wasm memory. */
  readonly bulk: Bulk | undefined
  readonly layout: Layout
  /** Counts what this thread does with sections; undefined where nobody asked for it (counts.ts). */
  counts: SectionCounts | undefined
  /** This thread's part in a schedule; undefined where threads run as they like and nobody writes it down (schedule.ts). */
  seat: Scheduling | undefined
  /** The board of the schedule that the process has (scheduleboard.ts). */
  schedule: SharedArrayBuffer | undefined
  /** All of system memory, for the hot path; the arrays below are its parts. */
  readonly mem: Int32Array
  /** Where the block map begins in `mem`, in words. */
  readonly mapAt: number
  /** Header, threads, heap records and the ring of findings. */
  readonly sys: Int32Array
  /** Eight words for each 64 KB of address space (pages.ts). */
  readonly units: Int32Array
  /** One word for each page (pages.ts). */
  readonly pages: Int32Array
  /** The index of next-fit heaps (heap/cells.ts). */
  readonly cells: Int32Array
  /** Four words for each granule (heap/block.ts). */
  readonly map: Int32Array
  /** One word for each granule (heap/marks.ts). */
  readonly marks: Int32Array
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly heapsAt: number
  readonly heapsEnd: number
  readonly heapLimit: number
  /** Granules of user memory. */
  readonly granules: number
  /** Page callbacks of the heaps that this JS thread made (heap/lent.ts): functions cannot be shared between threads. */
  readonly pageCallbacks: Map<number, PageCallbacks> = new Map()
  /** One for each page callback that is running, innermost last. */
  readonly leases: Lease[] = []
  /** What page callbacks threw or gave wrongly (heap/lent.ts), until the call that ran them has left its section. */
  readonly callbackErrors: unknown[] = []
  /** Where the slot of the thread lies that this view belongs to (threads.ts), in words; the creating thread's until a thread joins. */
  slot: number
  /** Whether this thread was terminated and knows it: it makes no call any more. */
  ended: boolean
  /** Ends this thread, which was terminated, for the process. Set by coredll. */
  fall: (() => void) | undefined
  /**
   * Lets go of what this thread was in when an error ended its call at no matter which store, and undoes what is loose (adrift.ts): never by a long wait,
   * unless it is to `insist` on the sections of that. Set by coredll.
   */
  abandon: ((insist?: boolean) => void) | undefined
  /** An error has ended a call of this thread, and what it was in is not let go of yet. */
  adrift = false
  /** What that call had made and handed to nobody is not undone yet. */
  loose = false
  /** The path of the thread's calls; while it is one or the other they are not hot. */
  warm: HotPath = COLD
  /** The section of the program's that a call is entering, 0 for none, and how often the thread was in it before. */
  entering = 0
  enteredBefore = 0
  /** One for each method of a spy that is running, innermost last: how often the spy section had been entered beyond the first time. */
  readonly spied: number[] = []
  /** Mends what the dead owner `dead` left behind the section at word `at`, which the caller `who` has taken over (section.ts). Set by coredll, which knows whose section it is. */
  repair: ((at: number, who: number, dead: number) => void) | undefined

  constructor(user: UserBuffer, system: WebAssembly.Memory) {
    const buffer = bufferOf(user)
    const units = buffer.byteLength / UNIT
    const layout = layoutFor(units)
    const all = new Int32Array(system.buffer)
    this.user = user
    this.system = system
    const { take, give } = lockWordOf(system)
    this.take = take
    this.give = give
    this.bulk = user instanceof SharedArrayBuffer ? undefined : bulkOf(user)
    this.layout = layout
    this.counts = undefined
    this.seat = undefined
    this.schedule = undefined
    this.mem = all
    this.mapAt = layout.mapAt
    this.sys = all.subarray(0, layout.unitsAt)
    this.units = all.subarray(layout.unitsAt, layout.unitsAt + units * UNIT_WORDS)
    this.pages = all.subarray(layout.pagesAt, layout.pagesAt + units * PAGES_PER_UNIT)
    this.cells = all.subarray(layout.cellsAt, layout.cellsAt + layout.cellWords)
    this.map = all.subarray(layout.mapAt, layout.mapAt + units * GRANULES_PER_UNIT * 4)
    this.marks = all.subarray(layout.marksAt, layout.marksAt + units * GRANULES_PER_UNIT)
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.slot = layout.threadsAt
    this.ended = false
    this.fall = undefined
    this.abandon = undefined
    this.heapsAt = layout.heapsAt
    this.heapsEnd = layout.heapsAt + units * HEAP_WORDS
    this.heapLimit = units
    this.granules = units * GRANULES_PER_UNIT
  }

  get closed(): boolean {
    return Atomics.load(this.sys, HDR.CLOSED) !== 0
  }

  /** From now on the thread's calls go by `path`. */
  goBy(path: HotPath): void {
    this.warm = path
    this.hot = path
  }

  share(): ShareToken {
    const { counts, schedule } = this
    if (schedule !== undefined) needSeat(schedule, Atomics.load(this.sys, HDR.TICKETS))
    const ticket = Atomics.add(this.sys, HDR.TICKETS, 1) + 1
    const token = { ceheap: LAYOUT_VERSION, ticket, user: this.user, system: this.system }
    return { ...token, ...(counts === undefined ? {} : { counts: counts.buffer }), ...(schedule === undefined ? {} : { schedule }) }
  }
}

/** System memory is a wasm memory because the lock words are worked by wasm code (lockword.ts). */
function systemPages(units: number, more: number): number {
  return Math.ceil(((layoutFor(units).words + more) * 4) / 0x10000)
}

/** Makes the system memory for `user`, with `more` words behind what the layout says, and writes its header; the caller fills in the options. */
export function createMachine(user: UserBuffer, more = 0): Machine {
  const units = bufferOf(user).byteLength / UNIT
  const pages = systemPages(units, more)
  const system = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const machine = new Machine(user, system)
  machine.sys[HDR.MAGIC] = MAGIC
  machine.sys[HDR.VERSION] = LAYOUT_VERSION
  machine.sys[HDR.UNITS] = units
  return machine
}

/** Opens another thread's view on a process; throws if the token is not what `process.share()` gave. */
export function openMachine(token: unknown): Machine {
  const expected = 'what process.share() gave'
  if (typeof token !== 'object' || token === null) throw misuse('attachThread', expected, token)
  const { ceheap, ticket, user, system, counts, schedule } = token as Partial<ShareToken>
  const shared =
    user instanceof SharedArrayBuffer || (user instanceof WebAssembly.Memory && (user.buffer as unknown) instanceof SharedArrayBuffer)
  // A wasm memory may have no bytes at all.
  if (!shared || !(system instanceof WebAssembly.Memory) || system.buffer.byteLength === 0) throw misuse('attachThread', expected, token)
  if (counts !== undefined && !(counts instanceof SharedArrayBuffer && counts.byteLength === COUNTS_BYTES))
    throw misuse('attachThread', expected, token)
  if (schedule !== undefined && !(schedule instanceof SharedArrayBuffer)) throw misuse('attachThread', expected, token)
  const header = new Int32Array(system.buffer, 0, HDR.UNITS + 1)
  if (ceheap !== LAYOUT_VERSION || header[HDR.MAGIC] !== MAGIC || header[HDR.VERSION] !== LAYOUT_VERSION) {
    throw misuse('attachThread', `${expected} in the same version of this library (layout ${LAYOUT_VERSION})`, token)
  }
  const units = bufferOf(user).byteLength / UNIT
  if (
    units !== header[HDR.UNITS] ||
    system.buffer.byteLength !== systemPages(units, schedule === undefined ? 0 : moreWords(schedule)) * 0x10000
  ) {
    throw misuse('attachThread', `${expected}, with both buffers of one process`, token)
  }
  const machine = new Machine(user, system)
  if (!isTicket(machine, ticket)) throw misuse('attachThread', expected, token)
  return machine
}

/** Whether `share` has given a token with that number. */
export function isTicket({ sys }: Machine, ticket: unknown): boolean {
  return Number.isInteger(ticket) && (ticket as number) >= 1 && (ticket as number) <= Atomics.load(sys, HDR.TICKETS)
}
