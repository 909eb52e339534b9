import type { TraceEvent } from '../trace/event.ts'
import { habits } from './habits.ts'
import type { Replay, Run } from './run.ts'

const SNAPPROCESS = 0x2
const SNAPNOHEAPS = 0x40000000
const INHERIT = 0x80000000

/** Snapshots, and critical sections, of one process that are remembered; of more the oldest are forgotten. */
const mostObjects = 4096

/** What a critical section was last: the thread that used it, several, or deleted. */
type SectionState = number | 'several' | 'deleted'

function remember<V>(map: Map<number, V>, key: number, value: V): V | undefined {
  map.delete(key)
  map.set(key, value)
  if (map.size <= mostObjects) return undefined
  const [oldest] = map.entries()
  map.delete(oldest![0])
  return oldest![1]
}

/** One process's tool-help snapshots and critical sections, as far as a recording tells of them. Neither takes part in the emulated memory. */
export class Objects {
  private readonly snapshots = new Map<number, TraceEvent>()
  private readonly sections = new Map<number, SectionState>()

  isSnapshot(handle: number | undefined): boolean {
    return handle !== undefined && this.snapshots.has(handle)
  }

  opened(run: Run, event: TraceEvent): void {
    const forgotten = event.result === undefined ? event : remember(this.snapshots, event.result, { ...event })
    if (forgotten !== undefined) reportSnapshot(run, forgotten)
  }

  closed(handle: number): boolean {
    return this.snapshots.delete(handle)
  }

  /** Snapshots whose closing the recording does not show: most leave CloseHandle out. */
  end(run: Run): void {
    for (const event of this.snapshots.values()) reportSnapshot(run, event)
    this.snapshots.clear()
  }

  initialised(section: number, thread: number): void {
    remember(this.sections, section, thread)
  }

  deleted(section: number): void {
    remember(this.sections, section, 'deleted')
  }

  /** What the section was before this thread used it. */
  used(section: number, thread: number): SectionState | undefined {
    const former = this.sections.get(section)
    if (former === undefined) this.initialised(section, thread)
    else if (former !== 'deleted' && former !== 'several' && former !== thread) this.sections.set(section, 'several')
    return former
  }
}

function reportSnapshot(run: Run, event: TraceEvent): void {
  const flags = event.args[0]! | 0
  const group = run.groups.hit(habits.snapshot, event)
  if (run.groups.fresh && (flags & SNAPPROCESS) !== 0 && (flags & SNAPNOHEAPS) === 0) {
    group.onCe += '; without TH32CS_SNAPNOHEAPS it also holds the heaps of every process'
  }
}

/** INVALID_HANDLE_VALUE of 32 bits or more. */
const failed = (handle: number): boolean => handle >= 0xffffffff

const createSnapshot: Replay = (run, process, event) => {
  if (((event.args[0]! | 0) & INHERIT) !== 0) run.groups.hit(habits.inherit, event)
  if (event.result === undefined || !failed(event.result)) process.objects.opened(run, event)
}

/** Only for snapshots: the calls on other handles were left out. */
const closeHandle: Replay = (run, process, event) => {
  process.objects.closed(event.args[0]!)
  run.groups.hit(habits.snapshotClosed, event)
}

const closeSnapshot: Replay = (_run, process, event) => {
  process.objects.closed(event.args[0]!)
}

const initialise: Replay = (_run, process, { args, thread }) => process.objects.initialised(args[0]!, thread)

const remove: Replay = (run, process, event) => {
  if (process.objects.used(event.args[0]!, event.thread) === 'deleted') run.groups.hit(habits.sectionGone, event)
  process.objects.deleted(event.args[0]!)
}

const use: Replay = (run, process, event) => {
  const former = process.objects.used(event.args[0]!, event.thread)
  if (former === 'deleted') run.groups.hit(habits.sectionGone, event)
  else if (typeof former === 'number' && former !== event.thread) run.groups.hit(habits.sectionShared, event)
}

/**
 * Calls that are followed without the emulator, with the number of arguments that they need. Critical sections are not replayed: all threads of a
 * recording are replayed in one.
 */
export const objectReplays: Readonly<Record<string, readonly [Replay, number]>> = {
  CreateToolhelp32Snapshot: [createSnapshot, 2],
  CloseHandle: [closeHandle, 1],
  CloseToolhelp32Snapshot: [closeSnapshot, 1],
  InitializeCriticalSection: [initialise, 1],
  InitializeCriticalSectionAndSpinCount: [initialise, 1],
  InitializeCriticalSectionEx: [initialise, 1],
  EnterCriticalSection: [use, 1],
  TryEnterCriticalSection: [use, 1],
  LeaveCriticalSection: [use, 1],
  DeleteCriticalSection: [remove, 1]
}
