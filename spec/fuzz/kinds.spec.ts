// What else than heaps and pages the runs of a campaign can be: all families on one process, and worker threads under seeded schedules.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FuzzReport, formatFuzz, fuzz, fuzzJson, mergeShards } from '../../src/fuzz/index.ts'
import { fuzzKinds } from '../../src/fuzz/options.ts'
import { runThreads } from '../../src/fuzz/threads.ts'
import { stressOf } from '../../src/fuzz/threadsrun.ts'
import { stress } from '../../src/stress/index.ts'
import { clear, running } from '../stress/bad.ts'

const plain = { bold: (text: string) => text, red: (text: string) => text, green: (text: string) => text }

const kinds = suite('fuzz: kinds')
for (const kind of fuzzKinds) {
  kinds(`${kind}: the same seed makes the same calls, each shard does its own, and the results are merged`, async () => {
    const commands = kind === 'threads' ? 40 : 300
    const run = (shard: string): Promise<FuzzReport> => fuzz({ kind, seed: 11, runs: 3, commands, shard })
    const whole = await run('1/1')
    const parts = [await run('1/2'), await run('2/2')]
    for (const report of [whole, ...parts]) assert.ok(report.ok, report.failure?.message)
    assert.equal(
      parts.map(({ seeds }) => seeds),
      [
        { first: 11, step: 2, count: 2 },
        { first: 12, step: 2, count: 1 }
      ]
    )
    const { kind: merged, runs, calls } = mergeShards(parts.map((report, n) => ({ name: `${n}.json`, text: fuzzJson(report) })))
    assert.equal({ merged, runs, calls }, { merged: kind, runs: 3, calls: whole.calls })
    assert.match(formatFuzz(whole, plain), `${kind}, seed 11: seeds 11 to 13`)
  })
}

kinds('results of another kind are another campaign; those without one are fast', async () => {
  const one = await fuzz({ runs: 2, commands: 50, shard: '1/2' })
  const two = await fuzz({ runs: 2, commands: 50, shard: '2/2' })
  const file = (report: object, name: string): { name: string; text: string } => ({ name, text: JSON.stringify(report) })
  const { kind: _, ...older } = one
  assert.is(mergeShards([file(older, 'old.json'), file(two, '2.json')]).kind, 'fast')
  for (const [kind, message] of [
    ['mixed', /2\.json: expected the kind fast as in old\.json, got mixed/],
    ['slow', /2\.json: expected a kind of fast, mixed, threads, got "slow"/]
  ] as const)
    assert.throws(
      () => mergeShards([file(older, 'old.json'), file({ ...two, kind }, '2.json')]),
      (error: Error) => error instanceof RangeError && message.test(error.message)
    )
})

kinds('wrong options are refused', async () => {
  const wrong: [object, RegExp][] = [
    [{ kind: 'slow' }, /kind: expected .*fast.*got "?slow/],
    [{ kind: 'mixed', seed: 2 ** 32 }, /seed: expected/],
    [{ kind: 'threads', seed: 2 ** 32 - 1, runs: 2 }, /2\^32 - 1 in the last run/],
    [{ kind: 'mixed', seed: 2 ** 32 - 2, runs: 3, seconds: 1 }, /2\^32 - 1 in the last run/],
    [{ kind: 'threads', shrinkSeconds: 5 }, /shrinkSeconds: expected no such option/]
  ]
  for (const [options, message] of wrong) {
    const error = await fuzz(options).catch((thrown: unknown) => thrown)
    assert.instance(error, RangeError, JSON.stringify(options))
    assert.match((error as Error).message, message)
  }
})

kinds('threads: seeds differ in workload, number of threads, profile, build, placement and physical memory', () => {
  const all = Array.from({ length: 200 }, (_, seed) => stressOf(seed, 100))
  const values = (pick: (options: (typeof all)[number]) => unknown): number => new Set(all.map(pick)).size
  assert.is(
    values(({ workload }) => workload),
    7
  )
  assert.equal([...new Set(all.map(({ threads }) => threads))].sort(), [2, 3, 4])
  assert.equal([values(({ profile }) => profile), values(({ build }) => build), values(({ placement }) => placement)], [4, 2, 2])
  assert.ok(values(({ physical }) => physical) > 10)
  for (const { threads = 0, ops = 0 } of all) assert.ok(threads * ops >= 100 && threads * ops < 104)
})

kinds('threads: a failure is that of ceheap stress, with the command that repeats it there', async () => {
  const workload = running('while (more()) { ce.HeapFree(ce.GetProcessHeap(), 0, ce.LocalAlloc(0, 8)); ce.LocalAlloc(0, 100) }')
  const { failure } = await runThreads(5, 60, (options) => stress({ ...options, workload }))
  assert.ok(failure !== undefined)
  assert.match(failure.message, /left|leak|free/i)
  assert.ok(failure.left < failure.found && failure.tried > 0, `${failure.left} of ${failure.found}`)
  assert.ok(failure.repeat.startsWith(`ceheap stress --workload ${workload} --threads `), failure.repeat)
  assert.match(failure.text, /HeapFree\(|LocalAlloc\(/)
  const [report = '', program = ''] = failure.text.split('\n\nconst process = ')
  assert.match(report, /Repeat it/)
  assert.match(program, /^createProcess\(\{"profile":.*\}\)\nconst ce = \[process\.thread, \.\.\.Array.*\]\n/)
  assert.ok(failure.trace.split('\n').length > 2)
})
kinds.after(clear)
kinds.run()
