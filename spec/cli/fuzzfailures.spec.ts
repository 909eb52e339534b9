// ceheap fuzz where something is wrong: a fault planted in the built command (plant.ts), and results and files that cannot be used.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failureFile } from '../../src/fuzz/index.ts'
import { stressOf } from '../../src/fuzz/threadsrun.ts'
import { ceheap, cli, type Ended, Folder, outsideCi, root } from './run.ts'

const folder = new Folder()
const env = outsideCi()
const plant = fileURLToPath(new URL('./plant.js', import.meta.url))

/** The command with a fault in it. */
function faulty(args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', plant, cli, 'fuzz', ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 120_000
  })
  return { status, out: stdout, err: stderr }
}

function argumentsOf(command: string): string[] {
  assert.ok(command.startsWith('ceheap fuzz '), command)
  return command.split(' ').slice(2)
}

const failing = suite('ceheap fuzz: a failure')

for (const [kind, ...more] of [['fast'], ['mixed'], ['threads', '--commands', '60']] as const) {
  failing(`${kind}: ends with 1, is told as calls, and is kept as a trace and as a file that repeats it`, () => {
    const keep = join(folder.path, kind)
    mkdirSync(keep)
    const { status, out, err } = faulty(['--kind', kind, '--runs', '40', ...more, '--keep', keep])
    assert.is(status, 1, `${out}${err}`)
    assert.match(out, /\nFAIL .+\n\nThe calls \(\d+ of \d+ commands are left, \d+ programs tried\):\n/)
    assert.match(out, /const process = createProcess\([\s\S]*\n {2}ce\[\d\]\./)
    const again = /^again: (ceheap .*)$/m.exec(err)?.[1] ?? ''
    const kept = /^kept: {2}(ceheap fuzz --replay (\S+)\.json) /m.exec(err)
    if (kept === null) throw new Error(`nothing was kept: ${err}`)
    assert.ok(kept[2]?.startsWith(join(keep, 'ceheap-fuzz-')), err)
    const message = /\nFAIL (.*)\n/.exec(out)?.[1] as string

    assert.ok(existsSync(`${kept[2]}.json`))
    const checked = ceheap(['check', `${kept[2]}.jsonl`, '--format', 'json'])
    assert.ok(JSON.parse(checked.out).summary.calls > 0 && checked.status !== 2, `the trace is one: ${checked.err}`)
    for (const command of [kept[1] as string, ...(kind === 'threads' ? [] : [again])]) {
      const repeated = faulty([...argumentsOf(command), ...(command === again ? ['--keep', keep] : [])])
      assert.is(repeated.status, 1, repeated.err)
      if (kind !== 'threads') assert.ok(repeated.out.includes(`FAIL ${message}\n`), repeated.out)
    }
    const sound = ceheap(['fuzz', ...argumentsOf(kept[1] as string)], { env })
    assert.is(sound.status, 0, 'without the fault the file runs well')
    assert.match(sound.out, /^Campaign {3}a given program\n[\s\S]*\nok /)
    assert.match(sound.err, /what failed does not fail here: /)
  })
}

failing('as JSON it has the same, and bytes that fail are kept too', () => {
  const keep = join(folder.path, 'json')
  mkdirSync(keep)
  const { status, out } = faulty(['--runs', '1', '--format', 'json', '--keep', keep])
  const { ok, ended, failure } = JSON.parse(out)
  assert.equal([status, ok, ended], [1, false, 'failure'])
  assert.is(failure.file, readFileSync(join(keep, 'ceheap-fuzz-1.json'), 'utf8'))
  const program = folder.file('program', Buffer.from(JSON.parse(failure.file).program, 'base64'))
  const bytes = faulty(['--bytes', program, '--keep', keep])
  assert.is(bytes.status, 1)
  assert.match(bytes.err, /^kept: {2}ceheap fuzz --replay \S+ceheap-fuzz-bytes\.json/)
})

failing('merged, the whole fails: what failed and the command that repeats it are told', () => {
  const names = ['1/2', '2/2'].map((shard, n) => {
    const name = join(folder.path, `shard${n}.json`)
    const args = ['--runs', '2', '--shard', shard, '--format', 'json', '-o', name, '--keep', folder.path]
    if (n === 0) assert.is(faulty(args).status, 1)
    else assert.is(ceheap(['fuzz', ...args], { env }).status, 0)
    return name
  })
  const result = join(folder.path, 'merged.json')
  const { status, out, err } = ceheap(['fuzz', 'merge', ...names, '-o', result])
  assert.is(status, 1, err)
  assert.is(out, '')
  assert.match(err, /^1 of 2 shards failed:\nshard 1\/2: .+\n {2}again: ceheap fuzz --seed 1 --runs 1\n$/)
  const { ok, failures } = JSON.parse(readFileSync(result, 'utf8'))
  assert.equal([ok, failures.length, failures[0].shard], [false, 1, '1/2'])
})
failing.run()

const wrong = suite('ceheap fuzz: input that cannot be used')

function refused(args: readonly string[], message: RegExp, input = ''): void {
  const { status, out, err } = ceheap(['fuzz', ...args], { env, input })
  assert.is(status, 2, `${args.join(' ')}: ${out}${err}`)
  assert.match(err, message, args.join(' '))
  assert.is(out, '')
  assert.not.match(err, /fault of ceheap|\n\s+at /, args.join(' '))
}

wrong('failure files that are changed, cut, empty, of another kind or version, binary, huge, or none', () => {
  const good = failureFile({ kind: 'threads', message: 'x', seed: 1, run: stressOf(1, 20) })
  const file = (name: string, content: string | Uint8Array): string[] => ['--replay', folder.file(name, content)]
  refused(file('cut.json', good.slice(0, -20)), /cut\.json: .*no JSON/)
  refused(file('empty.json', ''), /empty\.json: .*no JSON/)
  refused(
    file(
      'binary.json',
      new Uint8Array(5000).map((_, n) => (n * 37) & 255)
    ),
    /binary\.json: .*no JSON/
  )
  refused(file('version.json', good.replace('"version": 1', '"version": 9')), /version\.json: .*got version 9: another ceheap/)
  refused(file('kind.json', good.replace('"threads"', '"slow"')), /kind\.json: .*got "slow"/)
  refused(file('other.json', good.replace('"threads"', '"fast"')), /other\.json: .*damaged/)
  refused(file('schedule.json', good.replace(/"seeded:\d+"/, '"replay:v1_AAAA"')), /schedule/)
  refused(file('trace.json', '{"ceheap":"trace","version":1}\n'), /trace\.json: .*got other JSON/)
  refused(file('huge.json', Buffer.alloc(64 * 1024 * 1024 + 1, 32)), /huge\.json: expected at most 67108864 bytes/)
  refused(['--replay', folder.path], /is a directory/)
  refused(['--replay', join(folder.path, 'nothing.json')], /no such file/)
  refused(['--replay', '-'], /^ceheap: -: .*no JSON/, '{')
})

wrong('options that would not be heeded together', () => {
  const file = folder.file('good.json', failureFile({ kind: 'threads', message: 'x', seed: 1, run: stressOf(1, 20) }))
  refused(['--replay', file, '--bytes', file], /either --replay or --bytes/)
  for (const [option, value] of [
    ['--kind', 'threads'],
    ['--runs', '1'],
    ['--calls', '1'],
    ['--seconds', '1'],
    ['--seed', '1'],
    ['--shard', '1/1'],
    ['--shard-count', '1'],
    ['--commands', '1']
  ] as const)
    refused(['--replay', file, option, value], new RegExp(`${option}: expected no such option with --replay or --bytes`))
  refused(['--replay', file, '--keep', folder.path], /--keep: expected no such option with --replay/)
  refused(['--replay', file, '--shrink-seconds', '1'], /shrinkSeconds: expected no such option for the kind threads/)
  refused(['--replay', file, '-o', file], /is the input itself/)
  refused(['merge', file, '-o', file], /is the input itself/)
  refused(['--runs', '1', 'merge', file], /--runs: expected no option of a campaign before merge/)
  refused(['merge', file, '--runs', '1'], /unknown option '--runs'/)
  refused(['merge', file, '-o', join(folder.path, 'none', 'x')], /cannot be written/)
  assert.match(readFileSync(file, 'utf8'), /fuzz failure/, 'nothing was written over it')
})

wrong('bounds stand together: the first that is reached ends the campaign', () => {
  const ended = (...args: string[]): [string, number] => {
    const { out } = ceheap(['fuzz', '--commands', '200', '--format', 'json', ...args], { env })
    const report = JSON.parse(out)
    return [report.ended, report.runs]
  }
  assert.equal(ended('--runs', '3', '--seconds', '60', '--calls', '100000000'), ['done', 3])
  assert.equal(ended('--calls', '1', '--runs', '1000'), ['done', 1])
  assert.is(ended('--seconds', '0.2', '--runs', '100000000', '--calls', '1000000000000')[0], 'time')
})

wrong('results that overlap, are missing, contradict each other or hold numbers that are none', () => {
  const shard = (part: number): string => {
    const name = join(folder.path, `part-${part}.json`)
    const args = ['--runs', '4', '--commands', '20', '--shard', `${part}/2`, '--format', 'json', '-o', name]
    assert.is(ceheap(['fuzz', ...args], { env }).status, 0)
    return name
  }
  const [one, two] = [shard(1), shard(2)]
  let files = 0
  const changed = (from: RegExp, to: string): string => {
    const text = readFileSync(two, 'utf8')
    assert.match(text, from)
    const name = join(folder.path, `changed-${++files}.json`)
    writeFileSync(name, text.replace(from, to))
    return name
  }
  refused(['merge', one], /expected all 2 shards, got 1: 2\/2 is missing/)
  refused(['merge', one, one], /expected each shard once/)
  refused(['merge', one, two, two], /expected each shard once/)
  refused(['merge', one, changed(/"first": 2/, '"first": 1')], /changed-1\.json: expected seeds .*"first":2.* got .*"first":1/)
  refused(['merge', one, changed(/"kind": "fast"/, '"kind": "mixed"')], /expected the kind fast/)
  refused(['merge', one, changed(/"runs": \d+/, '"runs": NaN')], /no JSON/)
  refused(['merge', one, changed(/"calls": \d+/, '"calls": -5')], /other JSON/)
  refused(['merge', one, changed(/"calls": \d+/, '"calls": 1e999')], /other JSON/)
  refused(['merge', one, changed(/"calls": \d+/, `"calls": ${Number.MAX_SAFE_INTEGER}`)], /expected calls of up to 2\^53 - 1/)
  refused(['merge', one, changed(/"ok": true/, '"ok": false')], /a failure where ok is false/)
  refused(['merge', one, folder.file('nothing.json', '')], /nothing\.json: .*no JSON/)
  refused(['merge', one, folder.path], /is a directory/)
  refused(['merge', one, join(folder.path, 'no.json')], /no\.json: cannot be read \(no such file\)/)
  refused(['merge', one, two, '/dev/zero'], /expected at most/)
})
wrong.after(() => folder.remove())
wrong.run()
