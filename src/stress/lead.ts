import { profileOf } from '../profile.ts'
import type { Phase } from './beat.ts'
import { runCampaign } from './campaign.ts'
import type { Campaign, CampaignHooks } from './campaign.ts'
import { commandOf } from './command.ts'
import { Crew } from './crew.ts'
import { runExploration } from './explored.ts'
import { historyLines, historyTrace } from './lines.ts'
import { loadWorkload } from './load.ts'
import { isConcurrent } from './options.ts'
import type { StressPlan } from './options.ts'
import type { StressFailure, StressReport, StressThread } from './report.ts'
import { runOnce } from './run.ts'
import type { RunOutcome, RunPlan } from './run.ts'
import { shrink } from './shrink.ts'
import type { Shrunk } from './shrink.ts'

export interface LeadHooks extends Omit<CampaignHooks, 'onPhase'> {
  readonly onPhase?: (phase: Phase) => void
  /** Told of a failure before it is made smaller, which may take its time. */
  readonly onFound?: (report: StressReport) => void
  readonly onPrint?: (text: string) => void
}

/** Longest time for one of the runs by which a failure is made smaller, in milliseconds. */
const SHRINK_TIMEOUT = 5_000
/** Longest time for all of them. Runs that end in time take a second or two together. */
const SHRINK_TOTAL = 60_000
/** A schedule string longer than this is no good to paste; the strategy that made it repeats the run as well. */
const LONGEST_REPLAY = 1_500
/** Steps of a run up to which its schedule string is told though nothing failed. */
const MOST_STEPS = 20_000

/** Makes the runs of a plan in this JS thread, which becomes the creating thread of each process, and reports. */
export async function lead(plan: StressPlan, hooks: LeadHooks = {}): Promise<StressReport> {
  const workload = await loadWorkload(plan.source)
  const crew = new Crew(hooks.onPrint)
  try {
    const make = plan.schedule.startsWith('explore') ? runExploration : runCampaign
    const campaign = await make(crew, plan, workload, hooks)
    const report = reportOf(plan, workload.name, campaign)
    if (campaign.last.faults.length === 0) return report
    const failed = (found: Shrunk | undefined): StressReport => ({ ...report, ok: false, failure: failureOf(plan, campaign, found) })
    hooks.onFound?.(failed(undefined))
    return failed(await smallest(crew, campaign, hooks))
  } finally {
    hooks.onPhase?.('close')
    await crew.close()
  }
}

function reportOf(plan: StressPlan, name: string, { runs, calls, ms, threads, last, coverage }: Campaign): StressReport {
  const { schedule, seed, ops, process } = plan
  // One at a time a thread's clock runs while others work: then its calls alone tell its share.
  const rates = threads.map((thread) => (isConcurrent(schedule) ? (thread.ms > 0 ? thread.calls / thread.ms : 0) : thread.calls))
  const total = rates.reduce((sum, rate) => sum + rate, 0)
  const shares = threads.map((thread, at): StressThread => {
    const share = total > 0 ? (rates[at] as number) / total : 0
    return { thread: at + 2, calls: thread.calls, ms: Math.round(thread.ms), share: Number(share.toFixed(4)) }
  })
  return {
    version: 1,
    ok: true,
    workload: name,
    schedule,
    seed,
    profile: process.profile,
    build: process.build,
    placement: process.placement ?? profileOf(process.profile).placement,
    memory: process.memory,
    physical: process.physical ?? process.memory,
    ops: ops === Number.POSITIVE_INFINITY ? null : ops,
    seconds: plan.ms === Number.POSITIVE_INFINITY ? null : plan.ms / 1000,
    runs,
    calls,
    imageHash: last.imageHash,
    throughput: ms > 0 ? Math.round((calls / ms) * 1000) : 0,
    threads: shares,
    fairness: Number((Math.min(...shares.map(({ share }) => share)) * shares.length).toFixed(3)),
    contention: last.contention,
    replay: (last.steps <= MOST_STEPS ? last.replay() : undefined) ?? null,
    coverage,
    unjudged: last.unjudged ?? null
  }
}

function failureOf(plan: StressPlan, campaign: Campaign, found: Shrunk | undefined): StressFailure {
  const { last, plan: failing, runs } = campaign
  const [fault, ...others] = last.faults as [RunOutcome['faults'][number], ...RunOutcome['faults']]
  const alone = { ...plan, runs: 1, shard: [1, 1] as const }
  // A guided run is the search's own; the search finds it again.
  const schedule = failing.schedule.startsWith('guided:') ? (last.replay() ?? plan.schedule) : failing.schedule
  const again = found === undefined ? { ...alone, seed: failing.seed, schedule } : { ...alone, ...sizeOf(found) }
  return {
    kind: fault.kind,
    message: fault.message,
    ...(fault.thread === undefined ? {} : { thread: fault.thread }),
    schedule,
    seed: failing.seed,
    runsBefore: runs - 1,
    others: [...new Set(others.map(({ message }) => message))].filter((message) => message !== fault.message),
    repeat: commandOf(again),
    repeats: found !== undefined || !isConcurrent(failing.schedule),
    ...(found === undefined
      ? {}
      : {
          shrunk: {
            threads: found.plan.threads,
            ops: found.plan.ops,
            schedule: scheduleOf(found),
            preemptions: found.outcome.preemptions,
            runs: found.runs,
            history: historyLines(found.outcome.history, found.outcome.faults),
            trace: historyTrace(found.outcome.history, found.outcome.faults, plan.process)
          }
        })
  }
}

/** The smallest run that fails alike, one thread at a time; undefined where there is none to be found. */
async function smallest(crew: Crew, { last, plan }: Campaign, { onPhase }: LeadHooks): Promise<Shrunk | undefined> {
  // A run that is ended from outside took its time, and so would each smaller one.
  if (['timeout', 'exit', 'posted', 'diverged'].includes(last.faults[0]?.kind ?? '')) return undefined
  // Whoever replays wants this run and no other.
  if (plan.schedule.startsWith('replay:')) return { plan, outcome: last, runs: 0 }
  const attempt = (smaller: RunPlan): Promise<RunOutcome> =>
    runOnce(crew, { ...smaller, timeout: Math.min(smaller.timeout, SHRINK_TIMEOUT) }, onPhase === undefined ? {} : { onPhase })
  const end = performance.now() + SHRINK_TOTAL
  let from = { plan, outcome: last }
  // What a clock has ended would end elsewhere the next time.
  const recorded = plan.schedule === 'recorded' && plan.ms === Number.POSITIVE_INFINITY ? last.replay() : undefined
  if (recorded !== undefined) {
    // The same grants once more, now with every call in a known order.
    const replayed = { ...plan, schedule: recorded }
    const outcome = await attempt(replayed)
    if (outcome.faults[0]?.kind === last.faults[0]?.kind) from = { plan: replayed, outcome }
  }
  const found = await shrink(from, attempt, { over: () => performance.now() > end })
  return isConcurrent(found.plan.schedule) ? undefined : found
}

function sizeOf(found: Shrunk): Pick<StressPlan, 'threads' | 'ops' | 'ms' | 'seed' | 'schedule'> {
  const { threads, ops, ms, seed } = found.plan
  return { threads, ops, ms, seed, schedule: scheduleOf(found) }
}

function scheduleOf({ plan, outcome }: Shrunk): string {
  const replay = outcome.replay()
  const guided = plan.schedule.startsWith('guided:')
  return replay === undefined || (replay.length > LONGEST_REPLAY && !guided) ? plan.schedule : replay
}
