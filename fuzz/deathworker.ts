// A worker that is going to be terminated: any calls in any order, and a ledger of what it has, kept so that another thread can read it after its death.
import { workerData } from 'node:worker_threads'
import { attachThread, HEAP_ZERO_MEMORY, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, type ShareToken } from '../src/index.ts'
import { COLD } from '../src/machine/machine.ts'

/**
 * The ledger: | DOING | SLOT | BYTES | OWN_HEAP | PAGES | GOT | 2 spare | 64 times POINTER, BYTES |
 *
 * DOING tells what the worker is at; what it got is written down first, as GOT in the very statement that calls, and DOING cleared last: so one
 * thing at most is unknown, and only if the worker died between a call's last step and the store after it.
 */
export const LEDGER = { DOING: 0, SLOT: 1, BYTES: 2, OWN_HEAP: 3, PAGES: 4, GOT: 5, SLOTS: 8 } as const
export const SLOTS = 64
export const LEDGER_WORDS: number = LEDGER.SLOTS + 2 * SLOTS

export const IDLE = 0
export const ALLOCATES = 1
export const FREES = 2
export const RESIZES = 3
/** The block of the slot is there and being filled. */
export const FILLS = 4
export const MAKES_HEAP = 5
export const ENDS_HEAP = 6
export const RESERVES = 7
export const RELEASES = 8

export interface Doomed {
  readonly token: ShareToken
  readonly ledger: SharedArrayBuffer
  readonly heap: number
  readonly seed: number
  /** Without the hot path, whose WebAssembly a termination cannot cut. */
  readonly plain: boolean
}

export function patternAt(slot: number, bytes: number, at: number): number {
  return (slot * 31 + bytes * 7 + at * 13) & 0xff
}

function run({ token, ledger, heap, seed, plain }: Doomed): never {
  const words = new Int32Array(ledger)
  const ce = attachThread(token)
  if (plain) ce.machine.goBy(COLD)
  let state = seed >>> 0
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const size = (): number => (random(24) === 0 ? 20_000 + random(100_000) : random(1 << (3 + random(9))))
  const fill = (slot: number, pointer: number, bytes: number): void => {
    words[LEDGER.DOING] = FILLS
    const at = LEDGER.SLOTS + 2 * slot
    words[at + 1] = bytes
    words[at] = pointer
    for (let n = 0; n < bytes; n++) ce.memory.bytes[pointer + n] = patternAt(slot, bytes, n)
    words[LEDGER.DOING] = IDLE
  }
  const begin = (what: number, slot: number, bytes: number): void => {
    words[LEDGER.GOT] = 0
    words[LEDGER.SLOT] = slot
    words[LEDGER.BYTES] = bytes
    words[LEDGER.DOING] = what
  }
  const onSlot = (slot: number): void => {
    const at = LEDGER.SLOTS + 2 * slot
    const pointer = words[at] as number
    const bytes = size()
    if (pointer === 0) {
      begin(ALLOCATES, slot, bytes)
      const flags = random(3) === 0 ? HEAP_ZERO_MEMORY : 0
      words[LEDGER.GOT] = ce.HeapAlloc(heap, flags, bytes)
      const p = words[LEDGER.GOT] as number
      if (p !== 0) fill(slot, p, bytes)
    } else if (random(2) === 0) {
      begin(FREES, slot, 0)
      if (ce.HeapFree(heap, 0, pointer) !== 1) throw new Error('a live block could not be freed')
      words[at] = 0
    } else {
      begin(RESIZES, slot, bytes)
      words[LEDGER.GOT] = ce.HeapReAlloc(heap, 0, pointer, bytes)
      const p = words[LEDGER.GOT] as number
      if (p !== 0) fill(slot, p, bytes)
    }
    words[LEDGER.DOING] = IDLE
  }
  const onHeap = (): void => {
    const own = words[LEDGER.OWN_HEAP] as number
    if (own === 0) {
      begin(MAKES_HEAP, 0, 0)
      const [initial, maximum] = [random(3) * 4096, random(2) * 0x10000]
      words[LEDGER.OWN_HEAP] = ce.HeapCreate(0, initial, maximum)
      for (let n = 0; n < 5; n++) ce.HeapAlloc(words[LEDGER.OWN_HEAP] as number, 0, random(3000))
    } else {
      begin(ENDS_HEAP, 0, 0)
      ce.HeapDestroy(own)
      words[LEDGER.OWN_HEAP] = 0
    }
    words[LEDGER.DOING] = IDLE
  }
  const onPages = (): void => {
    const pages = words[LEDGER.PAGES] as number
    begin(pages === 0 ? RESERVES : RELEASES, 0, 0)
    const bytes = 4096 * (1 + random(5))
    if (pages === 0) words[LEDGER.PAGES] = ce.VirtualAlloc(0, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    else {
      ce.VirtualFree(pages, 0, MEM_RELEASE)
      words[LEDGER.PAGES] = 0
    }
    words[LEDGER.DOING] = IDLE
  }
  for (;;) {
    const choice = random(40)
    if (choice === 0) onHeap()
    else if (choice === 1) onPages()
    else if (choice === 2) ce.HeapCompact(heap, 0)
    else onSlot(random(SLOTS))
  }
}

if (workerData?.ledger instanceof SharedArrayBuffer) run(workerData as Doomed)
