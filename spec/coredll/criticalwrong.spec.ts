// Critical sections in wrong hands: what CE leaves undefined answers by our choices, is found, and changes nothing.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AccessViolation,
  CRITICAL_SECTION,
  GuardPageException,
  HEAP_ZERO_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RESERVE,
  PAGE_GUARD,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { sectionRecords } from '../../src/machine/sectiontable.ts'
import { crew, timesOut } from './criticalworld.ts'
import { hex } from './sectioncases.ts'
import { everywhere } from './world.ts'

const wrong = suite('critical sections in wrong hands')

everywhere(wrong, 'C-76: calls on memory that was never initialised change nothing and are reported', ({ ce, answer }) => {
  const at = ce.LocalAlloc(0x40, 20)
  for (const byte of [0, 0x03, 0x55, 0x7f, 0xff]) {
    ce.memory.fill(at, byte, 20)
    const nothing = { result: undefined, error: 'untouched', rules: ['C-76'], changed: false }
    assert.equal(
      answer(() => ce.EnterCriticalSection(at) as undefined),
      nothing
    )
    assert.equal(
      answer(() => ce.LeaveCriticalSection(at) as undefined),
      nothing
    )
    assert.equal(
      answer(() => ce.DeleteCriticalSection(at) as undefined),
      nothing
    )
    assert.equal(
      answer(() => ce.TryEnterCriticalSection(at)),
      { ...nothing, result: 0 }
    )
  }
})

wrong('C-76: a structure whose section was deleted and made again elsewhere is not that one', () => {
  const { one, heap, at, rules } = crew()
  const old = one.memory.read(at, 20)
  one.DeleteCriticalSection(at)
  const next = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(next)
  one.memory.write(at, old)
  one.EnterCriticalSection(at)
  assert.equal(rules(), ['C-76'])
  assert.is(CRITICAL_SECTION.get(one.memory, next, 'OwnerThread'), 0)
})

wrong('C-77: a copy enters nothing, and the original goes on', () => {
  const { one, two, heap, at, rules, look } = crew()
  const copy = one.HeapAlloc(heap, 0, 20)
  one.EnterCriticalSection(at)
  one.memory.copy(copy, at, 20)
  two.EnterCriticalSection(copy)
  assert.is(two.TryEnterCriticalSection(copy), 0)
  one.LeaveCriticalSection(copy)
  one.DeleteCriticalSection(copy)
  assert.equal(rules(), ['C-77', 'C-77', 'C-77', 'C-77'])
  assert.is(look().OwnerThread, 1)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 1)
})

wrong('C-78: a wild write into the structure breaks no lock: the call works, mends hCrit and is reported once', () => {
  const { process, one, two, at, rules, look } = crew()
  const { hCrit } = look()
  one.EnterCriticalSection(at)
  for (const byte of [0, 0xff, 0x5b]) {
    one.memory.fill(at, byte, 20)
    assert.is(two.TryEnterCriticalSection(at), 0)
    assert.is(look().hCrit, hCrit)
    assert.is(two.TryEnterCriticalSection(at), 0)
    assert.equal(rules(), ['C-78'])
  }
  one.memory.writeU32(at, 77)
  one.memory.writeU32(at + 4, 2)
  two.LeaveCriticalSection(at)
  assert.equal(rules(), ['C-79'], 'OwnerThread says 2, and nobody believes it')
  one.LeaveCriticalSection(at)
  assert.equal(look(), { ...look(), LockCount: 0, OwnerThread: 0, hCrit })
  process.check()
})

wrong('C-79: a leave by a thread that is not inside changes nothing, whether the section is free or not', () => {
  const { process, one, two, three, at, rules, look } = crew()
  const image = process.imageHash()
  one.LeaveCriticalSection(at)
  assert.is(process.imageHash(), image)
  two.EnterCriticalSection(at)
  const before = look()
  one.LeaveCriticalSection(at)
  assert.equal(look(), before)
  assert.is(three.TryEnterCriticalSection(at), 0)
  two.LeaveCriticalSection(at)
  two.LeaveCriticalSection(at)
  assert.equal(rules(), ['C-79', 'C-79', 'C-79'])
})

wrong('C-79: the finding names the thread that is inside', () => {
  const { process, one, two, at } = crew()
  const messages: string[] = []
  process.onFinding(({ message }) => messages.push(message))
  two.EnterCriticalSection(at)
  one.LeaveCriticalSection(at)
  assert.equal(messages, [`LeaveCriticalSection: the critical section ${hex(at)} is thread 2's, not this thread's`])
})

wrong('C-80: a section that another thread is inside cannot be deleted, its own thread can', () => {
  const { process, one, two, three, at, rules, look } = crew()
  two.EnterCriticalSection(at)
  two.EnterCriticalSection(at)
  const before = look()
  one.DeleteCriticalSection(at)
  assert.equal(rules(), ['C-80'])
  assert.equal(look(), before)
  two.DeleteCriticalSection(at)
  assert.equal(rules(), ['C-80'])
  assert.equal(process.snapshot().sections, [])
  two.LeaveCriticalSection(at)
  three.EnterCriticalSection(at)
  assert.equal(rules(), ['C-76', 'C-76'])
  process.check()
})

wrong('C-81: a second initialisation begins a new section, even inside the old one; not while another thread is inside', () => {
  const { process, one, two, at, rules, look } = crew()
  const { hCrit } = look()
  one.InitializeCriticalSection(at)
  assert.equal(rules(), ['C-81'])
  assert.is.not(look().hCrit, hCrit)
  one.EnterCriticalSection(at)
  one.EnterCriticalSection(at)
  one.InitializeCriticalSection(at)
  assert.equal(rules(), ['C-81'])
  assert.is(look().LockCount, 0)
  assert.is(two.TryEnterCriticalSection(at), 1, 'nobody owns the new one')
  const before = look()
  one.InitializeCriticalSection(at)
  assert.equal(rules(), ['C-80'])
  assert.equal(look(), before)
  assert.is(process.snapshot().sections.length, 1)
  process.check()
})

wrong('C-81: of two threads that initialise it at the same moment the later one begins the section anew, and there is one', () => {
  const { process, one, two, three, heap, rules } = crew()
  const at = one.HeapAlloc(heap, HEAP_ZERO_MEMORY, 20)
  const count = (): number => [...sectionRecords(one.machine)].length
  const before = count()
  const { take } = one.machine
  let waits = true
  // It has seen that there is no section yet, and the other is faster.
  const late = (address: number, who: number): number => {
    if (waits && address >>> 2 === HDR.LOCK) {
      waits = false
      two.InitializeCriticalSection(at)
    }
    return take(address, who)
  }
  Object.assign(one.machine, { take: late })
  one.InitializeCriticalSection(at)
  Object.assign(one.machine, { take })
  assert.is(waits, false)
  assert.equal(rules(), ['C-81'])
  two.EnterCriticalSection(at)
  assert.is(three.TryEnterCriticalSection(at), 0)
  two.LeaveCriticalSection(at)
  assert.is(count(), before + 1)
  process.check()
})

wrong('C-81: memory that is freed without a delete and initialised again, at another content, is the same section still', () => {
  const { process, one, heap, at, rules } = crew()
  one.HeapFree(heap, 0, at)
  const again = one.HeapAlloc(heap, HEAP_ZERO_MEMORY, 20)
  assert.is(again, at)
  one.InitializeCriticalSection(again)
  assert.equal(rules(), ['C-81'])
  assert.is(process.snapshot().sections.length, 1)
})

wrong('C-82: where the program could not write 20 bytes the exception is raised, and nothing has changed', () => {
  const { process, one, two, rules } = crew()
  const pages = one.VirtualAlloc(0, 4 * 4096, MEM_RESERVE, PAGE_READWRITE)
  one.VirtualAlloc(pages + 4096, 4096, MEM_COMMIT, PAGE_READWRITE)
  one.VirtualAlloc(pages + 3 * 4096, 4096, MEM_COMMIT, PAGE_READONLY)
  const image = process.imageHash()
  const places = [0, 0xffff, pages, pages + 4096 - 4, pages + 2 * 4096 - 16, pages + 3 * 4096, 1024 * 1024 - 19, 1024 * 1024, 0xffffffff]
  for (const place of places) {
    for (const call of [
      'InitializeCriticalSection',
      'EnterCriticalSection',
      'TryEnterCriticalSection',
      'LeaveCriticalSection',
      'DeleteCriticalSection'
    ] as const) {
      assert.throws(
        () => one[call](place),
        (error: unknown) => error instanceof AccessViolation && error.access === 'write',
        `${call} ${place}`
      )
    }
  }
  assert.is(process.imageHash(), image)
  const at = pages + 2 * 4096 - 20
  one.InitializeCriticalSection(at)
  one.EnterCriticalSection(at)
  one.VirtualFree(pages + 4096, 4096, MEM_DECOMMIT)
  assert.throws(
    () => one.LeaveCriticalSection(at),
    (error: unknown) => error instanceof AccessViolation && error.address === at
  )
  one.VirtualAlloc(pages + 4096, 4096, MEM_COMMIT, PAGE_READWRITE)
  assert.is(two.TryEnterCriticalSection(at), 0, 'the section is what it was')
  one.LeaveCriticalSection(at)
  assert.equal(rules(), ['C-78'])
  process.check()
})

wrong('C-82, VP-4: a guard page goes off, and the call does nothing', () => {
  const { process, one, at, rules } = crew()
  const pages = one.VirtualAlloc(0, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD)
  for (let n = 0; n < 2; n++) {
    if (n === 0) {
      assert.throws(
        () => one.InitializeCriticalSection(pages),
        (error: unknown) => error instanceof GuardPageException
      )
    } else one.InitializeCriticalSection(pages)
    assert.is(process.snapshot().sections.length, 1 + n)
  }
  assert.is.not(at, pages)
  assert.equal(rules(), [])
  process.check()
})

wrong('C-82, C-63: a misaligned structure works, and its initialisation is reported', () => {
  const { one, two, heap, rules, look } = crew()
  const base = one.HeapAlloc(heap, 0, 64)
  for (const odd of [1, 2, 3]) {
    const at = base + odd
    one.InitializeCriticalSection(at)
    assert.equal(rules(), ['C-63'])
    two.EnterCriticalSection(at)
    two.EnterCriticalSection(at)
    assert.equal(look(at), { ...look(at), LockCount: 2, OwnerThread: 2 })
    assert.is(one.TryEnterCriticalSection(at), 0)
    two.LeaveCriticalSection(at)
    two.LeaveCriticalSection(at)
    one.DeleteCriticalSection(at)
    assert.equal(rules(), [])
  }
})

wrong('C-83: a process has room for 16 sections for each 64 KB; past that there is none, and a delete makes room', () => {
  const { process, one, heap, at, rules } = crew()
  const most = (1024 * 1024) / 4096
  const all = one.HeapAlloc(heap, 0, most * 20)
  for (let n = 1; n < most; n++) one.InitializeCriticalSection(all + n * 20)
  assert.is(process.snapshot().sections.length, most)
  one.memory.fill(all, 0xff, 20)
  one.InitializeCriticalSection(all)
  assert.equal(rules(), ['C-83'])
  assert.equal(one.memory.read(all, 20), new Uint8Array(20))
  one.EnterCriticalSection(all)
  assert.equal(rules(), ['C-76'])
  one.DeleteCriticalSection(at)
  one.InitializeCriticalSection(all)
  one.EnterCriticalSection(all)
  assert.equal(rules(), [])
  process.check()
})

wrong('CS-6, C-84: what a thread owns when it detaches is free for the next one, with a finding', () => {
  const { process, one, two, at, rules, look } = crew()
  two.EnterCriticalSection(at)
  two.EnterCriticalSection(at)
  two.detach()
  assert.equal(rules(), ['CS-6'])
  assert.is(look().OwnerThread, 0)
  assert.is(look().LockCount, 0)
  assert.is(one.TryEnterCriticalSection(at), 1)
  one.LeaveCriticalSection(at)
  process.check()
})

wrong('C-84: a structure that may not be written stays as it is when its owner detaches, and the section is free all the same', () => {
  const { process, one, two, rules } = crew()
  const page = one.VirtualAlloc(0, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
  one.InitializeCriticalSection(page)
  two.EnterCriticalSection(page)
  one.VirtualProtect(page, 4096, PAGE_READONLY, one.LocalAlloc(0, 4))
  const before = CRITICAL_SECTION.read(one.memory, page)
  rules()
  two.detach()
  assert.equal(CRITICAL_SECTION.read(one.memory, page), before)
  assert.equal(rules(), ['CS-6'])
  one.VirtualProtect(page, 4096, PAGE_READWRITE, one.LocalAlloc(0, 4))
  assert.is(one.TryEnterCriticalSection(page), 1)
  one.LeaveCriticalSection(page)
  process.check()
})

wrong('C-85: a wait for one owner ends with lockTimeout, names it and leaves the section alone', () => {
  const { one, two, at, look } = crew()
  two.EnterCriticalSection(at)
  const before = look()
  timesOut(() => one.EnterCriticalSection(at), 2)
  assert.equal(look(), before)
  two.LeaveCriticalSection(at)
  one.EnterCriticalSection(at)
  assert.is(look().OwnerThread, 1)
})
wrong.run()
