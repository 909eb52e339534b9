import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attachThread,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../../src/index.ts'
import { everywhere } from './world.ts'

const last = suite('GetLastError and SetLastError')

everywhere(last, 'C-39: 0 on a new thread, whatever other threads have set', ({ ce, process }) => {
  assert.is(ce.GetLastError(), 0)
  ce.SetLastError(5)
  const other = attachThread(process.share())
  assert.is(other.GetLastError(), 0)
  other.SetLastError(9)
  other.detach()
  assert.is(attachThread(process.share()).GetLastError(), 0, 'a thread that takes over the id of another begins anew')
})

everywhere(last, 'SetLastError takes every DWORD, and GetLastError does not clear it', ({ ce }) => {
  for (const code of [1, 87, 0x7fffffff, 0x80000000, 0xe0000001, 0xffffffff, 0]) {
    assert.is(ce.SetLastError(code), undefined)
    assert.is(ce.GetLastError(), code)
    assert.is(ce.GetLastError(), code)
  }
})

everywhere(last, 'each thread has its own', ({ ce, process, heap }) => {
  const other = attachThread(process.share())
  ce.SetLastError(1)
  assert.is(other.HeapFree(heap, 0, 0), 0)
  assert.is(other.HeapReAlloc(heap, 0, other.HeapAlloc(heap, 0, 10), 0xffffffff), 0)
  assert.equal([ce.GetLastError(), other.GetLastError()], [1, ERROR_NOT_ENOUGH_MEMORY])
  assert.is(ce.HeapFree(heap, 0, 0), 0)
  assert.equal([ce.GetLastError(), other.GetLastError()], [ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY])
})

everywhere(last, 'no call that succeeds touches it', ({ ce }) => {
  const untouched = <T>(call: () => T): T => {
    ce.SetLastError(0x1234)
    const result = call()
    assert.is(ce.GetLastError(), 0x1234, String(call))
    return result
  }
  const heap = untouched(() => ce.HeapCreate(0, 0x8000, 0))
  const own = untouched(() =>
    ce.CeHeapCreate(
      0,
      0,
      0,
      (address, size, action) => ce.VirtualAlloc(address, size, action, PAGE_READWRITE),
      () => 1
    )
  )
  let block = untouched(() => ce.HeapAlloc(heap, 8, 100))
  block = untouched(() => ce.HeapReAlloc(heap, 8, block, 2000))
  untouched(() => ce.HeapSize(heap, 0, block))
  untouched(() => ce.HeapValidate(heap, 0, 0))
  assert.is.not(
    untouched(() => ce.HeapCompact(heap, 0)),
    0
  )
  untouched(() => ce.HeapFree(heap, 0, block))
  untouched(() => ce.HeapDestroy(heap))
  untouched(() => ce.HeapDestroy(own))
  untouched(() => ce.GetProcessHeap())
  for (const [alloc, grow, size, free] of [
    [ce.LocalAlloc, ce.LocalReAlloc, ce.LocalSize, ce.LocalFree],
    [ce.GlobalAlloc, ce.GlobalReAlloc, ce.GlobalSize, ce.GlobalFree]
  ] as const) {
    const local = untouched(() => alloc.call(ce, 0x40, 100))
    const grown = untouched(() => grow.call(ce, local, 1000, 2))
    untouched(() => size.call(ce, grown))
    untouched(() => free.call(ce, grown))
    untouched(() => free.call(ce, 0))
  }
  for (const call of [
    ce.LocalLock,
    ce.LocalUnlock,
    ce.LocalHandle,
    ce.LocalFlags,
    ce.GlobalLock,
    ce.GlobalUnlock,
    ce.GlobalHandle,
    ce.GlobalFlags
  ]) {
    untouched(() => call.call(ce, 0x12345))
  }
  const pages = untouched(() => ce.VirtualAlloc(0, 8192, MEM_RESERVE, PAGE_READWRITE))
  untouched(() => ce.VirtualAlloc(pages, 4096, MEM_COMMIT, PAGE_READWRITE))
  untouched(() => ce.VirtualFree(pages, 4096, MEM_DECOMMIT))
  untouched(() => ce.VirtualFree(pages, 0, MEM_RELEASE))
})

last.run()
