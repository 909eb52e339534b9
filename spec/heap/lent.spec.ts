// Heaps on the caller's own pages (CeHeapCreate, CH-4, C-35), with a provider that does as asked and one that answers nonsense.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { Lender } from './lender.ts'

const KB = 1024

const honest = suite('lent pages: a provider that does what it is asked')

honest('CH-4: the heap lies in a reservation of the caller, grows by further ones, and gives all of them back decommitted', () => {
  const lender = new Lender()
  const heap = lender.heap()
  assert.is(lender.process.snapshot().reservations.length, 1)
  const blocks = Array.from({ length: 30 }, () => lender.ce.HeapAlloc(heap, HEAP_ZERO_MEMORY, 10_000))
  assert.is(new Set(blocks).size, 30)
  assert.is(lender.times(MEM_RESERVE), 5, '30 blocks of 10,016 bytes, 6 to each 64 KB')
  lender.sound()
  assert.is(lender.ce.HeapDestroy(heap), 1)
  assert.equal(lender.process.snapshot().reservations, [])
  assert.is(lender.times(MEM_RELEASE), 5)
  lender.sound()
})

honest('CH-3, HC-3: a fixed heap asks for exactly its size, once', () => {
  const lender = new Lender()
  const heap = lender.heap(0, 20 * KB)
  assert.equal(lender.asked[0], { which: 'alloc', address: 0, size: 20 * KB, action: MEM_RESERVE })
  while (lender.ce.HeapAlloc(heap, 0, 1000) !== 0);
  assert.is(lender.times(MEM_RESERVE), 1)
  lender.sound()
})

honest('pages that the provider has committed already are counted and not asked for', () => {
  const lender = new Lender()
  lender.instead = ({ action, size }) =>
    action === MEM_RESERVE ? lender.ce.VirtualAlloc(0, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) : undefined
  const heap = lender.heap()
  lender.sound()
  assert.is(lender.times(MEM_COMMIT), 0)
  assert.is(lender.process.snapshot().heaps.find(({ handle }) => handle === heap)?.committed, 64 * KB)
  assert.is(lender.ce.HeapCompact(heap, 0), 64 * KB)
  lender.sound()
  assert.is(lender.process.snapshot().heaps.find(({ handle }) => handle === heap)?.committed, 0)
})

honest('VF-5: a reservation is decommitted before it is released only where pages are committed', () => {
  const lender = new Lender()
  const heap = lender.heap()
  lender.ce.HeapFree(heap, 0, lender.ce.HeapAlloc(heap, 0, 10_000))
  lender.ce.HeapCompact(heap, 0)
  const actions = (): number[] => lender.asked.splice(0).map(({ action }) => action)
  actions()
  assert.is(lender.ce.HeapDestroy(heap), 1)
  assert.equal(actions(), [MEM_RELEASE], 'nothing is committed')
  const full = lender.heap()
  lender.ce.HeapAlloc(full, 0, 10_000)
  actions()
  assert.is(lender.ce.HeapDestroy(full), 1)
  assert.equal(actions(), [MEM_DECOMMIT, MEM_RELEASE])
  lender.sound()
})

honest('a provider may commit more than it was asked for', () => {
  const lender = new Lender()
  lender.instead = ({ action, address }) =>
    action === MEM_COMMIT ? lender.ce.VirtualAlloc(address - (address % 65_536), 64 * KB, MEM_COMMIT, PAGE_READWRITE) : undefined
  const heap = lender.heap()
  assert.is.not(lender.ce.HeapAlloc(heap, 0, 20_000), 0)
  assert.is(lender.times(MEM_COMMIT), 1)
  lender.sound()
})

honest('a reservation longer than asked for serves as one', () => {
  const lender = new Lender()
  lender.instead = ({ action }) => (action === MEM_RESERVE ? lender.ce.VirtualAlloc(0, 192 * KB, MEM_RESERVE, PAGE_READWRITE) : undefined)
  const heap = lender.heap(0, 20 * KB)
  assert.is.not(lender.ce.HeapAlloc(heap, 0, 8000), 0)
  lender.sound()
  const behind = (lender.process.snapshot().reservations[0]?.address ?? 0) + 64 * KB
  assert.is(lender.ce.HeapFree(heap, 0, behind), 0)
  assert.is(lender.findings.at(-1)?.rule, 'C-5')
  assert.match(lender.findings.at(-1)?.message ?? '', /never handed out by a heap/)
})

honest('HeapCompact asks to decommit whole pages of free blocks, and a provider that keeps them costs nothing but memory', () => {
  const lender = new Lender()
  const heap = lender.heap(40 * KB)
  lender.instead = ({ action }) => (action === MEM_DECOMMIT ? 0 : undefined)
  assert.is(lender.ce.HeapCompact(heap, 0), 40 * KB)
  lender.sound()
  assert.is(lender.process.snapshot().heaps.find(({ handle }) => handle === heap)?.committed, 40 * KB)
})
honest.run()

const garbage = suite('lent pages: a provider that answers nonsense')

/** Answers to MEM_RESERVE that are no reservation for the heap: `own` is one of 64 KB that is the app's, `lent` one that a heap has. */
const reservations: readonly [string, (lender: Lender, own: number, lent: number) => unknown][] = [
  ['0', () => 0],
  ['an address in no reservation', () => 0x1f0000],
  ['an address that is not mapped at all', () => 0xfff00000],
  ['an address in the first 64 KB', () => 0x8000],
  ['an address inside a reservation', (_, own) => own + 0x1000],
  ['a reservation that is too short', (lender) => lender.ce.VirtualAlloc(0, 4096, MEM_RESERVE, PAGE_READWRITE)],
  ["the process heap's region", (lender) => lender.process.snapshot().heaps[0]?.regions[0]?.address],
  ['a reservation that it has lent before', (_, _own, lent) => lent],
  ['NaN', () => Number.NaN],
  ['-1', () => -1],
  ['a string', () => 'pages'],
  ['an object', () => ({})],
  ['nothing', () => undefined]
]

for (const [name, answer] of reservations) {
  garbage(`C-35: a reservation that is ${name} makes no heap and no region`, () => {
    const lender = new Lender()
    const lent = lender.heap()
    const own = lender.ce.VirtualAlloc(0, 64 * KB, MEM_RESERVE, PAGE_READWRITE)
    const before = lender.process.snapshot().reservations.length
    let heap = lender.heap()
    assert.is.not(heap, 0)
    while (lender.ce.HeapAlloc(heap, 0, 4064) !== 0 && lender.times(MEM_RESERVE) < 3);
    lender.ce.HeapDestroy(heap)
    const wrong = (): number => {
      const value = answer(lender, own, lender.process.snapshot().reservations[0]?.address ?? 0) as number
      return value === undefined ? (null as unknown as number) : value
    }
    lender.instead = ({ action }) => (action === MEM_RESERVE ? wrong() : undefined)
    heap = lender.heap()
    assert.is(heap, 0)
    assert.is(lender.ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
    // A growable heap that has one region gets no second.
    while (lender.ce.HeapAlloc(lent, 0, 4064) !== 0);
    assert.is(lender.ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
    lender.sound()
    assert.ok(lender.process.snapshot().reservations.length >= before)
  })
}

garbage('C-35: a provider that answers but commits nothing fails the call', () => {
  const lender = new Lender()
  lender.instead = ({ action, address }) => (action === MEM_COMMIT ? address : undefined)
  assert.is(lender.heap(), 0)
  lender.sound()
  lender.instead = () => undefined
  const heap = lender.heap()
  lender.instead = ({ action, address }) => (action === MEM_COMMIT ? address : undefined)
  assert.is(lender.ce.HeapAlloc(heap, 0, 5000), 0)
  lender.sound()
  lender.instead = () => undefined
  assert.is.not(lender.ce.HeapAlloc(heap, 0, 5000), 0)
  lender.sound()
})

garbage('C-35: half of the pages are not enough, and what was committed is counted', () => {
  const lender = new Lender()
  const heap = lender.heap()
  lender.instead = ({ action, address }) =>
    action === MEM_COMMIT ? lender.ce.VirtualAlloc(address, 4096, MEM_COMMIT, PAGE_READWRITE) : undefined
  assert.is(lender.ce.HeapAlloc(heap, 0, 20_000), 0)
  lender.sound()
})

garbage('a region whose first commit fails goes back to the provider', () => {
  const lender = new Lender()
  const heap = lender.heap()
  lender.ce.HeapAlloc(heap, 0, 60_000)
  const image = lender.process.snapshot()
  lender.instead = ({ action }) => (action === MEM_COMMIT ? 0 : undefined)
  assert.is(lender.ce.HeapAlloc(heap, 0, 60_000), 0)
  assert.equal(lender.process.snapshot().heaps, image.heaps)
  assert.equal(lender.process.snapshot().reservations, image.reservations)
  lender.sound()
})
garbage.run()
