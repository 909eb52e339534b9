// npm run seeds -- [--seeds N] [--from S] [--threads T] [--ops N] [--workload NAME|FILE]: that `seeded:N` repeats. Each seed is run twice with real worker
// threads in each of two Node processes; pointers, last errors, pages and contents must be the same in all four, which is what the image hash tells.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Crew } from '../src/stress/crew.ts'
import { loadWorkload } from '../src/stress/load.ts'
import { planOf } from '../src/stress/options.ts'
import { runPlanOf } from '../src/stress/campaign.ts'
import { runOnce } from '../src/stress/run.ts'
import { Arguments } from './arguments.ts'

const usage = 'usage: npm run seeds -- [--seeds N] [--from S] [--threads T] [--ops N] [--workload NAME|FILE]'
const TIMES = 2
const PROCESSES = 2

export interface Wanted {
  readonly seeds: number
  readonly from: number
  readonly threads: number
  readonly ops: number
  readonly workload: string
}

interface Told {
  readonly seed: number
  readonly images: readonly string[]
  readonly calls: number
  readonly fault: string | undefined
}

/** In a child: runs each seed as often as wanted and tells its images. */
async function work({ seeds, from, threads, ops, workload: name }: Wanted): Promise<void> {
  const plan = planOf({ workload: name, threads, ops, schedule: `seeded:${from}`, runs: seeds })
  const workload = await loadWorkload(plan.source)
  const crew = new Crew()
  for (let n = 0; n < seeds; n++) {
    const images: string[] = []
    let calls = 0
    let fault: string | undefined
    for (let time = 0; time < TIMES; time++) {
      const outcome = await runOnce(crew, runPlanOf(plan, workload, n))
      images.push(outcome.imageHash)
      calls += outcome.calls
      fault ??= outcome.faults[0]?.message
    }
    process.send?.({ seed: from + n, images, calls, fault } satisfies Told)
  }
  await crew.close()
  process.disconnect?.()
}

/** Compares the images of all runs of each seed; throws what differs. Tells seeds as they are compared. */
export async function compareSeeds(
  wanted: Wanted,
  onSeed: (done: number) => void
): Promise<{ runs: number; calls: number; images: number }> {
  const first = new Map<number, readonly string[]>()
  const different = new Set<string>()
  let done = 0
  let calls = 0
  const take = (told: Told): void => {
    const { seed, images, fault } = told
    const again = `npm run seeds -- --seeds 1 --from ${seed} --threads ${wanted.threads} --ops ${wanted.ops} --workload ${wanted.workload}`
    if (fault !== undefined) throw new Error(`seed ${seed}: ${fault}\n  ${again}`)
    calls += told.calls
    const all = [...(first.get(seed) ?? []), ...images]
    if (all.some((image) => image === '' || image !== all[0]))
      throw new Error(`seed ${seed} gave different images: ${all.join(', ')}\n  ${again}`)
    first.set(seed, all)
    different.add(all[0] as string)
    if (all.length === TIMES * PROCESSES) onSeed(++done)
  }
  const children = Array.from({ length: PROCESSES }, () => fork(fileURLToPath(import.meta.url), ['--child', JSON.stringify(wanted)]))
  try {
    await Promise.all(
      children.map(
        (child) =>
          new Promise<void>((settle, fail) => {
            child.on('message', (told) => {
              try {
                take(told as Told)
              } catch (error) {
                fail(error as Error)
              }
            })
            child.on('error', fail)
            child.on('close', (code, signal) =>
              code === 0 ? settle() : fail(new Error(`a process ended with ${signal ?? `exit code ${code}`}`))
            )
          })
      )
    )
  } finally {
    for (const child of children) child.kill()
  }
  if (done !== wanted.seeds) throw new Error(`${done} of ${wanted.seeds} seeds were told`)
  return { runs: done * TIMES * PROCESSES, calls, images: different.size }
}

function read(): Wanted {
  const given = new Arguments(usage, ['seeds', 'from', 'threads', 'ops', 'workload'])
  return {
    seeds: given.whole('seeds', 100),
    from: given.whole('from', 1),
    threads: given.whole('threads', 4),
    ops: given.whole('ops', 20),
    workload: given.text('workload', 'many-heaps')
  }
}

async function main(): Promise<void> {
  const wanted = read()
  const { runs, calls, images } = await compareSeeds(wanted, (done) => {
    if (done % 50 === 0) process.stderr.write(`${done} seeds\n`)
  })
  process.stdout.write(`ok   ${wanted.seeds} seeds, ${runs} runs in ${PROCESSES} processes, ${calls} calls, ${images} different images\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , first, second] = process.argv
  try {
    if (first === '--child') await work(JSON.parse(second ?? '') as Wanted)
    else await main()
  } catch (error) {
    process.stderr.write(`FAIL ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
