import type { Severity } from '../coredll/findings.ts'
import { ruleById } from '../rules/index.ts'

/** One kind of finding: what a call did and which rule speaks of it. */
export interface Verdict {
  readonly rule: string
  readonly severity: Severity
  /** A few words without the call's name where several calls can have it. */
  readonly title: string
  /** What CE does with the call; a case with numbers replaces it. */
  readonly onCe: string
  readonly explanation: string
  readonly advice: string
  /** The choice of ours that CE's answer rests on; '' where it is documented. */
  readonly choice: string
}

interface Texts {
  readonly title: string
  readonly onCe: string
  /** Default: the rule's statement. */
  readonly explanation?: string
  /** Default: the rule's advice; a rule that has none needs one here. */
  readonly advice?: string
  /** Default: the rule itself where it is a choice. */
  readonly choice?: string
}

/** Throws where the rule does not exist or nobody says what to change: a fault of the tables. */
export function verdict(rule: string, severity: Severity, texts: Texts): Verdict {
  const found = ruleById(rule)
  const advice = texts.advice ?? found?.advice
  if (found === undefined || advice === undefined) throw new Error(`the verdict "${texts.title}" has no rule or no advice (${rule})`)
  const { title, onCe, explanation = found.statement, choice = rule.startsWith('C-') ? rule : '' } = texts
  return { rule, severity, title, onCe, explanation, advice, choice }
}
