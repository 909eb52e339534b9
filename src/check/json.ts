import type { CheckReport } from './report.ts'

/** The report as JSON, one line end behind it. `version` changes when a field changes its meaning or goes; fields may be added. */
export function formatJson(report: CheckReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
