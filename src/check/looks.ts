import { habits } from './habits.ts'
import type { Habit } from './run.ts'

const sizeLimit = 0x100000000

/** Whether a size has 32 bits, as sizes on CE do (W-15); what has more cannot be given to the emulator. */
export function fits(size: number): boolean {
  return size < sizeLimit
}

/** The size that a call takes at this place. */
export function size(at: number): Habit {
  return (run, event) => {
    if (fits(event.args[at]!)) return
    const group = run.groups.hit(habits.size64, event)
    if (run.groups.fresh)
      group.onCe = `the size is cut to ${event.args[at]! % sizeLimit} bytes: a much smaller block or an error comes back`
  }
}

/** One habit after the other, all of them. */
export function all(...list: readonly Habit[]): Habit {
  return (run, event) => {
    for (const habit of list) habit(run, event)
  }
}
