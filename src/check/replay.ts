import type { ProcessOptions } from '../coredll/process.ts'
import type { TraceEvent } from '../trace/event.ts'
import { heapReport, type TraceHeap } from './heaps.ts'
import { reportLeaks } from './leaks.ts'
import { fits } from './looks.ts'
import { porting } from './porting.ts'
import { TraceProcess } from './process.ts'
import { crtFree, calloc, malloc, msize, realloc, taskAlloc, taskFree, taskMinimize, taskRealloc, taskSize } from './replaycrt.ts'
import {
  getProcessHeap,
  heapAlloc,
  heapCompact,
  heapCreate,
  heapDestroy,
  heapFree,
  heapReAlloc,
  heapSize,
  heapValidate
} from './replayheap.ts'
import { localAlloc, localFree, localLock, localReAlloc, localSize } from './replaylocal.ts'
import type { HeapReport } from './report.ts'
import type { Habit, Replay, Run } from './run.ts'
import { faults } from './faults.ts'
import { objectReplays } from './objects.ts'
import { reportReserved, virtualReplays } from './replayvirtual.ts'
import { inProgram } from './sites.ts'
import { verdict } from './verdict.ts'
import { bytesText } from './words.ts'

/** Emulated processes that are kept at once: each reserves half as much again as its memory. */
const mostProcesses = 64
const mostHeaps = 1000
const mostNames = 256
const mostIds = 4096

/** The calls that are replayed, with the number of arguments that they need. */
const replays: Readonly<Record<string, readonly [Replay, number]>> = {
  HeapCreate: [heapCreate, 3],
  CeHeapCreate: [heapCreate, 3],
  HeapDestroy: [heapDestroy, 1],
  HeapAlloc: [heapAlloc, 3],
  HeapReAlloc: [heapReAlloc, 4],
  HeapFree: [heapFree, 3],
  HeapSize: [heapSize, 3],
  HeapValidate: [heapValidate, 3],
  HeapCompact: [heapCompact, 2],
  GetProcessHeap: [getProcessHeap, 0],
  LocalAlloc: [localAlloc, 2],
  LocalReAlloc: [localReAlloc, 3],
  LocalFree: [localFree, 1],
  LocalSize: [localSize, 1],
  LocalLock: [localLock, 1],
  GlobalAlloc: [localAlloc, 2],
  GlobalReAlloc: [localReAlloc, 3],
  GlobalFree: [localFree, 1],
  GlobalSize: [localSize, 1],
  GlobalLock: [localLock, 1],
  CoTaskMemAlloc: [taskAlloc, 1],
  CoTaskMemRealloc: [taskRealloc, 2],
  CoTaskMemFree: [taskFree, 1],
  'IMalloc::GetSize': [taskSize, 1],
  'IMalloc::HeapMinimize': [taskMinimize, 0],
  'IHostMalloc::Alloc': [unseen, 0],
  'IHostMalloc::DebugAlloc': [unseen, 0],
  'IHostMalloc::Free': [unseen, 0],
  'IHostMemoryManager::VirtualAlloc': [unseen, 0],
  'IHostMemoryManager::VirtualFree': [unseen, 0],
  'IHostMemoryManager::VirtualProtect': [unseen, 0],
  SetLastError: [setLastError, 1],
  malloc: [malloc, 1],
  calloc: [calloc, 2],
  realloc: [realloc, 2],
  free: [crtFree, 1],
  _msize: [msize, 1],
  ...virtualReplays,
  ...objectReplays
}

/** The result of a host's call is its HRESULT: the pointer that it gave is not in the recording. */
function unseen(run: Run): void {
  run.notReplayed++
}

function setLastError(_run: Run, process: TraceProcess, { args }: TraceEvent): void {
  if (fits(args[0]!)) process.ce.SetLastError(args[0]!)
}

/** Everything that is known of one call's name. */
interface Row {
  readonly name: string
  readonly habit: Habit | undefined
  readonly replay: Replay | undefined
  readonly arity: number
  count: number
}

function rowOf(name: string): Row {
  const replay = Object.hasOwn(replays, name) ? replays[name] : undefined
  const habit = Object.hasOwn(porting, name) ? porting[name] : undefined
  return { name, habit, replay: replay?.[0], arity: replay?.[1] ?? 0, count: 0 }
}

/** Replays events one by one on one emulated process for each process of the trace. */
export class Replayer {
  readonly run: Run
  readonly heaps: HeapReport[] = []
  readonly processes: Map<number, TraceProcess> = new Map()
  calls = 0
  callsLeftOut = 0
  heapsLeftOut = 0
  /** Process ids of the trace, selected or not; bounded. */
  readonly ids: Set<number> = new Set()
  readonly leftOut: Set<number> = new Set()
  private readonly options: ProcessOptions
  private readonly only: number | undefined
  private readonly rows = new Map<string, Row>()
  private readonly others: Row = rowOf('')
  private current: TraceProcess | undefined
  private watchSites: boolean

  constructor(run: Run, options: ProcessOptions, only: number | undefined) {
    this.run = run
    this.options = options
    this.only = only
    // Only relay logs are incomplete, and only they have return addresses as call sites.
    this.watchSites = !run.complete
  }

  event(event: TraceEvent): void {
    let process = this.current
    if (process === undefined || process.id !== event.process) {
      process = this.select(event.process)
      if (process === undefined) return
      this.current = process
    }
    if (this.watchSites && inProgram(event.site)) {
      this.run.programSites = true
      this.watchSites = false
    }
    // Handles of everything are closed with it.
    if (event.call === 'CloseHandle' && !process.objects.isSnapshot(event.args[0])) return
    this.calls++
    process.count(event.thread)
    const row = this.row(event.call)
    row.count++
    if (event.args.length < row.arity) {
      this.run.notReplayed++
      return
    }
    row.habit?.(this.run, event)
    if (row.replay === undefined) return
    row.replay(this.run, process, event)
    if (process.raised.length > 0) this.unexpected(process, event)
  }

  /** The recording is over: what still lives ends. */
  end(): void {
    for (const process of this.processes.values()) {
      process.objects.end(this.run)
      reportReserved(this.run, process)
      for (const heap of process.live()) this.ended(process, heap)
    }
  }

  callsByName(): Record<string, number> {
    const rows = [...this.rows.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    const counts = rows.map(({ name, count }): [string, number] => [name, count])
    if (this.others.count > 0) counts.push(['others', this.others.count])
    return Object.fromEntries(counts)
  }

  private row(name: string): Row {
    let row = this.rows.get(name)
    if (row === undefined) {
      if (this.rows.size >= mostNames) return this.others
      row = rowOf(name)
      this.rows.set(name, row)
    }
    return row
  }

  private select(id: number): TraceProcess | undefined {
    if (this.ids.size < mostIds) this.ids.add(id)
    if (this.only !== undefined && id !== this.only) return undefined
    const known = this.processes.get(id)
    if (known !== undefined) return known
    const process = this.processes.size >= mostProcesses || this.leftOut.has(id) ? undefined : this.start(id)
    if (process === undefined) {
      this.callsLeftOut++
      if (this.leftOut.size < mostIds) this.leftOut.add(id)
      return undefined
    }
    this.processes.set(id, process)
    return process
  }

  /** Undefined where this computer has no memory for one more; the first must be had. */
  private start(id: number): TraceProcess | undefined {
    try {
      const process: TraceProcess = new TraceProcess(id, this.optionsFor(), (heap) => this.ended(process, heap))
      return process
    } catch (error) {
      if (!(error instanceof RangeError) || !/allocation failed/i.test(error.message)) throw error
      if (this.processes.size > 0) return undefined
      throw new RangeError(
        `memory: this computer cannot provide the ${bytesText(Number(this.options.memory))} that the emulated process is to have`
      )
    }
  }

  /**
   * A recording does not show what is in the blocks, and without the sentinels of the debug build nothing is ever written into them. So all
   * emulated processes have one user memory, which stays zero: a log of many processes then costs little more than one of one.
   */
  private optionsFor(): ProcessOptions {
    const [first] = this.processes.values()
    if (first === undefined || this.options.build === 'debug') return this.options
    return { ...this.options, memory: first.ce.memory.bytes.buffer as SharedArrayBuffer }
  }

  private ended(process: TraceProcess, heap: TraceHeap): void {
    reportLeaks(this.run, process, heap)
    if (this.heaps.length >= mostHeaps) {
      this.heapsLeftOut++
      return
    }
    const report = heapReport(process.ce, heap, process.id)
    this.heaps.push(report)
    this.fragmented(process, report)
  }

  /** W-23: at least 64 KB and a quarter of the heap are free between live blocks, more than half of it outside the largest piece. */
  private fragmented(process: TraceProcess, heap: HeapReport): void {
    const { destroyed, liveBlocks, liveBytes, freeBytes, fragmentation } = heap
    if (destroyed || liveBlocks === 0 || fragmentation <= 0.5 || freeBytes < 0x10000 || freeBytes * 3 < liveBytes) return
    const { position } = heap
    const event: TraceEvent = {
      call: 'HeapCreate',
      args: [],
      result: undefined,
      process: process.id,
      thread: 0,
      site: heap.name,
      via: '',
      position
    }
    const group = this.run.groups.hit(faults.fragmented, event)
    group.onCe = `${bytesText(heap.freeBytes)} are free in the ${heap.name} at the end, the largest piece has ${bytesText(heap.largestFree)}`
  }

  /** The emulator saw something that no handler expected: told as it is, since hiding it would be worse. */
  private unexpected(process: TraceProcess, event: TraceEvent): void {
    for (const { rule, severity, message } of process.raised) {
      const group = this.run.groups.hit(verdictOf(rule, severity), event)
      if (this.run.groups.fresh) group.onCe = message
    }
    process.raised.length = 0
  }
}

const made = new Map<string, ReturnType<typeof verdict>>()

function verdictOf(rule: string, severity: 'error' | 'warning' | 'note'): ReturnType<typeof verdict> {
  const key = `${rule} ${severity}`
  const known = made.get(key)
  if (known !== undefined) return known
  const fresh = verdict(rule, severity, { title: 'Reported by the emulator', onCe: '', advice: 'See the rule.' })
  made.set(key, fresh)
  return fresh
}
