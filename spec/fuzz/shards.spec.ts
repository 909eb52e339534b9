// Many machines: which of how many one is, and one result of all theirs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz, fuzzJson, mergeShards, shardFrom } from '../../src/fuzz/index.ts'

const env = suite('fuzz: the shard as a service tells it')
env('each service counts in its own way', () => {
  assert.equal(shardFrom({ CI_NODE_INDEX: '1', CI_NODE_TOTAL: '4' }, undefined), { part: 1, of: 4 })
  assert.equal(shardFrom({ CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '4' }, undefined), { part: 1, of: 4 })
  assert.equal(shardFrom({ BUILDKITE_PARALLEL_JOB: '3', BUILDKITE_PARALLEL_JOB_COUNT: '4' }, undefined), { part: 4, of: 4 })
  assert.equal(shardFrom({ JOB_COMPLETION_INDEX: '2' }, 5), { part: 3, of: 5 })
  assert.equal(shardFrom({ JOB_COMPLETION_INDEX: '2', JOB_COMPLETIONS: '3' }, undefined), { part: 3, of: 3 })
  assert.is(shardFrom({ CI_NODE_INDEX: '' }, undefined), undefined)
  assert.is(shardFrom({}, 4), undefined)
})
env('what would leave a part out, or do one twice, is an error', () => {
  for (const [variables, count] of [
    [{ CI_NODE_INDEX: '0', CI_NODE_TOTAL: '4' }, undefined],
    [{ CI_NODE_INDEX: '5', CI_NODE_TOTAL: '4' }, undefined],
    [{ CI_NODE_INDEX: 'x', CI_NODE_TOTAL: '4' }, undefined],
    [{ CIRCLE_NODE_INDEX: '4', CIRCLE_NODE_TOTAL: '4' }, undefined],
    [{ JOB_COMPLETION_INDEX: '2' }, undefined],
    [{ JOB_COMPLETION_INDEX: '5' }, 5],
    [{ JOB_COMPLETION_INDEX: '0' }, 0]
  ] as const) {
    assert.throws(() => shardFrom(variables, count), RangeError, JSON.stringify(variables))
  }
})
env.run()

const results = await Promise.all(
  ['1/2', '2/2'].map(async (shard) => ({
    name: `${shard[0]}.json`,
    text: fuzzJson(await fuzz({ runs: 4, seed: 9, commands: 200, shard }))
  }))
)
const [one, two] = results as [(typeof results)[0], (typeof results)[0]]

function changed(file: typeof one, fields: object): typeof one {
  return { name: `other-${file.name}`, text: JSON.stringify({ ...JSON.parse(file.text), ...fields }) }
}

const merging = suite('fuzz: merge')
merging('the sum of all shards, in their order', () => {
  const { ok, runs, calls, seed, shards } = mergeShards([two, one])
  assert.equal({ ok, runs, seed }, { ok: true, runs: 4, seed: 9 })
  assert.equal(
    shards.map(({ shard }) => shard),
    ['1/2', '2/2']
  )
  assert.is(calls, JSON.parse(one.text).calls + JSON.parse(two.text).calls)
})
merging('one failure makes the whole fail', () => {
  const merged = mergeShards([
    one,
    changed(two, { ok: false, ended: 'failure', failure: { message: 'x', repeat: 'ceheap fuzz --seed 10 --runs 1' } })
  ])
  assert.is(merged.ok, false)
  assert.equal(
    merged.failures.map(({ shard, message }) => [shard, message]),
    [['2/2', 'x']]
  )
})
merging('missing, doubled and strange shards are refused by name', () => {
  const refused: [readonly (typeof one)[], RegExp][] = [
    [[], /got none/],
    [[one], /2\/2 is missing/],
    [[one, one, two], /each shard once, got 1\/2 here and in 1\.json/],
    [[one, changed(two, { seed: 10, seeds: { first: 11, step: 2, count: 2 } })], /other-2\.json: expected seed 9/],
    [[one, changed(two, { commands: 100 })], /another campaign/],
    [[one, changed(two, { shard: '2/3', seeds: { first: 10, step: 3, count: 2 } })], /a shard of 2/],
    [[one, changed(two, { shard: '5' })], /expected i\/n/],
    [[one, changed(two, { version: 2 })], /expected version 1, got 2/],
    [[one, changed(two, { runs: -1 })], /other JSON/],
    [[one, changed(two, { ok: false })], /a failure where ok is false/],
    [[one, changed(two, { ended: 'failure' })], /a failure where ok is false/],
    [[one, changed(two, { ok: false, ended: 'failure', failure: null })], /its message and the command/],
    [[one, changed(two, { ok: false, ended: 'failure', failure: { message: 7 } })], /its message and the command/],
    [[one, changed(two, { runs: 3 })], /expected seeds .*"count":3.* got .*"count":2/],
    [[one, changed(two, { seeds: { first: 9, step: 2, count: 2 } })], /expected seeds .*"first":10.* got .*"first":9/],
    [[one, changed(two, { seeds: { first: 10, step: 1, count: 2 } })], /expected seeds .*"step":2/],
    [[one, changed(two, { seeds: [] })], /expected seeds/],
    [[one, changed(two, { ended: 'somehow' })], /other JSON/],
    [[one, changed(two, { calls: Number.MAX_SAFE_INTEGER })], /expected calls of up to 2\^53 - 1 in all/],
    [[one, { name: 'huge.json', text: two.text.replace(/"seconds": [\d.]+/, '"seconds": 1e999') }], /huge\.json: .*other JSON/],
    [[one, { name: 'nan.json', text: two.text.replace(/"calls": \d+/, '"calls": NaN') }], /nan\.json: .*no JSON/],
    [[one, changed(two, { seconds: -1 })], /other JSON/],
    [[one, changed(two, { seconds: null })], /other JSON/],
    [[one, changed(two, { calls: 1e300 })], /other JSON/],
    [[one, changed(two, { calls: 0.5 })], /other JSON/],
    [[one, changed(two, { commands: '200' })], /other JSON/],
    [[one, { name: 'cut.json', text: two.text.slice(0, 40) }], /cut\.json: .*no JSON/],
    [[one, { name: 'empty.json', text: '' }], /empty\.json: .*no JSON/],
    [[one, { name: 'list.json', text: '[]' }], /other JSON/]
  ]
  for (const [files, message] of refused)
    assert.throws(
      () => mergeShards(files),
      (error: Error) => error instanceof RangeError && message.test(error.message),
      String(message)
    )
})
merging.run()
