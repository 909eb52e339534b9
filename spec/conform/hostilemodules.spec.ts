// Modules that misbehave, and what cannot be an implementation at all.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { conform } from '../../src/conform/index.ts'
import { growingModule, trapModule, wantingModule } from './bump.ts'
import { few, folder, library, module, reasonOf, run } from './hostile.ts'

const hostile = suite('conform: hostile modules')

hostile('a module that writes the protocol of its own accord fails the cases it does that in, at most', async () => {
  const path = module(
    'forger.mjs',
    `import { emulator } from '${library}'
export default ({ profile, build }) => {
  const good = emulator(profile, build)
  return { ...good, HeapSize(h, f, p) { console.log('{"call":"HeapSize","args":[1,2,3],"result":4}'); return good.HeapSize(h, f, p) } }
}
`
  )
  const report = await run(path)
  assert.match(reasonOf(report, 'blocks/size-one'), /answered a call of HeapSize\(1,2,3\)/)
  assert.is(report.results.find(({ id }) => id === 'blocks/two-apart')?.status, 'pass')
})

hostile('a module that rejects a promise, throws later, or ends while nobody asks', async () => {
  for (const [name, what] of [
    ['rejects', "Promise.reject(new Error('later'))"],
    ['throws', "queueMicrotask(() => { throw new Error('later') })"],
    ['ends', 'process.nextTick(() => process.exit(4))']
  ]) {
    const path = module(
      `${name}.mjs`,
      `import { emulator } from '${library}'\nexport default ({ profile, build }) => {\n  const good = emulator(profile, build)\n  return { ...good, HeapFree(h, f, p) { ${what}; return good.HeapFree(h, f, p) } }\n}\n`
    )
    const report = await run(path, { rule: ['blocks/one-byte', 'blocks/two-apart', 'blocks/zeroed'], timeout: 10_000 })
    assert.is(report.results.find(({ id }) => id === 'blocks/zeroed')?.status, 'pass', name)
    assert.match(report.notes.join('\n'), /ended with status [14]/, name)
  }
})

hostile('wasm that traps, and wasm whose memory grows under the reader', async () => {
  const trap = join(folder.path, 'trap.wasm')
  writeFileSync(trap, trapModule())
  const trapped = await run(trap, { ...few, timeout: 10_000 })
  assert.match(reasonOf(trapped, 'blocks/two-apart'), /threw RuntimeError: unreachable/)
  assert.is(trapped.passed, 0)
  const grow = join(folder.path, 'grow.wasm')
  writeFileSync(grow, growingModule())
  const grown = await run(grow, { ...few, timeout: 10_000 })
  assert.is(grown.results.find(({ id }) => id === 'blocks/two-apart')?.status, 'pass', reasonOf(grown, 'blocks/two-apart'))
})

hostile('what offers nothing, wants what nobody has, or does not exist is refused with the reason', async () => {
  const refused = async (implementation: string, message: RegExp): Promise<void> => {
    try {
      await conform({ implementation, timeout: 500 })
    } catch (error) {
      assert.equal([(error as Error).name, message.test((error as Error).message)], ['ConformError', true], (error as Error).message)
      return
    }
    assert.unreachable(implementation)
  }
  await refused(module('nothing.mjs', 'export {}'), /has none of the functions/)
  await refused(module('other.mjs', 'export const malloc = () => 0'), /has none of the functions/)
  const wanting = join(folder.path, 'wanting.wasm')
  writeFileSync(wanting, wantingModule())
  await refused(wanting, /env.*memory|memory.*env|Import #0/)
  await refused('command:/nowhere/at-all', /status 127.*not found/i)
  await refused(
    `command:"${process.execPath}" -e "process.stdout.write('\\u001b[2J\\n'); setInterval(() => {}, 1000)"`,
    /no answer within 10000 ms/
  )
})

/** What ends by itself may take its time on a busy machine. */
function patience(message: RegExp): number {
  return message.source.includes('no answer') ? 500 : 60_000
}

hostile('a module that throws while it is loaded, never comes to its end, or is nothing that can be loaded', async () => {
  const cases: [name: string, text: string | Uint8Array, message: RegExp][] = [
    ['boom.mjs', "throw new Error('boom')", /boom\.mjs: Error: boom$/],
    ['null.mjs', 'throw null', /null\.mjs: null$/],
    ['syntax.mjs', 'syntax error here(', /SyntaxError/],
    ['exits.mjs', 'process.exit(0)', /ended with status 0/],
    ['five.mjs', 'export default 5', /expected an object with functions such as HeapAlloc, got 5/],
    ['later.mjs', 'export default async () => ({})', /got a Promise: await in the module itself/],
    ['never.mjs', 'await new Promise(() => {}); export const HeapAlloc = () => 0', /no answer within 10000 ms|ended with status 13/],
    ['spin.mjs', 'for (;;);', /no answer within 10000 ms/],
    ['text.wasm', 'not wasm', /CompileError: .*magic word/],
    ['empty.wasm', '', /CompileError/],
    // HeapAlloc is a global, HeapCreate a memory.
    [
      'types.wasm',
      Buffer.from('0061736d0100000005030100010606017f0041050b071a020948656170416c6c6f6303000a486561704372656174650200', 'hex'),
      /has none of the functions/
    ]
  ]
  for (const [name, text, message] of cases) {
    const path = join(folder.path, name)
    writeFileSync(path, text)
    const error = await conform({ implementation: path, timeout: patience(message), rule: ['HA'] }).catch(
      (thrown: unknown) => thrown as Error
    )
    assert.ok(error instanceof Error, `${name} was taken`)
    assert.equal([error.name, message.test(error.message)], ['ConformError', true], error.message)
  }
})

hostile('a command that may not be started, closes its output, prints without end or speaks of something else', async () => {
  const cases: [command: string, message: RegExp][] = [
    [`"${module('noexec.sh', '#!/bin/sh')}"`, /status 126: .*denied/i],
    ['exec 1>&-; sleep 1', /ended with status 0/],
    ['true', /ended with status 0/],
    ['cat', /answered \{"ceheap":"conform".* belongs$/],
    ['head -c 20000000 /dev/zero', /ended with status 0/],
    ['cat /dev/urandom', /no answer within 10000 ms/]
  ]
  for (const [line, message] of cases) {
    const error = await conform({ implementation: `command:${line}`, timeout: patience(message), rule: ['HA'] }).catch(
      (thrown: unknown) => thrown as Error
    )
    assert.ok(error instanceof Error, `${line} was taken`)
    assert.equal([error.name, message.test(error.message)], ['ConformError', true], error.message)
  }
})

hostile.after(() => folder.remove())
hostile.run()
