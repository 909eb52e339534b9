import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  CRITICAL_SECTION,
  createProcess,
  type CriticalSection,
  type Finding,
  LockTimeoutError
} from '../../src/index.ts'

/** Three threads of one process in one JavaScript thread, so that each step is seen, and a section of theirs. */
export interface Crew {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
  readonly three: CeThread
  readonly heap: number
  /** An initialised section. */
  readonly at: number
  /** Rules of the findings since the last look. */
  rules(): string[]
  look(address?: number): CriticalSection
}

export function crew(): Crew {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 30 })
  const [two, three] = [attachThread(process.share()), attachThread(process.share())]
  const one = process.thread
  const heap = one.GetProcessHeap()
  const at = one.HeapAlloc(heap, 0, 20)
  one.memory.fill(at, 0xee, 20)
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  one.InitializeCriticalSection(at)
  return {
    process,
    one,
    two,
    three,
    heap,
    at,
    rules: () => {
      process.drainFindings()
      return findings.splice(0).map(({ rule }) => rule)
    },
    look: (address = at) => CRITICAL_SECTION.read(one.memory, address)
  }
}

export function timesOut(call: () => unknown, owner: number): void {
  assert.throws(call, (error: unknown) => error instanceof LockTimeoutError && error.owner === owner)
}
