import { Command, CommanderError } from 'commander'
import { checkCommand } from './check.ts'
import { conformCommand } from './conform.ts'
import { UserError, unusable } from './exit.ts'
import { fuzzCommand } from './fuzz.ts'
import { note, reasonOf } from './output.ts'
import { rulesCommand } from './rules.ts'
import { stressCommand } from './stress.ts'
import { version } from './version.ts'

// A reader that stops early (`| head`) is no error: the work is done to its end, for the exit status and for -o.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    if (stream === process.stdout) note(`ceheap: standard output: cannot be written (${reasonOf(error)})`)
    process.exit(unusable)
  })
}

const program = new Command('ceheap')
  .description("Windows Embedded Compact 2013's heap: replays a program's memory calls under CE rules and says what would break there.")
  .version(version)
  // What stands behind a command is for that command to read: fuzz and its merge have options of the same name.
  .enablePositionalOptions()
  .addCommand(checkCommand())
  .addCommand(rulesCommand())
  .addCommand(stressCommand())
  .addCommand(conformCommand())
  .addCommand(fuzzCommand())
  .addHelpText(
    'after',
    `
Examples:
  ceheap check app.wine-relay.log      what CE would do with a recorded program
  ceheap check app.log.gz --format json
  ceheap rules W-8                     one rule, with its source
  ceheap stress --threads 4            worker threads on one heap, judged
  ceheap conform ./myheap.mjs          what another heap does otherwise than CE
  ceheap fuzz --seconds 60             any calls in any order, beside a model
  ceheap rules                         what is emulated`
  )

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError(`(ceheap ${pathOf(command)}--help tells the usage)`)
    .allowExcessArguments(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ceheap: ')) })
}

function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)}${command.name()} `
}

try {
  await program.parseAsync()
} catch (error) {
  // Help and version come as errors too, with status 0.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : unusable
  else {
    note(`ceheap: ${error instanceof UserError ? error.message : faultText(error)}`)
    process.exitCode = unusable
  }
}

function faultText(error: unknown): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return `this is a fault of ceheap ${version}, please report it with the input and this line: ${what}`
}
