import type { ConformFailure, ConformReport, ConformStatus } from './report.ts'

/** Colours for the words of a report; without them it is plain text. */
export interface Paint {
  green(text: string): string
  red(text: string): string
  yellow(text: string): string
  dim(text: string): string
  bold(text: string): string
}

const same = (text: string): string => text
const plain: Paint = { green: same, red: same, yellow: same, dim: same, bold: same }

const widest = 96

function paintOf(status: ConformStatus, paint: Paint): (text: string) => string {
  return { pass: paint.green, fail: paint.red, differs: paint.yellow, 'not applicable': paint.dim }[status]
}

/** The calls of a failure, ready to be pasted into a program or a test. */
export function sequenceText({ sequence, expected, got }: ConformFailure, indent: string): string {
  const lines = sequence.map((line) => `${indent}${line}`)
  return [...lines, `${indent}expected ${expected}, got ${got}`].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function counted(value: number, what: string): string {
  return `${number(value)} ${what}${value === 1 ? '' : 's'}`
}

/** The report for a person: what failed with its calls, what differs from our choices, then a table by rule. */
export function formatConform(report: ConformReport, paint: Paint = plain): string {
  const { implementation, profiles, builds, cases, passed, failed, notApplicable, differing, trials, calls, results, notes } = report
  const lines = [
    `Implementation  ${implementation}`,
    `Judged as       ${profiles.join(', ')}; ${builds.join(', ')}`,
    `Ran             ${counted(cases, 'case')} in ${counted(trials, 'trial')}, ${counted(calls, 'call')}`,
    ''
  ]
  for (const status of ['fail', 'differs'] as const) {
    const some = results.filter((one) => one.status === status)
    if (some.length === 0) continue
    if (status === 'differs') lines.push(paint.bold('Where the documentation is silent, it answers otherwise than this emulator:'), '')
    for (const { id, title, rules, shortest } of some) {
      if (shortest === null) continue
      const word = status === 'fail' ? 'FAIL' : 'differs'
      lines.push(`${paintOf(status, paint)(word)} ${title} (${rules.join(' ')})`)
      lines.push(paint.dim(`  ${id} on ${shortest.face}, ${shortest.profile} ${shortest.build}`))
      lines.push(sequenceText(shortest, '    '), '')
    }
  }
  lines.push(...table(report, paint), '')
  if (notes.length > 0) lines.push('Beside its answers:', ...notes.map((text) => `  ${text}`), '')
  const parts = [`${number(passed)} passed`, `${number(failed)} failed`, `${number(notApplicable)} not applicable`]
  if (differing > 0) parts.push(`${number(differing)} ${differing === 1 ? 'differs' : 'differ'} from our choices`)
  lines.push(`${parts.join(', ')}.`)
  return `${lines.join('\n')}\n`
}

/** By rule; those that pass take a line for each topic, so that the others are seen. */
function table({ rules }: ConformReport, paint: Paint): string[] {
  const lines: string[] = []
  for (const status of ['fail', 'differs', 'pass', 'not applicable'] as const) {
    const some = rules.filter((one) => one.status === status)
    if (some.length === 0) continue
    lines.push(`${paintOf(status, paint)(status)}: ${counted(some.length, 'rule')}`)
    if (status === 'fail') {
      for (const { id, statement } of some) lines.push(`  ${id.padEnd(6)} ${cut(statement)}`)
      continue
    }
    for (const [topic, ids] of byTopic(some)) lines.push(...wrapped(`  ${topic}: `, ids))
  }
  return lines
}

function byTopic(rules: ConformReport['rules']): Map<string, string[]> {
  const topics = new Map<string, string[]>()
  for (const { id, topic } of rules) topics.set(topic, [...(topics.get(topic) ?? []), id])
  return topics
}

function wrapped(head: string, words: readonly string[]): string[] {
  const lines: string[] = []
  let line = head
  for (const word of words) {
    if (line.length + word.length > widest) {
      lines.push(line.trimEnd())
      line = '    '
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}

function cut(text: string): string {
  return text.length <= widest - 9 ? text : `${text.slice(0, widest - 12).trimEnd()}...`
}
