import { MessageChannel, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { wakeAll } from '../machine/wait.ts'
import { OFF, OPEN, thrownBy } from './job.ts'
import type { Job, Thrown, Told, Work } from './job.ts'
import { hearRest, within } from './port.ts'

/** How one thread's part of a run ended. */
export type Ending =
  | { readonly how: 'done'; readonly work: Work; readonly result: unknown }
  /** It threw; its worker lives. */
  | { readonly how: 'failed'; readonly work: Work | undefined; readonly error: Thrown }
  /** Its worker ended by itself. */
  | { readonly how: 'exit'; readonly message: string }
  /** It was ended because the time was over, or because another thread had failed. */
  | { readonly how: 'timeout' | 'stopped' }
  /** It was ended because the time was over before all had attached, of which so many had. */
  | { readonly how: 'unstarted'; readonly attached: number }
  | { readonly how: 'posted'; readonly message: string }

export interface Orders {
  /** Longest time from the last thread's start to the last thread's end, in milliseconds. */
  readonly timeout: number
  /** Attaches the threads in their order, and lets them begin at one moment. */
  readonly together: Int32Array | undefined
  /** Told when a thread will do nothing more and has not detached. */
  readonly onGone: (job: Job) => void
}

/** How long all threads have to attach where a run has `timeout`, in milliseconds. */
export function startTime(timeout: number): number {
  return Math.max(timeout, 20_000)
}

/** How long the others may go on when a thread has failed, in milliseconds: enough to see that they end by themselves. */
const GRACE = 1_000
/** How long a thread may take to end, in milliseconds. One that waits for the system (a command that it runs) ends when that does, and the caller's process not before it. */
export const ENDING = 5_000

/** Worker threads that are kept from run to run. */
export class Crew {
  readonly #members: Member[] = []
  readonly #onPrint: (text: string) => void

  /** `onPrint` gets what workloads print: a library prints nothing itself. */
  constructor(onPrint: (text: string) => void = () => {}) {
    this.#onPrint = onPrint
  }

  /** Hands each worker its job; settles when the last of them has ended, in the order of the jobs. */
  run(jobs: readonly Job[], orders: Orders): Promise<Ending[]> {
    const { together } = orders
    return new Promise((settle) => {
      const endings: (Ending | undefined)[] = jobs.map(() => undefined)
      for (const at of jobs.keys()) this.#member(at)
      /** Who has a job, threads that attached, jobs that nothing more will be heard of. */
      const members: Member[] = []
      let attached = 0
      const closed = new Set<number>()
      let off = false
      let grace: NodeJS.Timeout | undefined
      const begin = (word: number): void => {
        if (together === undefined) return
        Atomics.store(together, 0, word)
        wakeAll(together, 0)
      }
      const end = (at: number, ending: Ending, gone: boolean): void => {
        if (closed.has(at)) return
        closed.add(at)
        // Of a thread that was ended the reason stands here already, and this is its worker's exit.
        const kept = endings[at] ?? ending
        endings[at] = kept
        if (kept.how !== 'done' && attached < jobs.length) {
          off = true
          begin(OFF)
        }
        if (gone) orders.onGone(jobs[at] as Job)
        if (closed.size < jobs.length) {
          if (kept.how !== 'done') grace ??= setTimeout(() => stop(() => ({ how: 'stopped' })), GRACE)
          return
        }
        clearTimeout(timer)
        clearTimeout(grace)
        for (const member of members) member.rest()
        settle(endings as Ending[])
      }
      const stop = (ending: () => Ending | undefined): void => {
        // What was said in time counts, though this thread had no time to hear it.
        for (const member of members) member.hear()
        const how = closed.size === jobs.length ? undefined : ending()
        if (how === undefined) return
        off = true
        for (const at of jobs.keys()) {
          if (closed.has(at)) continue
          endings[at] ??= how
          const member = members[at]
          if (member === undefined) end(at, how, false)
          else void member.terminate()
        }
      }
      // Workers that have to be started first take their time, which is not the workload's.
      let timer = setTimeout(
        () => stop(() => (attached < jobs.length ? { how: 'unstarted', attached } : undefined)),
        startTime(orders.timeout)
      )
      const onAttached = (): void => {
        attached++
        if (off) return
        if (attached < jobs.length) {
          if (together !== undefined) send()
          return
        }
        clearTimeout(timer)
        timer = setTimeout(() => stop(() => ({ how: 'timeout' })), orders.timeout)
        begin(OPEN)
      }
      const send = (): void => {
        const at = members.length
        // One that was there when the run began may have ended since, by what an earlier run left behind.
        const member = this.#member(at)
        members.push(member)
        member.work(jobs[at] as Job, { onAttached, onEnd: (ending, gone) => end(at, ending, gone) })
      }
      if (together !== undefined) send()
      else for (const _ of jobs) send()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.splice(0).map((member) => member.terminate()))
  }

  #member(at: number): Member {
    const found = this.#members[at]
    if (found !== undefined && !found.dead) return found
    const made = new Member(this.#onPrint)
    this.#members[at] = made
    return made
  }
}

interface Listener {
  onAttached(): void
  onEnd(ending: Ending, gone: boolean): void
}

/** One worker thread, and the job that it is at. */
class Member {
  /** It runs no more, or soon will not. */
  dead = false
  readonly #worker: Worker
  readonly #port: MessagePort
  #job: Job | undefined
  #listener: Listener | undefined
  /** How it ended its job, if that is heard but not yet told. */
  #answer: Exclude<Told, { step: 'attached' }> | undefined
  #posted: string | undefined
  #crash: string | undefined

  constructor(onPrint: (text: string) => void) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(new URL('./stressworker.js', import.meta.url), {
      workerData: { port: port2 },
      transferList: [port2],
      stdout: true,
      stderr: true
    })
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) stream.on('data', (text: Buffer) => onPrint(text.toString()))
    port1.on('message', (told: unknown) => this.#heard(told))
    this.#worker.on('message', (message: unknown) => {
      this.#posted ??= describe(message)
    })
    this.#worker.on('error', (error: unknown) => {
      this.#crash = thrownBy(error).message
    })
    this.#worker.on('exit', (code) => this.#exited(code))
  }

  work(job: Job, listener: Listener): void {
    this.#job = job
    this.#posted = undefined
    this.#listener = listener
    this.#port.postMessage(job)
  }

  rest(): void {
    this.#job = undefined
    this.#listener = undefined
  }

  /** Ends the thread; what it was at ends with it. */
  async terminate(): Promise<void> {
    this.dead = true
    await within(this.#worker.terminate(), ENDING)
    // Of a thread that has ended before, or that takes too long, no exit will be heard.
    this.#ended('its worker does not end', false)
  }

  /** Hears at once what was said so far. */
  hear(): void {
    hearRest(this.#port, (told) => this.#heard(told))
    this.#finish()
  }

  #heard(message: unknown): void {
    // Code of the workload can find the port.
    if (typeof message !== 'object' || message === null) return
    const told = message as Told
    if (told.run !== this.#job?.run || this.#listener === undefined) return
    if (told.step === 'attached') {
      this.#listener.onAttached()
      return
    }
    this.#answer = told
    // What a workload posted itself comes by another way, which may be the slower one.
    setImmediate(() => this.#finish())
  }

  #finish(): void {
    const told = this.#answer
    const listener = this.#listener
    this.#answer = undefined
    if (told === undefined || listener === undefined || told.run !== this.#job?.run) return
    const posted = this.#posted
    this.#posted = undefined
    this.#listener = undefined
    if (posted !== undefined) {
      listener.onEnd({ how: 'posted', message: posted }, told.step === 'failed')
      return
    }
    if (told.step === 'off') listener.onEnd({ how: 'stopped' }, false)
    else if (told.step === 'done') listener.onEnd({ how: 'done', work: told.work, result: told.result }, false)
    else listener.onEnd({ how: 'failed', work: told.work, error: told.error }, true)
  }

  #exited(code: number): void {
    this.dead = true
    this.#ended(this.#crash === undefined ? `its worker ended with exit code ${code}` : `its worker crashed: ${this.#crash}`, true)
  }

  /** `gone`: it does nothing more, so that its thread of the process can be buried. */
  #ended(message: string, gone: boolean): void {
    this.hear()
    this.#port.close()
    const listener = this.#listener
    this.#listener = undefined
    listener?.onEnd({ how: 'exit', message }, gone)
  }
}

/** A message that nobody asked for, in a few words. */
function describe(message: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(message)
  } catch {}
  text ??= String(message)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
