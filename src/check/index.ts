/**
 * Replays recorded memory calls under the rules of Windows CE and reports what would fail or answer differently there.
 *
 *     import { openTrace } from 'ceheap/trace'
 *     import { checkTrace, formatText } from 'ceheap/check'
 *
 *     const report = await checkTrace(await openTrace('app.wine-relay.log'), { profile: 'compact-2013' })
 *     process.stdout.write(formatText(report))
 */
export { CheckError, checkTrace } from './check.ts'
export { formatJson } from './json.ts'
export type { CheckFinding, CheckOptions, CheckReport, CheckSummary, HeapReport, ProcessReport, Severity } from './report.ts'
export { formatSarif } from './sarif.ts'
export { formatText, type TextStyle } from './text.ts'
