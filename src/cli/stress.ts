import { Command, Option } from 'commander'
import { builds, placements, profileNames } from '../profile.ts'
import { builtinWorkloads } from '../stress/builtin.ts'
import { formatStress, StressError, type StressOptions, type StressReport, stress, stressJson } from '../stress/index.ts'
import { parseSeconds, parseWhole } from './numbers.ts'
import { clean, findings, UserError } from './exit.ts'
import { colours, expectWritable, putOut } from './output.ts'
import { stressProgress } from './progress.ts'
import { parseSize } from './sizes.ts'

interface Flags extends Omit<StressOptions, 'onProgress' | 'onPrint'> {
  readonly format: 'text' | 'json'
  readonly output?: string
}

const workloads = builtinWorkloads.map(({ name, description }) => `  ${name.padEnd(18)}${description ?? ''}`).join('\n')

export function stressCommand(): Command {
  return new Command('stress')
    .summary('put worker threads to work on one process and judge every call')
    .description(
      'Runs a workload in several worker threads on one emulated process, under a schedule, and judges what they did:\n' +
        'results against a sequential model, overlaps, lost blocks, cookies, what is left at the end. A failure is made\n' +
        'smaller and comes with the command that repeats it.'
    )
    .option('--workload <name>', 'a built-in workload, or a module such as ./mine.js', builtinWorkloads[0]?.name)
    .option('--threads <n>', 'worker threads (default: 4)', parseWhole)
    .option('--ops <n>', 'operations of each thread (default: 1000)', parseWhole)
    .option('--seconds <n>', 'time to work instead, with the schedules free and recorded', parseSeconds)
    .option('--seed <n>', "decides the workload's own random numbers (default: 1)", parseWhole)
    .option(
      '--schedule <schedule>',
      'free, recorded, seeded:N, pct:N:d, explore, explore:BOUND, replay:TEXT or replay:FILE (default: free)'
    )
    .option('--runs <n>', 'schedules to try, N and those after it (default: 1; explore: 10000 at most)', parseWhole)
    .option('--shard <i/n>', 'of the runs only each n-th, from the i-th on')
    .addOption(new Option('--profile <name>', 'CE version').choices(profileNames).default('compact-2013'))
    .addOption(new Option('--build <name>', 'build of the device').choices(builds).default('retail'))
    .addOption(new Option('--placement <name>', 'how heaps choose free blocks (default: by profile)').choices(placements))
    .option('--memory <size>', 'address space of the process (default: 4MB)', parseSize)
    .option('--physical <size>', 'physical memory of the process (default: as --memory)', parseSize)
    .option('--timeout <seconds>', 'longest time for one run (default: 60)', parseSeconds)
    .addOption(new Option('--format <name>', 'format of the report').choices(['text', 'json']).default('text'))
    .option('-o, --output <file>', 'write the report to a file')
    .addHelpText(
      'after',
      `
Workloads:
${workloads}

Schedules:
  free         all threads at once
  recorded     as free, with the order of grants written down
  seeded:N     one thread at a time, the next chosen by a generator
  pct:N:d      one thread at a time by priorities that change d times
  explore:B    every order with at most B preemptions
  replay:TEXT  the order that a report tells

Exit status: 0 all was as it must be, 1 a failure, 2 the workload or the
arguments cannot be used.

Examples:
  ceheap stress --workload bleeding --threads 2 --seconds 5
  ceheap stress --workload ./mine.js --schedule pct:1:3 --runs 1000
  ceheap stress --workload ./mine.js --threads 2 --ops 2 --schedule explore:2`
    )
    .action(async (flags: Flags) => {
      process.exitCode = await run(flags)
    })
}

async function run({ format, output, ...options }: Flags): Promise<number> {
  await expectWritable(output)
  const progress = stressProgress()
  let report: StressReport
  try {
    report = await stress({
      ...options,
      onProgress: (now) => progress.update(now),
      // Whatever a workload prints is a note: standard output is the report's.
      onPrint: (text) => process.stderr.write(text)
    })
  } catch (error) {
    throw asUserError(error)
  } finally {
    progress.stop()
  }
  const toFile = output !== undefined && output !== '-'
  await putOut(format === 'json' ? stressJson(report) : formatStress(report, colours(toFile)), output)
  return report.ok ? clean : findings
}

/** A value that an option gave, or a workload that cannot be used; anything else is a fault of ours and stays what it is. */
function asUserError(error: unknown): unknown {
  return error instanceof StressError || error instanceof RangeError ? new UserError(error.message) : error
}
