import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  cases,
  ConformError,
  type ConformOptions,
  type ConformReport,
  conform,
  conformHtml,
  conformJson,
  conformJunit,
  faces,
  formatConform,
  uncoveredRules
} from '../conform/index.ts'
import { builds, profileNames } from '../profile.ts'
import { clean, findings, UserError, unusable } from './exit.ts'
import { expectApart } from './input.ts'
import { colours, expectWritable, note, putOut } from './output.ts'
import { trialProgress } from './progress.ts'

const formats = ['text', 'json', 'junit', 'html'] as const

interface Flags extends Omit<ConformOptions, 'implementation' | 'onProgress'> {
  readonly format?: (typeof formats)[number]
  readonly output?: string
  readonly list?: boolean
  readonly uncovered?: boolean
  readonly device?: boolean
}

export function conformCommand(): Command {
  return new Command('conform')
    .summary('run the rules as cases, over this emulator or over another implementation')
    .description(
      "Asks an implementation of CE's heap functions, case by case, whether it does what the documentation says, and reports by rule.\n" +
        'Without an implementation every face of this emulator is asked, in every version and build.'
    )
    .argument('[implementation]', 'a .js, .mjs, .ts or .wasm module, or command:COMMAND LINE')
    .addOption(
      new Option('--profile <name>', 'judge as this CE version (default: compact-2013; all of this emulator)').choices(profileNames)
    )
    .addOption(new Option('--build <name>', 'judge as this build (default: retail; both of this emulator)').choices(builds))
    .addOption(new Option('--face <name...>', 'only these ways to a heap').choices([...faces.map(({ name }) => name), 'api']))
    .option('--rule <id...>', 'only these rules (HA-2), families (HA) or cases (heapalloc, heapalloc/limit)')
    .option('--timeout <ms>', 'longest time for one call of another implementation (default: 2000)', parseTimeout)
    .option('--list', 'list the cases and run nothing')
    .option('--uncovered', 'list the rules that state observable behaviour and have no case')
    .option('--device', 'print the C program that answers for a device or Wine, to be compiled there')
    .addOption(new Option('--format <name>', 'format of the report (default: text)').choices(formats))
    .option('-o, --output <file>', 'write the report to a file')
    .addHelpText(
      'after',
      `
A module exports HeapCreate, HeapAlloc, ... and "memory" with read and write, or
a function that makes such an object; a wasm module its functions and its
memory. A command answers JSON Lines on standard output. What is missing makes
the cases that need it not applicable.

Exit status: 0 every applicable rule holds, 1 some do not, 2 the implementation
or the arguments cannot be used, or no case is applicable.

Examples:
  ceheap conform
  ceheap conform ./myheap.mjs
  ceheap conform heap.wasm --rule HA HF --format junit -o report.xml
  ceheap conform --device -o conform-device.c
  ceheap conform "command:wine conform-device.exe" --timeout 5000`
    )
    .action(async (implementation: string | undefined, flags: Flags) => {
      process.exitCode = await run(implementation, flags)
    })
}

async function run(implementation: string | undefined, { format, output, list, uncovered, device, ...options }: Flags): Promise<number> {
  const given = Object.entries({ list, uncovered, device }).filter(([, value]) => value === true)
  if (given.length > 1)
    throw new UserError(`expected one of --list, --uncovered and --device, got ${given.map(([name]) => `--${name}`).join(' and ')}`)
  if (given.length === 1 && implementation !== undefined)
    throw new UserError(`--${given[0]?.[0]} asks no implementation: leave out ${JSON.stringify(implementation)}`)
  const idle = Object.keys(options)[0] ?? (format === undefined ? undefined : 'format')
  if (given.length === 1 && idle !== undefined)
    throw new UserError(`--${given[0]?.[0]} asks no implementation, so that --${idle} would change nothing: leave it out`)
  if (implementation === undefined && options.timeout !== undefined)
    throw new UserError('--timeout: expected an implementation, whose calls it bounds, got none')
  expectApart(output, implementation)
  if (device === true) {
    // Beside dist/, in the package as in the repository.
    await putOut(await readFile(new URL('../examples/conform-device.c', import.meta.url), 'utf8'), output)
    return clean
  }
  if (list === true || uncovered === true) {
    const rows =
      list === true
        ? cases.map(({ id, title }) => `${id.padEnd(40)} ${title}`)
        : uncoveredRules().map(({ id, statement }) => `${id.padEnd(6)} ${statement}`)
    await putOut([...rows, list === true ? `${rows.length} cases` : `${rows.length} rules without a case`, ''].join('\n'), output)
    return list === true || rows.length === 0 ? clean : findings
  }
  await expectWritable(output)
  const progress = trialProgress()
  let report: ConformReport
  try {
    report = await conform({
      ...options,
      ...(implementation === undefined ? {} : { implementation }),
      onProgress: (done, of) => progress.update(done, of)
    })
  } catch (error) {
    throw error instanceof ConformError ? new UserError(error.message) : error
  } finally {
    progress.stop()
  }
  const toFile = output !== undefined && output !== '-'
  const texts = {
    text: () => formatConform(report, colours(toFile)),
    json: () => conformJson(report),
    junit: () => conformJunit(report),
    html: () => conformHtml(report)
  }
  await putOut(texts[format ?? 'text'](), output)
  if (report.notApplicable === report.cases) {
    note('ceheap: nothing was asked, since the implementation has not what these cases need')
    return unusable
  }
  return report.failed === 0 ? clean : findings
}

function parseTimeout(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1 || value > 3_600_000) throw new InvalidArgumentError('Expected milliseconds from 1 to 3600000.')
  return value
}
