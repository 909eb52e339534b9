import type { Build, ProfileName } from '../profile.ts'
import { batteryCalls } from './batterycalls.ts'
import { type ConformCase, functionsOf, rulesOf, statementsOf } from './case.ts'
import { cases as allCases } from './cases.ts'
import { type Face, facesOf, scriptOn } from './faces.ts'
import { type Answer, interpret, type Outcome, type Request, SubjectFault, thrown } from './interpret.ts'
import { Session, subjectOf } from './session.ts'
import type { HeapUnderTest } from './subject.ts'

/** What is wrong with what the user asked for: nothing is selected, or the implementation cannot be started. */
export class ConformError extends Error {
  override readonly name = 'ConformError'
}

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

export function failed(expected: string, got: string): Outcome {
  return { status: 'failed', sequence: [], expected, got, calls: 0 }
}

/** A trial on an implementation that could not be made for it, or not be made as new. */
export function notBegun(why: string): Outcome {
  return failed('an implementation that begins', why)
}

/** Throws where there is none of the functions of CE, so that all would be not applicable. */
export function expectSome(offers: (name: string) => boolean): void {
  if (batteryCalls.some((name) => /^[A-Z]/.test(name) && offers(name))) return
  throw new SubjectFault('garbage', 'has none of the functions that cases call: HeapCreate, HeapAlloc, LocalAlloc, ...')
}

type Make = (profile: ProfileName, build: Build) => HeapUnderTest

/**
 * Runs trials on implementations in this thread, each on one that `make` has just made. Throws a ConformError where not even the first can be made;
 * whatever they do after that fails their trials.
 */
export function runBattery(selected: readonly Trial[], make: Make, onResult: (result: TrialResult) => void = () => {}): TrialResult[] {
  return selected.map((trial, at) => {
    const result = { ...trial, outcome: trialOn(trial, make, at === 0) }
    onResult(result)
    return result
  })
}

function trialOn(trial: Trial, make: Make, first: boolean): Outcome {
  let session: Session
  let missing: string | undefined
  try {
    const made = new Session(subjectOf(make(trial.profile, trial.build)))
    expectSome((name) => made.offers(name))
    missing = missingOf(trial, (name) => made.offers(name))
    session = made
  } catch (error) {
    const why = thrown(error)
    if (first) throw new ConformError(`the implementation cannot begin: ${why}`)
    return notBegun(why)
  }
  const outcome = missing === undefined ? runTrial(trial, session) : notApplicable(`has no ${missing}`)
  try {
    session.subject.close?.()
  } catch (error) {
    if (outcome.status !== 'failed') return failed('an implementation that ends', `threw ${thrown(error)}`)
  }
  return outcome
}

function runTrial(trial: Trial, session: Session): Outcome {
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
