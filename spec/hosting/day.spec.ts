// The sample host of examples/, run as its reader would: the whole of what it prints.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const day = suite('the sample host')

day('lends, watches memory run short, refuses by level, and names its leaks', () => {
  const lines = execFileSync(process.execPath, ['examples/clr-host.mjs'], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n')
  assert.equal(
    lines.map((line) => line.trim().replace(/ {2,}/g, ' | ')),
    [
      'the runtime hears that memory is | high',
      'after the morning | 2048 KB of objects | load 26 %',
      'needs 12 MB of addresses | S_OK',
      'the runtime hears that memory is | neutral',
      'needs 13 MB more | 0x8007000E',
      'the host notes a refusal | level 0 | 1048576 bytes | 0x8007000E',
      'a task grows by 1 MB | 0x8007000E',
      'the runtime hears that memory is | low',
      'a domain grows by 1 MB | S_OK',
      'the runtime hears that memory is | neutral',
      'the collector gives 1.5 MB back | S_OK',
      'a page of objects becomes read-only | was 0x4',
      'the runtime hears that memory is | high',
      'still handed out | 0 bytes | 0 reservations | 0 ranges',
      'leaks | 101 | first with a name: clsload.cpp(101)',
      'the host notes a refusal | level 2 | 9437184 bytes | 0x8007000E',
      'the runtime needs 9 MB | 0x8007000E',
      'any call from now on | 0x80131023'
    ]
  )
})
day.run()
