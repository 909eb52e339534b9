import { explore } from './explored.ts'
import type { Explored } from './explored.ts'
import type { Fault } from './judge.ts'
import { withSteps } from './campaign.ts'
import type { RunOutcome, RunPlan } from './run.ts'
import { StressError } from './workload.ts'

/** The smallest failing run that was found. */
export interface Shrunk {
  readonly plan: RunPlan
  readonly outcome: RunOutcome
  /** Runs made to find it. */
  readonly runs: number
}

export interface ShrinkBounds {
  /** Runs in all. */
  readonly runs: number
  /** Schedules tried for each size. */
  readonly perSize: number
  /** Whether it has taken long enough. */
  readonly over: () => boolean
}

const usual = { runs: 1500, perSize: 60, over: () => false } as const satisfies ShrinkBounds

/** Orders of each bound on preemptions. */
const FEWEST = 200

/** Numbers of operations that are tried, as far as they are smaller than the failing run's. */
const SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]

/**
 * Looks for a smaller run that fails in the same way: all sizes from the smallest on, for each of them a number of schedules (a thread at a
 * time, chosen at random and by priorities in turns). Of the first size that fails, the run with the fewest preemptions, then the fewest calls,
 * is taken. Always ends; the failing run itself is the answer where nothing smaller fails.
 */
export async function shrink(
  failing: { readonly plan: RunPlan; readonly outcome: RunOutcome },
  attempt: (plan: RunPlan) => Promise<RunOutcome>,
  given: Partial<ShrinkBounds> = {}
): Promise<Shrunk> {
  const bounds = { ...usual, ...given }
  let runs = 0
  for (const { threads, ops } of smallerSizes(failing.plan)) {
    let best: Omit<Shrunk, 'runs'> | undefined
    let steps = 0
    // One thread alone has one order.
    const tries = threads === 1 ? 1 : bounds.perSize
    for (let n = 0; n < tries && runs < bounds.runs && !bounds.over(); n++) {
      const plan = { ...failing.plan, threads, ops, ms: Number.POSITIVE_INFINITY, schedule: withSteps(schedule(n), steps) }
      const outcome = await attempt(plan)
      steps = outcome.steps
      runs++
      if (!sameFault(outcome.faults[0], failing.outcome.faults[0])) continue
      if (best === undefined || smaller(outcome, best.outcome)) best = { plan, outcome }
      // Without a change of threads there is nothing left to take away.
      if (best.outcome.preemptions === 0) break
    }
    if (best !== undefined) return await fewest({ ...best, runs }, attempt, bounds.over)
    if (runs >= bounds.runs || bounds.over()) break
  }
  return { ...failing, runs }
}

/** Looks for the same failure with fewer preemptions, by all orders that have none, one, ...; a few hundred of them. */
async function fewest(found: Shrunk, attempt: (plan: RunPlan) => Promise<RunOutcome>, over: () => boolean): Promise<Shrunk> {
  let { runs } = found
  let best = found
  const alike = (outcome: RunOutcome): boolean => sameFault(outcome.faults[0], found.outcome.faults[0])
  for (let bound = 0; bound < best.outcome.preemptions && !over(); bound++) {
    let explored: Explored
    try {
      explored = await explore(found.plan, bound, FEWEST, attempt, (outcome) => alike(outcome) || over())
    } catch (error) {
      // It does not do the same again, or does too much: what is found already stands.
      if (error instanceof StressError) break
      throw error
    }
    const { last, covered } = explored
    runs += covered.schedules
    if (alike(last.last)) best = { plan: last.plan, outcome: last.last, runs }
  }
  return { ...best, runs }
}

/** Three kinds of schedule in turns: one at random, and two by priorities, which seldom preempt. */
function schedule(n: number): string {
  const seed = Math.floor(n / 3) + 1
  return n % 3 === 0 ? `seeded:${seed}` : `pct:${seed}:${(n % 3) + 1}`
}

/** Fewer threads or fewer operations, the least work first. */
function* smallerSizes({ threads, ops }: RunPlan): Generator<{ threads: number; ops: number }> {
  const sizes: { threads: number; ops: number }[] = []
  for (let some = 1; some <= Math.min(threads, 8); some++) {
    for (const few of SIZES) if (few < ops || (few === ops && some < threads)) sizes.push({ threads: some, ops: few })
  }
  sizes.sort((a, b) => a.threads * a.ops - b.threads * b.ops || a.threads - b.threads)
  yield* sizes
}

function sameFault(one: Fault | undefined, other: Fault | undefined): boolean {
  if (one === undefined || other === undefined || one.kind !== other.kind) return false
  return one.kind !== 'finding' || ruleOf(one) === ruleOf(other)
}

/** The rule that a finding's message ends with. */
function ruleOf({ message }: Fault): string {
  return message.slice(message.lastIndexOf('('))
}

function smaller(one: RunOutcome, other: RunOutcome): boolean {
  if (one.preemptions !== other.preemptions) return one.preemptions < other.preemptions
  return one.history.length < other.history.length
}
