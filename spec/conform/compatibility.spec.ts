// The compatibility page is what a run says, and its sentences follow from the results.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshPage, pagePath } from '../../bench/compatibility.ts'
import { type Column, compatibilityPage } from '../../bench/compatibilitypage.ts'
import { wasmLinker } from '../../bench/peers/dlmalloc.ts'

const page = suite('conform: the compatibility page')

function column(name: string, rules: Column['rules'], missing: string[] = []): Column {
  return { name, about: 'about it.', cases: 3, passed: 1, failed: 1, differing: 1, notApplicable: 0, missing, rules }
}

page('a rule that one breaks is told with the call that shows it', () => {
  const text = compatibilityPage([
    column('good', { 'HS-3': { status: 'pass' } }),
    column('bad', { 'HS-3': { status: 'fail', call: 'HeapSize(heap, 0, p)', expected: '128', got: '100' } }, ['HeapFree', 'HeapSize'])
  ])
  assert.match(text, /\| HeapSize \| 1 \| \*\*0 of 1\*\* \|/)
  assert.match(
    text,
    /### HeapSize\n\n1 of 1 rule does not hold everywhere\.\n\n- \*\*HS-3\*\* On retail.* Broken by bad\. bad: `HeapSize\(heap, 0, p\)` should be 128, is 100\./
  )
  assert.match(
    text,
    /- \*\*bad\*\*: about it\. 3 cases: 1 passed, 1 failed, 0 not applicable, 1 differ from our choices\. It has no `HeapFree` and `HeapSize`\./
  )
})

page('who could not be asked has a dash, and no figure that he did not earn', () => {
  const text = compatibilityPage([column('good', { 'HS-3': { status: 'pass' } }), column('poor', { 'HS-3': { status: 'not applicable' } })])
  assert.match(text, /\| HeapSize \| 1 \| – \|/)
  assert.match(text, /All 1 hold wherever they could be asked\. poor has nothing to ask\./)
})

const fresh = wasmLinker() === undefined ? page.skip : page
if (wasmLinker() === undefined)
  process.stdout.write('skipped: no wasm-ld, so dlmalloc cannot be asked and the compatibility page was not compared\n')

fresh('bench/compatibility.md is what a fresh run says', async () => {
  assert.is(readFileSync(pagePath, 'utf8'), await freshPage(), 'npm run compatibility writes it anew')
})

page.run()
