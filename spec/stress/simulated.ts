// Tiny programs whose threads go one at a time, in one JavaScript thread: with the points, and what is written down, of a guided run.
import { LEFT, TAKE, TRY } from '../../src/machine/scheduleboard.ts'
import { ABLE, ENDED, type Step, type Trace, YIELDING } from '../../src/machine/schedulesteps.ts'

/** `try` leaves out as many operations behind it as it says where it fails; `add` writes what `load` has read, plus one. */
export type Op =
  | readonly ['take' | 'give', section: number]
  | readonly ['try', section: number, skip: number]
  | readonly ['load' | 'add', cell: number]
  | readonly ['set', cell: number, value: number]

/** One list of operations a thread; each begins with a `take` or a `try`. */
export type Program = readonly (readonly Op[])[]

interface Thread {
  pc: number
  register: number
  /** section << 2 | what; -1 once it has ended. */
  deed: number
  yields: boolean
}

/** A state between two steps. */
class Simulation {
  readonly #program: Program
  readonly #threads: Thread[]
  readonly #owners = new Map<number, number>()
  readonly #cells = new Map<number, number>()
  last = -1

  constructor(program: Program) {
    this.#program = program
    this.#threads = program.map((ops) => ({ pc: 0, register: 0, deed: deedOf(ops[0]), yields: false }))
  }

  able(): number[] {
    return [...this.#threads.keys()].filter((seat) => {
      const { deed } = this.#threads[seat] as Thread
      return deed >= 0 && ((deed & 3) !== TAKE || !this.#owners.has(deed >>> 2))
    })
  }

  stuck(): { seat: number; deed: number }[] {
    return [...this.#threads.entries()].filter(([, { deed }]) => deed >= 0).map(([seat, { deed }]) => ({ seat, deed }))
  }

  before(): number {
    const last = this.#threads[this.last]
    if (last === undefined || last.deed < 0) return ENDED
    if (!this.able().includes(this.last)) return last.deed >>> 2
    return last.yields ? YIELDING : ABLE
  }

  cost(seat: number): number {
    return this.last >= 0 && seat !== this.last && this.before() === ABLE ? 1 : 0
  }

  /** Whom a run goes on with that nobody guides. */
  stay(): number {
    const able = this.able()
    if (able.includes(this.last) && this.before() === ABLE) return this.last
    const others = [...able.filter((seat) => seat > this.last), ...able.filter((seat) => seat <= this.last)]
    return others.find((seat) => this.#threads[seat]?.yields === false) ?? (others[0] as number)
  }

  /** Makes a step; returns what is written down of it. */
  step(seat: number): Step {
    const thread = this.#threads[seat] as Thread
    const ops = this.#program[seat] as readonly Op[]
    const noted = { seat, able: this.able(), deed: thread.deed, before: this.before() }
    const touched = new Set<number>()
    this.last = seat
    thread.yields = false
    for (let first = true; ; first = false) {
      const op = ops[thread.pc]
      if (op === undefined) {
        thread.deed = -1
        break
      }
      if ((op[0] === 'take' || op[0] === 'try') && !(first && (noted.deed & 3) !== LEFT)) {
        thread.deed = deedOf(op)
        break
      }
      thread.pc++
      if (this.#make(thread, seat, op, touched)) break
    }
    return { ...noted, touched: [...touched] }
  }

  /** Whether a point follows. */
  #make(thread: Thread, seat: number, op: Op, touched: Set<number>): boolean {
    const [what, at] = op
    const value = this.#cells.get(at) ?? 0
    switch (what) {
      case 'take':
        touched.add(at * 4 + 1)
        this.#owners.set(at, seat)
        return false
      case 'try':
        touched.add(at * 4 + 1)
        thread.yields = this.#owners.has(at)
        if (thread.yields) thread.pc += op[2]
        else this.#owners.set(at, seat)
        return false
      case 'give':
        touched.add(at * 4 + 1)
        this.#owners.delete(at)
        thread.deed = (at << 2) | LEFT
        return true
      case 'load':
        touched.add(at * 4 + 2)
        thread.register = value
        return false
      case 'add':
        touched.add(at * 4 + 3)
        this.#cells.set(at, thread.register + 1)
        return false
      case 'set':
        touched.add(at * 4 + 3)
        this.#cells.set(at, op[2])
        return false
    }
  }

  /** Everything that can be told apart when nobody can go on. */
  outcome(): string {
    const cells = [...this.#cells].sort(([a], [b]) => a - b).join(' ')
    return `${cells} | ${this.#threads.map(({ register, pc, deed }) => `${register}@${pc}${deed < 0 ? '' : ' stuck'}`).join(', ')}`
  }
}

function deedOf(op: Op | undefined): number {
  if (op === undefined) return -1
  return (op[1] << 2) | (op[0] === 'try' ? TRY : TAKE)
}

/** A run that begins with these steps and is left to itself from there. */
export function run(
  program: Program,
  prefix: readonly number[]
): { trace: Pick<Trace, 'steps' | 'stuck'>; outcome: string; preemptions: number } {
  const simulation = new Simulation(program)
  const steps: Step[] = []
  let preemptions = 0
  while (simulation.able().length > 0) {
    const seat = prefix[steps.length] ?? simulation.stay()
    preemptions += simulation.cost(seat)
    steps.push(simulation.step(seat))
  }
  return { trace: { steps, stuck: simulation.stuck() }, outcome: simulation.outcome(), preemptions }
}

/** Every order with at most so many preemptions, tried one by one: how many there are, and what they come to; undefined if there are more than `most`. */
export function enumerate(program: Program, bound: number, most: number): { orders: number; outcomes: Set<string> } | undefined {
  const outcomes = new Set<string>()
  let orders = 0
  function go(prefix: readonly number[], used: number): void {
    const simulation = new Simulation(program)
    for (const seat of prefix) simulation.step(seat)
    const able = simulation.able()
    if (able.length === 0) {
      orders++
      outcomes.add(simulation.outcome())
    }
    for (const seat of able) {
      if (orders > most) return
      if (used + simulation.cost(seat) <= bound) go([...prefix, seat], used + simulation.cost(seat))
    }
  }
  go([], 0)
  return orders > most ? undefined : { orders, outcomes }
}
