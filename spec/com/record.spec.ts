// A recorded thread's COM calls: one record each, whatever they call in turn.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type IMalloc, openCom } from '../../src/com/index.ts'
import { type CallRecord, createProcess, E_ACCESSDENIED } from '../../src/index.ts'
import { answering } from './scene.ts'

const record = suite('recordings of COM calls')

record('each call is written once, under its own name or that of the exported function that does the same', () => {
  const process = createProcess({ memory: 1024 * 1024 })
  const com = openCom(process.thread)
  const calls: CallRecord[] = []
  const stop = process.record({ write: (call) => calls.push(call) })
  const malloc = com.CoGetMalloc(1).ppMalloc as IMalloc
  // A call of the spy's own is part of the call that it is shown.
  const PreAlloc = (bytes: number): number => bytes + process.thread.HeapCompact(process.thread.GetProcessHeap(), 0) * 0
  com.CoRegisterMallocSpy(answering({ PreAlloc }))
  const p = malloc.Alloc(10)
  const q = malloc.Realloc(p, 20)
  malloc.GetSize(q)
  malloc.DidAlloc(0)
  com.CoRevokeMallocSpy()
  malloc.Free(q)
  malloc.HeapMinimize()
  const r = com.CoTaskMemAlloc(5)
  com.CoTaskMemFree(com.CoTaskMemRealloc(r, 6))
  malloc.Release()
  stop()
  com.CoTaskMemAlloc(5)
  assert.equal(
    calls.map(({ call, args, result }) => [call, args, result]),
    [
      ['CoGetMalloc', [1], 0],
      ['CoRegisterMallocSpy', [], 0],
      ['CoTaskMemAlloc', [10], p],
      ['CoTaskMemRealloc', [p, 20], q],
      ['IMalloc::GetSize', [q], 32],
      ['IMalloc::DidAlloc', [0], 0xffffffff],
      ['CoRevokeMallocSpy', [], E_ACCESSDENIED],
      ['CoTaskMemFree', [q], undefined],
      ['IMalloc::HeapMinimize', [], undefined],
      ['CoTaskMemAlloc', [5], r],
      ['CoTaskMemRealloc', [r, 6], r],
      ['CoTaskMemFree', [r], undefined],
      ['IMalloc::Release', [], 0]
    ]
  )
})
record.run()
