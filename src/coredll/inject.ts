import { misuse, wholeNumber } from '../errors.ts'
import { BUSY, heapCount, REC, recordAt, setHot } from '../heap/record.ts'
import { CERTAIN, INJECTION, injectionAt, ON_ALLOC, ON_COMMIT, ON_RESERVE, siteNumber } from '../machine/failures.ts'
import { HDR, INJECTION_WORDS, MAX_INJECTIONS } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { oneOf } from '../profile.ts'
import { within } from './border.ts'
import { frozen } from './snapshot.ts'

/** Which requests fail although they could be met. All conditions that are given must hold. */
export interface FailureOptions {
  /**
   * `alloc`: a request for a block of a heap (HeapAlloc, LocalAlloc, GlobalAlloc, and HeapReAlloc and LocalReAlloc to more bytes), `commit`: a request
   * for physical memory (VirtualAlloc, HeapCreate, a heap that needs more pages, a big block), `reserve`: a request for address space (VirtualAlloc,
   * HeapCreate, a heap that needs another region, a big block).
   */
  readonly on: 'alloc' | 'commit' | 'reserve'
  /** The one request that fails, counted from 1; with `every`, the first that fails. */
  readonly nth?: number
  /** Each so many-th request fails. */
  readonly every?: number
  /** Only requests of at least, and at most, so many bytes: as asked of a heap, in whole pages not yet committed of a commit, in whole pages of a reservation. */
  readonly minBytes?: number
  readonly maxBytes?: number
  /** Only requests of threads that carry this label then (`ce.site`). */
  readonly site?: string
  /** Requests fail by chance: 0 never, 1 always. */
  readonly probability?: number
  /** What the chance is drawn from: the same seed fails the same requests. 0 to 4294967295, default 0. */
  readonly seed?: number
}

/** Failures that are being injected. */
export interface InjectedFailures {
  /** Requests that the options speak of (all but `nth`, `every` and `probability`) so far. */
  readonly seen: number
  /** Of these, how many were refused. */
  readonly failed: number
  /** Ends it; the counts stay. A second call is harmless. */
  end(): void
}

const ON = { alloc: ON_ALLOC, commit: ON_COMMIT, reserve: ON_RESERVE } as const
const KEYS = ['on', 'nth', 'every', 'minBytes', 'maxBytes', 'site', 'probability', 'seed']
const MOST = 2 ** 31 - 1
const DWORD = 2 ** 32 - 1

/** Begins to inject failures, at a moment when no thread is inside a heap. */
export function injectFailures(machine: Machine, tid: number, options: FailureOptions): InjectedFailures {
  const words = wordsOf(options)
  const at = frozen(machine, tid, () => {
    const free = Array.from({ length: MAX_INJECTIONS }, (_, n) => injectionAt(machine, n)).find((slot) => machine.sys[slot] === 0)
    if (free === undefined)
      throw new RangeError(`injectFailures: expected at most ${MAX_INJECTIONS} at a time, got one more; end() those that are done`)
    machine.sys.fill(0, free, free + INJECTION_WORDS)
    for (const [field, value] of Object.entries(words)) machine.sys[free + INJECTION[field as keyof typeof INJECTION]] = value
    noteKinds(machine)
    return free
  })
  let last: { seen: number; failed: number } | undefined
  const counts = (): { seen: number; failed: number } =>
    last ?? { seen: machine.sys[at + INJECTION.SEEN] as number, failed: machine.sys[at + INJECTION.FAILED] as number }
  return {
    get seen(): number {
      return counts().seen
    },
    get failed(): number {
      return counts().failed
    },
    end(): void {
      if (last !== undefined) return
      within(machine, () =>
        frozen(machine, tid, () => {
          machine.sys[at + INJECTION.ON] = 0
          noteKinds(machine)
          last = counts()
        })
      )
    }
  }
}

/** Says in the header what is injected into, and takes the heaps off the hot path or puts them back. Precondition: every section is held. */
function noteKinds(machine: Machine): void {
  let kinds = 0
  for (let index = 0; index < MAX_INJECTIONS; index++) kinds |= machine.sys[injectionAt(machine, index) + INJECTION.ON] as number
  machine.sys[HDR.INJECTING] = kinds
  for (let index = 0; index < heapCount(machine); index++) {
    const record = recordAt(machine, index)
    const handle = machine.sys[record + REC.HANDLE] as number
    if (handle > 0 || handle === BUSY) setHot(machine, record)
  }
}

function wordsOf(options: FailureOptions): Partial<Record<keyof typeof INJECTION, number>> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw misuse('injectFailures', 'an object of options', options)
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) throw misuse('injectFailures: option', `one of ${KEYS.join(', ')}`, unknown)
  const { on, nth, every, minBytes = 0, maxBytes = DWORD, site, probability, seed = 0 } = options
  oneOf('injectFailures: on', on, Object.keys(ON) as (keyof typeof ON)[])
  if (nth !== undefined) wholeNumber('injectFailures: nth', nth, 1, MOST)
  if (every !== undefined) wholeNumber('injectFailures: every', every, 1, MOST)
  wholeNumber('injectFailures: minBytes', minBytes, 0, DWORD)
  wholeNumber('injectFailures: maxBytes', maxBytes, minBytes, DWORD)
  wholeNumber('injectFailures: seed', seed, 0, DWORD)
  if (site !== undefined && (typeof site !== 'string' || site === ''))
    throw misuse('injectFailures: site', 'a label as given to ce.site', site)
  if (probability !== undefined && !(typeof probability === 'number' && probability >= 0 && probability <= 1))
    throw misuse('injectFailures: probability', 'a number of 0 to 1', probability)
  return {
    ON: ON[on],
    NTH: nth ?? 0,
    EVERY: every ?? 0,
    LEAST: minBytes,
    MOST: maxBytes,
    SITE: site === undefined ? 0 : siteNumber(site),
    CHANCE: probability === undefined ? -1 : Math.round(probability * CERTAIN),
    SEED: seed
  }
}
