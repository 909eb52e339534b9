/**
 * Concurrency stress: worker threads on one emulated process, under a schedule that repeats, with a judge that looks at every call.
 */
export { stress } from './stress.ts'
export type { StressOptions, StressProgress } from './options.ts'
export type { Coverage, HistoryLine, SectionContention, StressFailure, StressReport, StressThread, ThreadContention } from './report.ts'
export type { FaultKind } from './judge.ts'
export { StressError } from './workload.ts'
export type { Context, Workload } from './workload.ts'
export { CookieError } from './cookie.ts'
export type { Cookie } from './cookie.ts'
export type { Random } from './random.ts'
export { formatStress, stressJson } from './text.ts'
