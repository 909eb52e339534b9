import type { TraceEvent } from '../trace/event.ts'
import type { Verdict } from './verdict.ts'
import { callText, resultText } from './words.ts'

/** Groups that are kept apart; the call sites beyond are counted in one group a verdict. */
const mostGroups = 10_000
const mostProcesses = 256

/** Calls from one place that meet one verdict. */
export interface Group {
  readonly verdict: Verdict
  readonly call: string
  readonly site: string
  count: number
  readonly recorded: string
  /** What CE does with the first of the calls; preset from the verdict. */
  onCe: string
  readonly position: number
  readonly process: number
  readonly thread: number
  readonly processes: Set<number>
  readonly heap: string
  bytes: number
  /** Stands for all call sites beyond the limit. */
  readonly overflow: boolean
}

/** Blocks that were left, as leaks.ts counts them. */
export interface LeftBlocks {
  readonly verdict: Verdict
  readonly call: string
  readonly site: string
  readonly count: number
  readonly bytes: number
  readonly heap: string
  readonly recorded: string
  readonly onCe: string
  readonly position: number
  readonly process: number
  readonly thread: number
}

/** The map under a key, made where it is missing. */
export function within<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = maps.get(key)
  if (found === undefined) {
    found = new Map()
    maps.set(key, found)
  }
  return found
}

/** The findings of a run, bounded in number whatever the trace holds. */
export class Groups {
  private readonly byVerdict = new Map<Verdict, Map<string, Map<string, Group>>>()
  private readonly beyond = new Map<Verdict, Group>()
  private readonly left: Group[] = []
  private size = 0
  /** Whether the last `hit` made a new group, so that its `onCe` may be filled in. */
  fresh = false

  /** Counts the call under the verdict. Making the texts is left to the first call of a group. */
  hit(verdict: Verdict, event: TraceEvent): Group {
    const sites = within(within(this.byVerdict, verdict), event.call)
    let group = sites.get(event.site)
    this.fresh = group === undefined
    if (group === undefined) {
      if (this.size >= mostGroups) return this.overflow(verdict, event)
      this.size++
      group = this.make(verdict, event, false)
      sites.set(event.site, group)
    }
    group.count++
    if (event.process !== group.process && group.processes.size < mostProcesses) group.processes.add(event.process)
    return group
  }

  /** Adds what is left of one call site in one heap. */
  leave(blocks: LeftBlocks): void {
    if (this.size >= mostGroups) {
      const { verdict, call, process, thread, position } = blocks
      const beyond = this.overflow(verdict, { call, process, thread, position, args: [], result: undefined, site: '', via: '' })
      beyond.count += blocks.count - 1
      beyond.bytes += blocks.bytes
      return
    }
    this.size++
    this.left.push({ ...blocks, processes: new Set([blocks.process]), overflow: false })
  }

  all(): Group[] {
    const found = [...this.left, ...this.beyond.values()]
    for (const calls of this.byVerdict.values()) for (const sites of calls.values()) found.push(...sites.values())
    return found
  }

  private overflow(verdict: Verdict, event: TraceEvent): Group {
    let group = this.beyond.get(verdict)
    if (group === undefined) {
      group = this.make(verdict, event, true)
      this.beyond.set(verdict, group)
    }
    this.fresh = false
    group.count++
    if (group.processes.size < mostProcesses) group.processes.add(event.process)
    return group
  }

  private make(verdict: Verdict, event: TraceEvent, overflow: boolean): Group {
    return {
      verdict,
      call: event.call,
      site: overflow ? '' : event.site,
      count: 0,
      recorded: `${callText(event)} ${resultText(event)}`,
      onCe: verdict.onCe,
      position: event.position,
      process: event.process,
      thread: event.thread,
      processes: new Set([event.process]),
      heap: '',
      bytes: 0,
      overflow
    }
  }
}
