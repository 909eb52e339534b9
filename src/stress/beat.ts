/** What the leading thread lets its supervisor see at any moment, even while it is busy: words of a shared buffer. */
export const BEAT = { PHASE: 0, CHANGES: 1, RUNS: 2, OF: 3, DONE: 4, TURNS: 5, WORDS: 6 } as const

export const phases = ['load', 'setup', 'run', 'finish', 'judge', 'close'] as const
export type Phase = (typeof phases)[number]

/** Phases in which code of the workload runs in the leading thread itself. */
export const guarded: readonly Phase[] = ['load', 'setup', 'finish']
/** Phases in which the leading thread waits for others, so that its event loop turns: code that does not let it was left behind by the workload. */
export const turning: readonly Phase[] = ['run', 'close']
