// Who hears of a finding, when, and in which order.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess, type Finding, LMEM_MOVEABLE, MEM_RESERVE, PAGE_READWRITE } from '../../src/index.ts'
import { apart } from './apart.ts'
import { open } from './world.ts'

const listeners = suite('listeners')

function start(): { process: ReturnType<typeof createProcess>; ce: CeThread; other: CeThread; heap: number } {
  const process = createProcess({ memory: 1024 * 1024 })
  return { process, ce: process.thread, other: attachThread(process.share()), heap: process.thread.GetProcessHeap() }
}

listeners('process.onFinding hears the creating thread at once, and other threads when they are drained', () => {
  const { process, ce, other, heap } = start()
  const heard: string[] = []
  process.onFinding(({ thread, call }) => heard.push(`${thread} ${call}`))
  ce.HeapFree(heap, 0, 0)
  assert.equal(heard.splice(0), ['1 HeapFree'])
  other.HeapFree(heap, 0, 0)
  other.HeapReAlloc(heap, 0, 0, 1)
  assert.equal(heard, [])
  for (const drain of [() => process.drainFindings(), () => process.check(), () => process.snapshot(), () => process.close()]) {
    drain()
    assert.equal(heard.splice(0), ['2 HeapFree', '2 HeapReAlloc'])
    if (!process.thread.machine.closed) {
      other.HeapFree(heap, 0, 0)
      other.HeapReAlloc(heap, 0, 0, 1)
    }
  }
})

listeners('a finding of another thread arrives as it was raised', () => {
  const { process, ce, other, heap } = start()
  const heard: Finding[] = []
  const own: Finding[] = []
  process.onFinding((finding) => heard.push(finding))
  other.onFinding((finding) => own.push(finding))
  const pointer = ce.HeapAlloc(heap, 0, 100)
  other.HeapFree(heap, 0, pointer + 1)
  other.HeapAlloc(heap, 0xffffffff, 1)
  other.HeapSize(0xffffffff, 0, 0xffffffff)
  process.drainFindings()
  assert.is(heard.length, 4)
  assert.equal(heard, own)
})

listeners('ce.onFinding hears its own thread alone', () => {
  const { process, ce, other, heap } = start()
  const heard: number[] = []
  process.onFinding(() => undefined)
  other.onFinding(({ thread }) => heard.push(thread))
  ce.HeapFree(heap, 0, 0)
  other.HeapFree(heap, 0, 0)
  process.drainFindings()
  assert.equal(heard, [2])
})

listeners('ce.onFinding ends for the listener whose end was asked for, in an attached thread too', () => {
  const { other, heap } = start()
  const heard: string[] = []
  const ends = ['a', 'b', 'c'].map((name) => other.onFinding(() => heard.push(name)))
  for (const [first, left] of [
    [0, 'bc'],
    [2, 'b'],
    [2, 'b'],
    [1, '']
  ] as const) {
    ends[first]?.()
    other.HeapFree(heap, 0, 0)
    assert.is(heard.splice(0).join(''), left)
  }
})

listeners('findings from before there was a listener, or after it ended, are gone', () => {
  const { process, ce, other, heap } = start()
  const heard: number[] = []
  ce.HeapFree(heap, 0, 0)
  other.HeapFree(heap, 0, 0)
  const end = process.onFinding(({ thread }) => heard.push(thread))
  assert.is(process.drainFindings(), 0)
  end()
  ce.HeapFree(heap, 0, 0)
  other.HeapFree(heap, 0, 0)
  end()
  process.onFinding(({ thread }) => heard.push(thread))
  assert.is(process.drainFindings(), 0)
  assert.equal(heard, [])
})

listeners('one that ends leaves the others listening, to other threads too', () => {
  const { process, other, heap } = start()
  const heard: number[] = []
  process.onFinding(({ thread }) => heard.push(thread))
  process.onFinding(() => heard.push(0))()
  other.HeapFree(heap, 0, 0)
  process.drainFindings()
  assert.equal(heard, [2])
})

listeners('512 findings of other threads wait; what does not fit is counted', () => {
  const { process, other, heap } = start()
  const heard: string[] = []
  process.onFinding(({ message }) => heard.push(message))
  for (let turn = 0; turn < 3; turn++) {
    for (let n = 0; n < 600; n++) other.HeapFree(heap, 0, 0x80000000 + n)
    assert.is(process.drainFindings(), 88)
    assert.is(heard.length, 512)
    assert.match(heard[511] ?? '', '0x800001FF')
    heard.length = 0
    assert.is(process.drainFindings(), 0)
  }
})

listeners('several listeners hear in their order; one may end itself meanwhile', () => {
  const { process, ce, heap } = start()
  const heard: string[] = []
  const end = process.onFinding(() => {
    heard.push('a')
    end()
  })
  process.onFinding(() => heard.push('b'))
  ce.HeapFree(heap, 0, 0)
  ce.HeapFree(heap, 0, 0)
  assert.equal(heard, ['a', 'b', 'b'])
})

listeners('who stops to listen twice stops nobody else', () => {
  const { process, ce, heap } = start()
  const heard: string[] = []
  const ends = [process.onFinding(() => heard.push('a')), ce.onFinding(() => heard.push('b'))]
  process.onFinding(() => heard.push('c'))
  ce.onFinding(() => heard.push('d'))
  for (const end of [...ends, ...ends]) end()
  ce.HeapFree(heap, 0, 0)
  assert.equal(heard, ['c', 'd'])
})

listeners('a listener may call the process: no section is held while it is told', () => {
  for (const build of ['retail', 'debug'] as const) {
    const world = open({ name: '', profile: 'compact-2013', build })
    const { ce, process, heap } = world
    const other = attachThread(process.share())
    let told = 0
    process.onFinding(() => {
      if (told++ > 50) return
      process.check()
      // Another thread would wait for ever if this one were inside.
      assert.is(other.HeapFree(heap, 0, other.HeapAlloc(heap, 0, 10)), 1)
      assert.is.not(other.VirtualAlloc(0, 10, MEM_RESERVE, PAGE_READWRITE), 0)
    })
    const pointer = ce.HeapAlloc(heap, 4, 100)
    if (build === 'debug') ce.memory.writeU8(pointer + 100, 1)
    const calls = [
      () => ce.HeapReAlloc(heap, 2, pointer, 50),
      () => ce.HeapFree(heap, 0, pointer + 4),
      () => ce.HeapSize(heap, 0, 1),
      () => ce.HeapReAlloc(heap, 0, 1, 1),
      () => ce.LocalFree(9),
      () => ce.LocalReAlloc(9, 1, 0),
      () => ce.LocalSize(0),
      () => ce.LocalAlloc(2, 1),
      () => ce.LocalReAlloc(pointer, 1, 0x80f00),
      () => ce.HeapCompact(heap, 2),
      () => ce.HeapValidate(heap, 2, 0),
      () => ce.HeapDestroy(heap),
      () => ce.HeapDestroy(1),
      () => ce.HeapCreate(0x1006, 0, 0),
      () => ce.VirtualFree(heap & ~0xffff, 0, 0x8000),
      () => ce.HeapAlloc(ce.HeapCreate(0, 0, 0x1000), 0, 0x90000),
      () => ce.HeapFree(heap, 4, pointer)
    ]
    for (const call of calls) {
      const before = told
      call()
      assert.ok(told > before || /VirtualFree/.test(String(call)), String(call))
    }
    assert.ok(told < 50, 'nobody stopped asking')
    process.check()
  }
})

listeners('C-97: what a listener throws is thrown apart: the call keeps its answer, and the others are told', () => {
  const { process, ce, heap } = start()
  const heard: string[] = []
  for (const listen of [(f: () => void) => ce.onFinding(f), (f: () => void) => process.onFinding(f)]) {
    listen(() => {
      throw new Error('mine')
    })
    listen(() => heard.push('told'))
  }
  const { answer, thrown } = apart(() => ce.LocalAlloc(LMEM_MOVEABLE, 100))
  assert.is(ce.LocalSize(answer), 128)
  assert.equal(thrown.map(String), ['Error: mine', 'Error: mine'])
  assert.is(heard.length, 2)
  assert.is(apart(() => ce.HeapFree(heap, 0, answer)).answer, 1)
})

listeners('C-97: an error that is thrown apart is uncaught: it is not swallowed', async () => {
  const { process, ce, heap } = start()
  process.onFinding(() => {
    throw new Error('mine')
  })
  const uncaught: string[] = []
  const others = globalThis.process.listeners('uncaughtException')
  globalThis.process.removeAllListeners('uncaughtException')
  globalThis.process.on('uncaughtException', (error) => uncaught.push(error.message))
  assert.is(ce.HeapFree(heap, 0, 0), 0)
  assert.equal(uncaught, [], 'not before what is running has ended')
  await new Promise((done) => setImmediate(done))
  globalThis.process.removeAllListeners('uncaughtException')
  for (const other of others) globalThis.process.on('uncaughtException', other)
  assert.equal(uncaught, ['mine'])
})

listeners('what is no function throws a TypeError', () => {
  const { process, ce } = start()
  for (const value of [undefined, null, 5, 'x', {}]) {
    for (const on of [process.onFinding.bind(process), ce.onFinding.bind(ce)]) {
      assert.throws(
        () => on(value as never),
        (error: unknown) => error instanceof TypeError && error.message.startsWith('onFinding: listener: expected a function, got ')
      )
    }
  }
})

listeners.run()
