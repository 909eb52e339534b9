// Commands behind a pipe that misbehave in every way we could think of: each is told of case by case, and the run goes on to its end.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cli } from '../cli/run.ts'
import { command, few, folder, reasonOf, run } from './hostile.ts'

const hostile = suite('conform: hostile commands')

hostile('one that answers each call twice', async () => {
  const report = await run(command('write(text(line) + text(line))'), few)
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
    command('write("again\\n".repeat(50_000) + Array.from({ length: 200 }, (_, i) => last++ + " " + i).join("\\n") + "\\n" + text(line))'),
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
  const { status, stdout } = spawnSync(
    process.execPath,
    [cli, 'conform', path, '--face', 'growable', '--rule', 'blocks/many-apart', 'blocks/one-byte', '--timeout', '1000'],
    { encoding: 'utf8', timeout: 25_000 }
  )
  // No status: the command was still there when the bound was over, which is shorter than the child's life.
  assert.is(status, 1, stdout)
  assert.match(stdout, /1 passed, 1 failed/)
})

hostile('a function that never answers is given up on after five cases, and the others are still asked', async () => {
  const report = await run(command('if (line.call !== "HeapReAlloc") write(text(line))'), { timeout: 500 })
  assert.is(report.results.filter(({ reason }) => reason === 'no answer within 500 ms').length, 5)
  assert.match(report.results.map(({ reason }) => reason).join('\n'), /not asked: HeapReAlloc gave no answer in 5 cases in a row/)
  assert.is(report.results.find(({ id }) => id === 'blocks/zeroed-after-use')?.status, 'pass')
})

hostile('functions that hang in turn are given up on each for itself', async () => {
  const silent = command('if (line.call !== "HeapAlloc" && line.call !== "LocalAlloc") write(text(line))', "functions.push('LocalAlloc')")
  const report = await run(silent, {
    face: ['growable', 'local'],
    rule: [
      'blocks/one-byte',
      'blocks/two-apart',
      'blocks/too-large',
      'blocks/address',
      'blocks/after-failure',
      'blocks/too-large-wraps',
      'blocks/neighbours-freed'
    ],
    timeout: 300
  })
  assert.is(report.failed, 7)
  assert.match(report.notes.join('\n'), /^gave no answer within 300 ms, 10 times$/)
})

hostile('a function that hangs is given up on though cases fail in between before they come to it', async () => {
  const answer =
    'if (line.call === "HeapCreate" && line.args[2] !== 0) write(JSON.stringify({ ...line, result: 0 }) + "\\n"); else if (line.call !== "HeapAlloc") write(text(line))'
  const report = await run(command(answer), { face: ['growable', 'fixed'], rule: ['blocks'], timeout: 300 })
  assert.is(report.passed, 0)
  assert.match(report.notes.join('\n'), /^gave no answer within 300 ms, 5 times$/)
})

hostile('what gives back is given up on as well, and each case passes for all that', async () => {
  const begin = "functions.splice(functions.indexOf('reset'), 1)"
  const report = await run(command('if (line.call !== "HeapDestroy") write(text(line))', begin), { timeout: 300 })
  assert.is(report.failed, 0)
  assert.match(report.notes.join('\n'), /^gave no answer within 300 ms, 5 times$/)
})

hostile('spaces within the answers are JSON too', async () => {
  const report = await run(command('write(text(line).replace("{", "{ ").replace(/,"/g, ", \\"") + " ")'), few)
  assert.is(report.passed, few.rule.length)
  assert.equal(report.notes, [])
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
  // By the size that the first allocation of a case asks for.
  const answers = {
    1: 'null',
    1000: '[1]',
    100: '{"call":{"a":1}}',
    64: '{"call":"HeapAlloc","result":"1"}',
    5000: '{"call":"HeapAlloc","result":1e99}',
    128: '{"call":"HeapAlloc","result":0.5}',
    96: '{"call":"HeapAlloc"}',
    50: '{"call":"HeapAlloc","result":1,"lastError":{}}'
  }
  const cases = ['one-byte', 'whole-block', 'two-apart', 'many-apart', 'zeroed', 'same-size', 'neighbours-freed', 'size-usable']
  const report = await run(
    command(
      'const odd = line.call === "HeapAlloc" ? answers[line.args[2]] : undefined; write(odd === undefined ? text(line) : odd + "\\n")',
      `const answers = ${JSON.stringify(answers)}`
    ),
    { rule: cases.map((name) => `blocks/${name}`), timeout: 800 }
  )
  assert.is(report.cases, cases.length)
  for (const { id, status, reason } of report.results) {
    assert.is(status, 'fail', id)
    assert.match(reason, /no answer|answered/, id)
  }
})

hostile('bytes that are not as many, or no digits', async () => {
  const begin = "const wrong = ['00', 'zz', '', 'a'.repeat(99_999)]; let turn = 0"
  const report = await run(
    command('write(line.call === "read" ? JSON.stringify({ ...line, bytes: wrong[turn++ % 4] }) + "\\n" : text(line))', begin),
    { rule: ['blocks/whole-block', 'blocks/two-apart', 'blocks/grow-keeps', 'blocks/same-size'] }
  )
  assert.equal(report.results.map(({ reason }) => reason.replace(/ where.*/, '')).sort(), [
    'answered 0 bytes',
    'answered 1 bytes',
    'answered no bytes',
    'answered no bytes'
  ])
})

hostile.after(() => folder.remove())
hostile.run()
