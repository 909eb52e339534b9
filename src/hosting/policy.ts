import { eAppDomainCritical, eProcessCritical, eTaskCritical } from '../constants.ts'
import { misuse, wholeNumber } from '../errors.ts'

/** A number for each critical level (HO-4). */
export interface PerLevel {
  readonly task?: number
  readonly appDomain?: number
  readonly process?: number
}

/** A request that a host could not meet. */
export interface HostFailure {
  /** eTaskCritical, eAppDomainCritical or eProcessCritical. */
  readonly level: number
  readonly bytes: number
  /** E_OUTOFMEMORY, or HOST_E_TIMEOUT after a wait. */
  readonly hr: number
}

/** What a host grants, and when it says so. Everything may be left out: then only the device's memory bounds a request, and nothing waits. */
export interface HostPolicy {
  /** Bytes that the hosts of the process may have handed out when a request of this level is granted (HO-6). Default: no bound. */
  readonly budget?: PerLevel
  /** Milliseconds that a request of this level waits for memory to come free before it fails (HO-6), up to an hour. Default: 0, it fails at once. */
  readonly wait?: PerLevel
  /** Bytes of address space that the CLR may take from the system itself (HO-18). Default: no bound. */
  readonly addressSpace?: number
  /** Percent of memory in use from which eMemoryAvailableLow is told (1 to 100, default 90), and up to which eMemoryAvailableHigh is (0 to 99, default 50). */
  readonly low?: number
  readonly high?: number
  /** Told of each request that failed, once the call is over but for its return (HO-5). What it throws is thrown apart (C-97). */
  readonly onFailure?: (failure: HostFailure) => void
}

/** A policy with nothing left out; the lists are by level. */
export interface Terms {
  readonly budget: readonly number[]
  readonly wait: readonly number[]
  readonly addressSpace: number
  readonly low: number
  readonly high: number
  readonly onFailure: (failure: HostFailure) => void
}

const LEVELS = { task: eTaskCritical, appDomain: eAppDomainCritical, process: eProcessCritical } as const
const OPTIONS = ['budget', 'wait', 'addressSpace', 'low', 'high', 'onFailure']
const MOST_BYTES = 2 ** 32 - 1
const HOUR = 3_600_000

/** Whether `level` is an EMemoryCriticalLevel. */
export function isLevel(level: number): boolean {
  return level <= eProcessCritical
}

/** Checks a policy and fills in what it leaves out; throws a TypeError or RangeError that names the option. */
export function termsOf(policy: HostPolicy): Terms {
  needOptions('openHost: policy', policy, OPTIONS)
  const { budget = {}, wait = {}, addressSpace = MOST_BYTES, low = 90, high = 50, onFailure = () => {} } = policy
  wholeNumber('openHost: policy.addressSpace', addressSpace, 0, MOST_BYTES)
  wholeNumber('openHost: policy.low', low, 1, 100)
  wholeNumber('openHost: policy.high', high, 0, 99)
  if (high >= low) throw misuse('openHost: policy.high', `a number of percent below policy.low (${low})`, high)
  if (typeof onFailure !== 'function') throw misuse('openHost: policy.onFailure', 'a function', onFailure)
  return {
    budget: perLevel('openHost: policy.budget', budget, MOST_BYTES, MOST_BYTES),
    wait: perLevel('openHost: policy.wait', wait, 0, HOUR),
    addressSpace,
    low,
    high,
    onFailure
  }
}

function perLevel(what: string, given: PerLevel, missing: number, most: number): number[] {
  needOptions(what, given, Object.keys(LEVELS))
  return (Object.keys(LEVELS) as (keyof PerLevel)[]).map((level) => wholeNumber(`${what}.${level}`, given[level] ?? missing, 0, most))
}

function needOptions(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw misuse(what, 'an object', given)
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw misuse(`${what}: option`, `one of ${known.join(', ')}`, unknown)
}
