// All families of calls, mixed, on one process that lives on, beside one naive model of all of it: a byte that IMalloc hands out is in the process heap, in
// a committed page, in the budget and in the tool-help walk (src/mixed).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seedOr } from '../../fuzz/property.ts'
import { fuzz } from '../../src/fuzz/index.ts'
import { runMixed, type Watch } from '../../src/mixed/campaign.ts'
import { read } from '../trace/read.ts'
import { forgets, watch } from './faults.ts'

const COMMANDS = 5000
const SEEDS = 4

const mixed = suite('all families on one process')

mixed('heaps, pages, COM, hosts, sections and tool help show one truth through 20,000 commands, and give everything back', async () => {
  const given = process.env.CEHEAP_SEED
  const seed = seedOr(given === undefined || given === '' ? undefined : Number(given)) >>> 1
  process.stdout.write(`\nmixed: seeds ${seed} to ${seed + SEEDS - 1}, ${COMMANDS} commands each\n`)
  const { failure, calls } = await fuzz({ kind: 'mixed', seed, runs: SEEDS, commands: COMMANDS, shrinkSeconds: 20 })
  if (failure !== undefined) assert.unreachable(`${failure.message}\n\n${failure.text}\n\n  again: ${failure.repeat}\n`)
  assert.ok(calls > 10_000, `${calls} calls`)
})

mixed('a planted fault is found, made smaller, told as calls and as a trace, and found again', async () => {
  const { failure, calls } = await runMixed(7, 20_000, watch(performance.now() + 60_000), forgets)
  assert.ok(failure !== undefined, `nothing was found in ${calls} calls`)
  const { message, found, left, tried, text, trace } = failure
  assert.match(message, /byte \d+ of the zeroed block at 0x[0-9a-f]+ is \d+/)
  assert.ok(left <= 20 && left <= found && tried > 0, `${left} of ${found} commands are left, ${tried} programs tried`)
  assert.match(text, /^const process = createProcess\(\{"profile"[\s\S]*LocalAlloc\([\s\S]*\/\/ byte/)
  const { events } = await read(trace)
  assert.ok(
    events.some((event) => JSON.stringify(event).includes('LocalAlloc')),
    trace
  )
  const again = await runMixed(7, 20_000, watch(performance.now() + 60_000), forgets)
  assert.equal(again, { calls, failure })
})

mixed('a run that has no more time is looked at as it is, and ends well', async () => {
  let turns = 0
  const none: Watch = { goOn: () => turns < 3, turn: async () => void turns++, shrinking: () => none }
  const cut = await runMixed(1, 1_000_000, none)
  assert.is(cut.failure, undefined)
  assert.ok(cut.calls > 0 && cut.calls < 5000, `${cut.calls}`)
})
mixed.run()
