// The built-in workloads with threads at once: judged by claims, cookies, the end state; and the report of them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { builtinWorkloads } from '../../src/stress/builtin.ts'
import { formatStress, stress, type StressProgress, stressJson } from '../../src/stress/index.ts'

const free = suite('stress: workloads, free')

for (const [at, { name }] of builtinWorkloads.entries()) {
  const build = at % 2 === 0 ? 'retail' : 'debug'
  free(`${name}, ${build}`, async () => {
    const report = await stress({ workload: name, threads: 3, ops: 200, build })
    assert.ok(report.ok, report.failure?.message)
    assert.is(report.workload, name)
    assert.ok(report.threads.every(({ calls }) => calls > 0))
    assert.is(
      report.calls,
      report.threads.reduce((sum, { calls }) => sum + calls, 0)
    )
  })
}

free('on every profile, with little memory and next to none', async () => {
  for (const profile of ['compact-7', 'ce-6.0', 'ce-5.0'] as const)
    assert.ok((await stress({ workload: 'many-heaps', threads: 2, ops: 200, profile })).ok, profile)
  assert.ok((await stress({ workload: 'mixed', threads: 2, ops: 200, memory: 0x80000, physical: 0x40000 })).ok)
})

free('one thread alone, and more than there are cores', async () => {
  assert.ok((await stress({ workload: 'producer-consumer', threads: 1, ops: 200 })).ok)
  const { ok, threads, fairness } = await stress({ workload: 'bleeding', threads: 12, ops: 50 })
  assert.ok(ok)
  assert.equal(
    threads.map(({ thread }) => thread),
    Array.from({ length: 12 }, (_, at) => at + 2)
  )
  assert.ok(Math.abs(threads.reduce((sum, { share }) => sum + share, 0) - 1) < 0.01)
  assert.ok(fairness > 0 && fairness <= 1)
})

free('bounded by time', async () => {
  const progress: StressProgress[] = []
  const report = await stress({ workload: 'bleeding', threads: 2, seconds: 0.5, onProgress: (now) => progress.push(now) })
  assert.ok(report.ok, report.failure?.message)
  assert.equal([report.ops, report.seconds], [null, 0.5])
  assert.ok(progress.some(({ done }) => done > 0))
  const times = progress.map(({ ms }) => ms)
  assert.equal(
    times,
    [...times].sort((a, b) => a - b),
    'a bar never goes back'
  )
})

free('several runs, in shards', async () => {
  const runs = async (shard: string): Promise<number> => (await stress({ workload: 'mixed', threads: 2, ops: 20, runs: 5, shard })).runs
  assert.equal([await runs('1/1'), await runs('1/2'), await runs('2/2')], [5, 3, 2])
})

free('text and JSON', async () => {
  const report = await stress({ workload: 'recursion', threads: 2, ops: 50, physical: 0x200000 })
  const parsed = JSON.parse(stressJson(report)) as Record<string, unknown>
  assert.equal(parsed, { ...report } as unknown)
  for (const key of ['version', 'ok', 'schedule', 'calls', 'imageHash', 'throughput', 'threads', 'contention'])
    assert.ok(key in parsed, key)
  assert.not.ok('failure' in parsed)
  const text = formatStress(report)
  assert.match(
    text,
    /^Workload {3}recursion: 2 threads, 50 operations each, seed 1\nSchedule {3}free\nProcess {4}compact-2013 retail, segregated, 4,194,304 bytes, 2,097,152 of them physical\n/
  )
  assert.match(text, /\nFairness {3}[01]\.\d\d /)
  assert.match(text, /\nok {3}1 run: no overlap, no block lost or left, cookies intact, every invariant holds\n$/)
})
free.run()
