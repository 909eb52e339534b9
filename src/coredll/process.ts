import { closedProcess, misuse } from '../errors.ts'
import { createHeap } from '../heap/create.ts'
import { heat } from '../heap/hot.ts'
import { CLAIMED, REC, recordAt } from '../heap/record.ts'
import { COUNTS_BYTES, HDR } from '../machine/layout.ts'
import { readCounts, SectionCounts } from '../machine/counts.ts'
import type { SectionCounters } from '../machine/counts.ts'
import { bufferOf, createMachine, isTicket, openMachine } from '../machine/machine.ts'
import type { Machine, ShareToken } from '../machine/machine.ts'
import { setPhysicalPages } from '../machine/pressure.ts'
import { openBoard, sitDown, wordsFor } from '../machine/schedule.ts'
import type { Schedule } from '../machine/schedule.ts'
import { GrantReader } from '../machine/schedulereader.ts'
import { reportOf } from '../machine/schedulereport.ts'
import type { ScheduleReport } from '../machine/schedulereport.ts'
import { enter, leave, PATIENCE, tryEnter } from '../machine/section.ts'
import { joinThread, threadsOf } from '../machine/threads.ts'
import { profileNames } from '../profile.ts'
import type { Profile } from '../profile.ts'
import { bordered } from './border.ts'
import { checkProcess } from './check.ts'
import { endSections } from './critical.ts'
import { buryThread, undoBuried } from './death.ts'
import { takeFindings } from './findings.ts'
import type { Finding } from './findings.ts'
import { hashImage } from './hash.ts'
import { Hibernation } from './hibernate.ts'
import type { HibernateListener } from './hibernate.ts'
import { injectFailures } from './inject.ts'
import type { FailureOptions, InjectedFailures } from './inject.ts'
import { clockOf, pagesOf, settingsOf } from './options.ts'
import type { AttachOptions, ProcessOptions } from './options.ts'
import { tell } from './listener.ts'
import type { CallWriter } from './record.ts'
import { frozen, takeSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { terminateThread } from './terminate.ts'
import { CeThread } from './thread.ts'

export type { AttachOptions, ProcessOptions } from './options.ts'

/** One emulated CE process: memory, heaps, threads, last errors. Nothing is shared between two processes. */
export class CeProcess {
  /** The creating thread. */
  readonly thread: CeThread
  readonly profile: Profile
  readonly #machine: Machine
  readonly #schedule: Schedule | undefined
  readonly #listeners: ((finding: Finding) => void)[] = []
  readonly #hibernation: Hibernation
  #lost = 0

  /** @internal Use `createProcess`. */
  constructor(machine: Machine, profile: Profile, schedule: Schedule | undefined) {
    this.#machine = machine
    this.#schedule = schedule
    this.profile = profile
    this.#hibernation = new Hibernation(machine)
    this.thread = new CeThread(machine, joinThread(machine, 0))
    this.thread.onFinding((finding) => this.#tell(finding))
  }

  /** What `attachThread` needs in another thread; pass it as workerData or by postMessage. */
  share(): ShareToken {
    this.#needOpen('share')
    return this.#machine.share()
  }

  /**
   * Tells the process that the worker which was given `token` runs no more: terminated, crashed or exited, at whatever moment. Its threads
   * that had not detached end here; what they held is released and mended, and a finding says so. Returns their ids; told again, or of a process that is
   * closed, none. Of a worker that runs on nothing is promised, nor of the process: nobody can tell that it does.
   *
   *     worker.on('exit', () => process.workerEnded(token))
   */
  workerEnded(token: ShareToken): number[] {
    const machine = this.#machine
    if (token?.system !== machine.system || !isTicket(machine, token.ticket))
      throw misuse('workerEnded: token', 'what share() of this process gave', token)
    // News of a worker's end come when they come, and of a process that has ended they change nothing.
    if (machine.closed) return []
    const { tid: own } = this.thread
    const bury = (): number[] => {
      const buried = threadsOf(machine, token.ticket).filter((tid) => buryThread(machine, own, tid))
      undoBuried(machine, own)
      return buried
    }
    const ended = machine.seat === undefined ? bury() : machine.seat.bury(token.ticket, bury)
    // Never a wait: whoever leaves a finding just now may die in it, and the news of that come through here.
    if (tryEnter(machine, HDR.RING_LOCK, own)) {
      leave(machine, HDR.RING_LOCK)
      this.drainFindings()
    }
    return ended
  }

  /**
   * The emulated TerminateThread (C-93): the thread ends at its next call, or at the wait that it is in, by a ThreadTerminated thrown there. What it
   * owned is free then, as after workerEnded. True if it is going to end, false if it was ended before. Throws a RangeError for an id that no thread
   * has, and for the creating thread, which ends with the process.
   */
  terminateThread(id: number): boolean {
    this.#needOpen('terminateThread')
    return terminateThread(this.#machine, this.thread.tid, id)
  }

  /**
   * Calls `listener` with each finding: those of the creating thread at once, those of other threads when this thread next calls
   * `drainFindings`, `check`, `snapshot` or `close`. Returns a function that ends it. What a listener throws is thrown apart (C-97).
   */
  onFinding(listener: (finding: Finding) => void): () => void {
    if (typeof listener !== 'function') throw misuse('onFinding: listener', 'a function', listener)
    this.#machine.sys[HDR.LISTENING] = 1
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
      this.#machine.sys[HDR.LISTENING] = this.#listeners.length > 0 ? 1 : 0
    }
  }

  /**
   * Gives the process another budget of physical memory, in bytes, a multiple of 4 KB. Nothing is taken from it: below what is committed, every
   * commit fails until enough was given back (C-71).
   */
  setPhysical(bytes: number): void {
    this.#needOpen('setPhysical')
    setPhysicalPages(this.#machine, this.thread.tid, pagesOf('setPhysical', bytes))
    this.#hibernation.tell()
  }

  /**
   * Calls `listener` when memory becomes low (WM_HIBERNATE, HI-18, C-71), once each time, in the creating thread and outside every section, so
   * that it may call the API: after a call of the creating thread, whichever thread made memory low, and by `drainFindings`, `check` and
   * `snapshot`. Other threads never run it and never wait for it. The creating thread's calls take longer while somebody listens. Returns
   * a function that ends it.
   */
  onHibernate(listener: HibernateListener): () => void {
    this.#needOpen('onHibernate')
    const end = this.#hibernation.listen(listener)
    const rest = this.thread.afterCalls(() => this.#hibernation.tell())
    return () => {
      end()
      rest()
    }
  }

  /**
   * Lets requests for memory fail that could be met, as a program's error paths are tried (DT-2): by count, size, call site or chance, on all
   * threads. A refused call answers as out of memory and changes nothing. Counting is part of the process: the same calls in the same order fail
   * again. At most 8 at a time.
   *
   *     const failures = process.injectFailures({ on: 'alloc', nth: 3 })
   *     run(process.thread)
   *     failures.end()
   */
  injectFailures(options: FailureOptions): InjectedFailures {
    this.#needOpen('injectFailures')
    return injectFailures(this.#machine, this.thread.tid, options)
  }

  /** Delivers the findings of other threads; returns how many were lost because nobody drained them in time (512 wait at most). */
  drainFindings(): number {
    const { findings, lost } = takeFindings(this.#machine, this.thread.tid)
    for (const finding of findings) this.#tell(finding)
    this.#lost += lost
    this.#hibernation.tell()
    return lost
  }

  /** Findings of other threads that were lost, over the life of the process, because 512 waited already. */
  get lostFindings(): number {
    return this.#lost
  }

  /** Everything there is, as plain data. */
  snapshot(): Snapshot {
    this.#needOpen('snapshot')
    this.drainFindings()
    return takeSnapshot(this.#machine, this.thread.tid)
  }

  /** 16 hex digits over all emulated state: the same calls give the same image on every machine. */
  imageHash(): string {
    this.#needOpen('imageHash')
    return frozen(this.#machine, this.thread.tid, () => hashImage(this.#machine))
  }

  /** How often each thread entered each section and had to wait, and its longest waits and holds. Needs the option `clock`. */
  sectionCounters(): SectionCounters {
    this.#needOpen('sectionCounters')
    const { counts } = this.#machine
    if (counts === undefined)
      throw new TypeError(
        'sectionCounters: expected a process that counts, got one made without the option clock: createProcess({ clock: () => performance.now() })'
      )
    return readCounts(counts.buffer)
  }

  /**
   * In a process with the schedule `recorded`: takes the grants that its threads have written down out of their logs; returns how many. A thread whose
   * log is full waits for that, so call it some times a second while threads run, and at the end.
   */
  drainGrants(): number {
    const { seat } = this.#machine
    if (!(seat instanceof GrantReader)) throw new TypeError('drainGrants: expected a process with the schedule recorded')
    return seat.drain()
  }

  /** How the run went that the option `schedule` is about. Throws a TypeError in a process whose threads are free. */
  scheduleReport(): ScheduleReport {
    return reportOf(this.#machine, this.#schedule)
  }

  /** Checks every invariant of the heaps, the pages and the block map; throws an InvariantError that says what contradicts what. */
  check(): void {
    this.#needOpen('check')
    this.drainFindings()
    checkProcess(this.#machine, this.thread.tid)
  }

  /** Records the creating thread's calls; another thread records its own with `CeThread.record`. Returns a function that ends it. */
  record(writer: CallWriter): () => void {
    this.#needOpen('record')
    return this.thread.record(writer)
  }

  /**
   * Ends the process: every later call on it, from any thread, throws a TypeError. Closing twice is harmless. A thread that is inside of a heap ends its call first;
   * one that does not, because it is dead and nobody told of it, ends this in a LockTimeoutError that names it, after `lockTimeout`, or after 30 seconds where that
   * is 0. The process is closed all the same.
   */
  close(): void {
    const machine = this.#machine
    if (machine.closed) return
    Atomics.store(machine.sys, HDR.CLOSED, 1)
    machine.seat?.close()
    endSections(machine)
    const count = Atomics.load(machine.sys, HDR.HEAPS)
    // All handles die at once, so that a section whose owner is gone keeps no other heap alive. A record stays claimed: no heap takes its place.
    for (let index = 0; index < count; index++) Atomics.store(machine.sys, recordAt(machine, index) + REC.HANDLE, CLAIMED)
    try {
      // Whoever is inside a heap finishes; whoever comes later finds the handle dead and the process closed.
      for (let index = 0; index < count; index++) {
        const record = recordAt(machine, index)
        enter(machine, record, this.thread.tid, PATIENCE)
        Atomics.store(machine.sys, record + REC.HANDLE, CLAIMED)
        leave(machine, record)
      }
    } finally {
      this.drainFindings()
    }
  }

  #tell(finding: Finding): void {
    for (const listener of [...this.#listeners]) tell(listener, finding)
  }

  #needOpen(call: string): void {
    if (this.#machine.closed) throw closedProcess(call)
  }
}

bordered(
  CeProcess.prototype,
  ['workerEnded', 'terminateThread', 'setPhysical', 'injectFailures', 'drainFindings', 'snapshot', 'imageHash', 'check', 'close'],
  ({ thread }) => thread.machine
)

/**
 * Starts an emulated CE process.
 *
 *     const process = createProcess({ profile: 'compact-2013' })
 *     const p = process.thread.HeapAlloc(process.thread.GetProcessHeap(), HEAP_ZERO_MEMORY, 100)
 */
export function createProcess(options: ProcessOptions = {}): CeProcess {
  const settings = settingsOf(options)
  const { profile, user, brought, pages, lowPages, build, placement, kernelMode, bigBlock, lockTimeout, clock, schedule } = settings
  const machine = createMachine(user, schedule === undefined ? 0 : wordsFor(schedule))
  if (schedule !== undefined) openBoard(machine, schedule)
  heat(machine)
  if (clock !== undefined) new SectionCounts(machine, new SharedArrayBuffer(COUNTS_BYTES), clock)
  const { sys } = machine
  sys[HDR.PHYSICAL] = pages
  sys[HDR.LOW] = lowPages
  sys[HDR.PROFILE] = profileNames.indexOf(profile.name)
  sys[HDR.DEBUG] = build === 'debug' ? 1 : 0
  sys[HDR.PLACEMENT] = placement === 'next-fit' ? 1 : 0
  sys[HDR.KERNEL_MODE] = kernelMode ? 1 : 0
  sys[HDR.BIG_BLOCK] = bigBlock
  sys[HDR.REGION] = profile.region
  sys[HDR.LOCK_TIMEOUT] = lockTimeout
  sys[HDR.USER_DIRTY] = brought ? 1 : 0
  const process = new CeProcess(machine, profile, schedule)
  const heap = createHeap(machine, process.thread.tid, { options: 0, initial: 0, maximum: 0 })
  if (heap === 0)
    throw misuse(
      'memory and physical',
      `room for the process heap (${profile.region} bytes of address space, one page of memory)`,
      bufferOf(user).byteLength
    )
  sys[HDR.PROCESS_HEAP] = heap
  return process
}

/** Joins a process from another JS thread, with the token of `process.share()`. Each thread has its own last error. */
export function attachThread(token: ShareToken, options: AttachOptions = {}): CeThread {
  const clock = clockOf(options)
  const machine = openMachine(token)
  if (machine.closed) throw closedProcess('attachThread')
  if (token.schedule !== undefined) sitDown(machine, token.schedule, token.ticket)
  heat(machine)
  if (token.counts !== undefined) new SectionCounts(machine, token.counts, clock)
  return new CeThread(machine, joinThread(machine, token.ticket, token.schedule === undefined ? 1 : token.ticket + 1))
}
