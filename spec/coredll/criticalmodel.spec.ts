// Any calls on critical sections by any thread, in any order, beside a naive model: who owns what how often, and what each structure names.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { attachThread, type CeThread, CRITICAL_SECTION, createProcess, HEAP_ZERO_MEMORY } from '../../src/index.ts'

const PLACES = 4
const THREADS = 3

const kinds = ['Initialize', 'Enter', 'Try', 'Leave', 'Delete', 'copy', 'wild'] as const

interface Step {
  readonly kind: (typeof kinds)[number]
  readonly thread: number
  readonly place: number
  /** Where a copy comes from; the byte of a wild write. */
  readonly other: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...kinds.slice(0, 5)) }, { weight: 1, arbitrary: fc.constantFrom(...kinds) }),
  thread: fc.nat(THREADS - 1),
  place: fc.nat(PLACES - 1),
  other: fc.nat(PLACES - 1)
})

interface Section {
  readonly name: number
  owner: number
  count: number
}

/** What a call must answer: the rules of its findings, and TryEnter's result. */
interface Expected {
  readonly rules: readonly string[]
  readonly result?: number
  /** The section that the call worked on, whose owner and count the structure must show. */
  readonly shows?: Section
}

class Model {
  readonly live: (Section | undefined)[] = Array.from({ length: PLACES }, () => undefined)
  /** The name that stands in each structure; 0 for none, negative for no section's. */
  readonly names: number[] = Array.from({ length: PLACES }, () => 0)
  #made = 0

  /** Whether Enter would wait. */
  waits({ thread, place }: Step): boolean {
    const section = this.live[place]
    return section !== undefined && section.count > 0 && section.owner !== thread
  }

  run(step: Step): Expected {
    const { kind, thread, place, other } = step
    if (kind === 'copy') this.names[place] = this.names[other] as number
    if (kind === 'wild') this.names[place] = -1
    if (kind === 'copy' || kind === 'wild') return { rules: [] }
    const section = this.live[place]
    const held = this.waits(step)
    if (kind === 'Initialize') {
      if (held) return { rules: ['C-80'] }
      const made = { name: ++this.#made, owner: -1, count: 0 }
      this.live[place] = made
      this.names[place] = made.name
      return { rules: section === undefined ? [] : ['C-81'], shows: made }
    }
    if (section === undefined) {
      const copied = this.live.some((one) => one?.name === this.names[place])
      return { rules: [copied ? 'C-77' : 'C-76'], result: 0 }
    }
    const mended = this.names[place] === section.name ? [] : ['C-78']
    this.names[place] = section.name
    const own = section.count > 0 && section.owner === thread
    switch (kind) {
      case 'Enter':
      case 'Try':
        if (held) return { rules: mended, result: 0 }
        section.owner = thread
        section.count++
        return { rules: mended, result: 1, shows: section }
      case 'Leave':
        if (!own) return { rules: [...mended, 'C-79'] }
        section.count--
        return { rules: mended, shows: section }
      case 'Delete':
        if (held) return { rules: [...mended, 'C-80'] }
        this.live[place] = undefined
        this.names[place] = 0
        return { rules: own ? [...mended, 'C-80'] : mended }
    }
  }
}

function compare(steps: readonly Step[], odd: number): void {
  const process = createProcess({ memory: 256 * 1024, lockTimeout: 1000 })
  const threads = [process.thread, ...Array.from({ length: THREADS - 1 }, () => attachThread(process.share()))]
  const rules: string[] = []
  for (const thread of threads) thread.onFinding(({ rule }) => rules.push(rule))
  const { memory } = process.thread
  const room = process.thread.HeapAlloc(process.thread.GetProcessHeap(), HEAP_ZERO_MEMORY, PLACES * 20 + 4) + odd
  const model = new Model()
  steps.forEach((step, n) => {
    const at = room + step.place * 20
    const ce = threads[step.thread] as CeThread
    // An Enter that would wait has nobody here to wait for.
    const kind = step.kind === 'Enter' && model.waits(step) ? 'Try' : step.kind
    const expected = model.run({ ...step, kind })
    let result: number | undefined
    if (kind === 'copy') memory.copy(at, room + step.other * 20, 20)
    else if (kind === 'wild') memory.fill(at, step.other * 85, 20)
    else if (kind === 'Try') result = ce.TryEnterCriticalSection(at)
    else ce[`${kind}CriticalSection`](at)
    const found = rules.splice(0).filter((rule) => rule !== 'C-63')
    const told = `step ${n + 1}: ${JSON.stringify({ ...step, kind })}`
    assert.equal(found, expected.rules, told)
    if (kind === 'Try') assert.is(result, expected.result, told)
    if (expected.shows === undefined) return
    const { LockCount, OwnerThread } = CRITICAL_SECTION.read(memory, at)
    const { owner, count } = expected.shows
    assert.equal({ LockCount, OwnerThread }, { LockCount: count, OwnerThread: count === 0 ? 0 : owner + 1 }, told)
  })
  process.check()
  const live = process.snapshot().sections.map(({ address }) => (address - room) / 20)
  assert.equal(
    live.sort(),
    [...model.live.keys()].filter((place) => model.live[place] !== undefined)
  )
  // Once each thread has left what it owns, all are free.
  for (const [place, section] of model.live.entries()) {
    for (; section !== undefined && section.count > 0; section.count--) threads[section.owner]?.LeaveCriticalSection(room + place * 20)
    if (section !== undefined)
      for (const ce of threads.slice(1)) assert.is(ce.TryEnterCriticalSection(room + place * 20), ce === threads[1] ? 1 : 0)
  }
  process.check()
}

const model = suite('critical sections beside a model')
let steps = 0

model('CS-1 to CS-5, C-75 to C-81: every finding, every answer, every owner and count is the model’s, aligned or not', () => {
  property(
    'coredll/criticalmodel',
    fc.tuple(fc.array(step, { minLength: 1, maxLength: 300, size: 'max' }), fc.nat(3)),
    ([list, odd]) => {
      compare(list, odd)
      steps += list.length
    },
    { runs: 150, within: 20_000 }
  )
})

model('about 20,000 steps were compared', () => {
  assert.ok(steps > 8_000 || process.env.CEHEAP_PATH, String(steps))
})

model.run()
