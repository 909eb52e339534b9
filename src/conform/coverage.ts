import { type Rule, rules } from '../rules/index.ts'
import { rulesOf } from './case.ts'
import { cases } from './cases.ts'
import { unobservable } from './unobservable.ts'

/** The families of heap functions and flags, Local and Global, virtual memory, heap internals, critical sections, COM and hosting. */
const families = new Set('FL HC CH HD HA HR HF HS HV HP GP LA LR LF LS LM GA GM VA VF VP VQ VX VL HI CS CM IM CT SP HO'.split(' '))

/** Whether a rule states what a program could see of an implementation. */
function isObservable({ id, status }: Rule): boolean {
  return (status === 'emulated' || status === 'reported') && families.has(id.slice(0, id.indexOf('-'))) && !(id in unobservable)
}

/** The rules that state observable behaviour and that no case speaks of. */
export function uncoveredRules(): Rule[] {
  const covered = new Set(cases.flatMap((one) => rulesOf(one)))
  return rules.filter((rule) => isObservable(rule) && !covered.has(rule.id))
}
