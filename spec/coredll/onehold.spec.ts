// One call takes the process section in one hold at most, so that each call has one moment in the order of grants.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type CeThread,
  HEAP_REALLOC_IN_PLACE_ONLY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_READWRITE
} from '../../src/index.ts'
import { whoIn } from '../../src/coredll/who.ts'
import { recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { everywhere } from './world.ts'

const PAGE = 4096
const BOTH = MEM_RESERVE | MEM_COMMIT

/** As whom the section at `word`, by default the process section, was taken from free while `call` ran, each time. */
function takers({ machine }: CeThread, call: () => unknown, word: number = HDR.LOCK): number[] {
  const real = machine.take
  const found: number[] = []
  const counting = (address: number, who: number): number => {
    const seen = real(address, who)
    if (address === word << 2 && seen === 0) found.push(who)
    return seen
  }
  Object.defineProperty(machine, 'take', { value: counting, configurable: true, writable: true })
  try {
    call()
  } finally {
    Object.defineProperty(machine, 'take', { value: real })
  }
  return found
}

/** How often the process section was taken from free while `call` ran. */
function holds(ce: CeThread, call: () => unknown): number {
  return takers(ce, call).length
}

const held = suite('the process section in one hold')

everywhere(held, 'a look at the whole process leaves it first: who gets the section of a heap then finds it free', ({ process, ce }) => {
  const { machine } = ce
  const left: number[] = []
  const { give } = machine
  machine.give = (address) => {
    left.push(address >> 2)
    return give(address)
  }
  const sections = [HDR.LOCK, ...[ce.GetProcessHeap(), ce.HeapCreate(0, 0, 0)].map((handle) => recordOf(machine, handle))]
  for (const look of [() => process.snapshot(), () => process.imageHash(), () => process.check()]) {
    left.length = 0
    look()
    assert.equal(left.slice(-3), sections)
  }
})

everywhere(held, 'virtual memory and its status', ({ ce, heap }) => {
  const out = ce.HeapAlloc(heap, 0, 64)
  const base = ce.VirtualAlloc(0, 8 * PAGE, BOTH, PAGE_READWRITE)
  const calls: Readonly<Record<string, () => unknown>> = {
    reserve: () => ce.VirtualAlloc(0, PAGE, MEM_RESERVE, PAGE_READWRITE),
    'reserve and commit': () => ce.VirtualAlloc(0, PAGE, BOTH, PAGE_READWRITE | PAGE_GUARD),
    'reserve and commit too much': () => ce.VirtualAlloc(0, 0x200000, BOTH, PAGE_READWRITE),
    commit: () => ce.VirtualAlloc(base, PAGE, MEM_COMMIT, PAGE_READWRITE),
    'commit nowhere': () => ce.VirtualAlloc(1, PAGE, MEM_COMMIT, PAGE_READWRITE),
    protect: () => ce.VirtualProtect(base, PAGE, PAGE_READWRITE | PAGE_GUARD, out),
    query: () => ce.VirtualQuery(base, out, 28),
    'a guard that goes off': () => ce.IsBadReadPtr(base, PAGE),
    'a probe': () => ce.IsBadWritePtr(base, PAGE),
    status: () => ce.GlobalMemoryStatus(out),
    info: () => ce.GetSystemInfo(out),
    decommit: () => ce.VirtualFree(base, 0, MEM_DECOMMIT),
    release: () => ce.VirtualFree(base, 0, MEM_RELEASE),
    'release nothing': () => ce.VirtualFree(base, 0, MEM_RELEASE)
  }
  for (const [name, call] of Object.entries(calls)) assert.ok(holds(ce, call) <= 1, name)
})

everywhere(
  held,
  'heaps that take pages, give them back, or find none',
  ({ ce, process, heap, profile }) => {
    const blocks: number[] = []
    const keep = (pointer: number): number => blocks[blocks.push(pointer) - 1] as number
    let at = keep(ce.HeapAlloc(heap, 0, 100))
    const calls: Readonly<Record<string, () => unknown>> = {
      'a block on committed pages': () => keep(ce.HeapAlloc(heap, 0, 10)),
      'a block on pages to commit': () => keep(ce.HeapAlloc(heap, 0, 10_000)),
      'a block in a new region': () => keep(ce.HeapAlloc(heap, 0, profile.bigBlock)),
      'a big block': () => keep(ce.HeapAlloc(heap, 0, profile.bigBlock + 1)),
      'a block that grows in place': () => ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, at, 110),
      'a block that moves': () => {
        at = ce.HeapReAlloc(heap, 0, at, 5000)
      },
      'a block that becomes big': () => {
        at = ce.HeapReAlloc(heap, 0, at, profile.bigBlock + 100)
      },
      'a big block that moves': () => {
        at = ce.HeapReAlloc(heap, 0, at, profile.bigBlock + 70_000)
      },
      'a big block that becomes small': () => {
        at = ce.HeapReAlloc(heap, 0, at, 100)
      },
      'more than there is': () => ce.HeapReAlloc(heap, 0, at, 0x300000),
      'a free': () => ce.HeapFree(heap, 0, blocks[1] as number),
      'a free of a big block': () => ce.HeapFree(heap, 0, blocks[4] as number),
      'a compact': () => ce.HeapCompact(heap, 0),
      'no memory': () => {
        process.setPhysical(PAGE)
      },
      'a block for which there is none': () => ce.HeapAlloc(heap, 0, 20_000),
      'a big block for which there is none': () => ce.HeapAlloc(heap, 0, profile.bigBlock + 1),
      'a resize for which there is none': () => ce.HeapReAlloc(heap, 0, at, 20_000)
    }
    for (const [name, call] of Object.entries(calls)) assert.ok(holds(ce, call) <= 1, name)
    for (const on of ['alloc', 'commit'] as const) {
      const injected = process.injectFailures({ on, every: 2 })
      for (const [name, call] of Object.entries(calls)) assert.ok(holds(ce, call) <= 1, `${name}, failures on ${on}`)
      injected.end()
    }
  },
  { memory: 8 * 1024 * 1024 }
)

everywhere(held, 'a block that finds no page to grow where it is, and none where it would move', ({ ce, process }) => {
  const heap = ce.HeapCreate(0, 0, 0)
  const p = ce.HeapAlloc(heap, 0, 100)
  process.setPhysical(process.snapshot().committed)
  assert.is(
    holds(ce, () => assert.is(ce.HeapReAlloc(heap, 0, p, 9000), 0)),
    1
  )
  process.setPhysical(process.snapshot().committed + 4 * PAGE)
  assert.is(
    holds(ce, () => assert.is(ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 9000), p)),
    1
  )
})

everywhere(held, 'the end of a heap', ({ ce }) => {
  const own = ce.HeapCreate(0, 0, 0)
  for (const bytes of [100, 30_000, 0x48000]) ce.HeapAlloc(own, 0, bytes)
  assert.is(
    holds(ce, () => ce.HeapDestroy(own)),
    1
  )
})

everywhere(held, 'whoever takes it says in which call: a finding names it if the thread dies there', ({ ce, heap }) => {
  const out = ce.HeapAlloc(heap, 0, 64)
  const guarded = (): number => ce.VirtualAlloc(0, PAGE, BOTH, PAGE_READWRITE | PAGE_GUARD)
  let made = 0
  const calls = {
    HeapCreate: () => {
      made = ce.HeapCreate(0, 0, 0)
    },
    HeapDestroy: () => ce.HeapDestroy(made),
    GlobalMemoryStatus: () => ce.GlobalMemoryStatus(out),
    GetSystemInfo: () => ce.GetSystemInfo(out),
    VirtualQuery: () => ce.VirtualQuery(out, out, 28),
    IsBadReadPtr: (
      (page) => () =>
        ce.IsBadReadPtr(page, 1)
    )(guarded()),
    IsBadWritePtr: (
      (page) => () =>
        ce.IsBadWritePtr(page, 1)
    )(guarded()),
    IsBadCodePtr: (
      (page) => () =>
        ce.IsBadCodePtr(page)
    )(guarded())
  } as const
  for (const [name, call] of Object.entries(calls)) assert.equal(takers(ce, call), [whoIn(ce, name as keyof typeof calls)], name)
})

everywhere(held, "and so does whoever takes a heap's section: once, and leaves it once", ({ ce, heap }) => {
  // The hot path does the same, where nobody can count.
  ce.machine.goBy({ alloc: () => 0, free: () => 0 })
  const word = recordOf(ce.machine, heap)
  const { give } = ce.machine
  let left = 0
  ce.machine.give = (address) => {
    if (address === word << 2) left++
    return give(address)
  }
  const [p, q] = [ce.HeapAlloc(heap, 0, 50), ce.LocalAlloc(0, 50)]
  const calls = {
    HeapAlloc: () => ce.HeapAlloc(heap, 0, 100),
    HeapReAlloc: () => ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 40),
    HeapSize: () => ce.HeapSize(heap, 0, p),
    HeapValidate: () => ce.HeapValidate(heap, 0, p),
    HeapFree: () => ce.HeapFree(heap, 0, p),
    HeapCompact: () => ce.HeapCompact(heap, 0),
    LocalAlloc: () => ce.LocalAlloc(0, 100),
    LocalReAlloc: () => ce.LocalReAlloc(q, 40, 0),
    LocalSize: () => ce.LocalSize(q),
    LocalFree: () => ce.LocalFree(q),
    GlobalAlloc: () => ce.GlobalAlloc(0, 100)
  } as const
  for (const [name, call] of Object.entries(calls)) {
    left = 0
    assert.equal(takers(ce, call, word), [whoIn(ce, name as keyof typeof calls)], name)
    assert.is(left, 1, name)
  }
  ce.machine.give = give
})

everywhere(
  held,
  'a heap that wants pages of the process, or gives some back, takes its section in the name of the call as well',
  ({ ce, heap, profile }) => {
    const p = ce.HeapAlloc(heap, 0, profile.bigBlock + 1)
    ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 20_000))
    const calls = {
      HeapReAlloc: () => ce.HeapReAlloc(heap, 0, p, 3 * profile.bigBlock),
      HeapCompact: () => ce.HeapCompact(heap, 0),
      CeHeapCreate: () =>
        ce.CeHeapCreate(
          0,
          0,
          0,
          () => 0,
          () => 1
        )
    } as const
    for (const [name, call] of Object.entries(calls))
      assert.equal([...new Set(takers(ce, call))], [whoIn(ce, name as keyof typeof calls)], name)
  }
)

held.run()
