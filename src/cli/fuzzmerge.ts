import { Command } from 'commander'
import { type MergedReport, mergedJson, mergeShards } from '../fuzz/index.ts'
import { clean, findings, UserError } from './exit.ts'
import { bytesAt, expectApart, usable } from './input.ts'
import { printable } from '../check/sites.ts'
import { expectWritable, note, putOut } from './output.ts'

/** Failures, and shards, that are told; the result has all. */
const MOST_TOLD = 10

export function mergeCommand(): Command {
  return new Command('merge')
    .summary('make one result of those of all shards')
    .description('Makes one JSON result of those of all shards, and tells on standard error what failed and how it is repeated.')
    .argument('<file...>', 'the JSON result of each shard')
    .option('-o, --output <file>', 'write the result to a file')
    .addHelpText('after', '\nExit status: 0 no shard failed, 1 one did, 2 the results cannot be used, or some are missing.')
    .action(async (files: string[], { output }: { output?: string }, { parent }: Command) => {
      const campaign = parent?.options.find((option) => parent.getOptionValueSource(option.attributeName()) === 'cli')
      if (campaign !== undefined) throw new UserError(`${campaign.long}: expected no option of a campaign before merge, which runs none`)
      expectApart(output, ...files)
      await expectWritable(output)
      const texts: { name: string; text: string }[] = []
      // One after the other: a campaign may have more shards than a process may have files open.
      for (const name of files) texts.push({ name, text: (await bytesAt(name)).toString('utf8') })
      const merged = usable(() => mergeShards(texts))
      await putOut(mergedJson(merged), output)
      tellStopped(merged)
      tellFailures(merged)
      process.exitCode = merged.ok ? clean : findings
    })
}

/** A shard that somebody stopped has no failure and is no failure, but what was left of it was not done. */
function tellStopped({ shards }: MergedReport): void {
  const stopped = shards.filter(({ ended }) => ended === 'stopped')
  for (const { shard, runs } of stopped.slice(0, MOST_TOLD))
    note(`shard ${shard}: stopped after ${runs} ${runs === 1 ? 'run' : 'runs'}, with the rest not done`)
  if (stopped.length > MOST_TOLD) note(`and ${stopped.length - MOST_TOLD} more were stopped`)
}

function tellFailures({ failures, shards }: MergedReport): void {
  if (failures.length === 0) return
  note(`${failures.length} of ${shards.length} ${shards.length === 1 ? 'shard' : 'shards'} failed:`)
  for (const { shard, message, repeat } of failures.slice(0, MOST_TOLD)) {
    note(`shard ${shard}: ${printable(message)}`)
    note(`  again: ${printable(repeat)}`)
  }
  if (failures.length > MOST_TOLD) note(`and ${failures.length - MOST_TOLD} more`)
}
