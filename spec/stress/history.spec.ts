// Histories: calls on their way from a worker, and all threads' calls in the order of their grants.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess, type CallRecord } from '../../src/index.ts'
import { HistoryWriter, merge, MOST_CALLS, unpack } from '../../src/stress/history.ts'
import { callText, historyLines } from '../../src/stress/lines.ts'
import { randomOf } from '../../src/stress/random.ts'

const history = suite('stress/history')

function packed(records: readonly CallRecord[]): ReturnType<typeof unpack> {
  const writer = new HistoryWriter()
  for (const record of records) writer.write(record)
  return unpack(writer.pack(records[0]?.thread ?? 1))
}

history('calls come back as they were made', () => {
  const process = createProcess({ memory: 0x100000 })
  const records: CallRecord[] = []
  process.record({ write: (call) => records.push(call) })
  const ce = process.thread
  for (let n = 0; n < 500; n++) ce.LocalFree(ce.LocalAlloc(0, n))
  ce.HeapFree(0xffffffff, 1, 2)
  ce.HeapSize(ce.GetProcessHeap(), 0, 0)
  const back = packed(records).map(({ order: _, findings: __, ...call }) => call)
  assert.equal(back, records)
})

history('a call that returns nothing', () => {
  const [call] = packed([{ call: 'LeaveCriticalSection', thread: 2, args: [8], result: undefined, lastError: 0, order: 4 }])
  assert.equal([call?.result, call?.order], [undefined, 4])
})

history('findings stay with their call', () => {
  const process = createProcess({ memory: 0x100000 })
  const writer = new HistoryWriter()
  process.onFinding((finding) => writer.note(finding))
  process.record(writer)
  const ce = process.thread
  ce.LocalAlloc(0, 10)
  ce.HeapFree(ce.GetProcessHeap(), 0, 7)
  ce.LocalAlloc(0, 10)
  assert.equal(
    unpack(writer.pack(1)).map(({ call, findings }) => [call, findings.map(({ rule }) => rule)]),
    [
      ['LocalAlloc', []],
      ['GetProcessHeap', []],
      ['HeapFree', ['C-5']],
      ['LocalAlloc', []]
    ]
  )
})

history('threads are merged by the step of the last grant; what needs none stays behind the call before it', () => {
  const call = (name: string, thread: number, order?: number): CallRecord => ({
    call: name,
    thread,
    args: [],
    result: 0,
    ...(order === undefined ? {} : { order })
  })
  const one = packed([call('a', 2, 3), call('b', 2), call('c', 2, 9)])
  const two = packed([call('x', 3), call('y', 3, 1), call('z', 3, 7)])
  assert.equal(
    merge([one, two]).map(({ call: name }) => name),
    ['x', 'y', 'a', 'b', 'z', 'c']
  )
})

history('of endless runs the first calls are kept, and it is said that more were made', () => {
  const writer = new HistoryWriter()
  for (let n = 0; n <= MOST_CALLS; n++) writer.write({ call: 'a', thread: 2, args: [], result: 0 })
  const { calls, cut } = writer.pack(2)
  assert.equal([calls, cut], [MOST_CALLS + 1, true])
})

history('lines: as one would write them, up to the call that is wrong', () => {
  const calls = packed([
    { call: 'HeapAlloc', thread: 2, args: [0x10000, 8, 100], result: 0x20000 },
    { call: 'HeapFree', thread: 2, args: [0x10000, 0, 0x20000], result: 1 },
    { call: 'HeapFree', thread: 2, args: [0x10000, 0, 0x20000], result: 0 }
  ])
  assert.equal(calls.map(callText), ['HeapAlloc(0x10000, 0x8, 100)', 'HeapFree(0x10000, 0, 0x20000)', 'HeapFree(0x10000, 0, 0x20000)'])
  const lines = historyLines(calls, [{ kind: 'result', message: 'wrong', at: 1, expected: '0x0' }])
  assert.equal(lines.slice(1), [{ call: 'HeapFree(0x10000, 0, 0x20000)', thread: 2, result: '1', expected: '0x0', note: 'wrong' }])
  assert.is(historyLines(calls, []).length, 3)
})
history.run()

const random = suite('stress/random')

random('the same seed and thread give the same numbers, others give others', () => {
  const numbers = (seed: number, thread: number): number[] => {
    const next = randomOf(seed, thread)
    return Array.from({ length: 20 }, () => next(1000))
  }
  assert.equal(numbers(1, 0), numbers(1, 0))
  const all = [numbers(1, 0), numbers(1, 1), numbers(2, 0), numbers(2, 1), numbers(0, -1)].map(String)
  assert.is(new Set(all).size, all.length)
})

random('every number below the bound comes up, none above', () => {
  const next = randomOf(3, 1)
  const counts = new Array<number>(10).fill(0)
  for (let n = 0; n < 10_000; n++) counts[next(10)] = (counts[next(10)] ?? 0) + 1
  assert.is(counts.length, 10)
  assert.ok(
    counts.every((count) => count > 800 && count < 1200),
    counts.join()
  )
})
random.run()
