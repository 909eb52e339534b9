import { Command, Option } from 'commander'
import { CheckError, type CheckOptions, type CheckReport, checkTrace, formatJson, formatSarif, formatText } from '../check/index.ts'
import { builds, placements, profileNames } from '../profile.ts'
import { openTrace, TraceError } from '../trace/index.ts'
import { clean, findings, UserError, unusable } from './exit.ts'
import { colours, columns, expectWritable, isSameFile, note, putOut } from './output.ts'
import { readProgress } from './progress.ts'
import { parseProcess, parseSize } from './sizes.ts'
import { version } from './version.ts'

const formats = ['text', 'json', 'sarif'] as const

interface Flags extends Omit<CheckOptions, 'onProgress'> {
  readonly format: (typeof formats)[number]
  readonly output?: string
}

export function checkCommand(): Command {
  return new Command('check')
    .summary('replay a recording under CE rules and report findings')
    .description(
      'Replays the memory calls of a recording on an emulated Windows CE process and reports what would fail or answer differently there.\n' +
        'Reads Wine relay and heap logs, CeLog files and ceheap traces, gzipped or not; "-" reads standard input.'
    )
    .argument('<trace>', 'the recording, or - for standard input')
    .addOption(new Option('--profile <name>', 'CE version (default: compact-2013)').choices(profileNames))
    .addOption(new Option('--build <name>', 'build of the device (default: retail)').choices(builds))
    .addOption(new Option('--placement <name>', 'how heaps choose free blocks (default: by profile)').choices(placements))
    .option('--memory <size>', 'address space of the process (default: 64MB, 32MB for ce-5.0)', parseSize)
    .option('--physical <size>', 'physical memory of the process (default: as --memory)', parseSize)
    .option('--process <pid>', 'this process of the recording alone', parseProcess)
    .addOption(
      new Option('--severity <name>', 'the least serious findings to report').choices(['error', 'warning', 'note']).default('note')
    )
    .addOption(new Option('--format <name>', 'format of the report').choices(formats).default('text'))
    .option('-o, --output <file>', 'write the report to a file')
    .addHelpText(
      'after',
      `
Where these say nothing, the header of a ceheap trace may: the trace of a
failure of ceheap fuzz is replayed on a process like the one that failed.

Exit status: 0 no findings, 1 findings, 2 the input or the arguments cannot
be used, the input holds no memory calls, or it is damaged (what can be read is
reported all the same).

Examples:
  ceheap check app.wine-relay.log
  ceheap check app.log.gz --profile ce-5.0 --severity warning
  ceheap check trace.clg --memory 128MB --physical 32MB --format json -o report.json
  WINEDEBUG=+relay,+pid wine app.exe 2>&1 | ceheap check -`
    )
    .action(async (path: string, flags: Flags) => {
      process.exitCode = await check(path, flags)
    })
}

async function check(path: string, { format, output, ...options }: Flags): Promise<number> {
  const toFile = output !== undefined && output !== '-'
  if (toFile && isSameFile(path, output)) throw new UserError(`${output}: is the recording itself, which the report would overwrite`)
  await expectWritable(output)
  const progress = readProgress()
  let report: CheckReport
  try {
    const source = await openTrace(path)
    report = await checkTrace(source, { ...options, onProgress: ({ read, total, calls }) => progress.update(read, total, calls) })
  } catch (error) {
    throw asUserError(error)
  } finally {
    progress.stop()
  }
  const texts = {
    text: () => formatText(report, { width: columns(toFile), paint: colours(toFile) }),
    json: () => formatJson(report),
    sarif: () => formatSarif(report, version)
  }
  await putOut(texts[format](), output)
  if (toFile) note(`${output}: ${report.summary.findings === 1 ? '1 finding' : `${report.summary.findings} findings`}`)
  const { damage, trace } = report
  if (damage !== null) note(`ceheap: ${trace.name} is damaged: ${damage.message}. The report is of what could be read.`)
  // Of a damaged recording nobody knows what the rest would have shown, so it is never more than unusable.
  if (damage !== null) return unusable
  if (report.summary.calls === 0) {
    note(`ceheap: ${trace.name}: nothing was checked, since the trace holds no memory calls`)
    return unusable
  }
  return report.summary.findings > 0 ? findings : clean
}

/** What the user can do something about, as such; anything else is a fault of ours and stays what it is. */
function asUserError(error: unknown): unknown {
  if (error instanceof TraceError || error instanceof CheckError) return new UserError(error.message)
  // A RangeError is about a value that an option gave: memory, physical.
  if (error instanceof RangeError) return new UserError(error.message)
  return error
}
