// What a case holds of an implementation that lives on is given back by calls, the latest first.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { interpret } from '../../src/conform/interpret.ts'
import { parseScript } from '../../src/conform/scriptline.ts'

const undo = suite('conform: undo')

/** The calls that follow a script whose calls are answered one after the other with `answers`. */
function undone(script: string, answers: readonly number[]): string[] {
  const run = interpret(parseScript(script), { debug: false, undo: true })
  const made: string[] = []
  for (let step = run.next(); step.done !== true; ) {
    const { call, args } = step.value
    made.push(`${call}(${args.join(', ')})`)
    step = run.next({ value: answers[made.length - 1] ?? 1, out: [], lastError: undefined, bytes: undefined })
  }
  return made.slice(answers.length)
}

undo('blocks and heaps that were not given back are', () => {
  const script = 'h = HeapCreate(0, 0, 0)\np = HeapAlloc(h, 0, 10)\nq = HeapAlloc(h, 0, 10)\nHeapFree(h, 0, p)\nx = LocalAlloc(0, 10)'
  assert.equal(undone(script, [7, 100, 200, 1, 300]), ['LocalFree(300)', 'HeapFree(7, 0, 200)', 'HeapDestroy(7)'])
})

undo('what a destroyed heap had is not freed again', () => {
  assert.equal(undone('h = HeapCreate(0, 0, 0)\np = HeapAlloc(h, 0, 10)\nHeapDestroy(h)', [7, 100, 1]), [])
})

undo('a reservation is decommitted and released wherever it was asked for, a commit within one is not', () => {
  const script = `p = VirtualAlloc(NULL, 0x10000, MEM_RESERVE, PAGE_NOACCESS)
    q = VirtualAlloc(0x50000, 0x10000, MEM_RESERVE, PAGE_NOACCESS)
    VirtualAlloc(q + 0x1000, 0x1000, MEM_COMMIT, PAGE_READWRITE)`
  assert.equal(undone(script, [0x20000, 0x50000, 0x51000]), [
    'VirtualFree(327680, 65536, 16384)',
    'VirtualFree(327680, 0, 32768)',
    'VirtualFree(131072, 65536, 16384)',
    'VirtualFree(131072, 0, 32768)'
  ])
  assert.equal(undone('p = VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_NOACCESS)\nVirtualFree(p, 0, MEM_RELEASE)', [0x20000, 1]), [])
})

undo('a case that failed gives back all the same', () => {
  assert.equal(undone('p = LocalAlloc(0, 10) -> pointer\nLocalSize(p) -> 32', [100, 5]), ['LocalFree(100)'])
})

undo.run()
