// The thread that asks is busy with other things: what a worker says last is heard all the same, also when its end is told first.
import { MessageChannel } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Crew } from '../../src/stress/crew.ts'
import { hearRest } from '../../src/stress/port.ts'
import { runPlanOf } from '../../src/stress/campaign.ts'
import { loadWorkload } from '../../src/stress/load.ts'
import { planOf } from '../../src/stress/options.ts'
import { runOnce } from '../../src/stress/run.ts'
import { stress } from '../../src/stress/index.ts'
import { clear, running } from './bad.ts'

/**
 * Keeps this thread busy for `ms` in each turn of its event loop, after whatever came in before and ahead of whatever comes in meanwhile:
 * most of what happens, happens in that time. Returns how to end it.
 */
function busy(ms: number): () => void {
  const { port1, port2 } = new MessageChannel()
  port1.on('message', () => {
    const end = performance.now() + ms
    while (performance.now() < end);
    setImmediate(() => port2.postMessage(0))
  })
  port2.postMessage(0)
  return () => port1.close()
}

const last = suite('stress: a busy thread')
last.after(clear)

last('the report comes, though the thread that made it has ended before it is heard', async () => {
  for (let time = 0; time < 10; time++) {
    const going = stress({ threads: 1, ops: 2 })
    // Later than the channel of the run: its messages come after those.
    const idle = busy(60)
    try {
      assert.is((await going).ok, true)
    } finally {
      idle()
    }
  }
})

last('a refusal comes too, not the end of the thread', async () => {
  const path = running('while (more());', 'export function setup() { throw new Error("no") }')
  for (let time = 0; time < 4; time++) {
    const going = stress({ workload: path, threads: 1, ops: 2 })
    const idle = busy(60)
    const message = await going.then(
      () => '',
      (error: Error) => error.message
    )
    idle()
    assert.match(message, /setup\(\) threw, so that nothing could be run: no$/)
  }
})

last('a worker that ends right after it has said so has done its work', async () => {
  const path = running(
    'setImmediate(() => setImmediate(() => process.exit(3))); while (more()); return 7',
    'export function finish(ce, data, results) { ce.SetLastError(results[0]) }'
  )
  const plan = planOf({ workload: path, threads: 1, ops: 2 })
  const workload = await loadWorkload(plan.source)
  for (let time = 0; time < 4; time++) {
    const crew = new Crew()
    const going = runOnce(crew, runPlanOf(plan, workload, 0))
    const idle = busy(60)
    try {
      assert.equal((await going).faults, [])
    } finally {
      idle()
      await crew.close()
    }
  }
})

last('threads that have ended in time are not told to be late because nobody had the time to hear them', async () => {
  const words = 'new Int32Array(data)'
  const path = running(`${words}[0] = 1; while (more()); ${words}[1] = 1`, 'export const setup = () => new SharedArrayBuffer(8)')
  const plan = planOf({ workload: path, threads: 1, ops: 2, timeout: 1 })
  const workload = await loadWorkload(plan.source)
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const watched = { ...workload, setup: () => shared.buffer }
  const crew = new Crew()
  const going = runOnce(crew, { ...runPlanOf(plan, workload, 0), workload: watched })
  const wait = (): void => {
    if (shared[0] !== 1) {
      setImmediate(wait)
      return
    }
    let ended = Number.POSITIVE_INFINITY
    const began = performance.now()
    // Past the bound of the run, and long enough behind its end for the word of it to be there.
    while (performance.now() < Math.max(began + 1500, ended + 500)) if (shared[1] === 1) ended = Math.min(ended, performance.now())
  }
  setImmediate(wait)
  const { faults } = await going
  await crew.close()
  assert.equal(faults, [])
})

last('what is left on a port is heard in its order, and once', () => {
  const { port1, port2 } = new MessageChannel()
  for (const told of [1, 2, 3]) port2.postMessage(told)
  port2.close()
  const heard: number[] = []
  for (let time = 0; time < 2; time++) hearRest<number>(port1, (told) => heard.push(told))
  port1.close()
  hearRest<number>(port1, (told) => heard.push(told))
  assert.equal(heard, [1, 2, 3])
})
last.run()
