/** What the leading thread lets its supervisor see at any moment, even while it is busy: words of a shared buffer. */
export const BEAT = { PHASE: 0, CHANGES: 1, RUNS: 2, OF: 3, DONE: 4, WORDS: 5 } as const

export const phases = ['load', 'setup', 'run', 'finish', 'judge'] as const
export type Phase = (typeof phases)[number]

/** Phases in which code of the workload runs in the leading thread itself. */
export const guarded: readonly Phase[] = ['load', 'setup', 'finish']
