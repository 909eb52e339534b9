import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failing, plants, skipping, sound } from './runner/plants.ts'
import type { Limits } from './runner/process.ts'
import { findSpecs, runSpecs, type Totals } from './runner/specs.ts'

const uvu = `import { suite } from '${import.meta.resolve('uvu')}'\n`

interface Ran extends Totals {
  readonly text: string
}

// Wide, so that a loaded machine does not fail a sound file.
const wide: Limits = { total: 60_000, linger: 20_000 }

async function run(files: Readonly<Record<string, string>>, filters: readonly string[] = [], limits: Partial<Limits> = {}): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-runner-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = join(folder, `${name}.spec.mjs`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, uvu + text)
    }
    let text = ''
    const totals = await runSpecs({
      specs: findSpecs(folder, '.spec.mjs', folder, '.spec.mjs', filters),
      limits: { ...wide, ...limits },
      parallel: 2,
      write: (part) => {
        text += part
      }
    })
    return { ...totals, text }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const faults = suite('runner: what must fail')
for (const { fault, text, says, limits } of plants) {
  faults(`${fault} fails, and the file is named`, async () => {
    const ran = await run({ planted: text }, [], limits)
    assert.is(ran.failed, 1, ran.text)
    assert.match(ran.text, says)
    assert.match(ran.text, /^FAIL planted /m)
    assert.match(ran.text, /again: npm test -- planted\n/)
  })
}
faults('a filter that matches no file fails', async () => {
  const ran = await run({ sound }, ['heap/alloc'])
  assert.equal([ran.passed, ran.failed], [0, 1])
  assert.match(ran.text, /^no spec file matches\n0 passed, 1 failed\n$/)
})
faults('a spec that was not compiled fails', async () => {
  let text = ''
  const totals = await runSpecs({
    specs: [{ name: 'absent', file: join(tmpdir(), 'ceheap-absent.spec.js') }],
    limits: wide,
    parallel: 1,
    write: (part) => {
      text += part
    }
  })
  assert.is(totals.failed, 1)
  assert.match(text, /FAIL absent\n {2}not compiled/)
})
faults.run()

const closing = suite('runner: totals and filters')
closing('passing files take one line each and the last line is the totals, alone', async () => {
  const ran = await run({ 'heap/alloc': sound, sound })
  assert.match(ran.text, /^(ok {3}(heap\/alloc|sound) \(2, \d+\.\d s\)\n){2}4 passed, 0 failed\n$/)
})
closing('passed and failed count tests over all files', async () => {
  const ran = await run({ failing, sound })
  assert.match(ran.text, /\n3 passed, 2 failed\n$/)
})
closing('a filter is a part of the name', async () => {
  const ran = await run({ 'heap/alloc': sound, 'heap/free': 'syntax error' }, ['heap/al'])
  assert.match(ran.text, /\n2 passed, 0 failed\n$/)
})
closing('skipped tests are counted apart', async () => {
  const ran = await run({ part: skipping })
  assert.match(ran.text, /^ok {3}part \(1, 1 skipped, /)
})
closing.run()
