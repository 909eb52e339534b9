// Page callbacks that work against their heap (CH-4): no invariant breaks, and no section stays held.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  type CeThread,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { BUSY, REC, recordOf } from '../../src/heap/record.ts'
import { apart, messagesApart, throwsApart } from '../coredll/apart.ts'
import { Lender } from './lender.ts'

const hostile = suite('lent pages: a provider that works against its heap')

hostile('C-97: what a callback throws is thrown apart, once, and the call that needed the pages has failed', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const kept = lender.ce.HeapAlloc(heap, 0, 100)
  for (const thrower of [MEM_COMMIT, MEM_RESERVE]) {
    lender.instead = ({ action }) => {
      if (action === thrower) throw new Error(`no pages for ${action}`)
      return undefined
    }
    assert.is(
      throwsApart(() => lender.ce.HeapAlloc(heap, 0, 70_000), Error, `no pages for ${thrower}`),
      0
    )
    assert.is(
      throwsApart(() => lender.ce.HeapReAlloc(heap, 0, kept, 70_000), Error, `no pages for ${thrower}`),
      0
    )
    assert.is(
      throwsApart(() => lender.heap(), Error, `no pages for ${thrower}`),
      0
    )
    lender.sound()
    assert.is(lender.ce.HeapSize(heap, 0, kept), 128, 'the block that was to be resized is as it was')
    lender.instead = () => undefined
    assert.is(lender.ce.HeapCompact(heap, 0) > 0, true, 'nothing is thrown a second time')
  }
})

hostile('a callback that throws or refuses fails the call even where committed free memory would have served', () => {
  const lender = new Lender()
  const heap = lender.heap(70_000)
  const alloc = (bytes: number): number => lender.ce.HeapAlloc(heap, 0, bytes)
  const [p, , shorter] = [alloc(30_016), alloc(32), alloc(29_760), alloc(32)]
  // Of one list, the shorter one in front: placement goes on to the rest, which is not committed.
  for (const block of [p, shorter]) lender.ce.HeapFree(heap, 0, block)
  lender.instead = () => {
    throw new Error('none')
  }
  assert.is(
    throwsApart(() => alloc(30_016), Error, 'none'),
    0
  )
  lender.instead = () => 0
  assert.is(alloc(30_016), 0, "C-35: the provider's refusal counts as well")
  lender.sound()
})

hostile('a callback that has thrown is not asked for pages again in the same call', () => {
  // ce-5.0 would be content with a smaller region than the usual 192 KB.
  const lender = new Lender('ce-5.0')
  const heap = lender.heap()
  let asked = 0
  lender.instead = ({ which }) => {
    if (which === 'free') return undefined
    asked++
    throw new Error('none')
  }
  assert.is.not(lender.ce.HeapAlloc(lender.ce.GetProcessHeap(), 0, 1), 0)
  const exhaust = (): void => {
    while (lender.ce.HeapAlloc(heap, 0, 4000) !== 0);
  }
  throwsApart(exhaust, Error, 'none')
  lender.instead = ({ action }) => {
    if (action !== MEM_RESERVE) return undefined
    asked++
    throw new Error('none')
  }
  const fill = (): void => {
    while (lender.ce.HeapAlloc(heap, 0, 60_000) !== 0);
  }
  throwsApart(fill, Error, 'none')
  assert.is(asked, 2, 'once in each of the two calls')
  lender.sound()
})

hostile('C-97: HeapDestroy keeps its answer when a callback throws, and the heap has ended', () => {
  const lender = new Lender()
  const heap = lender.heap()
  lender.instead = ({ which }) => {
    if (which === 'free') throw new Error('mine')
    return undefined
  }
  assert.ok(throwsApart(() => lender.ce.HeapCompact(heap, 0), Error, 'mine') > 0)
  assert.equal(
    messagesApart(() => assert.is(lender.ce.HeapDestroy(heap), 1)),
    ['mine', 'mine']
  )
  assert.is(lender.ce.HeapDestroy(heap), 0)
  lender.sound()
})

/** Every way to use the heap from inside its own callback; each must be refused. */
const reentries: readonly [string, (ce: CeThread, heap: number, block: number) => number, number][] = [
  ['HeapAlloc', (ce, heap) => ce.HeapAlloc(heap, 0, 100), 0],
  ['HeapReAlloc', (ce, heap, block) => ce.HeapReAlloc(heap, 0, block, 5000), 0],
  ['HeapFree', (ce, heap, block) => ce.HeapFree(heap, 0, block), 0],
  ['HeapSize', (ce, heap, block) => ce.HeapSize(heap, 0, block), 0xffffffff],
  ['HeapValidate', (ce, heap) => ce.HeapValidate(heap, 0, 0), 0],
  ['HeapCompact', (ce, heap) => ce.HeapCompact(heap, 0), 0],
  ['HeapDestroy', (ce, heap) => ce.HeapDestroy(heap), 0]
]

for (const [name, use, refusal] of reentries) {
  hostile(`${name} of the heap whose callback is running is refused and reported (CH-4)`, () => {
    const lender = new Lender()
    const heap = lender.heap()
    const block = lender.ce.HeapAlloc(heap, 0, 100)
    const results: number[] = []
    lender.instead = () => {
      results.push(use(lender.ce, heap, block))
      return undefined
    }
    const p = lender.ce.HeapAlloc(heap, 0, 30_000)
    assert.is.not(p, 0, 'the call itself goes on')
    assert.is.not(lender.ce.HeapReAlloc(heap, 0, p, 70_000), 0, 'through a new region')
    assert.ok(lender.ce.HeapCompact(heap, 0) > 0)
    assert.ok(results.length >= 4)
    assert.ok(results.every((result) => result === refusal))
    assert.match(lender.findings.at(-1)?.message ?? '', /is in the middle of a call/)
    lender.sound()
    assert.is(lender.ce.HeapDestroy(heap), 1)
    lender.sound()
  })
}

hostile('a callback may use other heaps, and make and end them', () => {
  const lender = new Lender()
  lender.instead = () => {
    const { ce } = lender
    const p = ce.HeapAlloc(ce.GetProcessHeap(), 0, 50_000)
    const heap = ce.HeapCreate(0, 0, 0)
    assert.is.not(ce.HeapAlloc(heap, 0, 1000), 0)
    assert.is(ce.HeapDestroy(heap), 1)
    assert.is(ce.HeapFree(ce.GetProcessHeap(), 0, p), 1)
    return undefined
  }
  const heap = lender.heap()
  for (let n = 0; n < 5; n++) assert.is.not(lender.ce.HeapAlloc(heap, 0, 30_000), 0)
  lender.sound()
  assert.is(lender.ce.HeapDestroy(heap), 1)
  lender.sound()
})

hostile(
  'process.check(), snapshot() and imageHash() inside a callback find no fault, and show no heap that is in the midst of a call',
  () => {
    const lender = new Lender()
    const shown = new Set<number>()
    lender.instead = () => {
      lender.process.check()
      for (const { handle } of lender.process.snapshot().heaps) shown.add(handle)
      lender.process.imageHash()
      return undefined
    }
    const heap = lender.heap()
    for (let n = 0; n < 5; n++) assert.is.not(lender.ce.HeapAlloc(heap, 0, 30_000), 0)
    lender.ce.HeapCompact(heap, 0)
    assert.is(lender.ce.HeapDestroy(heap), 1)
    assert.equal([...shown], [lender.ce.GetProcessHeap()])
    lender.sound()
  }
)

hostile(
  'C-4, C-44: a handle that is bad is told as bad, though the heap that has its place by then asks its callbacks in another thread',
  () => {
    const lender = new Lender()
    const { ce, process, findings } = lender
    const { sys } = ce.machine
    const stale = lender.heap()
    assert.is(ce.HeapDestroy(stale), 1)
    const heap = lender.heap()
    const record = recordOf(ce.machine, heap)
    assert.is(record, recordOf(ce.machine, stale))
    const other = attachThread(process.share())
    const { give } = other.machine
    // The other thread has left the section again when the callback begins.
    other.machine.give = (at) => {
      const left = give(at)
      sys[record + REC.HANDLE] = BUSY
      return left
    }
    assert.is(other.HeapSize(stale, 0, 0x10000), 0xffffffff)
    sys[record + REC.HANDLE] = heap
    process.drainFindings()
    assert.equal(
      findings.map(({ rule, thread }) => [rule, thread]),
      [['C-4', other.tid]]
    )
  }
)

hostile('pages under a heap are not released, not decommitted beyond what was asked, and not touched outside a callback', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const block = lender.ce.HeapAlloc(heap, 0, 100)
  lender.ce.memory.fill(block, 7, 100)
  const other = lender.heap()
  const [first, second] = lender.process.snapshot().reservations.map(({ address }) => address) as [number, number]
  const attack = (): void => {
    for (const base of [first, second]) {
      assert.is(lender.ce.VirtualFree(base, 0, MEM_RELEASE), 0)
      assert.is(lender.ce.VirtualFree(base, 0, MEM_DECOMMIT), 0)
      assert.is(lender.ce.VirtualFree(base, 4096, MEM_DECOMMIT), 0)
    }
    // A page too many would be counted for nobody.
    assert.is(lender.ce.VirtualAlloc(second + 0xf000, 4096, MEM_COMMIT, PAGE_READWRITE), 0)
  }
  attack()
  lender.instead = ({ which }) => {
    if (which === 'alloc') attack()
    return undefined
  }
  assert.is.not(lender.ce.HeapAlloc(heap, 0, 20_000), 0)
  lender.sound()
  assert.equal(lender.ce.memory.read(block, 100), new Uint8Array(100).fill(7))
  lender.instead = ({ which, action }) => {
    if (action === MEM_DECOMMIT) assert.is(lender.ce.VirtualFree(first, 4096, MEM_DECOMMIT), 0, 'the page of a live block')
    assert.is(which, 'free')
    return undefined
  }
  lender.ce.HeapCompact(heap, 0)
  lender.sound()
  assert.equal(lender.ce.memory.read(block, 100), new Uint8Array(100).fill(7))
  assert.is(lender.ce.HeapDestroy(other), 1)
})

hostile('asked to decommit some pages, a callback may not decommit the whole reservation', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const [first, second] = [lender.ce.HeapAlloc(heap, 0, 9000), lender.ce.HeapAlloc(heap, 0, 100)]
  lender.ce.HeapFree(heap, 0, first)
  lender.ce.memory.fill(second, 5, 100)
  const results: number[] = []
  lender.instead = ({ action }) => {
    if (action === MEM_DECOMMIT) results.push(lender.ce.VirtualFree(first, 0, MEM_DECOMMIT))
    return undefined
  }
  lender.ce.HeapCompact(heap, 0)
  assert.equal(results, [0, 0], 'for the freed block, which begins the reservation, and for the rest')
  lender.sound()
  assert.is(lender.ce.memory.readU8(second + 99), 5)
})

hostile('asked to decommit some pages, a callback may decommit some of them, and not a byte more at either end', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const [first, middle, last] = [4000, 30_000, 100].map((bytes) => lender.ce.HeapAlloc(heap, 0, bytes)) as [number, number, number]
  lender.ce.HeapFree(heap, 0, middle)
  for (const [block, bytes] of [
    [first, 4000],
    [last, 100]
  ] as const)
    lender.ce.memory.fill(block, 5, bytes)
  const results: number[][] = []
  lender.instead = ({ action, address, size }) => {
    if (action !== MEM_DECOMMIT) return undefined
    const decommit = (from: number, bytes: number): number => lender.ce.VirtualFree(from, bytes, MEM_DECOMMIT)
    results.push([
      decommit(address - 1, size),
      decommit(address - 1, 1),
      decommit(address, size + 1),
      decommit(address + size, 1),
      decommit(address + 4096, 4096)
    ])
    return undefined
  }
  lender.ce.HeapCompact(heap, 0)
  assert.equal(results[0], [0, 0, 0, 0, 1])
  assert.ok([first, first + 3999, last, last + 99].every((at) => lender.ce.memory.readU8(at) === 5))
  lender.sound()
})

hostile('asked to decommit a reservation that it has released meanwhile, a callback may not decommit what another heap has there', () => {
  const lender = new Lender()
  const { ce } = lender
  const heap = lender.heap()
  let block = 0
  let answer = 1
  lender.instead = ({ action, address, size }) => {
    if (action !== MEM_DECOMMIT) return undefined
    ce.VirtualFree(address, 0, MEM_DECOMMIT)
    assert.is(ce.VirtualFree(address, 0, MEM_RELEASE), 1, "it is the app's again")
    block = ce.HeapAlloc(ce.HeapCreate(0, 0, 0), 0, 100)
    assert.ok(block >= address && block < address + size)
    ce.memory.fill(block, 5, 100)
    answer = ce.VirtualFree(address, 4096, MEM_DECOMMIT)
    return answer
  }
  assert.is(ce.HeapDestroy(heap), 1)
  assert.is(answer, 0)
  assert.is(ce.memory.readU8(block + 99), 5)
  lender.sound()
})

hostile("a reservation that came back is the app's again", () => {
  const lender = new Lender()
  lender.instead = ({ action }) => (action === MEM_RELEASE ? 1 : undefined)
  const heap = lender.heap()
  const [base] = lender.process.snapshot().reservations.map(({ address }) => address) as [number]
  assert.is(lender.ce.HeapDestroy(heap), 1)
  assert.is(lender.process.snapshot().reservations.length, 1, 'the provider kept it')
  lender.sound()
  assert.is(lender.ce.VirtualFree(base, 0, MEM_RELEASE), 1)
  lender.sound()
})

hostile('the callbacks of a heap that another thread ended are not those of the next heap', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const other = attachThread(lender.process.share())
  assert.is(other.HeapDestroy(heap), 1)
  const asked = lender.asked.length
  const { ce } = lender
  let mine = 0
  const next = other.CeHeapCreate(
    0,
    0,
    0,
    (address, size, action) => {
      mine++
      return other.VirtualAlloc(address, size, action, PAGE_READWRITE)
    },
    () => 1
  )
  assert.is.not(next, 0)
  assert.is(ce.HeapAlloc(next, 0, 30_000), 0, 'this thread cannot call the callbacks of the other')
  assert.is(ce.GetLastError(), ERROR_NOT_ENOUGH_MEMORY)
  assert.is(lender.asked.length, asked)
  assert.match(lender.findings.at(-1)?.message ?? '', /live in the thread that created it/)
  assert.ok(mine > 0)
  lender.sound()
})

hostile('a callback that calls the heap as another thread waits for itself: the wait ends, and the call fails', () => {
  const lender = new Lender()
  const heap = lender.heap()
  const other = attachThread(lender.process.share())
  lender.instead = () => other.HeapAlloc(heap, 0, 100)
  const { answer, thrown } = apart(() => lender.ce.HeapAlloc(heap, 0, 30_000))
  assert.is(answer, 0)
  assert.ok(thrown.length === 1 && thrown[0] instanceof LockTimeoutError && thrown[0].owner === lender.ce.tid)
  lender.instead = () => undefined
  lender.sound()
  assert.is.not(other.HeapAlloc(heap, 0, 100), 0)
  lender.sound()
})

hostile('a process that is closed inside a callback is closed when the call returns', () => {
  const lender = new Lender()
  const heap = lender.heap()
  lender.instead = () => {
    lender.process.close()
    return undefined
  }
  assert.is(
    throwsApart(() => lender.ce.HeapAlloc(heap, 0, 30_000), TypeError, /^VirtualAlloc: expected an open process/),
    0
  )
  assert.throws(() => lender.ce.HeapAlloc(heap, 0, 1), /closed/)
  assert.throws(() => lender.ce.HeapFree(lender.ce.machine.sys[16] as number, 0, 1), /closed/)

  const later = new Lender()
  later.instead = () => {
    later.process.close()
    return undefined
  }
  assert.is(
    throwsApart(() => later.heap(), TypeError, /^VirtualAlloc: expected an open process/),
    0
  )
  assert.throws(() => later.ce.HeapAlloc(1, 0, 1), /closed/)
})

hostile('HeapDestroy of a heap that was made by a failing creation is refused (C-4, CH-5)', () => {
  const lender = new Lender()
  lender.instead = () => 0
  assert.is(lender.heap(), 0)
  assert.is(lender.ce.HeapDestroy(0), 0)
  assert.is(lender.ce.GetLastError(), ERROR_INVALID_PARAMETER)
  lender.sound()
})
hostile.run()
