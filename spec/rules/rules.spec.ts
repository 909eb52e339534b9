import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Rule, ruleById, rules, searchRules } from '../../src/rules/index.ts'

/** The families and the last number of each, in the order of the list. */
const last: Readonly<Record<string, number>> = {
  N: 3,
  EX: 10,
  FL: 12,
  HC: 15,
  CH: 5,
  HD: 5,
  HA: 12,
  HR: 10,
  HF: 6,
  HS: 7,
  HV: 5,
  HP: 6,
  GP: 3,
  LA: 12,
  LR: 8,
  LF: 5,
  LS: 3,
  LM: 2,
  GA: 4,
  GM: 6,
  VA: 15,
  VF: 6,
  VP: 4,
  VQ: 2,
  VX: 2,
  VL: 5,
  HI: 18,
  CS: 11,
  TH: 17,
  CM: 3,
  IM: 11,
  CT: 4,
  SP: 22,
  HO: 22,
  DT: 14,
  W: 28,
  CL: 10,
  C: 97
}
const family = (id: string): string => id.slice(0, id.indexOf('-'))
const idPattern = new RegExp(`\\b(?:${Object.keys(last).join('|')})-\\d+\\b`, 'g')

/** The rules for which `broken` holds, as lines to read in a failure. */
function offenders(broken: (rule: Rule) => boolean, show: (rule: Rule) => string): string[] {
  return rules.filter(broken).map((rule) => `${rule.id}: ${show(rule)}`)
}

const table = suite('rules as a table')

table('hold every id of every family, once and in the order of the numbers', () => {
  const expected = Object.entries(last).flatMap(([name, count]) => Array.from({ length: count }, (_, n) => `${name}-${n + 1}`))
  const ids = rules.map(({ id }) => id)
  assert.equal(
    expected.filter((id) => !ids.includes(id)),
    [],
    'missing'
  )
  assert.equal(
    ids.filter((id) => !expected.includes(id)),
    [],
    'not in the list'
  )
  assert.equal(ids, expected)
})

table('name only rules that exist under seeAlso, each once and never themselves', () => {
  const ids = new Set(rules.map(({ id }) => id))
  assert.equal(
    offenders(
      ({ id, seeAlso }) => seeAlso.includes(id) || new Set(seeAlso).size < seeAlso.length || seeAlso.some((other) => !ids.has(other)),
      ({ seeAlso }) => seeAlso.join(' ')
    ),
    []
  )
})

table('list under seeAlso every rule that their texts name', () => {
  const unlisted = ({ id, statement, value, source, advice = '', seeAlso }: Rule): string[] =>
    [...`${statement}\n${value}\n${source}\n${advice}`.matchAll(idPattern)]
      .map(([name]) => name)
      .filter((name) => name !== id && !seeAlso.includes(name))
  assert.equal(
    offenders(
      (rule) => unlisted(rule).length > 0,
      (rule) => unlisted(rule).join(' ')
    ),
    []
  )
})

table('rest on something: addresses that parse, written out in full, or words', () => {
  assert.equal(
    offenders(
      ({ source }) => source.trim() === '' || /(?:^|[\s;])LE?\//.test(source),
      ({ source }) => source
    ),
    []
  )
  const addresses = rules.flatMap(({ id, source }) => source.split('; ').map((part) => ({ id, part })))
  const broken = addresses.filter(({ part }) => part.includes('://') && (/\s/.test(part) || !URL.canParse(part) || !/^https?:/.test(part)))
  assert.equal(broken, [])
  assert.ok(
    addresses.some(({ part }) => part === 'https://learn.microsoft.com/en-us/previous-versions/windows/embedded/ee488197(v=winembedded.80)')
  )
})

table('are documented, old or desktop statements only with a source to read', () => {
  const readable = ['documented', 'old', 'desktop', 'header']
  assert.equal(
    offenders(
      ({ basis, source }) => readable.includes(basis) && source === 'no public page found',
      ({ source }) => source
    ),
    []
  )
})

table('speak in sentences of at most 400 characters, without the tags of notes', () => {
  assert.equal(
    offenders(
      ({ statement, advice = 'A.' }) =>
        [statement, advice].some((text) => text.length > 400 || !/^[A-Z].*[.]$/s.test(text) || /\s\s|\n/.test(text)),
      ({ statement, advice }) => `${statement} ${advice ?? ''}`
    ),
    []
  )
  const tag = /\[(?:SEEN|OLD|DESKTOP|CeGCC|SECONDARY|NOT FOUND|DERIVED)|\bsame\s*$|^-$/
  assert.equal(
    offenders(
      (rule) => [rule.topic, rule.statement, rule.value, rule.source, rule.versions, rule.advice ?? ''].some((text) => tag.test(text)),
      ({ statement }) => statement
    ),
    []
  )
  const statements = rules.map(({ statement }) => statement)
  assert.is(new Set(statements).size, statements.length, 'no statement stands twice')
})

table('give one family one topic, and two families never the same', () => {
  const topics = new Map(rules.map(({ id, topic }) => [family(id), topic]))
  assert.equal(
    offenders(
      ({ id, topic }) => topics.get(family(id)) !== topic || topic === '',
      ({ topic }) => topic
    ),
    []
  )
  assert.is(new Set(topics.values()).size, topics.size)
})

table('tell what to change, in every porting warning and every choice and nowhere else', () => {
  assert.equal(
    offenders(
      ({ id, advice }) => ['W', 'C'].includes(family(id)) !== (advice !== undefined),
      ({ advice }) => String(advice)
    ),
    []
  )
})

table('mark choices and porting warnings as what they are', () => {
  assert.equal(
    offenders(
      ({ id, basis, source }) => family(id) === 'C' && (basis !== 'choice' || !source.startsWith('our choice')),
      ({ basis, source }) => `${basis} ${source}`
    ),
    []
  )
  assert.equal(
    offenders(
      ({ id, basis }) => (family(id) === 'W') !== (basis === 'porting'),
      ({ basis }) => basis
    ),
    []
  )
  assert.equal(
    offenders(
      ({ id, basis, source }) => family(id) === 'W' && (basis !== 'porting' || source === ''),
      ({ basis }) => basis
    ),
    []
  )
})

table('answer silence by a choice that points back', () => {
  const silent = rules.filter(({ basis }) => basis === 'silent')
  const filled = rules.filter(({ basis, seeAlso }) => basis === 'choice' && seeAlso.some((id) => silent.some((rule) => rule.id === id)))
  assert.ok(filled.length > 10)
  for (const choice of filled) {
    for (const rule of silent.filter(({ id }) => choice.seeAlso.includes(id))) {
      assert.ok(rule.seeAlso.includes(choice.id), `${rule.id} names ${choice.id}, which fills it`)
    }
  }
})

table('claim no emulation for what no page tells', () => {
  assert.equal(
    offenders(
      ({ basis, status }) => basis === 'silent' && status !== 'background',
      ({ status }) => status
    ),
    []
  )
})

table.run()

const lookup = suite('ruleById')

lookup('finds a rule by its id in any case', () => {
  assert.is(ruleById('HA-2')?.id, 'HA-2')
  assert.is(ruleById('ha-2'), ruleById('HA-2'))
  assert.is(ruleById(' w-13 ')?.topic, 'Porting surprises')
})

lookup('gives undefined for an id that no rule has', () => {
  for (const id of ['HA-99', 'HA', 'HA-02', '', 'XX-1', 'constructor']) assert.is(ruleById(id), undefined, id)
})

lookup('throws a TypeError for what is not a string', () => {
  for (const id of [2, null, undefined, {}]) {
    assert.throws(
      () => ruleById(id as unknown as string),
      (error: unknown) => error instanceof TypeError && /expected a string, got/.test(error.message)
    )
  }
})

lookup.run()

const search = suite('searchRules')
const found = (text: string): string[] => searchRules(text).map(({ id }) => id)

search('gives the rules whose ids begin with a family or a part of an id', () => {
  assert.equal(found('hd'), ['HD-1', 'HD-2', 'HD-3', 'HD-4', 'HD-5'])
  assert.equal(found('HD-'), ['HD-1', 'HD-2', 'HD-3', 'HD-4', 'HD-5'])
  assert.equal(found('HA-1'), ['HA-1', 'HA-10', 'HA-11', 'HA-12'])
  assert.equal(found('ha-12'), ['HA-12'])
  assert.is(found('c').length, last.C)
})

search('gives the rules of a topic first, then those that mention it', () => {
  const ids = found('heapdestroy')
  assert.equal(ids.slice(0, 5), ['HD-1', 'HD-2', 'HD-3', 'HD-4', 'HD-5'])
  assert.ok(ids.includes('GP-2'))
})

search('gives the rules that contain all of the words, in any order and case', () => {
  const ids = found('movable localalloc')
  assert.ok(ids.includes('LA-5'))
  assert.equal(ids, found('LOCALALLOC   Movable'))
  for (const { topic, statement, value, advice } of searchRules('movable localalloc')) {
    const text = `${topic} ${statement} ${value} ${advice}`.toLowerCase()
    assert.ok(text.includes('movable') && text.includes('localalloc'), text)
  }
})

search('finds numbers and constants that stand in the values', () => {
  assert.ok(found('0x00001000').includes('FL-10'))
  assert.ok(found('0x1FFF').includes('CL-9'))
})

search('gives nothing for a blank text or for words that no rule has', () => {
  assert.equal(found(''), [])
  assert.equal(found('  '), [])
  assert.equal(found('zebra'), [])
  assert.equal(found('heapalloc zebra'), [])
})

search.run()
