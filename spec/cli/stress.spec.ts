// ceheap stress: what it prints, where, and its exit status.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ceheap, Folder } from './run.ts'

const folder = new Folder()
const quick = ['--threads', '2', '--ops', '20']

const good = suite('ceheap stress')

good('prints the report and ends with 0', () => {
  const { status, out, err } = ceheap(['stress', '--workload', 'mixed', ...quick])
  assert.match(out, /^Workload {3}mixed: 2 threads, 20 operations each, seed 1\nSchedule {3}free\n/)
  assert.match(out, /\nok {3}1 run: /)
  assert.equal([status, err], [0, ''], 'nothing but the report, and no progress where there is no terminal')
})

good('--format json prints nothing but JSON, into a file too', () => {
  const { status, out, err } = ceheap(['stress', ...quick, '--format', 'json', '--seed', '7', '--build', 'debug', '--memory', '2MB'])
  const report = JSON.parse(out)
  assert.equal([status, err, report.version, report.ok, report.seed, report.build, report.memory], [0, '', 1, true, 7, 'debug', 0x200000])
  const path = folder.file('report.json', '')
  assert.is(ceheap(['stress', ...quick, '--format', 'json', '-o', path]).out, '')
})

good('a module as a workload: what it prints goes to standard error', () => {
  const path = folder.file(
    'mine.mjs',
    "export const name = 'mine'\nexport function run({ more, thread }) { console.log('thread', thread); while (more()); }\n"
  )
  const { status, out, err } = ceheap(['stress', '--workload', path, ...quick])
  assert.is(status, 0)
  assert.match(out, /^Workload {3}mine: /)
  assert.match(err, /thread 0\n/)
})

good('a failure: status 1, what is wrong, and the command that runs it again', () => {
  const path = folder.file('leaks.mjs', "export const name = 'leaks'\nexport function run({ ce }) { ce.LocalAlloc(0, 40) }\n")
  const { status, out, err } = ceheap(['stress', '--workload', path, ...quick])
  assert.is(status, 1)
  assert.match(
    out,
    /\nFAIL leak\n {2}2 blocks are left at the end: 0x[0-9A-F]+ \(40 bytes, of thread [23]\), .*finish\(\) must free what run\(\) leaves\n/
  )
  assert.ok(out.includes(`ceheap stress --workload ${path} --threads `), out)
  assert.is(err, '')
  assert.is(JSON.parse(ceheap(['stress', '--workload', path, ...quick, '--format', 'json']).out).failure.kind, 'leak')
})
good.run()

const bad = suite('ceheap stress: unusable')
bad.after(() => folder.remove())

bad('arguments and workloads: status 2, a message, no report and no stack trace', () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['--threads', '1024'], /^ceheap: threads: expected a whole number from 1 to 1023, got 1024\n$/],
    [['--threads', 'two'], /Expected a whole number\./],
    [['--seconds', '1', '--schedule', 'seeded:1'], /^ceheap: seconds: expected ops with the schedule seeded:1/],
    [['--schedule', 'fifo'], /^ceheap: schedule: expected free, recorded, /],
    [['--shard', '2/1'], /^ceheap: shard: expected i\/n/],
    [['--memory', '100'], /^ceheap: memory: expected a multiple of 65536 bytes/],
    [['--workload', 'nope'], /^ceheap: nope: neither a built-in workload \(.*\) nor a file\n$/],
    [['--workload', './nope.js'], /^ceheap: \.\/nope\.js: there is no such file\n$/],
    [['--workload', folder.file('empty.mjs', '')], /^ceheap: .*a workload exports a function "run"/],
    [
      [
        '--workload',
        folder.file('exit.mjs', "export const name = 'x'\nexport const run = () => {}\nexport const setup = () => process.exit(0)")
      ],
      /setup\(\) ended its thread/
    ],
    [['--nope'], /unknown option/],
    [['extra'], /too many arguments/]
  ]
  for (const [args, message] of cases) {
    const { status, out, err } = ceheap(['stress', ...args])
    assert.match(err, message, args.join(' '))
    assert.equal([status, out], [2, ''], args.join(' '))
    assert.not.match(err, /\n\s+at |node:internal/)
  }
})
bad.run()
