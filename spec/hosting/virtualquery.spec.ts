// IHostMemoryManager::VirtualQuery: it waits for nobody, takes from nobody, and is named where its thread dies in it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHost } from '../../src/hosting/index.ts'
import {
  eTaskCritical,
  type Finding,
  LockTimeoutError,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  MEMORY_BASIC_INFORMATION,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { HDR, UNIT_SHIFT, UNIT_WORDS } from '../../src/machine/layout.ts'
import { enter, isOwn, leave } from '../../src/machine/section.ts'
import { cutOff, scene, waitingInVain } from '../coredll/afterdeathscene.ts'

const { size } = MEMORY_BASIC_INFORMATION

function asked(): ReturnType<typeof scene> & { query: () => { hr: number; pResult: number }; ppMem: number; info: number } {
  const made = scene()
  const host = openHost(made.two)
  const { ppMem } = host.VirtualAlloc(0, 0x2000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE, eTaskCritical)
  const info = made.two.LocalAlloc(0, size)
  return { ...made, query: () => host.VirtualQuery(ppMem, info, size), ppMem, info }
}

const query = suite('VirtualQuery through the host')

query('HO-14: meets a reservation in the middle of its release', () => {
  const { two, query, ppMem, info } = asked()
  const { units } = two.machine
  const owner = (ppMem >>> UNIT_SHIFT) * UNIT_WORDS
  const before = units[owner] as number
  units[owner] = 0
  const { hr } = query()
  units[owner] = before
  assert.is(hr, S_OK)
  assert.is(MEMORY_BASIC_INFORMATION.read(two.memory, info).AllocationBase, 0)
})

query('HO-14: finishes while another thread is stopped in the middle of a change, which nobody else gets into either', () => {
  const { one, two, three, query, ppMem, info } = asked()
  enter(three.machine, HDR.LOCK, three.tid)
  assert.equal(query(), { hr: S_OK, pResult: size })
  const { BaseAddress, State } = MEMORY_BASIC_INFORMATION.read(two.memory, info)
  assert.equal([BaseAddress, State], [ppMem, MEM_COMMIT])
  assert.ok(isOwn(one.machine.sys[HDR.LOCK] as number, three.tid), 'the section is still with who is in it')
  waitingInVain(() =>
    assert.throws(
      () => one.VirtualFree(ppMem, 0, MEM_RELEASE),
      (error: unknown) => error instanceof LockTimeoutError && error.owner === three.tid
    )
  )
  leave(three.machine, HDR.LOCK)
  assert.is(one.VirtualFree(ppMem, 0, MEM_RELEASE), 1)
})

query('HO-14: where nobody is at a change, nobody begins one before it has looked', () => {
  const { process, one, two, query } = asked()
  const { give } = two.machine
  let inside = 0
  two.machine.give = (address) => {
    if (address >>> 2 === HDR.LOCK && isOwn(one.machine.sys[HDR.LOCK] as number, two.tid)) inside++
    return give(address)
  }
  assert.is(query().hr, S_OK)
  assert.is(inside, 1)
  assert.is(one.machine.sys[HDR.LOCK], 0)
  process.check()
})

query('C-92: a thread that dies in it has died in VirtualQuery', () => {
  const told: Finding[] = []
  for (let k = 0, cut = true; cut; k++) {
    const { process, two, token, query } = asked()
    process.onFinding((finding) => told.push(finding))
    cut = cutOff(two, k, query)
    process.workerEnded(token)
    process.check()
  }
  assert.ok(told.length > 0)
  for (const { rule, call, message } of told) {
    assert.equal([rule, call], ['C-92', 'VirtualQuery'])
    assert.match(message, /^VirtualQuery: the thread ended inside the process section, which is free now/)
  }
})
query.run()
