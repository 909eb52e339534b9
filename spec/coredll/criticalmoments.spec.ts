// What other threads do to a critical section, to its structure and to the memory below that while a call on it is under way, or when its owner dies.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AccessViolation,
  attachThread,
  CRITICAL_SECTION,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RESERVE,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../../src/index.ts'
import type { CeThread, Finding } from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, orphan, WAITERS } from '../../src/machine/section.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { parkLater } from '../../src/machine/wait.ts'
import { crew } from './criticalworld.ts'
import { filled } from './world.ts'

/** Other threads' deeds at the moment when `ce` is about to enter the section at `word` of system memory; says afterwards that the moment came. */
function meanwhile({ machine }: CeThread, word: number, deeds: () => void): () => void {
  const { take } = machine
  let due = true
  machine.take = (address, who) => {
    if (due && address >>> 2 === word) {
      due = false
      deeds()
    }
    return take(address, who)
  }
  return () => {
    machine.take = take
    assert.is(due, false)
  }
}

const pageOf = (ce: CeThread): number => ce.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
const recordOf = ({ machine }: CeThread): number => [...sectionRecords(machine)][0] as number

function isViolation(error: unknown, address: number): void {
  assert.instance(error, AccessViolation)
  const { access, address: at } = error as AccessViolation
  assert.equal([access, at], ['write', address])
}

function caught(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

const moments = suite('critical sections that change under a call')

moments("C-76: of two threads that delete it the later one finds none: its memory is the program's, its record another section's", () => {
  const { process, one, two, heap, at, rules } = crew()
  const next = one.HeapAlloc(heap, HEAP_ZERO_MEMORY, 20)
  const done = meanwhile(one, recordOf(one), () => {
    two.DeleteCriticalSection(at)
    two.InitializeCriticalSection(next)
    two.memory.fill(at, 0x77, 20)
  })
  one.DeleteCriticalSection(at)
  done()
  assert.equal(rules(), ['C-76'])
  assert.ok(filled(one, at, 20, 0x77))
  assert.equal(
    process.snapshot().sections.map(({ address }) => address),
    [next]
  )
  process.check()
})

moments('C-82: pages that go while the initialisation waits for the process raise the exception, and there is no section', () => {
  const { process, one, two, rules } = crew()
  const page = pageOf(one)
  const done = meanwhile(one, HDR.LOCK, () => two.VirtualFree(page, 4096, MEM_DECOMMIT))
  isViolation(
    caught(() => one.InitializeCriticalSection(page)),
    page
  )
  done()
  assert.is(process.snapshot().sections.length, 1)
  assert.equal(rules(), [])
  process.check()
})

moments('C-82: pages that go while it waits for its section raise the exception, and it is outside', async () => {
  const { process, one, two, three, rules } = crew()
  const page = pageOf(one)
  one.InitializeCriticalSection(page)
  three.EnterCriticalSection(page)
  const waiting = two.EnterCriticalSectionAsync(page).catch((error: unknown) => error)
  one.VirtualFree(page, 4096, MEM_DECOMMIT)
  // It lets go of the section, though it cannot leave it any more.
  three.detach()
  isViolation(await waiting, page)
  assert.equal(rules(), ['CS-6'])
  one.VirtualAlloc(page, 4096, MEM_COMMIT, PAGE_READWRITE)
  assert.is(one.TryEnterCriticalSection(page), 1)
  process.check()
})

for (const call of ['EnterCriticalSection', 'TryEnterCriticalSection', 'LeaveCriticalSection', 'DeleteCriticalSection'] as const) {
  moments(`C-82, C-78: ${call} on an overwritten structure that nobody may write any more mends nothing and changes nothing`, () => {
    const { process, one, two, heap, rules } = crew()
    const page = pageOf(one)
    const old = one.HeapAlloc(heap, 0, 4)
    one.InitializeCriticalSection(page)
    const record = [...sectionRecords(one.machine)][1] as number
    const held = call === 'LeaveCriticalSection'
    if (held) one.EnterCriticalSection(page)
    one.memory.fill(page, 0x77, 20)
    const done = meanwhile(one, HDR.LOCK, () => two.VirtualProtect(page, 4096, PAGE_READONLY, old))
    isViolation(
      caught(() => one[call](page)),
      page
    )
    done()
    assert.equal(rules(), [])
    assert.ok(filled(one, page, 20, 0x77))
    assert.is(one.machine.sys[record], held ? one.tid : 0)
    process.check()
  })
}

moments('C-76: a try on what is no section looks for it in the table and enters nothing else', () => {
  const { one, heap } = crew()
  const none = one.HeapAlloc(heap, HEAP_ZERO_MEMORY, 20)
  const { take } = one.machine
  const entered: number[] = []
  one.machine.take = (address, who) => {
    entered.push(address >>> 2)
    return take(address, who)
  }
  assert.is(one.TryEnterCriticalSection(none), 0)
  assert.equal(entered, [HDR.LOCK])
})

moments('CS-1: who leaves wakes one that waits', async () => {
  const { one, at } = crew()
  const { sys } = one.machine
  const word = recordOf(one)
  one.EnterCriticalSection(at)
  Atomics.or(sys, word, WAITERS)
  const woken = parkLater(sys, word, sys[word] as number, 5000)
  one.LeaveCriticalSection(at)
  assert.is(await woken, true)
})
moments.run()

const dead = suite('critical sections whose owner dies')

function deadCrew() {
  const scene = crew()
  const token = scene.process.share()
  return { ...scene, record: recordOf(scene.one), four: attachThread(token), dies: () => scene.process.workerEnded(token) }
}

dead('C-84: those of the others stay as they are', () => {
  const { process, one, two, four, heap, at, dies, rules, look } = deadCrew()
  const other = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(other)
  four.EnterCriticalSection(at)
  two.EnterCriticalSection(other)
  const before = look(other)
  dies()
  assert.equal(rules(), ['CS-6'])
  assert.equal([look().LockCount, look().OwnerThread], [0, 0])
  assert.equal(look(other), before)
  assert.is(one.TryEnterCriticalSection(other), 0)
  process.check()
})

dead('C-84: memory that is no structure of the section any more stays what the program has written there', () => {
  const { process, one, four, at, dies, rules } = deadCrew()
  four.EnterCriticalSection(at)
  one.memory.fill(at, 0x77, 20)
  dies()
  assert.ok(filled(one, at, 20, 0x77))
  assert.equal(rules(), ['CS-6'])
  assert.is(one.TryEnterCriticalSection(at), 1)
  assert.equal(rules(), ['C-78'])
  process.check()
})

dead('C-84: so does the memory of a section that was deleted while the dead one waited for it', () => {
  const { process, one, four, at, record, dies } = deadCrew()
  one.DeleteCriticalSection(at)
  const written = new Uint8Array(20).fill(0x77, 0, 8)
  one.memory.write(at, written)
  // It has got in, and has not seen yet that the section is gone.
  enter(four.machine, record, four.tid)
  dies()
  assert.equal(one.memory.read(at, 20), written)
  assert.is(one.machine.sys[record], 0)
  process.check()
})

dead("C-79: what a dead thread owned and nobody has taken over is not the next one's that gets its id", () => {
  const { process, one, two, at, look, record } = deadCrew()
  const findings: Finding[] = []
  two.onFinding((finding) => findings.push(finding))
  two.EnterCriticalSection(at)
  orphan(one.machine, record, two.tid)
  two.LeaveCriticalSection(at)
  assert.is(findings.length, 1)
  assert.match(findings[0]?.message ?? '', /^LeaveCriticalSection: the critical section 0x[0-9A-F]{8} is nobody's, not this thread's$/)
  assert.is(look().OwnerThread, 2, 'nobody has mended it')
  assert.is(one.TryEnterCriticalSection(at), 1)
  assert.is(CRITICAL_SECTION.get(one.memory, at, 'OwnerThread'), 1)
  process.check()
})

dead('CS-6, C-84: the finding of a thread that detaches inside names the call and the section', () => {
  const { process, two, at } = crew()
  const findings: Finding[] = []
  process.onFinding((finding) => findings.push(finding))
  two.EnterCriticalSection(at)
  two.detach()
  process.drainFindings()
  const section = `0x${at.toString(16).toUpperCase().padStart(8, '0')}`
  assert.equal(findings, [
    {
      rule: 'CS-6',
      severity: 'error',
      call: 'EnterCriticalSection',
      thread: 2,
      message: `EnterCriticalSection: the thread ended inside the critical section ${section}, which is free now (C-84)`
    }
  ])
})
dead.run()
