// Counters by section and thread: what was entered, what had to wait, how long at most; only in a process that was made with a clock.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  CRITICAL_SECTION,
  createProcess,
  HEAP_ZERO_MEMORY,
  LockTimeoutError,
  type SectionCounter
} from '../../src/index.ts'
import { lockWordOf } from '../../src/machine/lockword.ts'
import { start, waitedFor } from './criticalcrew.ts'
import { refuses } from './world.ts'

const MB = 1024 * 1024
const counting = suite('section counters')

function of(process: CeProcess, wanted: Partial<SectionCounter>): SectionCounter {
  const found = process
    .sectionCounters()
    .counters.filter((one) => Object.entries(wanted).every(([key, value]) => one[key as keyof SectionCounter] === value))
  assert.is(found.length, 1, `one counter of ${JSON.stringify(wanted)}`)
  return found[0] as SectionCounter
}

counting('each heap, each section of the program and the process have counters by thread, in the unit of the clock', () => {
  let now = 100
  const process = createProcess({ memory: MB, clock: () => now })
  const one = process.thread
  const two = attachThread(process.share(), { clock: () => now * 1000 })
  const heap = one.HeapCreate(0, 0, 0)
  const at = one.HeapAlloc(heap, 0, 20)
  two.HeapFree(heap, 0, two.HeapAlloc(heap, 0, 20))
  one.InitializeCriticalSection(at)
  one.EnterCriticalSection(at)
  now += 7
  one.EnterCriticalSection(at)
  one.LeaveCriticalSection(at)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 1)
  now += 3
  two.LeaveCriticalSection(at)
  one.EnterCriticalSection(at)
  now += 2
  one.LeaveCriticalSection(at)
  const handle = CRITICAL_SECTION.get(one.memory, at, 'hCrit')
  const own = { kind: 'section', handle, address: at, contended: 0, longestWait: 0 } as const
  assert.equal(of(process, { kind: 'section', thread: 1 }), { ...own, thread: 1, acquisitions: 2, longestHold: 7 })
  assert.equal(of(process, { kind: 'section', thread: 2 }), { ...own, thread: 2, acquisitions: 1, longestHold: 3000 })
  assert.is(of(process, { kind: 'heap', handle: heap, thread: 1 }).acquisitions, 1)
  assert.is(of(process, { kind: 'heap', handle: heap, thread: 2 }).acquisitions, 2)
  assert.ok(of(process, { kind: 'process', thread: 1 }).acquisitions > 0)
  assert.is(process.sectionCounters().lost, 0)
})

counting('a hot heap counts each call that enters it', () => {
  const process = createProcess({ memory: MB, clock: () => 0 })
  const ce = process.thread
  const heap = ce.GetProcessHeap()
  ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 64))
  const before = of(process, { kind: 'heap' }).acquisitions
  for (let n = 0; n < 500; n++) ce.HeapFree(heap, 0, ce.HeapAlloc(heap, 0, 64))
  assert.is(of(process, { kind: 'heap' }).acquisitions, before + 1000)
})

counting('a try that fails and a wait in vain are no acquisitions, and no wait of the next one', () => {
  let now = 0
  const process = createProcess({ memory: MB, lockTimeout: 20, clock: () => now++ })
  const one = process.thread
  const two = attachThread(process.share(), { clock: () => now++ })
  const at = one.LocalAlloc(0, 20)
  one.InitializeCriticalSection(at)
  one.EnterCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 0)
  assert.throws(
    () => two.EnterCriticalSection(at),
    (error: unknown) => error instanceof LockTimeoutError
  )
  one.LeaveCriticalSection(at)
  two.EnterCriticalSection(at)
  two.LeaveCriticalSection(at)
  const { acquisitions, contended, longestWait } = of(process, { kind: 'section', thread: 2 })
  assert.equal({ acquisitions, contended, longestWait }, { acquisitions: 1, contended: 0, longestWait: 0 })
})

counting('among workers the acquisitions are exact, and those that waited are the contentions of the structure', async () => {
  const process = createProcess({ memory: MB, clock: () => performance.now() })
  const ce = process.thread
  const section = ce.HeapAlloc(ce.GetProcessHeap(), HEAP_ZERO_MEMORY, 32)
  ce.InitializeCriticalSection(section)
  const hands = [1, 2, 3].map(() => start(process, { task: 'count', section, counter: section + 24, rounds: 10_000, clock: true }))
  for (const { next } of hands) assert.is((await next()).step, 'done')
  const counters = process.sectionCounters().counters.filter(({ kind }) => kind === 'section')
  assert.equal(
    counters.map(({ acquisitions }) => acquisitions).reduce((a, b) => a + b),
    30_000
  )
  assert.is(
    counters.map(({ contended }) => contended).reduce((a, b) => a + b),
    CRITICAL_SECTION.get(ce.memory, section, 'dwContentions')
  )
  assert.ok(counters.every(({ longestHold }) => longestHold > 0))
})

counting('a thread that waited has waited for some time, one without a clock for none', async () => {
  for (const clock of [true, false]) {
    const process = createProcess({ memory: MB, clock: () => 0 })
    const ce = process.thread
    const section = ce.HeapAlloc(ce.GetProcessHeap(), HEAP_ZERO_MEMORY, 32)
    ce.InitializeCriticalSection(section)
    ce.EnterCriticalSection(section)
    const { next } = start(process, { task: 'enter', section, counter: 0, rounds: 0, clock })
    await waitedFor(ce)
    ce.LeaveCriticalSection(section)
    assert.is((await next()).step, 'inside')
    assert.is((await next()).step, 'done')
    const { acquisitions, contended, longestWait, longestHold } = of(process, { kind: 'section', thread: 2 })
    assert.equal({ acquisitions, contended }, { acquisitions: 1, contended: 1 })
    assert.is(longestWait > 0, clock)
    assert.is(longestHold > 0, clock)
  }
})

counting('the counters have an end: what finds no room is counted as lost', () => {
  const process = createProcess({ memory: MB, clock: () => 0 })
  const ce = process.thread
  const at = ce.LocalAlloc(0, 20 * 8)
  const rounds = 4400
  for (let n = 0; n < rounds; n++) {
    // Eight records, so that no name comes twice.
    const section = at + (n % 8) * 20
    if (n >= 8) ce.DeleteCriticalSection(section)
    ce.InitializeCriticalSection(section)
    ce.EnterCriticalSection(section)
    ce.LeaveCriticalSection(section)
  }
  const { counters, lost } = process.sectionCounters()
  assert.is(counters.length, 4096)
  const counted = counters.filter(({ kind }) => kind === 'section').reduce((sum, { acquisitions }) => sum + acquisitions, 0)
  assert.is(counted + lost, rounds + rounds - 8)
  assert.ok(lost > 0)
})

counting('a process that was not asked to count has its lock as it was, and says how to ask', () => {
  const process = createProcess({ memory: MB })
  refuses(
    () => process.sectionCounters(),
    TypeError,
    'sectionCounters: expected a process that counts, got one made without the option clock: createProcess({ clock: () => performance.now() })'
  )
  const { machine } = process.thread
  assert.is(machine.counts, undefined)
  assert.is(machine.take.name, lockWordOf(machine.system).take.name)
  assert.is(process.share().counts, undefined)
})

counting('a clock is a function', () => {
  const message = (what: string): string => `${what}: expected a function that gives a number, such as () => performance.now(), got 5`
  refuses(() => createProcess({ clock: 5 as unknown as () => number }), TypeError, message('clock'))
  const process = createProcess({ memory: MB, clock: () => 0 })
  const token = process.share()
  refuses(() => attachThread(token, { clock: 5 as unknown as () => number }), TypeError, message('attachThread: clock'))
  refuses(
    () => attachThread({ ...token, counts: new SharedArrayBuffer(8) }),
    TypeError,
    /^attachThread: expected what process.share\(\) gave/
  )
  for (const options of [null, 5])
    refuses(
      () => attachThread(token, options as unknown as object),
      TypeError,
      `attachThread: options: expected an object of options, got ${options}`
    )
  assert.is(process.snapshot().threads.length, 1)
})

counting('counting changes no answer and no image', () => {
  const run = (clock: { clock?: () => number }): string => {
    const process = createProcess({ memory: MB, ...clock })
    const ce = process.thread
    const at = ce.LocalAlloc(0, 40)
    ce.InitializeCriticalSection(at)
    ce.EnterCriticalSection(at)
    const heap = ce.HeapCreate(0, 0, 0)
    for (let n = 1; n < 50; n++) ce.HeapAlloc(heap, 0, n * 50)
    ce.LeaveCriticalSection(at)
    process.check()
    return process.imageHash()
  }
  assert.is(run({ clock: () => 1 }), run({}))
})
counting.run()
