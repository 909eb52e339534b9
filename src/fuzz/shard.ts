/** Which part of a campaign a machine does: run number r (from 0) is done by part 1 + r mod `of`, and by no other. */
export interface Shard {
  /** From 1 to `of`. */
  readonly part: number
  readonly of: number
}

const MOST_SHARDS = 100_000

/** `i/n` with i from 1 to n. */
export function parseShard(text: string, what = 'shard'): Shard {
  const match = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text)
  const [part, of] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || part > of || of > MOST_SHARDS)
    throw new RangeError(`${what}: expected i/n with whole numbers, i from 1 to n and n up to ${MOST_SHARDS}, got ${JSON.stringify(text)}`)
  return { part, of }
}

type Env = Readonly<Record<string, string | undefined>>

interface Source {
  readonly index: string
  /** What the first machine is. */
  readonly first: 0 | 1
  readonly count: readonly string[]
}

/** Variables by which services tell a machine which of how many it is. */
const SOURCES: readonly Source[] = [
  { index: 'CIRCLE_NODE_INDEX', first: 0, count: ['CIRCLE_NODE_TOTAL'] }, // CircleCI
  { index: 'CI_NODE_INDEX', first: 1, count: ['CI_NODE_TOTAL'] }, // GitLab CI, Semaphore
  { index: 'BUILDKITE_PARALLEL_JOB', first: 0, count: ['BUILDKITE_PARALLEL_JOB_COUNT'] },
  { index: 'JOB_COMPLETION_INDEX', first: 0, count: ['JOB_COMPLETIONS', 'SHARD_COUNT'] } // a Kubernetes Indexed Job, which is not told the count
]

/**
 * The shard that the environment names; undefined where it names none. `count` goes before the variable with the count. What cannot be
 * used is an error: a part that is done twice or by nobody would not be noticed.
 */
export function shardFrom(env: Env, count: number | undefined): Shard | undefined {
  const found = SOURCES.find(({ index }) => (env[index] ?? '') !== '')
  if (found === undefined) return undefined
  const named = found.count.find((name) => (env[name] ?? '') !== '')
  const total = count ?? (named === undefined ? undefined : numberIn(env, named))
  if (total === undefined)
    throw new RangeError(
      `shard: ${found.index} is ${JSON.stringify(env[found.index])}, but nothing says of how many: give --shard-count or set ${found.count.join(' or ')}`
    )
  const part = numberIn(env, found.index) + 1 - found.first
  if (total < 1 || total > MOST_SHARDS || part < 1 || part > total)
    throw new RangeError(
      `shard: expected ${found.index} from ${found.first} to ${total - 1 + found.first} of ${total}, got ${JSON.stringify(env[found.index])}; --shard 1/1 says that this machine is alone`
    )
  return { part, of: total }
}

function numberIn(env: Env, name: string): number {
  const text = env[name] ?? ''
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`shard: expected a whole number in ${name}, got ${JSON.stringify(text)}`)
  return Number(text)
}
