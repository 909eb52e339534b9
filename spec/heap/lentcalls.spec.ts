// What a call on a heap of lent pages holds, asks for and answers around its page callbacks (CH-4, C-35).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  HEAP_REALLOC_IN_PLACE_ONLY,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE,
  type ProfileName
} from '../../src/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { HDR, HEAP_WORDS } from '../../src/machine/layout.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { throwsApart } from '../coredll/apart.ts'
import { Lender } from './lender.ts'

const KB = 1024

const calls = suite('lent pages: the calls around a callback')

/** Whether nobody is inside the process section. */
function isFree({ ce: { machine } }: Lender): boolean {
  return machine.sys[HDR.LOCK] === 0
}

calls('no callback runs inside the process section: it may wait for a thread that needs pages', () => {
  const lender = new Lender()
  const { ce, process } = lender
  const seen = new Map<string, number>()
  let step = ''
  lender.instead = () => {
    assert.ok(isFree(lender), step)
    seen.set(step, (seen.get(step) ?? 0) + 1)
    return undefined
  }
  const during = (name: string, call: () => number): number => {
    step = name
    const answer = call()
    assert.is.not(answer, 0, name)
    assert.ok((seen.get(name) ?? 0) > 0, `${name} asks for pages`)
    return answer
  }
  const heap = during('HeapCreate', () => lender.heap())
  const p = during('HeapAlloc that commits', () => ce.HeapAlloc(heap, 0, 10_000))
  assert.is(
    during('HeapReAlloc in place', () => ce.HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, p, 20_000)),
    p
  )
  assert.is.not(
    during('HeapReAlloc that moves', () => ce.HeapReAlloc(heap, 0, p, 70_000)),
    p
  )
  during('HeapAlloc that grows', () => ce.HeapAlloc(heap, 0, 150_000))
  const injected = process.injectFailures({ on: 'alloc', every: 1000 })
  during('HeapAlloc with injected failures', () => ce.HeapAlloc(heap, 0, 150_000))
  injected.end()
  during('HeapCompact', () => ce.HeapCompact(heap, 0))
  during('HeapDestroy', () => ce.HeapDestroy(heap))
  lender.sound()
})

calls('a growth in place leaves the process section to whoever has entered it meanwhile', () => {
  const lender = new Lender()
  const { ce } = lender
  const heap = lender.heap()
  const p = ce.HeapAlloc(heap, 0, 100)
  const other = attachThread(lender.process.share())
  lender.instead = ({ action, address, size }) => {
    const answer = ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
    enter(other.machine, HDR.LOCK, other.tid)
    return answer
  }
  assert.is(ce.HeapReAlloc(heap, 0, p, 20_000), p)
  assert.not.ok(isFree(lender))
  leave(other.machine, HDR.LOCK)
  lender.instead = () => undefined
  other.detach()
  lender.sound()
})

calls('C-35: a resize whose callback throws has failed, though committed free memory elsewhere would have served', () => {
  const lender = new Lender()
  const { ce } = lender
  const heap = lender.heap(40_000)
  const hole = ce.HeapAlloc(heap, 0, 30_000)
  const p = ce.HeapAlloc(heap, 0, 1000)
  ce.HeapFree(heap, 0, hole)
  lender.instead = () => {
    throw new Error('none')
  }
  assert.is(
    throwsApart(() => ce.HeapReAlloc(heap, 0, p, 25_000), Error, 'none'),
    0
  )
  assert.is(ce.HeapSize(heap, 0, p), 1024)
  lender.instead = () => undefined
  assert.is(ce.HeapAlloc(heap, 0, 25_000), hole)
  lender.sound()
})

/** Bytes requested, and how often a provider that refuses is asked for a region for them. */
const refusals: readonly [ProfileName, number, number][] = [
  ['compact-2013', 64 * KB, 1],
  ['compact-2013', 64 * KB + 32, 1],
  ['ce-5.0', 192 * KB, 1],
  ['ce-5.0', 128 * KB, 2],
  ['ce-5.0', 192 * KB + 32, 1]
]

for (const [profile, bytes, times] of refusals) {
  calls(`HI-8: a region of the usual size is asked for, and a smaller one only where it would do: ${bytes} bytes on ${profile}`, () => {
    const lender = new Lender(profile)
    const heap = lender.heap()
    assert.is.not(lender.ce.HeapAlloc(heap, 0, (profile === 'ce-5.0' ? 190 : 60) * KB), 0)
    const before = lender.times(MEM_RESERVE)
    lender.instead = () => 0
    assert.is(lender.ce.HeapAlloc(heap, 0, bytes), 0)
    assert.is(lender.times(MEM_RESERVE) - before, times)
    lender.instead = () => undefined
    lender.sound()
  })
}

calls('C-35: a place inside of a reservation is none, where an earlier reservation began there too', () => {
  const lender = new Lender()
  const { ce } = lender
  const units = [0, 1, 2, 3].map(() => ce.VirtualAlloc(0, 64 * KB, MEM_RESERVE, PAGE_READWRITE))
  for (const unit of units) ce.VirtualFree(unit, 0, MEM_RELEASE)
  const base = ce.VirtualAlloc(0, 256 * KB, MEM_RESERVE, PAGE_READWRITE)
  assert.is(base, units[0])
  lender.instead = ({ action }) => (action === MEM_RESERVE ? base + 64 * KB : undefined)
  assert.is(lender.heap(), 0)
  lender.sound()
})

calls('C-4: a handle that no heap has is told from the heap whose callback is running', () => {
  const lender = new Lender()
  const { ce } = lender
  const heap = lender.heap()
  const dead = ce.HeapCreate(0, 0, 0)
  ce.HeapDestroy(dead)
  const told: string[] = []
  lender.instead = ({ action }) => {
    if (action !== MEM_COMMIT) return undefined
    for (const handle of [dead, heap]) {
      ce.HeapAlloc(handle, 0, 1)
      told.push(lender.findings.at(-1)?.message ?? '')
    }
    return undefined
  }
  ce.HeapAlloc(heap, 0, 20_000)
  assert.is(told.length, 2)
  assert.not.match(told[0] as string, /is in the middle of a call/)
  assert.match(told[1] as string, /is in the middle of a call/)
})

calls('the callbacks of a heap are forgotten with it', () => {
  const lender = new Lender()
  const { ce } = lender
  const heap = lender.heap()
  assert.is(ce.machine.pageCallbacks.size, 1)
  assert.is(ce.HeapDestroy(heap), 1)
  assert.is(ce.machine.pageCallbacks.size, 0)
})

calls('the callbacks of a heap are its own, however often its record was used before', () => {
  const lender = new Lender()
  const { ce, process } = lender
  const record = recordOf(ce.machine, lender.heap())
  ce.HeapDestroy(process.snapshot().heaps[1]?.handle as number)
  ce.machine.sys[record + REC.GENERATION] = 0x10000
  const asked: string[] = []
  const make = (name: string): number =>
    ce.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => {
        asked.push(name)
        return ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
      },
      () => 1
    )
  const [old, fresh] = [make('old'), make('fresh')] as [number, number]
  assert.equal([recordOf(ce.machine, old), recordOf(ce.machine, fresh)], [record, record + HEAP_WORDS])
  asked.splice(0)
  ce.HeapAlloc(old, 0, 10_000)
  ce.HeapAlloc(fresh, 0, 10_000)
  assert.equal(asked, ['old', 'fresh'])
})
calls.run()
