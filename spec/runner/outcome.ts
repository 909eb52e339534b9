// uvu exits 0 when a test throws something that is not an Error, when a `before` hook throws, when nothing is registered and when
// `.run()` is forgotten. What a process printed and how it ended is therefore judged here, and every doubt counts as a failure.

/** How the process of one spec file ended, and all it printed. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: string | null
  /** Why the runner killed the process, when it did. */
  readonly killed?: string
}

/** The verdict on one spec file. `reasons` is empty exactly when `failed` is 0. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly reasons: readonly string[]
}

const totals = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n/gm

/** Whether uvu has printed its closing totals: from here on the process has nothing left to do but end. */
export function hasTotals(stdout: string): boolean {
  return stdout.search(totals) >= 0
}

function sum(batches: readonly RegExpMatchArray[], group: number): number {
  return batches.reduce((all, batch) => all + Number(batch[group]), 0)
}

/** Judges one spec file from what its process printed, how it ended, and `lint`, what its source text gives away. */
export function judge(ended: Ended, lint: readonly string[] = []): Outcome {
  const reasons = [...lint]
  // Suites run in several batches, with totals each, when a spec awaits something between them; the exit code is the last batch's.
  const batches = [...ended.stdout.matchAll(totals)]
  const total = sum(batches, 1)
  const passed = sum(batches, 2)
  const skipped = sum(batches, 3)
  if (ended.killed !== undefined) reasons.push(ended.killed)
  else if (ended.signal !== null) reasons.push(`the process died of ${ended.signal}`)
  else if (ended.code !== 0 && passed === total) reasons.push(`exit code ${ended.code} although no test failed`)
  if (batches.length === 0 && ended.killed === undefined)
    reasons.push('no closing totals: .run() was forgotten, or the process ended early')
  if (batches.length > 0 && total === 0) reasons.push('no test ran')
  if (passed < total) {
    reasons.push(
      ended.code === 0
        ? `${total - passed} of ${total} tests did not pass, without a report: a before hook threw, or a test threw something that is not an Error`
        : `${total - passed} of ${total} tests did not pass`
    )
  }
  return { passed, failed: reasons.length === 0 ? 0 : Math.max(1, total - passed), skipped, reasons }
}
