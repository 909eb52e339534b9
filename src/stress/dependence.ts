import { LEFT, TAKE, TRY } from '../machine/scheduleboard.ts'
import { UNKNOWN } from '../machine/schedulesteps.ts'
import type { Step } from '../machine/schedulesteps.ts'

/**
 * Two steps of different threads are independent if neither touches what the other changes: then it is the same whichever comes first. An order of
 * steps is as good as any other that can be got from it by exchanging neighbours that are independent.
 */
export function independent(one: readonly number[], other: readonly number[]): boolean {
  if (one[0] === UNKNOWN || other[0] === UNKNOWN) return false
  const things = new Map<number, number>()
  for (const touched of one) things.set(touched >>> 1, (things.get(touched >>> 1) ?? 0) | (touched & 1))
  return other.every((touched) => {
    const known = things.get(touched >>> 1)
    return known === undefined || (known | (touched & 1)) === 0
  })
}

/** What a step touches that only enters the section of its deed. */
function touchedByEntering(deed: number): number[] {
  return [(deed >>> 2) * 4 + 1]
}

/** Whether a step that touched this touched the section at word `at`. */
export function touchesSection(touched: readonly number[], at: number): boolean {
  return touched.some((one) => one >>> 2 === at && (one & 2) === 0)
}

/** Steps that could have come in the other order: `at` is of another thread and comes before `by`. */
export interface Race {
  readonly at: number
  readonly seat: number
}

/**
 * The races of steps from `from` on with those before them. A step races with an earlier one of another thread if they are dependent, nothing between
 * orders them, and they could have been made in one state: a section cannot be entered while the other thread is inside. `every` gives all
 * of them, and those that could not have been made in one state; else of each step only the latest.
 */
export function racesOf(steps: readonly Step[], from: number, stuck: readonly { seat: number; deed: number }[], every: boolean): Race[] {
  const found: Race[] = []
  const { clocks, inside } = orderOf(steps)
  const look = (seat: number, deed: number, touched: readonly number[], end: number, clock: readonly number[]): void => {
    for (let at = end - 1; at >= 0; at--) {
      const earlier = steps[at] as Step
      if (earlier.seat === seat || independent(earlier.touched, touched)) continue
      // What the thread had seen before this step comes before it in any case.
      if ((clock[earlier.seat] ?? 0) >= ((clocks[at] as readonly number[])[earlier.seat] as number)) continue
      // Where every preemption counts, one that ends because the section is taken is free: that order is another one then.
      if (!every && (deed & 3) === TAKE && inside[at]?.has(deed >>> 2) === true) continue
      found.push({ at, seat })
      if (!every && earlier.able.includes(seat)) return
    }
  }
  const latest = new Map<number, readonly number[]>()
  for (const [at, { seat, deed, touched }] of steps.entries()) {
    if (at >= from) look(seat, deed, touched, at, latest.get(seat) ?? [])
    latest.set(seat, clocks[at] as readonly number[])
  }
  // What they would have done is a step that never came.
  for (const { seat, deed } of stuck) look(seat, deed, touchedByEntering(deed), steps.length, latest.get(seat) ?? [])
  return found
}

/** By step: how many steps of each thread come before it or are it, by the order that dependence makes; and the sections its thread is in as it begins. */
function orderOf(steps: readonly Step[]): { clocks: readonly (readonly number[])[]; inside: readonly ReadonlySet<number>[] } {
  const clocks: number[][] = []
  const inside: Set<number>[] = []
  const own = new Map<number, number[]>()
  const held = new Map<number, Set<number>>()
  /** By thing: the clock of its last change, and of all that looked at it since. */
  const changed = new Map<number, number[]>()
  const seen = new Map<number, number[]>()
  let unknown: number[] = []
  let all: number[] = []
  for (const { seat, deed, touched } of steps) {
    const sections = new Set(held.get(seat))
    if ((deed & 3) === LEFT) sections.delete(deed >>> 2)
    inside.push(new Set(sections))
    if ((deed & 3) === TAKE || ((deed & 3) === TRY && touchesSection(touched, deed >>> 2))) sections.add(deed >>> 2)
    held.set(seat, sections)
    let clock = join(own.get(seat) ?? [], unknown)
    if (touched[0] === UNKNOWN) clock = join(clock, all)
    else {
      for (const one of touched) {
        clock = join(clock, changed.get(one >>> 1) ?? [])
        if ((one & 1) === 1) clock = join(clock, seen.get(one >>> 1) ?? [])
      }
    }
    clock[seat] = (clock[seat] ?? 0) + 1
    clocks.push(clock)
    own.set(seat, clock)
    all = join(all, clock)
    if (touched[0] === UNKNOWN) unknown = clock
    else
      for (const one of touched)
        ((one & 1) === 1 ? changed : seen).set(one >>> 1, join(clock, ((one & 1) === 1 ? changed : seen).get(one >>> 1) ?? []))
  }
  return { clocks, inside }
}

function join(one: readonly number[], other: readonly number[]): number[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, seat) => Math.max(one[seat] ?? 0, other[seat] ?? 0))
}
