// Terminates workers at random moments inside heap calls: npm run death -- --runs N --seed S
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { Arguments } from './arguments.ts'
import { batchOf, newToll, runBatch } from './deaths.ts'

const WORKERS = 4

/** The worker and all that it imports as one text: it starts in a third of the time. */
async function workerSource(): Promise<string> {
  const bundle = await rollup({ input: fileURLToPath(new URL('./deathworker.js', import.meta.url)), external: [/^node:/] })
  const { output } = await bundle.generate({ format: 'cjs' })
  return output[0].code
}

const given = new Arguments('usage: npm run death -- [--runs N] [--seed S]', ['runs', 'seed'])
const runs = given.whole('runs', 1000, 1)
const first = given.whole('seed', 1)
// Long work that nobody waits for.
setPriority(10)
const toll = newToll()
const source = await workerSource()
for (let seed = first; toll.deaths < runs; seed++) {
  try {
    await runBatch(batchOf(seed, Math.min(WORKERS, runs - toll.deaths)), toll, source)
  } catch (error) {
    process.stdout.write(
      `FAIL ${error instanceof Error ? error.stack : String(error)}\nagain: npm run death -- --runs ${WORKERS} --seed ${seed}\n`
    )
    process.exit(1)
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${toll.deaths} of ${runs}`)
}
const inside = [...toll.inside].sort(([, a], [, b]) => b - a)
const held = inside.reduce((sum, [, count]) => sum + count, 0)
process.stdout.write(
  `ok   ${toll.deaths} workers terminated, ${toll.attached} of them attached; ${held} sections held: ${inside.map(([call, count]) => `${call} ${count}`).join(', ')}\n` +
    `     nothing lost but ${toll.unknown} results of calls that had returned, whose worker died before it wrote them down\n`
)
