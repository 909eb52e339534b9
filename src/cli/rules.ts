import { Command, Option } from 'commander'
import { type Rule, ruleById, rules, searchRules } from '../rules/index.ts'
import { UserError } from './exit.ts'
import { putOut } from './output.ts'
import { details, list, overview } from './ruletext.ts'
import { compatibility, tableText } from './table.ts'

export function rulesCommand(): Command {
  return new Command('rules')
    .summary('explain what is emulated, and on whose word')
    .description('Explains a rule: what it says, where that is documented, what to change. Words find the rules that contain them.')
    .argument('[id or words...]', 'a rule (W-8), a family (HA), a topic (HeapAlloc) or words; without one, an overview')
    .option('--table', 'every function: emulated, our choice, or not emulated and why')
    .addOption(new Option('--format <name>', 'format').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
Examples:
  ceheap rules
  ceheap rules HA-2
  ceheap rules HeapReAlloc
  ceheap rules --table
  ceheap rules out of memory --format json`
    )
    .action(async (words: string[], { format, table }: { format: string; table?: boolean }) => {
      if (table !== true) await explain(words.join(' '), format)
      else if (words.length > 0) throw new UserError(`--table lists every function: leave out "${words.join(' ')}".`)
      else
        await putOut(
          format === 'json' ? `${JSON.stringify({ version: 1, functions: compatibility() }, null, 2)}\n` : tableText(compatibility()),
          undefined
        )
    })
}

async function explain(text: string, format: string): Promise<void> {
  if (text === '') {
    await putOut(format === 'json' ? json(rules) : overview(), undefined)
    return
  }
  const one = ruleById(text)
  const found = one === undefined ? searchRules(text) : [one]
  if (found.length === 0) throw new UserError(`no rule is named or contains "${text}"${near(text)} "ceheap rules" lists the topics.`)
  await putOut(format === 'json' ? json(found) : one === undefined ? list(text, found) : details(one), undefined)
}

/** The end of the sentence, with ids that are close to what was typed: the same family, or the same number in another one. */
function near(text: string): string {
  const [, family, number] = /^\s*([a-z]{1,3})-?(\d+)?\s*$/i.exec(text) ?? []
  if (family === undefined) return '.'
  const same = rules.filter(({ id }) => id.startsWith(`${family.toUpperCase()}-`)).map(({ id }) => id)
  if (same.length > 0) return `; ${family.toUpperCase()} has ${same[0]} to ${same[same.length - 1]}.`
  const families = [...new Set(rules.map(({ id }) => id.slice(0, id.indexOf('-'))))]
  const close = families.filter((name) => name[0] === family[0]?.toUpperCase())
  const ids = (close.length > 0 ? close : families).map((name) => (number === undefined ? `${name}-1` : `${name}-${number}`))
  const known = ids.filter((id) => ruleById(id) !== undefined).slice(0, 5)
  return known.length === 0 ? '.' : `; did you mean ${known.join(', ')}?`
}

function json(found: readonly Rule[]): string {
  return `${JSON.stringify({ version: 1, rules: found }, null, 2)}\n`
}
