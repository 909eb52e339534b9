// One process of the mutated build: node child.js JSON. Runs the tests that it is told, of one spec file after the other, and ends at the first that
// fails. It is copied beside the mutated build, so it imports nothing of the project.
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { nowCovers, state } from './switch.ts'
import { declared, type Suite } from './uvu.ts'

/** Tests are numbered from 0 through a file, in the order in which they run. */
export interface Selection {
  readonly file: string
  readonly tests: readonly number[] | 'all'
}

export interface Job {
  readonly selections: readonly Selection[]
  /** How often one test may pass by the mutant. */
  readonly limit?: number
  /** To see whether tests lean on those before them. */
  readonly backwards?: boolean
  /** Every test runs, whatever fails. */
  readonly all?: boolean
}

/** What the child tells on its pipe, a line each. */
export type Told =
  | { readonly is: 'begins'; readonly file: number; readonly test: number }
  | {
      readonly is: 'passed'
      readonly file: number
      readonly test: number
      readonly name: string
      readonly wall: number
      readonly cpu: number
    }
  | { readonly is: 'failed'; readonly file: number; readonly test: number; readonly name: string; readonly message: string }
  | { readonly is: 'done' }

const PIPE = 3
const job = JSON.parse(process.argv[2] as string) as Job

function tell(told: Told): void {
  writeSync(PIPE, `${JSON.stringify(told)}\n`)
}

function fails(file: number, test: number, name: string, error: unknown): void {
  tell({ is: 'failed', file, test, name, message: (error instanceof Error ? error.message : String(error)).slice(0, 200) })
  if (job.all !== true) process.exit(1)
}

async function runTest(file: number, test: number, of: Suite, body: Suite['tests'][number]): Promise<void> {
  const name = `${of.name} › ${body.name}`
  tell({ is: 'begins', file, test })
  process.env.MUTANT_TEST = `${file}/${test}/worker`
  nowCovers(`${file}/${test}`)
  state.hits = 0
  state.limit = job.limit ?? Number.POSITIVE_INFINITY
  const [wall, cpu] = [performance.now(), process.cpuUsage()]
  try {
    for (const each of of.beforeEach) await each({})
    try {
      await body.handler({})
    } finally {
      for (const each of of.afterEach) await each({})
    }
    const { user, system } = process.cpuUsage(cpu)
    tell({ is: 'passed', file, test, name, wall: performance.now() - wall, cpu: (user + system) / 1000 })
  } catch (error) {
    fails(file, test, name, error)
  } finally {
    process.env.MUTANT_TEST = `${file}/load`
    nowCovers(`${file}/load`)
  }
}

async function runSuite(file: number, of: Suite, first: number, wanted: Selection['tests']): Promise<void> {
  const chosen = of.tests.map((body, n) => ({ body, test: first + n })).filter(({ test }) => wanted === 'all' || wanted.includes(test))
  if (chosen.length === 0) return
  if (job.backwards === true) chosen.reverse()
  try {
    for (const hook of of.before) await hook({})
    for (const { body, test } of chosen) await runTest(file, test, of, body)
    for (const hook of of.after) await hook({})
  } catch (error) {
    fails(file, first, `${of.name} › hooks`, error)
  }
}

const loaded = new Map<string, { of: Suite; at: number }[]>()

/** The suites of a file, with the number of the first test of each. A file may be named twice: it is loaded once. */
async function load(file: number, address: string): Promise<readonly { of: Suite; at: number }[]> {
  const known = loaded.get(address)
  if (known !== undefined) return known
  declared.length = 0
  try {
    await import(pathToFileURL(address).href)
  } catch (error) {
    fails(file, -1, 'load', error)
  }
  let first = 0
  const suites = declared.map((of) => {
    const at = first
    first += of.tests.length
    return { of, at }
  })
  loaded.set(address, suites)
  return suites
}

async function runFile(file: number, { file: address, tests }: Selection): Promise<void> {
  tell({ is: 'begins', file, test: -1 })
  process.env.MUTANT_TEST = `${file}/load`
  nowCovers(`${file}/load`)
  const suites = [...(await load(file, address))]
  if (job.backwards === true) suites.reverse()
  for (const { of, at } of suites) await runSuite(file, of, at, tests)
  nowCovers(`${file}/load`)
}

process.exitCode = 13
for (const [n, selection] of job.selections.entries()) await runFile(n, selection)
tell({ is: 'done' })
process.exit(0)
