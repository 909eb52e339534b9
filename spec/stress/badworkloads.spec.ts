// A workload of the user's may do anything: each ends in a message that says what to do, none in a hang.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endingFaults } from '../../src/stress/faults.ts'
import { clear, failing, module, refusal, running } from './bad.ts'

const runs = suite('stress: a workload that misbehaves in run()')

async function fails(workload: string, kind: string, message: RegExp, timeout = 60): Promise<void> {
  const { ok, failure } = await failing(workload, { timeout })
  assert.is(ok, false)
  assert.is(failure?.kind, kind, failure?.message)
  assert.match(failure?.message ?? '', message)
  assert.match(failure?.repeat ?? '', /^ceheap stress --workload /)
}

runs('never ends', async () => {
  await fails(
    running('if (thread === 1) for (;;);'),
    'timeout',
    /run\(\) of thread 3 did not end within 5 s; .*--timeout sets the bound/,
    5
  )
})

runs('throws what has no text', async () => {
  await fails(running('throw Object.create(null)'), 'threw', /run\(\) of thread [23] threw: something that has no text/)
  const odd = 'throw Object.assign(new Error("x"), { name: "constructor", message: () => {} })'
  await fails(running(odd), 'threw', /run\(\) of thread [23] threw: constructor: \(\) => \{\}/)
})

runs('speaks into the port of its worker, which nobody showed it', async () => {
  const text = `import { workerData } from 'node:worker_threads'
    export const name = 'speaks'
    export const run = () => { for (const word of [null, 5, {}]) workerData.port.postMessage(word) }
    export const setup = run`
  assert.is((await failing(module(text))).ok, true)
})

runs('waits for ever', async () => {
  const text = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'
  await fails(running(text), 'timeout', /run\(\) of thread 2 did not end within 2 s/, 2)
})

runs('leaves a critical section entered, so that the others wait', async () => {
  const workload = running(
    'ce.EnterCriticalSection(data)',
    'export const setup = (ce) => { const p = ce.LocalAlloc(0, 32); ce.InitializeCriticalSection(p); return p }'
  )
  const { failure } = await failing(workload)
  assert.ok(failure !== undefined)
})

runs('ends the process', async () => {
  await fails(
    running('if (thread === 1) process.exit(3)'),
    'exit',
    /thread 3 ended before its part of the run did: .*exit code 3; .*never calls process\.exit/
  )
})

runs('posts messages of its own', async () => {
  const text = `import { parentPort } from 'node:worker_threads'
    export const name = 'posts'
    export const run = ({ thread }) => { if (thread === 0) for (let n = 0; n < 5; n++) parentPort.postMessage({ step: 'done', junk: [n] }) }`
  await fails(module(text), 'posted', /run\(\) of thread 2 posted a message \(\{"step":"done","junk":\[0\]\}\), to which nobody listens/)
})

runs('attaches a second thread and leaves it', async () => {
  const index = new URL('../../src/index.js', import.meta.url).href
  const text = `import { attachThread } from ${JSON.stringify(index)}
    export const name = 'twice'
    export const run = ({ token, thread }) => { if (thread === 0) attachThread(token) }`
  await fails(module(text), 'attached', /thread \d is still attached at the end: run\(\) detaches what it attaches/)
})

runs('is asynchronous, or gives back what cannot be copied', async () => {
  await fails(running('return Promise.resolve(1)'), 'threw', /run\(\) returned a promise; a workload works synchronously/)
  await fails(running('return () => 1'), 'threw', /run\(\) returned what cannot be handed to another thread .* return plain data/)
})
runs.run()

const scheduled = suite('stress: a workload that misbehaves one thread at a time')

const sections = `export const setup = (ce) => {
  const p = ce.LocalAlloc(0, 64)
  for (const section of [p, p + 32]) ce.InitializeCriticalSection(section)
  return [p, p + 32]
}
export const finish = (ce, [p, q]) => { for (const section of [p, q]) ce.DeleteCriticalSection(section); ce.LocalFree(p) }`

scheduled('waits in a circle: the orders are searched for it, and who waits for what is told', async () => {
  const workload = running(
    'while (more()) { const [a, b] = thread % 2 === 0 ? data : [...data].reverse(); ce.EnterCriticalSection(a); ce.EnterCriticalSection(b); ce.LeaveCriticalSection(b); ce.LeaveCriticalSection(a) }',
    sections
  )
  const { ok, failure } = await failing(workload, { schedule: 'pct:1:2', runs: 500 })
  assert.is(ok, false)
  assert.is(failure?.kind, 'deadlock', failure?.message)
  assert.match(
    failure?.message ?? '',
    /thread 2 waits for critical section \d, held by thread 3; thread 3 waits for critical section \d, held by thread 2/
  )
  assert.equal([failure?.shrunk?.threads, failure?.shrunk?.ops], [2, 1])
})

scheduled('never ends, without a call: the others say who has the turn', async () => {
  const { failure } = await failing(running('ce.LocalFree(ce.LocalAlloc(0, 8)); if (thread === 1) for (;;);'), {
    schedule: 'seeded:1',
    timeout: 5
  })
  assert.is(failure?.kind, 'timeout', failure?.message)
})

scheduled('returns inside of a critical section: that is told, and not what follows from it', async () => {
  const setup = 'export const setup = (ce) => { const p = ce.LocalAlloc(0, 32); ce.InitializeCriticalSection(p); return p }'
  const finish = 'export const finish = (ce, p) => { ce.DeleteCriticalSection(p); ce.LocalFree(p) }'
  const body = 'ce.EnterCriticalSection(data); ce.LocalFree(ce.LocalAlloc(0, 8))'
  for (const schedule of ['free', 'recorded', 'seeded:1']) {
    const { failure } = await failing(running(body, `${setup}\n${finish}`), { schedule })
    assert.is(failure?.kind, 'entered', failure?.message)
    assert.match(
      failure?.message ?? '',
      /^run\(\) of thread [23] returned inside of the critical section 0x10000: every EnterCriticalSection needs its LeaveCriticalSection \(CS-6\)$/
    )
    assert.equal([failure?.shrunk?.threads, failure?.shrunk?.ops], [1, 1])
  }
  // Who means to says so.
  const meant = running('ce.EnterCriticalSection(data)', `${setup}\n${finish}\nexport const tolerates = ['CS-6']`)
  assert.ok((await failing(meant)).ok)
})

scheduled('throws, or ends the process: the others go on without it', async () => {
  const work = 'while (more()) ce.LocalFree(ce.LocalAlloc(0, 8))'
  const thrown = (await failing(running(`if (thread === 1) throw new Error('no more'); ${work}`), { schedule: 'seeded:1' })).failure
  assert.equal([thrown?.kind, thrown?.message, thrown?.others], ['threw', 'run() of thread 3 threw: no more', []])
  const ended = (await failing(running(`if (thread === 1) process.exit(3); ${work}`), { schedule: 'seeded:1' })).failure
  assert.equal([ended?.kind, ended?.thread], ['exit', 3])
})

scheduled('attaches twice: the token is used up', async () => {
  const index = new URL('../../src/index.js', import.meta.url).href
  const text = `import { attachThread } from ${JSON.stringify(index)}
    export const name = 'twice'
    export const run = ({ token, ce }) => { ce.LocalFree(ce.LocalAlloc(0, 8)); attachThread(token) }`
  const { failure } = await failing(module(text), { schedule: 'seeded:1' })
  assert.is(failure?.kind, 'threw')
  assert.match(failure?.message ?? '', /run\(\) of thread \d threw: TypeError: attachThread: expected a token that no thread has used yet/)
})
scheduled.run()

const others = suite('stress: a workload that misbehaves elsewhere')
others.after(clear)

others('setup() throws, never ends, ends the process, or gives what cannot be copied', async () => {
  const setup = (body: string): string => running('', `export function setup(ce) { ${body} }`)
  assert.match((await refusal(setup('throw new Error("no room")'))).message, /setup\(\) threw, so that nothing could be run: no room$/)
  assert.match((await refusal(setup('for (;;);'), { timeout: 5 })).message, /setup\(\) did not end within 5 s$/)
  assert.match(
    (await refusal(setup('process.exit(0)'))).message,
    /setup\(\) ended its thread with exit code 0; .*never calls process\.exit$/
  )
  assert.match(
    (await refusal(setup('return { f() {} }'))).message,
    /setup\(\) returned what cannot be handed to other threads .*; return plain data$/
  )
})

others('setup() gives what is another thing each time that it is copied', async () => {
  const setup = 'let n = 0; export const setup = () => ({ get x() { if (n++ > 0) throw new Error("second"); return 1 } })'
  assert.is((await failing(running('while (more());', setup))).ok, true)
})

others('finish() throws, never ends, or ends the process', async () => {
  const finish = (body: string): string => running('', `export function finish(ce) { ${body} }`)
  const thrown = (await failing(finish('throw new Error("two are missing")'))).failure
  assert.equal([thrown?.kind, thrown?.message], ['threw', 'finish() threw: two are missing'])
  const endless = await failing(finish('for (;;);'), { timeout: 5 })
  assert.equal([endless.ok, endless.failure?.kind], [false, 'timeout'])
  assert.match(endless.failure?.message ?? '', /finish\(\) did not end within 5 s$/)
  assert.is((await failing(finish('process.exit(0)'))).failure?.kind, 'exit')
})

others('its address is none of a file of this machine', async () => {
  for (const address of ['file://elsewhere/x.mjs', 'file:///%zz'])
    assert.match((await refusal(address)).message, /: is no address of a file on this machine; a workload is a module such as /)
})

others('its module cannot be loaded, or is no workload', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['export const name =', /cannot be loaded as a module \(SyntaxError: /],
    ['throw new Error("no")', /cannot be loaded as a module \(Error: no\)$/],
    ['import "./nowhere.mjs"', /cannot be loaded as a module .*nowhere/],
    ['await new Promise(() => {})', /the module \(while it was loaded\) awaits what never comes$/],
    ['process.exit(0)', /the module \(while it was loaded\) ended its thread with exit code 0/],
    ['export const name = "x"', /a workload exports a function "run".*; exports of .*: name$/],
    ['export const run = () => {}', /a workload exports its "name" as a string; exports of .*: run$/],
    ['export const name = "x"; export const run = async () => {}', /"run" must be synchronous/],
    ['export const name = "x"; export const run = () => {}; export const setup = 1', /"setup" must be a function, it is number$/],
    ['export const name = "x"; export const run = () => {}; export const tolerates = "C-5"', /"tolerates" must be a list of rule ids/]
  ]
  for (const [text, message] of cases) assert.match((await refusal(module(text))).message, message)
})

others('threads that are too many to start in time are told as that, once', () => {
  const late = { how: 'unstarted', attached: 2 } as const
  assert.equal(
    endingFaults([late, late, late], 1000).map(({ kind, message }) => `${kind}: ${message}`),
    Array(3).fill('timeout: only 2 of 3 threads could start within 20 s; give fewer --threads, or a longer --timeout')
  )
  assert.match(endingFaults([late], 60_000)[0]?.message ?? '', /within 60 s;/)
})

others('a workload may be the default export, and may be given as a URL', async () => {
  const path = module('export default { name: "whole", run({ more }) { while (more()); return 1 } }')
  assert.is((await failing(path)).ok, true)
  assert.is((await failing(new URL(`file://${path}`).href)).workload, 'whole')
})

others('what it prints goes to who asked for it, and nowhere else', async () => {
  let text = ''
  const report = await failing(running('console.log("from", thread); console.error("and error")'), { onPrint: (some) => (text += some) })
  assert.is(report.ok, true)
  for (const part of ['from 0\n', 'from 1\n', 'and error\n']) assert.ok(text.includes(part), JSON.stringify(text))
})
others.run()
