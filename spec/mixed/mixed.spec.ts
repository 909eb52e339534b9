// All families of calls, mixed, on one process that lives on, beside one naive model of all of it: a byte that IMalloc hands out is in the process heap, in
// a committed page, in the budget and in the tool-help walk (fuzz/mixed).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runMixed } from '../../fuzz/mixed/campaign.ts'
import { seedOr } from '../../fuzz/property.ts'

const CALLS = 5000
const SEEDS = 4

const mixed = suite('all families on one process')

mixed('heaps, pages, COM, hosts, sections and tool help show one truth through 20,000 calls, and give everything back', () => {
  const given = process.env.CEHEAP_SEED
  const first = seedOr(given === undefined || given === '' ? undefined : Number(given))
  process.stdout.write(`\nmixed: seeds ${first} to ${first + SEEDS - 1}, ${CALLS} calls each\n`)
  for (let n = 0; n < SEEDS; n++) {
    const until = performance.now() + 20_000
    const { failure } = runMixed({ seed: first + n, calls: CALLS, goOn: () => performance.now() < until })
    const again = `npm run mixed -- --calls ${CALLS} --seed=${first + n}`
    if (failure !== undefined) assert.unreachable(`${failure.message}\n\n${failure.text}\n\n  again: ${again}\n`)
  }
})
mixed.run()
