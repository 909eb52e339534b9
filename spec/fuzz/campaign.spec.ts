// Any calls in any order beside a model of what they must answer (src/fuzz).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz, fuzzBytes } from '../../src/fuzz/index.ts'
import { bytesOf, wordsOf, wordsOfSeed } from '../../src/fuzz/words.ts'

const campaign = suite('fuzz: any calls in any order')

campaign('blocks never overlap, move or lose bytes (HA-3, HI-1); failures have a reason (HR-7, C-3); every invariant holds', async () => {
  const given = process.env.CEHEAP_SEED
  const seed = given === undefined || given === '' ? Date.now() % 2 ** 31 : Number(given)
  process.stdout.write(`\nfuzz: seeds ${seed} to ${seed + 19}\n`)
  const report = await fuzz({ runs: 20, seed })
  const { failure } = report
  if (failure !== undefined) assert.unreachable(`${failure.message}\n\n${failure.text}\n\n  again: ${failure.repeat}\n`)
  assert.is(report.runs, 20)
  assert.ok(report.calls > 20 * 25_000, `${report.calls} calls`)
})

campaign('the same seed makes the same calls; shards share the seeds, each in one of them', async () => {
  const whole = await fuzz({ runs: 7, seed: 40, commands: 500 })
  const parts = await Promise.all(['1/3', '2/3', '3/3'].map((shard) => fuzz({ runs: 7, seed: 40, commands: 500, shard })))
  assert.equal(
    parts.map(({ seeds }) => seeds),
    [
      { first: 40, step: 3, count: 3 },
      { first: 41, step: 3, count: 2 },
      { first: 42, step: 3, count: 2 }
    ]
  )
  assert.is(
    parts.reduce((sum, { calls }) => sum + calls, 0),
    whole.calls
  )
})

campaign('it ends with its time, with its calls, or when it is told to', async () => {
  const timed = await fuzz({ seconds: 0.3 })
  assert.is(timed.ended, 'time')
  assert.ok(timed.seconds < 5, `${timed.seconds} s`)
  const counted = await fuzz({ calls: 2000, commands: 300 })
  assert.is(counted.ended, 'done')
  assert.ok(counted.calls >= 2000 && counted.calls < 2600, `${counted.calls} calls`)
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 150)
  const stopped = await fuzz({ runs: 1_000_000, signal: stop.signal })
  assert.is(stopped.ended, 'stopped')
  assert.ok(stopped.ok && stopped.calls > 0)
})

campaign('any bytes are a program, and a program is bytes', () => {
  for (let length = 0; length < 200; length += 7) assert.ok(fuzzBytes(new Uint8Array(length).fill(length * 37)) > 0)
  assert.is(fuzzBytes(bytesOf(wordsOfSeed(3, 400))), fuzzBytes(bytesOf(wordsOfSeed(3, 400))))
  assert.equal(wordsOf(bytesOf(wordsOfSeed(9, 5))), wordsOfSeed(9, 5))
})

campaign('options that mean nothing are refused', async () => {
  const wrong = [
    { runs: 0 },
    { seed: -1 },
    { seed: 2 ** 53 },
    { seconds: 0 },
    { shard: '3/2' },
    { shard: '0/2' },
    { commands: 1e9 },
    { run: 1 },
    { calls: 1.5 }
  ]
  for (const options of wrong) {
    try {
      await fuzz(options as never)
      assert.unreachable(JSON.stringify(options))
    } catch (error) {
      assert.match((error as Error).message, /expected .* got /, JSON.stringify(options))
    }
  }
})
campaign.run()
