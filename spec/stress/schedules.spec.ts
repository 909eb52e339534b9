// One thread at a time, with real workers: every built-in workload is judged in full, and the same schedule gives the same image.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareSeeds } from '../../fuzz/seeds.ts'
import { builtinWorkloads } from '../../src/stress/builtin.ts'
import { runPlanOf } from '../../src/stress/campaign.ts'
import { Crew } from '../../src/stress/crew.ts'
import { stress, StressError, type StressOptions } from '../../src/stress/index.ts'
import { loadWorkload } from '../../src/stress/load.ts'
import { planOf } from '../../src/stress/options.ts'
import { runOnce } from '../../src/stress/run.ts'
import { clear, module } from './bad.ts'

const racy = fileURLToPath(new URL('../../../examples/racy-mailbox.mjs', import.meta.url))
const small = { threads: 3, ops: 12 } as const

const judged = suite('stress: one thread at a time')

for (const { name } of builtinWorkloads) {
  judged(`${name}: every answer is the sequential model's`, async () => {
    for (const schedule of ['seeded:1', 'pct:1:3']) {
      const report = await stress({ ...small, workload: name, schedule, runs: 8 })
      assert.ok(report.ok, `${schedule}: ${report.failure?.message}`)
      assert.equal([report.runs, report.unjudged], [8, null])
      assert.match(report.imageHash, /^[0-9a-f]{16}$/)
    }
  })
}

judged('the same seed gives the same image, another seed another', async () => {
  const image = async (schedule: string, seed = 1): Promise<string> =>
    (await stress({ ...small, workload: 'bleeding', schedule, seed })).imageHash
  const first = await image('seeded:7')
  assert.is(await image('seeded:7'), first)
  assert.is.not(await image('seeded:8'), first)
  assert.is.not(await image('seeded:7', 2), first)
})

judged('the order of a recorded run is one that the model answers alike', async () => {
  for (const workload of ['bleeding', 'create-destroy', 'recursion']) {
    const recorded = await stress({ ...small, workload, ops: 40, schedule: 'recorded' })
    assert.ok(recorded.ok, recorded.failure?.message)
    assert.match(recorded.replay ?? '', /^replay:v1_/)
    const replayed = await stress({ ...small, workload, ops: 40, schedule: recorded.replay ?? '' })
    assert.ok(replayed.ok, `${workload}: ${replayed.failure?.message}`)
    assert.equal([replayed.unjudged, replayed.calls], [null, recorded.calls])
    // A CRITICAL_SECTION counts in user memory how often it was waited for, which nobody does one at a time.
    if (workload === 'create-destroy') assert.is(replayed.imageHash, recorded.imageHash)
  }
})

judged('a campaign over seeds: twice each, in two processes', async () => {
  const { runs, calls, images } = await compareSeeds({ seeds: 6, from: 1, threads: 4, ops: 6, workload: 'many-heaps' }, () => {})
  assert.is(runs, 24)
  assert.ok(calls > 0)
  assert.ok(images > 1, 'seeds differ')
})
judged.run()

const found = suite('stress: a planted race')
found.after(clear)

found('is found by pct, made small, and repeated by its command', async () => {
  const { ok, failure, runs } = await stress({ workload: racy, threads: 3, ops: 10, schedule: 'pct:1:3', runs: 10_000 })
  assert.is(ok, false)
  assert.ok(runs <= 10_000)
  assert.is(failure?.kind, 'finding')
  assert.match(failure?.message ?? '', /LocalFree: 0x[0-9A-F]+ was freed before \(C-15\)/)
  const { shrunk, repeat } = failure ?? {}
  const { threads = 0, ops = 0, schedule = '' } = shrunk ?? {}
  assert.ok(threads * ops <= 4, `${threads} threads, ${ops} operations`)
  assert.match(shrunk?.history.at(-1)?.note ?? '', /was freed before/)
  assert.is(shrunk?.history.at(-1)?.call.startsWith('LocalFree('), true)
  assert.ok(repeat?.includes(`--threads ${threads} --ops ${ops} --seed 1 --schedule replay:`), repeat)

  const replayed = await stress({ workload: racy, threads, ops, schedule })
  assert.equal(replayed.failure?.shrunk?.history, shrunk?.history)
  assert.is(replayed.failure?.shrunk?.runs, 0)

  const plan = planOf({ workload: racy, threads, ops, schedule })
  const workload = await loadWorkload(plan.source)
  const crew = new Crew()
  const messages = new Set<string | undefined>()
  for (let time = 0; time < 100; time++) messages.add((await runOnce(crew, runPlanOf(plan, workload, 0))).faults[0]?.message)
  await crew.close()
  assert.equal([...messages], [replayed.failure?.message])
})

found('is found by explore, whose every run is judged', async () => {
  const { ok, failure, coverage, runs } = await stress({ workload: racy, threads: 2, ops: 3, schedule: 'explore:2' })
  assert.is(ok, false)
  assert.is(coverage?.schedules, runs)
  assert.is(failure?.kind, 'finding')
  assert.ok((coverage?.schedules ?? 10_000) < 10_000)
  assert.match(failure?.schedule ?? '', /^replay:v1_/)
  assert.match(failure?.repeat ?? '', / --schedule replay:v1_/)
})

found('is not there any more when the section is left where it should be', async () => {
  const text = readFileSync(racy, 'utf8')
  const leave = /\n( *ce\.LeaveCriticalSection\(section\)) .*\n([\s\S]*?\n {4}\}\n)/
  assert.match(text, leave)
  const mended = module(text.replace(leave, '\n$2$1\n'))
  assert.ok((await stress({ workload: mended, threads: 3, ops: 10, schedule: 'pct:1:3', runs: 200 })).ok)
  const { ok, coverage, failure } = await stress({ workload: mended, threads: 2, ops: 2, schedule: 'explore' })
  assert.ok(ok, failure?.message)
  assert.is(coverage?.complete, true)
  assert.match(coverage?.text ?? '', /^every order there is, in \d+ runs$/)
  const some = await stress({ workload: mended, threads: 2, ops: 2, schedule: 'explore:1', runs: 3 })
  assert.equal([some.runs, some.coverage?.complete], [3, false])
  assert.match(some.coverage?.text ?? '', /^3 runs of orders with at most 1 preemption; there are more \(--runs sets the bound\)$/)
})

found('a string of another program, of another version, or cut short is refused', async () => {
  const { replay } = await stress({ workload: racy, threads: 2, ops: 1, schedule: 'seeded:1' })
  assert.match(replay ?? '', /^replay:v1_/)
  const refused = async (options: StressOptions, message: RegExp): Promise<void> => {
    const error = await stress({ workload: racy, threads: 2, ops: 1, ...options }).then(
      () => undefined,
      (thrown: Error) => thrown
    )
    assert.ok(error instanceof StressError, String(error))
    assert.match(error.message, message)
  }
  await refused({ schedule: replay ?? '', ops: 2 }, /program/)
  await refused({ schedule: replay ?? '', threads: 3 }, /threads/)
  await refused({ schedule: (replay ?? '').replace('v1_', 'v9_') }, /version/)
  await refused({ schedule: (replay ?? '').slice(0, -4) }, /replay/)
})
found.run()
