import { type FuzzKind, fuzzKinds } from './options.ts'
import type { FuzzFailure, FuzzReport } from './report.ts'
import { parseShard } from './shard.ts'

/** One shard's result and where it was read. */
export interface ShardFile {
  readonly name: string
  readonly text: string
}

/** The results of all shards as one. */
export interface MergedReport {
  readonly version: 1
  readonly kind: FuzzKind
  readonly ok: boolean
  readonly runs: number
  readonly calls: number
  readonly seed: number
  readonly shard: string
  readonly commands: number
  /** Of all shards together. */
  readonly seconds: number
  readonly shards: readonly Pick<FuzzReport, 'shard' | 'ok' | 'runs' | 'calls' | 'seeds' | 'ended'>[]
  readonly failures: readonly (FuzzFailure & { readonly shard: string })[]
}

const ENDED: readonly FuzzReport['ended'][] = ['done', 'time', 'stopped', 'failure']

function fieldsOf({ name, text }: ShardFile): FuzzReport {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    throw new RangeError(
      `${name}: expected the JSON result of ceheap fuzz --format json, got text that is no JSON, or only the beginning of one`
    )
  }
  const report = (typeof data === 'object' && data !== null ? data : {}) as Partial<FuzzReport>
  if ('failures' in report) throw new RangeError(`${name}: expected the result of one shard, got one that was merged already`)
  if (report.version !== 1 && report.version !== undefined)
    throw new RangeError(`${name}: expected version 1, got ${JSON.stringify(report.version)}: another ceheap has written it`)
  const whole = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  const { ok, runs, calls, seed, shard, seeds, commands, seconds, ended, failure } = report
  const good =
    report.version === 1 &&
    typeof ok === 'boolean' &&
    whole(runs) &&
    whole(calls) &&
    whole(seed) &&
    whole(commands) &&
    typeof seconds === 'number' &&
    seconds >= 0 &&
    Number.isFinite(seconds) &&
    ENDED.some((how) => how === ended)
  if (!good || typeof shard !== 'string' || typeof seeds !== 'object' || seeds === null)
    throw new RangeError(`${name}: expected the JSON result of ceheap fuzz --format json, got other JSON`)
  if (ok !== (failure === undefined) || ok !== (ended !== 'failure'))
    throw new RangeError(`${name}: expected a failure where ok is false and none elsewhere, got ok ${ok} and the end "${ended}"`)
  if (failure !== undefined && (typeof failure?.message !== 'string' || typeof failure.repeat !== 'string'))
    throw new RangeError(`${name}: expected a failure with its message and the command that repeats it, got one without them`)
  if (!fuzzKinds.includes(kindOf(report)))
    throw new RangeError(
      `${name}: expected a kind of ${fuzzKinds.join(', ')}, got ${JSON.stringify(report.kind)}: another ceheap has written it`
    )
  const { part, of } = parseShard(shard, `${name}: shard`)
  if (seeds.count === 0 && runs !== 0) throw new RangeError(`${name}: expected the result of a campaign, got that of a given program`)
  const expected = { first: (seed as number) + part - 1, step: of, count: runs }
  const { first, step, count } = seeds
  if (first !== expected.first || step !== expected.step || count !== expected.count)
    throw new RangeError(
      `${name}: expected seeds ${JSON.stringify(expected)} of shard ${shard} from seed ${seed}, got ${JSON.stringify({ first, step, count })}: the result was changed`
    )
  return report as FuzzReport
}

function kindOf({ kind = 'fast' }: Pick<FuzzReport, 'kind'>): FuzzKind {
  return kind
}

/** Makes one result of those of all shards. Throws a RangeError that says which is missing, there twice or of another campaign. */
export function mergeShards(files: readonly ShardFile[]): MergedReport {
  const [first] = files
  if (first === undefined) throw new RangeError('expected the result of each shard, got none')
  const reports = files.map((file) => ({ name: file.name, report: fieldsOf(file) }))
  const like = (reports[0] as { report: FuzzReport }).report
  const { of } = parseShard(like.shard)
  const seen = new Map<number, string>()
  for (const { name, report } of reports) {
    const shard = parseShard(report.shard)
    if (shard.of !== of) throw new RangeError(`${name}: expected a shard of ${of} as ${first.name} is, got ${report.shard}`)
    if (kindOf(report) !== kindOf(like))
      throw new RangeError(`${name}: expected the kind ${kindOf(like)} as in ${first.name}, got ${kindOf(report)}: another campaign`)
    if (report.seed !== like.seed)
      throw new RangeError(`${name}: expected seed ${like.seed} as in ${first.name}, got seed ${report.seed}: another campaign`)
    if (report.commands !== like.commands)
      throw new RangeError(
        `${name}: expected runs of ${like.commands} commands as in ${first.name}, got ${report.commands}: another campaign`
      )
    const other = seen.get(shard.part)
    if (other !== undefined) throw new RangeError(`${name}: expected each shard once, got ${report.shard} here and in ${other}`)
    seen.set(shard.part, name)
  }
  const missing = Array.from({ length: of }, (_, n) => n + 1).filter((part) => !seen.has(part))
  if (missing.length > 0) {
    const some = missing.slice(0, 10).map((part) => `${part}/${of}`)
    throw new RangeError(
      `expected all ${of} shards, got ${seen.size}: ${some.join(', ')}${missing.length > 10 ? ', ...' : ''} ${missing.length === 1 ? 'is' : 'are'} missing`
    )
  }
  const all = reports.map(({ report }) => report).sort((a, b) => parseShard(a.shard).part - parseShard(b.shard).part)
  const sum = (field: 'runs' | 'calls' | 'seconds'): number => {
    const total = all.reduce((so, report) => so + report[field], 0)
    if (total <= Number.MAX_SAFE_INTEGER) return total
    throw new RangeError(`expected ${field} of up to 2^53 - 1 in all shards together, got ${total}`)
  }
  return {
    version: 1,
    kind: kindOf(like),
    ok: all.every(({ ok }) => ok),
    runs: sum('runs'),
    calls: sum('calls'),
    seed: like.seed,
    shard: `1-${of}/${of}`,
    commands: like.commands,
    seconds: Math.round(sum('seconds') * 1000) / 1000,
    shards: all.map(({ shard, ok, runs, calls, seeds, ended }) => ({ shard, ok, runs, calls, seeds, ended })),
    failures: all.flatMap(({ shard, failure }) => (failure === undefined ? [] : [{ shard, ...failure }]))
  }
}

export function mergedJson(report: MergedReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
