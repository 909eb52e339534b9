// Claims: how overlaps and wrong answers are seen while many threads run at once, in an order that nobody knows.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess } from '../../src/index.ts'
import { type ClaimFault, Claims, claimsBuffer } from '../../src/stress/claims.ts'

const memory = 0x100000

interface Watched {
  readonly one: CeThread
  readonly two: CeThread
  readonly claims: readonly [Claims, Claims]
}

/** Two threads under watch. */
function watched(): Watched {
  const process = createProcess({ memory })
  const buffer = claimsBuffer(memory)
  const [one, two] = [process.thread, attachThread(process.share())]
  const claims = [new Claims(buffer), new Claims(buffer)] as const
  claims[0].watch(one)
  claims[1].watch(two)
  return { one, two, claims }
}

const books = suite('stress/claims')

books('follow blocks from thread to thread', () => {
  const { one, two, claims } = watched()
  const heap = one.HeapCreate(0, 0, 0)
  const p = one.HeapAlloc(heap, 0, 100)
  const q = two.LocalAlloc(0, 5000)
  assert.equal(claims[0].list(), [...claims[1].list()])
  assert.equal(
    claims[0].list().map(({ address, bytes, heap: of, thread }) => [address, bytes, of, thread]),
    [
      [q, 5000, one.GetProcessHeap(), 2],
      [p, 100, heap, 1]
    ].sort((a, b) => (a[0] as number) - (b[0] as number))
  )
  const r = two.HeapReAlloc(heap, 0, p, 9000)
  assert.equal(claims[0].list(heap), [{ address: r, bytes: 9000, heap, thread: 2 }])
  one.LocalFree(q)
  one.HeapDestroy(heap)
  assert.equal(claims[0].list(), [])
  assert.equal([...claims[0].faults, ...claims[1].faults], [])
})

books('keep what a call that failed left as it was', () => {
  const { one, two, claims } = watched()
  const heap = one.HeapCreate(0, 0, 0x10000)
  const p = one.HeapAlloc(heap, 0, 100)
  assert.is(two.HeapReAlloc(heap, 0, p, 0x20000), 0)
  assert.is(two.HeapDestroy(one.GetProcessHeap()), 0)
  assert.is(two.HeapFree(one.GetProcessHeap(), 0, p + 32), 0)
  assert.equal(claims[0].list(), [{ address: p, bytes: 100, heap, thread: 1 }])
  assert.equal([...claims[0].faults, ...claims[1].faults], [])
})

/** A thread whose calls answer as the script says; the books cannot tell it from a heap that is broken. */
function forged(answers: Readonly<Record<string, number[]>>): {
  readonly ce: CeThread
  readonly claims: Claims
  readonly faults: readonly ClaimFault[]
} {
  const process = createProcess({ memory })
  const ce = process.thread
  for (const [call, given] of Object.entries(answers))
    Object.defineProperty(ce, call, { value: () => given.shift(), configurable: true, writable: true })
  const claims = new Claims(claimsBuffer(memory))
  claims.watch(ce)
  return { ce, claims, faults: claims.faults }
}

books('see an overlap, in every way that two blocks can', () => {
  for (const second of [0x40000, 0x40060, 0x3ff40, 0x3ffe0]) {
    const { ce, faults } = forged({ HeapAlloc: [0x40000, second] })
    ce.HeapAlloc(1, 0, 100)
    ce.HeapAlloc(1, 0, 200)
    assert.is(faults.length, 1, second.toString(16))
    assert.match(
      faults[0]?.message ?? '',
      /HeapAlloc handed out 0x[0-9A-F]+ \(200 bytes\), which overlaps the live block 0x40000 \(100 bytes, of thread 1\)/
    )
  }
  const { ce, faults } = forged({ HeapAlloc: [0x40000, 0x40080] })
  ce.HeapAlloc(1, 0, 100)
  ce.HeapAlloc(1, 0, 200)
  assert.equal(faults, [])
})

books('see a block that is freed although it is not live, and one that is not although it is', () => {
  const { ce, faults } = forged({ HeapAlloc: [0x40000], HeapFree: [0, 1, 1] })
  ce.HeapAlloc(1, 0, 100)
  ce.HeapFree(1, 0, 0x40000)
  assert.match(faults[0]?.message ?? '', /HeapFree refused to free the live block 0x40000/)
  ce.HeapFree(1, 0, 0x40000)
  assert.is(faults.length, 1)
  ce.HeapFree(1, 0, 0x40000)
  assert.match(faults[1]?.message ?? '', /HeapFree took 0x40000, which was no live block/)
})

books('see a block outside the memory', () => {
  const { ce, faults } = forged({ HeapAlloc: [memory - 32] })
  ce.HeapAlloc(1, 0, 100)
  assert.is(faults[0]?.kind, 'overlap')
})

books('count every call', () => {
  const { one, claims } = watched()
  one.GetLastError()
  one.HeapFree(one.GetProcessHeap(), 0, one.LocalAlloc(0, 10))
  assert.is(claims[0].calls, 4)
})
books.run()
