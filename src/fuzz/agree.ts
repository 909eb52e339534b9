import { disagree, hex } from './disagreement.ts'
import { PAGE } from './pagemodel.ts'
import { setPages, status } from './pressure.ts'
import { releaseAt } from './virtualcalls.ts'
import type { World } from './world.ts'

function list(numbers: Iterable<number>): string {
  return [...numbers]
    .sort((a, b) => a - b)
    .map(hex)
    .join(' ')
}

function same(what: string, told: unknown, expected: unknown): void {
  if (told !== expected) disagree(`${what}: ${told}, the model says ${expected}`)
}

/** The invariants hold, and the snapshot, every block and every page of the program agree with the model. What looks is not counted as a call. */
export function agree(world: World): void {
  const { process, pages, heaps, calls } = world
  process.check()
  const snapshot = process.snapshot()
  same('bytes that are committed', snapshot.committed, pages.total * PAGE)
  same('heaps', list(snapshot.heaps.map(({ handle }) => handle)), list(heaps.heaps.map(({ handle }) => handle)))
  for (const heap of heaps.heaps) {
    const info = snapshot.heaps.find(({ handle }) => handle === heap.handle)
    const name = `heap ${hex(heap.handle)}`
    const regions = heaps.regions(heap)
    same(`${name}: blocks`, info?.liveBlocks, heap.blocks)
    same(`${name}: bytes`, info?.liveBytes, heap.bytes)
    same(`${name}: regions`, list(info?.regions.map(({ address }) => address) ?? []), list(regions.map((page) => page * PAGE)))
    const sizes = regions.map((page) => (pages.pages[page] as number) * PAGE)
    same(`${name}: bytes of its regions`, list(info?.regions.map(({ size }) => size) ?? []), list(sizes))
    const committed = pages.owner.reduce(
      (sum, owner, page) => (owner === heap.number && pages.base[page] === page + 1 ? sum + committedFrom(world, page) : sum),
      0
    )
    same(`${name}: bytes committed`, info?.committed, committed * PAGE)
    for (const { state, address, requested } of info?.blocks ?? []) {
      if (state !== 'live' && state !== 'big') continue
      const id = heaps.blockAt(heap, address)
      if (id === 0 || heaps.bytes[id] !== requested)
        disagree(`${name} has a block of ${requested} bytes at ${hex(address)}, the model has not`)
    }
    for (const id of heap.live) world.inspect(id)
  }
  same('reservations', list(snapshot.reservations.map(({ address }) => address)), list(world.reservations))
  same('last errors', snapshot.threads.map(({ lastError }) => lastError).join(), world.lastErrors.join())
  contents(world)
  world.injections.agree()
  status(world, 1)
  world.calls = calls
}

/** Committed pages of the reservation whose first page is `first`. */
function committedFrom(world: World, first: number): number {
  const count = world.pages.pages[first] as number
  return count - world.pages.missing(first * PAGE, count * PAGE)
}

/** Every byte of the program's own pages. */
function contents({ pages, bytes }: World): void {
  for (let page = 0; page < pages.count; page++) {
    const base = pages.base[page] as number
    if (base === 0 || pages.owner[base - 1] !== 0 || pages.committed[page] === 0) continue
    for (let at = page * PAGE; at < (page + 1) * PAGE; at++)
      if (bytes[at] !== pages.bytes[at]) disagree(`the byte at ${hex(at)} is ${bytes[at]}, the program wrote ${pages.bytes[at]}`)
  }
}

/** Everything is given back: one free block a region, and no page or reservation is left but the process heap's. */
export function finish(world: World): void {
  const { process, heaps, injections } = world
  agree(world)
  while (injections.list.length > 0) {
    world.tell?.('injections.pop().end()')
    injections.end(injections.list.length - 1)
  }
  setPages(world, world.memory / PAGE)
  for (const base of [...world.reservations]) releaseAt(world, 0, base)
  for (const heap of heaps.heaps) {
    for (let id = heap.live.at(-1); id !== undefined; id = heap.live.at(-1)) {
      world.inspect(id)
      world.begin()
      world.expect(1, 'HeapFree', world.ce(1).HeapFree(heap.handle, 0, heaps.address[id] as number), 1, -1)
      world.gone(heap, id)
    }
  }
  world.begin()
  world.expect(0, 'HeapFree', world.ce(0).HeapFree(world.processHeap.handle, 0, world.scratch), 1, -1)
  process.check()
  for (const { handle, regions, blocks, liveBytes } of process.snapshot().heaps) {
    same(`free blocks of heap ${hex(handle)}`, blocks.filter(({ state }) => state === 'free').length, regions.length)
    same(`live bytes of heap ${hex(handle)}`, liveBytes, 0)
  }
  for (const heap of heaps.heaps.slice(1)) {
    world.begin()
    world.expect(0, 'HeapDestroy', world.ce(0).HeapDestroy(heap.handle), 1, -1)
  }
  world.begin()
  world.ce(0).HeapCompact(world.processHeap.handle, 0)
  process.check()
  const { heaps: left, committed, reservations, sections } = process.snapshot()
  const told = {
    heaps: left.length,
    regions: left[0]?.regions.length,
    committed,
    reservations: reservations.length,
    sections: sections.length
  }
  same('left at the end', JSON.stringify(told), JSON.stringify({ heaps: 1, regions: 1, committed: 0, reservations: 0, sections: 0 }))
}
