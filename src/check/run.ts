import type { Profile } from '../profile.ts'
import type { TraceEvent } from '../trace/event.ts'
import type { TraceFormat } from '../trace/index.ts'
import { Groups } from './groups.ts'
import type { TraceProcess } from './process.ts'

/** What the handlers of the calls share. */
export class Run {
  readonly groups: Groups = new Groups()
  readonly profile: Profile
  /** Address space and physical memory of each emulated process, in bytes. */
  readonly memory: number
  readonly physical: number
  /** The recording shows every allocation; a relay log does not show those that the system makes inside a call of the program's. */
  readonly complete: boolean
  unknownPointers = 0
  notReplayed = 0
  /** A call site of a relay log lay where linkers put programs, so that the others lie in DLLs. */
  programSites = false
  /** Heaps created with an initial size of 0 (C-27). */
  emptyHeaps = 0

  constructor(profile: Profile, memory: number, physical: number, format: TraceFormat) {
    this.profile = profile
    this.memory = memory
    this.physical = physical
    this.complete = format !== 'wine-relay'
  }
}

/** Replays one call. */
export type Replay = (run: Run, process: TraceProcess, event: TraceEvent) => void

/** Looks at a call's arguments alone. */
export type Habit = (run: Run, event: TraceEvent) => void
