// A recorded run whose threads process.terminateThread has ended comes back from its string, ends included; where a worker was killed the replay says so.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { draw } from '../../src/machine/schedulerandom.ts'
import { SEC, sectionRecords } from '../../src/machine/sectiontable.ts'
import { LIVE, threadAt } from '../../src/machine/threads.ts'
import type { PartName } from './schedule-worker.ts'
import { perform, type Scene, scene } from './scene.ts'

const program = 'spec'

/** All that a run has left, but how often threads met at a section: that is a matter of time. */
function remains({ process, sections, shared, heap }: Scene): unknown {
  for (const section of sections) process.thread.DeleteCriticalSection(section)
  const { machine } = process.thread
  for (const at of sectionRecords(machine)) machine.sys[at + SEC.CONTENDED] = 0
  process.check()
  return [process.imageHash(), process.thread.memory.readU32(shared), process.thread.HeapValidate(heap, 0, 0)]
}

interface Ran {
  readonly calls: string
  readonly errors: readonly (string | undefined)[]
  /** What terminateThread answered, by thread. */
  readonly asked: ReadonlyMap<number, boolean>
  readonly left: unknown
  readonly text: string
  readonly diverged: string | undefined
}

/** Terminates each thread of `victims` once it has begun that many rounds, if it has not ended by then. */
async function run(schedule: string, names: readonly PartName[], rounds: number, victims = new Map<number, number>()): Promise<Ran> {
  const made = scene({ schedule, threads: names.length, program })
  const { process, shared } = made
  const asked = new Map<number, boolean>()
  const words = new Int32Array(process.thread.memory.bytes.buffer)
  const watch = (): void => {
    if (schedule === 'recorded') process.drainGrants()
    // Without a pause while they run: a tick is longer than the run.
    while ([...victims].some(([id]) => Atomics.load(words, shared / 4 + 16 + id) > 0))
      for (const [id, after] of victims) {
        if (Atomics.load(words, shared / 4 + 16 + id) < after && process.thread.machine.sys[threadAt(process.thread.machine, id)] === LIVE) continue
        victims.delete(id)
        try {
          asked.set(id, process.terminateThread(id))
        } catch (error) {
          // It has detached already.
          assert.instance(error, RangeError)
        }
      }
  }
  const played = await perform(made, names, rounds, { onTick: watch })
  const { text = '', diverged } = process.scheduleReport()
  return {
    calls: JSON.stringify(played.map(({ calls }) => calls.map(({ call, args, result, lastError }) => [call, ...args, result, lastError]))),
    errors: played.map(({ error }) => error),
    asked,
    left: diverged === undefined ? remains(made) : undefined,
    text,
    diverged: diverged?.message
  }
}

const ends = suite('recorded: threads that process.terminateThread ends')

const RUNS = Number(process.env.RUNS ?? 10)

ends(`the string makes the same run, whenever that was (seeds 1 to ${RUNS})`, async () => {
  const found = { ended: 0, whole: 0 }
  for (let seed = 1; seed <= RUNS; seed++) {
    const state = new Int32Array([seed])
    const random = (below: number): number => draw(state, 0, below)
    const names = Array.from({ length: 2 + random(3) }, () => 'mixed' as const)
    const rounds = 100 + random(600)
    const victims = new Map(names.map((_, at) => [at + 2, 1 + random(rounds + (rounds >>> 2))]))
    const first = await run('recorded', names, rounds, new Map(victims))
    for (const error of first.errors) {
      assert.match(error ?? 'ThreadTerminated', /^ThreadTerminated/, `seed ${seed}`)
      found[error === undefined ? 'whole' : 'ended']++
    }
    assert.is.not(first.text, '', `seed ${seed}`)
    // By itself, and where the program asks for the same again, at another moment.
    const repeated = seed % 2 === 0 ? [...first.asked.keys()].map((id) => [id, 1] as const) : []
    const again = await run(`replay:${first.text}`, names, rounds, new Map(repeated))
    for (const [id, answer] of again.asked) assert.is(answer, first.asked.get(id), `seed ${seed}`)
    assert.is(again.diverged, undefined, `seed ${seed}: ${first.text}`)
    assert.equal([again.errors, again.left], [first.errors, first.left], `seed ${seed}: ${first.text}`)
    assert.ok(again.calls === first.calls, `seed ${seed}: other calls: ${first.text}`)
  }
  assert.ok(found.ended > RUNS / 2 && found.whole > RUNS / 2, JSON.stringify(found)); console.log(found)
})
ends.run()
