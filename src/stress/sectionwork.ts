import { HEAP_ZERO_MEMORY } from '../constants.ts'
import type { CeThread } from '../coredll/thread.ts'
import { must } from './heapwork.ts'
import { smallSize } from './sizes.ts'
import type { Context, Workload } from './workload.ts'

/** Room for a CRITICAL_SECTION. */
const SECTION = 32

/**
 * What the threads of a workload share: one block of the process heap.
 *
 *   | sections, 32 bytes each | words ... |
 */
interface Shared {
  readonly heap: number
  readonly sections: readonly number[]
  /** Address of the words behind the sections. */
  readonly words: number
}

function share(ce: CeThread, sections: number, words: number): Shared {
  const at = ce.HeapAlloc(ce.GetProcessHeap(), HEAP_ZERO_MEMORY, sections * SECTION + words * 4)
  must(at !== 0, 'the process heap has no room for what the threads share')
  const list = Array.from({ length: sections }, (_, n) => at + n * SECTION)
  for (const section of list) ce.InitializeCriticalSection(section)
  return { heap: ce.HeapCreate(0, 0, 0), sections: list, words: at + sections * SECTION }
}

function unshare(ce: CeThread, { heap, sections }: Shared): void {
  for (const section of sections) ce.DeleteCriticalSection(section)
  must(ce.HeapDestroy(heap) === 1, 'HeapDestroy refused a live heap')
  must(ce.HeapFree(ce.GetProcessHeap(), 0, sections[0] as number) === 1, 'HeapFree refused what the threads shared')
}

function inside<T>(ce: CeThread, section: number, act: () => T): T {
  ce.EnterCriticalSection(section)
  const result = act()
  ce.LeaveCriticalSection(section)
  return result
}

/** A block in shared memory: its address and its size, two words; 0 and 0 for none. */
interface Message {
  readonly address: number
  readonly bytes: number
}

const NOTHING: Message = { address: 0, bytes: 0 }

function read(ce: CeThread, at: number): Message {
  return { address: ce.memory.readU32(at), bytes: ce.memory.readU32(at + 4) }
}

function write(ce: CeThread, at: number, { address, bytes }: Message): void {
  ce.memory.writeU32(at, address)
  ce.memory.writeU32(at + 4, bytes)
}

function make({ ce, data, random, cookie }: Context<Shared>): Message {
  const bytes = smallSize(random)
  const address = ce.HeapAlloc(data.heap, 0, bytes)
  if (address === 0) return NOTHING
  cookie.write(address, bytes)
  return { address, bytes }
}

function end({ ce, data, cookie }: Context<Shared>, { address, bytes }: Message): void {
  if (address === 0) return
  cookie.verify(address, bytes)
  must(ce.HeapFree(data.heap, 0, address) === 1, 'HeapFree refused a live block')
}

/** Places of the queue; its first and its count stand in two words before them. */
const QUEUE = 16

export const producerConsumer: Workload<Shared> = {
  name: 'producer-consumer',
  description: 'blocks travel through a queue under a critical section: half of the threads fill it, the others empty it and free',
  setup: (ce) => share(ce, 1, 2 + QUEUE * 2),
  run(context) {
    const { ce, data, thread, threads, more } = context
    const [section = 0] = data.sections
    const [first, count, places] = [data.words, data.words + 4, data.words + 8]
    let balance = 0
    for (let turn = thread; more(); turn += threads === 1 ? 1 : 0) {
      const message = turn % 2 === 0 ? make(context) : NOTHING
      const back = inside(ce, section, () => {
        const [head, length] = [ce.memory.readU32(first), ce.memory.readU32(count)]
        if (turn % 2 === 0) {
          if (length === QUEUE || message.address === 0) return message
          write(ce, places + ((head + length) % QUEUE) * 8, message)
          ce.memory.writeU32(count, length + 1)
          balance++
          return NOTHING
        }
        if (length === 0) return NOTHING
        const found = read(ce, places + head * 8)
        ce.memory.writeU32(first, (head + 1) % QUEUE)
        ce.memory.writeU32(count, length - 1)
        balance--
        return found
      })
      end(context, back)
    }
    return balance
  },
  finish(ce, data, results) {
    const [head, length] = [ce.memory.readU32(data.words), ce.memory.readU32(data.words + 4)]
    const left = (results as number[]).reduce((sum, one) => sum + one, 0)
    must(left === length, `${left} messages are on their way, ${length} are in the queue`)
    for (let n = 0; n < length; n++) ce.HeapFree(data.heap, 0, read(ce, data.words + 8 + ((head + n) % QUEUE) * 8).address)
    unshare(ce, data)
  }
}

/** Slots that blocks are exchanged through, and the sections that guard a share of them each. */
const SLOTS = 32
const GUARDS = 4

export const bleeding: Workload<Shared> = {
  name: 'bleeding',
  description: 'as in the larson benchmark: threads replace random blocks of a common table, so that most are freed by another thread',
  setup: (ce) => share(ce, GUARDS, SLOTS * 2),
  run(context) {
    const { ce, data, random, more } = context
    while (more()) {
      const slot = random(SLOTS)
      const fresh = make(context)
      const old = inside(ce, data.sections[slot % GUARDS] as number, () => {
        const found = read(ce, data.words + slot * 8)
        write(ce, data.words + slot * 8, fresh)
        return found
      })
      end(context, old)
    }
  },
  finish(ce, data) {
    for (let slot = 0; slot < SLOTS; slot++) {
      const { address } = read(ce, data.words + slot * 8)
      if (address !== 0) must(ce.HeapFree(data.heap, 0, address) === 1, 'HeapFree refused a live block')
    }
    unshare(ce, data)
  }
}

/** Sections that are entered inside each other, always in this order. */
const NESTED = 3

export const recursion: Workload<Shared> = {
  name: 'recursion',
  description:
    'critical sections entered several times over and inside each other, around heap calls and counters that only they keep exact',
  setup: (ce) => share(ce, NESTED, NESTED),
  run(context) {
    const { ce, data, random, more } = context
    const counts = new Array<number>(NESTED).fill(0)
    const nest = (from: number): void => {
      for (let at = from; at < NESTED; at++) {
        const section = data.sections[at] as number
        const times = 1 + random(3)
        if (random(3) === 0) {
          if (ce.TryEnterCriticalSection(section) === 0) continue
        } else ce.EnterCriticalSection(section)
        for (let time = 1; time < times; time++) ce.EnterCriticalSection(section)
        const counter = data.words + at * 4
        const seen = ce.memory.readU32(counter)
        if (random(2) === 0) nest(at + 1)
        end(context, make(context))
        ce.memory.writeU32(counter, seen + 1)
        counts[at] = (counts[at] as number) + 1
        for (let time = 0; time < times; time++) ce.LeaveCriticalSection(section)
      }
    }
    while (more()) nest(random(NESTED))
    return counts
  },
  finish(ce, data, results) {
    for (let at = 0; at < NESTED; at++) {
      const expected = (results as number[][]).reduce((sum, counts) => sum + (counts[at] as number), 0)
      const found = ce.memory.readU32(data.words + at * 4)
      must(found === expected, `a counter that a critical section guards is ${found}, expected ${expected}`)
    }
    unshare(ce, data)
  }
}
