import { oneOf, type Build, builds, type ProfileName, profileNames } from '../profile.ts'
import { ConformError, runBattery, type Trial, type TrialResult, trials } from './battery.ts'
import { emulator } from './emulator.ts'
import { faces } from './faces.ts'
import { type ConformReport, reportOf } from './report.ts'
import { runOutside } from './outside.ts'
import type { SubjectFactory } from './subject.ts'
import { ruleById, searchRules } from '../rules/index.ts'
import { cases } from './cases.ts'

export interface ConformOptions {
  /**
   * What to judge: a function that makes an implementation in this thread, the path of a JavaScript or wasm module, or a command with its
   * arguments in one string behind `command:`. This emulator where it is missing.
   */
  readonly implementation?: string | SubjectFactory
  /** Version of CE that it is judged as; by default all of this emulator, compact-2013 for others. */
  readonly profile?: ProfileName
  /** By default both of this emulator, retail for others. */
  readonly build?: Build
  /** Names of faces; all where missing. */
  readonly face?: readonly string[]
  /** Ids or families of rules, or ids or families of cases; all where missing. */
  readonly rule?: readonly string[]
  /** Longest time in milliseconds for one call of an outside implementation; default 2,000. */
  readonly timeout?: number
  readonly onProgress?: (done: number, of: number) => void
}

/**
 * Runs the battery and reports by rule. Throws a ConformError if nothing is selected or an implementation cannot be started at all; whatever
 * it does once it runs is in the report.
 *
 *     const report = await conform({ implementation: './mine.js' })
 */
export async function conform(options: ConformOptions = {}): Promise<ConformReport> {
  const { implementation, timeout = 2000, onProgress = () => {} } = options
  const own = implementation === undefined
  const selected = select(options, own)
  let done = 0
  const count = (): void => onProgress(++done, selected.length)
  if (own) return reportOf('this emulator', runBattery(selected, emulator, count), { strict: true })
  if (typeof implementation === 'function') {
    const results = runBattery(selected, (profile, build) => implementation({ profile, build }), count)
    return reportOf(implementation.name || 'an implementation', results, { strict: false })
  }
  const results: TrialResult[] = []
  const notes = await runOutside(implementation, selected, timeout, (result) => {
    results.push(result)
    count()
  })
  return reportOf(implementation, results, { strict: false, notes })
}

function select({ profile, build, face, rule }: ConformOptions, own: boolean): Trial[] {
  if (profile !== undefined) oneOf('profile', profile, profileNames)
  if (build !== undefined) oneOf('build', build, builds)
  for (const name of face ?? []) if (name !== 'api') oneOf('face', name, [...faces.map((known) => known.name), 'api'])
  for (const word of rule ?? []) {
    const known = ruleById(word) !== undefined || searchRules(word).some(({ id }) => id.startsWith(`${word.toUpperCase()}-`))
    if (!known && !cases.some(({ id }) => id === word || id.startsWith(`${word}/`)))
      throw new ConformError(`no rule and no case is named "${word}"`)
  }
  const selected = trials({
    profiles: profile !== undefined ? [profile] : own ? profileNames : ['compact-2013'],
    builds: build !== undefined ? [build] : own ? builds : ['retail'],
    ...(face === undefined ? {} : { faces: face }),
    ...(rule === undefined ? {} : { rules: rule })
  })
  if (selected.length === 0) throw new ConformError('no case speaks of that: "ceheap conform --list" lists the cases')
  return selected
}
