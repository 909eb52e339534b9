import { startTime } from './crew.ts'
import type { Ending } from './crew.ts'
import type { PackedHistory } from './history.ts'
import type { Work } from './job.ts'
import { failingFinding, findingText } from './judge.ts'
import type { Fault, FaultKind } from './judge.ts'
import { StressError } from './workload.ts'

const hex = (address: number): string => `0x${address.toString(16).toUpperCase()}`

/** What to do about an error whose message does not say it. */
const ADVICE: Readonly<Partial<Record<FaultKind, string>>> = {
  diverged: '; the workload is not what it was when the string was made: look for a new one, with --schedule pct:1:3 --runs 1000'
}

/** What threads did that no call of theirs tells; `bound`: how long they had, in milliseconds. A StressError if one could not load the workload. */
export function endingFaults(endings: readonly Ending[], bound: number): Fault[] {
  const faults = endings.map((ending, at) => endingFault(ending, at + 2, endings.length, bound)).filter((fault) => fault !== undefined)
  // What a thread did first may be why others were stuck.
  const rank = ({ kind }: Fault): number => (kind === 'timeout' ? 1 : 0)
  return faults.sort((a, b) => rank(a) - rank(b))
}

function endingFault(ending: Ending, thread: number, threads: number, bound: number): Fault | undefined {
  switch (ending.how) {
    case 'failed': {
      const { kind, message } = ending.error
      if (kind === 'module') throw new StressError(message)
      return { kind, message: `${kind === 'threw' ? `run() of thread ${thread} threw: ` : ''}${message}${ADVICE[kind] ?? ''}`, thread }
    }
    case 'exit':
      return {
        kind: 'exit',
        message: `thread ${thread} ended before its part of the run did: ${ending.message}; a workload returns from run(), leaves nothing behind that runs later, and never calls process.exit`,
        thread
      }
    case 'posted':
      return {
        kind: 'posted',
        message: `run() of thread ${thread} posted a message (${ending.message}), to which nobody listens; what run() returns goes to finish()`,
        thread
      }
    case 'timeout':
      return {
        kind: 'timeout',
        message: `run() of thread ${thread} did not end within ${bound / 1000} s; while (more()) ends by itself, and --timeout sets the bound`,
        thread
      }
    case 'unstarted':
      return {
        kind: 'timeout',
        message: `only ${ending.attached} of ${threads} threads could start within ${startTime(bound) / 1000} s; give fewer --threads, or a longer --timeout`
      }
    default:
      return undefined
  }
}

/** Threads that returned inside of a section, unless the workload means to (CS-6): what the others do afterwards no sequence of their calls explains. */
export function enteredFaults(works: readonly (Work | undefined)[], tolerates: readonly string[]): Fault[] {
  if (tolerates.includes('CS-6')) return []
  return works.flatMap((work) => {
    const [address, ...more] = work?.entered ?? []
    if (work === undefined || address === undefined) return []
    const which = `the critical section ${hex(address)}${more.length === 0 ? '' : ` and ${more.length} more`}`
    const message = `run() of thread ${work.tid} returned inside of ${which}: every EnterCriticalSection needs its LeaveCriticalSection (CS-6)`
    return [{ kind: 'entered' as const, message, thread: work.tid }]
  })
}

/** The first failing finding of each thread. */
export function findingFaults(threads: readonly PackedHistory[], tolerates: readonly string[]): Fault[] {
  return threads.flatMap(({ thread, findings }) => {
    const found = failingFinding(
      findings.map(([, finding]) => finding),
      tolerates
    )
    return found === undefined ? [] : [{ kind: 'finding' as const, message: findingText(found), thread }]
  })
}
