import { TRY } from '../machine/scheduleboard.ts'
import { ABLE, ENDED, YIELDING } from '../machine/schedulesteps.ts'
import type { Step, Trace } from '../machine/schedulesteps.ts'
import { independent, racesOf, touchesSection } from './dependence.ts'

/**
 * The search over orders: depth first, by running the program again and again, each time with other first steps. It runs nothing itself:
 *
 *     for (let prefix = explorer.next(); prefix !== undefined; prefix = explorer.next()) explorer.done(traceOfRunThatBegins(prefix))
 *
 * Behind the prefix a run goes on as `stay` has it (machine/schedulestrategy.ts): nobody is preempted.
 *
 *   node       the state before a step: who can make it, who did, who is still to be tried
 *   preemption a step of another thread, where the one that made the step before could have gone on
 *   race       two dependent steps that could have been made the other way round: where the earlier one was made, the other thread is to be tried
 *              (dynamic partial order reduction, Flanagan and Godefroid 2005)
 *   asleep     a thread whose next step was tried before, and nothing since was dependent on it: that order was seen (sleep sets, Godefroid 1996)
 *
 * With a bound on preemptions both have to give way. A thread is also tried where the other one was switched to, the last time before a race
 * (bounded partial order reduction, Coons, Musuvathi, McKinley 2013); and who is asleep stays so only if the order seen before needed no more
 * preemptions, for any way to go on: `lag` is how many more it had, at most, up to here.
 *
 * What is found: every outcome of the program over all orders of its points (within the bound), if what threads do to memory goes through sections or the
 * checked accessors of ce.memory; a thread that has tried the same section in vain four times in a row is taken to do nothing else until somebody
 * touches it. What is not: races within what happens between two points, raw bytes (ce.memory.bytes), a
 * CRITICAL_SECTION's own fields but hCrit, weak memory, timing.
 */
export interface ExplorerOptions {
  /** Preemptions in one run at most. Default: no bound. */
  readonly preemptions?: number
  /** Whether orders that come to the same are left out. Default true. */
  readonly reduce?: boolean
}

/** What was covered so far. */
export interface Coverage {
  /** Runs made. */
  readonly schedules: number
  /** Of these: runs that turned out, on their way, to be one that was seen before. */
  readonly repeated: number
  /** Threads that were not tried at a step because that order was seen before. */
  readonly asleep: number
  /** Threads that were not tried at a step because that had been one preemption too many. */
  readonly bounded: number
  /** Nothing is left to be tried. */
  readonly done: boolean
  /** Nothing is left to be tried, and nothing was left out for the bound. */
  readonly complete: boolean
}

interface Tried {
  readonly touched: readonly number[]
  /** After its step, going on to another thread is a preemption. */
  readonly keeps: boolean
}

interface Sleeper {
  readonly touched: readonly number[]
  readonly lag: number
}

interface Futile {
  readonly section: number
  readonly times: number
}

/** How often in a row a thread may try the same section in vain before it is taken to wait for it that way. */
const PATIENCE = 4

interface Node {
  readonly able: readonly number[]
  /** Who made the step before, and how he stands. */
  readonly last: number
  readonly before: number
  /** Preemptions so far. */
  readonly used: number
  readonly asleep: ReadonlyMap<number, Sleeper>
  /** Threads that tried a section in vain, which nobody else has touched since, and how often they did. */
  readonly futile: ReadonlyMap<number, Futile>
  /** Who makes the step in the present run; -1 where it was given up. */
  chosen: number
  step: Step | undefined
  /** After that step, going on to another thread is a preemption. */
  keeps: boolean
  readonly tried: Map<number, Tried>
  readonly wanted: Set<number>
  /** Threads that are not tried here, whatever else wants them. */
  readonly dropped: Set<number>
}

export class Explorer {
  readonly #bound: number
  readonly #reduce: boolean
  readonly #nodes: Node[] = []
  #schedules = 0
  #repeated = 0
  #asleep = 0
  #bounded = 0
  #begun = false
  #done = false

  constructor({ preemptions = Number.POSITIVE_INFINITY, reduce = true }: ExplorerOptions = {}) {
    this.#bound = preemptions
    this.#reduce = reduce
  }

  get coverage(): Coverage {
    const counts = { schedules: this.#schedules, repeated: this.#repeated, asleep: this.#asleep, bounded: this.#bounded }
    return { ...counts, done: this.#done, complete: this.#done && this.#bounded === 0 }
  }

  /** The first steps of the next run, as the seats that make them; undefined when nothing is left to be tried. */
  next(): readonly number[] | undefined {
    if (!this.#begun) {
      this.#begun = true
      return []
    }
    for (let node = this.#nodes.at(-1); node !== undefined; node = this.#nodes.at(-1)) {
      this.#leave(node)
      const seat = this.#choose(node)
      if (seat !== undefined) {
        node.chosen = seat
        return this.#nodes.map(({ chosen }) => chosen)
      }
      this.#nodes.pop()
    }
    this.#done = true
    return undefined
  }

  /** Takes what the run wrote down that began with the prefix given last. Throws if its first steps are not those of the run before. */
  done({ steps, stuck }: Pick<Trace, 'steps' | 'stuck'>): void {
    this.#schedules++
    const from = Math.max(0, this.#nodes.length - 1)
    for (const [at, node] of this.#nodes.entries()) {
      const step = steps[at]
      if (step === undefined || step.seat !== node.chosen || step.able.join() !== node.able.join())
        throw new Error(`the program does not do the same again: at step ${at + 1} it went another way than in the run before`)
      node.step = step
    }
    let given = false
    for (let at = this.#nodes.length; at < steps.length && !given; at++) given = !this.#grow(steps[at] as Step)
    if (given) this.#repeated++
    const kept = given ? steps.slice(0, this.#nodes.length - 1) : steps
    for (const [at, node] of this.#nodes.entries()) node.keeps = this.#nodes[at + 1]?.before === ABLE
    if (this.#reduce) this.#wantRaces(kept, from, given ? [] : stuck)
  }

  /** Adds the node of a further step; false if the step's thread is asleep there, so that others are to be tried instead. */
  #grow(step: Step): boolean {
    const parent = this.#nodes.at(-1)
    const node: Node = {
      able: step.able,
      last: parent?.chosen ?? -1,
      before: step.before,
      used: parent === undefined ? 0 : parent.used + costOf(parent, parent.chosen),
      asleep: parent === undefined ? new Map() : sleepersAfter(parent),
      futile: parent === undefined ? new Map() : futileAfter(parent, step.before),
      chosen: step.seat,
      step,
      keeps: false,
      tried: new Map(),
      wanted: new Set(this.#reduce ? [] : step.able),
      dropped: new Set()
    }
    this.#nodes.push(node)
    if (!this.#reduce || !this.#sleeps(node, step.seat)) return true
    node.chosen = -1
    node.step = undefined
    for (const seat of step.able) if (!node.asleep.has(seat) || !this.#sleeps(node, seat)) node.wanted.add(seat)
    return false
  }

  /** The step that a node's present run made is tried. */
  #leave(node: Node): void {
    if (node.chosen < 0 || node.step === undefined) return
    node.tried.set(node.chosen, { touched: node.step.touched, keeps: node.keeps })
  }

  #choose(node: Node): number | undefined {
    const candidates = [...node.wanted].sort((a, b) => costOf(node, a) - costOf(node, b) || a - b)
    for (const seat of candidates) {
      node.wanted.delete(seat)
      if (node.tried.has(seat) || node.dropped.has(seat)) continue
      const tooMany = node.used + costOf(node, seat) > this.#bound
      if (!tooMany && !(this.#reduce && this.#sleeps(node, seat))) return seat
      node.dropped.add(seat)
      if (tooMany) this.#bounded++
      else this.#asleep++
    }
    return undefined
  }

  /** Whether whatever follows on this thread's step here was seen, with no more preemptions. */
  #sleeps(node: Node, seat: number): boolean {
    const sleeper = node.asleep.get(seat)
    if (sleeper === undefined) return false
    if (this.#bound === Number.POSITIVE_INFINITY) return true
    const waits = node.before > ABLE && !touchesSection(sleeper.touched, node.before)
    const resumes = node.last < 0 || node.last === seat || node.before === ENDED || waits ? 0 : 1
    return sleeper.lag + resumes <= costOf(node, seat)
  }

  #wantRaces(steps: readonly Step[], from: number, stuck: Trace['stuck']): void {
    const bounded = this.#bound !== Number.POSITIVE_INFINITY
    for (const race of racesOf(steps, from, stuck, bounded)) {
      this.#want(race.at, race.seat)
      if (!bounded) continue
      let block = race.at
      while (block > 0 && steps[block - 1]?.seat === steps[race.at]?.seat) block--
      this.#want(block, race.seat)
    }
  }

  /** Where the thread cannot make the step, whoever can is tried: one of them leads there. */
  #want(at: number, seat: number): void {
    const node = this.#nodes[at] as Node
    const seats = node.able.includes(seat) ? [seat] : node.able
    for (const one of seats) if ((node.futile.get(one)?.times ?? 0) < PATIENCE) node.wanted.add(one)
  }
}

/** 1 if it is a preemption that this thread makes the step. */
function costOf({ last, before }: Pick<Node, 'last' | 'before'>, seat: number): number {
  return last >= 0 && seat !== last && before === ABLE ? 1 : 0
}

/** Who is asleep after a node's present step. */
function sleepersAfter(node: Node): Map<number, Sleeper> {
  const found = new Map<number, Sleeper>()
  const { chosen } = node
  const touched = node.step?.touched ?? []
  const cost = costOf(node, chosen)
  for (const [seat, sleeper] of node.asleep) {
    if (seat === chosen || !independent(sleeper.touched, touched)) continue
    // With the sleeper's step made, the thread before might not have had to wait: leaving it would have been a preemption.
    const freed = cost === 0 && chosen !== node.last && node.before > ABLE && touchesSection(sleeper.touched, node.before)
    found.set(seat, { touched: sleeper.touched, lag: sleeper.lag + (freed ? 1 : 0) })
  }
  for (const [seat, tried] of node.tried) {
    if (seat === chosen || !independent(tried.touched, touched)) continue
    const lag = costOf(node, seat) + (tried.keeps ? 1 : 0) - cost
    const known = found.get(seat)
    if (known === undefined || lag < known.lag) found.set(seat, { touched: tried.touched, lag })
  }
  return found
}

/** Who has tried in vain after a node's present step; `before` tells how its thread stands then. */
function futileAfter(node: Node, before: number): Map<number, Futile> {
  const { step, chosen } = node
  if (step === undefined) return new Map()
  const found = new Map([...node.futile].filter(([seat, { section }]) => seat !== chosen && !touchesSection(step.touched, section)))
  if (before !== YIELDING || (step.deed & 3) !== TRY) return found
  const section = step.deed >>> 2
  const known = node.futile.get(chosen)
  return found.set(chosen, { section, times: known?.section === section ? known.times + 1 : 1 })
}
