import { enteredSections } from '../coredll/critical.ts'
import { attachThread } from '../coredll/process.ts'
import { park } from '../machine/wait.ts'
import { Claims } from './claims.ts'
import { cookieOf } from './cookie.ts'
import { HistoryWriter } from './history.ts'
import { OPEN, SHUT, thrownBy, turn } from './job.ts'
import type { Job, Told, Work } from './job.ts'
import { loadWorkload } from './load.ts'
import { randomOf } from './random.ts'
import type { Context, Workload } from './workload.ts'

/** How often a running workload looks at the clock, in operations. */
const LOOK = 16
/** How often a worker that waits for the start looks by itself, in milliseconds. The harness opens the gate or takes it back, whatever happens. */
const GATE_LOOK = 1_000

/** Does one job: attaches, works, detaches; tells the harness how each ended. */
export async function participate(job: Job, tell: (told: Told) => void): Promise<void> {
  const { run } = job
  let work: (() => Work) | undefined
  try {
    const workload = await loadWorkload(job.workload)
    const ce = attachThread(job.token, { clock: () => performance.now() })
    const history = new HistoryWriter()
    const claims = job.claims === undefined ? undefined : new Claims(job.claims)
    const stopNoting = ce.onFinding((finding) => history.note(finding))
    const stopWatching = claims === undefined ? ce.record(history) : claims.watch(ce)
    tell({ run, step: 'attached', tid: ce.tid })
    const at = { started: 0 }
    work = () => ({
      tid: ce.tid,
      calls: claims?.calls ?? history.calls,
      ms: performance.now() - at.started,
      history: history.pack(ce.tid),
      claimFaults: claims?.faults ?? [],
      entered: enteredSections(ce)
    })
    if (job.gate !== undefined && !passed(job.gate)) {
      ce.detach()
      tell({ run, step: 'off' })
      return
    }
    at.started = performance.now()
    const result = runOf(workload, job, ce)
    const done = work()
    stopWatching()
    stopNoting()
    ce.detach()
    // What run() leaves behind (a rejected promise, an immediate) comes before its end is told, so that it counts for this run.
    await turn()
    tell({ run, step: 'done', work: done, result })
  } catch (error) {
    const failed = { run, step: 'failed', work: work?.(), error: thrownBy(error) } as const
    await turn()
    // Without detaching: the harness ends the thread, and with it whatever it has left entered.
    tell(failed)
  }
}

/** Waits for the start; false if it was called off. */
function passed(gate: SharedArrayBuffer): boolean {
  const word = new Int32Array(gate)
  while (Atomics.load(word, 0) === SHUT) park(word, 0, SHUT, GATE_LOOK)
  return Atomics.load(word, 0) === OPEN
}

function runOf(workload: Workload, job: Job, ce: Context['ce']): unknown {
  const { ops, ms, thread, threads, seed, data, token } = job
  const done = new Int32Array(job.done)
  const deadline = performance.now() + ms
  let count = 0
  const more = (): boolean => {
    if (count >= ops) return false
    if (count % LOOK === 0 && deadline !== Number.POSITIVE_INFINITY && performance.now() >= deadline) return false
    count++
    done[thread] = count
    return true
  }
  const result = workload.run({
    ce,
    thread,
    threads,
    random: randomOf(seed, thread),
    ops,
    deadline,
    more,
    data,
    cookie: cookieOf(ce),
    token
  })
  if (typeof (result as { then?: unknown } | undefined)?.then === 'function')
    throw new TypeError('run() returned a promise; a workload works synchronously, as the calls of a heap do')
  return result
}
