// Injected failures: requests that are refused although they could be met, so that a program's error paths are tried (DT-2).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeThread,
  ERROR_NOT_ENOUGH_MEMORY,
  type FailureOptions,
  type Finding,
  HEAP_REALLOC_IN_PLACE_ONLY,
  type InjectedFailures,
  MEM_COMMIT,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { everywhere, open, places, refuses } from './world.ts'
import type { World } from './world.ts'

const PAGE = 4096
const failures = suite('injectFailures')

/** Which of `count` requests for a block of `bytes` were refused, counted from 1. */
function refused({ ce, heap }: World, count: number, bytes = 40): number[] {
  return Array.from({ length: count }, (_, n) => n + 1).filter(() => ce.HeapAlloc(heap, 0, bytes) === 0)
}

everywhere(failures, 'nth: one request fails, as out of memory, and changes nothing', (world) => {
  const { ce, process, heap } = world
  const injected = process.injectFailures({ on: 'alloc', nth: 3 })
  assert.is.not(ce.HeapAlloc(heap, 0, 40), 0)
  assert.is.not(ce.LocalAlloc(0, 40), 0)
  assert.equal(
    world.answer(() => ce.HeapAlloc(heap, 0, 40)),
    { result: 0, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY), rules: [], changed: false }
  )
  assert.equal(refused(world, 20), [])
  assert.equal([injected.seen, injected.failed], [23, 1])
  injected.end()
  assert.equal(refused(world, 5), [])
  assert.equal([injected.seen, injected.failed], [23, 1], 'the counts stay')
  const next = process.injectFailures({ on: 'alloc', nth: 1 })
  injected.end()
  assert.equal(refused(world, 5), [1], 'a second end() does not end what has taken its place')
  next.end()
})

everywhere(failures, 'every: each so many-th fails; with nth, from that one on; without either, all', (world) => {
  const table: readonly (readonly [Partial<FailureOptions>, number[]])[] = [
    [{ every: 3 }, [3, 6, 9, 12]],
    [{ nth: 2, every: 5 }, [2, 7, 12]],
    [{ nth: 1, every: 1 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [{}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [{ nth: 13 }, []]
  ]
  for (const [options, expected] of table) {
    const injected = world.process.injectFailures({ on: 'alloc', ...options })
    assert.equal(refused(world, 12), expected, JSON.stringify(options))
    assert.equal([injected.seen, injected.failed], [12, expected.length])
    injected.end()
  }
})

everywhere(failures, 'minBytes and maxBytes: requests outside are neither refused nor counted', (world) => {
  const { ce, process, heap } = world
  const injected = process.injectFailures({ on: 'alloc', minBytes: 100, maxBytes: 200 })
  const sizes = [0, 99, 100, 150, 200, 201, 5000, 0x48000]
  assert.equal(
    sizes.filter((bytes) => ce.HeapAlloc(heap, 0, bytes) === 0),
    [100, 150, 200]
  )
  assert.equal([injected.seen, injected.failed], [3, 3])
  injected.end()
  const big = process.injectFailures({ on: 'alloc', minBytes: 0x48000 })
  assert.is(ce.HeapAlloc(heap, 0, 0x48000), 0)
  assert.is(ce.HeapAlloc(heap, 0, 0xffffffff), 0)
  assert.is(big.failed, 2)
  big.end()
})

everywhere(failures, 'site: only what a thread asks for under its label', (world) => {
  const { ce, process } = world
  const other = attachThread(process.share())
  const injected = process.injectFailures({ on: 'alloc', site: 'loading' })
  const ask = (thread: CeThread): boolean => thread.LocalAlloc(0, 10) !== 0
  assert.ok(ask(ce))
  const done = ce.site('loading')
  assert.not.ok(ask(ce))
  assert.ok(ask(other), 'a label is a thread of its own')
  const inner = ce.site('drawing')
  assert.ok(ask(ce))
  inner()
  assert.not.ok(ask(ce), 'labels nest')
  done()
  assert.ok(ask(ce))
  other.site('loading')
  assert.not.ok(ask(other))
  other.detach()
  const next = attachThread(process.share())
  assert.is(next.tid, other.tid)
  assert.ok(ask(next), 'a label does not outlive its thread')
  next.detach()
  injected.end()
  assert.equal([injected.seen, injected.failed], [3, 3])
})

everywhere(failures, 'probability and seed: the same seed fails the same requests, another seed others, as often as asked', (world) => {
  const run = (probability: number, seed: number): number[] => {
    const injected = world.process.injectFailures({ on: 'alloc', probability, seed, minBytes: 64 })
    const fate = refused(world, 400, 64)
    injected.end()
    assert.is(injected.failed, fate.length)
    return fate
  }
  const first = run(0.25, 7)
  assert.equal(run(0.25, 7), first)
  assert.is.not(run(0.25, 8).join(), first.join())
  assert.ok(first.length > 60 && first.length < 140, `${first.length} of 400`)
  assert.equal(run(0, 7), [])
  assert.is(run(1, 7).length, 400)
})

everywhere(failures, 'alloc: growing blocks are requests, shrinking ones never fail (C-48); the old block stays (HR-7)', (world) => {
  const { ce, process, heap } = world
  const block = ce.HeapAlloc(heap, 0, 100)
  ce.memory.fill(block, 7, 100)
  const injected = process.injectFailures({ on: 'alloc' })
  for (const grow of [
    () => ce.HeapReAlloc(heap, 0, block, 101),
    () => ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 120),
    () => ce.HeapReAlloc(heap, 0, block, 0x48000),
    () => ce.LocalReAlloc(block, 3000, 2)
  ]) {
    assert.equal(world.answer(grow), { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false })
  }
  assert.is(ce.HeapReAlloc(heap, 0, block, 50), block)
  assert.is(ce.HeapReAlloc(heap, 0, block, 50), block)
  assert.equal([injected.seen, injected.failed], [4, 4])
  injected.end()
  assert.is.not(ce.HeapReAlloc(heap, 0, block, 0x48000), 0)
})

everywhere(failures, 'alloc: heaps made meanwhile are not spared, and a grown block counts once', (world) => {
  const { ce, process } = world
  const injected = process.injectFailures({ on: 'alloc', nth: 3 })
  const [growable, fixed] = [ce.HeapCreate(0, 0, 0), ce.HeapCreate(0, 0, 0x10000)]
  const block = ce.HeapAlloc(growable, 0, 100)
  assert.is.not(ce.HeapReAlloc(growable, 0, block, 50_000), 0)
  assert.is(ce.HeapAlloc(fixed, 0, 100), 0)
  assert.is.not(ce.HeapAlloc(fixed, 0, 100), 0)
  injected.end()
  assert.is(injected.seen, 4)
})

everywhere(failures, 'commit: whatever needs physical memory fails, and leaves nothing of it behind', (world) => {
  const { ce, process, heap } = world
  const reserved = ce.VirtualAlloc(0, 4 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  const injected = process.injectFailures({ on: 'commit' })
  const nothing = { result: 0, error: ERROR_NOT_ENOUGH_MEMORY, rules: [], changed: false }
  assert.equal(
    world.answer(() => ce.VirtualAlloc(reserved, PAGE, MEM_COMMIT, PAGE_READWRITE)),
    nothing
  )
  assert.equal(
    world.answer(() => ce.VirtualAlloc(0, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)),
    nothing
  )
  assert.equal(
    world.answer(() => ce.HeapCreate(0, 0, 0)),
    nothing
  )
  const noBlock = { ...nothing, error: world.allocError(ERROR_NOT_ENOUGH_MEMORY) }
  for (const bytes of [20_000, 0x48000])
    assert.equal(
      world.answer(() => ce.HeapAlloc(heap, 0, bytes)),
      noBlock
    )
  assert.is.not(ce.HeapAlloc(heap, 0, 10), 0, 'the first page is there')
  assert.is(injected.failed, injected.seen)
  assert.ok(injected.failed >= 5)
  injected.end()
  assert.is(ce.VirtualAlloc(reserved, PAGE, MEM_COMMIT, PAGE_READWRITE), reserved)
})

everywhere(failures, 'commit: bytes are those of the pages that are missing; pages that are there are no request', (world) => {
  const { ce, process } = world
  const base = ce.VirtualAlloc(0, 8 * PAGE, MEM_RESERVE, PAGE_READWRITE)
  ce.VirtualAlloc(base, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE)
  const injected = process.injectFailures({ on: 'commit', minBytes: 3 * PAGE, maxBytes: 3 * PAGE })
  const commit = (pages: number): boolean => ce.VirtualAlloc(base, pages * PAGE, MEM_COMMIT, PAGE_READWRITE) !== 0
  assert.ok(commit(2))
  assert.not.ok(commit(5))
  assert.ok(commit(6))
  assert.ok(commit(6))
  assert.ok(commit(8))
  assert.equal([injected.seen, injected.failed], [1, 1])
  injected.end()
})

everywhere(failures, 'several at a time each count for themselves; a ninth is a RangeError, and changes nothing', (world) => {
  const { ce, process, heap } = world
  const blocks = Array.from({ length: 7 }, () => ce.HeapAlloc(heap, 0, 64))
  const odd = process.injectFailures({ on: 'alloc', nth: 1, every: 2 })
  const third = process.injectFailures({ on: 'alloc', every: 3 })
  assert.equal(refused(world, 7), [1, 3, 5, 6, 7])
  assert.equal([odd.seen, odd.failed, third.seen, third.failed], [7, 4, 7, 2])
  const more = Array.from({ length: 6 }, () => process.injectFailures({ on: 'commit', nth: 99 }))
  for (const n of [5, 1, 3]) ce.HeapFree(heap, 0, blocks[n] as number)
  const image = process.imageHash()
  refuses(
    () => process.injectFailures({ on: 'alloc' }),
    RangeError,
    'injectFailures: expected at most 8 at a time, got one more; end() those that are done'
  )
  assert.is(process.imageHash(), image, 'the order of free blocks included')
  odd.end()
  assert.equal(refused(world, 6), [2, 5])
  for (const one of [third, ...more]) one.end()
  assert.equal(refused(world, 6), [])
})

failures('the same calls in the same order fail again, and leave the same image, whatever the hot path would do', () => {
  for (const place of places) {
    const run = (): string => {
      const world = open(place)
      const injected = world.process.injectFailures({ on: 'alloc', probability: 0.3, seed: 42 })
      const blocks = Array.from({ length: 300 }, (_, n) => world.ce.HeapAlloc(world.heap, 0, (n * 37) % 900))
      for (const block of blocks.filter((one, n) => one !== 0 && n % 3 === 0)) world.ce.HeapFree(world.heap, 0, block)
      injected.end()
      world.process.check()
      return `${world.process.imageHash()} ${injected.failed}`
    }
    assert.is(run(), run())
  }
})

everywhere(failures, 'an injection that refuses nothing leaves no trace in the image, on or ended', (world) => {
  const { process, ce, heap } = world
  const work = (): void => {
    const blocks = Array.from({ length: 60 }, (_, n) => ce.HeapAlloc(heap, 0, n * 13))
    for (const block of blocks) ce.HeapFree(heap, 0, block)
  }
  const twin = open({ name: '', profile: world.profile.name, build: world.debug ? 'debug' : 'retail' })
  const blocks = Array.from({ length: 60 }, (_, n) => twin.ce.HeapAlloc(twin.heap, 0, n * 13))
  for (const block of blocks) twin.ce.HeapFree(twin.heap, 0, block)
  const injected = process.injectFailures({ on: 'alloc', nth: 1000 })
  work()
  assert.is(process.imageHash(), twin.process.imageHash())
  injected.end()
  assert.is(process.imageHash(), twin.process.imageHash())
})

failures('begun inside a page callback they hold for the heap that asked, too', () => {
  const { ce, process } = open(places[0] as (typeof places)[number])
  let inside = (): unknown => undefined
  const pages = (address: number, size: number, action: number): number => {
    inside()
    return ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
  }
  const heap = ce.CeHeapCreate(0, 0, 0, pages, () => 1)
  ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 40))
  let injected: InjectedFailures | undefined
  inside = () => (injected ??= process.injectFailures({ on: 'alloc' }))
  assert.is.not(ce.HeapAlloc(heap, 0, 20_000), 0)
  assert.is(ce.HeapAlloc(heap, 0, 40), 0)
  assert.equal([injected?.seen, injected?.failed], [1, 1])
})

failures('beginning and ending leaves alone what has no heap: findings that wait, and the sections of the program', () => {
  const { ce, process, findings } = open(places[0] as (typeof places)[number], { memory: 2 * 0x10000 })
  const other = attachThread(process.share())
  const found: Finding[] = []
  other.onFinding((finding) => found.push(finding))
  assert.is(other.HeapCreate(0, 0, 0), 0, 'not one heap more would have a place')
  for (let n = 0; n < 3; n++) other.HeapSize(ce.GetProcessHeap(), 0, 0xfedcba90 + n)
  const section = ce.LocalAlloc(0, 20)
  ce.InitializeCriticalSection(section)
  ce.EnterCriticalSection(section)
  process.injectFailures({ on: 'alloc' }).end()
  assert.is(ce.machine.sys[HDR.INJECTING], 0, 'every call may be hot again')
  process.drainFindings()
  assert.is(found.length, 3)
  assert.equal(findings, found)
})

failures('options of the wrong kind are misuse, and a closed process takes none', () => {
  const world = open(places[0] as (typeof places)[number])
  const { process, ce } = world
  const table: readonly (readonly [unknown, typeof TypeError | typeof RangeError, string])[] = [
    [undefined, TypeError, 'injectFailures: expected an object of options, got undefined'],
    [null, TypeError, 'injectFailures: expected an object of options, got null'],
    [[], TypeError, 'injectFailures: expected an object of options, got an object (Array)'],
    [{}, TypeError, 'injectFailures: on: expected one of alloc, commit, reserve, got undefined'],
    [{ on: 'free' }, RangeError, 'injectFailures: on: expected one of alloc, commit, reserve, got "free"'],
    [{ on: 'alloc', often: 1 }, RangeError, /^injectFailures: option: expected one of on, nth, /.source],
    [{ on: 'alloc', nth: 0 }, RangeError, 'injectFailures: nth: expected a whole number from 1 to 2147483647, got 0'],
    [{ on: 'alloc', every: 1.5 }, RangeError, 'injectFailures: every: expected a whole number from 1 to 2147483647, got 1.5'],
    [{ on: 'alloc', minBytes: -1 }, RangeError, 'injectFailures: minBytes: expected a whole number from 0 to 4294967295, got -1'],
    [
      { on: 'alloc', minBytes: 9, maxBytes: 8 },
      RangeError,
      'injectFailures: maxBytes: expected a whole number from 9 to 4294967295, got 8'
    ],
    [{ on: 'alloc', site: '' }, TypeError, 'injectFailures: site: expected a label as given to ce.site, got ""'],
    [{ on: 'alloc', site: 3 }, TypeError, 'injectFailures: site: expected a label as given to ce.site, got 3'],
    [{ on: 'alloc', probability: 1.1 }, RangeError, 'injectFailures: probability: expected a number of 0 to 1, got 1.1'],
    [{ on: 'alloc', probability: -0.1 }, RangeError, 'injectFailures: probability: expected a number of 0 to 1, got -0.1'],
    [{ on: 'alloc', probability: '0.5' }, TypeError, 'injectFailures: probability: expected a number of 0 to 1, got "0.5"'],
    [{ on: 'alloc', probability: Number.NaN }, RangeError, 'injectFailures: probability: expected a number of 0 to 1, got NaN'],
    [{ on: 'alloc', seed: 'x' }, TypeError, 'injectFailures: seed: expected a whole number from 0 to 4294967295, got "x"']
  ]
  for (const [options, type, message] of table)
    refuses(() => process.injectFailures(options as FailureOptions), type, message.startsWith('^') ? new RegExp(message) : message)
  refuses(() => ce.site(3 as unknown as string), TypeError, 'site: label: expected a string, got 3')
  const injected = process.injectFailures({ on: 'alloc' })
  process.close()
  refuses(() => process.injectFailures({ on: 'alloc' }), TypeError, /^injectFailures: expected an open process/)
  refuses(() => ce.site('x'), TypeError, /^site: expected an open process/)
  injected.end()
})

failures.run()
