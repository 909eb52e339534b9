// npm run fuzz -- [--runs N] [--seed S] [--path P] [--seconds T]: the campaign of spec/heap/invariants.spec.ts with as many cases as wanted.
// npm run fuzz -- --mixed [--calls N] [--seed S]: all families of calls on one long-lived process, beside one model of all of it (mixed/).
import { parseArgs } from 'node:util'
import { runCase } from './campaign.ts'
import { cases } from './commands.ts'
import { mixedFor } from './mixed/main.ts'
import { property } from './property.ts'

const usage = `usage: npm run fuzz -- [--runs N] [--seed S] [--path P] [--seconds T]
       npm run fuzz -- --mixed [--calls N] [--seed S]`

class Usage extends Error {}

interface Wanted {
  readonly runs: number
  readonly seed: number | undefined
  readonly path: string | undefined
  readonly seconds: number | undefined
  /** Calls of a mixed run, undefined for the other campaign. */
  readonly calls: number | undefined
}

function whole(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > 2 ** 31 - 1) {
    throw new Usage(`--${name}: expected a whole number from ${least} to ${2 ** 31 - 1}, got "${text}"`)
  }
  return value
}

function read(args: string[]): Wanted {
  const text = { type: 'string' } as const
  let values: { runs?: string; seed?: string; path?: string; seconds?: string; mixed?: boolean; calls?: string }
  try {
    const options = { runs: text, seed: text, path: text, seconds: text, mixed: { type: 'boolean' }, calls: text } as const
    values = parseArgs({ args, options }).values
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error))
  }
  if (values.path !== undefined && !/^\d+$/.test(values.path))
    throw new Usage(`--path: expected the number of a case, got "${values.path}"`)
  const { mixed = false } = values
  const stray = (mixed ? (['runs', 'path', 'seconds'] as const) : (['calls'] as const)).find((name) => values[name] !== undefined)
  if (stray !== undefined) throw new Usage(`--${stray} does not go ${mixed ? 'with' : 'without'} --mixed`)
  return {
    calls: mixed ? (whole('calls', values.calls, 1) ?? 1_000_000) : undefined,
    runs: whole('runs', values.runs, 1) ?? 1000,
    seed: whole('seed', values.seed, -(2 ** 31)),
    path: values.path,
    seconds: whole('seconds', values.seconds, 1)
  }
}

function main(): number {
  const { calls: mixed, runs, seed, path, seconds } = read(process.argv.slice(2))
  if (mixed !== undefined) return mixedFor(mixed, seed)
  let calls = 0
  let done = 0
  try {
    property(
      'fuzz',
      cases,
      (one) => {
        calls += runCase(one)
        done++
      },
      {
        runs,
        seed,
        path,
        within: seconds === undefined ? undefined : seconds * 1000,
        again: (failed, at) => `npm run fuzz -- --seed=${failed} --path ${at}`
      }
    )
  } catch (error) {
    process.stdout.write(`\nFAIL ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
  process.stdout.write(`ok   ${done} cases, ${calls} calls\n`)
  return 0
}

try {
  process.exitCode = main()
} catch (error) {
  if (!(error instanceof Usage)) throw error
  process.stderr.write(`${error.message}\n${usage}\n`)
  process.exitCode = 2
}
