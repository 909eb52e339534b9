import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Verdict } from './judge.ts'
import type { Mutant } from './instrument.ts'

/** One mutant's line in the file of results. */
export interface Result extends Mutant, Verdict {
  /** Of the file that it is in: when that changes, it is another mutant. */
  readonly fileHash: string
  /** Of all mutated code: when that changes, specs that did not find it may do so. */
  readonly hash: string
}

/** A mutant that no test can or should find, with the reason. `source` and `within` name it, whatever its line number. */
export interface Accepted {
  readonly file: string
  readonly within: string
  readonly source: string
  readonly mutator: string
  readonly original: string
  readonly replacement: string
  readonly reason: string
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

export const isFound = ({ status }: Verdict): boolean => status === 'killed' || status === 'timeout'

export const keyOf = ({ file, line, column, mutator, original, replacement }: Mutant): string =>
  [file, line, column, mutator, original, replacement].join('\0')

/** Names the mutant in a file that others go on editing. */
export const nameOf = ({ file, within, source, mutator, original, replacement }: Omit<Accepted, 'reason'>): string =>
  [file, within, source, mutator, original, replacement].map((text) => text.replace(/\s+/g, ' ')).join('\0')

/** The results so far, a line each, so that a run can be stopped at any moment and goes on where it was. */
export class Results {
  readonly #path: string
  readonly #known = new Map<string, Result>()

  constructor(path: string) {
    this.#path = path
    for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
      try {
        const result = JSON.parse(line) as Result
        this.#known.set(keyOf(result), result)
      } catch {
        // The last line of a run that was cut off.
      }
    }
  }

  /** What was found out about a mutant of the same file. */
  of(mutant: Mutant, fileHash: string): Result | undefined {
    const found = this.#known.get(keyOf(mutant))
    return found?.fileHash === fileHash ? found : undefined
  }

  add(result: Result): void {
    this.#known.set(keyOf(result), result)
    appendFileSync(this.#path, `${JSON.stringify(result)}\n`)
  }
}

interface Row {
  readonly of: string
  killed: number
  timeout: number
  survived: number
  accepted: number
  uncovered: number
}

/** Of all mutants judged, those found; then the same without the mutants that are accepted. */
function scoresOf({ killed, timeout, survived, accepted, uncovered }: Row): [string, string] {
  const found = killed + timeout
  const percent = (of: number): string => (of === 0 ? '-' : ((100 * found) / of).toFixed(1))
  return [percent(found + survived + accepted + uncovered), percent(found + survived + uncovered)]
}

/** The table by file, with the survivors below it. */
export function tableOf(results: readonly Result[], accepted: readonly Accepted[]): string {
  const reasons = new Map(accepted.map((one) => [nameOf(one), one.reason]))
  const rows = new Map<string, Row>()
  const total: Row = { of: 'all', killed: 0, timeout: 0, survived: 0, accepted: 0, uncovered: 0 }
  const open: string[] = []
  for (const result of results) {
    const row = rows.get(result.file) ?? { of: result.file, killed: 0, timeout: 0, survived: 0, accepted: 0, uncovered: 0 }
    rows.set(result.file, row)
    const found = isFound(result)
    const reason = found ? undefined : reasons.get(nameOf(result))
    const as = reason === undefined ? result.status : 'accepted'
    row[as]++
    total[as]++
    if (!found) open.push(lineOf(result, reason))
  }
  const cells = [...[...rows.values()].sort((a, b) => (a.of < b.of ? -1 : 1)), total].map((row) => [
    row.of,
    ...[row.killed, row.timeout, row.survived, row.accepted, row.uncovered].map(String),
    ...scoresOf(row)
  ])
  const head = ['file', 'killed', 'timed out', 'survived', 'accepted', 'not covered', 'score %', 'without accepted %']
  const widths = head.map((title, n) => Math.max(title.length, ...cells.map((row) => (row[n] as string).length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[n] as number))).join('  ')
  return `${open.join('\n')}\n\n${[head, ...cells].map(line).join('\n')}\n`
}

function lineOf(
  { file, line, column, mutator, original, replacement, status, unasked, source }: Result,
  reason: string | undefined
): string {
  const short = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 100)
  const why = reason !== undefined ? `accepted: ${reason}` : unasked > 0 ? `${status}; ${unasked} tests that reach it were not run` : status
  return `${file}:${line}:${column} ${mutator} (${why})\n    ${source}\n    ${short(original)}  ->  ${short(replacement)}`
}
