// Every store of every call cut off in a simulated run, and for each of these deaths every store of the mending after it: npm run cuts
import { setPriority } from 'node:os'
import type { Build, Placement } from '../src/index.ts'
import { crowded, heapCalls, heapEnds, lentCalls, pageCalls } from '../spec/coredll/cutcalls.ts'
import { Cutting, newToll } from '../spec/coredll/cutting.ts'
import { Arguments } from './arguments.ts'

const usage = `usage: npm run cuts -- [--only TEXT] [--in PLACEMENT,BUILD] [--step K [--heir J]]
  --only   calls whose name contains TEXT
  --in     segregated or next-fit, retail or debug; all four without it
  --step   one death alone, before step K of the call; with --heir also that of who mends after it, before its step J`

const calls = [...heapCalls, ...heapEnds, ...lentCalls, ...pageCalls]
const kinds = (['segregated', 'next-fit'] as const).flatMap((placement) =>
  (['retail', 'debug'] as const).map((build) => ({ placement, build }))
)

const given = new Arguments(usage, ['only', 'in', 'step', 'heir'])
const only = given.text('only', '')
const kind = given.text('in', '')
const step = given.whole('step', undefined)
const heir = given.whole('heir', undefined)
if (heir !== undefined && step === undefined) given.unusable('--heir: expected --step too')
const picked = calls.filter(({ name }) => name.includes(only))
const where = kinds.filter(({ placement, build }) => kind === '' || kind === `${placement},${build}`)
if (picked.length === 0) given.unusable(`--only: expected a part of a call's name, got "${only}"`)
if (where.length === 0)
  given.unusable(`--in: expected one of ${kinds.map(({ placement, build }) => `${placement},${build}`).join(' ')}, got "${kind}"`)

const total = newToll()

function run(placement: Placement, build: Build, n: number): void {
  const call = picked[n] as (typeof picked)[number]
  const cutting = new Cutting(() => crowded(placement, build), call)
  try {
    if (step !== undefined && step >= cutting.steps) given.unusable(`--step: ${call.name} has the steps 0 to ${cutting.steps - 1}`)
    if (step !== undefined && heir !== undefined) cutting.dieTwice(step, heir)
    else if (step !== undefined) cutting.die(step)
    else cutting.everyDeath(total)
  } catch (error) {
    const at =
      cutting.at === undefined ? '' : ` --step ${cutting.at.step}${cutting.at.heir === undefined ? '' : ` --heir ${cutting.at.heir}`}`
    process.stdout.write(
      `FAIL ${error instanceof Error ? error.stack : String(error)}\nagain: npm run cuts -- --only "${call.name}" --in ${placement},${build}${at}\n`
    )
    process.exit(1)
  }
}

// Long work that nobody waits for.
setPriority(10)
const begin = performance.now()
for (const [m, { placement, build }] of where.entries()) {
  for (const n of picked.keys()) {
    run(placement, build, n)
    if (process.stderr.isTTY) {
      const done = m * picked.length + n + 1
      process.stderr.write(`\r${done} of ${where.length * picked.length} calls, ${total.deaths} deaths, ${total.heirs} of heirs  `)
    }
  }
}
if (process.stderr.isTTY) process.stderr.write('\n')
const minutes = ((performance.now() - begin) / 60_000).toFixed(1)
process.stdout.write(
  step !== undefined
    ? `ok   ${where.length * picked.length} times\n`
    : `ok   ${picked.length} calls in ${where.length} kinds of process: ${total.deaths} stores cut off, and ${total.heirs} in the mending after them\n` +
        `     they left ${total.images} different images to be mended, and of these came ${total.judged}, each of which was judged; ${minutes} minutes\n`
)
