// Each rule that is said to be emulated has a spec that names it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from '../../src/rules/index.ts'

// From build/spec/rules/ back to the sources.
const root = fileURLToPath(new URL('../../../spec/', import.meta.url))
const folders = ['heap', 'coredll', 'com', 'hosting', 'machine', 'trace', 'check']

/** The ids that `text` names as whole words: `HA-1` is not in `HA-10`. */
function idsIn(text: string): string[] {
  return text.match(/(?<![\w-])[A-Z]{1,2}-\d+(?![\w-]*\w)/g) ?? []
}

function sources(): string[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.spec.ts'))
    .map((path) => readFileSync(path, 'utf8'))
}

const coverage = suite('rules and specs')

coverage('an id is found as a whole word alone', () => {
  assert.equal(idsIn("'HA-2: too large', (HR-10), C-4/C-5, HI-9 to HI-12."), ['HA-2', 'HR-10', 'C-4', 'C-5', 'HI-9', 'HI-12'])
  assert.equal(idsIn('XHA-2 HA-2x HA-2_b HA-2-b x-HA-2 ha-2'), [])
})

coverage('every rule that is emulated is named in a spec of the heap, coredll, com, hosting, the machine, the traces or the check', () => {
  const named = new Set(sources().flatMap(idsIn))
  const missing = rules.filter(({ id, status }) => status === 'emulated' && !named.has(id)).map(({ id }) => id)
  assert.is(missing.length, 0, `${missing.length} emulated rules that no spec names: ${missing.join(' ')}`)
})

coverage('no spec names a rule that does not exist', () => {
  const families = new Set(rules.map(({ id }) => id.replace(/-\d+$/, '')))
  const ids = new Set(rules.map(({ id }) => id))
  const unknown = new Set(
    sources()
      .flatMap(idsIn)
      .filter((id) => families.has(id.replace(/-\d+$/, '')) && !ids.has(id))
  )
  assert.equal([...unknown], [])
})

coverage.run()
