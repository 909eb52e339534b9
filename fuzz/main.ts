// npm run mixed -- [--calls N] [--seed S]: all families of calls on one long-lived process, beside one model of all of it (mixed/).
import { parseArgs } from 'node:util'
import { mixedFor } from './mixed/main.ts'

const usage = 'usage: npm run mixed -- [--calls N] [--seed S]'

class Usage extends Error {}

function whole(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > 2 ** 31 - 1) {
    throw new Usage(`--${name}: expected a whole number from ${least} to ${2 ** 31 - 1}, got "${text}"`)
  }
  return value
}

function read(args: string[]): { calls: number; seed: number | undefined } {
  const text = { type: 'string' } as const
  let values: { calls?: string; seed?: string }
  try {
    values = parseArgs({ args, options: { calls: text, seed: text } as const }).values
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error))
  }
  return { calls: whole('calls', values.calls, 1) ?? 1_000_000, seed: whole('seed', values.seed, -(2 ** 31)) }
}

try {
  const { calls, seed } = read(process.argv.slice(2))
  process.exitCode = mixedFor(calls, seed)
} catch (error) {
  if (!(error instanceof Usage)) throw error
  process.stderr.write(`${error.message}\n${usage}\n`)
  process.exitCode = 2
}
