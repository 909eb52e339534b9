import type { Build, ProfileName } from '../profile.ts'
import { ruleById, rules as allRules } from '../rules/index.ts'
import type { TrialResult } from './battery.ts'

/** `differs`: the documentation is silent, and the implementation answers otherwise than this emulator. */
export type ConformStatus = 'pass' | 'fail' | 'differs' | 'not applicable'

/** A trial that did not go as expected, with the calls that show it. */
export interface ConformFailure {
  readonly case: string
  readonly title: string
  readonly rules: readonly string[]
  readonly face: string
  readonly profile: ProfileName
  readonly build: Build
  /** The calls with their results, the one that answered otherwise last. */
  readonly sequence: readonly string[]
  readonly expected: string
  readonly got: string
}

export interface ConformRule {
  readonly id: string
  readonly status: ConformStatus
  /** Cases that speak of the rule. */
  readonly cases: number
  readonly topic: string
  readonly statement: string
  /** The failure with the fewest calls; null where there is none. */
  readonly shortest: ConformFailure | null
}

export interface ConformCaseReport {
  readonly id: string
  readonly title: string
  readonly rules: readonly string[]
  readonly choice: boolean
  readonly status: ConformStatus
  readonly trials: number
  /** Why it is not applicable, or what came instead. */
  readonly reason: string
  readonly shortest: ConformFailure | null
}

/** What the battery found. A case counts once, however many faces, versions and builds it ran over. */
export interface ConformReport {
  readonly version: 1
  readonly implementation: string
  readonly profiles: readonly ProfileName[]
  readonly builds: readonly Build[]
  readonly cases: number
  readonly passed: number
  readonly failed: number
  readonly notApplicable: number
  /** Cases about our choices that the implementation answers otherwise. */
  readonly differing: number
  /** Cases times faces, versions and builds. */
  readonly trials: number
  readonly calls: number
  readonly rules: readonly ConformRule[]
  readonly results: readonly ConformCaseReport[]
  /** What the implementation did beside answering: lines that it printed, ends and hangs. */
  readonly notes: readonly string[]
}

/** `strict`: our choices bind too, as they do this emulator. */
export function reportOf(
  implementation: string,
  results: readonly TrialResult[],
  { strict, notes = [] }: { readonly strict: boolean; readonly notes?: readonly string[] }
): ConformReport {
  const byCase = group(results, ({ case: { id } }) => [id])
  const cases = [...byCase.values()].map((some) => caseReport(some, strict))
  const byRule = group(results, ({ rules }) => rules)
  const count = (status: ConformStatus): number => cases.filter((one) => one.status === status).length
  return {
    version: 1,
    implementation,
    profiles: [...new Set(results.map(({ profile }) => profile))],
    builds: [...new Set(results.map(({ build }) => build))],
    cases: cases.length,
    passed: count('pass'),
    failed: count('fail'),
    notApplicable: count('not applicable'),
    differing: count('differs'),
    trials: results.length,
    calls: results.reduce((sum, { outcome }) => sum + outcome.calls, 0),
    rules: allRules.flatMap(({ id }) => (byRule.has(id) ? [ruleReport(id, byRule.get(id) ?? [], strict)] : [])),
    results: cases,
    notes
  }
}

function group(results: readonly TrialResult[], keys: (result: TrialResult) => readonly string[]): Map<string, TrialResult[]> {
  const groups = new Map<string, TrialResult[]>()
  for (const result of results) {
    for (const key of keys(result)) {
      const some = groups.get(key)
      if (some === undefined) groups.set(key, [result])
      else some.push(result)
    }
  }
  return groups
}

/** How one trial counts. */
export function statusOf({ case: one, outcome }: TrialResult, strict: boolean): ConformStatus {
  if (outcome.status === 'passed') return 'pass'
  if (outcome.status === 'notApplicable') return 'not applicable'
  return one.choice && !strict ? 'differs' : 'fail'
}

const gravest: readonly ConformStatus[] = ['fail', 'differs', 'pass', 'not applicable']

function statusOfAll(results: readonly TrialResult[], strict: boolean): ConformStatus {
  const found = new Set(results.map((result) => statusOf(result, strict)))
  return gravest.find((status) => found.has(status)) ?? 'not applicable'
}

function shortestOf(results: readonly TrialResult[]): ConformFailure | null {
  const failed = results.filter(({ outcome }) => outcome.status === 'failed')
  const [first] = failed.sort(
    (a, b) => a.outcome.sequence.length - b.outcome.sequence.length || Number(a.case.choice) - Number(b.case.choice)
  )
  return first === undefined ? null : failureOf(first)
}

function failureOf({ case: { id, title }, face, profile, build, rules, outcome }: TrialResult): ConformFailure {
  const { sequence, expected, got } = outcome
  return { case: id, title, rules, face: face.name, profile, build, sequence, expected, got }
}

function caseReport(results: readonly TrialResult[], strict: boolean): ConformCaseReport {
  const [{ case: one }] = results as [TrialResult]
  const status = statusOfAll(results, strict)
  const shortest = shortestOf(results)
  const reason = shortest?.got ?? results.find(({ outcome }) => outcome.status === 'notApplicable')?.outcome.got ?? ''
  const rules = [...new Set(results.flatMap((result) => result.rules))]
  return { id: one.id, title: one.title, rules, choice: one.choice, status, trials: results.length, reason, shortest }
}

function ruleReport(id: string, results: readonly TrialResult[], strict: boolean): ConformRule {
  const rule = ruleById(id)
  return {
    id,
    status: statusOfAll(results, strict),
    cases: new Set(results.map(({ case: one }) => one.id)).size,
    topic: rule?.topic ?? '',
    statement: rule?.statement ?? '',
    shortest: shortestOf(results)
  }
}
