import type { FuzzReport } from './report.ts'

/** What is used of picocolors. */
interface Colours {
  readonly bold: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

const ENDED = { done: '', time: ', time is up', stopped: ', stopped', failure: '' }

/** A report as people read it. */
export function formatFuzz(report: FuzzReport, colours: Colours): string {
  const { kind = 'fast', ok, runs, calls, seconds, seed, shard, seeds, failure, ended } = report
  const of = shard === '1/1' ? '' : `, shard ${shard}`
  const which =
    seeds.count === 0 ? 'no run' : `seeds ${seeds.first}${seeds.count > 1 ? ` to ${seeds.first + (seeds.count - 1) * seeds.step}` : ''}`
  const step = seeds.step > 1 && seeds.count > 1 ? `, one in ${number(seeds.step)}` : ''
  const lines = [
    `Campaign   ${seeds.count === 0 && runs > 0 ? 'a given program' : `${kind}, seed ${seed}${of}: ${which}${step}`}`,
    `Ran        ${number(runs)} ${runs === 1 ? 'run' : 'runs'}, ${number(calls)} calls in ${number(seconds)} s, ${number(Math.round(calls / Math.max(seconds, 0.001)))} a second${ENDED[ended]}`,
    ''
  ]
  if (ok || failure === undefined) {
    lines.push(`${colours.green('ok')}   every answer is the model's, contents are intact, every invariant holds`)
    return `${lines.join('\n')}\n`
  }
  const size =
    failure.left < failure.found
      ? `${number(failure.left)} of ${number(failure.found)} commands are left, ${number(failure.tried)} programs tried`
      : `${number(failure.found)} commands`
  lines.push(`${colours.red('FAIL')} ${colours.bold(failure.message)}`, '', `The calls (${size}):`, '')
  lines.push(...failure.text.split('\n').map((line) => (line === '' ? '' : `  ${line}`)), '')
  return `${lines.join('\n')}\n`
}
