import type { Crew } from './crew.ts'
import { nthRun } from './options.ts'
import type { StressPlan } from './options.ts'
import type { Coverage } from './report.ts'
import { runOnce } from './run.ts'
import type { RunHooks, RunOutcome, RunPlan } from './run.ts'
import type { Workload } from './workload.ts'

/** What the runs of a campaign add up to. */
export interface Campaign {
  /** Runs made. */
  readonly runs: number
  readonly calls: number
  /** Milliseconds in which threads worked. */
  readonly ms: number
  /** Calls and milliseconds of each thread, over all runs. */
  readonly threads: readonly { readonly calls: number; readonly ms: number }[]
  /** The last run: the one that failed, if one did. */
  readonly last: RunOutcome
  /** What was given to it. */
  readonly plan: RunPlan
  readonly coverage: Coverage | null
}

export interface CampaignHooks extends RunHooks {
  /** Told when a run has ended, with how many have, and how many there may be. */
  readonly onRun?: (runs: number, of: number) => void
}

export function runPlanOf(plan: StressPlan, workload: Workload, n: number): RunPlan {
  const { source, threads, ops, ms, process, timeout } = plan
  return { source, workload, threads, ops, ms, process, timeout, ...nthRun(plan, n) }
}

/** Makes the runs of a plan, its shard's part of them, until one fails. */
export async function runCampaign(crew: Crew, plan: StressPlan, workload: Workload, hooks: CampaignHooks): Promise<Campaign> {
  const [part, of] = plan.shard
  const sum = new Sum(plan.threads)
  const total = Math.max(0, Math.ceil((plan.runs - part + 1) / of))
  let given = runPlanOf(plan, workload, part - 1)
  let last: RunOutcome | undefined
  for (let n = part - 1; n < plan.runs || last === undefined; n += of) {
    given = runPlanOf(plan, workload, n)
    if (last !== undefined) given = { ...given, schedule: withSteps(given.schedule, last.steps) }
    last = await runOnce(crew, given, hooks)
    sum.add(last)
    hooks.onRun?.(sum.runs, total)
    if (last.faults.length > 0) break
  }
  return { ...sum.figures(), last, plan: given, coverage: null }
}

/** Tells `pct:N:d` how many steps there are to spread its changes over: as many as the run before had. */
export function withSteps(schedule: string, steps: number): string {
  return /^pct:\d+:\d+$/.test(schedule) && steps > 0 ? `${schedule}:${steps}` : schedule
}

/** Adds runs up. */
export class Sum {
  runs = 0
  #calls = 0
  #ms = 0
  readonly #threads: { calls: number; ms: number }[]

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => ({ calls: 0, ms: 0 }))
  }

  add({ calls, ms, works }: RunOutcome): void {
    this.runs++
    this.#calls += calls
    this.#ms += ms
    for (const [at, work] of works.entries()) {
      const thread = this.#threads[at]
      if (thread === undefined || work === undefined) continue
      thread.calls += work.calls
      thread.ms += work.ms
    }
  }

  figures(): Pick<Campaign, 'runs' | 'calls' | 'ms' | 'threads'> {
    return { runs: this.runs, calls: this.#calls, ms: this.#ms, threads: this.#threads }
  }
}
