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

hostile.after(() => folder.remove())
hostile.run()
