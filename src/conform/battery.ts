import type { Build, ProfileName } from '../profile.ts'
import { type ConformCase, functionsOf, rulesOf, statementsOf } from './case.ts'
import { cases as allCases } from './cases.ts'
import { type Face, facesOf, scriptOn } from './faces.ts'
import { type Answer, interpret, type Outcome, type Request, SubjectFault } from './interpret.ts'
import { Session } from './session.ts'
import type { HeapUnderTest } from './subject.ts'

/** One case on one face of one version and build of CE. */
export interface Trial {
  readonly case: ConformCase
  readonly face: Face
  readonly profile: ProfileName
  readonly build: Build
  readonly rules: readonly string[]
}

export interface TrialResult extends Trial {
  readonly outcome: Outcome
}

export interface Selection {
  readonly profiles: readonly ProfileName[]
  readonly builds: readonly Build[]
  /** Names of faces; all where missing. */
  readonly faces?: readonly string[]
  /** Ids or families of rules (`HA-2`, `HA`) or of cases (`heapalloc/`); all where missing. */
  readonly rules?: readonly string[]
}

/** The trials of a selection, in the order of the cases. */
export function trials({ profiles, builds, faces, rules }: Selection, cases: readonly ConformCase[] = allCases): Trial[] {
  const found: Trial[] = []
  for (const profile of profiles) {
    for (const build of builds) {
      for (const one of cases) {
        if (one.profiles !== undefined && !one.profiles.includes(profile)) continue
        if (one.builds !== undefined && !one.builds.includes(build)) continue
        for (const face of facesOf(one)) {
          if (faces !== undefined && !faces.includes(face.name)) continue
          const ids = rulesOf(one, face.group)
          if (rules !== undefined && !rules.some((word) => speaksOf(word, one, ids))) continue
          found.push({ case: one, face, profile, build, rules: ids })
        }
      }
    }
  }
  return found
}

function speaksOf(word: string, { id }: ConformCase, ids: readonly string[]): boolean {
  const wanted = word.toUpperCase()
  return ids.some((rule) => rule === wanted || rule.startsWith(`${wanted}-`)) || id === word || id.startsWith(`${word}/`)
}

/** The first function that the trial needs and that is not offered. */
export function missingOf({ case: one, face }: Trial, offers: (name: string) => boolean): string | undefined {
  return [...functionsOf(statementsOf(scriptOn(one, face)))].find((name) => !offers(name))
}

export function notApplicable(reason: string): Outcome {
  return { status: 'notApplicable', sequence: [], expected: '', got: reason, calls: 0 }
}

/** Runs a trial on an implementation in this thread, which nobody else has used. */
function runTrial(trial: Trial, subject: HeapUnderTest): Outcome {
  const session = new Session(subject)
  const missing = missingOf(trial, (name) => session.offers(name))
  if (missing !== undefined) return notApplicable(`has no ${missing}`)
  const run = interpret(statementsOf(scriptOn(trial.case, trial.face)), { debug: trial.build === 'debug', undo: false })
  let step = run.next()
  while (step.done !== true) {
    let answer: Answer
    try {
      answer = session.answer(step.value as Request)
    } catch (error) {
      if (!(error instanceof SubjectFault)) throw error
      step = run.throw(error)
      continue
    }
    step = run.next(answer)
  }
  return step.value
}

/** Runs trials on implementations in this thread, each on one that `make` has just made. */
export function runBattery(
  selected: readonly Trial[],
  make: (profile: ProfileName, build: Build) => HeapUnderTest,
  onResult: (result: TrialResult) => void = () => {}
): TrialResult[] {
  return selected.map((trial) => {
    const subject = make(trial.profile, trial.build)
    try {
      const result = { ...trial, outcome: runTrial(trial, subject) }
      onResult(result)
      return result
    } finally {
      subject.close?.()
    }
  })
}
