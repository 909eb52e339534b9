import type { ConformReport } from './report.ts'

/** The report as JSON, one rule or case an entry. */
export function conformJson(report: ConformReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
