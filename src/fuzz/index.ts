/**
 * Campaigns: programs drawn from seeds, or from any bytes, on emulated processes beside a model that says of every call what it must answer.
 *
 *     import { fuzz, fuzzBytes } from 'ceheap/fuzz'
 *
 *     const report = await fuzz({ seconds: 60, shard: '2/8' })
 *     if (!report.ok) console.log(report.failure?.text)
 */
export { fuzz, fuzzBytes, fuzzFailure, fuzzProgram } from './campaign.ts'
export { type FailingRun, type FailureFile, failureFile, parseFailureFile } from './failurefile.ts'
export type { ThreadsRun } from './threadsrun.ts'
export { type MergedReport, mergedJson, mergeShards, type ShardFile } from './merge.ts'
export type { FuzzKind, FuzzOptions, FuzzProgress } from './options.ts'
export { type FuzzFailure, type FuzzReport, fuzzJson } from './report.ts'
export { shardFrom } from './shard.ts'
export { formatFuzz } from './text.ts'
export { wordsOf } from './words.ts'
