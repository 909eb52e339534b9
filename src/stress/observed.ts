import type { CeProcess } from '../coredll/process.ts'
import type { SectionContention } from './report.ts'

// What the process tells of a run beside the calls: its schedule, its sections.

interface Observed {
  scheduleReport?(): { readonly text: string; readonly preemptions: number } | undefined
  drainGrants?(): unknown
}

/** The run as a string that repeats it. */
export function scheduleOf(process: CeProcess): { readonly replay: string | undefined; readonly preemptions: number } {
  const report = (process as Observed).scheduleReport?.()
  return { replay: report === undefined ? undefined : `replay:${report.text}`, preemptions: report?.preemptions ?? 0 }
}

/** Takes the logged grants out of their rings, so that no thread waits for room. */
export function drain(process: CeProcess): void {
  ;(process as Observed).drainGrants?.()
}

export function contentionOf(_: CeProcess): SectionContention[] {
  return []
}
