// Implementations of every kind outside this process: good ones, and such as hang, crash, end, print, answer garbage or lack functions.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConformReport, conform } from '../../src/conform/index.ts'
import { Folder } from '../cli/run.ts'
import { bumpModule } from './bump.ts'

const folder = new Folder()
const library = new URL('../../src/conform/index.js', import.meta.url).href
const timeout = 1500

function file(name: string, text: string): string {
  const path = join(folder.path, name)
  writeFileSync(path, text)
  return path
}

function statusOf(report: ConformReport, id: string): string | undefined {
  return report.results.find((one) => one.id === id)?.status
}

/** A module that is this emulator with some functions replaced. */
function module(name: string, replaced: string): string {
  return file(
    name,
    `import { emulator } from '${library}'\nexport default ({ profile, build }) => {\n  const good = emulator(profile, build)\n  return { ...good, ${replaced} }\n}\n`
  )
}

const outside = suite('conform: implementations outside')

outside('this emulator as a module passes every case that needs nothing else', async () => {
  const report = await conform({ implementation: module('good.mjs', ''), rule: ['HA', 'HS', 'SP', 'CS'], timeout: 10_000 })
  assert.equal([report.failed, report.differing, report.notApplicable], [0, 0, 0])
  assert.ok(report.passed > 60, String(report.passed))
  assert.equal(report.notes, [])
})

outside('a call that hangs is told of its case, and the run goes on', async () => {
  const report = await conform({
    implementation: module('hang.mjs', 'HeapAlloc: (h, f, n) => { while (n === 333); return good.HeapAlloc(h, f, n) }'),
    face: ['growable'],
    rule: ['blocks'],
    timeout
  })
  const hung = report.results.find(({ id }) => id === 'blocks/many-apart')
  assert.match(hung?.reason ?? '', /no answer within 1500 ms/)
  assert.match(hung?.shortest?.sequence.at(-1) ?? '', /p = HeapAlloc\(heap, 0, 333\)/)
  assert.is(report.failed, 1)
  assert.is(statusOf(report, 'blocks/two-apart'), 'pass')
  assert.ok(report.notes.some((text) => text.includes('no answer')))
})

outside('an implementation that ends or aborts its process is started anew', async () => {
  const report = await conform({
    implementation: module(
      'ends.mjs',
      'HeapAlloc: (h, f, n) => { if (n === 333) process.exit(7); if (n === 0x3000) process.abort(); return good.HeapAlloc(h, f, n) }'
    ),
    face: ['growable'],
    rule: ['blocks'],
    timeout: 10_000
  })
  assert.match(report.results.find(({ id }) => id === 'blocks/many-apart')?.reason ?? '', /ended with status 7/)
  assert.match(report.results.find(({ id }) => id === 'blocks/reuse-pair')?.reason ?? '', /SIGABRT|status/)
  assert.is(statusOf(report, 'blocks/alignment'), 'pass')
  assert.is(report.failed, 2)
})

outside('garbage answers and thrown errors fail their case alone', async () => {
  const answers = "{ 1: 'text', 333: NaN, 1000: undefined, 100: 2 ** 40, 50: {} }"
  const report = await conform({
    implementation: module(
      'garbage.mjs',
      `HeapAlloc: (h, f, n) => n === 500 ? (() => { throw new Error('no more') })() : n in ${answers} ? ${answers}[n] : good.HeapAlloc(h, f, n)`
    ),
    face: ['growable'],
    rule: ['HA-6', 'HS-1'],
    timeout: 10_000
  })
  const reasons = report.results.map(({ reason }) => reason).join('\n')
  assert.match(reasons, /answered text, which is no DWORD/)
  assert.match(reasons, /answered NaN, which is no DWORD/)
  assert.match(reasons, /answered undefined, which is no DWORD/)
  assert.match(reasons, /answered 1099511627776, which is no DWORD/)
  assert.match(reasons, /answered an object \(Object\), which is no DWORD/)
})

outside('what it prints does not disturb the answers, and is told', async () => {
  const report = await conform({
    implementation: module(
      'prints.mjs',
      "HeapAlloc: (h, f, n) => { console.log('{ not json'); process.stdout.write('half a line'); return good.HeapAlloc(h, f, n) }"
    ),
    face: ['growable'],
    rule: ['HA-6'],
    timeout: 10_000
  })
  assert.is(report.failed, 0)
  assert.ok(report.notes.some((text) => text.startsWith('printed "{ not json"')))
  assert.ok(report.notes.some((text) => text.startsWith('printed "half a line"')))
})

outside('missing functions make cases not applicable, by name', async () => {
  const path = file(
    'few.mjs',
    "import { emulator } from '" +
      library +
      "'\nexport default () => {\n  const { HeapCreate, HeapAlloc } = emulator('compact-2013', 'retail')\n  return { HeapCreate, HeapAlloc }\n}\n"
  )
  const report = await conform({ implementation: path, timeout: 10_000 })
  assert.is(report.failed, 0)
  assert.ok(report.notApplicable > 200)
  assert.ok(report.passed > 5)
  assert.match(report.results.find(({ id }) => id === 'heapalloc/free')?.reason ?? '', /^has no HeapFree$/)
})

outside('an implementation that leaks is found', async () => {
  const report = await conform({
    implementation: module('leaks.mjs', 'HeapFree: () => 1, VirtualFree: () => 1'),
    rule: ['HF-5', 'VA-14'],
    timeout: 10_000
  })
  assert.is(statusOf(report, 'blocks/reuse-when-full'), 'fail')
  assert.is(statusOf(report, 'virtual/leak'), 'fail')
})

outside('what differs from our choices is no failure', async () => {
  const report = await conform({
    implementation: module('choices.mjs', 'HeapFree: (h, f, p) => p === 0 ? 1 : good.HeapFree(h, f, p)'),
    rule: ['HF', 'C-5'],
    timeout: 10_000
  })
  assert.is(report.failed, 0)
  assert.is(statusOf(report, 'heapalloc/free-null'), 'differs')
  assert.is(report.rules.find(({ id }) => id === 'C-5')?.status, 'differs')
})

outside('what cannot be an implementation is refused with the reason', async () => {
  const refused = async (implementation: string, message: RegExp): Promise<void> => {
    try {
      await conform({ implementation, timeout: 5000 })
    } catch (error) {
      assert.is((error as Error).name, 'ConformError')
      assert.match((error as Error).message, message)
      return
    }
    assert.unreachable(implementation)
  }
  await refused(join(folder.path, 'nowhere.mjs'), /no such file/)
  await refused(file('text.txt', ''), /expected a \.js/)
  await refused(file('syntax.mjs', 'const ='), /SyntaxError/)
  await refused(file('throws.mjs', "throw new Error('no device')"), /no device/)
  await refused(file('async.mjs', 'export default async () => ({})'), /got a Promise/)
  await refused(file('null.mjs', 'export default null'), /expected an object with functions/)
  await refused(file('damaged.wasm', 'no wasm'), /CompileError/)
  await refused('command:exit 3', /ended with status 3/)
  const stranger = file('stranger.mjs', `console.log('{"hello":1}')`)
  await refused(`command:"${process.execPath}" "${stranger}"`, /where \{"ceheap":"conform"/)
})

outside('a wasm module on its own memory', async () => {
  const path = join(folder.path, 'bump.wasm')
  writeFileSync(path, bumpModule())
  const report = await conform({ implementation: path, timeout: 10_000 })
  assert.is(statusOf(report, 'blocks/two-apart'), 'pass')
  assert.is(statusOf(report, 'blocks/zeroed'), 'pass')
  assert.is(statusOf(report, 'heapalloc/free'), 'not applicable')
  assert.is(statusOf(report, 'heapcreate/maximum-sum'), 'fail', 'it knows no maximum')
})

outside('a JavaScript module around wasm, which exports the memory as it is', async () => {
  writeFileSync(join(folder.path, 'inner.wasm'), bumpModule())
  const path = file(
    'around.mjs',
    `import { readFileSync } from 'node:fs'
const { instance } = await WebAssembly.instantiate(readFileSync(new URL('inner.wasm', import.meta.url)))
export const { memory, HeapCreate, HeapAlloc } = instance.exports
`
  )
  const report = await conform({ implementation: path, timeout: 10_000, rule: ['blocks/two-apart', 'blocks/zeroed', 'heapcreate'] })
  assert.is(statusOf(report, 'blocks/two-apart'), 'pass')
  assert.is(statusOf(report, 'heapcreate/initial-large'), 'pass')
  assert.is(statusOf(report, 'heapcreate/maximum-sum'), 'fail', 'it knows no maximum')
})

outside('a memory that can only be read makes cases not applicable', async () => {
  const path = file(
    'readonly.mjs',
    `import { emulator } from '${library}'
export default ({ profile, build }) => { const good = emulator(profile, build); return { ...good, memory: { read: good.memory.read } } }
`
  )
  const report = await conform({ implementation: path, timeout: 10_000, rule: ['blocks/two-apart', 'blocks/one-byte'], face: ['growable'] })
  assert.is(statusOf(report, 'blocks/two-apart'), 'not applicable')
  assert.is(statusOf(report, 'blocks/one-byte'), 'pass')
})

outside('a command that speaks the protocol, without reset', async () => {
  const path = file(
    'device.mjs',
    `import { createInterface } from 'node:readline'
import { emulator } from '${library}'
const subject = emulator('compact-2013', 'retail')
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
createInterface({ input: process.stdin }).on('line', (text) => {
  const line = JSON.parse(text)
  const functions = ['HeapCreate', 'HeapDestroy', 'HeapAlloc', 'HeapFree', 'HeapReAlloc', 'HeapSize', 'GetLastError', 'SetLastError']
  if (line.ceheap) return say({ ceheap: 'conform', version: 1, functions: [...functions, 'read', 'write'], threads: 1 })
  const [a, b] = line.args
  if (line.call === 'read') return say({ ...line, result: 0, bytes: Buffer.from(subject.memory.read(a, b)).toString('hex') })
  if (line.call === 'write') { subject.memory.write(a, Buffer.from(line.bytes, 'hex')); return say({ call: 'write', result: 0 }) }
  const result = subject[line.call](...line.args) ?? 0
  say({ ...line, result, lastError: subject.GetLastError() })
})
`
  )
  const report = await conform({
    implementation: `command:"${process.execPath}" "${path}"`,
    face: ['growable', 'fixed'],
    rule: ['HF', 'HS', 'HR'],
    timeout: 10_000
  })
  assert.equal(
    report.results.filter(({ status }) => status === 'fail' || status === 'differs').map(({ id, reason }) => `${id}: ${reason}`),
    []
  )
  assert.ok(report.passed > 30, String(report.passed))
})

outside.after(() => folder.remove())
outside.run()
