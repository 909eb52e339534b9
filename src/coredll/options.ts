import { misuse, wholeNumber } from '../errors.ts'
import type { Clock } from '../machine/counts.ts'
import { GRANULE, PAGE, UNIT } from '../machine/layout.ts'
import { bufferOf } from '../machine/machine.ts'
import type { UserBuffer } from '../machine/machine.ts'
import { scheduleOf } from '../machine/schedule.ts'
import type { Schedule } from '../machine/schedule.ts'
import { builds, oneOf, placements, profileOf } from '../profile.ts'
import type { Build, Placement, Profile, ProfileName } from '../profile.ts'

export interface ProcessOptions {
  /** CE version: `compact-2013` (default), `compact-7`, `ce-6.0`, `ce-5.0`. */
  readonly profile?: ProfileName
  /** `retail` (default) or `debug`: exact HeapSize and a sentinel behind each block (HS-4, HI-15). */
  readonly build?: Build
  /**
   * User memory: its size in bytes, or a SharedArrayBuffer or shared WebAssembly.Memory of the caller's. A multiple of 64 KB from 128 KB to the
   * profile's address space (2 GB; 32 MB on ce-5.0, VL-1). Default 64 MB, 32 MB on ce-5.0.
   */
  readonly memory?: number | SharedArrayBuffer | WebAssembly.Memory
  /** Physical memory in bytes, a multiple of 4 KB: a commit past it fails. Default: as much as user memory. */
  readonly physical?: number
  /**
   * Memory is low while less than so many bytes of `physical` are left, rounded down to pages: then onHibernate tells (C-71). At most
   * `physical`: above it memory would be low from the first moment on and nobody ever told. Default: a sixteenth of `physical`.
   */
  readonly lowMemory?: number
  /** How heaps choose free blocks; default by profile (HI-2). */
  readonly placement?: Placement
  /** Whether the process may use HEAP_SHARED_READONLY (FL-8). Default false. */
  readonly kernelMode?: boolean
  /** Size in bytes above which a growable heap uses virtual memory directly (HI-12); a multiple of 32 up to 1 GB. Default by profile. */
  readonly bigBlock?: number
  /**
   * Longest wait in milliseconds for a section whose owner never leaves; then LockTimeoutError. Default 30,000. 0: the program's calls wait for ever, as on CE; what
   * is asked of the process itself (`close`, `check`, `snapshot`, `imageHash`, `injectFailures`, `setPhysical`, `drainFindings`) 30 seconds.
   */
  readonly lockTimeout?: number
  /**
   * Counts what threads do with sections, for `sectionCounters()`, and measures their waits and holds by this function: `() => performance.now()`.
   * Other threads bring their own to `attachThread`. Not counted by default.
   */
  readonly clock?: Clock
  /**
   * Who runs when (machine/schedule.ts). `free` (default): threads run as they like. `recorded`: so they do, and the order of their grants is written
   * down. `seeded:N`, `pct:N:d`, `pct:N:d:k`: one at a time, as the seed says. `replay:TEXT`: one at a time, as in the run that
   * `scheduleReport().text` is of.
   */
  readonly schedule?: string
  /** How many workers take part: 1 to 1,023. Needed with every schedule but `free`. */
  readonly threads?: number
  /** What the threads do, in any words: a run can be replayed where these are the same. */
  readonly program?: string
}

const OPTIONS = [
  'profile',
  'build',
  'memory',
  'physical',
  'lowMemory',
  'placement',
  'kernelMode',
  'bigBlock',
  'lockTimeout',
  'clock',
  'schedule',
  'threads',
  'program'
]
const DEFAULT_MEMORY = 64 * 1024 * 1024

/** Options that were checked, with the defaults filled in. */
export interface Settings {
  readonly profile: Profile
  readonly user: UserBuffer
  /** User memory is the caller's: its bytes are not known to be zero. */
  readonly brought: boolean
  /** Physical memory in pages, and below how many free ones it is low. */
  readonly pages: number
  readonly lowPages: number
  readonly build: Build
  readonly placement: Placement
  readonly kernelMode: boolean
  readonly bigBlock: number
  readonly lockTimeout: number
  readonly clock: Clock | undefined
  readonly schedule: Schedule | undefined
}

/** Checks what createProcess was given. Throws a TypeError or RangeError that names the option. */
export function settingsOf(options: ProcessOptions): Settings {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw misuse('createProcess', 'an object of options', options)
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined) throw misuse('createProcess: option', `one of ${OPTIONS.join(', ')}`, unknown)
  // Defaults by destructuring: null is no way to leave an option out.
  const { profile: name = 'compact-2013' } = options
  const profile = profileOf(name)
  const {
    build = 'retail',
    placement = profile.placement,
    memory = Math.min(DEFAULT_MEMORY, profile.addressSpace),
    bigBlock = profile.bigBlock,
    kernelMode = false,
    lockTimeout = 30_000,
    clock,
    schedule = 'free',
    threads,
    program = ''
  } = options
  oneOf('build', build, builds)
  oneOf('placement', placement, placements)
  const user = userMemory(memory, profile)
  const { physical = bufferOf(user).byteLength } = options
  const pages = pagesOf('physical', physical)
  const { lowMemory = Math.floor(physical / 16) } = options
  wholeNumber('lowMemory', lowMemory, 0, pages * PAGE)
  wholeNumber('bigBlock', bigBlock, 32, 2 ** 30)
  if (bigBlock % GRANULE !== 0) throw misuse('bigBlock', 'a multiple of 32', bigBlock)
  wholeNumber('lockTimeout', lockTimeout, 0, 2 ** 31 - 1)
  if (typeof kernelMode !== 'boolean') throw misuse('kernelMode', 'true or false', kernelMode)
  if (clock !== undefined) checkClock('clock', clock)
  return {
    profile,
    user,
    brought: typeof memory === 'object',
    pages,
    lowPages: Math.floor(lowMemory / PAGE),
    build,
    placement,
    kernelMode,
    bigBlock,
    lockTimeout,
    clock,
    schedule: scheduleOf(schedule, threads, program)
  }
}

export interface AttachOptions {
  /** Measures this thread's waits and holds in a process that counts sections; without it they are 0. */
  readonly clock?: Clock
}

function checkClock(what: string, clock: unknown): void {
  if (typeof clock !== 'function') throw misuse(what, 'a function that gives a number, such as () => performance.now()', clock)
}

/** The clock of a thread that attaches; one that stands still if it has none. */
export function clockOf(options: AttachOptions): Clock {
  if (typeof options !== 'object' || options === null) throw misuse('attachThread: options', 'an object of options', options)
  const { clock = () => 0 } = options
  checkClock('attachThread: clock', clock)
  return clock
}

/** The pages of a budget of physical memory. */
export function pagesOf(what: string, bytes: unknown): number {
  const whole = wholeNumber(what, bytes, PAGE, 2 ** 31)
  if (whole % PAGE !== 0) throw misuse(what, 'a multiple of 4096', bytes)
  return whole / PAGE
}

function userMemory(memory: unknown, profile: Profile): UserBuffer {
  const expected = `a multiple of ${UNIT} bytes from ${2 * UNIT} to ${profile.addressSpace} (${profile.name})`
  const fits = (bytes: number): boolean => bytes % UNIT === 0 && bytes >= 2 * UNIT && bytes <= profile.addressSpace
  if (typeof memory === 'number') {
    if (!fits(memory)) throw misuse('memory', expected, memory)
    return new WebAssembly.Memory({ initial: memory / UNIT, maximum: memory / UNIT, shared: true })
  }
  const brought = memory instanceof SharedArrayBuffer || memory instanceof WebAssembly.Memory ? memory : undefined
  if (brought === undefined || !((bufferOf(brought) as unknown) instanceof SharedArrayBuffer)) {
    throw misuse('memory', 'a number of bytes, a SharedArrayBuffer or a shared WebAssembly.Memory', memory)
  }
  if (!fits(bufferOf(brought).byteLength)) throw misuse('memory', expected, bufferOf(brought).byteLength)
  return brought
}
