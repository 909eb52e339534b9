// ceheap rules, and what every command has.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compatibility } from '../../src/cli/table.ts'
import { CALLS } from '../../src/coredll/calls.ts'
import { absent } from '../../src/rules/absent.ts'
import { ruleById, rules as all } from '../../src/rules/index.ts'
import { ceheap } from './run.ts'

const rules = suite('ceheap rules')

rules('explains one rule: statement, what to change, on whose word, and what is related', () => {
  const { status, out } = ceheap(['rules', 'w-8'])
  assert.is(status, 0)
  assert.match(out, /^W-8 {2}Porting surprises\n\nLocalFree of NULL is safe on CE/)
  for (const label of ['Change', 'Holds for', 'Basis', 'Emulated', 'Source', 'See also']) assert.match(out, new RegExp(`^${label} `, 'm'))
  assert.match(out, /^Emulated {3}reported by "ceheap check"$/m)
  assert.match(out, /^ {11}C-5 {3}HeapFree of NULL/m)
})

rules('gives the address of the page', () => {
  assert.match(ceheap(['rules', 'HA-2']).out, /^Source {5}https:\/\/learn\.microsoft\.com\/.*ee488197\(v=winembedded\.80\)$/m)
})

rules('says of a choice that it is ours', () => {
  assert.match(ceheap(['rules', 'C-5']).out, /^Basis {6}our choice: the documentation does not say$/m)
})

rules('without a word: every topic with its numbers', () => {
  const { status, out } = ceheap(['rules'])
  assert.is(status, 0)
  for (const topic of new Set(all.map(({ topic }) => topic))) assert.ok(out.includes(topic), topic)
  const emulated = all.filter(({ status }) => status === 'emulated').length
  assert.match(out, new RegExp(`^All +${all.length} +${emulated} `, 'm'))
})

rules('words, families and topics find rules', () => {
  assert.match(ceheap(['rules', 'HD']).out, /^5 rules for "HD"\n/)
  assert.match(ceheap(['rules', 'out', 'of', 'memory']).out, /rules for "out of memory"/)
  assert.match(ceheap(['rules', 'HeapDestroy']).out, /^HD-1 /m)
})

rules('--format json', () => {
  const { out } = ceheap(['rules', 'HA-2', '--format', 'json'])
  const { version, rules: found } = JSON.parse(out)
  assert.equal([version, found.length, found[0].id], [1, 1, 'HA-2'])
  assert.is(JSON.parse(ceheap(['rules', '--format', 'json']).out).rules.length, all.length)
})

rules('an id that no rule has: what is near, status 2', () => {
  for (const [id, message] of [
    ['HA-99', /no rule is named or contains "HA-99"; HA has HA-1 to HA-12\. "ceheap rules" lists/],
    ['HX-2', /; did you mean HC-2[^.]*\? "ceheap rules" lists/],
    ['xyzzy', /no rule is named or contains "xyzzy"/]
  ] as const) {
    const { status, out, err } = ceheap(['rules', id])
    assert.match(err, message)
    assert.equal([status, out], [2, ''])
  }
})

rules('keeps within 80 columns where there is no terminal, addresses excepted', () => {
  for (const { id } of all.filter((_, index) => index % 37 === 0)) {
    const wide = ceheap(['rules', id])
      .out.split('\n')
      .filter((line) => line.length > 80 && !line.includes('://'))
    assert.equal(wide, [], id)
  }
})

rules('--table: every function once, with the rules or choices that it follows, or the reason why it is not there', () => {
  const { status, out } = ceheap(['rules', '--table'])
  assert.is(status, 0)
  assert.match(out, /^HeapAlloc +emulated +FL-1 FL-3/m)
  assert.match(out, /^IsBadReadPtr +choice +C-68$/m)
  assert.match(out, /^HeapWalk +not emulated +EX-6 +CE does not have them/m)
  const rows = compatibility()
  assert.is(new Set(rows.map(({ name }) => name)).size, rows.length)
  for (const call of CALLS)
    assert.ok(
      rows.some(({ name }) => name === call),
      call
    )
  for (const { name, status: how, rules: ids, choices, reason } of rows) {
    assert.ok(ids.length + choices.length > 0, `${name}: on whose word?`)
    assert.is(how === 'not emulated', reason !== '', name)
    for (const id of [...ids, ...choices]) assert.ok(ruleById(id), id)
  }
})

rules('--table: what is absent is named by the rule that it refers to', () => {
  for (const { names, rule } of absent) {
    const { statement } = ruleById(rule) ?? { statement: '' }
    for (const name of names) {
      const spelled = name.startsWith('Remote') ? `${name.replace(/(Alloc|Free|ReAlloc|Size)$/, '')}*` : name
      assert.ok(statement.includes(spelled) || statement.includes(name), `${rule} does not name ${name}`)
    }
  }
})

rules('--table --format json', () => {
  const { version, functions } = JSON.parse(ceheap(['rules', '--table', '--format', 'json']).out) as {
    version: number
    functions: { name: string }[]
  }
  assert.is(version, 1)
  assert.equal(functions, JSON.parse(JSON.stringify(compatibility())))
})

rules('--table takes no words', () => {
  const { status, err } = ceheap(['rules', '--table', 'HeapAlloc'])
  assert.is(status, 2)
  assert.match(err, /--table lists every function: leave out "HeapAlloc"/)
})

rules.run()

const common = suite('ceheap')

common('--version is that of the package', () => {
  const { status, out } = ceheap(['--version'])
  assert.is(status, 0)
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

common('--help shows the commands and examples, of each command its options', () => {
  const { status, out } = ceheap(['--help'])
  assert.is(status, 0)
  for (const word of ['check', 'rules', 'Examples:']) assert.ok(out.includes(word))
  const check = ceheap(['check', '--help']).out
  for (const option of [
    '--profile',
    '--build',
    '--placement',
    '--memory',
    '--physical',
    '--process',
    '--severity',
    '--format',
    '--output',
    'Exit status'
  ]) {
    assert.ok(check.includes(option), option)
  }
})

common('without a command it shows the help on stderr and ends with 2', () => {
  const { status, out, err } = ceheap([])
  assert.equal([status, out], [2, ''])
  assert.match(err, /Usage: ceheap/)
})

common.run()
