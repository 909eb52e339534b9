// The battery over this emulator: every case holds on every face, and nothing is left out.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runBattery, trials } from '../../src/conform/battery.ts'
import { batteryCalls } from '../../src/conform/batterycalls.ts'
import { functionsOf, rulesOf, statementsOf } from '../../src/conform/case.ts'
import { cases } from '../../src/conform/cases.ts'
import { uncoveredRules } from '../../src/conform/coverage.ts'
import { emulator } from '../../src/conform/emulator.ts'
import { faces, facesOf, scriptOn } from '../../src/conform/faces.ts'
import { reportOf } from '../../src/conform/report.ts'
import { unobservable } from '../../src/conform/unobservable.ts'
import { builds, profileNames } from '../../src/profile.ts'
import { ruleById } from '../../src/rules/index.ts'

const own = suite('conform: this emulator')

for (const profile of profileNames) {
  own(`every case holds on every face of ${profile}, retail and debug`, () => {
    const results = runBattery(trials({ profiles: [profile], builds }), emulator)
    const wrong = results
      .filter(({ outcome }) => outcome.status !== 'passed')
      .map(({ case: { id }, face, build, outcome }) => `${id} on ${face.name}, ${build}: ${outcome.expected}, ${outcome.got}`)
    assert.equal(wrong, [])
    assert.equal([...new Set(results.map(({ face }) => face.name))].sort(), [...faces.map(({ name }) => name), 'api'].sort())
  })
}

own.run()

const cover = suite('conform: the cases')

cover('every rule that states observable behaviour has a case', () => {
  assert.equal(
    uncoveredRules().map(({ id }) => id),
    []
  )
})

cover('every rule that is called unobservable exists and has no case', () => {
  const named = new Set(cases.flatMap((one) => rulesOf(one)))
  for (const id of Object.keys(unobservable)) {
    assert.ok(ruleById(id) !== undefined, id)
    assert.not.ok(named.has(id), id)
  }
})

cover('every case names rules that exist, and an id of its own', () => {
  assert.is(new Set(cases.map(({ id }) => id)).size, cases.length)
  for (const one of cases) {
    assert.ok(rulesOf(one).length > 0, one.id)
    for (const id of rulesOf(one)) assert.ok(ruleById(id) !== undefined, `${one.id}: ${id}`)
  }
})

cover('no two cases make the same calls with the same expectations', () => {
  const held = cases.map(
    ({ script, rules, surface, profiles, builds }) =>
      `${surface} ${Object.keys(rules)} ${profiles} ${builds}\n${script.replace(/[ \t]+/g, ' ')}`
  )
  assert.equal(
    cases.filter((_, at) => held.indexOf(held[at] as string) !== at).map(({ id }) => id),
    []
  )
})

cover('a case whose first rule is a choice is told as one, any other is not', () => {
  for (const one of cases) assert.is(one.choice, rulesOf(one)[0]?.startsWith('C-') === true, one.id)
})

cover('every case runs on some face, calls something, and expects something of it', () => {
  for (const one of cases) {
    assert.ok(facesOf(one).length > 0, one.id)
    for (const face of facesOf(one)) {
      const names = functionsOf(statementsOf(scriptOn(one, face)))
      assert.ok(names.size > 0, one.id)
      for (const name of names) assert.ok(batteryCalls.includes(name), name)
    }
    assert.match(one.script, / -> |exhaust|drain|Enter|LeaveCriticalSection|CoTaskMemFree/, one.id)
  }
})

cover('a case counts once in the report, over all its faces', () => {
  const results = runBattery(trials({ profiles: ['ce-6.0'], builds: ['debug'], rules: ['HS', 'LS'] }), emulator)
  const report = reportOf('x', results, { strict: true })
  assert.is(report.cases, new Set(results.map(({ case: { id } }) => id)).size)
  assert.is(report.trials, results.length)
  assert.is(report.passed + report.failed + report.notApplicable + report.differing, report.cases)
  assert.ok(report.rules.some(({ id, status }) => id === 'HS-4' && status === 'pass'))
  assert.not.ok(report.rules.some(({ id }) => id === 'HR-6'))
})

cover.run()
