// Each rule that is said to be emulated has a spec that names it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from '../../src/rules/index.ts'
import { idsIn, namedIds, uncovered } from './named.ts'

const coverage = suite('rules and specs')

coverage('an id is found as a whole word alone', () => {
  assert.equal(idsIn("'HA-2: too large', (HR-10), C-4/C-5, HI-9 to HI-12."), ['HA-2', 'HR-10', 'C-4', 'C-5', 'HI-9', 'HI-12'])
  assert.equal(idsIn('XHA-2 HA-2x HA-2_b HA-2-b x-HA-2 ha-2'), [])
})

coverage('every rule that is emulated is named in a spec of the heap, coredll, com, hosting, the machine, the traces or the check', () => {
  const missing = uncovered().map(({ id }) => id)
  assert.is(missing.length, 0, `${missing.length} emulated rules that no spec names: ${missing.join(' ')}`)
})

coverage('no spec names a rule that does not exist', () => {
  const families = new Set(rules.map(({ id }) => id.replace(/-\d+$/, '')))
  const ids = new Set(rules.map(({ id }) => id))
  const unknown = new Set(namedIds().filter((id) => families.has(id.replace(/-\d+$/, '')) && !ids.has(id)))
  assert.equal([...unknown], [])
})

coverage.run()
