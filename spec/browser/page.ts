// What is tried in a page: its main thread, which may not park, and two workers, which may, on one heap and one section.
import type { CeProcess, CeThread } from '../../src/index.ts'
import { cookieSize, verifyCookie } from '../machine/cookie.ts'
import { generator, hammer, SLOTS } from '../machine/hammer.ts'
import { hands } from './crew.ts'
import { ADDS, CONTROL, library, SLICE, type Verdict } from './orders.ts'

const { CRITICAL_SECTION, createProcess, LockTimeoutError } = (await import(library)) as typeof import('../../src/index.ts')
const MB = 1024 * 1024

interface Scene {
  readonly process: CeProcess
  readonly ce: CeThread
  readonly section: number
  readonly counter: number
  readonly control: SharedArrayBuffer
}

function scene(lockTimeout = 30_000): Scene {
  const process = createProcess({ memory: 32 * MB, lockTimeout })
  const ce = process.thread
  const section = ce.LocalAlloc(0, CRITICAL_SECTION.size)
  ce.InitializeCriticalSection(section)
  const counter = ce.LocalAlloc(0x40, 4)
  return { process, ce, section, counter, control: new SharedArrayBuffer(CONTROL.WORDS * 4) }
}

function expect(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${what}: expected ${String(wanted)}, got ${String(got)}`)
}

/** Lets the page's other tasks run: messages of the workers, above all. */
function turn(): Promise<void> {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      go()
    }
    port2.postMessage(0)
  })
}

const cases: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'the page is isolated, and its main thread may not park',
    async () => {
      expect('crossOriginIsolated', globalThis.crossOriginIsolated, true)
      let parks = true
      try {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)
      } catch {
        parks = false
      }
      expect('Atomics.wait', parks, false)
    }
  ],
  [
    'main thread and two workers at one heap and one section at once: all is exact',
    async () => {
      const { process, ce, section, counter, control } = scene()
      const flags = new Int32Array(control)
      const heap = ce.HeapCreate(0, 0, 0)
      const shared = ce.HeapAlloc(ce.GetProcessHeap(), 8, SLOTS * 4)
      const crew = await hands(process, 2)
      const place = { rounds: 2000, heap, shared, section, counter, control }
      const works = crew.map((hand) => hand.tell({ order: 'hammer', seed: hand.tid, ...place }))
      const failed = Promise.race(works).then(() => {
        throw new Error('a worker was done before it was told to stop')
      })
      while (crew.some(({ tid }) => Atomics.load(flags, tid) === 0)) await Promise.race([turn(), failed])
      // From here to STOP all three are at it.
      const random = generator(1)
      const mine: [number, number][] = []
      let added = 0
      for (let slice = 0; slice < 20; slice++) {
        hammer(ce, { random, rounds: SLICE, heap, shared, mine })
        for (let n = 0; n < ADDS; n++) {
          ce.EnterCriticalSection(section)
          ce.memory.writeU32(counter, ce.memory.readU32(counter) + 1)
          ce.LeaveCriticalSection(section)
          added++
        }
        process.check()
        await Promise.race([turn(), failed])
      }
      failed.catch(() => {})
      Atomics.store(flags, CONTROL.STOP, 1)
      const done = await Promise.all(works)

      expect(
        'the counter',
        ce.memory.readU32(counter),
        done.reduce((sum, one) => sum + (one.added ?? 0), added)
      )
      const left = [...mine, ...done.flatMap((one) => [...(one.left ?? [])])]
      for (let slot = 0; slot < SLOTS; slot++) {
        const p = ce.memory.readU32(shared + slot * 4)
        if (p !== 0) left.push([p, cookieSize(ce, p)])
      }
      const info = () => process.snapshot().heaps.find(({ handle }) => handle === heap)
      expect('live blocks', info()?.liveBlocks, left.length)
      for (const [p, size] of left) {
        verifyCookie(ce, p, size)
        expect('HeapFree', ce.HeapFree(heap, 0, p), 1)
      }
      process.check()
      expect('live blocks at the end', info()?.liveBlocks, 0)
      expect('free blocks at the end', info()?.blocks.filter(({ state }) => state === 'free').length, info()?.regions.length)
      for (const hand of crew) await hand.end()
      process.close()
    }
  ],
  [
    'the main thread waits for a worker that holds the section, and goes on when it has left',
    async () => {
      const { process, ce, section, counter, control } = scene()
      const flags = new Int32Array(control)
      const [hand] = await hands(process, 1)
      if (hand === undefined) return
      const held = hand.tell({ order: 'holdUntil', section, counter, rounds: 200_000, control })
      while (Atomics.load(flags, hand.tid) === 0) await turn()
      expect('TryEnterCriticalSection', ce.TryEnterCriticalSection(section), 0)
      Atomics.store(flags, CONTROL.STOP, 1)
      Atomics.notify(flags, CONTROL.STOP)
      ce.EnterCriticalSection(section)
      expect('the counter', ce.memory.readU32(counter), 200_000)
      ce.LeaveCriticalSection(section)
      await held
      await hand.end()
      process.close()
    }
  ],
  [
    'the main thread waits in vain: a LockTimeoutError that names the owner, not a page that hangs',
    async () => {
      const { process, ce, section } = scene(50)
      const [hand] = await hands(process, 1)
      if (hand === undefined) return
      await hand.tell({ order: 'hold', section })
      let thrown: unknown
      try {
        ce.EnterCriticalSection(section)
      } catch (error) {
        thrown = error
      }
      if (!(thrown instanceof LockTimeoutError)) throw new Error(`expected a LockTimeoutError, got ${String(thrown)}`)
      expect('owner', thrown.owner, hand.tid)
      expect('waited', thrown.waited, 50)
      await hand.tell({ order: 'leave', section })
      ce.EnterCriticalSection(section)
      ce.LeaveCriticalSection(section)
      process.check()
      await hand.end()
      process.close()
    }
  ],
  [
    'the main thread enters by a promise, and the page goes on until the worker has left',
    async () => {
      const { process, ce, section } = scene()
      const [hand] = await hands(process, 1)
      if (hand === undefined) return
      await hand.tell({ order: 'hold', section })
      let entered = false
      const entering = ce.EnterCriticalSectionAsync(section).then(() => {
        entered = true
      })
      for (let n = 0; n < 10; n++) expect('the owner enters once more', (await hand.tell({ order: 'try', section })).entered, 1)
      expect('entered', entered, false)
      await hand.tell({ order: 'leave', section })
      await entering
      expect('the worker, while the main thread is inside', (await hand.tell({ order: 'try', section })).entered, 0)
      ce.LeaveCriticalSection(section)
      expect('the worker afterwards', (await hand.tell({ order: 'try', section })).entered, 1)
      await hand.end()
      process.close()
    }
  ],
  [
    'a promise that waits in vain is rejected, by its bound or by its signal, and the section is as it was',
    async () => {
      const { process, ce, section } = scene(50)
      const [hand] = await hands(process, 1)
      if (hand === undefined) return
      await hand.tell({ order: 'hold', section })
      const late = await ce.EnterCriticalSectionAsync(section).catch((error: unknown) => error)
      if (!(late instanceof LockTimeoutError)) throw new Error(`expected a LockTimeoutError, got ${String(late)}`)
      expect('owner', late.owner, hand.tid)
      const ending = new AbortController()
      const waiting = ce.EnterCriticalSectionAsync(section, { signal: ending.signal }).catch((error: unknown) => error)
      ending.abort('enough')
      expect('the reason', await waiting, 'enough')
      await hand.tell({ order: 'leave', section })
      await ce.EnterCriticalSectionAsync(section)
      expect('the worker, while the main thread is inside', (await hand.tell({ order: 'try', section })).entered, 0)
      ce.LeaveCriticalSection(section)
      expect('the worker afterwards', (await hand.tell({ order: 'try', section })).entered, 1)
      await hand.end()
      process.close()
    }
  ],
  [
    'promises of the main thread among the enters of two workers: none is lost',
    async () => {
      const { process, ce, section, counter } = scene()
      const crew = await hands(process, 2)
      const works = crew.map((hand) => hand.tell({ order: 'add', section, counter, rounds: 100_000 }))
      let added = 0
      for (; added < 300; added++) {
        await ce.EnterCriticalSectionAsync(section)
        const seen = ce.memory.readU32(counter)
        // The section is the thread's over turns of the page too.
        if (added % 10 === 0) await turn()
        ce.memory.writeU32(counter, seen + 1)
        ce.LeaveCriticalSection(section)
      }
      await Promise.all(works)
      expect('the counter', ce.memory.readU32(counter), 200_000 + added)
      process.check()
      for (const hand of crew) await hand.end()
      process.close()
    }
  ]
]

const verdicts: Verdict[] = []
for (const [name, run] of cases) {
  let error: string | undefined
  try {
    await run()
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  verdicts.push({ name, error })
}
Object.assign(globalThis, { verdicts })
