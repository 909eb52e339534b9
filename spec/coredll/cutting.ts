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
import { disown, sectionsOf } from '../../src/coredll/death.ts'
import { heapCount, recordAt } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import type { PageCallbacks } from '../../src/machine/machine.ts'
import { enter, isOwn, leave, ORPHAN } from '../../src/machine/section.ts'
import { DEAD, THREAD, threadAt } from '../../src/machine/threads.ts'
import { Image, Journal, momentsOf } from './journal.ts'
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

/** What came of it that a thread died at each of its steps. */
export interface Toll {
  deaths: number
  /** Those of who mended after it. */
  heirs: number
  /** Images that these deaths left and that were mended, and images that came of it and were judged. */
  images: number
  judged: number
}

export function newToll(): Toll {
  return { deaths: 0, heirs: 0, images: 0, judged: 0 }
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
  readonly #moment: Image
  readonly #journal: Journal
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
  /** The last death of `everyDeath`. */
  at: { readonly step: number; readonly heir: number | undefined } | undefined

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
    this.#journal = new Journal(ce.machine.mem, ce.machine.words)
    this.#moment = this.#image()
    this.#before = picture(this.#scene, call.lends !== true)
    this.#subject = call.subject?.(this.#scene)
    this.#heaps = process.snapshot().heaps.map(({ handle }) => handle)
    this.#scissors.journal = this.#journal
    this.#result = this.#scissors.during(() => call.make(this.#victim, this.#scene)) as number
    this.#scissors.journal = undefined
    this.steps = this.#scissors.steps
    this.#after = picture(this.#scene, call.lends !== true)
    process.check()
  }

  /** The thread dies before step `k` of the call, and the process is told. */
  die(k: number): void {
    this.#restore(this.#moment)
    this.#fall(k)
    assert.equal(this.#scene.process.workerEnded(this.#token), [this.#victim.tid])
    this.#judge(k)
  }

  /**
   * The same; but in the midst of its burial somebody else enters all sections, and dies as well, before step `j` of what it does there. Returns the steps
   * that it made.
   */
  dieTwice(k: number, j: number): number {
    const { process } = this.#scene
    this.#restore(this.#moment)
    this.#fall(k)
    if (!this.#disown()) return 0
    const token = process.share()
    const heir = attachThread(token)
    const scissors = underScissors(heir)
    scissors.limit = j
    try {
      passAll(heir)
    } catch (error) {
      if (!scissors.cut) throw error
    }
    assert.equal(process.workerEnded(token), [heir.tid])
    assert.equal(process.workerEnded(this.#token), [])
    this.#judge(k, j)
    return scissors.steps
  }

  /**
   * An error comes in place of step `k`, and of the next ones as far as `length` goes, where there may be no room to tidy up; the thread lives. Its next
   * call, if not that one already, leaves nothing entered.
   */
  err(k: number, length: number): void {
    const { machine, tid } = this.#victim
    this.#restore(this.#moment)
    this.#fall(k, length)
    this.#scissors.rewind(Number.POSITIVE_INFINITY)
    const held = (): number[] => [...sectionsOf(machine)].filter((at) => isOwn(machine.sys[at] as number, tid))
    if (length === 1) assert.equal(held(), [], `${this.#call.name}: an error in place of step ${k} leaves a section entered`)
    this.#victim.GetLastError()
    assert.equal(
      held(),
      [],
      `${this.#call.name}: the call after one that ${length} errors ended, from step ${k} on, leaves a section entered`
    )
    assert.is(machine.adrift, false)
    this.#judge(k)
  }

  /**
   * The thread dies before each step of the call, none left out, and for each of these deaths whoever mends after it dies before each step of that. What a
   * death leaves is taken from a journal of the steps. Two deaths that leave the same image have the same consequences, and are judged once; of stores in a row
   * to user memory the deaths before the first and behind the last stand for those between them (`momentsOf`).
   */
  everyDeath(toll: Toll = newToll()): Toll {
    const { process } = this.#scene
    toll.deaths += this.steps
    const judged = new Set<string>()
    const judge = (k: number, j?: number): void => {
      toll.images++
      const { name } = this.#image(this.#moment)
      if (judged.has(name)) return
      judged.add(name)
      toll.judged++
      this.#judge(k, j)
    }
    const mendings = new Map<string, number>()
    const known = new Set<string>()
    this.#restore(this.#moment)
    const image = this.#image(this.#moment)
    let heirs = 0
    let reached = 0
    for (const { step: k, inner } of momentsOf(this.#journal, image)) {
      // The deaths before steps that changed nothing, or nothing that a mending looks at, have the same mending as the one before them.
      toll.heirs += heirs * (k - reached)
      reached = k
      this.at = { step: k, heir: undefined }
      this.#restore(image)
      assert.equal(process.workerEnded(this.#token), [this.#victim.tid])
      judge(k)
      if (inner) continue
      this.#restore(image)
      heirs = 0
      if (!this.#disown()) continue
      const { name } = this.#image(this.#moment)
      heirs = mendings.get(name) ?? this.#everyHeir(k, known, judge)
      mendings.set(name, heirs)
    }
    toll.heirs += heirs * (this.steps - reached)
    return toll
  }

  /** Precondition: the dead thread is disowned. Returns the steps of a whole mending. */
  #everyHeir(k: number, known: Set<string>, judge: (k: number, j: number) => void): number {
    const { process, ce } = this.#scene
    const token = process.share()
    const heir = attachThread(token)
    const scissors = underScissors(heir)
    const journal = new Journal(ce.machine.mem, ce.machine.words)
    const image = this.#image(this.#moment)
    scissors.journal = journal
    passAll(heir)
    for (const { step: j, inner } of momentsOf(journal, image)) {
      if (inner || known.has(image.name)) continue
      known.add(image.name)
      this.at = { step: k, heir: j }
      this.#restore(image)
      assert.equal(process.workerEnded(token), [heir.tid])
      assert.equal(process.workerEnded(this.#token), [])
      judge(k, j)
    }
    return scissors.steps
  }

  /** What a death before step `k` leaves: by the journal, and by a thread that is really cut off there. */
  left(k: number): { readonly told: string; readonly found: string } {
    this.#restore(this.#moment)
    const told = this.#image(this.#moment)
    told.apply(this.#journal, 0, k === 0 ? 0 : (this.#journal.ends[k - 1] as number))
    this.#fall(k)
    return { told: told.name, found: this.#image(this.#moment).name }
  }

  /** What the process begins with when it hears of the death; whether that has orphaned anything. */
  #disown(): boolean {
    const { machine } = this.#scene.process.thread
    machine.sys[threadAt(machine, this.#victim.tid) + THREAD.STATE] = DEAD
    disown(machine, this.#victim.tid)
    return [...sectionsOf(machine)].some((at) => ((machine.sys[at] as number) & ORPHAN) !== 0)
  }

  #image(base?: Image): Image {
    const { mem, words } = this.#scene.process.thread.machine
    return new Image(mem, words, base)
  }

  #restore(image: Image): void {
    const { mem, words } = this.#scene.process.thread.machine
    image.restore(mem, words)
  }

  /** With a `length` it is an error, that many steps long, and no death. */
  #fall(k: number, length = 0): void {
    this.#scissors.rewind(k)
    this.#scissors.once = length > 0
    this.#scissors.length = length
    for (const [key, callbacks] of this.#callbacks) this.#victim.machine.pageCallbacks.set(key, callbacks)
    try {
      this.#scissors.during(() => this.#call.make(this.#victim, this.#scene))
      assert.unreachable(`step ${k} was not reached`)
    } catch (error) {
      if (!this.#scissors.cut) throw error
    }
    if (length > 0) return
    // What a thread that is no more knew.
    const { machine } = this.#victim
    machine.leases.length = 0
    machine.callbackErrors.length = 0
    machine.entering = 0
    machine.adrift = false
  }

  #judge(k: number, j?: number): void {
    const { process, ce, held } = this.#scene
    const { fate, lends, name, keeps, ends } = this.#call
    const twice = j === undefined ? '' : `, and who mended it before step ${j} of that`
    const where = `${name}, cut before step ${k} of ${this.steps}${twice}`
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

/** Enters all sections in which somebody may have died in a call, and mends there. */
function passAll({ machine, tid }: CeThread): void {
  const pass = (section: number): void => {
    enter(machine, section, tid)
    leave(machine, section)
  }
  for (let index = 0; index < heapCount(machine); index++) pass(recordAt(machine, index))
  pass(HDR.LOCK)
}

/** A small process: restoring it is most of the cost of a cut. */
export function smallProcess(options: ProcessOptions): CeProcess {
  return createProcess({ memory: 12 * 0x10000, lockTimeout: 100, bigBlock: 0x6000, ...options })
}
