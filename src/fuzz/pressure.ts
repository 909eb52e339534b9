import { MEMORYSTATUS } from '../coredll/structures.ts'
import { disagree, hex } from './disagreement.ts'
import { threadOf } from './heapcalls.ts'
import { PAGE } from './pagemodel.ts'
import type { World } from './world.ts'

/** Memory runs short: another budget, injected failures, and what GlobalMemoryStatus tells of it. */

const MOST_INJECTIONS = 2

export function pressure(world: World, first: number, second: number): void {
  const kind = second & 7
  const { injections } = world
  if (kind === 0) setPages(world, budgetOf(world, second))
  else if (injections.list.length > 0 && kind < 6) {
    const at = (second >>> 16) % injections.list.length
    world.tell?.(`injections.splice(${at}, 1)[0].end()`)
    injections.end(at)
  } else if (injections.list.length < MOST_INJECTIONS && kind === 6 && (second & 0xc0) === 0) inject(world, first, second)
  else if (kind > 3) status(world, threadOf(first))
}

function inject(world: World, first: number, second: number): void {
  const least = [0, 33, 0, 4096][(second >>> 8) & 3] as number
  const nth = 1 + ((first >>> 16) % 20)
  const every = 2 + ((second >>> 16) % 20)
  const when = [{ nth }, { every }, { nth, every }, { nth }][(second >>> 10) & 3]
  const options = {
    on: (second & 0x1000) === 0 ? ('alloc' as const) : ('commit' as const),
    ...when,
    minBytes: least,
    maxBytes: least + ([64, 8192, 1 << 20, 300][(second >>> 13) & 3] as number)
  }
  world.tell?.(`injections.push(process.injectFailures(${JSON.stringify(options)}))`)
  world.injections.begin(options)
}

/** Mostly as much as at first, else little more than there is in use, now and then less. */
function budgetOf(world: World, second: number): number {
  if ((second & 0x300) !== 0) return world.setup.physical / PAGE
  return Math.max(1, world.pages.total - 4 + ((second >>> 16) % 24))
}

export function setPages(world: World, pages: number): void {
  world.tell?.(`process.setPhysical(${pages * PAGE})`)
  world.process.setPhysical(pages * PAGE)
  world.pages.physical = pages
}

/** GM-2, C-69, C-71. */
export function status(world: World, thread: number): void {
  const ce = world.ce(thread)
  const at = world.scratch >>> 2
  world.words[at] = MEMORYSTATUS.size
  world.begin()
  ce.GlobalMemoryStatus(world.scratch)
  world.left(thread, 'GlobalMemoryStatus', -1)
  const { total, physical, available, freeSpace } = world.pages
  const load = Math.min(100, Math.floor((total * 100) / physical))
  const expected = [32, load, physical * PAGE, available * PAGE, 0, 0, world.memory - 0x10000, freeSpace]
  for (let n = 0; n < 8; n++) {
    const told = (world.words[at + n] as number) >>> 0
    if (told !== expected[n])
      disagree(`GlobalMemoryStatus tells ${hex(told)} in its DWORD ${n}, the model says ${hex(expected[n] as number)}`)
  }
}

/** The program sets its last error, which stays until a call sets another. */
export function setError(world: World, first: number, second: number): void {
  const thread = threadOf(first)
  world.begin()
  world.ce(thread).SetLastError(second >>> 16)
  world.left(thread, 'SetLastError', second >>> 16)
}
