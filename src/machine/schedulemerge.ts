import { deedOf, ENDED, LEFT, sectionOfDeed, STOPPED, TAKE } from './scheduleboard.ts'

/**
 * Merges logs (deed, number, how often, and so on) into an order of grants, refused tries and ends that keeps each thread's own and each section's; of several
 * it is one in which the thread changes late. Undefined if a number is missing.
 */
export function mergeGrants(logs: readonly Int32Array[]): (readonly [seat: number, deed: number])[] | undefined {
  const kept = logs.map(keptUntilLeft)
  const next = logs.map(() => 0)
  /** The last grant of a section so far, and the last that is over, by the deed of entering it. */
  const made = new Map<number, number>()
  const over = new Map<number, number>()
  const events: (readonly [number, number])[] = []
  let blocked = 0
  for (let seat = 0; blocked < logs.length; seat = (seat + 1) % logs.length) {
    const log = logs[seat] as Int32Array
    const from = next[seat] as number
    let at = from
    for (; at < log.length; at += 3) {
      const [deed, number, often] = [log[at] as number, log[at + 1] as number, log[at + 2] as number]
      const enters = (deed & ~3) | TAKE
      if (deed === enters) {
        if (number !== (over.get(enters) ?? 0) + 1) break
        made.set(enters, number + often - 1)
        // The last of those in a row may have been left later than its thread's next entry.
        over.set(enters, number + often - (kept[seat]?.has(at) === true ? 2 : 1))
      } else if ((deed & 3) === LEFT) {
        // Whoever mends behind a dead thread leaves what is another's grant.
        if ((made.get(enters) ?? 0) < number) break
        over.set(enters, Math.max(over.get(enters) ?? 0, number))
        continue
      }
      const event = (deed & 3) === STOPPED && sectionOfDeed(deed) === 0 ? deedOf(number, ENDED) : deed
      for (let n = 0; n < often; n++) events.push([seat, event])
    }
    next[seat] = at
    blocked = at === from ? blocked + 1 : 0
  }
  return next.every((at, seat) => at === (logs[seat] as Int32Array).length) ? events : undefined
}

/** Where a log has grants that it says the end of. */
function keptUntilLeft(log: Int32Array): Set<number> {
  const kept = new Set<number>()
  const entered = new Map<number, number>()
  for (let at = 0; at < log.length; at += 3) {
    const deed = log[at] as number
    if ((deed & 3) === TAKE) entered.set(deed, at)
    else if ((deed & 3) === LEFT) {
      const last = entered.get((deed & ~3) | TAKE) ?? -1
      if (last >= 0 && (log[last + 1] as number) + (log[last + 2] as number) - 1 === log[at + 1]) kept.add(last)
    }
  }
  return kept
}
