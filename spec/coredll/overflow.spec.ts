// An error in the middle of a call, at no matter which store: a stack that overflows above all.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeThread, createProcess } from '../../src/index.ts'
import { crowded, heapCalls } from './cutcalls.ts'
import { Cut, underScissors } from './scissors.ts'

const overflow = suite('an error inside a call')

/** Calls from every depth of a stack that has just overflowed, the deepest first. */
function fromTheDepth(call: () => void, left = { frames: 400 }): void {
  try {
    fromTheDepth(call, left)
  } catch {
    // The stack ends here or just below.
  }
  if (left.frames-- > 0) call()
}

for (const build of ['retail', 'debug'] as const) {
  overflow(`a stack that overflows in a heap call leaves the heap whole and free [${build}]`, () => {
    const process = createProcess({ memory: 1024 * 1024, build, lockTimeout: 100 })
    const two = attachThread(process.share())
    two.machine.hot = { alloc: () => 0, free: () => 0 }
    const heap = two.HeapCreate(0, 0, 0)
    const have: number[] = []
    let overflows = 0
    const attempt = (call: (ce: CeThread) => void): void => {
      try {
        call(two)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        overflows++
        throw error
      }
    }
    for (let round = 0; round < 20; round++) {
      fromTheDepth(() =>
        attempt((ce) => {
          const p = ce.HeapAlloc(heap, 0, 100 + round)
          if (p !== 0) have.push(p)
        })
      )
      fromTheDepth(() => attempt((ce) => void ce.HeapFree(heap, 0, have.at(-1) ?? 0)))
    }
    assert.ok(overflows > 0, 'no call overflowed the stack')
    // Where even the way out of the section had no stack left, the thread's next call takes it.
    assert.is(two.HeapValidate(heap, 0, 0), 1)
    assert.is.not(two.HeapAlloc(heap, 0, 10), 0)
    assert.is.not(process.thread.HeapAlloc(heap, 0, 10), 0, 'another thread goes on')
    process.check()
  })
}

for (const call of heapCalls) {
  overflow(`an error at any store is as if the thread had died there, and it goes on: ${call.name}`, () => {
    const total = (() => {
      const twin = crowded('segregated', 'retail')
      const victim = attachThread(twin.process.share())
      const scissors = underScissors(victim)
      call.make(victim, twin)
      return scissors.steps
    })()
    for (let k = 1; k < total - 2; k += Math.ceil(total / 12)) {
      const scene = crowded('segregated', 'retail')
      const victim = attachThread(scene.process.share())
      const handles = scene.process.snapshot().heaps.map(({ handle }) => handle)
      const scissors = underScissors(victim)
      scissors.limit = k
      scissors.once = true
      assert.throws(
        () => call.make(victim, scene),
        (error: unknown) => error instanceof Cut
      )
      for (const handle of handles) victim.HeapValidate(handle, 0, 0)
      scene.process.check()
      for (const handle of handles) assert.is(scene.process.thread.HeapValidate(handle, 0, 0), 1)
    }
  })
}
overflow.run()
