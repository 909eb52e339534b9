import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Built, compiledSpec, type Project } from './build.ts'
import type { Job } from './child.ts'
import { type Ended, type Limit, runChild } from './process.ts'

/** One spec file as it runs without a mutant. */
export interface SpecFile {
  readonly name: string
  readonly hash: string
  /** Milliseconds of the processor that each test takes, by its number; a quarter of the clock's where that is more, since some only wait. */
  readonly times: readonly number[]
  /** Tests that take too long to be run for mutant after mutant. */
  readonly long: readonly number[]
  readonly names: readonly string[]
  /** The mutants that each test reaches, with the times it does; test -1 stands for the loading of the file and for worker threads, which every test needs. */
  readonly reached: Readonly<Record<number, Readonly<Record<number, number>>>>
  /** Runs other threads or processes: what it says of a mutant is asked twice. */
  readonly threads: boolean
  /** Tests lean on those before them: all of them run, alone. */
  readonly whole: boolean
  /** It counts the cases of its properties: they run in full, alone. */
  readonly full: boolean
}

export interface Baseline {
  readonly specs: readonly SpecFile[]
  /** Specs that fail in the mutated build without any mutant, with the reason. */
  readonly leftOut: Readonly<Record<string, string>>
}

const patient: Limit = { cpu: 120_000, wall: 300_000 }

function readCoverage(file: string): { reached: Record<number, Record<number, number>>; threads: boolean } {
  const reached: Record<number, Record<number, number>> = {}
  let threads = false
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    const [test, ...pairs] = line.split(' ')
    const [, name = 'load', other] = (test as string).split('/')
    threads ||= other !== undefined
    const to = name === 'load' || other !== undefined ? -1 : Number(name)
    reached[to] ??= {}
    for (const pair of pairs) {
      const [mutant, count] = pair.split(':').map(Number) as [number, number]
      reached[to][mutant] = (reached[to][mutant] ?? 0) + count
    }
  }
  return { reached, threads }
}

function faultOf({ told, end, message }: Ended): string | undefined {
  const failed = told.find((one) => one.is === 'failed')
  return failed === undefined ? (end === 'passed' ? undefined : message) : `${failed.name}: ${failed.message}`
}

/** The environment that makes properties run all of their cases. */
export function casesOf(full: boolean): Record<string, string> {
  return full ? { MUTANT_CASES: 'all' } : {}
}

async function look(project: Project, { child, specs }: Built, name: string, longest: number): Promise<SpecFile | string> {
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-mutants-'))
  const coverage = join(folder, 'coverage')
  const job = (tests: number[] | 'all', more: Partial<Job>): Job => ({
    selections: [{ file: compiledSpec(project, name), tests }],
    all: true,
    ...more
  })
  try {
    const ask = (of: Job, more: Record<string, string>): Promise<Ended> =>
      runChild(child, of, { ...casesOf(full), ...more }, () => patient, project.work)
    let full = false
    let timed = await ask(job('all', {}), {})
    if (faultOf(timed) !== undefined) {
      full = true
      timed = await ask(job('all', {}), {})
    }
    const fault = faultOf(timed)
    if (fault !== undefined) return fault
    const times: number[] = []
    const names: string[] = []
    for (const one of timed.told) {
      if (one.is !== 'passed') continue
      times[one.test] = Math.round(Math.max(one.wall / 4, one.cpu))
      names[one.test] = one.name
    }
    const [long, short] = [true, false].map((is) => [...times.keys()].filter((n) => (times[n] as number) > longest === is)) as [
      number[],
      number[]
    ]
    const covered = await ask(job(short, { backwards: true }), { MUTANT_COVERAGE: coverage })
    let whole = faultOf(covered) !== undefined
    if (whole) {
      rmSync(coverage, { force: true })
      const forwards = await ask(job(short, {}), { MUTANT_COVERAGE: coverage })
      const still = faultOf(forwards)
      if (still !== undefined) return `while coverage is counted: ${still}`
      whole = true
    }
    return { name, hash: specs[name] as string, times, names, long, whole, full, ...readCoverage(coverage) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs every spec alone in the mutated build without a mutant, unless an earlier run has done so for the same code. */
export async function baseline(
  project: Project,
  built: Built,
  names: readonly string[],
  longest: number,
  parallel: number,
  onSpec: (done: number) => void
): Promise<Baseline> {
  const path = join(project.work, 'baseline.json')
  const found: Record<string, { of: string; spec: SpecFile | string }> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const ofName = (name: string): string => `${built.specs[name]} ${longest}`
  const waiting = names.filter((name) => found[name]?.of !== ofName(name))
  async function drain(): Promise<void> {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      found[name] = { of: ofName(name), spec: await look(project, built, name, longest) }
      writeFileSync(path, JSON.stringify(found))
      onSpec(names.length - waiting.length)
    }
  }
  await Promise.all(Array.from({ length: parallel }, drain))
  const looked = names.map((name) => [name, (found[name] as { spec: SpecFile | string }).spec] as const)
  return {
    specs: looked.flatMap(([, spec]) => (typeof spec === 'string' ? [] : [spec])),
    leftOut: Object.fromEntries(looked.filter(([, spec]) => typeof spec === 'string')) as Record<string, string>
  }
}
