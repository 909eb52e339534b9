import { misuse } from './errors.ts'

/** How a heap chooses the free block it takes; C-25, HI-2. */
export type Placement = 'segregated' | 'next-fit'
export type Build = 'retail' | 'debug'
export type ProfileName = 'compact-2013' | 'compact-7' | 'ce-6.0' | 'ce-5.0'

/** What differs between the CE versions, as data: each line names the rule it rests on. */
export interface Profile {
  readonly name: ProfileName
  readonly title: string
  /** Requests above this many bytes leave a growable heap for a reservation of their own (HI-9 to HI-12, HC-6). */
  readonly bigBlock: number
  /** Address space in bytes that a growable heap reserves at first, and at least with each further region (HI-5, HI-7). */
  readonly region: number
  /** The largest address space of one process in bytes (VL-1, VL-2). */
  readonly addressSpace: number
  /** Whether a failing HeapAlloc sets the last error (HA-4) or leaves it alone (HA-5). */
  readonly allocSetsError: boolean
  readonly placement: Placement
}

const KB = 1024
const MB = 1024 * KB

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  'compact-2013': {
    name: 'compact-2013',
    title: 'Windows Embedded Compact 2013',
    bigBlock: 0x18000, // HC-6
    region: 64 * KB, // HI-7
    addressSpace: 2048 * MB, // VL-2
    allocSetsError: true, // HA-4
    placement: 'segregated'
  },
  'compact-7': {
    name: 'compact-7',
    title: 'Windows Embedded Compact 7',
    bigBlock: 64 * KB, // HI-7
    region: 64 * KB, // HI-7
    addressSpace: 2048 * MB, // VL-2
    allocSetsError: true, // HA-4
    placement: 'segregated'
  },
  'ce-6.0': {
    name: 'ce-6.0',
    title: 'Windows Embedded CE 6.0',
    bigBlock: 16 * KB, // HI-9
    region: 64 * KB, // design choice
    addressSpace: 2048 * MB, // VL-2
    allocSetsError: true, // HA-4
    placement: 'segregated'
  },
  'ce-5.0': {
    name: 'ce-5.0',
    title: 'Windows CE 5.0',
    bigBlock: 192 * KB, // HI-11
    region: 192 * KB, // HI-5
    addressSpace: 32 * MB, // VL-1
    allocSetsError: false, // HA-5
    placement: 'next-fit' // HI-2
  }
}

export const profileNames: readonly ProfileName[] = ['compact-2013', 'compact-7', 'ce-6.0', 'ce-5.0']
export const placements: readonly Placement[] = ['segregated', 'next-fit']
export const builds: readonly Build[] = ['retail', 'debug']

/** Looks a profile up by name; throws a RangeError that lists the names. */
export function profileOf(name: string): Profile {
  return profiles[oneOf('profile', name, profileNames)]
}

/** Returns `value` if it is one of `allowed`; throws otherwise. */
export function oneOf<T extends string>(what: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value)
  if (found === undefined) throw misuse(what, `one of ${allowed.join(', ')}`, value)
  return found
}
