// Who has something loose and dies while mending after another thread: both are undone, and neither is taken for the other.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess, MEM_RESERVE, PAGE_READWRITE } from '../../src/index.ts'
import { disown } from '../../src/coredll/death.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { isOwn, leave } from '../../src/machine/section.ts'
import { leavesLoose, scissorsOf } from './adriftscene.ts'
import { waitingInVain } from './afterdeathscene.ts'
import { Cut } from './scissors.ts'

type Call = (ce: CeThread, heap: number, block: number) => unknown

interface Case {
  readonly what: string
  /** Where the second thread has something loose, and the dead one is. */
  readonly at: 'process' | 'heap'
  /** What the second thread makes and nobody hears of. */
  readonly loose: Call
  /** The call in which the other one dies: before it leaves the section, or before it writes a sentinel. */
  readonly other: Call
  readonly before: 'leaving' | 'sentinel'
}

const reserve: Call = (ce) => ce.VirtualAlloc(0, 0x10000, MEM_RESERVE, PAGE_READWRITE)
const alloc: Call = (ce, heap) => ce.HeapAlloc(heap, 0, 40)

const CASES: readonly Case[] = [
  { what: 'a reservation', at: 'process', loose: reserve, other: reserve, before: 'leaving' },
  { what: 'a block', at: 'heap', loose: alloc, other: alloc, before: 'leaving' },
  {
    what: 'a block that gets another size',
    at: 'heap',
    loose: alloc,
    other: (ce, heap, block) => ce.HeapReAlloc(heap, 0, block, 90),
    before: 'sentinel'
  }
]

/** The thread is cut off in the midst of the call, inside the section at `at`. */
function diesInside(ce: CeThread, at: number, before: Case['before'], call: () => unknown): void {
  const { machine, tid } = ce
  const scissors = scissorsOf(ce)
  const { give } = machine
  if (before === 'leaving')
    machine.give = (address) => {
      if (address >>> 2 === at) scissors.rewind(0)
      return give(address)
    }
  else
    scissors.store = (memory, _from, _length, act) => {
      if (memory === machine.bytes.buffer) scissors.rewind(0)
      scissors.step()
      return act()
    }
  assert.throws(call, (error: unknown) => error instanceof Cut)
  assert.ok(isOwn(machine.sys[at] as number, tid))
}

/** The second thread mends after one that has died in the call, and is cut off before the k-th step; whether there was such a step. */
function diesMending({ at: where, loose, other, before }: Case, k: number): boolean {
  const process = createProcess({ memory: 1024 * 1024, build: 'debug', lockTimeout: 1000 })
  const { thread: one } = process
  const tokens = [process.share(), process.share()] as const
  const [two, five] = [attachThread(tokens[0]), attachThread(tokens[1])]
  const three = attachThread(process.share())
  const heap = one.HeapCreate(0, 0, 0)
  const block = one.HeapAlloc(heap, 0, 100)
  const record = recordOf(one.machine, heap)
  const at = where === 'heap' ? record : HDR.LOCK
  waitingInVain(() => leavesLoose({ two, three }, at, () => loose(two, heap, block)))
  leave(three.machine, at)
  diesInside(five, at, before, () => other(five, heap, block))
  // Whoever buries that one comes only so far before the second thread gets in.
  disown(one.machine, five.tid)
  const scissors = scissorsOf(two)
  scissors.once = false
  scissors.rewind(k)
  try {
    two.GetLastError()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  for (const token of tokens) process.workerEnded(token)
  process.check()
  assert.equal(process.snapshot().reservations, [], `step ${k}`)
  assert.is(one.HeapValidate(heap, 0, 0), 1, `step ${k}`)
  assert.is(one.machine.sys[record + REC.LIVE_BYTES], one.HeapSize(heap, 0, block), `step ${k}`)
  return scissors.cut
}

const mending = suite('what is loose, and left by another')

for (const one of CASES) {
  mending(`${one.what}: at whatever store who mends after it dies, who has something loose of its own, both are undone`, () => {
    let k = 0
    while (diesMending(one, k)) k++
    assert.ok(k > 5, `${k} steps`)
  })
}
mending.run()
