import { createHash } from 'node:crypto'
import type { Group } from './groups.ts'
import type { CheckFinding, Severity } from './report.ts'
import { inProgram } from './sites.ts'

const order: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 }

export const severities: readonly Severity[] = ['error', 'warning', 'note']

/** Whether `severity` is at least as serious as `floor`. */
export function reaches(severity: Severity, floor: Severity): boolean {
  return order[severity] <= order[floor]
}

/**
 * The findings of the groups, the most serious first, in one order for one trace. Where the program's own call sites can be told
 * (`programSites`), a warning that concerns a DLL is a note: the desktop's own DLLs do not come along to CE, and nobody can mend them.
 */
export function findingsOf(groups: readonly Group[], floor: Severity, programSites: boolean): CheckFinding[] {
  return groups
    .map((group) => finding(group, programSites))
    .filter(({ severity }) => reaches(severity, floor))
    .sort(
      (a, b) =>
        order[a.severity] - order[b.severity] ||
        b.count - a.count ||
        text(a.rule, b.rule) ||
        text(a.callSite, b.callSite) ||
        text(a.call, b.call) ||
        a.position - b.position ||
        a.process - b.process ||
        text(a.title, b.title) ||
        text(a.heap ?? '', b.heap ?? '')
    )
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function finding(group: Group, programSites: boolean): CheckFinding {
  const { rule, title, explanation, advice } = group.verdict
  const elsewhere = programSites && !group.overflow && group.site !== '' && !inProgram(group.site)
  const severity = elsewhere && group.verdict.severity === 'warning' ? 'note' : group.verdict.severity
  const callSite = group.overflow ? 'further call sites' : group.site
  const leak = group.heap !== ''
  const message = leak ? `${title}: ${group.recorded}; ${group.onCe}` : `${group.recorded} in the recording; on CE: ${group.onCe}`
  return {
    rule,
    severity,
    title,
    count: group.count,
    call: group.call,
    callSite,
    message: `${message}.`,
    recorded: group.recorded,
    onCe: group.onCe,
    explanation,
    advice,
    position: group.position,
    process: group.process,
    thread: group.thread,
    processes: group.processes.size,
    ...(leak ? { heap: group.heap, bytes: group.bytes } : {}),
    // Not the position, nor the addresses of a heap or block: they differ from one recording to the next.
    fingerprint: createHash('sha256').update([rule, title, group.call, callSite].join('\n')).digest('hex').slice(0, 16)
  }
}
