import { defaults } from './options.ts'
import type { StressPlan } from './options.ts'

/** The command that makes the runs of a plan. Options that have their default are left out. */
export function commandOf({ source, threads, ops, ms, seed, schedule, runs, process, timeout }: StressPlan): string {
  const words = ['ceheap', 'stress', '--workload', source.given, '--threads', String(threads)]
  if (ms === Number.POSITIVE_INFINITY) words.push('--ops', String(ops))
  else words.push('--seconds', String(ms / 1000))
  words.push('--seed', String(seed), '--schedule', schedule)
  if (runs !== (schedule.startsWith('explore') ? defaults.exploreRuns : 1)) words.push('--runs', String(runs))
  const { profile, build, placement, memory, physical } = process
  if (profile !== 'compact-2013') words.push('--profile', profile)
  if (build !== 'retail') words.push('--build', build)
  if (placement !== undefined) words.push('--placement', placement)
  if (memory !== defaults.memory) words.push('--memory', String(memory))
  if (physical !== undefined) words.push('--physical', String(physical))
  if (timeout !== defaults.timeout * 1000) words.push('--timeout', String(timeout / 1000))
  return words.map(quoted).join(' ')
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
