// A failing run is made smaller in bounded time.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runPlanOf } from '../../src/stress/campaign.ts'
import { loadWorkload } from '../../src/stress/load.ts'
import { planOf } from '../../src/stress/options.ts'
import type { RunOutcome, RunPlan } from '../../src/stress/run.ts'
import { shrink } from '../../src/stress/shrink.ts'

const outcome = { faults: [{ kind: 'threw', message: 'no more' }], history: [], steps: 5, preemptions: 0 } as unknown as RunOutcome
const good = { ...outcome, faults: [] }

const smaller = suite('stress: a smaller run')

async function failing(): Promise<{ plan: RunPlan; outcome: RunOutcome }> {
  const plan = planOf({ workload: 'bleeding', threads: 4, ops: 100 })
  return { plan: runPlanOf(plan, await loadWorkload(plan.source), 0), outcome }
}

smaller('the smallest size that fails is the answer', async () => {
  const given = await failing()
  const { plan, runs } = await shrink(given, async ({ threads, ops }) => (threads >= 2 && ops >= 3 ? outcome : good))
  assert.equal([plan.threads, plan.ops], [2, 3])
  assert.ok(runs > 1)
})

smaller('when it has taken long enough the run itself is the answer', async () => {
  const given = await failing()
  let made = 0
  const attempt = async (): Promise<RunOutcome> => {
    made++
    return good
  }
  const { plan, runs } = await shrink(given, attempt, { over: () => made >= 7 })
  assert.equal([plan, runs, made], [given.plan, 7, 7])
  const all = await shrink(given, attempt)
  assert.ok(all.runs > 7 && all.runs <= 1500, `${all.runs} runs`)
})

smaller('the search for fewer preemptions ends too', async () => {
  const given = await failing()
  let made = 0
  const found = { ...outcome, preemptions: 3 }
  const attempt = async (): Promise<RunOutcome> => (++made === 1 ? found : good)
  const { runs } = await shrink(given, attempt, { over: () => made >= 1, perSize: 1 })
  assert.equal([runs, made], [1, 1])
})
smaller.run()
