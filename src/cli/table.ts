import { aligned } from '../check/layout.ts'
import { CALLS } from '../coredll/calls.ts'
import { COM_CALLS, HOST_CALLS, SPY_METHODS } from '../coredll/uppercalls.ts'
import { absent } from '../rules/absent.ts'
import { type Rule, rules } from '../rules/index.ts'

/** One function or method, and on whose word it behaves as it does. */
export interface Row {
  readonly name: string
  /** `emulated`: by documented rules; `choice`: the documentation leaves what it does to us; `not emulated`: see the reason. */
  readonly status: 'emulated' | 'choice' | 'not emulated'
  readonly rules: readonly string[]
  readonly choices: readonly string[]
  readonly reason: string
}

/** The families of rules that speak of an interface's methods: `Free` alone names half a dozen functions. */
const interfaces: Readonly<Record<string, readonly string[]>> = {
  IMalloc: ['IM', 'CM'],
  IMallocSpy: ['SP'],
  IHostMalloc: ['HO'],
  IHostMemoryManager: ['HO'],
  ICLRMemoryNotificationCallback: ['HO']
}

/** The rule that lists the methods of an interface, for those of which no rule says more. */
const listing: Readonly<Record<string, string>> = { IMalloc: 'IM-1', IMallocSpy: 'SP-9', IHostMalloc: 'C-86', IHostMemoryManager: 'C-86' }

/** What the program implements and the emulator calls. */
const calledBack = [...SPY_METHODS.map((method) => `IMallocSpy::${method}`), 'ICLRMemoryNotificationCallback::OnMemoryNotification']

const family = (id: string): string => id.slice(0, id.indexOf('-'))

/** The emulated rules that name the function as a whole word. */
function rulesOf(name: string): Rule[] {
  const [owner, method] = name.includes('::') ? (name.split('::') as [string, string]) : ['', name]
  const families = interfaces[owner]
  const word = new RegExp(`(?<![A-Za-z])${method}(?![A-Za-z])`)
  const speaksOf = ({ id, seeAlso }: Rule): boolean =>
    families === undefined ||
    families.includes(family(id)) ||
    (family(id) === 'C' && seeAlso.some((other) => families.includes(family(other))))
  const found = rules.filter((rule) => rule.status === 'emulated' && speaksOf(rule) && word.test(`${rule.statement} ${rule.value}`))
  return found.length > 0 ? found : rules.filter(({ id }) => id === listing[owner])
}

/** Every function and method that the rules name, in the order of the families. */
export function compatibility(): Row[] {
  const here = [...CALLS, ...COM_CALLS, ...HOST_CALLS, ...calledBack].map((name): Row => {
    const found = rulesOf(name)
    const documented = found.filter(({ basis }) => basis !== 'choice').map(({ id }) => id)
    const choices = found.filter(({ basis }) => basis === 'choice').map(({ id }) => id)
    return { name, status: documented.length > 0 ? 'emulated' : 'choice', rules: documented, choices, reason: '' }
  })
  const missing = absent.flatMap(({ names, reason, rule }) =>
    names.map((name): Row => ({ name, status: 'not emulated', rules: [rule], choices: [], reason }))
  )
  return [...here, ...missing]
}

/** The table as text: name, status, the rules, our choices or the reason. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.map(({ name, status, rules: ids, choices, reason }) => [name, status, brief(ids), reason || brief(choices)])
  const count = (status: Row['status']): number => rows.filter((row) => row.status === status).length
  const sum = `${count('emulated')} emulated by documented rules, ${count('choice')} by our choices alone, ${count('not emulated')} not emulated.`
  return `${aligned([['Function', 'Status', 'Rules', 'Choices, or why not'], ...cells], []).join('\n')}\n\n${sum}\n`
}

/** As many ids as a line has room for. */
function brief(ids: readonly string[]): string {
  return ids.length > 6 ? `${ids.slice(0, 5).join(' ')} +${ids.length - 5}` : ids.join(' ')
}
