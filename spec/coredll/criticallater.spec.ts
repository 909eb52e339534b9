// EnterCriticalSectionAsync and whenFree: waiting for a section in a place that must not block.
import { mock } from 'node:test'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recordOf } from '../../src/heap/record.ts'
import {
  attachThread,
  type CeProcess,
  type CeThread,
  CRITICAL_SECTION,
  createProcess,
  HEAP_ZERO_MEMORY,
  LockTimeoutError,
  MEM_RELEASE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { parkLater, wakeOne } from '../../src/machine/wait.ts'
import { start, waitedFor } from './criticalcrew.ts'
import { refuses } from './world.ts'

interface Crew {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
  readonly at: number
}

function crew(lockTimeout = 20_000): Crew {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout, clock: () => 0 })
  const one = process.thread
  const at = one.HeapAlloc(one.GetProcessHeap(), HEAP_ZERO_MEMORY, 32)
  one.InitializeCriticalSection(at)
  return { process, one, two: attachThread(process.share()), at }
}

/** Every promise that is due has gone on. */
const turn = (): Promise<void> => new Promise((go) => setTimeout(go, 5))

async function rejects(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('the promise was to be rejected')
}

/** Runs `body` as in a browser that has no Atomics.waitAsync, too. */
function both(name: string, body: () => Promise<void>): void {
  later(name, body)
  later(`${name}, without Atomics.waitAsync`, async () => {
    const { waitAsync } = Atomics
    Object.defineProperty(Atomics, 'waitAsync', { value: undefined, configurable: true, writable: true })
    try {
      await body()
    } finally {
      Object.defineProperty(Atomics, 'waitAsync', { value: waitAsync, configurable: true, writable: true })
    }
  })
}

const later = suite('waiting by a promise')

both('CS-1: it resolves once the thread owns the section: at once if it is free, else when its owner has left', async () => {
  const { process, one, two, at } = crew()
  await one.EnterCriticalSectionAsync(at)
  assert.is(CRITICAL_SECTION.get(one.memory, at, 'OwnerThread'), 1)
  let inside = false
  const entering = two.EnterCriticalSectionAsync(at).then(() => {
    inside = true
  })
  await turn()
  assert.is(inside, false)
  one.LeaveCriticalSection(at)
  await entering
  assert.equal(CRITICAL_SECTION.read(one.memory, at), {
    ...CRITICAL_SECTION.read(one.memory, at),
    LockCount: 1,
    OwnerThread: 2,
    dwContentions: 1
  })
  assert.is(one.TryEnterCriticalSection(at), 0)
  two.LeaveCriticalSection(at)
  assert.is(one.TryEnterCriticalSection(at), 1)
  const counter = process.sectionCounters().counters.find(({ kind, thread }) => kind === 'section' && thread === 2)
  assert.is(counter?.contended, 1)
})

both('CS-2: the owner is the thread, so two tasks of one thread are both inside', async () => {
  const { one, two, at } = crew()
  two.EnterCriticalSection(at)
  const tasks = [one.EnterCriticalSectionAsync(at), one.EnterCriticalSectionAsync(at)]
  await turn()
  two.LeaveCriticalSection(at)
  await Promise.all(tasks)
  assert.is(CRITICAL_SECTION.get(one.memory, at, 'LockCount'), 2)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 0)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 1)
})

both('many wait, and each gets in once', async () => {
  const { process, one, at } = crew()
  const others = Array.from({ length: 20 }, () => attachThread(process.share()))
  one.EnterCriticalSection(at)
  let inside = 0
  const seen: number[] = []
  const all = others.map(async (ce) => {
    await ce.EnterCriticalSectionAsync(at)
    assert.is(++inside, 1)
    seen.push(ce.tid)
    await turn()
    inside--
    ce.LeaveCriticalSection(at)
  })
  await turn()
  one.LeaveCriticalSection(at)
  await Promise.all(all)
  assert.is(new Set(seen).size, 20)
})

both('a wait that is aborted ends with its reason, owns nothing and takes no wake-up from the others', async () => {
  const { one, two, process, at } = crew()
  const three = attachThread(process.share())
  one.EnterCriticalSection(at)
  const stop = new AbortController()
  const given = rejects(two.EnterCriticalSectionAsync(at, { signal: stop.signal }))
  const waiting = three.EnterCriticalSectionAsync(at)
  await turn()
  stop.abort(new Error('enough'))
  one.LeaveCriticalSection(at)
  assert.is((await given).message, 'enough')
  await waiting
  assert.is(CRITICAL_SECTION.get(one.memory, at, 'OwnerThread'), 3)
  const aborted = AbortSignal.abort(new Error('before'))
  three.LeaveCriticalSection(at)
  assert.is((await rejects(two.EnterCriticalSectionAsync(at, { signal: aborted }))).message, 'before')
  assert.is(one.TryEnterCriticalSection(at), 1)
})

both('C-85: a wait for an owner that never leaves ends with a LockTimeoutError', async () => {
  const { one, two, at } = crew(30)
  one.EnterCriticalSection(at)
  const error = await rejects(two.EnterCriticalSectionAsync(at))
  assert.instance(error, LockTimeoutError)
  assert.is((error as LockTimeoutError).owner, 1)
  one.LeaveCriticalSection(at)
  await two.EnterCriticalSectionAsync(at)
})

both('a worker that parks and a thread that waits by a promise wake each other', async () => {
  const { process, one, at } = crew()
  const memory = one.memory
  const hands = [1, 2].map(() => start(process, { task: 'count', section: at, counter: at + 24, rounds: 5000 }))
  const counter = new Int32Array(memory.bytes.buffer, at + 24, 1)
  for (let n = 0; n < 200; n++) {
    await one.EnterCriticalSectionAsync(at)
    counter[0] = (counter[0] as number) + 1
    one.LeaveCriticalSection(at)
  }
  for (const { next } of hands) assert.is((await next()).step, 'done')
  assert.is(counter[0], 10_200)
})

both('C-84: the section of a worker that died inside is taken over', async () => {
  const { process, one, at } = crew()
  const owner = start(process, { task: 'hold', section: at, counter: at + 24, rounds: 0 })
  assert.is((await owner.next()).step, 'inside')
  const entering = one.EnterCriticalSectionAsync(at)
  await waitedFor(one)
  await owner.worker.terminate()
  process.workerEnded(owner.token)
  await entering
  assert.is(CRITICAL_SECTION.get(one.memory, at, 'OwnerThread'), 1)
  process.check()
})

both('C-76: it resolves without owning anything where EnterCriticalSection returns so, and says so', async () => {
  const { one, two, at } = crew()
  const rules: string[] = []
  two.onFinding(({ rule, call }) => rules.push(`${rule} ${call}`))
  one.EnterCriticalSection(at)
  const entering = two.EnterCriticalSectionAsync(at)
  await turn()
  one.DeleteCriticalSection(at)
  await entering
  await two.EnterCriticalSectionAsync(at)
  assert.equal(rules, ['C-76 EnterCriticalSection', 'C-76 EnterCriticalSection'])
})

both('a process that is closed meanwhile rejects it, for all that wait', async () => {
  const { process, one, two, at } = crew(1000)
  const three = attachThread(process.share())
  one.EnterCriticalSection(at)
  const given = [two, three].map((ce) => rejects(ce.EnterCriticalSectionAsync(at)))
  await turn()
  process.close()
  for (const { message } of await Promise.all(given))
    assert.is(message, 'EnterCriticalSection: expected an open process, got one that was closed with process.close()')
})

both('a process that is closed meanwhile rejects all that wait, however often the owner was inside', async () => {
  const { process, one, two, at } = crew(1000)
  const three = attachThread(process.share())
  for (let n = 0; n < 3; n++) one.EnterCriticalSection(at)
  const given = [two, three].map((ce) => rejects(ce.EnterCriticalSectionAsync(at)))
  await turn()
  process.close()
  for (const { message } of await Promise.all(given)) assert.match(message, /^EnterCriticalSection: expected an open process, /)
})

both('whenFree resolves once nobody else is inside the heap, and wakes those that want in', async () => {
  const { process, one, two } = crew()
  const three = attachThread(process.share())
  const heap = one.HeapCreate(0, 0, 0)
  const record = recordOf(one.machine, heap)
  await one.whenFree(heap)
  enter(two.machine, record, two.tid)
  let free = false
  const waiting = one.whenFree(heap).then(() => {
    free = true
  })
  const also = three.whenFree(heap)
  await two.whenFree(heap)
  await turn()
  assert.is(free, false)
  leave(two.machine, record)
  await Promise.all([waiting, also])
  assert.is(one.machine.sys[record], 0)
  assert.is.not(one.HeapAlloc(heap, 0, 10), 0)
})

later('whenFree wants a live heap, and both want a signal', async () => {
  const { one, at } = crew()
  const heap = one.HeapCreate(0, 0, 0)
  one.HeapDestroy(heap)
  for (const bad of [0, 5, heap, 0xffffffff]) {
    assert.is((await rejects(one.whenFree(bad))).message, `whenFree: hHeap: expected the handle of a live heap, got ${bad}`)
  }
  for (const bad of [-1, 1.5, '2' as unknown as number])
    assert.match((await rejects(one.whenFree(bad))).message, /^whenFree: hHeap: expected a whole number from 0 to 4294967295, got /)
  const signal = 5 as unknown as AbortSignal
  assert.is(
    (await rejects(one.EnterCriticalSectionAsync(at, { signal }))).message,
    'EnterCriticalSectionAsync: signal: expected an AbortSignal, got 5'
  )
  assert.is((await rejects(one.whenFree(heap, { signal }))).message, 'whenFree: signal: expected an AbortSignal, got 5')
  assert.match(
    (await rejects(one.EnterCriticalSectionAsync(-1))).message,
    /^EnterCriticalSection: lpCriticalSection: expected a whole number/
  )
})

later('whenFree waits for a heap whose page callback runs: it is a live one (C-35)', async () => {
  const { one, two } = crew()
  let heap = 0
  let waiting: Promise<void> | undefined
  let free = false
  heap = one.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      if (heap !== 0)
        waiting ??= two.whenFree(heap).then(() => {
          free = true
        })
      return one.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    (address, size, action) => one.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)
  )
  assert.is.not(one.HeapAlloc(heap, 0, 10_000), 0)
  assert.ok(waiting, 'pages were asked for')
  await waiting
  assert.ok(free)
})

later('options that are none are refused, whatever they are', async () => {
  const { one, at } = crew()
  for (const [bad, told] of [
    [null, 'null'],
    [5, '5'],
    ['signal', '"signal"']
  ] as const) {
    const options = bad as unknown as { signal: AbortSignal }
    const message = (call: string): string => `${call}: options: expected an object of options, got ${told}`
    assert.is((await rejects(one.EnterCriticalSectionAsync(at, options))).message, message('EnterCriticalSectionAsync'))
    assert.is((await rejects(one.whenFree(one.GetProcessHeap(), options))).message, message('whenFree'))
  }
})

later('a process with a schedule has no waits by a promise, and says so', async () => {
  const process = createProcess({ memory: 1024 * 1024, schedule: 'seeded:1', threads: 1 })
  const ce = process.thread
  const at = ce.LocalAlloc(0, 20)
  ce.InitializeCriticalSection(at)
  const message = 'expected a process whose threads run freely, got one with a schedule; there threads wait by EnterCriticalSection'
  assert.is((await rejects(ce.EnterCriticalSectionAsync(at))).message, `EnterCriticalSectionAsync: ${message}`)
  assert.is((await rejects(ce.whenFree(ce.GetProcessHeap()))).message, `whenFree: ${message}`)
  ce.EnterCriticalSection(at)
  ce.LeaveCriticalSection(at)
  process.close()
})

later('a thread with a wait under way cannot detach', async () => {
  const { one, two, at } = crew()
  one.EnterCriticalSection(at)
  const entering = two.EnterCriticalSectionAsync(at)
  refuses(() => two.detach(), TypeError, 'detach: expected a thread that waits for nothing, got one with a promise that is not settled')
  one.LeaveCriticalSection(at)
  await entering
  two.LeaveCriticalSection(at)
  two.detach()
})

later('it is recorded as the call that it stands for, once it is inside', async () => {
  const { process, one, at } = crew()
  const calls: unknown[] = []
  process.record({ write: ({ call, args }) => calls.push([call, ...args]) })
  await one.EnterCriticalSectionAsync(at)
  one.LeaveCriticalSection(at)
  assert.equal(
    calls,
    ['EnterCriticalSection', 'LeaveCriticalSection'].map((call) => [call, at])
  )
})

later('who is woken by a section that it does not take wakes the next one', async () => {
  const { one, two, at } = crew()
  const heap = one.GetProcessHeap()
  const record = recordOf(one.machine, heap)
  const { sys } = one.machine
  const [section = 0] = sectionRecords(one.machine)
  const stop = new AbortController()
  for (const [word, wait] of [
    [record, () => one.whenFree(heap)],
    [section, () => rejects(one.EnterCriticalSectionAsync(at, { signal: stop.signal }))]
  ] as const) {
    enter(two.machine, word, two.tid)
    const first = wait()
    // One that sleeps long, behind the first.
    const second = parkLater(sys, word, sys[word] as number, 10_000)
    if (word === section) stop.abort()
    leave(two.machine, word)
    await first
    assert.is(await second, true)
  }
})

later('a wake-up for a wait that was given up goes to the next one', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(4))
  const stop = new AbortController()
  const first = parkLater(cells, 0, 0, 10_000, stop.signal)
  const second = parkLater(cells, 0, 0, 10_000)
  stop.abort()
  assert.is(await first, false)
  wakeOne(cells, 0)
  assert.is(await second, true)
})

later('an owner that leaves and comes back begins the bound anew, though the word looks the same', async () => {
  const { waitAsync } = Atomics
  Object.defineProperty(Atomics, 'waitAsync', { value: undefined, configurable: true, writable: true })
  const clock = mock.timers
  clock.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    const { one, two, at } = crew(300)
    const pass = async (ms: number): Promise<void> => {
      clock.tick(ms)
      for (let n = 0; n < 20; n++) await undefined
    }
    one.EnterCriticalSection(at)
    let told: unknown = 'nothing'
    const waiting = two.EnterCriticalSectionAsync(at).then(
      () => (told = 'inside'),
      (error: unknown) => (told = error)
    )
    await pass(0)
    // Nearly the whole bound; then out and in again, and once more as long.
    for (let n = 0; n < 3; n++) {
      await pass(250)
      await pass(40)
      one.LeaveCriticalSection(at)
      one.EnterCriticalSection(at)
      await pass(5)
      assert.is(told, 'nothing', `time ${n + 1}`)
    }
    await pass(250)
    assert.is(told, 'nothing')
    await pass(50)
    assert.instance(told, LockTimeoutError)
    await waiting
    one.LeaveCriticalSection(at)
  } finally {
    clock.reset()
    Object.defineProperty(Atomics, 'waitAsync', { value: waitAsync, configurable: true, writable: true })
  }
})
later.run()
