import { type Baseline, casesOf, type SpecFile } from './baseline.ts'
import { type Built, compiledSpec, type Project } from './build.ts'
import type { Selection } from './child.ts'
import type { Mutant } from './instrument.ts'
import { type Ended, type Limit, runChild } from './process.ts'

export interface Verdict {
  readonly status: 'killed' | 'timeout' | 'survived' | 'uncovered'
  /** The spec file and test that found it. */
  readonly by: string
  readonly message: string
  /** The specs that did not find it, with their hashes: they need not be asked again. */
  readonly asked: Readonly<Record<string, string>>
  /** Tests that reach it and were not run: too long, or more than the budget allows. */
  readonly unasked: number
}

interface Chosen {
  readonly spec: SpecFile
  readonly tests: readonly number[]
  readonly cost: number
}

/** Milliseconds that a spec file takes to load. */
const LOADING = 20

/** The tests of a file that reach the mutant. */
export function reaching(spec: SpecFile, mutant: number): number[] {
  const all = [...spec.times.keys()]
  if (spec.reached[-1]?.[mutant] !== undefined) return all
  const some = all.filter((test) => spec.reached[test]?.[mutant] !== undefined)
  return some.length > 0 && spec.whole ? all : some
}

/** Milliseconds of tests that a spec file is asked first, before all others have been heard. */
const TASTE = 400

/** The tests of a file in two parts, a few from all over it and the rest: most mutants are found by the first. */
function partsOf(spec: SpecFile, tests: readonly number[]): number[][] {
  const cost = tests.reduce((sum, test) => sum + (spec.times[test] as number), 0)
  const step = Math.ceil(cost / TASTE)
  if (step < 2 || alone(spec)) return [[...tests]]
  return [tests.filter((_, n) => n % step === 0), tests.filter((_, n) => n % step !== 0)].filter(({ length }) => length > 0)
}

const alone = ({ whole, full }: SpecFile): boolean => whole || full

/** Asks the specs about one mutant after the other, those first that found the most in the same file for the least time. */
export class Judge {
  readonly #project: Project
  readonly #built: Built
  readonly #baseline: Baseline
  readonly #budget: number
  readonly #asked = new Map<string, { kills: number; times: number }>()

  /** `budget`: milliseconds of tests a mutant, as they take without one. */
  constructor(project: Project, built: Built, baseline: Baseline, budget: number) {
    this.#project = project
    this.#built = built
    this.#baseline = baseline
    this.#budget = budget
  }

  /** `before`: the specs that have not found it in an earlier run. */
  async judge(mutant: Mutant, before: Verdict['asked']): Promise<Verdict> {
    const { chosen, unasked, reached, asked } = this.#choose(mutant, before)
    const survived = { status: reached ? 'survived' : 'uncovered', by: '', message: '', unasked } as const
    for (let from = 0; from < chosen.length; ) {
      const part = this.#together(chosen, from)
      const ended = await this.#ask(mutant, part)
      for (const { spec } of part.slice(0, ended.file + 1)) this.#record(mutant, spec).times++
      if (ended.end === 'passed') {
        from += part.length
        continue
      }
      const { spec, tests } = part[ended.file] as Chosen
      // With real threads a busy machine may fail a test that is sound: it must happen twice.
      if (spec.threads && (await this.#ask(mutant, [{ spec, tests, cost: 0 }])).end === 'passed') {
        from += ended.file + 1
        continue
      }
      this.#record(mutant, spec).kills++
      return {
        status: ended.end === 'timeout' ? 'timeout' : 'killed',
        by: `${spec.name}: ${spec.names[ended.test] ?? 'load'}`,
        message: ended.message,
        asked: {},
        unasked: 0
      }
    }
    return { ...survived, asked }
  }

  /** Whether there are specs to ask beside those asked before. */
  hasMore(mutant: Mutant, before: Verdict['asked']): boolean {
    return this.#choose(mutant, before).chosen.length > 0
  }

  #record({ file }: Mutant, { name }: SpecFile): { kills: number; times: number } {
    const key = `${file} ${name}`
    const found = this.#asked.get(key) ?? { kills: 0, times: 0 }
    this.#asked.set(key, found)
    return found
  }

  #choose(mutant: Mutant, before: Verdict['asked']): { chosen: Chosen[]; unasked: number; reached: boolean; asked: Verdict['asked'] } {
    const candidates: (Chosen & { worth: number })[] = []
    let unasked = 0
    let reached = false
    const wanted = new Map<SpecFile, number>()
    for (const spec of this.#baseline.specs) {
      const all = reaching(spec, mutant.id)
      const tests = all.filter((test) => !spec.long.includes(test))
      unasked += all.length - tests.length
      reached ||= all.length > 0
      if (tests.length === 0 || before[spec.name] === spec.hash) continue
      wanted.set(spec, tests.length)
      const { kills, times } = this.#record(mutant, spec)
      const near = spec.name.split('/')[1] === mutant.file.split('/')[1] ? 0.5 : 0.1
      for (const [n, part] of partsOf(spec, tests).entries()) {
        const cost = part.reduce((sum, test) => sum + (spec.times[test] as number), LOADING)
        candidates.push({ spec, tests: part, cost, worth: (kills + near) / (times + 1) / cost / (n === 0 ? 1 : 4) })
      }
    }
    candidates.sort((a, b) => Number(alone(a.spec)) - Number(alone(b.spec)) || b.worth - a.worth)
    let spent = 0
    const chosen = candidates.filter(({ spec, tests, cost }) => {
      const affordable = spent + cost <= this.#budget || spent === 0
      if (!affordable) {
        unasked += tests.length
        return false
      }
      spent += cost
      wanted.set(spec, (wanted.get(spec) as number) - tests.length)
      return true
    })
    const asked = [...wanted].filter(([, left]) => left === 0).map(([{ name, hash }]) => [name, hash] as const)
    return { chosen, unasked, reached, asked: { ...before, ...Object.fromEntries(asked) } }
  }

  /** What may run in one process, from `from` on. */
  #together(chosen: readonly Chosen[], from: number): readonly Chosen[] {
    const end = chosen.findIndex(({ spec }, n) => n >= from && alone(spec))
    return chosen.slice(from, end < 0 ? undefined : end === from ? from + 1 : end)
  }

  #ask(mutant: Mutant, part: readonly Chosen[]): Promise<Ended> {
    const counts = part.flatMap(({ spec, tests }) => [-1, ...tests].map((test) => spec.reached[test]?.[mutant.id] ?? 0))
    const most = Math.max(0, ...counts)
    const selections: Selection[] = part.map(({ spec, tests }) => ({ file: compiledSpec(this.#project, spec.name), tests }))
    const limitOf = (file: number, test: number): Limit => {
      const usual = part[file]?.spec.times[test] ?? 1000
      return { cpu: 2000 + 5 * usual, wall: 20_000 + 30 * usual }
    }
    const job = { selections, ...(most === 0 ? {} : { limit: 1000 + 100 * most }) }
    return runChild(
      this.#built.child,
      job,
      { MUTANT: String(mutant.id), ...casesOf(part[0]?.spec.full === true) },
      limitOf,
      this.#project.work
    )
  }
}
