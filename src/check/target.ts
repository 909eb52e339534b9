import { UNIT, PAGE } from '../machine/layout.ts'
import {
  type Build,
  builds,
  oneOf,
  type Placement,
  placements,
  type Profile,
  type ProfileName,
  profileNames,
  profileOf
} from '../profile.ts'
import type { TraceHeader } from '../trace/index.ts'
import type { CheckOptions } from './report.ts'

/** The process that a trace is replayed on. */
export interface Target {
  readonly profile: Profile
  readonly build: Build
  readonly placement: Placement
  readonly memory: number
  readonly physical: number
}

const defaultMemory = 64 * 1024 * 1024

/**
 * What the options say; where they say nothing, what the emulator that recorded the trace has written into its header; else the defaults. What a
 * header says that is no such value was meant for somebody else.
 */
export function targetOf(options: CheckOptions, header: Partial<TraceHeader> = {}): Target {
  const profile = profileOf(options.profile ?? named<ProfileName>(header.profile, profileNames) ?? 'compact-2013')
  const same = profile.name === header.profile
  const build = options.build ?? named<Build>(header.build, builds) ?? 'retail'
  const placement = options.placement ?? (same ? named<Placement>(header.placement, placements) : undefined) ?? profile.placement
  const recorded = options.memory === undefined ? sized(header.memory, UNIT, 2 * UNIT, profile.addressSpace) : undefined
  const memory = options.memory ?? recorded ?? Math.min(defaultMemory, profile.addressSpace)
  const physical = options.physical ?? (recorded === undefined ? undefined : sized(header.physical, PAGE, PAGE, 2 ** 31)) ?? memory
  return { profile, build: oneOf('build', build, builds), placement: oneOf('placement', placement, placements), memory, physical }
}

function named<Name>(value: unknown, names: readonly Name[]): Name | undefined {
  return names.find((name) => name === value)
}

function sized(value: unknown, unit: number, least: number, most: number): number | undefined {
  return typeof value === 'number' && value % unit === 0 && value >= least && value <= most ? value : undefined
}
