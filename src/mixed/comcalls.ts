import { type Com, type IMalloc, openCom, spyState } from '../com/index.ts'
import { CO_E_OBJISREG, CO_E_OBJNOTREG, E_ACCESSDENIED, S_OK } from '../constants.ts'
import { type Draw, sizeOf } from './draw.ts'
import { hex, must } from './disagreement.ts'
import { askResize, crowded, resized } from './heapcalls.ts'
import type { Block } from './heapmodel.ts'
import { FailingSpy } from './spy.ts'
import { anyBlock, badPointer, type World } from './world.ts'

/** IMalloc, CoTaskMem* and the spy: blocks of the process heap (C-52), of all threads, seen by a spy in the creating one (C-55). */

const NO_SIZE = 0xffffffff
const NOBODY = -1

interface Registered {
  readonly spy: FailingSpy
  pending: boolean
  unseen: number
}

export class ComCalls {
  readonly #world: World
  readonly #coms: Com[]
  readonly #mallocs: IMalloc[]
  /** The spy that each thread has been told lives elsewhere. */
  readonly #toldElsewhere: (FailingSpy | undefined)[] = []
  #registered: Registered | undefined
  /** Ended by another thread's call, and to be released at the next call of its own. */
  #ended: FailingSpy | undefined

  constructor(world: World) {
    this.#world = world
    this.#coms = world.threads.map((ce) => openCom(ce))
    this.#mallocs = this.#coms.map((com) => com.CoGetMalloc(1).ppMalloc as IMalloc)
  }

  /** Another thread has come in the place of one. */
  replaced(thread: number): void {
    const com = openCom(this.#world.ce(thread))
    this.#coms[thread] = com
    this.#mallocs[thread] = com.CoGetMalloc(1).ppMalloc as IMalloc
    this.#toldElsewhere[thread] = undefined
  }

  call(draw: Draw, thread: number): void {
    const kind = crowded(this.#world, this.#world.processHeap, draw) ? 32 : draw.below(100)
    // Else new blocks would keep a spy that is to go for ever.
    const last = this.#registered?.pending && !draw.once(4) ? draw.any(this.#spied) : undefined
    if (last !== undefined) this.#withBlock(draw, thread, 'free', last)
    else if (kind < 32) this.#alloc(draw, thread)
    else if (kind < 58) this.#withBlock(draw, thread, 'free')
    else if (kind < 74) this.#withBlock(draw, thread, 'realloc')
    else if (kind < 82) this.#withBlock(draw, thread, 'size')
    else if (kind < 88) this.#withBlock(draw, thread, 'did')
    else if (kind < 94) this.#onNothing(draw, thread)
    else if (kind < 95) this.#minimize(thread)
    else if (kind < 98) this.#register(draw)
    else this.revoke()
    // Which last error COM leaves is not documented.
    this.#world.forgetError(thread)
    this.#world.forgetError(0)
  }

  /** The spy that this call is shown to; counts the call otherwise. */
  #shown(thread: number): FailingSpy | undefined {
    if (this.#registered === undefined) return undefined
    if (thread === 0) return this.#registered.spy
    this.#registered.unseen++
    this.#world.saysIf(this.#toldElsewhere[thread] !== this.#registered.spy, 'C-55')
    this.#toldElsewhere[thread] = this.#registered.spy
    return undefined
  }

  get #spied(): Block[] {
    const { blocks, bigs } = this.#world.processHeap
    return [...blocks, ...bigs].filter(({ spied }) => spied)
  }

  /** What the spies were asked must be `expected`, and the release of one that is over. */
  #told(thread: number, what: string, spy: FailingSpy | undefined, expected: readonly string[]): void {
    const registered = this.#registered
    const log = [...expected]
    if (registered === undefined && this.#ended === undefined) return
    if (registered?.pending && this.#spied.length === 0) {
      this.#ended = registered.spy
      this.#registered = undefined
    }
    const gone = thread === 0 ? this.#ended : undefined
    if (gone !== undefined) this.#ended = undefined
    if (gone !== undefined && (gone === spy || spy === undefined)) log.push('Release')
    const told = (spy ?? gone)?.take() ?? []
    must(told.join() === log.join(), () => `${what}: the spy was asked [${told.join(', ')}], the model says [${log.join(', ')}]`)
  }

  /** What the process tells of its spy. */
  agree(): void {
    const state = spyState(this.#world.ce(0))
    const registered = this.#registered
    const now = registered && { pending: registered.pending, blocks: this.#spied.length, unseen: registered.unseen }
    const same =
      now === undefined ? state === undefined : state?.unseen === now.unseen && state.pending === now.pending && state.blocks === now.blocks
    must(same, () => `the spy's state is ${JSON.stringify(state)}, the model says ${JSON.stringify(now)}`)
  }

  #alloc(draw: Draw, thread: number): void {
    const world = this.#world
    const bytes = sizeOf(draw, world.process.profile.bigBlock)
    world.begin()
    const spy = this.#shown(thread)
    const fails = spy?.nextFails === true && bytes !== 0
    const header = spy?.header ?? 0
    const asked = Math.min(bytes + header + (bytes === 0 && header !== 0 ? 1 : 0), 0xffffffff)
    const refused = !fails && world.refuses(thread, asked)
    const got = draw.once(2) ? this.#coms[thread]?.CoTaskMemAlloc(bytes) : this.#mallocs[thread]?.Alloc(bytes)
    const what = `IMalloc::Alloc of ${bytes} bytes`
    must(got !== undefined, () => 'a thread without COM')
    const log = spy === undefined ? [] : [`PreAlloc ${bytes}`]
    if (spy !== undefined && !fails) log.push(`PostAlloc ${got === 0 ? 0 : got - header}`)
    if (got === 0) {
      if (!fails) world.mayFail(what, world.heaps.canPlace(world.processHeap, asked, true), refused)
    } else {
      must(!fails, () => `${what} worked although the spy refused it`)
      world.mustNotBeRefused(what, refused)
      world.keep(world.processHeap, got - header, asked, { spied: spy !== undefined, offset: header })
    }
    this.#told(thread, what, spy, log)
  }

  #withBlock(draw: Draw, thread: number, call: 'free' | 'realloc' | 'size' | 'did', chosen?: Block): void {
    const world = this.#world
    // A few among many: those that a spy has seen are the ones to ask about.
    const block = chosen ?? (draw.once(3) ? draw.any(this.#spied) : undefined) ?? anyBlock(draw, world.processHeap)
    const malloc = this.#mallocs[thread] as IMalloc
    if (block === undefined) return
    world.begin()
    const pointer = block.address + block.offset
    const flag = block.spied ? 1 : 0
    const spy = this.#shown(thread)
    const size = world.heaps.sizeOf(block.bytes)
    const ask = (...lines: string[]): void => this.#told(thread, `IMalloc, ${call} of ${hex(pointer)}`, spy, spy === undefined ? [] : lines)
    if (call === 'free') {
      world.inspect(block)
      if (draw.once(2)) malloc.Free(pointer)
      else this.#coms[thread]?.CoTaskMemFree(pointer)
      world.gone(block)
      ask(`PreFree ${pointer} ${flag}`, `PostFree ${flag}`)
    } else if (call === 'size') {
      const told = malloc.GetSize(pointer)
      must(told === size - block.offset, () => `IMalloc::GetSize of ${hex(pointer)} gave ${told}, the model says ${size - block.offset}`)
      ask(`PreGetSize ${pointer} ${flag}`, `PostGetSize ${size} ${flag}`)
    } else if (call === 'did') {
      const told = malloc.DidAlloc(pointer)
      must(told === 1, () => `IMalloc::DidAlloc of the block ${hex(pointer)} gave ${told}`)
      ask(`PreDidAlloc ${pointer} ${flag}`, `PostDidAlloc ${pointer} ${flag} 1`)
    } else this.#realloc(draw, thread, block, spy)
  }

  #realloc(draw: Draw, thread: number, block: Block, spy: FailingSpy | undefined): void {
    const world = this.#world
    const { spied, offset } = block
    const pointer = block.address + offset
    const flag = spied ? 1 : 0
    const bytes = Math.max(1, sizeOf(draw, world.process.profile.bigBlock))
    const what = `IMalloc::Realloc of ${hex(pointer)} to ${bytes} bytes`
    // A spy with headers refuses to resize what has none.
    const fails = spy !== undefined && (spy.nextFails || (spy.header !== 0 && !spied))
    const asked = Math.min(bytes + (spy === undefined ? offset : spy.header), 0xffffffff)
    const ask = fails ? undefined : askResize(world, thread, block, asked, false)
    const got = (draw.once(2) ? this.#coms[thread]?.CoTaskMemRealloc(pointer, bytes) : this.#mallocs[thread]?.Realloc(pointer, bytes)) ?? 0
    const log = [`PreRealloc ${pointer} ${bytes} ${flag}`]
    if (ask === undefined) must(got === 0, () => `${what} worked although the spy refused it`)
    else {
      const now = spy === undefined ? { spied, offset } : { spied: true, offset: spy.header }
      const result = got === 0 ? 0 : got - now.offset
      resized(world, what, block, asked, false, false, result, ask, now)
      log.push(`PostRealloc ${result} ${flag}`)
    }
    this.#told(thread, what, spy, spy === undefined ? [] : log)
  }

  /** IM-8 to IM-10, C-53: pointers that are no block. */
  #onNothing(draw: Draw, thread: number): void {
    const world = this.#world
    const heap = world.processHeap
    const pointer = badPointer(world, draw)
    const isBlock = world.blockAt(heap, pointer) !== undefined || this.#spied.some(({ address, offset }) => address + offset === pointer)
    if (isBlock) return
    world.begin()
    const malloc = this.#mallocs[thread] as IMalloc
    const call = draw.below(3)
    const spy = pointer === 0 ? undefined : this.#shown(thread)
    world.saysIf(pointer !== 0 && call < 2, 'C-53')
    const ask = (...lines: string[]): void => this.#told(thread, `IMalloc on ${hex(pointer)}`, spy, spy === undefined ? [] : lines)
    if (call === 0) {
      malloc.Free(pointer)
      ask(`PreFree ${pointer} 0`, 'PostFree 0')
    } else if (call === 1) {
      const told = malloc.GetSize(pointer)
      must(told === NO_SIZE, () => `IMalloc::GetSize of ${hex(pointer)}, which is no block, gave ${told}`)
      ask(`PreGetSize ${pointer} 0`, `PostGetSize ${NO_SIZE} 0`)
    } else {
      const told = malloc.DidAlloc(pointer)
      must(told === (pointer === 0 ? NOBODY : 0), () => `IMalloc::DidAlloc of ${hex(pointer)}, which is no block, gave ${told}`)
      ask(`PreDidAlloc ${pointer} 0`, `PostDidAlloc ${pointer} 0 0`)
    }
  }

  #minimize(thread: number): void {
    this.#world.begin()
    const spy = this.#shown(thread)
    this.#mallocs[thread]?.HeapMinimize()
    this.#world.heaps.compact(this.#world.processHeap)
    this.#told(thread, 'IMalloc::HeapMinimize', spy, spy === undefined ? [] : ['PreHeapMinimize', 'PostHeapMinimize'])
  }

  #register(draw: Draw): void {
    this.#world.begin()
    const spy = new FailingSpy(draw.pick([0, 0, 8, 40]), draw.pick([0, 0, 3, 7]))
    this.#world.tell?.(`com[0].CoRegisterMallocSpy(new FailingSpy(${spy.header}, ${spy.each}))`)
    const before = this.#ended
    this.#ended = undefined
    const hr = (this.#coms[0] as Com).CoRegisterMallocSpy(spy)
    if (before !== undefined)
      must(before.take().join() === 'Release', () => 'a spy that was over was not released before the next was registered')
    const expected = this.#registered === undefined ? S_OK : CO_E_OBJISREG
    must(hr === expected, () => `CoRegisterMallocSpy gave ${hex(hr)}, the model says ${hex(expected)}`)
    if (hr !== S_OK) return
    this.#registered = { spy, pending: false, unseen: 0 }
    this.#told(0, 'CoRegisterMallocSpy', spy, ['QueryInterface IID_IMallocSpy'])
  }

  revoke(): void {
    this.#world.begin()
    const registered = this.#registered
    const hr = (this.#coms[0] as Com).CoRevokeMallocSpy()
    const expected = registered === undefined ? CO_E_OBJNOTREG : this.#spied.length === 0 ? S_OK : E_ACCESSDENIED
    must(hr === expected, () => `CoRevokeMallocSpy gave ${hex(hr)}, the model says ${hex(expected)}`)
    this.#world.saysIf(registered?.pending === true, 'C-58')
    if (registered !== undefined) registered.pending = true
    this.#told(0, 'CoRevokeMallocSpy', registered?.spy, [])
  }

  /** Frees what a spy has seen, so that it can go. */
  end(): void {
    const spy = this.#registered?.spy
    for (const block of this.#spied) {
      this.#world.inspect(block)
      this.#mallocs[0]?.Free(block.address + block.offset)
      this.#world.gone(block)
    }
    spy?.take()
    if (this.#registered?.pending) this.#registered = undefined
    else if (spy !== undefined) this.revoke()
    must(spyState(this.#world.ce(0)) === undefined, () => 'a spy is left')
  }
}
