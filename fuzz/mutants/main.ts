// npm run mutants: mutation testing of src/heap and src/coredll. Every mutant is on once, and the tests that reach it ought to notice.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import cliProgress from 'cli-progress'
import { baseline } from './baseline.ts'
import { build, type Project } from './build.ts'
import { Judge } from './judge.ts'
import { CEHEAP, type Mutant } from './instrument.ts'
import { killAll } from './process.ts'
import { type Accepted, hashOf, isFound, type Result, Results, tableOf } from './results.ts'

const usage = `usage: npm run mutants -- [--only FILE[:LINE]] [--shard I/N] [--sample N] [--seed S] [--budget SECONDS] [--longest SECONDS]
                        [--parallel N] [--specs PART,...] [--results FILE] [--report]
  --only     mutants of files whose path, with the line behind it, begins so or ends so
  --sample   so many of them, drawn by --seed
  --budget   seconds of tests a mutant; what reaches it beyond is not asked (20)
  --longest  tests that take longer alone are never asked (4)
  --specs    asks only specs whose name contains one of the parts
  --report   judges nothing, prints what is known`

class Usage extends Error {}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const project: Project = {
  root,
  ...CEHEAP,
  compiled: ['src', 'spec', 'fuzz', 'bench'],
  work: join(root, 'build', 'mutants')
}

/** Specs of the package, the command and the runners: they look at dist/ or at source text, or would run this again. */
const foreign = /^spec\/(cli\/|package\.|runner\.|mutants\.)/

/** A text of three words or more is a message for people: a test of its every word would only say it twice. */
function isProse({ mutator, original }: Mutant): boolean {
  return mutator === 'StringLiteral' && /\S\s+\S+\s+\S/.test(original)
}

function number(name: string, text: string | undefined, otherwise: number, least = 0): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < least)
    throw new Usage(`--${name}: expected a number from ${least} on, got "${text}"`)
  return value
}

function shardOf(text: string | undefined): [number, number] {
  if (text === undefined) return [0, 1]
  const [, at, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number) as [number?, number?, number?]
  if (at === undefined || of === undefined || at < 1 || at > of) throw new Usage(`--shard: expected I/N with I from 1 to N, got "${text}"`)
  return [at - 1, of]
}

function read(args: string[]) {
  const text = { type: 'string' } as const
  const options = {
    only: text,
    shard: text,
    sample: text,
    seed: text,
    budget: text,
    longest: text,
    parallel: text,
    results: text,
    specs: text
  } as const
  try {
    const { values } = parseArgs({ args, options: { ...options, report: { type: 'boolean' } } })
    return {
      only: values.only ?? '',
      shard: shardOf(values.shard),
      sample: number('sample', values.sample, Number.POSITIVE_INFINITY, 1),
      seed: values.seed ?? '1',
      budget: number('budget', values.budget, 20, 0.1) * 1000,
      longest: number('longest', values.longest, 4, 0.1) * 1000,
      parallel: number('parallel', values.parallel, 2, 1),
      results: values.results ?? join(project.work, 'results.jsonl'),
      specs: values.specs?.split(',') ?? [''],
      report: values.report ?? false
    }
  } catch (error) {
    throw error instanceof Usage ? error : new Usage(error instanceof Error ? error.message : String(error))
  }
}

type Wanted = ReturnType<typeof read>

function select(mutants: readonly Mutant[], { only, shard: [at, of], sample, seed }: Wanted): Mutant[] {
  const folder = ({ file }: Mutant): number => project.folders.findIndex((each) => file.startsWith(`${each}/`))
  const named = mutants.filter(
    ({ file, line }) => `${file}:${line}:`.startsWith(only) || file.endsWith(only) || `${file}:${line}`.endsWith(only)
  )
  if (named.length === 0) throw new Usage(`--only: no mutant in "${only}"`)
  const drawn =
    sample >= named.length
      ? named
      : named
          .map((mutant) => ({ mutant, lot: hashOf(`${seed} ${mutant.file} ${mutant.line} ${mutant.column} ${mutant.replacement}`) }))
          .sort((a, b) => (a.lot < b.lot ? -1 : 1))
          .slice(0, sample)
          .map(({ mutant }) => mutant)
  return drawn.sort((a, b) => folder(a) - folder(b) || a.id - b.id).filter((_, n) => n % of === at)
}

function specNames(parts: readonly string[]): string[] {
  return readdirSync(join(root, 'spec'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.spec.ts'))
    .map((name) => `spec/${name.slice(0, -3).replaceAll('\\', '/')}`)
    .filter((name) => !foreign.test(name) && parts.some((part) => name.includes(part)))
    .sort()
}

function bar(title: string): InstanceType<typeof cliProgress.SingleBar> {
  return new cliProgress.SingleBar({
    format: `${title} {bar} {value}/{total}  {eta_formatted} left  {note}`,
    stream: process.stderr,
    clearOnComplete: true
  })
}

async function main(): Promise<void> {
  const wanted = read(process.argv.slice(2))
  mkdirSync(project.work, { recursive: true })
  const built = await build(project)
  const chosen = select(built.mutants, wanted)
  const judged = chosen.filter((mutant) => !isProse(mutant))
  const results = new Results(wanted.results)
  const hashes = new Map([...new Set(judged.map(({ file }) => file))].map((file) => [file, hashOf(readFileSync(join(root, file), 'utf8'))]))
  const known = (mutant: Mutant): Result | undefined => results.of(mutant, hashes.get(mutant.file) as string)
  const askedOf = (before: Result | undefined): Result['asked'] => (before?.hash === built.hash ? before.asked : {})
  if (!wanted.report) {
    const names = specNames(wanted.specs)
    const specs = bar('specs without a mutant')
    specs.start(names.length, 0, { note: '' })
    const base = await baseline(project, built, names, wanted.longest, wanted.parallel, (done) => specs.update(done))
    specs.stop()
    for (const [name, reason] of Object.entries(base.leftOut)) process.stderr.write(`left out: ${name}: ${reason.split('\n')[0]}\n`)
    const judge = new Judge(project, built, base, wanted.budget)
    const waiting = judged.filter((mutant) => {
      const before = known(mutant)
      return before === undefined || (!isFound(before) && judge.hasMore(mutant, askedOf(before)))
    })
    const progress = bar('mutants')
    progress.start(waiting.length, 0, { note: '' })
    let open = 0
    const drain = async (): Promise<void> => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const verdict = await judge.judge(mutant, askedOf(known(mutant)))
        results.add({ ...mutant, ...verdict, fileHash: hashes.get(mutant.file) as string, hash: built.hash })
        if (!isFound(verdict)) open++
        progress.increment(1, { note: `${open} not found` })
      }
    }
    await Promise.all(Array.from({ length: wanted.parallel }, drain))
    progress.stop()
  }
  const accepted = JSON.parse(readFileSync(join(root, 'fuzz', 'mutants', 'accepted.json'), 'utf8')) as Accepted[]
  const all = judged.map(known).filter((result) => result !== undefined)
  process.stdout.write(tableOf(all, accepted))
  const texts = chosen.length - judged.length
  process.stdout.write(
    `${all.length} of ${built.mutants.length} mutants judged; ${texts} of the ${chosen.length} chosen are texts for people and were not\n`
  )
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll()
    process.exit(1)
  })
}
try {
  await main()
} catch (error) {
  killAll()
  if (!(error instanceof Usage)) throw error
  process.stderr.write(`${error.message}\n${usage}\n`)
  process.exitCode = 2
}
