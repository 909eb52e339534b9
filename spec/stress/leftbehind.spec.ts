// What a workload leaves behind for later, such as a timer or a promise that nobody awaits: it is told as the workload's, in the run in which it was left.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProcess } from '../../src/index.ts'
import { OFF } from '../../src/stress/job.ts'
import type { Told } from '../../src/stress/job.ts'
import { participate } from '../../src/stress/participant.ts'
import { clear, failing, refusal, running } from './bad.ts'

const work = 'while (more()) ce.LocalFree(ce.LocalAlloc(0, 8))'

const later = suite('stress: what is left behind')
later.after(clear)

later('run() leaves behind what ends its thread: the run in which it did so fails, and none after it', async () => {
  for (const [rest, message] of [
    [
      "Promise.reject(new Error('nobody waits'))",
      /thread 2 ended before its part of the run did: its worker crashed: nobody waits; .*leaves nothing behind/
    ],
    [
      'setImmediate(() => process.exit(3))',
      /thread 2 ended before its part of the run did: its worker ended with exit code 3; .*leaves nothing behind/
    ]
  ] as const) {
    const { failure } = await failing(running(`if (thread === 0) ${rest}; ${work}`), { runs: 20 })
    assert.equal([failure?.kind, failure?.runsBefore], ['exit', 0])
    assert.match(failure?.message ?? '', message)
  }
})

later('run() ends its thread some time after its work: the worker of the next run is another one, or the failure says so', async () => {
  for (const thread of [0, 1]) {
    const later = `if (thread === ${thread}) setImmediate(() => setImmediate(() => process.exit(3))); while (more());`
    const { runs: made, failure } = await failing(running(later), { runs: 4 })
    assert.ok(failure === undefined ? made === 4 : failure.kind === 'exit', failure?.message)
  }
})

later('what setup() or finish() leaves behind throws, ends the thread, or never ends', async () => {
  for (const of of ['setup', 'finish']) {
    const leaving = (body: string): string => running(work, `export function ${of}() { ${body} }`)
    for (const rest of ["Promise.reject(new Error('stray'))", "setTimeout(() => { throw new Error('stray') }, 0)"])
      assert.match((await refusal(leaving(rest))).message, /: code of the workload in the creating thread threw later: stray$/)
  }
  const exiting = (of: string): string => running(work, `export function ${of}() { setImmediate(() => process.exit(3)) }`)
  assert.match(
    (await refusal(exiting('setup'))).message,
    /: code that setup\(\) or finish\(\) left behind in the creating thread ended its thread with exit code 3; /
  )
  const { failure } = await failing(exiting('finish'))
  assert.equal([failure?.kind, /finish\(\) ended its thread with exit code 3; /.test(failure?.message ?? '')], ['exit', true])
  const endless = running(work, 'export function setup() { setTimeout(() => { for (;;); }, 0) }')
  assert.match((await refusal(endless, { timeout: 1 })).message, /left behind in the creating thread did not end within 2\d s$/)
})

later('finish() leaves behind what never ends before anything else has its turn', async () => {
  const { failure } = await failing(running(work, 'export function finish() { Promise.resolve().then(() => { for (;;); }) }'), {
    timeout: 5
  })
  assert.equal([failure?.kind, /finish\(\) did not end within 5 s$/.test(failure?.message ?? '')], ['timeout', true])
})

later('a thread whose start is called off says so, and has not failed', async () => {
  const process = createProcess()
  const gate = new SharedArrayBuffer(4)
  new Int32Array(gate)[0] = OFF
  const told: Told[] = []
  const job = { run: 1, token: process.share(), thread: 0, threads: 2, seed: 1, ops: 1, ms: Number.POSITIVE_INFINITY } as const
  const workload = { builtin: 'bleeding', given: 'bleeding' }
  await participate({ ...job, workload, data: undefined, claims: undefined, done: new SharedArrayBuffer(4), gate }, (one) => told.push(one))
  assert.equal(
    told.map(({ step }) => step),
    ['attached', 'off']
  )
  process.close()
})

later.run()
