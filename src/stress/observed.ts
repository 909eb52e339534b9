import type { CeProcess } from '../coredll/process.ts'
import { BOARD } from '../machine/scheduleboard.ts'
import type { Trace } from '../machine/schedulesteps.ts'
import { GRANTS } from '../machine/schedulestrategy.ts'
import type { SectionContention, ThreadContention } from './report.ts'

// What the process tells of a run beside the calls: its schedule, its sections.

/** How the run was scheduled. */
export interface Scheduled {
  /** The schedule that repeats the run, where there is such a string; made when it is asked for, which takes a while. */
  readonly replay: () => string | undefined
  /** Steps that threads made, one at a time; 0 where they ran at once. */
  readonly steps: number
  /** How often a thread was made to wait that could have gone on. */
  readonly preemptions: number
  /** Tries of a section were refused because they were in a recorded run, whose owner of that moment may have left by now. */
  readonly refuses: boolean
  /** What the search over orders learns from a run that it guided. */
  readonly trace: Trace | undefined
}

export function scheduledOf(process: CeProcess, schedule: string): Scheduled {
  if (schedule === 'free') return { replay: () => undefined, steps: 0, preemptions: 0, refuses: false, trace: undefined }
  if (schedule === 'recorded') process.drainGrants()
  const report = process.scheduleReport()
  const replay = (): string | undefined => (report.text === undefined ? undefined : `replay:${report.text}`)
  const { schedule: board } = process.thread.machine
  const refuses = board !== undefined && new Int32Array(board)[BOARD.KIND] === GRANTS
  return { replay, steps: report.steps, preemptions: report.preemptions, refuses, trace: report.trace }
}

/** Takes the logged grants out of their rings, so that no thread waits for room. */
export function drain(process: CeProcess, schedule: string): void {
  if (schedule === 'recorded') process.drainGrants()
}

/** Where threads waited: by section, the most waited for first. Empty for a process that does not count. */
export function contentionOf(process: CeProcess, counted: boolean): SectionContention[] {
  if (!counted) return []
  const sections = new Map<string, ThreadContention[]>()
  for (const { kind, handle, address, thread, acquisitions, contended, longestWait, longestHold } of process.sectionCounters().counters) {
    const name = kind === 'process' ? kind : `${kind} 0x${(kind === 'heap' ? handle : address).toString(16).toUpperCase()}`
    const times = { longestWait: Math.round(longestWait * 1000), longestHold: Math.round(longestHold * 1000) }
    const entry = { thread, entered: acquisitions, waited: contended, ...times }
    sections.set(name, [...(sections.get(name) ?? []), entry])
  }
  const found = [...sections].map(([section, threads]) => ({
    section,
    entered: threads.reduce((sum, { entered }) => sum + entered, 0),
    waited: threads.reduce((sum, { waited }) => sum + waited, 0),
    longestWait: Math.max(...threads.map(({ longestWait }) => longestWait)),
    longestHold: Math.max(...threads.map(({ longestHold }) => longestHold)),
    threads
  }))
  return found.sort((a, b) => b.waited - a.waited || b.entered - a.entered)
}
