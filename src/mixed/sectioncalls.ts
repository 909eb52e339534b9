import { CRITICAL_SECTION } from '../coredll/structures.ts'
import type { Draw } from './draw.ts'
import { must } from './disagreement.ts'
import { SECTIONS_AT, THREADS, type World } from './world.ts'

/** Critical sections by several threads of one JS thread: nobody may wait, so that a section of another thread is only tried. */

const COUNT = 6
const SIZE = 32

interface Section {
  readonly address: number
  live: boolean
  /** The owning thread, and how often it has entered. */
  owner: number
  depth: number
}

export class SectionCalls {
  readonly #world: World
  readonly #sections: readonly Section[]

  constructor(world: World) {
    this.#world = world
    const first = world.scratch + SECTIONS_AT
    this.#sections = Array.from({ length: COUNT }, (_, n) => ({ address: first + n * SIZE, live: false, owner: -1, depth: 0 }))
  }

  call(draw: Draw, thread: number): void {
    const section = draw.pick(this.#sections)
    const { address, live, owner } = section
    const ce = this.#world.ce(thread)
    const kind = draw.below(20)
    const isOthers = live && owner >= 0 && owner !== thread
    this.#world.begin()
    if (kind < 2) {
      ce.InitializeCriticalSection(address)
      if (live) this.#world.says(isOthers ? 'C-80' : 'C-81')
      // Not while another thread is inside (C-80).
      if (!isOthers) Object.assign(section, { live: true, owner: -1, depth: 0 })
    } else if (kind < 3) {
      ce.DeleteCriticalSection(address)
      if (!live) this.#world.says('C-76')
      else this.#world.saysIf(owner >= 0, 'C-80')
      if (!isOthers) Object.assign(section, { live: false, owner: -1, depth: 0 })
    } else if (kind < 10) this.#enter(section, thread, kind < 6 || isOthers)
    else {
      ce.LeaveCriticalSection(address)
      if (!live) this.#world.says('C-76')
      else this.#world.saysIf(owner !== thread, 'C-79')
      if (live && owner === thread && --section.depth === 0) section.owner = -1 // CS-2, C-79
    }
    this.#look(section)
    this.#world.left(thread, 'a call on a critical section', undefined)
  }

  #enter(section: Section, thread: number, tried: boolean): void {
    const { address, live, owner } = section
    const ce = this.#world.ce(thread)
    this.#world.saysIf(!live, 'C-76')
    const open = live && (owner < 0 || owner === thread)
    if (tried) {
      const got = ce.TryEnterCriticalSection(address)
      must(got === (open ? 1 : 0), () => `TryEnterCriticalSection gave ${got}, the model says ${open ? 1 : 0}`) // CS-4
    } else ce.EnterCriticalSection(address)
    if (!open) return
    section.owner = thread
    section.depth++
  }

  /** A thread leaves the process: what it owned is free, and reported (C-84). */
  parted(thread: number): void {
    for (const section of this.#sections) {
      if (!section.live || section.owner !== thread) continue
      this.#world.says('CS-6')
      Object.assign(section, { owner: -1, depth: 0 })
      this.#look(section)
    }
  }

  /** The structure mirrors the section (C-75). */
  #look({ address, live, owner, depth }: Section): void {
    if (!live) return
    const { LockCount, OwnerThread } = CRITICAL_SECTION.read(this.#world.ce(0).memory, address)
    const id = owner < 0 ? 0 : this.#world.ce(owner).tid
    must(
      LockCount === depth && OwnerThread === id,
      () => `the section tells owner ${OwnerThread}, ${LockCount} times; the model says ${id}, ${depth} times`
    )
  }

  agree(addresses: readonly number[]): void {
    const expected = this.#sections.filter(({ live }) => live).map(({ address }) => address)
    const told = [...addresses].sort((a, b) => a - b)
    must(told.join() === expected.join(), () => `the sections are at ${told}, the model says ${expected}`)
    for (const section of this.#sections) this.#look(section)
  }

  end(): void {
    for (const section of this.#sections) {
      for (let thread = 0; thread < THREADS; thread++)
        while (section.owner === thread) {
          this.#world.ce(thread).LeaveCriticalSection(section.address)
          if (--section.depth === 0) section.owner = -1
        }
      if (section.live) this.#world.ce(0).DeleteCriticalSection(section.address)
      section.live = false
    }
  }
}
