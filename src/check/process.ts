import type { Finding } from '../coredll/findings.ts'
import { type CeProcess, createProcess, type ProcessOptions } from '../coredll/process.ts'
import type { CeThread } from '../coredll/thread.ts'
import type { TraceEvent } from '../trace/event.ts'
import { TraceHeap } from './heaps.ts'
import { Objects } from './objects.ts'
import { Regions } from './regions.ts'
import { type Block, type Family, Ledger } from './ledger.ts'

const mostThreads = 65_536
/** Handles of destroyed heaps are remembered up to this number of handles in all. */
const mostHandles = 8192

/**
 * One process of the trace, and the emulated process that it is replayed on. All of its threads are replayed on the emulated process's
 * creating thread, in the order of the recording: the heaps of CE are always locked, so which thread calls makes no difference to what a
 * heap answers. Findings carry the thread ids of the recording.
 */
export class TraceProcess {
  readonly id: number
  readonly emulated: CeProcess
  readonly ce: CeThread
  readonly ledger: Ledger = new Ledger()
  readonly processHeap: TraceHeap
  readonly regions: Regions = new Regions()
  readonly objects: Objects = new Objects()
  readonly threads: Set<number> = new Set()
  /** What the emulator said about the call at hand. */
  readonly raised: Finding[] = []
  calls = 0
  /** Blocks whose address was handed out again without a free in between. */
  unseenFrees = 0
  private readonly heaps = new Map<number, TraceHeap>()
  /** Heaps whose creation the recording shows without the handle, the oldest first. */
  private readonly unbound: TraceHeap[] = []
  private sweepAt = mostHandles
  private processHeapSeen = false
  private lastThread = -1
  private readonly ended: (heap: TraceHeap) => void

  constructor(id: number, options: ProcessOptions, ended: (heap: TraceHeap) => void) {
    this.id = id
    this.emulated = createProcess(options)
    this.ce = this.emulated.thread
    this.emulated.onFinding((finding) => this.raised.push(finding))
    this.processHeap = new TraceHeap('process heap', this.ce.GetProcessHeap(), 0, 0, 0)
    this.ended = ended
  }

  count(thread: number): void {
    this.calls++
    if (thread === this.lastThread) return
    this.lastThread = thread
    if (this.threads.size < mostThreads) this.threads.add(thread)
  }

  /** Heaps that live now, the process heap first. */
  live(): TraceHeap[] {
    const others = [...new Set([...this.heaps.values(), ...this.unbound])]
    return [this.processHeap, ...others.filter((heap) => heap !== this.processHeap && !heap.destroyed)]
  }

  /**
   * The heap that a call names. A handle that was never seen belongs to
   * - the oldest heap whose creation the recording shows without its handle. That is a guess: Wine's heap log does not show what
   *   RtlCreateHeap returned, and a program that makes two heaps before it uses the first in another order is read wrongly;
   * - else, the first time, the process heap;
   * - else a growable heap made before the recording began, or inside a call that shows only from outside.
   * Undefined for NULL, for the handle of a destroyed heap and for a handle never seen, where the call failed in the recording as well.
   */
  heap(handle: number, failed: boolean): TraceHeap | undefined {
    const known = this.heaps.get(handle)
    if (known !== undefined && !known.destroyed) return known
    if (handle === 0) return undefined
    const first = this.unbound.shift()
    if (first !== undefined) return this.bind(first, handle)
    if (known === undefined && !this.processHeapSeen) return this.bindProcessHeap(handle)
    if (failed) return undefined
    return this.bind(new TraceHeap('growable', this.ce.HeapCreate(0, 0, 0), handle, 0, 0), handle)
  }

  /** Whether this is the handle of a heap that was destroyed. */
  wasDestroyed(handle: number): boolean {
    return this.heaps.get(handle)?.destroyed === true
  }

  /** The handle is known to be the process heap's. */
  bindProcessHeap(handle: number): TraceHeap {
    const known = this.heaps.get(handle)
    if (known !== undefined && !known.destroyed) return known
    this.processHeapSeen = true
    return this.bind(this.processHeap, handle)
  }

  /** No heap was seen yet. */
  isFirst(): boolean {
    return !this.processHeapSeen && this.heaps.size === 0
  }

  /** The recording shows the creation of the process heap itself, without its handle. */
  expectProcessHeap(): boolean {
    if (!this.isFirst()) return false
    this.processHeapSeen = true
    this.unbound.push(this.processHeap)
    return true
  }

  /** A heap was created; `handle` is 0 where the recording does not show it. */
  created(heap: TraceHeap, handle: number): void {
    if (handle === 0) {
      this.unbound.push(heap)
      return
    }
    const former = this.heaps.get(handle)
    if (former !== undefined && !former.destroyed && former !== this.processHeap) this.end(former, 'HeapCreate', '', heap.position)
    this.bind(heap, handle)
  }

  /** Ends a heap and its blocks: destroyed, or its handle was given out again. */
  end(heap: TraceHeap, call: string, site: string, position: number): void {
    heap.destroyed = true
    this.ended(heap)
    while (heap.first !== undefined) this.ledger.release(heap.first, call, site, position)
    if (heap.own !== 0) this.ce.HeapDestroy(heap.own)
  }

  /** Books an allocation, for the caller to fill in `own`. A live block at the address was freed out of sight. */
  allocated(event: TraceEvent, pointer: number, heap: TraceHeap, size: number, family: Family): Block {
    const former = this.ledger.live(pointer)
    if (former !== undefined) {
      this.unseenFrees++
      this.freed(former, event)
    }
    const block = this.ledger.claim(pointer, heap)
    block.own = 0
    block.family = family
    this.describe(block, event, size)
    heap.allocations++
    return block
  }

  /** The call and size that a block is known by: those of its allocation or of its last resizing. */
  describe(block: Block, event: TraceEvent, size: number): void {
    block.size = size
    block.call = event.call
    block.site = event.site
    block.thread = event.thread
    block.position = event.position
  }

  /** Frees a live block in the emulator and in the books. */
  freed(block: Block, event: TraceEvent): void {
    if (block.own !== 0) this.ce.HeapFree(block.heap.own, 0, block.own)
    block.heap.frees++
    this.ledger.release(block, event.call, event.site, event.position)
  }

  private bind(heap: TraceHeap, handle: number): TraceHeap {
    if (heap.handle === 0) heap.handle = handle
    if (this.heaps.size >= this.sweepAt) {
      for (const [key, { destroyed }] of this.heaps) if (destroyed) this.heaps.delete(key)
      // Twice what is left: a program with more live heaps than that would else be swept at each new one.
      this.sweepAt = Math.max(mostHandles, 2 * this.heaps.size)
    }
    this.heaps.set(handle, heap)
    return heap
  }
}
