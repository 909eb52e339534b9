import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  createProcess,
  type ProcessOptions,
  type ShareToken,
  type Snapshot
} from '../../src/index.ts'
import { heapCount, recordAt } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import type { PageCallbacks } from '../../src/machine/machine.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { type Scissors, underScissors } from './scissors.ts'

/** A block that somebody has the address of, filled with a pattern of its own. */
export interface Held {
  readonly heap: number
  readonly pointer: number
  readonly bytes: number
}

/** A process, the thread that is going to die in it, and what both know. Everything is made by `build`. */
export interface Scene {
  readonly process: CeProcess
  readonly ce: CeThread
  readonly held: Held[]
}

/** What a scene looks like from outside: live blocks by heap, the program's reservations, and the protection of their pages. */
function picture({ process, ce }: Scene, withReservations: boolean): string {
  const { heaps, reservations }: Snapshot = process.snapshot()
  const blocks = heaps.map(({ handle, blocks: all }) => {
    const live = all.filter(({ state }) => state === 'live' || state === 'big').map(({ address, requested }) => `${address}+${requested}`)
    return `${handle}: ${live.sort().join(' ')}`
  })
  if (!withReservations) return blocks.join('\n')
  const pages = reservations.flatMap(({ address, size }) => [...ce.machine.pages.subarray(address / 4096, (address + size) / 4096)])
  return [...blocks, ...reservations.map(({ address, size, committed }) => `${address} ${size} ${committed}`), pages.join(' ')].join('\n')
}

function fillHeld(ce: CeThread, { pointer, bytes }: Held): void {
  for (let at = 0; at < bytes; at++) ce.memory.bytes[pointer + at] = (pointer * 7 + at * 13) & 0xff
}

/** Whether the first `bytes` of the block's pattern stand at `at`. */
function intact(ce: CeThread, { pointer }: Held, at: number, bytes: number): boolean {
  for (let n = 0; n < bytes; n++) if (ce.memory.bytes[at + n] !== ((pointer * 7 + n * 13) & 0xff)) return false
  return true
}

/** How the call may be found after the thread's death. */
export type Fate =
  /** As if it had never been made: what it makes is its caller's alone. */
  | 'undone'
  /** Not made, or made whole. */
  | 'either'

export interface Call {
  readonly name: string
  readonly fate: Fate
  /** Made by the thread that dies. */
  readonly make: (ce: CeThread, scene: Scene) => unknown
  /** The block that the call frees or resizes, and so may be gone or elsewhere. */
  readonly subject?: (scene: Scene) => Held
  /** Made by that thread before, in peace. */
  readonly prepare?: (ce: CeThread, scene: Scene) => void
  /** Bytes of the subject that are there when the call is done. */
  readonly keeps?: number
  /** The heap that the call ends, by the order of making. */
  readonly ends?: number
  /** Page callbacks take reservations of their own: only the heaps are compared. */
  readonly lends?: boolean
}

/** Both memories and what is kept beside them, to be put back before each cut. */
class Moment {
  readonly #system: Int32Array
  readonly #user: Int32Array
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
    this.#system = scene.ce.machine.mem.slice()
    this.#user = scene.ce.machine.words.slice()
  }

  restore(): void {
    const { machine } = this.#scene.process.thread
    machine.mem.set(this.#system)
    machine.words.set(this.#user)
  }
}

/** Which of `total` steps are cut: all of them where there are few, else the first and last ones and a stride over the rest. */
export function cutsOf(total: number, most: number): number[] {
  const all = Array.from({ length: total }, (_, k) => k)
  if (total <= most) return all
  const edge = Math.floor(most / 3)
  const stride = Math.ceil((total - 2 * edge) / edge)
  return all.filter((k) => k < edge || k >= total - edge || (k - edge) % stride === 0)
}

/** Which steps of a mending are cut: the first ones, where it decides what is to be undone, and `more` of the rest, which is written anew whatever was there. */
export function heirsOf(total: number, first: number, more: number): number[] {
  const all = Array.from({ length: total }, (_, j) => j)
  return all.filter((j) => j < first || j % Math.ceil(total / more) === 0)
}

/** What a scene is for one call: the uncut run, then a death before each of its steps. Returns how many deaths there were. */
export class Cutting {
  readonly #scene: Scene
  readonly #token: ShareToken
  readonly #moment: Moment
  readonly #victim: CeThread
  readonly #scissors: Scissors
  readonly #call: Call
  readonly #callbacks: ReadonlyMap<number, PageCallbacks>
  readonly #subject: Held | undefined
  readonly #heaps: readonly number[]
  readonly #result: number
  readonly #before: string
  readonly #after: string
  /** Steps of the whole call. */
  readonly steps: number

  constructor(build: () => Scene, call: Call) {
    this.#call = call
    this.#scene = build()
    const { process, ce, held } = this.#scene
    this.#token = process.share()
    this.#victim = attachThread(this.#token)
    call.prepare?.(this.#victim, this.#scene)
    this.#callbacks = new Map(this.#victim.machine.pageCallbacks)
    for (const block of held) fillHeld(ce, block)
    this.#scissors = underScissors(this.#victim)
    this.#moment = new Moment(this.#scene)
    this.#before = picture(this.#scene, call.lends !== true)
    this.#subject = call.subject?.(this.#scene)
    this.#heaps = process.snapshot().heaps.map(({ handle }) => handle)
    this.#result = call.make(this.#victim, this.#scene) as number
    this.steps = this.#scissors.steps
    this.#after = picture(this.#scene, call.lends !== true)
    process.check()
  }

  /** The thread dies before step `k` of the call, and the process is told. */
  die(k: number): void {
    this.#moment.restore()
    this.#fall(k)
    assert.equal(this.#scene.process.workerEnded(this.#token), [this.#victim.tid])
    this.#judge(k)
  }

  /** The same; but whoever enters first dies as well, before step `j` of what it does there. Returns the steps that it made. */
  dieTwice(k: number, j: number): number {
    const { process } = this.#scene
    this.#moment.restore()
    this.#fall(k)
    const token = process.share()
    const heir = attachThread(token)
    // So that the sections are left to whoever comes.
    const own = process.thread.machine
    const { repair } = own
    own.repair = () => {
      throw new Error('not me')
    }
    let orphans = false
    try {
      process.workerEnded(this.#token)
    } catch {
      orphans = true
    }
    own.repair = repair
    if (!orphans) return 0
    const scissors = underScissors(heir)
    scissors.limit = j
    try {
      for (let index = 0; index < heapCount(heir.machine); index++) pass(heir, recordAt(heir.machine, index))
      pass(heir, HDR.LOCK)
    } catch (error) {
      if (!scissors.cut) throw error
    }
    assert.equal(process.workerEnded(token), [heir.tid])
    this.#judge(k)
    return scissors.steps
  }

  #fall(k: number): void {
    this.#scissors.rewind(k)
    for (const [key, callbacks] of this.#callbacks) this.#victim.machine.pageCallbacks.set(key, callbacks)
    try {
      this.#call.make(this.#victim, this.#scene)
      assert.unreachable(`step ${k} was not reached`)
    } catch (error) {
      if (!this.#scissors.cut) throw error
    }
    this.#victim.machine.leases.length = 0
    this.#victim.machine.callbackErrors.length = 0
  }

  #judge(k: number): void {
    const { process, ce, held } = this.#scene
    const { fate, lends, name, keeps, ends } = this.#call
    const where = `${name}, cut before step ${k} of ${this.steps}`
    try {
      process.check()
      const now = picture(this.#scene, lends !== true)
      const done = now === this.#after && this.#after !== this.#before
      if (now !== this.#before) {
        assert.is(fate, 'either', `${where}: the call was to be undone\n${this.#before}\n${now}`)
        assert.is(now, this.#after, `${where}: neither undone nor done`)
      }
      const moving = this.#subject
      const ended = ends === undefined || !done ? 0 : (this.#heaps[ends] as number)
      for (const block of held)
        if (block !== moving && block.heap !== ended)
          assert.ok(intact(ce, block, block.pointer, block.bytes), `${where}: a block has other bytes`)
      if (moving !== undefined && !done) assert.ok(intact(ce, moving, moving.pointer, moving.bytes), `${where}: the block has other bytes`)
      if (moving !== undefined && done && keeps !== undefined)
        assert.ok(intact(ce, moving, this.#result, Math.min(keeps, moving.bytes)), `${where}: the block that was resized has other bytes`)
      this.#goOn()
    } catch (error) {
      if (error instanceof Error && !error.message.startsWith(name)) error.message = `${where}: ${error.message}`
      throw error
    }
  }

  /** The other threads go on. */
  #goOn(): void {
    const { process } = this.#scene
    const other = attachThread(process.share())
    for (const { handle } of process.snapshot().heaps) {
      const p = other.HeapAlloc(handle, 0, 40)
      if (p !== 0) assert.is(other.HeapFree(handle, 0, p), 1)
      assert.is(other.HeapValidate(handle, 0, 0), 1)
    }
    other.detach()
    process.check()
  }
}

function pass({ machine, tid }: CeThread, section: number): void {
  enter(machine, section, tid)
  leave(machine, section)
}

/** A small process: restoring it is most of the cost of a cut. */
export function smallProcess(options: ProcessOptions): CeProcess {
  return createProcess({ memory: 12 * 0x10000, lockTimeout: 100, bigBlock: 0x6000, ...options })
}
