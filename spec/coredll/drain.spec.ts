import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { messagesApart } from './apart.ts'
import { attachThread, createProcess, MEM_RESERVE, PAGE_NOACCESS } from '../../src/index.ts'

const drain = suite('findings of other threads')

drain('C-97: a listener that throws costs no other finding, and each error is thrown apart', () => {
  const process = createProcess()
  const other = attachThread(process.share())
  const seen: string[] = []
  process.onFinding((finding) => {
    seen.push(finding.call)
    throw new Error(`listener ${seen.length}`)
  })
  other.HeapFree(process.thread.GetProcessHeap(), 0, 0)
  other.HeapSize(1, 0, 0)
  assert.equal(
    messagesApart(() => process.drainFindings()),
    ['listener 1', 'listener 2']
  )
  assert.equal(seen, ['HeapFree', 'HeapSize'])
})

drain('a process whose listener throws is closed all the same, and what came late is delivered', () => {
  const process = createProcess()
  const other = attachThread(process.share())
  let seen = 0
  process.onFinding(() => {
    seen++
    throw new Error('no')
  })
  other.HeapFree(process.thread.GetProcessHeap(), 0, 0)
  assert.equal(
    messagesApart(() => process.close()),
    ['no']
  )
  assert.is(seen, 1)
  assert.throws(() => process.share(), /closed/)
})

drain('more than 512 undrained findings are counted as lost, whoever drains them', () => {
  const process = createProcess()
  const other = attachThread(process.share())
  let seen = 0
  process.onFinding(() => seen++)
  for (let call = 0; call < 600; call++) other.HeapFree(process.thread.GetProcessHeap(), 0, 0)
  process.check()
  assert.is(seen, 512)
  assert.is(process.lostFindings, 88)
})

drain('findings that wait keep nobody from looking at the process, however small it is, and nobody changes them', () => {
  const process = createProcess({ memory: 128 * 1024, lockTimeout: 100 })
  const other = attachThread(process.share())
  const seen: string[] = []
  process.onFinding(({ rule, call }) => seen.push(`${rule} ${call}`))
  other.HeapFree(process.thread.GetProcessHeap(), 0, 8)
  other.LocalAlloc(0x80000000, 10)
  process.imageHash()
  assert.is(process.snapshot().heaps.length, 1)
  process.check()
  assert.equal(seen, ['C-5 HeapFree', 'C-13 LocalAlloc'])
})

drain('a thread cannot detach from inside a page callback: its heap is in the middle of a call', () => {
  const process = createProcess()
  const other = attachThread(process.share())
  const heap = other.CeHeapCreate.bind(
    other,
    0,
    0,
    0,
    (address, size, action) => {
      other.detach()
      return other.VirtualAlloc(address, size, action === MEM_RESERVE ? action : 0x1000, PAGE_NOACCESS)
    },
    () => 1
  )
  assert.match(messagesApart(heap)[0] ?? '', /expected a thread outside every call/)
  process.check()
})

drain.run()
