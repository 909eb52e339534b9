// Who dies inside a call: the finding, what process.workerEnded answers, and real workers that are terminated (the cuts, store by store, are in cut.spec.ts).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { batchOf, newToll, runBatch } from '../../fuzz/deaths.ts'
import { attachThread, type CeThread, createProcess, type Finding, LockTimeoutError, type ShareToken } from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave, TID } from '../../src/machine/section.ts'
import { joinThread, threadsOf } from '../../src/machine/threads.ts'
import { canPark } from '../../src/machine/wait.ts'
import { Cut, underScissors } from './scissors.ts'

const MB = 1024 * 1024

interface Scene {
  readonly process: ReturnType<typeof createProcess>
  readonly one: CeThread
  readonly two: CeThread
  readonly token: ShareToken
  readonly heap: number
  readonly findings: Finding[]
}

function scene(): Scene {
  const process = createProcess({ memory: MB, lockTimeout: 40 })
  const token = process.share()
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const one = process.thread
  return { process, one, two: attachThread(token), token, heap: one.HeapCreate(0, 0, 0), findings }
}

/** The second thread dies before the step `k` of a call. */
function dies({ two }: Scene, k: number, call: (ce: CeThread) => unknown): void {
  const scissors = underScissors(two)
  scissors.limit = k
  assert.throws(
    () => call(two),
    (error: unknown) => error instanceof Cut
  )
}

/** Steps of a call in a scene of its own. */
function stepsOf(call: (scene: Scene) => unknown): number {
  const twin = scene()
  const scissors = underScissors(twin.two)
  call(twin)
  return scissors.steps
}

const findings = suite('findings of the dead')

findings('C-92: name the thread, the call and the heap, and what became of the call', () => {
  const world = scene()
  const { process, token, heap, findings } = world
  // The last two steps leave the section and say that the block is handed out.
  dies(world, stepsOf((twin) => twin.two.HeapAlloc(twin.heap, 0, 100)) - 2, (ce) => ce.HeapAlloc(heap, 0, 100))
  assert.equal(process.workerEnded(token), [2])
  assert.equal(findings, [
    {
      rule: 'C-92',
      severity: 'error',
      call: 'HeapAlloc',
      thread: 2,
      message: `HeapAlloc: the thread ended inside the section of heap 0x${heap.toString(16).toUpperCase().padStart(8, '0')}, which is free now: the block that it had made and handed to nobody was freed`
    }
  ])
  process.check()
})

findings('C-92: a block whose making had not begun is no block that was freed', () => {
  const world = scene()
  const { process, token, heap, findings } = world
  dies(world, 1, (ce) => ce.HeapAlloc(heap, 0, 100))
  process.workerEnded(token)
  assert.match(findings[0]?.message ?? '', /: the call has changed nothing, or all that it was to change$/)
})

findings('C-92: a heap half made is gone', () => {
  const world = scene()
  const { process, token, findings } = world
  dies(world, 60, (ce) => ce.HeapCreate(0, 0, 0))
  process.workerEnded(token)
  assert.ok(findings.some(({ call, message }) => call === 'HeapCreate' && /being made or destroyed, is gone$/.test(message)))
  assert.is(process.snapshot().heaps.length, 2)
})

findings('C-92: the process section is one of them', () => {
  const world = scene()
  const { process, token, findings } = world
  dies(world, 8, (ce) => ce.VirtualAlloc(0, 0x10000, 0x2000, 4))
  process.workerEnded(token)
  assert.match(findings[0]?.message ?? '', /^VirtualAlloc: the thread ended inside the process section, which is free now/)
  assert.is(process.snapshot().reservations.length, 0)
})

findings("CS-6, C-84: a critical section of the program's is named by its address", () => {
  const { process, one, two, token, heap, findings } = scene()
  const section = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(section)
  two.EnterCriticalSection(section)
  assert.is(one.TryEnterCriticalSection(section), 0)
  process.workerEnded(token)
  assert.is(one.TryEnterCriticalSection(section), 1)
  const [found] = findings
  assert.is(found?.rule, 'CS-6')
  assert.is(found?.thread, 2)
  assert.match(
    found?.message ?? '',
    new RegExp(`^EnterCriticalSection: .*0x${section.toString(16).toUpperCase().padStart(8, '0')}, which is free now`)
  )
})

findings('C-92: the ring of findings itself comes free, and tells of that', () => {
  const { process, one, two, token, findings } = scene()
  enter(two.machine, HDR.RING_LOCK, two.tid)
  process.workerEnded(token)
  assert.is(one.machine.sys[HDR.RING_LOCK], 0)
  assert.equal(
    findings.map(({ rule, thread, message }) => [rule, thread, message]),
    [['C-92', 2, 'the thread ended inside the ring of findings, which is free now: what it had begun there is done or undone']]
  )
  process.check()
})

findings('C-92: of a time when nobody listened are kept for nobody', () => {
  const process = createProcess({ memory: MB })
  const token = process.share()
  const [two, three] = [attachThread(token), attachThread(process.share())]
  const heap = three.HeapCreate(0, 0, 0)
  assert.ok(cutIn(two, 12, () => two.HeapAlloc(heap, 0, 100)))
  enter(three.machine, HDR.LOCK, three.tid)
  assert.equal(process.workerEnded(token), [2])
  leave(three.machine, HDR.LOCK)
  assert.is.not(three.HeapAlloc(heap, 0, 10), 0, 'it mends the heap')
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  process.check()
  assert.equal(findings, [])
})
findings.run()

const ended = suite('process.workerEnded')

ended('ends what the token brought, once', () => {
  const { process, token, two } = scene()
  const again = attachThread(token)
  assert.equal(process.workerEnded(token), [two.tid, again.tid], 'a worker that attached twice')
  assert.equal(process.workerEnded(token), [])
  assert.equal(process.workerEnded(process.share()), [], 'one that never attached')
})

ended('leaves alone who has detached, and whoever got the id since', () => {
  const { process, token, two } = scene()
  two.detach()
  const heir = attachThread(process.share())
  assert.is(heir.tid, two.tid)
  assert.equal(process.workerEnded(token), [])
  assert.is.not(heir.HeapAlloc(heir.GetProcessHeap(), 0, 1), 0)
})

/** Another thread of the scene's does `act` and dies before its step `k`; false if it came to the end of it. */
function cutIn(ce: CeThread, k: number, act: () => unknown): boolean {
  const scissors = underScissors(ce)
  scissors.limit = k
  try {
    act()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  return scissors.cut
}

ended('finds who died while it attached or detached, wherever it was; its place is free', () => {
  for (const act of ['attach', 'detach']) {
    let k = 0
    for (let cut = true; cut; k++) {
      const { process, two, token } = scene()
      const other = process.share()
      cut = cutIn(two, k, () => (act === 'attach' ? joinThread(two.machine, other.ticket) : two.detach()))
      const told = process.workerEnded(act === 'attach' ? other : token)
      if (act === 'attach') assert.equal(told, cut ? [] : [3], `one that was not attached yet is no thread, step ${k}`)
      assert.is(attachThread(process.share()).tid, act === 'attach' ? 3 : 2, `${act}, step ${k}`)
    }
    assert.ok(k > 1)
  }
})

ended('takes nobody for the thread whose place it gets, not even while it attaches', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, two, token } = scene()
    const three = attachThread(process.share())
    two.detach()
    const { ticket } = process.share()
    cut = cutIn(three, k, () => joinThread(three.machine, ticket))
    assert.equal(process.workerEnded(token), [], `step ${k}`)
    if (!cut) assert.equal(threadsOf(process.thread.machine, ticket), [2])
  }
})

ended("refuses another process's token, and what is none", () => {
  const { process } = scene()
  for (const wrong of [createProcess({ memory: MB }).share(), undefined, null, {}, 5])
    assert.throws(() => process.workerEnded(wrong as ShareToken), /^workerEnded: token: expected what share\(\) of this process gave/)
})

ended('where nobody tells of the death, a wait ends with the name of the owner', () => {
  const world = scene()
  const { process, one, token, heap } = world
  dies(world, 12, (ce) => ce.HeapAlloc(heap, 0, 100))
  assert.throws(
    () => one.HeapAlloc(heap, 0, 1),
    (error: unknown) => error instanceof LockTimeoutError && error.owner === 2 && error.waited === 40
  )
  process.workerEnded(token)
  assert.is.not(one.HeapAlloc(heap, 0, 1), 0)
})

ended('takes from nobody a block that another thread got before the burial was over', () => {
  for (let k = 1; k < 30; k++) {
    const world = scene()
    const { process, one, token, heap } = world
    const third = attachThread(process.share())
    const scissors = underScissors(world.two)
    scissors.limit = k
    try {
      world.two.HeapAlloc(heap, 0, 100)
      break
    } catch (error) {
      if (!(error instanceof Cut)) throw error
    }
    // As soon as the heap's section is free again the third thread takes the very granules that the dead one was after.
    const got: number[] = []
    const { give } = one.machine
    const eager = (address: number): number => {
      const seen = give(address)
      if (address >>> 2 === recordOf(one.machine, heap) && got.length === 0) got.push(third.HeapAlloc(heap, 0, 100))
      return seen
    }
    Object.assign(one.machine, { give: eager })
    process.workerEnded(token)
    Object.assign(one.machine, { give })
    for (const pointer of got) assert.is(third.HeapFree(heap, 0, pointer), 1, `cut before step ${k}`)
    process.check()
  }
})

ended('undoes what nobody heard of though somebody else is at work in the heap', () => {
  const world = scene()
  const { process, one, token, heap } = world
  const third = attachThread(process.share())
  // Outside the section already: only the last store is missing, by which the block is handed out.
  dies(world, stepsOf((twin) => twin.two.HeapAlloc(twin.heap, 0, 100)) - 1, (ce) => ce.HeapAlloc(heap, 0, 100))
  const record = recordOf(one.machine, heap)
  enter(third.machine, record, third.tid)
  assert.ok(canPark())
  const { wait } = Atomics
  const leaving = (): string => {
    leave(third.machine, record)
    return 'ok'
  }
  Object.defineProperty(Atomics, 'wait', { value: leaving, configurable: true, writable: true })
  try {
    process.workerEnded(token)
  } finally {
    Object.defineProperty(Atomics, 'wait', { value: wait, configurable: true, writable: true })
  }
  assert.is(process.snapshot().heaps.find(({ handle }) => handle === heap)?.liveBytes, 0)
  process.check()
})

ended('ends a heap that was being destroyed before its maker had come back', () => {
  const world = scene()
  const { process, one, token } = world
  const { give } = one.machine
  let heap = 0
  const eager = (address: number): number => {
    const seen = give(address)
    if (address >>> 2 === HDR.LOCK && heap === 0) {
      heap = -1
      heap = process.snapshot().heaps.at(-1)?.handle ?? 0
      dies(world, 8, (ce) => ce.HeapDestroy(heap))
    }
    return seen
  }
  Object.assign(one.machine, { give: eager })
  assert.is(one.HeapCreate(0, 0, 0), heap)
  Object.assign(one.machine, { give })
  process.workerEnded(token)
  assert.is(recordOf(one.machine, one.HeapCreate(0, 0, 0)), recordOf(one.machine, heap))
  process.check()
})

ended('waits for no thread that may be dead as well: what is behind its section is mended later, the process heap too', () => {
  for (const isOwn of [true, false]) {
    const world = scene()
    const { process, one, token, findings } = world
    const heap = isOwn ? world.heap : one.GetProcessHeap()
    const other = process.share()
    const third = attachThread(other)
    const p = one.HeapAlloc(heap, 0, 50)
    dies(world, 12, (ce) => ce.HeapAlloc(heap, 0, 100))
    enter(third.machine, HDR.LOCK, third.tid)
    assert.equal(process.workerEnded(token), [2])
    assert.equal(process.workerEnded(other), [3])
    assert.is(one.HeapFree(heap, 0, p), 1)
    process.check()
    assert.equal(
      findings.map(({ thread, message }) => [thread, /inside (.*?), which/.exec(message)?.[1]]),
      [
        [3, 'the process section'],
        [2, `the section of heap 0x${heap.toString(16).toUpperCase().padStart(8, '0')}`]
      ]
    )
  }
})
ended('C-92, CS-6: only heaps are mended inside the process section: all else comes free at once, whoever is in there', () => {
  const { process, one, two, token, heap, findings } = scene()
  const third = attachThread(process.share())
  const section = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(section)
  two.EnterCriticalSection(section)
  enter(two.machine, HDR.SPY_LOCK, two.tid)
  enter(third.machine, HDR.LOCK, third.tid)
  assert.equal(process.workerEnded(token), [2])
  process.drainFindings()
  assert.equal(
    findings.map(({ rule, call, message }) => [rule, call, /inside (.*), which/.exec(message)?.[1]]),
    [
      ['CS-6', 'EnterCriticalSection', `the critical section 0x${section.toString(16).toUpperCase().padStart(8, '0')}`],
      ['C-92', '', "the task allocator's section"]
    ]
  )
  assert.is(one.machine.sys[HDR.SPY_LOCK], 0)
  assert.is((one.machine.sys[HDR.LOCK] as number) & TID, third.tid)
  leave(third.machine, HDR.LOCK)
  process.check()
})
ended.run()

const terminated = suite('workers terminated at random moments')

for (let seed = 1; seed <= 32; seed++) {
  const batch = batchOf(seed, 4)
  terminated(
    `leave nothing behind and take nothing away [seed ${seed}: ${batch.placement}, ${batch.build}${batch.plain ? ', plain path' : ''}]`,
    async () => {
      const toll = newToll()
      await runBatch(batch, toll)
      assert.is(toll.deaths, 4)
    }
  )
}
terminated.run()
