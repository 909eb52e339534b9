import type { FaultKind } from './judge.ts'

export interface StressThread {
  /** Its id in the process. */
  readonly thread: number
  readonly calls: number
  /** How long it worked, in milliseconds. */
  readonly ms: number
  /** Its part of all threads' calls a second, of all calls where threads went one at a time; 1 / threads is fair. */
  readonly share: number
}

/** One line of a history. */
export interface HistoryLine {
  /** As a programmer would write it: `HeapAlloc(0x10000, 0x0, 100)`. */
  readonly call: string
  readonly thread: number
  readonly result: string
  /** What the sequential model answers, where that differs. */
  readonly expected?: string
  /** What is wrong here. */
  readonly note?: string
}

export interface StressFailure {
  readonly kind: FaultKind
  readonly message: string
  readonly thread?: number
  /** The schedule that failed first, and the workload's seed. */
  readonly schedule: string
  readonly seed: number
  /** Runs that were made before the failing one. */
  readonly runsBefore: number
  /** What else was wrong in the same run. */
  readonly others: readonly string[]
  /** The command that repeats it (the smallest failing run that was found). */
  readonly repeat: string
  /** Whether that command repeats it for certain. */
  readonly repeats: boolean
  /** The smallest run that was found to fail in the same way; missing where threads ran at once and no such schedule was found. */
  readonly shrunk?: {
    readonly threads: number
    readonly ops: number
    readonly schedule: string
    readonly preemptions: number
    /** Runs made to find it. */
    readonly runs: number
    /** Its calls in the order of their grants, up to where it failed. */
    readonly history: readonly HistoryLine[]
    /** The same as a trace: JSON Lines, as `ceheap check` reads them. */
    readonly trace: string
  }
}

/** How much of all orders `explore` has tried. */
export interface Coverage {
  /** Runs made. */
  readonly schedules: number
  /** Of these: runs that turned out, on their way, to be one that was made before. */
  readonly repeated: number
  /** How often a thread was not tried because that order comes to the same as one that was, or because it was one preemption too many. */
  readonly asleep: number
  readonly bounded: number
  /** Most preemptions an order might have; -1 for no bound. */
  readonly bound: number
  /** Whether no order within the bound is left. */
  readonly complete: boolean
  /** In words. */
  readonly text: string
}

/** Entries and waits of a thread. Times in microseconds. */
export interface ThreadContention {
  readonly thread: number
  readonly entered: number
  /** How many of these had to wait for another thread. */
  readonly waited: number
  readonly longestWait: number
  readonly longestHold: number
}

/** One critical section: `heap 0x10000` by handle, `section 0x10420` by address, `process`. Sums and maxima over its threads. */
export interface SectionContention extends Omit<ThreadContention, 'thread'> {
  readonly section: string
  readonly threads: readonly ThreadContention[]
}

/** What a stress run found: the JSON of `ceheap stress --format json`, with `version`. */
export interface StressReport {
  readonly version: 1
  readonly ok: boolean
  readonly workload: string
  readonly schedule: string
  readonly seed: number
  readonly profile: string
  readonly build: string
  readonly placement: string
  readonly memory: number
  readonly physical: number
  /** Operations of each thread; null where the run was bounded by time. */
  readonly ops: number | null
  readonly seconds: number | null
  /** Runs made, each a schedule. */
  readonly runs: number
  /** API calls of all threads in all runs. */
  readonly calls: number
  /** Of the last run, when its threads had ended. */
  readonly imageHash: string
  /** API calls a second, while threads worked. */
  readonly throughput: number
  /** Over all runs. */
  readonly threads: readonly StressThread[]
  /** The smallest share times the number of threads: 1 is fair, 0 starved. */
  readonly fairness: number
  /** Of the last run, the section most waited for first; empty where threads went one at a time, for then nobody waits for a section alone. */
  readonly contention: readonly SectionContention[]
  /** The last run as the schedule that repeats it; null where threads ran free, or made more than 20,000 steps. */
  readonly replay: string | null
  readonly coverage: Coverage | null
  /** What the judge could not look at, in words; null if it looked at everything. */
  readonly unjudged: string | null
  readonly failure?: StressFailure
}
