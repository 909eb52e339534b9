import { type Build, builds, type Placement, type ProfileName, placements, profileNames } from '../profile.ts'
import { PAGE, UNIT } from './pagemodel.ts'

/** In what process a program runs. */
export interface Setup {
  readonly profile: ProfileName
  readonly build: Build
  readonly placement: Placement
  readonly memory: number
  readonly physical: number
  /** User memory is the campaign's, full of bytes that are not zero. */
  readonly dirty: boolean
  /** Sections are counted, which keeps every call off the hot path. */
  readonly plain: boolean
  /** Live blocks from which on a heap rather loses some. */
  readonly crowd: number
}

const CROWDS = [1000, 8, 30, 120, 400, 120, 400, 3000]

/** Small processes: 6 to 37 units of 64 KB, often with less physical memory than that. Zero words are the plainest one. */
export function setupOf(first: number, second: number): Setup {
  const units = 6 + ((first >>> 8) & ((first & 0x10000) === 0 ? 15 : 31))
  const share = (second >>> 4) & 15
  return {
    profile: profileNames[first & 3] as ProfileName,
    build: ((first >>> 17) & 7) === 7 ? 'debug' : (builds[0] as Build),
    placement: placements[(first >>> 4) & 1] as Placement,
    memory: units * UNIT,
    // Plenty in two of three processes, else 4 to 31 sixty-fourths of it.
    physical: share < 11 ? units * UNIT : Math.ceil((units * 16 * (4 + ((second >>> 8) % 28))) / 64) * PAGE,
    dirty: ((first >>> 5) & 1) === 1,
    plain: ((first >>> 20) & 7) === 7,
    crowd: CROWDS[(second >>> 16) & 7] as number
  }
}
