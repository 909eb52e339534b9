// A spy and several threads: where it lives, what the calls of others do, how it ends. Here two threads of the same JavaScript thread; real workers at the end.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Com, type IMalloc, openCom, spyState } from '../../src/com/index.ts'
import {
  attachThread,
  type CeProcess,
  CO_E_OBJISREG,
  CO_E_OBJNOTREG,
  createProcess,
  E_ACCESSDENIED,
  type Finding,
  LockTimeoutError,
  S_OK
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave } from '../../src/machine/section.ts'
import { filled } from '../coredll/world.ts'
import { Headers, Witness } from '../../src/mixed/spies.ts'
import { type Done, start as startWorker } from './crew.ts'

interface Pair {
  readonly process: CeProcess
  readonly findings: Finding[]
  readonly one: Com & { readonly malloc: IMalloc }
  readonly two: Com & { readonly malloc: IMalloc }
}

function pair(): Pair {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 40 })
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  const [one, two] = [process.thread, attachThread(process.share())].map((ce) => {
    const com = openCom(ce)
    return { ...com, malloc: com.CoGetMalloc(1).ppMalloc as IMalloc }
  }) as [Pair['one'], Pair['two']]
  return { process, findings, one, two }
}

const two = suite('a spy and two threads')

two('C-55: there is one spy for the process, and the calls of other threads are counted and not shown to it', () => {
  const { process, findings, one, two } = pair()
  const spy = new Witness()
  assert.is(one.CoRegisterMallocSpy(spy), S_OK)
  assert.is(two.CoRegisterMallocSpy(new Witness()), CO_E_OBJISREG)
  spy.take()
  const p = two.malloc.Alloc(10)
  two.malloc.HeapMinimize()
  assert.is(two.malloc.GetSize(p), 32)
  two.CoTaskMemFree(two.CoTaskMemRealloc(p, 20))
  assert.equal(spy.take(), [])
  assert.equal(spyState(process.thread), { thread: 1, pending: false, blocks: 0, unseen: 5 })
  process.drainFindings()
  assert.equal(
    findings.map(({ rule, thread, message }) => ({ rule, thread, message })),
    [
      { rule: 'C-55', thread: 2, message: "IMalloc::Alloc: the spy lives in thread 1: this thread's calls are counted and not shown to it" }
    ],
    'told once a thread'
  )
  assert.is(one.CoRevokeMallocSpy(), S_OK)
})

two('C-55: the finding says where the spy lives, and that its thread has ended if it outlives it', () => {
  const { process, findings, one } = pair()
  const leaver = openCom(attachThread(process.share()))
  leaver.CoRegisterMallocSpy(new Witness())
  const p = leaver.CoTaskMemAlloc(10)
  process.terminateThread(3)
  assert.throws(() => leaver.CoTaskMemFree(p), /terminated/)
  assert.is(one.malloc.GetSize(p), 32)
  assert.equal(
    findings.map(({ thread, message }) => [thread, message]),
    [[1, "IMalloc::GetSize: the spy lived in a thread that has ended: this thread's calls are counted and not shown to it"]]
  )
})

two('C-55: what the spy put in front of a block is kept and minded in the calls of other threads', () => {
  for (const header of [4, 8, 32, 100]) {
    const { process, findings, one, two } = pair()
    const ce = process.thread
    one.CoRegisterMallocSpy(new Headers(header))
    const p = one.malloc.Alloc(50)
    ce.memory.fill(p - header, 1, header)
    ce.memory.fill(p, 2, 50)
    assert.is(two.malloc.GetSize(p), one.malloc.GetSize(p))
    assert.equal([two.malloc.DidAlloc(p), two.malloc.DidAlloc(p + 1), two.malloc.DidAlloc(p - 1)], [1, 0, 0])
    assert.is(two.malloc.Realloc(p, 0xffffffff), 0)
    assert.is(two.malloc.Realloc(p, 0xffffffff - header), 0)
    two.malloc.Alloc(1)
    const q = two.malloc.Realloc(p, 20_000)
    assert.ok(filled(ce, q - header, header, 1), 'the header moves with the block')
    assert.ok(filled(ce, q, 50, 2))
    assert.is(one.malloc.GetSize(q), two.malloc.GetSize(q))
    assert.ok(one.malloc.GetSize(q) >= 20_000)
    two.malloc.Free(q)
    assert.is(one.malloc.DidAlloc(q), 0)
    assert.is(one.CoRevokeMallocSpy(), S_OK)
    process.drainFindings()
    assert.equal(
      findings.map(({ rule }) => rule),
      ['C-55']
    )
    process.check()
  }
})

two('C-53: a bad pointer of another thread is reported as without a spy', () => {
  const { process, findings, one, two } = pair()
  one.CoRegisterMallocSpy(new Headers(8))
  const p = one.malloc.Alloc(500)
  for (const pointer of [p + 8, p + 32, 0x8000, 0xffffffff]) {
    two.malloc.Free(pointer)
    assert.is(two.malloc.Realloc(pointer, 10), 0)
    assert.is(two.malloc.GetSize(pointer), 0xffffffff)
    assert.is(two.malloc.DidAlloc(pointer), 0)
  }
  process.drainFindings()
  assert.is(findings.filter(({ rule, thread }) => rule === 'C-53' && thread === 2).length, 12)
  assert.is(spyState(process.thread)?.blocks, 1)
  assert.is(two.malloc.DidAlloc(p), 1)
  process.check()
})

two('C-58: any thread may revoke the spy; its own thread releases it at its next call of the allocator', () => {
  const { one, two } = pair()
  const [spy, next] = [new Witness(), new Witness()]
  one.CoRegisterMallocSpy(spy)
  assert.is(two.CoRevokeMallocSpy(), S_OK)
  assert.is(two.CoRegisterMallocSpy(next), S_OK, 'there is room for another')
  assert.is(spy.references, 1)
  spy.take()
  const p = one.malloc.Alloc(10)
  assert.equal(spy.take(), ['Release'])
  two.malloc.Free(p)
  assert.equal(next.take(), ['QueryInterface IID_IMallocSpy', `PreFree ${p} 0`, 'PostFree 0'])
})

two('C-58: a call for NULL, which no spy is shown, is a call too: the spy that is over goes', () => {
  for (const call of ['Free', 'GetSize', 'DidAlloc'] as const) {
    const { one, two } = pair()
    const spy = new Witness()
    one.CoRegisterMallocSpy(spy)
    assert.is(two.CoRevokeMallocSpy(), S_OK)
    two.malloc[call](0)
    assert.is(spy.references, 1, 'another thread does not release it')
    one.malloc[call](0)
    assert.is(spy.references, 0, call)
  }
})

two('SP-6, C-58: the last spied block ends a pending spy whoever frees it', () => {
  const { process, one, two } = pair()
  const spy = new Witness()
  one.CoRegisterMallocSpy(spy)
  const p = one.malloc.Alloc(10)
  assert.is(two.CoRevokeMallocSpy(), E_ACCESSDENIED)
  two.malloc.Free(p)
  assert.is(spyState(process.thread), undefined)
  assert.is(spy.references, 1)
  assert.is(one.CoRegisterMallocSpy(new Witness()), S_OK)
  assert.is(spy.references, 0, 'registering releases the one that ended')
})

two('SP-13: while a method of the spy runs, calls of other threads wait', () => {
  const { one, two } = pair()
  let waited = 0
  const wait = (): void => {
    const calls = [() => two.malloc.Alloc(1), () => two.CoTaskMemFree(64), () => two.malloc.GetSize(64), () => two.CoRevokeMallocSpy()]
    for (const call of calls)
      assert.throws(call, (error: unknown) => error instanceof LockTimeoutError && error.owner === 1 && ++waited > 0)
  }
  class Slow extends Witness {
    override PreGetSize(pRequest: number, fSpyed: number): number {
      wait()
      return super.PreGetSize(pRequest, fSpyed)
    }

    override PostGetSize(cbActual: number, fSpyed: number): number {
      wait()
      return super.PostGetSize(cbActual, fSpyed)
    }
  }
  one.CoRegisterMallocSpy(new Slow())
  assert.is(one.malloc.GetSize(one.malloc.Alloc(10)), 32)
  assert.is(waited, 8)
  assert.is(two.malloc.GetSize(two.malloc.Alloc(10)), 32)
})

two('findings are told when the section is left, those of the calls that a method of the spy makes too', () => {
  const { process, one, two } = pair()
  one.CoRegisterMallocSpy(
    Object.assign(new Witness(), {
      PreHeapMinimize: () => one.malloc.Free(0x8000)
    })
  )
  let got = 0
  process.onFinding(() => {
    got ||= two.malloc.Alloc(10)
  })
  one.malloc.HeapMinimize()
  assert.is.not(got, 0, 'the listener had another thread allocate')
})

two('a block that HeapFree freed past the allocator is spied no more when another thread gets its address', () => {
  const { process, one, two } = pair()
  const spy = new Witness()
  one.CoRegisterMallocSpy(spy)
  const p = one.malloc.Alloc(10)
  process.thread.HeapFree(process.thread.GetProcessHeap(), 0, p)
  assert.is(one.CoRevokeMallocSpy(), E_ACCESSDENIED)
  assert.is(two.malloc.Alloc(10), p)
  assert.is(spyState(process.thread), undefined, 'and nothing is left for the revoke to wait for')
  process.check()
})

two('a spy whose thread has left stays registered, and a later thread of the same number is not its own', () => {
  const { process, one } = pair()
  const leaver = attachThread(process.share())
  const spy = new Witness()
  openCom(leaver).CoRegisterMallocSpy(spy)
  const p = openCom(leaver).CoTaskMemAlloc(10)
  leaver.detach()
  const heir = attachThread(process.share())
  assert.is(heir.tid, leaver.tid)
  spy.take()
  assert.is(openCom(heir).CoTaskMemRealloc(p, 20), p)
  assert.is(one.CoRevokeMallocSpy(), E_ACCESSDENIED)
  one.CoTaskMemFree(p)
  assert.is(one.CoRevokeMallocSpy(), CO_E_OBJNOTREG)
  assert.equal(spy.take(), [])
})

two('a thread that dies between a mark and its count leaves the count to the next call', () => {
  const { process, one } = pair()
  const { machine } = process.thread
  one.CoRegisterMallocSpy(new Witness())
  const [p, q] = [one.malloc.Alloc(10), one.malloc.Alloc(10)]
  // Where setMark stops when its thread is gone: the mark is taken, the count is not.
  machine.sys[HDR.SPY_MARKING] = 1
  machine.marks[p / 32] = 0
  process.check()
  assert.is(spyState(process.thread)?.blocks, 1)
  process.check()
  assert.is(one.CoRevokeMallocSpy(), E_ACCESSDENIED)
  one.malloc.Free(q)
  assert.is(spyState(process.thread), undefined)
})

two('the spy section of a worker that ended inside it comes free, and its spy is gone (C-55)', () => {
  const { process, one } = pair()
  const token = process.share()
  const dead = attachThread(token)
  openCom(dead).CoRegisterMallocSpy(new Witness())
  enter(dead.machine, HDR.SPY_LOCK, dead.tid)
  assert.throws(
    () => one.malloc.Alloc(1),
    (error: unknown) => error instanceof LockTimeoutError
  )
  assert.equal(process.workerEnded(token), [dead.tid])
  assert.is.not(one.malloc.Alloc(1), 0)
  assert.is(one.CoRevokeMallocSpy(), CO_E_OBJNOTREG)
})

two('C-55, SP-6, SP-7: a thread that detaches takes its spy with it: at once, or with the last block that it has seen', () => {
  for (const keeps of [false, true]) {
    const { process, one } = pair()
    const ce = attachThread(process.share())
    const com = openCom(ce)
    const spy = new Headers(8)
    com.CoRegisterMallocSpy(spy)
    const p = com.CoTaskMemAlloc(10)
    if (!keeps) com.CoTaskMemFree(p)
    spy.take()
    ce.detach()
    assert.equal(spy.take(), ['Release'])
    assert.is(spy.references, 0)
    if (keeps) {
      assert.equal(spyState(process.thread), { thread: 0, pending: true, blocks: 1, unseen: 0 })
      assert.is(one.CoRegisterMallocSpy(new Witness()), CO_E_OBJISREG)
      assert.is(attachThread(process.share()).tid, ce.tid, 'the next thread with this id is another')
      one.CoTaskMemFree(p)
    }
    assert.is(spyState(process.thread), undefined)
    assert.is(process.snapshot().heaps[0]?.liveBlocks, 0, 'what the spy had put in front went with the block')
    assert.is(one.CoRegisterMallocSpy(new Witness()), S_OK)
    assert.equal(spy.take(), [])
    process.check()
  }
})

two('C-55: the spy of a thread that ended without a word, or was terminated, is revoked and asked nothing more', () => {
  for (const end of ['dies', 'is terminated'] as const) {
    for (const keeps of [false, true]) {
      const { process, one } = pair()
      const token = process.share()
      const ce = attachThread(token)
      const com = openCom(ce)
      const spy = new Witness()
      com.CoRegisterMallocSpy(spy)
      const p = com.CoTaskMemAlloc(10)
      if (!keeps) com.CoTaskMemFree(p)
      spy.take()
      if (end === 'dies') process.workerEnded(token)
      else {
        process.terminateThread(ce.tid)
        assert.throws(() => com.CoTaskMemAlloc(1), /terminated/)
      }
      if (keeps) {
        assert.equal(spyState(process.thread), { thread: 0, pending: true, blocks: 1, unseen: 0 })
        one.CoTaskMemFree(p)
      }
      assert.is(spyState(process.thread), undefined, `${end}, ${keeps}`)
      assert.is(one.CoRegisterMallocSpy(new Witness()), S_OK)
      assert.equal(spy.take(), [])
      process.check()
    }
  }
})

two('C-55: the death of the thread that a spy lived in waits for nobody; who comes next finds the revoke pending', () => {
  const { process, one, two: other } = pair()
  const token = process.share()
  openCom(attachThread(token)).CoRegisterMallocSpy(new Witness())
  const { machine } = process.thread
  enter(machine, HDR.SPY_LOCK, 2)
  process.workerEnded(token)
  leave(machine, HDR.SPY_LOCK)
  assert.is(one.CoRegisterMallocSpy(new Witness()), S_OK)
  assert.is(other.CoRevokeMallocSpy(), S_OK)
})
two.run()

const workers = suite('a spy and workers')

workers(
  'IM-2, SP-13, C-55: workers that allocate, hand blocks to each other and register spies in turn leave every block, header and count exact',
  async () => {
    const process = createProcess({ memory: 8 * 1024 * 1024 })
    const ce = process.thread
    const com = openCom(ce)
    const shared = ce.LocalAlloc(0x40, 4096)
    const crew = [1, 2, 3].map((seed) => startWorker(process, { seed, rounds: 3000, shared }))
    const done: Done[] = await Promise.all(crew)
    assert.equal(
      done.map(({ error }) => error),
      [undefined, undefined, undefined]
    )
    // What is left over in the slots goes here, past the spy of another thread if one is still pending.
    const slots = new Int32Array(ce.memory.bytes.buffer, shared, 1024)
    for (const p of slots.subarray(1)) com.CoTaskMemFree(p)
    assert.is(com.CoRevokeMallocSpy(), CO_E_OBJNOTREG)
    assert.is(process.snapshot().heaps[0]?.liveBlocks, 1)
    process.check()
    assert.ok(
      done.some(({ spied }) => spied > 0),
      'some calls were spied'
    )
    assert.ok(
      done.some(({ passed }) => passed > 0),
      'and some blocks changed hands'
    )
  }
)
workers.run()
