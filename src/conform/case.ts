import type { Build, ProfileName } from '../profile.ts'
import { needsLastError } from './expectation.ts'
import { parseScript, type Statement } from './scriptline.ts'

/** What a case needs around it: every kind of allocator in turn, every kind of heap handle in turn, or nothing. */
export type Surface = 'blocks' | 'heap' | 'once'

/** Rule ids by the group of faces that they speak of. */
export type Group = 'heap' | 'local' | 'com' | 'host'
export type GroupRules = Readonly<Partial<Record<Group, string>>>

/** One statement about what an implementation does, as calls and what they must answer. */
export interface ConformCase {
  /** Family and words: `heapalloc/zero-memory`. */
  readonly id: string
  /** What CE does, as a sentence. */
  readonly title: string
  /** What it rests on, by group; of a case on `once` or `heap` under `heap`. */
  readonly rules: GroupRules
  /** Whether the documentation is silent, so that another answer is as good: told apart, and no failure of a stranger. */
  readonly choice: boolean
  readonly surface: Surface
  /** The only profiles and builds that it holds for; all where missing. */
  readonly profiles?: readonly ProfileName[]
  readonly builds?: readonly Build[]
  /** The calls, one a line (scriptline.ts). */
  readonly script: string
}

export interface Where {
  readonly on?: Surface
  readonly profiles?: readonly ProfileName[]
  readonly builds?: readonly Build[]
}

/** A case; `rules` are ids with spaces between, or those by group. A case whose first rule is a choice (C-n) is one. */
export function caseOf(id: string, rules: string | GroupRules, title: string, script: string, where: Where = {}): ConformCase {
  const groups = typeof rules === 'string' ? { heap: rules } : rules
  const ids = Object.values(groups).join(' ').split(' ')
  const { on = typeof rules === 'string' ? 'once' : 'blocks', ...held } = where
  return { id, title, rules: groups, choice: ids[0]?.startsWith('C-') === true, surface: on, script, ...held }
}

/** The cases of a family, with its name in front of their ids. */
export function family(name: string, cases: readonly ConformCase[]): readonly ConformCase[] {
  return cases.map((one) => ({ ...one, id: `${name}/${one.id}` }))
}

/** The ids of the rules that a case speaks of, for a group of faces or for all. */
export function rulesOf({ rules }: ConformCase, group?: Group): string[] {
  const texts = group === undefined ? Object.values(rules) : [rules[group] ?? rules.heap ?? '']
  return [...new Set(texts.flatMap((text) => text.split(' ').filter((id) => id !== '')))]
}

const parsed = new Map<string, readonly Statement[]>()

/** The statements of a script; each text is read once. */
export function statementsOf(script: string): readonly Statement[] {
  const known = parsed.get(script)
  if (known !== undefined) return known
  const statements = parseScript(script)
  parsed.set(script, statements)
  return statements
}

/** Every function that the statements call, `secondThread` where one of them does by another thread, and what their expectations look at. */
export function functionsOf(statements: readonly Statement[]): Set<string> {
  const names = new Set<string>()
  for (const statement of statements) {
    if (statement.kind === 'repeat') for (const name of functionsOf(statement.body)) names.add(name)
    if (statement.kind !== 'call' && statement.kind !== 'exhaust') continue
    const { call, thread, expectations } = statement.call
    names.add(call)
    if (thread !== 1) names.add('secondThread')
    if (expectations.some(needsLastError)) names.add('GetLastError').add('SetLastError')
  }
  return names
}
