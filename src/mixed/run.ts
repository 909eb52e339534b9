import { processEnded } from '../collect.ts'
import type { CeThread } from '../coredll/thread.ts'
import { ComCalls } from './comcalls.ts'
import { must } from './disagreement.ts'
import { Draw } from './draw.ts'
import { heapCall } from './heapcalls.ts'
import { HostCalls } from './hostcalls.ts'
import { localCall } from './localcalls.ts'
import { pressureCall, setPages, status } from './pressure.ts'
import { SectionCalls } from './sectioncalls.ts'
import { threadCall } from './threadcalls.ts'
import { ToolHelp } from './toolhelp.ts'
import { releaseAt, virtualCall } from './virtualcalls.ts'
import { THREADS, World } from './world.ts'

/** All families of calls on one process, beside one model of all of it. */

const LOOK = 1000
const PAGE = 4096

export class Run {
  readonly world: World
  readonly #com: ComCalls
  readonly #host: HostCalls
  readonly #sections: SectionCalls
  readonly #toolHelp: ToolHelp
  readonly #draw = new Draw()
  #commands = 0

  /** Commands between two looks at everything. */
  readonly #look: number

  constructor(seed: number, onThread?: (ce: CeThread, index: number) => void, look: number = LOOK) {
    this.#look = look
    this.world = new World(seed, onThread)
    this.#com = new ComCalls(this.world)
    this.#host = new HostCalls(this.world)
    this.#sections = new SectionCalls(this.world)
    this.#toolHelp = new ToolHelp(this.world)
  }

  /** Runs command `n` of the seed, which is decided by these two and by what the process is like. */
  command(n: number): void {
    const draw = this.#draw
    draw.begin(this.world.seed, n)
    const thread = draw.below(THREADS)
    const family = draw.below(1000)
    if (family < 420) heapCall(this.world, draw, thread)
    else if (family < 540) localCall(this.world, draw, thread)
    else if (family < 680) virtualCall(this.world, draw, thread)
    else if (family < 800) this.#com.call(draw, thread)
    else if (family < 880) this.#host.call(draw)
    else if (family < 955) this.#sections.call(draw, thread)
    else if (family < 965) {
      if (threadCall(this.world, draw, thread)) {
        this.#sections.parted(thread)
        this.#com.replaced(thread)
      }
    } else if (family < 995) pressureCall(this.world, draw, thread)
    else this.#toolHelp.call(draw, thread)
    this.#host.notified()
    this.world.judge()
    if (++this.#commands % this.#look === 0) this.agree()
  }

  /** One process shows one truth: the invariants, the snapshot, tool help, the sums of HeapSize, the status and every page agree with the model. */
  agree(): void {
    const { calls } = this.world
    this.#agree()
    // What looks is no part of the campaign.
    this.world.calls = calls
  }

  #agree(): void {
    const { world } = this
    const { heaps, pages } = world.heaps
    world.process.check()
    const snapshot = world.process.snapshot()
    must(
      snapshot.committed === pages.committed * PAGE,
      () => `${snapshot.committed} bytes are committed, the model says ${pages.committed * PAGE}`
    )
    must(snapshot.heaps.length === heaps.length, () => `${snapshot.heaps.length} heaps, the model says ${heaps.length}`)
    for (const heap of heaps) {
      const info = snapshot.heaps.find(({ handle }) => handle === heap.handle)
      must(info !== undefined, () => `heap ${heap.handle} is not in the snapshot`)
      const all = [...heap.blocks, ...heap.bigs]
      const bytes = all.reduce((sum, block) => sum + block.bytes, 0)
      const regions = heap.regions.map(({ address, size }) => `${address} ${size}`).join()
      const committed = [...heap.regions, ...heap.bigs.map(({ address, room }) => ({ address, size: room }))]
      const inUse = committed.reduce((sum, { address, size }) => sum + size - pages.missing(address, size) * PAGE, 0)
      const told = info.regions.map(({ address, size }) => `${address} ${size}`).join()
      must(told === regions, () => `the regions of heap ${heap.handle} are ${told}, the model says ${regions}`)
      must(
        info.liveBlocks === all.length && info.liveBytes === bytes,
        () => `${info.liveBlocks} blocks of ${info.liveBytes} bytes, the model says ${all.length} of ${bytes}`
      )
      must(info.committed === inUse, () => `heap ${heap.handle} has ${info.committed} bytes committed, the model says ${inUse}`)
      const sizes = all.reduce((sum, { address }) => sum + world.ce(0).HeapSize(heap.handle, 0, address), 0)
      const rounded = all.reduce((sum, block) => sum + world.heaps.sizeOf(block.bytes), 0)
      must(sizes === rounded, () => `HeapSize tells ${sizes} bytes in all, the model says ${rounded}`)
      for (const block of all) world.inspect(block)
    }
    const lent = heaps.flatMap((heap) => (heap.lent ? heap.regions.map(({ address }) => address) : []))
    const reservations = [...world.reservations, ...world.hosted, ...lent].sort((a, b) => a - b).join()
    const there = snapshot.reservations
      .map(({ address }) => address)
      .sort((a, b) => a - b)
      .join()
    must(there === reservations, () => `the reservations are ${there}, the model says ${reservations}`)
    for (const [n, { lastError }] of snapshot.threads.entries())
      must(lastError === world.lastErrors[n], () => `thread ${n} has the last error ${lastError}`)
    this.#contents()
    this.#sections.agree(snapshot.sections.map(({ address }) => address))
    this.#com.agree()
    this.#host.agree()
    world.injections.agree()
    status(world, 1)
    this.#toolHelp.agree(2)
    world.judge()
  }

  /** Every byte of the app's own pages. */
  #contents(): void {
    const memory = this.world.process.thread.memory.bytes
    this.world.pages.pages.forEach((page, index) => {
      if (page === undefined || page.heap || !page.committed) return
      const there = Buffer.from(memory.buffer, index * PAGE, PAGE)
      must(there.equals(page.bytes), () => `page ${index} does not hold what was written to it`)
    })
  }

  /** Everything is given back: one free block a region, and no page or reservation is left but the process heap's. */
  finish(): void {
    const { world } = this
    this.agree()
    while (world.injections.list.length > 0) {
      world.tell?.('injections.pop()?.end()')
      world.injections.end(world.injections.list.length - 1)
    }
    setPages(world, world.memory / PAGE)
    this.#sections.end()
    this.#toolHelp.end()
    this.#com.end()
    this.#host.end()
    for (const base of [...world.reservations]) releaseAt(world, 0, base)
    for (const heap of [...world.heaps.heaps]) {
      for (const block of [...heap.blocks, ...heap.bigs]) {
        world.expect(1, 'HeapFree', world.ce(1).HeapFree(heap.handle, 0, block.address), { result: 1 })
        world.gone(block)
      }
    }
    world.process.check()
    for (const { regions, blocks, liveBytes } of world.process.snapshot().heaps) {
      const free = blocks.filter(({ state }) => state === 'free').length
      must(
        free === regions.length && liveBytes === 0,
        () => `${free} free blocks in ${regions.length} regions, and ${liveBytes} live bytes`
      )
    }
    for (const heap of [...world.heaps.heaps.slice(1)]) {
      world.expect(0, 'HeapDestroy', world.ce(0).HeapDestroy(heap.handle), { result: 1 })
      world.heaps.destroy(heap)
    }
    world.ce(0).HeapCompact(world.processHeap.handle, 0)
    world.process.check()
    const { heaps, committed, reservations, sections } = world.process.snapshot()
    const left = {
      heaps: heaps.length,
      regions: heaps[0]?.regions.length,
      committed,
      reservations: reservations.length,
      sections: sections.length
    }
    const nothing = { heaps: 1, regions: 1, committed: 0, reservations: 0, sections: 0 }
    must(JSON.stringify(left) === JSON.stringify(nothing), () => `left at the end: ${JSON.stringify(left)}`)
  }

  close(): void {
    this.world.process.close()
    processEnded(this.world.memory)
  }
}
