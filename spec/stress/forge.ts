// Histories for the judge: true ones, made on a process of their own, and what a broken heap or workload would have left instead.
import { attachThread, type CeProcess, type CeThread, createProcess, type Finding, type ProcessOptions } from '../../src/index.ts'
import { HistoryWriter, type Call, merge, unpack } from '../../src/stress/history.ts'

export const options: ProcessOptions = { memory: 0x100000 }

export interface Told {
  readonly process: CeProcess
  readonly history: Call[]
  readonly processHeap: number
}

/** Runs a script on two threads, which take turns as the script wills, and keeps what they did in that order. */
export function tell(script: (one: CeThread, two: CeThread) => void): Told {
  const process = createProcess(options)
  const callers = [process.thread, attachThread(process.share()), attachThread(process.share())] as const
  let step = 0
  const writers = callers.map((ce) => {
    const writer = new HistoryWriter()
    ce.onFinding((finding: Finding) => writer.note(finding))
    ce.record({ write: (call) => writer.write({ ...call, order: ++step }) })
    return writer
  })
  script(callers[1], callers[2])
  const history = merge(writers.map((writer, at) => unpack(writer.pack(at + 1))))
  for (const ce of callers.slice(1)) ce.detach()
  return { process, history, processHeap: process.thread.GetProcessHeap() }
}

/** The history with its `at`-th call changed. */
export function forge(history: readonly Call[], at: number, change: Partial<Call>): Call[] {
  return history.map((call, n) => (n === at ? { ...call, ...change } : call))
}

export function swap(history: readonly Call[], at: number): Call[] {
  const copy = [...history]
  copy.splice(at, 2, copy[at + 1] as Call, copy[at] as Call)
  return copy
}
