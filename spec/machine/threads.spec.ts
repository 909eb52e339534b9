// Several JavaScript threads on one process: share() here, attachThread() there.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeProcess,
  createProcess,
  ERROR_INVALID_PARAMETER,
  type Finding,
  type ProcessOptions,
  type ShareToken
} from '../../src/index.ts'
import { cookieSize, verifyCookie } from './cookie.ts'
import { type Done, work } from './crew.ts'
import { SLOTS } from './hammer.ts'

const MB = 1024 * 1024

/** Waits for the workers and checks the process's invariants meanwhile, while they are at it. */
async function checked(process: CeProcess, workers: readonly Promise<Done>[]): Promise<Done[]> {
  let checks = 0
  const timer = setInterval(() => {
    process.check()
    checks++
  }, 3)
  try {
    const done = await Promise.all(workers)
    for (const { error } of done) assert.is(error, undefined)
    assert.ok(checks > 0, 'no check was made while they ran')
    return done
  } finally {
    clearInterval(timer)
  }
}

const hammering = suite('threads: four workers on one heap')

const heaps: readonly [string, ProcessOptions, number][] = [
  ['growable, segregated', { placement: 'segregated' }, 0],
  ['growable, next-fit', { placement: 'next-fit' }, 0],
  ['growable, debug build', { build: 'debug' }, 0],
  ['fixed, and often full', { placement: 'segregated' }, 64 * 1024],
  ['growable, short of physical memory', { placement: 'next-fit', physical: MB }, 0]
]

for (const [name, options, maximum] of heaps) {
  hammering(
    `leave it exact: contents, counts, invariants, and one free block a region when all is freed (HA-9, FL-1) [${name}]`,
    async () => {
      const process = createProcess({ memory: 16 * MB, ...options })
      const ce = process.thread
      const heap = ce.HeapCreate(0, 0, maximum)
      const shared = ce.HeapAlloc(ce.GetProcessHeap(), 8, SLOTS * 4)
      const jobs = [1, 2, 3, 4].map((seed) => work(process, { job: 'hammer', seed, rounds: 2500, heap, shared }))
      const done = await checked(process, jobs)

      const info = () => process.snapshot().heaps.find(({ handle }) => handle === heap)
      const left = done.flatMap((one) => [...one.left])
      for (let slot = 0; slot < SLOTS; slot++) {
        const p = ce.memory.readU32(shared + slot * 4)
        if (p !== 0) left.push([p, cookieSize(ce, p)])
      }
      assert.is(info()?.liveBlocks, left.length)
      assert.is(
        info()?.liveBytes,
        left.reduce((sum, [, size]) => sum + size, 0)
      )
      for (const [p, size] of left) {
        verifyCookie(ce, p, size)
        assert.is(ce.HeapFree(heap, 0, p), 1)
      }
      process.check()
      assert.is(info()?.liveBlocks, 0)
      assert.is(info()?.blocks.filter(({ state }) => state === 'free').length, info()?.regions.length)
      process.close()
    }
  )
}

hammering('make and end heaps beside each other: nothing is left over', async () => {
  const process = createProcess({ memory: 8 * MB })
  const before = process.snapshot()
  await checked(
    process,
    [1, 2, 3, 4].map((seed) => work(process, { job: 'heaps', seed, rounds: 300 }))
  )
  process.check()
  const after = process.snapshot()
  assert.is(after.heaps.length, 1)
  assert.is(after.heaps[0]?.liveBlocks, 0)
  assert.is(after.committed, before.committed)
  process.close()
})
hammering.run()

const errors = suite('threads: last errors and findings')

errors('each thread has its own last error, 0 at first (C-39)', async () => {
  const process = createProcess({ memory: MB })
  process.thread.SetLastError(77)
  const done = await Promise.all([1, 2, 3].map(() => work(process, { job: 'errors', rounds: 3000 })))
  for (const { error } of done) assert.is(error, undefined)
  assert.is(process.thread.GetLastError(), 77)
  const { threads } = process.snapshot()
  for (const { tid } of done) assert.is(threads.find(({ id }) => id === tid)?.lastError, tid)
})

errors("another thread's findings wait for drainFindings, in order, with that thread's id", async () => {
  const process = createProcess({ memory: MB })
  const findings: Finding[] = []
  const heap = process.thread.GetProcessHeap()
  const end = process.onFinding((finding) => findings.push(finding))
  const [one] = await Promise.all([work(process, { job: 'wrong', rounds: 3, heap })])
  assert.equal(findings, [])
  assert.is(process.drainFindings(), 0)
  assert.is(findings.length, 3)
  assert.ok(findings.every(({ rule, call, thread }) => rule === 'C-5' && call === 'HeapFree' && thread === one.tid))
  assert.equal(
    findings.map(({ message }) => message.match(/0x[0-9A-F]+/)?.[0]),
    ['0x00010000', '0x00010001', '0x00010002']
  )
  assert.is(process.drainFindings(), 0)
  assert.is(findings.length, 3, 'each is delivered once')
  end()
})

errors('findings that nobody drains are counted: 512 wait, the rest is lost', async () => {
  const process = createProcess({ memory: MB })
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  await work(process, { job: 'wrong', rounds: 600, heap: process.thread.GetProcessHeap() })
  assert.is(process.drainFindings(), 88)
  assert.is(findings.length, 512)
  assert.is(process.drainFindings(), 0, 'the count starts anew')
})

errors('check, snapshot and close drain too, and without a listener nothing is kept', async () => {
  const process = createProcess({ memory: MB })
  const heap = process.thread.GetProcessHeap()
  await work(process, { job: 'wrong', rounds: 5, heap })
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  process.check()
  assert.is(findings.length, 0, 'nobody listened when they were made')
  for (const drain of [() => process.check(), () => process.snapshot(), () => process.close()]) {
    const before = findings.length
    await work(process, { job: 'wrong', rounds: 2, heap })
    drain()
    assert.is(findings.length, before + 2)
  }
})
errors.run()

const joining = suite('threads: attachThread')

const process = createProcess({ memory: MB })
const token = process.share()
const other = createProcess({ memory: 2 * MB }).share()

/** The token with one part replaced. */
function forged(part: Record<string, unknown>): unknown {
  return { ...token, ...part }
}

const garbage: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['a string', 'token'],
  ['an empty object', {}],
  ['an array', []],
  ['the process itself', process],
  ['a token without memory', forged({ user: undefined })],
  ['a token whose memory is not shared', forged({ user: new ArrayBuffer(MB) })],
  ['a token with an empty system memory', forged({ system: new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }) })],
  ['a token whose system memory is blank', forged({ system: new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true }) })],
  ['a token with a plain buffer for system memory', forged({ system: new SharedArrayBuffer(MB) })],
  ["a token with another process's user memory", forged({ user: other.user })],
  ["a token with another process's system memory", forged({ system: other.system })],
  ['a token of another layout version', forged({ ceheap: 99 })],
  ['a token without a layout version', forged({ ceheap: undefined })]
]

for (const [name, value] of garbage) {
  joining(`refuses ${name} and says what it expected`, () => {
    const threads = process.snapshot().threads.length
    assert.throws(
      () => attachThread(value as ShareToken),
      (error: unknown) =>
        (error instanceof TypeError || error instanceof RangeError) &&
        /^attachThread: expected what process\.share\(\) gave/.test(error.message)
    )
    assert.is(process.snapshot().threads.length, threads)
  })
}

joining('a thread of the same JavaScript thread works like any other', () => {
  const ce = attachThread(token)
  assert.is(ce.tid, 2)
  const p = ce.HeapAlloc(ce.GetProcessHeap(), 0, 10)
  ce.memory.writeU8(p, 9)
  assert.is(process.thread.memory.readU8(p), 9)
  assert.is(process.thread.HeapFree(process.thread.GetProcessHeap(), 0, p), 1)
  assert.is(ce.HeapFree(ce.GetProcessHeap(), 0, p), 0)
  assert.is(ce.GetLastError(), ERROR_INVALID_PARAMETER)
  assert.is(process.thread.GetLastError(), 0)
  ce.detach()
  assert.equal(
    process.snapshot().threads.map(({ id }) => id),
    [1]
  )
})

joining('1,024 threads fit; the 1,025th is a RangeError until one has detached', () => {
  const crowded = createProcess({ memory: MB })
  const threads = Array.from({ length: 1023 }, () => attachThread(crowded.share()))
  assert.is(new Set(threads.map(({ tid }) => tid)).size, 1023)
  assert.throws(
    () => attachThread(crowded.share()),
    (error: unknown) => error instanceof RangeError && /1024 threads/.test(error.message)
  )
  threads[500]?.SetLastError(3)
  threads[500]?.detach()
  const again = attachThread(crowded.share())
  assert.is(again.tid, threads[500]?.tid)
  assert.is(again.GetLastError(), 0)
  assert.throws(() => attachThread(crowded.share()), RangeError)
  assert.is(crowded.snapshot().threads.length, 1024)
})

joining('the creating thread does not detach', () => {
  assert.throws(() => process.thread.detach(), /^detach: expected an attached thread/)
})

joining('a closed process takes no thread, and its threads make no call', async () => {
  const closing = createProcess({ memory: MB })
  const share = closing.share()
  const early = attachThread(share)
  const heap = closing.thread.GetProcessHeap()
  const running = [1, 2].map(() => work(closing, { job: 'untilClosed', heap }))
  await new Promise((go) => setTimeout(go, 100))
  closing.close()
  for (const { error } of await Promise.all(running)) assert.match(error ?? 'none', /^TypeError: .*closed/)
  assert.throws(() => early.HeapAlloc(heap, 0, 1), /closed/)
  assert.throws(() => attachThread(share), /^attachThread: expected an open process/)
  assert.throws(() => closing.share(), /closed/)
})

joining("HC-11: another process's heap is no heap here", () => {
  const one = createProcess({ memory: MB }).thread
  const two = createProcess({ memory: MB }).thread
  const heap = one.HeapCreate(0, 0, 0)
  const p = one.HeapAlloc(heap, 0, 100)
  assert.is(two.HeapAlloc(heap, 0, 100), 0)
  assert.is(two.GetLastError(), ERROR_INVALID_PARAMETER)
  assert.is(two.HeapFree(two.GetProcessHeap(), 0, p), 0)
  assert.is(one.HeapSize(heap, 0, p), 128)
})
joining.run()
