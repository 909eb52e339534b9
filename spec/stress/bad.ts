// Workloads that misbehave, as files of a folder of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stress, StressError, type StressOptions, type StressReport } from '../../src/stress/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'ceheap-stress-'))
let files = 0

/** Writes a workload's module; `body` may use the names of the context without a prefix. */
export function module(text: string): string {
  const path = join(folder, `workload${++files}.mjs`)
  writeFileSync(path, text)
  return path
}

/** A workload whose `run` is `body`, with `ce`, `thread`, `data`, `cookie`, `token` and `more` at hand. */
export function running(body: string, rest = ''): string {
  return module(`export const name = 'bad'\nexport function run({ ce, thread, data, cookie, token, more }) { ${body} }\n${rest}\n`)
}

export function clear(): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Two threads, ten operations; time enough on a machine that is busy with other things. */
export async function failing(workload: string, options: StressOptions = {}): Promise<StressReport> {
  return await stress({ threads: 2, ops: 10, timeout: 60, ...options, workload })
}

/** What the run was refused with; throws if it was not. */
export async function refusal(workload: string, options: StressOptions = {}): Promise<StressError> {
  try {
    await failing(workload, options)
  } catch (error) {
    if (error instanceof StressError) return error
    throw error
  }
  throw new Error('the workload was not refused')
}
