// The judge: a true history passes, and every kind of lie is caught, by the books alone where the model is no witness.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { cookieOf } from '../../src/stress/cookie.ts'
import { endFault } from '../../src/stress/endstate.ts'
import type { Call } from '../../src/stress/history.ts'
import { Intervals } from '../../src/stress/intervals.ts'
import { judge, type Verdict } from '../../src/stress/judge.ts'
import { compareWithModel } from '../../src/stress/model.ts'
import { forge, options, swap, tell, type Told } from './forge.ts'

/** Two threads on the process heap and a heap of their own; everything is freed. */
function work(): Told {
  return tell((one, two) => {
    const heap = one.HeapCreate(0, 0, 0) // 0
    const p = one.HeapAlloc(heap, 0, 100) // 1
    const q = two.HeapAlloc(heap, HEAP_ZERO_MEMORY, 200) // 2
    const r = two.HeapReAlloc(heap, 0, q, 5000) // 3
    const s = one.LocalAlloc(0, 40) // 4
    one.HeapFree(heap, 0, r) // 5
    two.LocalFree(s) // 6
    two.HeapFree(heap, 0, p) // 7
    two.HeapDestroy(heap) // 8
  })
}

function judged({ process, processHeap }: Told, history: readonly Call[], withModel = true): Verdict {
  // A call that the model cannot make keeps the model out: then the books must see it alone.
  const alone = { ...(history[0] as Call), call: 'CeHeapCreate', result: 0 }
  const given = withModel ? history : [...history, alone]
  return judge({ history: given, threads: 2, options, processHeap, after: process, tolerates: [] })
}

function caught(verdict: Verdict, kind: string, message: RegExp): void {
  assert.ok(
    verdict.faults.some((fault) => fault.kind === kind && message.test(fault.message)),
    JSON.stringify(verdict.faults, null, 2)
  )
}

const truth = suite('stress/judge: a true history')

truth('passes, and the model was asked', () => {
  const told = work()
  assert.equal(judged(told, told.history), { faults: [], unasked: undefined })
})

truth('passes without the model too, and says that it was not asked', () => {
  const told = work()
  const { faults, unasked } = judged(told, told.history, false)
  assert.equal(faults, [])
  assert.match(unasked ?? '', /CeHeapCreate cannot be repeated/)
})

truth('may fail calls that must fail', () => {
  const told = tell((one, two) => {
    const heap = one.HeapCreate(0, 0, 0x10000)
    assert.is(two.HeapAlloc(heap, 0, 0x20000), 0)
    const p = two.HeapAlloc(heap, 0, 100)
    assert.is(one.HeapReAlloc(heap, 0, p, 0x20000), 0)
    one.HeapFree(heap, 0, p)
    one.SetLastError(7)
  })
  assert.equal(judged(told, told.history).faults, [])
})
truth.run()

const lies = suite('stress/judge: what is caught')

lies('two live blocks that overlap, in every way that they can', () => {
  const told = work()
  const [, first, second] = told.history as [Call, Call, Call]
  const at = first.result as number
  for (const address of [at, at + 99, at - 199, at - 32]) {
    for (const withModel of [true, false])
      caught(
        judged(told, forge(told.history, 2, { ...second, result: address }), withModel),
        'overlap',
        /HeapAlloc handed out 0x.*overlaps the live block 0x/
      )
  }
  const beside = judged(told, forge(told.history, 2, { ...second, result: at + 100 }), false).faults
  assert.not.ok(
    beside.some(({ kind }) => kind === 'overlap'),
    'a block that begins where another ends'
  )
})

lies('a block that a resize put onto another one', () => {
  const told = work()
  const history = forge(told.history, 3, { result: told.history[1]?.result })
  caught(judged(told, history, false), 'overlap', /HeapReAlloc handed out/)
})

lies('a wrong result, and what was expected', () => {
  const told = work()
  const verdict = judged(told, forge(told.history, 2, { result: (told.history[2]?.result ?? 0) + 0x10000 }))
  caught(verdict, 'result', /HeapAlloc of thread 3 answered 0x.*the same calls in a row give 0x/)
  assert.match(verdict.faults.find(({ kind, at }) => kind === 'result' && at === 2)?.expected ?? '', /^0x[0-9A-F]+, last error 0$/)
})

lies('a wrong last error', () => {
  const told = work()
  caught(judged(told, forge(told.history, 2, { lastError: 5 })), 'result', /last error 5; the same calls in a row give .*last error 0/)
})

lies('calls in a wrong order', () => {
  const told = work()
  caught(judged(told, swap(told.history, 1)), 'result', /HeapAlloc of thread 3 answered/)
  caught(judged(told, swap(told.history, 2), false), 'result', /HeapReAlloc resized 0x[0-9A-F]+, which is no live block/)
})

lies('a block that is freed although it is not live, and one that is not although it is', () => {
  const told = work()
  const free = told.history[7] as Call
  caught(
    judged(told, [...told.history.slice(0, 8), free, ...told.history.slice(8)], false),
    'result',
    /HeapFree freed 0x[0-9A-F]+, which is no live block/
  )
  caught(judged(told, forge(told.history, 7, { result: 0 }), false), 'result', /HeapFree refused to free the live block/)
  caught(
    judged(told, forge(told.history, 6, { result: told.history[4]?.result }), false),
    'result',
    /LocalFree refused to free the live block/
  )
})

lies('a leak', () => {
  const told = tell((one) => one.LocalAlloc(0, 40))
  caught(judged(told, told.history), 'leak', /^1 block is left at the end: 0x[0-9A-F]+ \(40 bytes, of thread 2\); finish\(\) must free/)
})

lies('a block that the heap lost, one that it holds for nobody, one of another size', () => {
  const told = work()
  const history = told.history.slice(0, 6)
  caught(judged(told, history, false), 'lost', /is lost: no heap knows it any more/)
  const leaking = tell((one) => one.LocalAlloc(0, 40))
  caught(
    judged(leaking, [{ ...(leaking.history[0] as Call), call: 'GetProcessHeap' }], false),
    'lost',
    /heaps hold blocks that nobody has: 0x/
  )
  caught(judged(leaking, forge(leaking.history, 0, { args: [0, 72] }), false), 'lost', /has 40 bytes, 72 were asked for/)
})

lies('a heap that is not what the same calls give in a row', () => {
  const told = work()
  told.process.thread.HeapCreate(0, 0, 0)
  caught(judged(told, told.history), 'result', /after all calls the heaps are not those/)
})

lies('a finding of the emulated OS, unless the workload tolerates its rule', () => {
  const told = tell((one, two) => {
    const p = one.LocalAlloc(0, 40)
    two.LocalFree(p)
    one.HeapFree(one.GetProcessHeap(), 0, p)
  })
  const { history, process, processHeap } = told
  const verdict = judged(told, history)
  caught(verdict, 'finding', /HeapFree: 0x[0-9A-F]+ was freed before \(C-5\)$/)
  assert.equal([verdict.faults[0]?.kind, verdict.faults[0]?.thread, history[verdict.faults[0]?.at ?? 0]?.call], ['finding', 2, 'HeapFree'])
  assert.equal(judge({ history, threads: 2, options, processHeap, after: process, tolerates: ['C-5'] }).faults, [])
})

lies('a damaged cookie', () => {
  const ce = createProcess(options).thread
  const cookie = cookieOf(ce)
  for (const bytes of [1, 8, 100, 20_000]) {
    const p = ce.LocalAlloc(0, bytes)
    cookie.write(p, bytes)
    cookie.verify(p, bytes)
    for (const at of new Set([0, bytes >> 3, bytes - 1])) {
      ce.memory.bytes[p + at] = (ce.memory.bytes[p + at] as number) ^ 1
      assert.throws(
        () => cookie.verify(p, bytes),
        new RegExp(`the cookie of the block at 0x${p.toString(16)} is damaged: byte ${at} is \\d+, expected`)
      )
      ce.memory.bytes[p + at] = (ce.memory.bytes[p + at] as number) ^ 1
    }
    const q = ce.LocalReAlloc(p, bytes * 2, 2)
    cookie.verify(q, bytes)
  }
})

lies('a call that would have to wait at its place of the order', () => {
  const { history } = tell((one, two) => {
    const section = one.LocalAlloc(0, 32)
    one.InitializeCriticalSection(section)
    one.EnterCriticalSection(section) // 2
    one.LeaveCriticalSection(section) // 3
    two.EnterCriticalSection(section) // 4
    two.LeaveCriticalSection(section)
  })
  assert.is(compareWithModel(history, 2, options, undefined), undefined)
  const { at, message, expected } = compareWithModel(swap(history, 3), 2, options, undefined) ?? {}
  assert.equal([at, expected], [3, 'nothing: it waits'])
  assert.match(message ?? '', /^EnterCriticalSection cannot be made at this place of the order: LockTimeoutError: /)
})

lies('a call of a thread that does not exist', () => {
  const { history } = work()
  assert.match(compareWithModel(forge(history, 1, { thread: 9 }), 2, options, undefined)?.message ?? '', /was made by thread 9/)
})
lies.run()

const ends = suite('stress/judge: the end')

ends('one free block a region, every invariant', () => {
  const { process } = work()
  assert.is(endFault(process, []), undefined)
  const { machine } = process.thread
  // A committed page more than there are.
  ;(machine.sys as Int32Array)[5] = (machine.sys[5] as number) + 1
  assert.is(endFault(process, [])?.kind, 'invariant')
})

ends('the books know what is live at any moment', () => {
  const { history, processHeap } = work()
  const books = new Intervals(processHeap)
  const live = history.map((call) => {
    assert.is(books.apply(call), undefined)
    return books.live.length
  })
  assert.equal(live, [0, 1, 2, 2, 3, 2, 1, 0, 0])
})

ends('a heap takes its blocks with it', () => {
  const { history, processHeap, process } = tell((one, two) => {
    const heap = one.HeapCreate(0, 0, 0)
    for (let n = 0; n < 5; n++) two.HeapAlloc(heap, 0, 100)
    one.HeapDestroy(heap)
  })
  assert.equal(judge({ history, threads: 2, options, processHeap, after: process, tolerates: [] }).faults, [])
})
ends.run()
