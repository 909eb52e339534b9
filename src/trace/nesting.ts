import type { RelayedFunction } from './functions.ts'

/** Frames that one thread may have open: past it the oldest is dropped, so a log whose calls never return costs bounded memory. */
export const deepest = 1024
const mostThreads = 4096
const mostFrames = 1 << 17

/** A call that has begun and not returned. Frames are reused: what a frame holds is valid while it is on its thread's stack. */
export interface Frame {
  function: RelayedFunction
  /** Return address of the call; -1 where the line does not show it. */
  site: number
  thread: Thread
  /** Win32 arguments of a memory call of the app; undefined for every other call. */
  args: number[] | undefined
  /** Number of the `Call` line. */
  line: number
}

/** One thread's open calls, outermost first: frames[0] to frames[depth - 1]. */
export interface Thread {
  readonly process: number
  readonly id: number
  readonly frames: Frame[]
  depth: number
}

/**
 * The call stacks of all threads. A call is the app's when nothing or an opener (a callback, the start of a thread) stands directly
 * beneath it; what it calls itself is the system's business.
 */
export class Nesting {
  private readonly threads = new Map<string, Thread>()
  private readonly abandoned: (frame: Frame) => void
  private allocated = 0
  /** Counts how often threads were forgotten: a Thread from before may be one of them. */
  generation = 0

  /** `abandoned` is told of every memory call of the app that leaves its stack without a return, before its frame is reused. */
  constructor(abandoned: (frame: Frame) => void) {
    this.abandoned = abandoned
  }

  thread(process: number, id: number): Thread {
    const key = `${process}:${id}`
    let thread = this.threads.get(key)
    if (thread === undefined) {
      if (this.threads.size >= mostThreads || this.allocated >= mostFrames) this.forget()
      thread = { process, id, frames: [], depth: 0 }
      this.threads.set(key, thread)
    }
    return thread
  }

  /** Whether a thread with calls on record has these ids. */
  knows(process: number, id: number): boolean {
    return this.threads.has(`${process}:${id}`)
  }

  /**
   * Puts a call onto the stack and says whether it is the app's; its arguments are the caller's to fill in.
   *
   * Two open calls cannot be what they seem, and are dropped: a leaf with a call inside, and a memory call inside which the same site makes
   * the same call again. Both did not return (an exception went through) or their return line was lost. Without this, one such line would
   * hide everything that the thread does later.
   */
  enter(thread: Thread, called: RelayedFunction, site: number, line: number): boolean {
    if (thread.depth > 0 && thread.frames[thread.depth - 1]!.function.recorded?.leaf === true) this.drop(thread, thread.depth - 1)
    if (thread.depth > 0 && called.recorded !== undefined && site >= 0) {
      const same = this.find(thread, called, site)
      if (same >= 0) this.drop(thread, same)
    }
    if (thread.depth === deepest) this.dropOldest(thread)
    const depth = thread.depth++
    const own = depth === 0 || thread.frames[depth - 1]!.function.opener
    const frame = thread.frames[depth]
    if (frame === undefined) {
      thread.frames.push({ function: called, site, thread, args: undefined, line })
      this.allocated++
    } else {
      frame.function = called
      frame.site = site
      frame.args = undefined
      frame.line = line
    }
    return own
  }

  /** The innermost open call of this function from this site, where both are known; -1 where there is none. */
  find(thread: Thread, called: RelayedFunction, site: number): number {
    for (let index = thread.depth - 1; index >= 0; index--) {
      const frame = thread.frames[index]!
      if (frame.function === called && (frame.site === site || frame.site < 0 || site < 0)) return index
    }
    return -1
  }

  /** Takes the calls from `index` on off the stack: they will not return. */
  drop(thread: Thread, index: number): void {
    while (thread.depth > index) {
      const frame = thread.frames[--thread.depth]!
      if (frame.args !== undefined) this.abandoned(frame)
    }
  }

  /** The recording is over. */
  end(): void {
    for (const thread of this.threads.values()) this.drop(thread, 0)
  }

  private dropOldest(thread: Thread): void {
    const oldest = thread.frames.shift()!
    if (oldest.args !== undefined) this.abandoned(oldest)
    // The freed frame goes to the end, where the call at hand finds it.
    thread.frames.push(oldest)
    thread.depth--
  }

  /** Makes room by forgetting the threads with nothing open, then the longest known ones, down to half. */
  private forget(): void {
    for (const idle of [true, false]) {
      for (const [key, thread] of this.threads) {
        if (this.threads.size <= mostThreads / 2 && this.allocated <= mostFrames / 2) break
        if (idle && thread.depth > 0) continue
        this.drop(thread, 0)
        this.allocated -= thread.frames.length
        this.threads.delete(key)
      }
    }
    this.generation++
  }
}
