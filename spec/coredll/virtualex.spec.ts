// VirtualAllocEx, VirtualFreeEx and VirtualProtectEx: the functions without Ex, on the calling process alone.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CURRENT_PROCESS,
  ERROR_CALL_NOT_IMPLEMENTED,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  MEM_COMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READONLY,
  PAGE_READWRITE
} from '../../src/index.ts'
import { everywhere } from './world.ts'

const BOTH = MEM_RESERVE | MEM_COMMIT
const processId = 0x00400002
const ex = suite('VirtualAllocEx')

everywhere(ex, 'VX-1, C-94: on this process, by pseudo handle or by id, they answer as the functions without Ex', (world) => {
  const { ce, profile } = world
  if (profile.name === 'ce-5.0') return
  for (const process of [CURRENT_PROCESS, processId]) {
    const plain = ce.VirtualAlloc(0, 5000, BOTH, PAGE_READWRITE)
    ce.VirtualFree(plain, 0, MEM_RELEASE)
    const base = ce.VirtualAllocEx(process, 0, 5000, BOTH, PAGE_READWRITE)
    assert.is(base, plain)
    const old = base + 16
    assert.is(ce.VirtualProtectEx(process, base, 100, PAGE_READONLY, old), 1)
    assert.is(ce.memory.readU32(old), PAGE_READWRITE)
    assert.throws(() => ce.memory.writeU8(base, 1))
    assert.is(ce.VirtualFreeEx(process, base, 0, MEM_RELEASE), 1)
    assert.is(ce.IsBadReadPtr(base, 1), 1)
    assert.equal(
      world.answer(() => ce.VirtualAllocEx(process, 0, 0, BOTH, PAGE_READWRITE)),
      { result: 0, error: ERROR_INVALID_PARAMETER, rules: [], changed: false }
    )
  }
})

everywhere(ex, 'C-94: any other process is refused with error 6 and a finding, and nothing changes', (world) => {
  const { ce, profile } = world
  if (profile.name === 'ce-5.0') return
  const base = ce.VirtualAlloc(0, 5000, BOTH, PAGE_READWRITE)
  const refused = { result: 0, error: ERROR_INVALID_HANDLE, rules: ['C-94'], changed: false }
  for (const process of [0, 1, 0xffffffff, processId + 1, base]) {
    assert.equal(
      world.answer(() => ce.VirtualAllocEx(process, 0, 5000, BOTH, PAGE_READWRITE)),
      refused
    )
    assert.equal(
      world.answer(() => ce.VirtualFreeEx(process, base, 0, MEM_RELEASE)),
      refused
    )
    assert.equal(
      world.answer(() => ce.VirtualProtectEx(process, base, 100, PAGE_READONLY, base)),
      refused
    )
  }
})

everywhere(ex, 'VX-1: in the profile ce-5.0 they fail with error 120 and a finding', (world) => {
  const { ce, profile } = world
  if (profile.name !== 'ce-5.0') return
  const base = ce.VirtualAlloc(0, 5000, BOTH, PAGE_READWRITE)
  for (const call of [
    () => ce.VirtualAllocEx(CURRENT_PROCESS, 0, 5000, BOTH, PAGE_READWRITE),
    () => ce.VirtualFreeEx(CURRENT_PROCESS, base, 0, MEM_RELEASE),
    () => ce.VirtualProtectEx(CURRENT_PROCESS, base, 100, PAGE_READONLY, base)
  ]) {
    assert.equal(world.answer(call), { result: 0, error: ERROR_CALL_NOT_IMPLEMENTED, rules: ['VX-1'], changed: false })
  }
})

for (const bad of [-1, 0.5, 2 ** 32, Number.NaN]) {
  everywhere(ex, `a process that is no DWORD (${bad}) is misuse of the library`, ({ ce }) => {
    assert.throws(() => ce.VirtualAllocEx(bad, 0, 1, BOTH, PAGE_READWRITE), /VirtualAllocEx.*hProcess/)
    assert.throws(() => ce.VirtualFreeEx(bad, 0, 0, MEM_RELEASE), /VirtualFreeEx.*hProcess/)
    assert.throws(() => ce.VirtualProtectEx(bad, 0, 1, PAGE_READONLY, 0), /VirtualProtectEx.*hProcess/)
  })
}

ex.run()
