import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { median } from './measure.ts'
import type { Measurement } from './measure.ts'
import { scenarios } from './scenarios.ts'
import { measureThreads, threadsName, threadsTable } from './threads.ts'

const usage = `npm run bench -- [--only TEXT] [--seconds N] [--rounds N] [--json FILE]

Times ceheap beside other allocators. Each figure is a ratio: one operation over one bare lock pair (compare-exchange and exchange on
shared memory), measured in alternating slices; the median over the pairs of a round, then over the rounds, which interleave the subjects.

  --only TEXT    scenarios whose name contains TEXT
  --seconds N    seconds a scenario, subject and round (default 1)
  --rounds N     rounds (default 3)
  --json FILE    also write the figures as JSON`

interface Row {
  readonly scenario: string
  readonly subject: string
  readonly locks: number
  readonly ns: number
  readonly rounds: readonly Measurement[]
}

const one = fileURLToPath(new URL('./one.js', import.meta.url))

async function measureRow(scenario: string, subject: string, seconds: number): Promise<Measurement> {
  const { stdout } = await promisify(execFile)(process.execPath, [one, scenario, subject, String(seconds)])
  return JSON.parse(stdout) as Measurement
}

function table(rows: readonly Row[]): string {
  const best = rows[0] as Row
  const lines = rows.map(({ subject, locks, ns }) => {
    const against = subject === best.subject ? '' : `${(locks / best.locks).toFixed(locks / best.locks < 10 ? 2 : 0)} x`
    return `  ${subject.padEnd(22)}${locks.toFixed(locks < 100 ? 2 : 0).padStart(10)} locks ${ns.toFixed(0).padStart(11)} ns ${against.padStart(10)}`
  })
  return `${best.scenario}\n${lines.join('\n')}\n`
}

async function main(): Promise<number> {
  const options = {
    only: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' }
  } as const
  const { values } = parseArgs({ options })
  const seconds = Number(values.seconds ?? 1)
  const rounds = Number(values.rounds ?? 3)
  const chosen = scenarios.filter(({ name }) => name.includes(values.only ?? ''))
  const withThreads = threadsName.includes(values.only ?? '')
  if (values.help || !(seconds > 0) || !(rounds >= 1) || (chosen.length === 0 && !withThreads)) {
    console.log(usage)
    console.log(`\nscenarios:\n${[...scenarios.map(({ name }) => name), threadsName].map((name) => `  ${name}`).join('\n')}`)
    return values.help ? 0 : 2
  }
  const all: Row[] = []
  for (const { name, subjects } of chosen) {
    const found = new Map<string, Measurement[]>(subjects.map((subject) => [subject, []]))
    for (let round = 0; round < rounds; round++) {
      for (const subject of subjects) found.get(subject)?.push(await measureRow(name, subject, seconds))
    }
    const rows = [...found].map(([subject, measured]) => ({
      scenario: name,
      subject,
      locks: median(measured.map(({ locks }) => locks)),
      ns: median(measured.map(({ ns }) => ns)),
      rounds: measured
    }))
    all.push(...rows)
    console.log(table(rows))
  }
  const threads = withThreads ? await measureThreads(seconds, rounds) : undefined
  if (threads !== undefined) console.log(threadsTable(threads))
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cpus: cpus().length }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ version: 1, machine, seconds, rounds, rows: all, threads }, null, 2)}\n`)
  return 0
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 2
})
