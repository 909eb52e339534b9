// Implementations that misbehave in every way we could think of: each is told of case by case, and the run goes on to its end.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConformReport, conform, conformHtml, conformJson, conformJunit, formatConform } from '../../src/conform/index.ts'
import { cli, Folder } from '../cli/run.ts'
import { growingModule, trapModule, wantingModule } from './bump.ts'
import { xmlProblems } from './xml.ts'

const folder = new Folder()
const library = new URL('../../src/conform/index.js', import.meta.url).href
/** Cases that any allocator can do. */
const few = { rule: ['blocks/one-byte', 'blocks/two-apart', 'blocks/zeroed', 'blocks/neighbours-freed'] }
let made = 0

/** A command on this emulator that speaks the protocol; `answer` says what it prints for a call, `begin` runs first. */
function command(answer: string, begin = ''): string {
  const path = join(folder.path, `command${++made}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline'
import { emulator } from '${library}'
let subject = emulator('compact-2013', 'retail')
const write = (text) => process.stdout.write(text)
const functions = ['HeapCreate', 'HeapDestroy', 'HeapAlloc', 'HeapFree', 'HeapReAlloc', 'HeapSize', 'read', 'write', 'reset']
const right = (line) => {
  const [a, b] = line.args
  if (line.call === 'reset') { subject = emulator('compact-2013', 'retail'); return { ...line, result: 0 } }
  if (line.call === 'read') return { ...line, result: 0, bytes: Buffer.from(subject.memory.read(a, b)).toString('hex') }
  if (line.call === 'write') { subject.memory.write(a, Buffer.from(line.bytes, 'hex')); return { ...line, result: 0 } }
  return { ...line, result: subject[line.call](...line.args) ?? 0 }
}
const text = (line) => JSON.stringify(right(line)) + '\\n'
let last = ''
${begin}
createInterface({ input: process.stdin }).on('line', (json) => {
  const line = JSON.parse(json)
  if (line.ceheap) return write(JSON.stringify({ ceheap: 'conform', version: 1, functions, threads: 1 }) + '\\n')
  ${answer}
})
`
  )
  return `command:"${process.execPath}" "${path}"`
}

function module(name: string, text: string): string {
  const path = join(folder.path, name)
  writeFileSync(path, text)
  return path
}

async function run(implementation: string, more: { rule?: string[]; timeout?: number } = {}): Promise<ConformReport> {
  const report = await conform({ implementation, face: ['growable'], rule: ['blocks'], timeout: 3000, ...more })
  // Whatever happened, every case has a result, and every form of the report can be read.
  assert.is(report.passed + report.failed + report.notApplicable + report.differing, report.cases)
  assert.equal(xmlProblems(conformJunit(report)), [])
  assert.not.match(conformHtml(report), /<script/)
  assert.equal(JSON.parse(conformJson(report)), JSON.parse(JSON.stringify(report)))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
  assert.not.match(formatConform(report), /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
  return report
}

function reasonOf(report: ConformReport, id: string): string {
  return report.results.find((one) => one.id === id)?.reason ?? ''
}

const hostile = suite('conform: hostile implementations')

hostile('one that answers each call twice', async () => {
  const report = await run(command('write(text(line) + text(line))'))
  assert.is(report.failed, 0)
  assert.match(report.notes.join('\n'), /an answer that nobody asked for/)
})

hostile('one that answers late, with the call before', async () => {
  const report = await run(command('const now = text(line); if (last !== "") write(last); else write(now); last = now'), few)
  assert.is(report.passed, 0)
  assert.match(report.results.map(({ reason }) => reason).join('\n'), /answered a call of .* where .* was asked/)
})

hostile('one that answers with the arguments of another call', async () => {
  const report = await run(command('write(text(line.call === "HeapAlloc" ? { ...line, args: [line.args[0], 0, 77] } : line))'), few)
  assert.match(reasonOf(report, 'blocks/one-byte'), /answered a call of HeapAlloc\(\d+,0,77\) where HeapAlloc\(\d+, 0, 1\) was asked/)
})

hostile('megabytes without an end of the line, in front of an answer and without one', async () => {
  const report = await run(
    command('if (line.call === "HeapAlloc" && line.args[2] === 333) write("x".repeat(9_000_000)); else write(text(line))')
  )
  assert.match(reasonOf(report, 'blocks/many-apart'), /no answer within 3000 ms/)
  assert.is(report.failed, 1)
  assert.match(report.notes.join('\n'), /"x{100}\.\.\. without an end of the line" in blocks\/many-apart/)
})

hostile('binary output and orders to a terminal', async () => {
  const report = await run(
    command(
      'write(Buffer.from([0xff, 0xfe, 0, 27, 91, 50, 74, 10])); if (line.call === "HeapFree") write(JSON.stringify({ call: "HeapFree", threw: "\\u001b[2J<b>&\\ud800" }) + "\\n"); else write(text(line))'
    )
  )
  assert.match(reasonOf(report, 'blocks/one-byte'), /^\?\[2J<b>&\?$/)
  assert.is(report.results.find(({ id }) => id === 'blocks/two-apart')?.status, 'pass')
})

hostile('a flood of lines that nobody asked for', async () => {
  const report = await run(
    command('write("again\\n".repeat(50_000) + Array.from({ length: 200 }, (_, i) => `${last++} ${i}`).join("\\n") + "\\n" + text(line))'),
    {
      rule: ['blocks/one-byte', 'blocks/two-apart'],
      timeout: 20_000
    }
  )
  assert.is(report.passed, 2)
  assert.ok(report.notes.length <= 21)
  assert.match(report.notes.join('\n'), /printed \d+ other lines/)
})

hostile('one that closes its output and lives on, and one that closes its input', async () => {
  const rule = ['blocks/one-byte', 'blocks/two-apart']
  const deaf = await run(command('write(text(line)); process.stdin.destroy(); setInterval(() => {}, 1000)'), { rule, timeout: 1000 })
  assert.match(reasonOf(deaf, 'blocks/one-byte'), /no answer/)
  const mute = await run(
    command(
      'write(text(line)); if (line.call === "HeapAlloc") { closeSync(1) } setInterval(() => {}, 1000)',
      "const { closeSync } = await import('node:fs')"
    ),
    { rule, timeout: 1000 }
  )
  assert.is(mute.failed, 2)
})

hostile('one that ignores every polite signal and leaves a child behind that holds its output', async () => {
  const begin = `import { spawn } from 'node:child_process'
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
spawn(process.execPath, ['-e', 'setTimeout(() => {}, 30_000)'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true }).unref()
setInterval(() => {}, 1000)`
  const path = command('if (line.args[2] !== 333) write(text(line))', begin)
  const started = Date.now()
  const { status, stdout } = spawnSync(
    process.execPath,
    [cli, 'conform', path, '--face', 'growable', '--rule', 'blocks/many-apart', 'blocks/one-byte', '--timeout', '1000'],
    { encoding: 'utf8', timeout: 25_000 }
  )
  assert.is(status, 1, stdout)
  assert.match(stdout, /1 passed, 1 failed/)
  assert.ok(Date.now() - started < 25_000, 'the command ends although the child lives')
})

hostile('a function that never answers is given up on after five cases, and the others are still asked', async () => {
  const report = await run(command('if (line.call !== "HeapReAlloc") write(text(line))'), { timeout: 500 })
  assert.is(report.results.filter(({ reason }) => reason === 'no answer within 500 ms').length, 5)
  assert.match(report.results.map(({ reason }) => reason).join('\n'), /not asked: HeapReAlloc gave no answer in 5 cases in a row/)
  assert.is(report.results.find(({ id }) => id === 'blocks/zeroed-after-use')?.status, 'pass')
})

hostile('one that cannot be started a second time', async () => {
  const begin = `const { existsSync, writeFileSync } = await import('node:fs')
const mark = ${JSON.stringify(join(folder.path, 'started'))}
if (existsSync(mark)) { console.error('no more'); process.exit(9) }
writeFileSync(mark, '')`
  const report = await run(command('if (line.args[2] === 333) process.exit(3); write(text(line))', begin))
  assert.match(reasonOf(report, 'blocks/many-apart'), /ended with status 3/)
  assert.match(reasonOf(report, 'blocks/zeroed'), /ended with status 9: no more/)
  assert.is(report.results.find(({ id }) => id === 'blocks/two-apart')?.status, 'pass')
})

hostile('answers that are JSON and no answer', async () => {
  const answers = [
    'null',
    '[1]',
    '"text"',
    '{"call":{"a":1}}',
    '{"call":"HeapAlloc","result":"1"}',
    '{"call":"HeapAlloc","result":1e99}',
    '{"call":"HeapAlloc","result":0.5}',
    '{"call":"HeapAlloc"}',
    '{"call":"HeapAlloc","result":1,"lastError":{}}'
  ]
  for (const json of answers) {
    const report = await run(command(`write(line.call === 'HeapAlloc' ? ${JSON.stringify(`${json}\n`)} : text(line))`), {
      rule: ['blocks/one-byte'],
      timeout: 800
    })
    assert.is(report.failed, 1, json)
    assert.match(reasonOf(report, 'blocks/one-byte'), /no answer|answered/, json)
  }
})

hostile('bytes that are not as many, or no digits', async () => {
  for (const bytes of ['00', 'zz', '', 'a'.repeat(99_999)]) {
    const report = await run(command(`write(line.call === 'read' ? JSON.stringify({ ...line, bytes: '${bytes}' }) + '\\n' : text(line))`), {
      rule: ['blocks/whole-block']
    })
    assert.match(reasonOf(report, 'blocks/whole-block'), /answered (no|0|1) bytes where 1000 were asked/)
  }
})

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
