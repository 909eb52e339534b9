import { aligned, labelled, plural, wrap } from '../check/layout.ts'
import { type Basis, type Rule, ruleById, rules, type Status } from '../rules/index.ts'
import { colours, columns } from './output.ts'

const bases: Readonly<Record<Basis, string>> = {
  documented: 'documented by Microsoft, on the page named as the source',
  derived: 'follows from documented rules',
  desktop: 'documented for desktop Windows alone',
  old: 'documented for a CE older than 6.0 alone',
  header: 'read from open headers and export lists',
  secondary: 'from a secondary source: a blog, a translation or public programs',
  silent: 'looked for and not found in the documentation',
  choice: 'our choice: the documentation does not say',
  porting: 'a warning for programs from the desktop, drawn from the rules it names'
}

const statuses: Readonly<Record<Status, string>> = {
  emulated: 'yes, the emulator behaves so',
  reported: 'reported by "ceheap check"',
  background: 'nothing to emulate',
  later: 'not yet'
}

/** Everything about one rule. */
export function details(rule: Rule): string {
  const paint = colours(false)
  const width = Math.min(Math.max(columns(false), 60), 100)
  const rows: [string, string][] = [
    ['Value', rule.value],
    ['Change', rule.advice ?? ''],
    ['Holds for', rule.versions === '' ? '' : versionsText(rule.versions)],
    ['Basis', bases[rule.basis]],
    ['Emulated', statuses[rule.status]]
  ]
  const lines = [`${paint.bold(rule.id)}  ${rule.topic}`, '', ...wrap(rule.statement, width), '']
  for (const [label, text] of rows) {
    if (text !== '') lines.push(...marked(label, labelled(label, text, 0, 11, width)))
  }
  for (const [index, part] of rule.source.split('; ').entries())
    lines.push(...marked('Source', labelled(index === 0 ? 'Source' : '', named(part), 0, 11, width)))
  for (const [index, id] of rule.seeAlso.entries()) {
    const other = ruleById(id)!
    const text = `${id.padEnd(6)}${firstSentence(other.statement)}`
    lines.push(...marked('See also', [clip(labelled(index === 0 ? 'See also' : '', text, 0, 11, 10_000)[0]!, width)]))
  }
  return `${lines.join('\n')}\n`

  function marked(label: string, texts: string[]): string[] {
    return texts.map((text) => (text.startsWith(label) ? paint.dim(label) + text.slice(label.length) : text))
  }
}

/** A source that is itself a rule is named as one. */
function named(part: string): string {
  return ruleById(part) === undefined ? part : `rule ${part}`
}

function versionsText(versions: string): string {
  return versions === 'all' ? 'every CE version' : versions
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/.exec(text)?.[0] ?? text
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`
}

/** Several rules, one or two lines each. */
export function list(text: string, found: readonly Rule[]): string {
  const paint = colours(false)
  const width = Math.min(Math.max(columns(false), 60), 100)
  const lines = [`${plural(found.length, 'rule')} for "${text}"`, '']
  for (const { id, statement } of found) {
    lines.push(...labelled(id, statement, 0, 8, width).map((line) => (line.startsWith(id) ? paint.bold(id) + line.slice(id.length) : line)))
  }
  lines.push('', paint.dim('ceheap rules ID tells a rule with its source.'))
  return `${lines.join('\n')}\n`
}

/** The topics with the number of rules and of those that the emulator follows. */
export function overview(): string {
  const paint = colours(false)
  const topics = new Map<string, Rule[]>()
  for (const rule of rules) topics.set(rule.topic, [...(topics.get(rule.topic) ?? []), rule])
  const count = (some: readonly Rule[], ...wanted: Status[]): string =>
    String(some.filter(({ status }) => wanted.includes(status)).length || '')
  const row = (label: string, ids: string, some: readonly Rule[]): string[] => [
    label,
    ids,
    String(some.length),
    count(some, 'emulated'),
    count(some, 'reported'),
    count(some, 'later')
  ]
  const rows = [...topics].map(([topic, some]) => row(topic, idsOf(some), some))
  const table = aligned(
    [['Topic', 'Rules', 'Number', 'Emulated', 'Reported', 'Later'], ...rows, row('All', '', rules)],
    [false, false, true, true, true, true]
  )
  const [head = '', ...body] = table
  return [
    paint.bold(head),
    ...body,
    '',
    ...wrap(
      'Emulated: the emulator behaves so. Reported: "ceheap check" raises it. Later: not emulated yet. The others are background: there is nothing to ' +
        'emulate. "ceheap rules ID" tells a rule with its source, "ceheap rules WORDS" finds rules.',
      Math.min(Math.max(columns(false), 60), 100)
    ).map(paint.dim),
    ''
  ].join('\n')
}

function idsOf(some: readonly Rule[]): string {
  const [first, last] = [some[0]!.id, some[some.length - 1]!.id]
  return first === last ? first : `${first} to ${last}`
}
