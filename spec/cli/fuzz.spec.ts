import { spawn } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failureFile } from '../../src/fuzz/failurefile.ts'
import { wordsOfSeed } from '../../src/fuzz/words.ts'
import { ceheap, cli, Folder, outsideCi } from './run.ts'

const folder = new Folder()
const env = outsideCi()

const fuzz = suite('ceheap fuzz')

fuzz('tells what it ran, and as JSON the result of a shard', () => {
  const text = ceheap(['fuzz', '--runs', '2', '--commands', '500'], { env })
  assert.is(text.status, 0, text.err)
  assert.match(text.out, /seed 1: seeds 1 to 2\n[\s\S]*2 runs, [\s\S]*\nok /)
  assert.is(text.err, '', 'silent where there is no terminal')
  const { status, out } = ceheap(['fuzz', '--runs', '5', '--commands', '200', '--shard', '2/2', '--format', 'json'], { env })
  const { version, ok, runs, seed, shard, seeds } = JSON.parse(out)
  assert.is(status, 0)
  assert.equal({ version, ok, runs, seed, shard }, { version: 1, ok: true, runs: 2, seed: 1, shard: '2/2' })
  assert.equal(seeds, { first: 2, step: 2, count: 2 })
})

fuzz('makes runs of another kind', () => {
  for (const [kind, commands] of [
    ['mixed', '200'],
    ['threads', '40']
  ] as const) {
    const { status, out, err } = ceheap(['fuzz', '--kind', kind, '--runs', '2', '--seed', '3', '--commands', commands], { env })
    assert.is(status, 0, err)
    assert.match(out, new RegExp(`${kind}, seed 3: seeds 3 to 4\\n[\\s\\S]*2 runs, [\\s\\S]*\\nok `))
  }
})

fuzz('takes the shard from the environment, and merges', () => {
  const names = [1, 2].map((part) => {
    const name = `${folder.path}/shard-${part}.json`
    const service = { ...env, CI_NODE_INDEX: String(part), CI_NODE_TOTAL: '2' }
    assert.is(ceheap(['fuzz', '--runs', '3', '--commands', '100', '--format', 'json', '-o', name], { env: service }).status, 0)
    return name
  })
  const merged = ceheap(['fuzz', 'merge', ...names])
  assert.is(merged.status, 0, merged.err)
  assert.is(JSON.parse(merged.out).runs, 3)
  const one = ceheap(['fuzz', 'merge', names[0] as string])
  assert.is(one.status, 2)
  assert.match(one.err, /2\/2 is missing/)
})

fuzz('runs the program of a failure file, and of any bytes', () => {
  const file = folder.file('failure.json', failureFile({ kind: 'fast', message: 'x', seed: 3, words: wordsOfSeed(3, 50) }))
  assert.is(ceheap(['fuzz', '--replay', file], { env }).status, 0)
  const bytes = ceheap(['fuzz', '--bytes', '-', '--format', 'json'], { env, input: new Uint8Array(999).fill(77) })
  assert.is(bytes.status, 0, bytes.err)
  assert.is(JSON.parse(bytes.out).commands, 124)
})

fuzz('what cannot be used ends with a message and status 2', () => {
  const cut = folder.file('cut.json', '{"ceheap":"fuzz fail')
  const wrong: [string[], RegExp][] = [
    [['--seed', '-1'], /whole number/],
    [['--seed', '99999999999999999999'], /whole number/],
    [['--runs', '0'], /runs: expected a whole number/],
    [['--seconds', 'x'], /seconds above 0/],
    [['--shard', '3/2'], /expected i\/n/],
    [['--shard', 'nonsense'], /expected i\/n/],
    [['--shard-count', '4'], /JOB_COMPLETION_INDEX/],
    [['--shard', '1/2', '--shard-count', '3'], /number of shards of --shard 1\/2, got 3/],
    [['-o', `${folder.path}/none/x`], /cannot be written/],
    [['--keep', `${folder.path}/none`], /--keep .*cannot be written/],
    [['--bytes', '/dev/zero'], /at most/],
    [['--replay', cut], /cut\.json: .*no JSON/],
    [['--replay', folder.path], /is a directory/],
    [['--replay', `${folder.path}/nothing.json`], /no such file/],
    [['--bytes', folder.path], /is a directory/],
    [['--bytes', '-'], /got none/],
    [['--bytes', '-', '--seed', '1'], /run one program/],
    [['--bytes', '-', '--kind', 'mixed'], /--kind: expected no such option/],
    [['--kind', 'slow'], /Allowed choices are fast, mixed, threads/],
    [['--kind', 'mixed', '--seed', '4294967296'], /seed: expected/],
    [['--kind', 'threads', '--shrink-seconds', '5'], /shrinkSeconds: expected no such option/],
    [['merge', cut], /no JSON/],
    [['merge', folder.path], /is a directory/],
    [['merge'], /missing required argument/],
    [['nonsense'], /too many arguments|unknown command/]
  ]
  for (const [args, message] of wrong) {
    const { status, err, out } = ceheap(['fuzz', ...args], { env, input: '' })
    assert.is(status, 2, `${args.join(' ')}: ${out}${err}`)
    assert.match(err, message, args.join(' '))
    assert.not.match(err, /fault of ceheap/, args.join(' '))
  }
})

fuzz('Ctrl-C ends it with its result, and merge tells that the rest was not done', async () => {
  const tell = "process.on('newListener', (name) => name === 'SIGINT' && setImmediate(() => console.error('listens')))"
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${tell}`, cli, 'fuzz', '--runs', '1000000', '--format', 'json'],
    { env }
  )
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  await new Promise((resolve) => child.stderr.on('data', resolve))
  child.kill('SIGINT')
  const status = await new Promise((resolve) => child.on('close', resolve))
  assert.is(status, 0)
  assert.is(JSON.parse(out).ended, 'stopped')
  const merged = ceheap(['fuzz', 'merge', folder.file('stopped.json', out)])
  assert.is(merged.status, 0, merged.err)
  assert.match(merged.err, /^shard 1\/1: stopped after \d+ runs?, with the rest not done\n$/)
})
fuzz.after(() => folder.remove())
fuzz.run()
