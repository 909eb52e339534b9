import { isConcurrent } from './options.ts'
import type { HistoryLine, StressFailure, StressReport } from './report.ts'

/** Colours, or the text as it is. */
export interface StressPaint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
}

const plain: StressPaint = { bold: (text) => text, dim: (text) => text, red: (text) => text, green: (text) => text }

/** Lines of a history that are printed; the rest stands in the JSON. */
const MOST_LINES = 60
const BAR = 24
const MOST_SECTIONS = 8

const count = (value: number): string => value.toLocaleString('en-US')
const plural = (value: number, one: string): string => `${count(value)} ${one}${value === 1 ? '' : 's'}`
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`
const bar = (part: number): string => '█'.repeat(Math.round(Math.min(1, part) * BAR))

/** The report for people. */
export function formatStress(report: StressReport, paint: StressPaint = plain): string {
  const parts = [head(report), figures(report), report.failure === undefined ? good(report, paint) : failure(report.failure, paint)]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** The report for machines. */
export function stressJson(report: StressReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}

function head({
  workload,
  threads,
  ops,
  seconds,
  seed,
  schedule,
  runs,
  profile,
  build,
  placement,
  memory,
  physical
}: StressReport): string {
  const each = ops === null ? `${seconds} s` : `${plural(ops, 'operation')} each`
  const less = physical === memory ? '' : `, ${count(physical)} of them physical`
  return [
    `Workload   ${workload}: ${plural(threads.length, 'thread')}, ${each}, seed ${seed}`,
    `Schedule   ${schedule}${runs > 1 ? `, ${count(runs)} runs` : ''}`,
    `Process    ${profile} ${build}, ${placement}, ${count(memory)} bytes${less}`
  ].join('\n')
}

function figures({ schedule, calls, throughput, threads, fairness, contention, coverage, imageHash }: StressReport): string {
  const lines = [`Calls      ${count(calls)}, ${count(throughput)} a second`]
  if (coverage !== null) lines.push(`Covered    ${coverage.text}`)
  if (imageHash !== '') lines.push(`Image      ${imageHash}`)
  // One at a time it is the schedule that is fair or not.
  if (calls > 0 && isConcurrent(schedule)) {
    lines.push('', 'Thread        calls   share')
    for (const thread of threads)
      lines.push(
        `${String(thread.thread).padStart(6)} ${count(thread.calls).padStart(12)} ${percent(thread.share).padStart(7)}  ${bar(thread.share)}`
      )
    lines.push(`Fairness   ${fairness.toFixed(2)} (1: no thread got less than its share)`)
  }
  const busiest = contention.slice(0, MOST_SECTIONS)
  if (busiest.length > 0) {
    lines.push('', 'Section                  entered      waited          longest wait   longest hold')
    for (const { section, entered, waited, longestWait, longestHold } of busiest) {
      const part = waited / Math.max(1, entered)
      const times = [longestWait, longestHold].map((time) => `${count(time)} us`.padStart(14)).join(' ')
      lines.push(
        `${section.padEnd(18)} ${count(entered).padStart(13)} ${count(waited).padStart(11)} ${percent(part).padStart(7)}${times}  ${bar(part)}`.trimEnd()
      )
    }
    if (contention.length > MOST_SECTIONS) lines.push(`and ${plural(contention.length - MOST_SECTIONS, 'section')} less waited for`)
  }
  return lines.join('\n')
}

function good({ runs, schedule, unjudged }: StressReport, paint: StressPaint): string {
  const modelled = !isConcurrent(schedule) && unjudged === null
  const looked = [
    ...(modelled ? ["every result is the sequential model's"] : []),
    'no overlap',
    'no block lost or left',
    'cookies intact',
    'every invariant holds'
  ]
  return `${paint.green('ok')}   ${plural(runs, 'run')}: ${looked.join(', ')}${unjudged === null ? '' : ` (${unjudged})`}`
}

function failure({ kind, message, runsBefore, others, repeat, repeats, shrunk }: StressFailure, paint: StressPaint): string {
  const lines = [
    `${paint.red('FAIL')} ${paint.bold(kind)} ${runsBefore === 0 ? '' : `after ${plural(runsBefore, 'good run')}`}`.trimEnd(),
    `  ${message}`
  ]
  for (const other of others.slice(0, 5)) lines.push(paint.dim(`  also: ${other}`))
  if (shrunk !== undefined) {
    const { threads, ops, preemptions, history, runs } = shrunk
    const size = `${plural(threads, 'thread')}, ${plural(ops, 'operation')} each, ${plural(preemptions, 'preemption')}`
    const which = runs === 0 ? `The failing run (${size})` : `The smallest failing run found (${size}; ${plural(runs, 'run')} tried)`
    lines.push('', `${which}:`, '', ...table(history, paint))
  }
  lines.push(
    '',
    repeats ? 'Repeat it' : 'Run it again (threads at once: it may not repeat; --schedule pct:1:3 --runs 1000 looks for an order that does)'
  )
  lines.push(`  ${repeat}`)
  return lines.join('\n')
}

/** Calls in their order; where the model answers otherwise, or a rule is broken, it stands below. */
function table(history: readonly HistoryLine[], paint: StressPaint): string[] {
  const shown = history.slice(-MOST_LINES)
  const width = Math.min(64, Math.max(4, ...shown.map(({ call }) => call.length)))
  const lines = [`  thread  ${'call'.padEnd(width)}  result`]
  if (shown.length < history.length)
    lines.push(paint.dim(`  ... ${count(history.length - shown.length)} calls before (--format json has them)`))
  for (const { call, thread, result, expected, note } of shown) {
    lines.push(`  ${String(thread).padStart(6)}  ${call.padEnd(width)}  ${result}`.trimEnd())
    if (expected !== undefined) lines.push(paint.red(`          expected: ${expected}`))
    if (note !== undefined) lines.push(paint.red(`          ^ ${note}`))
  }
  return lines
}
