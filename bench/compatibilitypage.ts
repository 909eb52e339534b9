// The page that tells whose heap behaves like CE's, written from reports alone: no sentence about an implementation is by hand.
import type { ConformReport, ConformStatus } from '../src/conform/index.ts'
import { ruleById, rules as allRules } from '../src/rules/index.ts'

/** What a report says of one implementation, as far as the page shows it. */
export interface Column {
  readonly name: string
  /** What it is and how it was asked. */
  readonly about: string
  readonly cases: number
  readonly passed: number
  readonly failed: number
  readonly differing: number
  readonly notApplicable: number
  /** Functions that cases call and that it does not have. */
  readonly missing: readonly string[]
  readonly rules: Readonly<Record<string, Verdict>>
}

export interface Verdict {
  readonly status: ConformStatus
  /** Of a rule that does not hold: the call that shows it in its shortest case, and what it should have answered. */
  readonly call?: string
  readonly expected?: string
  readonly got?: string
}

export function columnOf(name: string, about: string, report: ConformReport): Column {
  const { cases, passed, failed, differing, notApplicable, results } = report
  const rules = report.rules.map(({ id, status, shortest }): [string, Verdict] => {
    if (status !== 'fail' || shortest === null) return [id, { status }]
    const call = (shortest.sequence.at(-1) ?? '').replace(/ {2}\/\/.*$/, '')
    return [id, { status, call, expected: shortest.expected, got: shortest.got }]
  })
  const missing = results.flatMap(({ status, reason }) => (status === 'not applicable' ? [...reason.matchAll(/^has no (\S+)$/g)] : []))
  return {
    name,
    about,
    cases,
    passed,
    failed,
    differing,
    notApplicable,
    missing: [...new Set(missing.map(([, what = '']) => what))].sort(),
    rules: Object.fromEntries(rules)
  }
}

const choices = 'Our choices'

/** Rules by their topic, in the order of the rules, as far as any column speaks of them. */
function topics(columns: readonly Column[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { id, topic } of allRules) {
    if (topic === choices || !columns.some(({ rules }) => id in rules)) continue
    found.set(topic, [...(found.get(topic) ?? []), id])
  }
  return found
}

function cell({ rules }: Column, ids: readonly string[]): string {
  const asked = ids.filter((id) => id in rules && rules[id]?.status !== 'not applicable')
  const held = asked.filter((id) => rules[id]?.status !== 'fail').length
  return asked.length === 0 ? '–' : held === asked.length ? `${held}` : `**${held} of ${asked.length}**`
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What a group of rules asks that some columns do not do. */
function lesson(topic: string, ids: readonly string[], columns: readonly Column[]): string[] {
  const broken = ids.filter((id) => columns.some(({ rules }) => rules[id]?.status === 'fail'))
  const silent = columns.filter(({ rules }) => ids.every((id) => (rules[id]?.status ?? 'not applicable') === 'not applicable'))
  if (broken.length === 0 && silent.length === 0) return []
  const whole =
    broken.length === 0
      ? `All ${ids.length} hold wherever they could be asked.`
      : `${broken.length} of ${plural(ids.length, 'rule')} ${broken.length === 1 ? 'does' : 'do'} not hold everywhere.`
  const unasked =
    silent.length === 0 ? '' : ` ${list(silent.map(({ name }) => name))} ${silent.length === 1 ? 'has' : 'have'} nothing to ask.`
  return [`### ${topic}`, '', whole + unasked, '', ...broken.map((id) => breach(id, columns)), ...(broken.length > 0 ? [''] : [])]
}

function breach(id: string, columns: readonly Column[]): string {
  const breakers = columns.filter(({ rules }) => rules[id]?.status === 'fail')
  const holders = columns.filter(({ rules }) => rules[id]?.status === 'pass')
  const [first] = breakers
  const { call = '', expected = '', got = '' } = first?.rules[id] ?? { status: 'fail' }
  const what = expected === 'an answer' ? got : `should be ${expected}, is ${got}`
  const shown = call === '' ? '' : ` ${first?.name}: \`${call}\` ${what}.`
  const everybody = holders.length === 0 ? 'everybody who was asked' : list(breakers.map(({ name }) => name))
  return `- **${id}** ${ruleById(id)?.statement ?? ''} Broken by ${everybody}.${shown}`
}

/** The page. `columns` begins with the versions of this emulator. */
export function compatibilityPage(columns: readonly Column[]): string {
  const groups = topics(columns)
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const lines = [
    "# Whose heap behaves like CE's",
    '',
    'Written by `npm run compatibility` from runs of `ceheap conform`; a spec holds it to a fresh run. A figure counts the rules of a group that hold; in bold',
    'where some that could be asked do not. A dash: nothing could be asked, since the functions are missing.',
    '',
    ...columns.map(introduction),
    '',
    row(['', ...columns.map(({ name }) => name)]),
    row(['---', ...columns.map(() => '---')]),
    ...[...groups].map(([topic, ids]) => row([topic, ...columns.map((column) => cell(column, ids))])),
    row(['answers otherwise where the documentation is silent', ...columns.map(({ differing }) => plural(differing, 'case'))]),
    '',
    '## What fails there, and what CE asks',
    '',
    ...[...groups].flatMap(([topic, ids]) => lesson(topic, ids, columns))
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function introduction({ name, about, cases, passed, failed, differing, notApplicable, missing }: Column): string {
  const differ = differing > 0 ? `, ${differing} differ from our choices` : ''
  const lacks = missing.length === 0 ? '' : ` It has no ${list(missing.map((what) => `\`${what}\``))}.`
  return `- **${name}**: ${about} ${plural(cases, 'case')}: ${passed} passed, ${failed} failed, ${notApplicable} not applicable${differ}.${lacks}`
}
