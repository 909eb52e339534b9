// Critical sections of the program's own: five calls on CE's structure, and what is to be seen of them from outside. Threads that
// really wait are in criticalthreads.spec.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, createProcess, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { crew, timesOut } from './criticalworld.ts'
import { refuses } from './world.ts'

const section = suite('critical sections')

section('C-75: the structure tells who owns the section, how deep and under which name; the other fields are 0', () => {
  const { one, two, at, look } = crew()
  const { hCrit } = look()
  assert.is(hCrit & 3, 3, 'neither a pointer nor a heap handle')
  assert.equal(look(), { LockCount: 0, OwnerThread: 0, hCrit, needtrap: 0, dwContentions: 0 })
  two.EnterCriticalSection(at)
  two.EnterCriticalSection(at)
  assert.equal(look(), { LockCount: 2, OwnerThread: 2, hCrit, needtrap: 0, dwContentions: 0 })
  two.LeaveCriticalSection(at)
  assert.equal(look(), { LockCount: 1, OwnerThread: 2, hCrit, needtrap: 0, dwContentions: 0 })
  two.LeaveCriticalSection(at)
  assert.equal(look(), { LockCount: 0, OwnerThread: 0, hCrit, needtrap: 0, dwContentions: 0 })
  one.DeleteCriticalSection(at)
  assert.equal(look(), { LockCount: 0, OwnerThread: 0, hCrit: 0, needtrap: 0, dwContentions: 0 })
})

section('CS-1, CS-2: its owner enters as often as it likes, and it is free for others when it has left as often', () => {
  const { process, one, two, at, rules } = crew()
  for (let n = 0; n < 4; n++) one.EnterCriticalSection(at)
  for (let n = 0; n < 4; n++) {
    assert.is(two.TryEnterCriticalSection(at), 0)
    timesOut(() => two.EnterCriticalSection(at), 1)
    one.LeaveCriticalSection(at)
  }
  two.EnterCriticalSection(at)
  assert.is(one.TryEnterCriticalSection(at), 0)
  two.LeaveCriticalSection(at)
  assert.equal(rules(), [])
  process.check()
})

section('CS-4: TryEnter gives 1 when the section was free or is its own already, 0 when another thread has it, and never waits', () => {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 0 })
  const [one, two] = [process.thread, attachThread(process.share())]
  const at = one.LocalAlloc(0, 20)
  one.InitializeCriticalSection(at)
  assert.is(one.TryEnterCriticalSection(at), 1)
  assert.is(one.TryEnterCriticalSection(at), 1)
  // Would wait for ever here: lockTimeout is 0.
  assert.is(two.TryEnterCriticalSection(at), 0)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 0)
  one.LeaveCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 1)
})

section('CS-3, CS-5: any thread may delete it; then it is no section until it is initialised again', () => {
  const { process, one, two, at, rules, look } = crew()
  const { hCrit } = look()
  two.DeleteCriticalSection(at)
  assert.equal(rules(), [])
  one.EnterCriticalSection(at)
  assert.equal(rules(), ['C-76'])
  two.InitializeCriticalSection(at)
  assert.is.not(look().hCrit, hCrit, 'the old name stays dead')
  one.EnterCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(at), 0)
  assert.equal(rules(), [])
  process.check()
})

section('CS-3: two sections know nothing of each other, nor do two processes', () => {
  const { one, two, at, heap } = crew()
  const other = one.HeapAlloc(heap, 0, 20)
  one.InitializeCriticalSection(other)
  one.EnterCriticalSection(at)
  assert.is(two.TryEnterCriticalSection(other), 1)
  const elsewhere = crew()
  assert.is(elsewhere.at, at)
  assert.is(elsewhere.two.TryEnterCriticalSection(at), 1)
})

section('CS-9: an enter that finds the section free takes one step of the lock, a leave one', () => {
  const { one, at } = crew()
  const { machine } = one
  const steps: string[] = []
  const { take, give } = machine
  machine.take = (address, who) => {
    steps.push('take')
    return take(address, who)
  }
  machine.give = (address) => {
    steps.push('give')
    return give(address)
  }
  one.EnterCriticalSection(at)
  one.LeaveCriticalSection(at)
  assert.equal(steps, ['take', 'give'])
})

section("the last error is nobody's business, whatever happens", () => {
  const { one, at } = crew()
  one.SetLastError(4711)
  for (const call of [
    () => one.InitializeCriticalSection(at),
    () => one.EnterCriticalSection(at),
    () => one.TryEnterCriticalSection(at),
    () => one.LeaveCriticalSection(at),
    () => one.DeleteCriticalSection(at),
    () => one.TryEnterCriticalSection(at)
  ]) {
    call()
    assert.is(one.GetLastError(), 4711)
  }
})
section.run()

const state = suite('critical sections as state')

state('records are taken lowest first, so the same calls give the same names and the same image', () => {
  const run = (): { names: number[]; image: string } => {
    const { process, one, heap, at } = crew()
    const room = one.HeapAlloc(heap, HEAP_ZERO_MEMORY, 200)
    for (let n = 0; n < 5; n++) one.InitializeCriticalSection(room + n * 20)
    one.DeleteCriticalSection(room + 40)
    one.DeleteCriticalSection(at)
    one.InitializeCriticalSection(room + 100)
    one.InitializeCriticalSection(room + 120)
    return { names: process.snapshot().sections.map(({ address }) => (address - room) / 20), image: process.imageHash() }
  }
  assert.equal(run().names, [5, 0, 1, 6, 3, 4])
  assert.equal(run(), run())
})

state('the image tells a live section from the same bytes without one, and says nothing of who is inside', () => {
  const { process, one, at } = crew()
  const bytes = one.memory.read(at, 20)
  const made = process.imageHash()
  one.EnterCriticalSection(at)
  one.memory.write(at, bytes)
  assert.is(process.imageHash(), made)
  one.LeaveCriticalSection(at)
  assert.is(process.imageHash(), made)
  one.DeleteCriticalSection(at)
  one.memory.write(at, bytes)
  assert.is.not(process.imageHash(), made)
})

state('the snapshot lists live sections with address, name and contentions', () => {
  const { process, at, look } = crew()
  assert.equal(process.snapshot().sections, [{ address: at, handle: look().hCrit, contentions: 0 }])
})

state('check finds a table that contradicts itself', () => {
  const broken = (change: (sys: Int32Array, record: number) => void): void => {
    const { process, one } = crew()
    const { sys, layout } = one.machine
    const other = one.LocalAlloc(0, 20)
    one.InitializeCriticalSection(other)
    process.check()
    change(sys, layout.sectionsAt)
    assert.throws(() => process.check(), /critical section/)
  }
  broken((sys, at) => {
    sys[at + 3] = (sys[at + 3] as number) + 1
  })
  broken((sys, at) => {
    sys[at + 12] = sys[at + 4] as number
  })
  broken((sys, at) => {
    sys[at + 4] = 0x7fffffff
  })
  broken((sys, at) => {
    sys[at + 26] = 7
  })
})

state('a closed process has no sections: a call throws', () => {
  const { process, one, two, at } = crew()
  two.EnterCriticalSection(at)
  process.close()
  refuses(() => one.EnterCriticalSection(at), TypeError, /^EnterCriticalSection: expected an open process/)
  refuses(() => two.LeaveCriticalSection(at), TypeError, /^LeaveCriticalSection: expected an open process/)
})

state('calls are recorded as any others', () => {
  const { process, one, at } = crew()
  const calls: string[] = []
  process.record({ write: ({ call, args, result }) => calls.push(`${call}(${args.map((arg) => arg - at).join()}) = ${result}`) })
  one.EnterCriticalSection(at)
  one.TryEnterCriticalSection(at)
  one.LeaveCriticalSection(at)
  assert.equal(calls, ['EnterCriticalSection(0) = undefined', 'TryEnterCriticalSection(0) = 1', 'LeaveCriticalSection(0) = undefined'])
})
state.run()
