// lockTimeout 0: the program's calls wait for ever, as on CE. What is asked of the process itself has an end all the same, and says whom it waited for.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeProcess, createProcess, LockTimeoutError } from '../../src/index.ts'
import { recordOf } from '../../src/heap/record.ts'
import { HDR } from '../../src/machine/layout.ts'
import { PATIENCE } from '../../src/machine/section.ts'
import { waitingInVain } from './afterdeathscene.ts'

/** Runs `act` with every wait over at once; how long they would have been, in milliseconds. */
function inNoTime(act: () => void): number {
  return waitingInVain(act, (_, waited) => {
    if (waited > 10 * PATIENCE) throw new Error('it waits for ever')
  })
}

function scene(): { process: CeProcess; heap: number } {
  const process = createProcess({ memory: 1 << 20, lockTimeout: 0 })
  return { process, heap: process.thread.HeapCreate(0, 0, 0) }
}

const end = suite('lockTimeout 0')

const asks: readonly [string, (process: CeProcess, heap: number) => unknown, 'heap' | 'process' | 'ring'][] = [
  ['close', (process) => process.close(), 'heap'],
  ['check', (process) => process.check(), 'heap'],
  ['snapshot', (process) => process.snapshot(), 'heap'],
  ['imageHash', (process) => process.imageHash(), 'heap'],
  ['injectFailures', (process) => process.injectFailures({ on: 'alloc', nth: 1 }), 'heap'],
  ['check', (process) => process.check(), 'process'],
  ['setPhysical', (process) => process.setPhysical(1 << 19), 'process'],
  ['drainFindings', (process) => process.drainFindings(), 'ring'],
  ['close', (process) => process.close(), 'ring']
]

for (const [name, ask, where] of asks) {
  end(`${name} ends though a thread, dead perhaps and nobody told of it, stays in the ${where}'s section, and names it`, () => {
    const { process, heap } = scene()
    const two = attachThread(process.share())
    const { machine } = process.thread
    const at = where === 'heap' ? recordOf(machine, heap) : where === 'process' ? HDR.LOCK : HDR.RING_LOCK
    machine.sys[at] = two.tid
    let error: unknown
    const waited = inNoTime(() => {
      try {
        ask(process, heap)
      } catch (caught) {
        error = caught
      }
    })
    assert.instance(error, LockTimeoutError)
    assert.is((error as LockTimeoutError).owner, two.tid)
    assert.match((error as Error).message, new RegExp(`^waited ${PATIENCE} ms for a critical section that thread ${two.tid} has held`))
    assert.is(waited, PATIENCE)
    // And what was entered before is free.
    machine.sys[at] = 0
    if (name === 'close') assert.throws(() => process.check(), /closed|open process/)
    else {
      process.check()
      process.close()
    }
  })
}

end('the end of injected failures has one too, and can be tried again', () => {
  const { process, heap } = scene()
  const two = attachThread(process.share())
  const { machine } = process.thread
  const failures = process.injectFailures({ on: 'alloc', nth: 1 })
  machine.sys[recordOf(machine, heap)] = two.tid
  inNoTime(() =>
    assert.throws(
      () => failures.end(),
      (error: unknown) => error instanceof LockTimeoutError
    )
  )
  machine.sys[recordOf(machine, heap)] = 0
  failures.end()
  assert.is.not(process.thread.HeapAlloc(heap, 0, 10), 0)
  process.check()
})

end('the calls of a program wait without a bound', () => {
  const { process, heap } = scene()
  const two = attachThread(process.share())
  process.thread.machine.sys[recordOf(process.thread.machine, heap)] = 1
  assert.throws(() => inNoTime(() => two.HeapAlloc(heap, 0, 10)), /it waits for ever/)
})
end.run()
