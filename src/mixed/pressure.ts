import { MEMORYSTATUS } from '../coredll/structures.ts'
import type { Draw } from './draw.ts'
import { must } from './disagreement.ts'
import { setupOf, type World } from './world.ts'

/** Memory runs short: another budget, injected failures, and what GlobalMemoryStatus tells of it. */

const PAGE = 4096
const STATUS_AT = 640
const MOST_INJECTIONS = 2
/** What threads may label their requests. */
export const LABELS = ['loading', 'drawing'] as const

export function pressureCall(world: World, draw: Draw, thread: number): void {
  const kind = draw.below(16)
  if (kind < 8) status(world, thread)
  else if (kind < 10) setPhysical(world, draw)
  else if (kind < 13 && world.injections.list.length > 0) {
    const at = draw.below(world.injections.list.length)
    world.tell?.(`injections.splice(${at}, 1)[0]?.end()`)
    world.injections.end(at)
  } else if (world.injections.list.length < MOST_INJECTIONS && draw.once(2)) inject(world, draw)
}

function inject(world: World, draw: Draw): void {
  const least = draw.pick([0, 0, 33, 4096])
  const when = draw.pick([{ nth: 1 + draw.below(20) }, { every: 2 + draw.below(20) }, { nth: 1 + draw.below(9), every: 3 + draw.below(9) }])
  const options = {
    on: draw.pick(['alloc', 'alloc', 'commit', 'reserve'] as const),
    ...when,
    ...draw.pick([{}, {}, { site: draw.pick(LABELS) }, { probability: draw.pick([0.1, 0.5]), seed: draw.word() }]),
    minBytes: least,
    maxBytes: least + draw.pick([64, 8192, 1 << 20])
  }
  world.tell?.(`injections.push(process.injectFailures(${JSON.stringify(options)}))`)
  world.injections.begin(options)
}

function setPhysical(world: World, draw: Draw): void {
  const { physical } = setupOf(world.seed)
  // Often little more than there is in use, now and then less.
  const pages = draw.once(2) ? Math.floor(physical / PAGE) : Math.max(1, world.pages.committed - 4 + draw.below(24))
  setPages(world, pages)
}

export function setPages(world: World, pages: number): void {
  world.tell?.(`process.setPhysical(${pages * PAGE})`)
  world.process.setPhysical(pages * PAGE)
  world.pages.physical = pages
}

/** GM-2, C-69, C-71. */
export function status(world: World, thread: number): void {
  const ce = world.ce(thread)
  const at = world.scratch + STATUS_AT
  MEMORYSTATUS.set(ce.memory, at, 'dwLength', MEMORYSTATUS.size)
  world.begin()
  ce.GlobalMemoryStatus(at)
  world.left(thread, 'GlobalMemoryStatus', undefined)
  const { committed, physical, available, freeSpace } = world.pages
  const told = MEMORYSTATUS.read(ce.memory, at)
  const expected = {
    dwLength: 32,
    dwMemoryLoad: Math.min(100, Math.floor((committed * 100) / physical)),
    dwTotalPhys: physical * PAGE,
    dwAvailPhys: available * PAGE,
    dwTotalPageFile: 0,
    dwAvailPageFile: 0,
    dwTotalVirtual: world.memory - 0x10000,
    dwAvailVirtual: freeSpace
  }
  for (const [name, value] of Object.entries(expected)) {
    const given = told[name as keyof typeof told]
    must(given === value, () => `GlobalMemoryStatus tells ${name} ${given}, the model says ${value}`)
  }
}
