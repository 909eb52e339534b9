import type { TraceEvent } from './event.ts'

/** Events held back in case they turn out to be part of a call. Between its lines stand those of other threads only. */
const held = 512
const mostThreads = 1 << 16
const mostHidden = 1 << 16

/** What HeapCreate allocates for itself, as Wine 8 logs it: a lock's debug record on the process heap, then a table on the new heap. */
const lockSize = 0x30
const tableSize = 0x2000
const zeroed = 8
/** A flag that ntdll sets for the process heap and kernel32's HeapCreate never passes on. */
const growable = 2

/** The newest events of one thread, by number. */
interface Recent {
  last: number
  before: number
  /** A HeapCreate whose own allocations may follow; -1 where there is none. */
  creating: number
}

/**
 * Leaves out of a heap log what heap calls log of their own work, and would be read as the app's:
 *
 * - a HeapReAlloc that moves its block logs the allocation and the free that it consists of first, one that fails the failed allocation;
 * - a HeapCreate logs one or two allocations behind itself, the last on the new heap, so that its handle is known after all;
 * - the process heap's creation, which the app did not ask for, is given as the GetProcessHeap that tells its handle;
 * - a HeapDestroy logs the frees of these behind itself.
 */
export class HeapParts {
  /** Undefined where an event was left out. The first one has the number `base`, counted from the beginning. */
  private events: (TraceEvent | undefined)[] = []
  private base = 0
  private readonly threads = new Map<number, Recent>()
  /** Live blocks whose allocation was left out, by process and address. */
  private readonly hidden = new Set<string>()

  add(event: TraceEvent): void {
    const recent = this.recentOf(event)
    const number = this.base + this.events.length
    if (event.call === 'HeapReAlloc') this.leaveResize(event, recent)
    else if (event.call === 'HeapAlloc') {
      if (recent.creating >= 0 && this.leaveTable(event, recent)) return
    } else if (event.call === 'HeapFree' && this.hidden.size > 0 && this.hidden.delete(block(event, event.args[2]!))) return
    this.events.push(event)
    recent.creating = event.call === 'HeapCreate' ? number : this.isLock(event, recent) ? recent.creating : -1
    recent.before = recent.last
    recent.last = number
  }

  /** Moves to `out` what can be part of nothing any more; everything where `all` is set. */
  flush(out: TraceEvent[], all: boolean): void {
    const count = this.events.length - (all ? 0 : held)
    if (count <= 0) return
    for (let index = 0; index < count; index++) {
      const event = this.events[index]
      if (event !== undefined) out.push(event)
    }
    this.events = this.events.slice(count)
    this.base += count
  }

  private recentOf({ process, thread }: TraceEvent): Recent {
    const key = process * 0x100000000 + thread
    let recent = this.threads.get(key)
    if (recent === undefined) {
      if (this.threads.size === mostThreads) this.threads.clear()
      recent = { last: -1, before: -1, creating: -1 }
      this.threads.set(key, recent)
    }
    return recent
  }

  private leaveResize(resize: TraceEvent, { last, before }: Recent): void {
    const [heap, , old, size] = resize.args
    const allocation = resize.result === 0 ? last : before
    const allocated = this.events[allocation - this.base]
    const freed = this.events[last - this.base]
    if (allocated?.call !== 'HeapAlloc' || allocated.result !== resize.result || allocated.args[0] !== heap || allocated.args[2] !== size)
      return
    if (resize.result !== 0) {
      if (freed?.call !== 'HeapFree' || freed.args[0] !== heap || freed.args[2] !== old) return
      this.events[last - this.base] = undefined
    }
    this.events[allocation - this.base] = undefined
  }

  /** Whether the event may be the first allocation of the HeapCreate in front of it. */
  private isLock(event: TraceEvent, { last, creating }: Recent): boolean {
    return creating >= 0 && creating === last && event.call === 'HeapAlloc' && event.args[2] === lockSize
  }

  /** Leaves the new heap's table out, and the lock's record where there is one, and gives HeapCreate its result. */
  private leaveTable(table: TraceEvent, recent: Recent): boolean {
    const [heap, flags, size] = table.args
    const created = this.events[recent.creating - this.base]
    if (flags !== zeroed || size !== tableSize || created === undefined) return false
    created.result = heap
    this.hide(table)
    const lock = recent.last === recent.creating ? undefined : this.events[recent.last - this.base]
    if (lock !== undefined) {
      this.hide(lock)
      this.events[recent.last - this.base] = undefined
    } else if ((created.args[0]! & growable) !== 0) {
      created.call = 'GetProcessHeap'
      created.args = []
    }
    recent.creating = -1
    return true
  }

  private hide(allocated: TraceEvent): void {
    if (this.hidden.size === mostHidden) this.hidden.clear()
    this.hidden.add(block(allocated, allocated.result!))
  }
}

function block({ process }: TraceEvent, address: number): string {
  return `${process} ${address}`
}
