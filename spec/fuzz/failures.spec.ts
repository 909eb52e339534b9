// A failure that was found is a file that any machine replays, of whatever kind the campaign was.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FailureFile, failureFile, fuzzFailure, parseFailureFile } from '../../src/fuzz/index.ts'
import { attachThread, type CallRecord, createProcess } from '../../src/index.ts'
import { runStress, runThreads } from '../../src/fuzz/threads.ts'
import { stressOf } from '../../src/fuzz/threadsrun.ts'
import { wordsOfSeed } from '../../src/fuzz/words.ts'
import { replayMixed, runMixed } from '../../src/mixed/campaign.ts'
import { forgets, watch } from '../mixed/faults.ts'
import { stress, type StressOptions } from '../../src/stress/index.ts'
import { clear, running } from '../stress/bad.ts'

const failures = suite('fuzz: failure files')

const files: readonly FailureFile[] = [
  { kind: 'fast', message: 'one', seed: null, words: wordsOfSeed(3, 5) },
  { kind: 'mixed', message: 'two', seed: 7, program: { seed: 7, commands: [0, 1, 2, 9, 11, 12, 999_999], finishing: true } },
  { kind: 'mixed', message: 'none', seed: 0, program: { seed: 0, commands: [], finishing: false } },
  { kind: 'threads', message: 'three', seed: 5, run: stressOf(5, 60) }
]

failures('a file says what is in it, and is read as it was written', () => {
  for (const file of files) {
    const text = failureFile(file)
    assert.equal(parseFailureFile(text), file)
    assert.is(JSON.parse(text).kind, file.kind)
  }
  assert.is(JSON.parse(failureFile(files[1] as FailureFile)).program, '0-2 9 11-12 999999')
})

failures('files that are older than the kinds are fast', () => {
  const { kind, ...older } = JSON.parse(failureFile(files[0] as FailureFile))
  assert.equal([kind, parseFailureFile(JSON.stringify(older))], ['fast', files[0]])
})

failures('mixed: the file makes the failing commands again, and runs well where the fault is not', async () => {
  const { failure } = await runMixed(7, 20_000, watch(performance.now() + 60_000), forgets)
  assert.ok(failure?.program !== undefined)
  const file = parseFailureFile(failureFile({ kind: 'mixed', message: failure.message, seed: 7, program: failure.program }))
  assert.ok(file.kind === 'mixed' && file.program.commands.length === failure.left)
  const again = await replayMixed(file.program, watch(performance.now() + 60_000), forgets)
  assert.equal([again.failure?.message, again.failure?.program], [failure.message, file.program])
  const report = await fuzzFailure(file)
  const { kind, ok, runs, commands, ended } = report
  assert.equal({ kind, ok, runs, commands, ended }, { kind: 'mixed', ok: true, runs: 1, commands: failure.left, ended: 'done' })
})

failures('threads: the file makes the smallest failing run again, and the trace its calls', async () => {
  const workload = running('while (more()) { ce.HeapFree(ce.GetProcessHeap(), 0, ce.LocalAlloc(0, 8)); ce.LocalAlloc(0, 100) }')
  const planted = (options: StressOptions = {}): ReturnType<typeof stress> => stress({ ...options, workload })
  const { failure } = await runThreads(5, 60, planted)
  assert.ok(failure !== undefined)
  assert.ok(failure.run.schedule.startsWith('replay:v1_') && failure.run.ops < stressOf(5, 60).ops, JSON.stringify(failure.run))
  const file = parseFailureFile(failureFile({ kind: 'threads', message: failure.message, seed: 5, run: failure.run }))
  assert.ok(file.kind === 'threads')
  const again = await runStress(file.run, planted)
  assert.match(again.failure?.message ?? '', /is left at the end/)
  assert.equal([again.failure?.run, again.failure?.trace], [failure.run, failure.trace])

  const [head = '', ...lines] = failure.trace.trimEnd().split('\n')
  const process = createProcess(
    JSON.parse(head, (name, value) => (/^(?:ceheap|version|program|pointerBits)$/.test(name) ? undefined : value))
  )
  const calls = lines.map((line) => JSON.parse(line) as CallRecord)
  const threads = [process.thread, attachThread(process.share()), attachThread(process.share())]
  for (const { call, thread, args, result } of calls) {
    const ce = threads[thread - 1] as unknown as Record<string, (...args: number[]) => number | undefined>
    assert.is(ce[call]?.(...args), result, `${call} of thread ${thread}`)
  }
  process.close()
})

failures('threads: a schedule that is damaged or of other work is refused', async () => {
  const run = { ...stressOf(5, 60), threads: 2 }
  for (const schedule of ['replay:v1_AAAA', 'replay:v9_AQISBVL6oogJCumUG0Nz', 'replay:v1_AQISBVL6oogJCumUG0Nz']) {
    const error = await fuzzFailure({ kind: 'threads', message: 'x', seed: 5, run: { ...run, schedule } }).catch(
      (thrown: unknown) => thrown
    )
    assert.instance(error, RangeError, `${schedule}: ${String(error)}`)
  }
})

function json(file: FailureFile | undefined): Record<string, unknown> {
  return JSON.parse(failureFile(file as FailureFile))
}

failures('a file that is none, is cut, was changed by hand or is of another version or kind is refused', () => {
  const [fast, mixed, , threads] = files.map(json) as Record<string, unknown>[]
  const run = threads?.program as Record<string, unknown>
  const wrong: [object | string, RegExp][] = [
    ['', /no JSON/],
    ['\u0000\u00ff\ufffd', /no JSON/],
    [failureFile(files[0] as FailureFile).slice(0, 50), /no JSON/],
    ['null', /other JSON/],
    ['[]', /other JSON/],
    [{ ...fast, ceheap: 'trace' }, /other JSON/],
    [{ ...fast, version: 2 }, /version 1, got version 2/],
    [{ ...fast, version: 'x'.repeat(9999) }, /got version "x{59}\.\.\.:/],
    [{ ...fast, kind: 'slow' }, /kind fast, mixed, threads, got "slow"/],
    [{ ...fast, kind: 'mixed' }, /seed up to 2\^32 - 1 and "finishing"/],
    [{ ...fast, kind: 'threads' }, /expected the options of a run/],
    [{ ...fast, commands: 6 }, /damaged/],
    [{ ...fast, commands: -1 }, /without them/],
    [{ ...fast, program: 7 }, /expected a program as text, got 7/],
    [{ ...fast, program: undefined }, /without them/],
    [{ ...fast, program: '!' }, /damaged/],
    [{ ...mixed, kind: 'fast' }, /damaged/],
    [{ ...mixed, seed: null }, /seed up to/],
    [{ ...mixed, seed: 2 ** 32 }, /seed up to/],
    [{ ...mixed, finishing: 'yes' }, /"finishing" true or false/],
    [{ ...mixed, commands: 6 }, /expected a program of 6 commands, got 7/],
    ...['3 2', '5-4', '1 1', '0-9999999', '1000000', 'x', '1  2', '-1', '1-2-3', `${'9'.repeat(99)}`].map((program): [object, RegExp] => [
      { ...mixed, program },
      /numbers of commands in ascending order/
    ]),
    [{ ...threads, program: [run] }, /something else/],
    [{ ...threads, program: { ...run, timeout: 1 } }, /got "timeout"/],
    [{ ...threads, program: { ...run, workload: './other.mjs' } }, /as workload of the program, got/],
    [{ ...threads, program: { ...run, threads: 9 } }, /1 to 4 as threads/],
    [{ ...threads, program: { ...run, ops: 1e12 } }, /as ops of the program/],
    [{ ...threads, program: { ...run, ops: undefined } }, /as ops of the program, got none/],
    [{ ...threads, program: { ...run, seed: -1 } }, /as seed of the program/],
    [{ ...threads, program: { ...run, schedule: 'free' } }, /as schedule of the program/],
    [{ ...threads, program: { ...run, schedule: 'replay:/etc/passwd' } }, /as schedule of the program/],
    [{ ...threads, program: { ...run, profile: 'ce-9' } }, /as profile of the program/],
    [{ ...threads, program: { ...run, physical: 5 } }, /as physical of the program/],
    [{ ...threads, commands: 1 }, /expected a program of 1 commands, got 60/]
  ]
  for (const [file, message] of wrong)
    assert.throws(
      () => parseFailureFile(typeof file === 'string' ? file : JSON.stringify(file)),
      (error: Error) => error instanceof RangeError && message.test(error.message),
      `${JSON.stringify(file).slice(0, 200)}: ${message}`
    )
})
failures.after(clear)
failures.run()
