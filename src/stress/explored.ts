import { runPlanOf, Sum } from './campaign.ts'
import type { Campaign, CampaignHooks } from './campaign.ts'
import type { Crew } from './crew.ts'
import { Explorer } from './explore.ts'
import type { Coverage as Covered } from './explore.ts'
import type { StressPlan } from './options.ts'
import type { Coverage } from './report.ts'
import { runOnce } from './run.ts'
import type { RunOutcome, RunPlan } from './run.ts'
import { StressError } from './workload.ts'
import type { Workload } from './workload.ts'

/** Most preemptions of `explore:BOUND`; undefined for `explore`. */
function boundOf(schedule: string): number | undefined {
  const bound = /^explore:(\d+)$/.exec(schedule)?.[1]
  return bound === undefined ? undefined : Number(bound)
}

/** Runs the search over orders until one fails, nothing is left, or the plan's runs are used up. */
export async function runExploration(crew: Crew, plan: StressPlan, workload: Workload, hooks: CampaignHooks): Promise<Campaign> {
  const bound = boundOf(plan.schedule)
  const sum = new Sum(plan.threads)
  const base = runPlanOf(plan, workload, 0)
  const search = explore(
    base,
    bound,
    plan.runs,
    (given) => runOnce(crew, given, hooks),
    (outcome) => {
      sum.add(outcome)
      hooks.onRun?.(sum.runs, plan.runs)
      return outcome.faults.length > 0
    }
  )
  const { last, covered } = await search
  // The search takes no account of the run that failed.
  return { ...sum.figures(), ...last, coverage: coverageOf({ ...covered, schedules: sum.runs }, bound, plan.runs) }
}

/** What a search came to. */
export interface Explored {
  readonly last: { readonly plan: RunPlan; readonly last: RunOutcome }
  readonly covered: Covered
}

/** Makes run after run as the search says, at most `runs`, until `enough` says so of one. */
export async function explore(
  base: RunPlan,
  bound: number | undefined,
  runs: number,
  make: (plan: RunPlan) => Promise<RunOutcome>,
  enough: (outcome: RunOutcome) => boolean
): Promise<Explored> {
  const explorer = new Explorer(bound === undefined ? {} : { preemptions: bound })
  let last: Explored['last'] | undefined
  for (let prefix = explorer.next(); prefix !== undefined; prefix = explorer.next()) {
    const plan = { ...base, schedule: `guided:${prefix.map((seat) => seat.toString(36)).join(',')}` }
    const outcome = await make(plan)
    last = { plan, last: outcome }
    if (enough(outcome)) break
    const { trace } = outcome
    if (trace === undefined || trace.cut)
      throw new StressError(`${base.source.given}: a run has too many steps to be explored; give fewer --ops, or try --schedule pct:1:3`)
    try {
      explorer.done(trace)
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      throw new StressError(`${base.source.given}: ${said}; a workload's random numbers come from random(), and it asks no clock`, {
        cause: error
      })
    }
    if (explorer.coverage.schedules >= runs) break
  }
  if (last === undefined) throw new Error('explore: the search made no run')
  return { last, covered: explorer.coverage }
}

function coverageOf({ schedules, repeated, asleep, bounded, done, complete }: Covered, bound: number | undefined, runs: number): Coverage {
  const within = bound === undefined ? '' : ` with at most ${bound} ${bound === 1 ? 'preemption' : 'preemptions'}`
  const count = schedules.toLocaleString('en-US')
  const all = complete ? `every order there is, in ${count} runs` : `every order${within}, in ${count} runs`
  const text = done ? all : `${count} runs of orders${within}; there are more${schedules >= runs ? ' (--runs sets the bound)' : ''}`
  return { schedules, repeated, asleep, bounded, bound: bound ?? -1, complete: done, text }
}
