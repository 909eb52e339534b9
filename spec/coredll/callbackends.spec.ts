// A page callback (CeHeapCreate, C-35) in which the thread dies, or in which an error ends a call that the callback makes: what becomes of that call, and of the one
// that has asked for pages.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CeThread, MEM_COMMIT, MEM_RELEASE, PAGE_READWRITE } from '../../src/index.ts'
import { REC, recordOf } from '../../src/heap/record.ts'
import { scene } from './afterdeathscene.ts'
import { apart } from './apart.ts'
import { Cut, type Scissors, underScissors } from './scissors.ts'

/** Runs `act`, in which an error or the thread's end comes in place of step `k`; whether it did. */
function cutIn(scissors: Scissors, k: number, once: boolean, act: () => void): boolean {
  scissors.rewind(k)
  scissors.once = once
  try {
    act()
  } catch (error) {
    if (!(error instanceof Cut)) throw error
  }
  const { cut } = scissors
  // Who is dead makes no step more.
  if (once) scissors.rewind(Number.POSITIVE_INFINITY)
  return cut
}

type Callback = (address: number, size: number, action: number) => number

function lend(ce: CeThread, alloc: Callback, free: Callback): number {
  return ce.CeHeapCreate(0, 0, 0, alloc, free)
}

const given =
  (ce: CeThread): Callback =>
  (address, size, action) =>
    ce.VirtualAlloc(address, size, action, PAGE_READWRITE)
const taken =
  (ce: CeThread): Callback =>
  (address, size, action) =>
    ce.VirtualFree(address, action === MEM_RELEASE ? 0 : size, action)

const deaths = suite('a thread that dies in a page callback')

deaths('in the midst of HeapReAlloc on another heap: that is done or undone, and never half of it', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two, token, heap, record } = scene()
    const block = two.HeapAlloc(heap, 0, 100)
    two.HeapAlloc(heap, 0, 50)
    const scissors = underScissors(two)
    let on = false
    // Its record comes after the other heap's, and its section before that one's.
    const lent = lend(
      two,
      (address, size, action) => {
        if (on) {
          on = false
          cut = cutIn(scissors, k, false, () => two.HeapReAlloc(heap, 0, block, 2000))
        }
        return given(two)(address, size, action)
      },
      taken(two)
    )
    on = true
    try {
      two.HeapAlloc(lent, 0, 0x8000)
    } catch (error) {
      if (!(error instanceof Cut)) throw error
    }
    assert.equal(process.workerEnded(token), [two.tid])
    process.check()
    const live = one.machine.sys[record + REC.LIVE_BYTES] as number
    assert.ok(live === 150 || live === 2050, `step ${k}: ${live} bytes`)
    assert.is(one.HeapFree(heap, 0, block), live === 150 ? 1 : 0, `step ${k}`)
  }
})
deaths.run()

const errors = suite('an error that ends a call out of a page callback')

errors('while the heap is made, at whatever store: it is made all the same, and stays', () => {
  for (let k = 0, cut = true; cut; k++) {
    const { process, one, two, heap } = scene()
    const scissors = underScissors(two)
    let asked = 0
    const lent = lend(
      two,
      (address, size, action) => {
        if (asked++ === 0) cut = cutIn(scissors, k, true, () => two.HeapAlloc(heap, 0, 100))
        return given(two)(address, size, action)
      },
      taken(two)
    )
    assert.is.not(lent, 0, `step ${k}`)
    const record = recordOf(one.machine, lent)
    process.check()
    assert.is.not(recordOf(one.machine, one.HeapCreate(0, 0, 0)), record, `step ${k}`)
    assert.is(one.HeapFree(lent, 0, two.HeapAlloc(lent, 0, 100)), 1, `step ${k}`)
  }
})

errors('lets what another callback of the same call had thrown be heard of', () => {
  const { process, two, heap } = scene()
  const findings: string[] = []
  two.onFinding(({ rule, call }) => findings.push(`${rule} ${call}`))
  const scissors = underScissors(two)
  const mine = new Error('mine')
  const { answer, thrown } = apart(() =>
    lend(
      two,
      (address, size, action) => {
        if (action === MEM_COMMIT) throw mine
        return given(two)(address, size, action)
      },
      (address, size, action) => {
        assert.ok(cutIn(scissors, 5, true, () => two.HeapAlloc(heap, 0, 100)))
        return taken(two)(address, size, action)
      }
    )
  )
  assert.is(answer, 0)
  assert.equal(findings, ['C-35 CeHeapCreate'])
  assert.equal(thrown, [mine])
  process.check()
})
errors.run()
