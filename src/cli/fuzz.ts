import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { printable } from '../check/sites.ts'
import {
  type FuzzFailure,
  type FuzzKind,
  type FuzzOptions,
  type FuzzReport,
  formatFuzz,
  fuzz,
  fuzzFailure,
  fuzzJson,
  fuzzProgram,
  parseFailureFile,
  shardFrom,
  wordsOf
} from '../fuzz/index.ts'
import { fuzzKinds } from '../fuzz/options.ts'
import { clean, findings, UserError } from './exit.ts'
import { mergeCommand } from './fuzzmerge.ts'
import { bytesAt, expectApart, usable } from './input.ts'
import { parseSeconds, parseWhole } from './numbers.ts'
import { colours, expectWritable, note, putOut, reasonOf } from './output.ts'
import { fuzzProgress } from './progress.ts'

interface Flags extends Omit<FuzzOptions, 'onProgress' | 'signal'> {
  readonly shardCount?: number
  readonly replay?: string
  readonly bytes?: string
  readonly keep?: string
  readonly format: 'text' | 'json'
  readonly output?: string
}

export function fuzzCommand(): Command {
  return new Command('fuzz')
    .summary('any calls in any order, beside a model of what they must answer')
    .description(
      'Draws programs of API calls from seeds, runs each on an emulated process of its own, and compares every answer, last error, address and\n' +
        'byte with a model. A failure is made smaller, told as API calls, and written as a trace and as a file that --replay takes.'
    )
    .addOption(new Option('--kind <kind>', 'what the runs are (default: fast)').choices(fuzzKinds))
    .option('--runs <n>', 'runs of the whole campaign (default: 100 where nothing else bounds it)', parseWhole)
    .option('--calls <n>', 'API calls of the whole campaign', parseWhole)
    .option('--seconds <n>', 'time to work', parseSeconds)
    .option('--seed <n>', 'run number r, from 0, is the program of seed + r (default: 1)', parseWhole)
    .option('--shard <i/n>', 'only each n-th run, from the i-th on (default: as the CI service says, else 1/1)')
    .option('--shard-count <n>', 'of how many shards, where the environment tells the index alone', parseWhole)
    .option('--commands <n>', 'commands of one run (default: 30000, mixed 10000, threads 2000)', parseWhole)
    .option('--shrink-seconds <n>', 'longest time to make a failure smaller (default: 60, or --seconds if less)', parseSeconds)
    .option('--replay <file>', 'run what a failure file tells, of whatever kind')
    .option('--bytes <file>', 'run the program that any bytes are; - for standard input')
    .option('--keep <folder>', 'where a failure is written (default: here)')
    .addOption(new Option('--format <name>', 'format of the report').choices(['text', 'json']).default('text'))
    .option('-o, --output <file>', 'write the report to a file')
    .addHelpText(
      'after',
      `
Kinds:
  fast      heaps, Local*, Global*, Virtual*, low memory, injected failures
  mixed     all of that with COM, hosts, critical sections, tool help,
            CeHeapCreate and threads that come and go, on one process
  threads   the workloads of ceheap stress on 2 to 4 worker threads under
            seeded schedules; a failure comes as a ceheap stress command too

--runs, --calls and --seconds may stand together: the first bound that is
reached ends the campaign, and so does the first failure.

The shard is taken from CI_NODE_INDEX and CI_NODE_TOTAL, CIRCLE_NODE_INDEX and
CIRCLE_NODE_TOTAL, BUILDKITE_PARALLEL_JOB and BUILDKITE_PARALLEL_JOB_COUNT, or
JOB_COMPLETION_INDEX with --shard-count or JOB_COMPLETIONS.

Exit status: 0 all was as the model says, 1 a failure, 2 the arguments or the
input cannot be used.

Examples:
  ceheap fuzz --seconds 60
  ceheap fuzz --calls 1000000000 --shard 1/8 --format json -o shard-1.json
  ceheap fuzz merge shard-*.json
  ceheap fuzz --kind mixed --commands 1000000 --runs 1
  ceheap fuzz --kind threads --seconds 600
  ceheap fuzz --replay ceheap-fuzz-17.json
  head -c 4000 /dev/urandom | ceheap fuzz --bytes -`
    )
    .action(async (flags: Flags) => {
      process.exitCode = await run(flags)
    })
    .enablePositionalOptions()
    .addCommand(mergeCommand())
}

async function run(flags: Flags): Promise<number> {
  expectTogether(flags)
  const { format, output, keep = '.', replay, bytes, shardCount, ...options } = flags
  expectApart(output, replay, bytes)
  if (options.shard !== undefined && shardCount !== undefined && options.shard.split('/')[1] !== String(shardCount))
    throw new UserError(`--shard-count: expected the number of shards of --shard ${options.shard}, got ${shardCount}`)
  await expectWritable(output)
  if (replay === undefined) await expectWritable(join(keep, 'ceheap-fuzz'), `--keep ${keep}`)
  const stop = new AbortController()
  const heard = (): void => stop.abort()
  process.once('SIGINT', heard)
  process.once('SIGTERM', heard)
  const progress = fuzzProgress()
  const watched = { ...options, signal: stop.signal, onProgress: progress.update }
  let report: FuzzReport
  try {
    if (replay !== undefined || bytes !== undefined) report = await given(replay, bytes, watched)
    else {
      const shard = options.shard ?? sharded(shardCount)
      report = await fuzz(shard === undefined ? watched : { ...watched, shard })
    }
  } catch (error) {
    throw error instanceof RangeError ? new UserError(error.message) : error
  } finally {
    progress.stop()
    process.removeListener('SIGINT', heard)
    process.removeListener('SIGTERM', heard)
  }
  const toFile = output !== undefined && output !== '-'
  await putOut(format === 'json' ? fuzzJson(report) : formatFuzz(report, colours(toFile)), output)
  if (report.failure !== undefined) {
    if (replay === undefined) await keepFailure(report.failure, report.kind ?? 'fast', keep)
    else note(`again: ceheap fuzz --replay ${replay}`)
  }
  return report.ok ? clean : findings
}

function sharded(count: number | undefined): string | undefined {
  const found = shardFrom(process.env, count)
  if (found === undefined && count !== undefined && count !== 1)
    throw new UserError(
      '--shard-count: expected --shard or a variable such as JOB_COMPLETION_INDEX that says which shard this is, got none'
    )
  return found === undefined ? undefined : `${found.part}/${found.of}`
}

const ONLY_CAMPAIGNS = ['kind', 'runs', 'calls', 'seconds', 'seed', 'shard', 'shardCount', 'commands'] as const

/** Refuses options that would not be heeded. */
function expectTogether(flags: Flags): void {
  const { replay, bytes, keep } = flags
  if (replay === undefined && bytes === undefined) return
  if (replay !== undefined && bytes !== undefined) throw new UserError('expected either --replay or --bytes, got both')
  const other = ONLY_CAMPAIGNS.find((name) => flags[name] !== undefined)
  if (other !== undefined)
    throw new UserError(
      `--${other === 'shardCount' ? 'shard-count' : other}: expected no such option with --replay or --bytes, which run one program`
    )
  if (replay !== undefined && keep !== undefined)
    throw new UserError('--keep: expected no such option with --replay, whose failure is in a file already')
}

async function given(replay: string | undefined, bytes: string | undefined, options: FuzzOptions): Promise<FuzzReport> {
  if (replay !== undefined) {
    const text = (await bytesAt(replay)).toString('utf8')
    const file = usable(() => parseFailureFile(text), replay)
    const report = await fuzzFailure(file, options)
    if (report.ended === 'done') note(`${replay}: what failed does not fail here: ${printable(file.message)}`)
    return report
  }
  const program = await bytesAt(bytes as string)
  if (program.length === 0) throw new UserError(`${bytes}: expected the bytes of a program, got none`)
  return await fuzzProgram(wordsOf(program), options)
}

/** Writes a failure beside the report, and says how it is repeated. */
async function keepFailure({ seed, file, trace, repeat }: FuzzFailure, kind: FuzzKind, folder: string): Promise<void> {
  const name = join(folder, `ceheap-fuzz-${kind === 'fast' ? '' : `${kind}-`}${seed ?? 'bytes'}`)
  if (repeat !== '') note(`again: ${repeat}`)
  try {
    if (trace !== '') await writeFile(`${name}.jsonl`, trace)
    if (file !== '') {
      await writeFile(`${name}.json`, file)
      note(`kept:  ceheap fuzz --replay ${name}.json   (the trace is ${name}.jsonl)`)
    } else if (trace !== '') note(`kept:  the trace ${name}.jsonl`)
  } catch (error) {
    note(`ceheap: ${name}: the failure cannot be written (${reasonOf(error)}); --format json has it`)
  }
}
