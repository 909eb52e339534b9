import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { forgottenSuites } from './forgotten.ts'
import { judge, type Outcome } from './outcome.ts'
import { runFile, type Limits } from './process.ts'

/** One spec file: `name` as a person types it, `file` the JavaScript that runs. */
export interface Spec {
  readonly name: string
  readonly file: string
}

export interface Run {
  readonly specs: readonly Spec[]
  readonly limits: Limits
  /** How many processes run at once. */
  readonly parallel: number
  readonly write: (text: string) => void
}

export interface Totals {
  readonly passed: number
  readonly failed: number
}

/** All files under `folder` whose name ends in `ending`, as sorted names with forward slashes and without the ending. */
function namesUnder(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return found
    .filter((path) => path.endsWith(ending))
    .map((path) => path.slice(0, -ending.length).split(sep).join('/'))
    .sort()
}

/**
 * The specs whose name contains one of `filters` (all of them without a filter). Names come from the files below `source` that end in
 * `ending`, not from what was built: a compiled spec whose source is gone must not run.
 */
export function findSpecs(source: string, ending: string, built: string, builtEnding: string, filters: readonly string[]): Spec[] {
  return namesUnder(source, ending)
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .map((name) => ({ name, file: join(built, name + builtEnding) }))
}

function describe(name: string, outcome: Outcome, seconds: string): string {
  const skipped = outcome.skipped === 0 ? '' : `, ${outcome.skipped} skipped`
  const counts = outcome.failed === 0 ? `${outcome.passed}` : `${outcome.passed} passed, ${outcome.failed} failed`
  return `${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${name} (${counts}${skipped}, ${seconds} s)\n`
}

async function runSpec(spec: Spec, run: Run): Promise<Outcome> {
  const started = performance.now()
  if (!existsSync(spec.file)) {
    const outcome = { passed: 0, failed: 1, skipped: 0, reasons: ['not compiled: run npm run build'] }
    run.write(`FAIL ${spec.name}\n  ${outcome.reasons[0]}\n`)
    return outcome
  }
  const ended = await runFile(spec.file, run.limits)
  const outcome = judge(ended, forgottenSuites(readFileSync(spec.file, 'utf8')))
  let text = describe(spec.name, outcome, ((performance.now() - started) / 1000).toFixed(1))
  if (outcome.skipped > 0) text += [...ended.stdout.matchAll(/^skipped: .*$/gm)].map(([line]) => `     ${line}\n`).join('')
  if (outcome.failed > 0) {
    text += outcome.reasons.map((reason) => `  ${reason}\n`).join('')
    text += `${ended.stdout}${ended.stderr}\n  again: npm test -- ${spec.name}\n\n`
  }
  run.write(text)
  return outcome
}

/**
 * Runs every spec, writes a line for each that passes and everything for each that does not, and closes with the totals of tests alone
 * on a line. No spec at all is a failure: a mistyped filter must not look like success.
 */
export async function runSpecs(run: Run): Promise<Totals> {
  const waiting = [...run.specs]
  let passed = 0
  let failed = 0
  if (run.specs.length === 0) {
    failed = 1
    run.write('no spec file matches\n')
  }
  async function drain(): Promise<void> {
    for (let spec = waiting.shift(); spec !== undefined; spec = waiting.shift()) {
      const outcome = await runSpec(spec, run)
      passed += outcome.passed
      failed += outcome.failed
    }
  }
  await Promise.all(Array.from({ length: run.parallel }, drain))
  run.write(`${passed} passed, ${failed} failed\n`)
  return { passed, failed }
}
