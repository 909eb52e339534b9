// Options: what is taken, what is refused and how, and the command that a plan is written as.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commandOf } from '../../src/stress/command.ts'
import { type StressOptions, nthRun, planOf } from '../../src/stress/options.ts'
import { clear, module } from './bad.ts'

const options = suite('stress/options')
options.after(clear)

options('defaults', () => {
  const { source, threads, ops, ms, seed, schedule, runs, shard, process, timeout } = planOf({})
  assert.equal([source.builtin, threads, ops, ms, seed, schedule, runs], ['bleeding', 4, 1000, Number.POSITIVE_INFINITY, 1, 'free', 1])
  assert.equal([shard, process, timeout], [[1, 1], { profile: 'compact-2013', build: 'retail', memory: 0x400000 }, 60_000])
  assert.is(planOf({ schedule: 'explore:2' }).runs, 10_000)
})

options('what is refused says what was expected', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [null, /expected an object of options, got null/],
    [{ thread: 1 }, /option: expected one of workload, threads, .*got "thread"/],
    [{ threads: 0 }, /threads: expected a whole number from 1 to 1023, got 0/],
    [{ threads: 1024 }, /threads: expected a whole number from 1 to 1023, got 1024/],
    [{ threads: '4' }, /threads: expected a whole number from 1 to 1023, got "4"/],
    [{ ops: 0 }, /ops: expected a whole number/],
    [{ ops: 5, seconds: 1 }, /expected either ops or seconds, got both/],
    [{ seconds: 0 }, /seconds: expected a number of seconds above 0/],
    [{ seconds: 1, schedule: 'seeded:1' }, /expected ops with the schedule seeded:1: a clock would decide/],
    [{ seed: -1 }, /seed: expected a whole number/],
    [{ runs: 0 }, /runs: expected a whole number/],
    [{ shard: '3/2' }, /shard: expected i\/n .* got "3\/2"/],
    [{ shard: '0/2' }, /shard: expected i\/n/],
    [{ shard: '2/2' }, /shard: expected i up to the number of runs, 1, got 2\/2: there is no such run/],
    [
      { schedule: 'replay:./nowhere.txt' },
      /schedule: there is no file \.\/nowhere\.txt; expected replay: with a file or a schedule string/
    ],
    [{ schedule: 'replay:.' }, /schedule: the file \. cannot be read \(EISDIR/],
    [{ schedule: `replay:${module('\n')}` }, /schedule: expected a schedule string in the first line of .*, which is empty/],
    [{ timeout: 0 }, /timeout: expected a number of seconds above 0/],
    [{ onPrint: 5 }, /onPrint: expected a function, got 5/],
    [{ onProgress: 'x' }, /onProgress: expected a function, got "x"/],
    [{ schedule: 7 }, /schedule: expected free, recorded, .* got 7/],
    [{ schedule: 'seeded' }, /schedule: expected .*seeded:N.*got "seeded"/],
    [{ schedule: 'seeded:4294967296' }, /schedule: expected/],
    [{ schedule: 'pct:1' }, /schedule: expected/],
    [{ schedule: 'replay:' }, /schedule: expected/],
    [{ profile: 'ce' }, /profile: expected one of/],
    [{ build: 'checked' }, /build: expected one of/],
    [{ placement: 'best' }, /placement: expected one of/],
    [{ workload: 7 }, /workload: expected a workload's name or a module's path, got 7/],
    [{ workload: 'nope' }, /nope: neither a built-in workload \(bleeding, .*\) nor a file/],
    [{ workload: './nope.js' }, /\.\/nope\.js: there is no such file/],
    [{ workload: '.' }, /is not a file/]
  ]
  for (const [given, message] of cases)
    assert.throws(
      () => planOf(given as StressOptions),
      (error: Error) => message.test(error.message),
      JSON.stringify(given)
    )
})

options('a replay may name a file', () => {
  for (const text of ['AbC_9', 'replay:AbC_9\n']) assert.is(planOf({ schedule: `replay:${module(text)}` }).schedule, 'replay:AbC_9')
  assert.is(planOf({ schedule: 'replay:AbC_9' }).schedule, 'replay:AbC_9')
})

options('each run of a campaign has the next number', () => {
  const nth = (schedule: string, n: number): unknown[] => Object.values(nthRun({ schedule, seed: 7 }, n))
  assert.equal(nth('seeded:5', 3), ['seeded:8', 7])
  assert.equal(nth('pct:4294967295:3', 1), ['pct:0:3', 7])
  assert.equal(nth('pct:4:3:100', 2), ['pct:6:3:100', 7])
  assert.equal(nth('free', 3), ['free', 10])
  assert.equal(nth('replay:abc', 3), ['replay:abc', 7])
})

options('a plan as a command reads back as the same plan', () => {
  assert.is(
    commandOf(planOf({ workload: 'mixed', threads: 2, ops: 5, schedule: 'pct:3:2' })),
    'ceheap stress --workload mixed --threads 2 --ops 5 --seed 1 --schedule pct:3:2'
  )
  const path = module('')
  const all: StressOptions = {
    workload: path,
    threads: 3,
    seconds: 2.5,
    seed: 9,
    runs: 4,
    profile: 'ce-6.0',
    build: 'debug',
    placement: 'next-fit',
    memory: 0x100000,
    physical: 0x80000,
    timeout: 5
  }
  assert.is(
    commandOf(planOf(all)),
    `ceheap stress --workload ${path} --threads 3 --seconds 2.5 --seed 9 --schedule free --runs 4 --profile ce-6.0 --build debug --placement next-fit --memory 1048576 --physical 524288 --timeout 5`
  )
  assert.match(commandOf({ ...planOf({}), source: { given: "./it's mine.js" } }), /--workload '\.\/it'\\''s mine\.js' /)
})
options.run()
