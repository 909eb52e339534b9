// What the specs of schedules run in real workers: one part a worker; its calls, its result or its error by message.
import { parentPort, workerData } from 'node:worker_threads'
import { attachThread, type CallRecord, type CeThread, type ShareToken } from '../../src/index.ts'

export interface Part {
  readonly token: ShareToken
  readonly part: PartName
  readonly seed: number
  readonly rounds: number
  readonly heap: number
  /** Address of what the threads share. */
  readonly shared: number
  /** Addresses of critical sections. */
  readonly sections: readonly number[]
}

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Play = (ce: CeThread, part: Part) => unknown

/** Allocates, frees, resizes; leaves what it holds. */
const churn: Play = (ce, { seed, rounds, heap }) => {
  const random = generator(seed)
  const mine: number[] = []
  for (let n = 0; n < rounds; n++) {
    const choice = random(100)
    if (choice < 50 || mine.length === 0) mine.push(ce.HeapAlloc(heap, 0, 1 + random(random(8) === 0 ? 20_000 : 200)))
    else if (choice < 80) ce.HeapFree(heap, 0, mine.splice(random(mine.length), 1)[0] as number)
    else if (choice < 90) {
      const at = random(mine.length)
      const moved = ce.HeapReAlloc(heap, 0, mine[at] as number, 1 + random(400))
      if (moved !== 0) mine[at] = moved
    } else if (choice < 95) ce.HeapValidate(heap, 0, 0)
    else ce.HeapDestroy(ce.HeapCreate(0, 0, random(2) * 0x10000))
  }
  return mine
}

/** Adds to a counter inside a section, entered twice. */
const count: Play = (ce, { rounds, shared, sections: [section = 0] }) => {
  for (let n = 0; n < rounds; n++) {
    ce.EnterCriticalSection(section)
    ce.EnterCriticalSection(section)
    ce.memory.writeU32(shared, ce.memory.readU32(shared) + 1)
    ce.LeaveCriticalSection(section)
    ce.LeaveCriticalSection(section)
  }
  return undefined
}

/** Adds to a counter, but leaves the section between reading and writing. */
const race: Play = (ce, { rounds, shared, sections: [section = 0] }) => {
  for (let n = 0; n < rounds; n++) {
    ce.EnterCriticalSection(section)
    const seen = ce.memory.readU32(shared)
    ce.LeaveCriticalSection(section)
    ce.memory.writeU32(shared, seen + 1)
  }
  return undefined
}

/** Enters its sections in their order, and leaves them. */
const nest: Play = (ce, { rounds, sections }) => {
  for (let n = 0; n < rounds; n++) {
    for (const section of sections) ce.EnterCriticalSection(section)
    for (const section of [...sections].reverse()) ce.LeaveCriticalSection(section)
  }
  return undefined
}

/** Tries until it gets in; says how often it did not. */
const insist: Play = (ce, { rounds, shared, sections: [section = 0] }) => {
  let refused = 0
  for (let n = 0; n < rounds; n++) {
    while (ce.TryEnterCriticalSection(section) === 0) refused++
    const seen = ce.memory.readU32(shared)
    // A point while it is inside.
    ce.HeapSize(ce.GetProcessHeap(), 0, shared)
    ce.memory.writeU32(shared, seen + 1)
    ce.LeaveCriticalSection(section)
  }
  return refused
}

/** Uses a heap until it is gone, as the one with the highest seed makes it go. */
const destroy: Play = (ce, { seed, rounds, heap }) => {
  let refused = 0
  for (let n = 0; n < rounds; n++) if (ce.HeapAlloc(heap, 0, 100) === 0) refused++
  return seed === 1 ? ce.HeapDestroy(heap) : refused
}

/** Makes one call and ends without detaching. */
const vanish: Play = (ce, { heap }) => {
  ce.HeapAlloc(heap, 0, 100)
  process.exit(0)
}

/** Marks that it has made a call, then runs on for ever without another. */
const busy: Play = (ce, { heap, sections: [section] }) => {
  if (section !== undefined) ce.EnterCriticalSection(section)
  ce.HeapAlloc(heap, 0, 100)
  parentPort?.postMessage('mark')
  for (;;);
}

/** Anything that shares something, in an order drawn from the seed; counts its rounds in a word of its own, and takes some time for each. */
const mixed: Play = (ce, { seed, rounds, heap, shared, sections }) => {
  const words = new Int32Array(ce.memory.bytes.buffer)
  const random = generator(seed)
  const mine: number[] = []
  const held: number[] = []
  for (let n = 0; n < rounds; n++) {
    Atomics.store(words, shared / 4 + 16 + ce.tid, n + 1)
    for (let turn = 0; turn < 10_000; turn++) Atomics.load(words, 0)
    const choice = random(100)
    const section = sections[random(sections.length)] as number
    if (choice < 25) mine.push(ce.HeapAlloc(heap, 0, 1 + random(random(8) === 0 ? 20_000 : 200)))
    else if (choice < 40 && mine.length > 0) ce.HeapFree(heap, 0, mine.splice(random(mine.length), 1)[0] as number)
    else if (choice < 50) ce.SetLastError(n)
    else if (choice < 52) ce.HeapDestroy(ce.HeapCreate(0, 0, random(2) * 0x10000))
    else if (choice < 54) ce.VirtualFree(ce.VirtualAlloc(0, 0x1000, 0x3000, 4), 0, 0x8000)
    else if (choice < 70 && held.length > 0) ce.LeaveCriticalSection(held.pop() as number)
    else if (choice < 76) {
      if (ce.TryEnterCriticalSection(section) !== 0) held.push(section)
    } else if (held.length === 0 || held.every((one) => one <= section)) {
      // In the order of their addresses: nobody waits for ever.
      ce.EnterCriticalSection(section)
      held.push(section)
    }
  }
  for (const section of held) ce.LeaveCriticalSection(section)
  return mine
}

/** Enters a section, marks that, and goes on to another call when the first thread says so. */
const paused: Play = (ce, { heap, shared, sections: [section = 0] }) => {
  ce.EnterCriticalSection(section)
  parentPort?.postMessage('mark')
  while (Atomics.load(ce.memory.bytes, shared + 32) === 0);
  return ce.HeapAlloc(heap, 0, 100)
}

/** Enters a section and stays in it, making calls, until the first thread says so. */
const holds: Play = (ce, { heap, shared, sections: [section = 0] }) => {
  ce.EnterCriticalSection(section)
  while (Atomics.load(ce.memory.bytes, shared + 32) === 0) ce.HeapSize(heap, 0, 0)
  ce.LeaveCriticalSection(section)
}

/** Enters a section, marks that, and makes calls on two heaps in turns before it leaves. */
const fills: Play = (ce, { rounds, heap, sections: [section = 0] }) => {
  ce.EnterCriticalSection(section)
  parentPort?.postMessage('mark')
  const other = ce.GetProcessHeap()
  for (let n = 0; n < rounds; n++) ce.HeapSize(n % 2 === 0 ? heap : other, 0, 0)
  ce.LeaveCriticalSection(section)
}

const fails: Play = (ce, { heap }) => {
  ce.HeapAlloc(heap, 0, 100)
  throw new Error('planted')
}

/** Throws inside of a section that the others want. */
const drops: Play = (ce, { heap, sections: [section = 0] }) => {
  ce.EnterCriticalSection(section)
  ce.HeapAlloc(heap, 0, 100)
  throw new Error('planted')
}

/** Detaches without a call. */
const nothing: Play = () => undefined

export type PartName =
  | 'churn'
  | 'count'
  | 'race'
  | 'nest'
  | 'insist'
  | 'destroy'
  | 'vanish'
  | 'busy'
  | 'paused'
  | 'holds'
  | 'fills'
  | 'fails'
  | 'drops'
  | 'nothing'
  | 'mixed'
const parts: Record<PartName, Play> = {
  churn,
  count,
  race,
  nest,
  insist,
  destroy,
  vanish,
  busy,
  paused,
  holds,
  fills,
  fails,
  drops,
  nothing,
  mixed
}

if (parentPort !== null) {
  const part = workerData as Part
  const calls: CallRecord[] = []
  let tid = 0
  try {
    const ce = attachThread(part.token)
    tid = ce.tid
    ce.record({ write: (call) => calls.push(call) })
    const value = parts[part.part](ce, part)
    ce.detach()
    parentPort.postMessage({ tid, calls, value, error: undefined })
  } catch (error) {
    parentPort.postMessage({ tid, calls, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
  }
}
