import type { Severity } from '../coredll/findings.ts'
import type { Build, Placement, ProfileName } from '../profile.ts'
import type { TraceDamage, TraceFormat } from '../trace/index.ts'

export type { Severity } from '../coredll/findings.ts'

export interface CheckOptions {
  /** CE version that the trace is replayed as; default, like the four below: as the header of a trace of ours says, else `compact-2013`. */
  readonly profile?: ProfileName
  /** `retail` (default) or `debug`. */
  readonly build?: Build
  /** How heaps choose free blocks; default by profile. */
  readonly placement?: Placement
  /** Address space of each emulated process in bytes; default 64 MB, 32 MB on ce-5.0. */
  readonly memory?: number
  /** Physical memory of each emulated process in bytes; default: as much as `memory`. */
  readonly physical?: number
  /** Replays this process of the trace alone. */
  readonly process?: number
  /** The least serious findings to report; default `note`, which is all of them. */
  readonly severity?: Severity
  /** Told now and then how far the reading is. */
  readonly onProgress?: (progress: { readonly read: number; readonly total: number | undefined; readonly calls: number }) => void
}

/** What is wrong at one call site: calls from one place that break one rule in one way. */
export interface CheckFinding {
  /** Id of the rule: `ceheap rules ID` explains it. */
  readonly rule: string
  /** `error` fails, corrupts memory or is undefined on CE; `warning` behaves differently there; `note` is a harmless difference or information. */
  readonly severity: Severity
  /** The finding in a few words, the same for all findings of one kind. */
  readonly title: string
  /** How many calls; of leaks, how many blocks. */
  readonly count: number
  readonly call: string
  /** As the recording gives it; '' where it gives none. */
  readonly callSite: string
  /** One sentence: the call as it was made and what CE does with it. */
  readonly message: string
  /** The first of the calls as it was made, with what it returned in the recording. */
  readonly recorded: string
  /** What CE does there. */
  readonly onCe: string
  /** The reason, for one who does not know CE. */
  readonly explanation: string
  /** What to change in the program. */
  readonly advice: string
  /** Where the first of the calls stands: a line, or a byte offset (see `trace.unit`). */
  readonly position: number
  /** Process and thread of the first of the calls. */
  readonly process: number
  readonly thread: number
  /** How many processes of the trace made such calls. */
  readonly processes: number
  /** Of leaks: the heap's name and the bytes that were asked for. */
  readonly heap?: string
  readonly bytes?: number
  /** The same for the same finding in another recording of the same program: 16 hex digits. */
  readonly fingerprint: string
}

/** One heap of the trace as the emulator had it at its end: before HeapDestroy, else when the recording ended. Sizes in bytes. */
export interface HeapReport {
  /** The handle in the recording; 0 for a process heap whose handle it never shows. */
  readonly handle: number
  /** `process heap`, or `heap` with the recorded handle, or with the position of its creation where it was never used. */
  readonly name: string
  /** The emulator's handle; 0 where CE could not create the heap. */
  readonly emulatedHandle: number
  readonly process: number
  readonly kind: 'process heap' | 'growable' | 'fixed'
  /** 0 for a growable heap. */
  readonly maximum: number
  /** Most bytes that were allocated at once, as the program asked for them. */
  readonly peakBytes: number
  /** Most memory that the heap held committed at once. */
  readonly peakCommitted: number
  readonly liveBlocks: number
  readonly liveBytes: number
  readonly committed: number
  readonly regions: number
  readonly freeBytes: number
  readonly largestFree: number
  /** 1 - largestFree / freeBytes, 0 where nothing is free: the share of the free memory that one block cannot have. */
  readonly fragmentation: number
  readonly allocations: number
  readonly frees: number
  /** Blocks that had virtual memory of their own (W-17). */
  readonly bigBlocks: number
  readonly destroyed: boolean
  /** Position of the call that created it; 0 where the recording does not show one. */
  readonly position: number
}

export interface ProcessReport {
  readonly process: number
  readonly calls: number
  readonly threads: number
  readonly peakCommitted: number
  /** 16 hex digits over the emulated state at the end. */
  readonly imageHash: string
}

export interface CheckSummary {
  /** The trace's calls that the tool understands: the outermost ones, of the selected processes. */
  readonly calls: number
  readonly threads: number
  readonly processes: number
  /** How many findings there are, each one kind of finding at one call site. */
  readonly findings: number
  readonly errors: number
  readonly warnings: number
  readonly notes: number
  /** Calls by name, the most frequent first. */
  readonly callsByName: Readonly<Record<string, number>>
  /** Frees, resizes and size queries of blocks whose allocation the recording does not show (C-40). */
  readonly unknownPointers: number
  /**
   * Choices of ours that answers of the replay rest on, since the documentation is silent, with the number of calls: also such as made no
   * difference and are no finding.
   */
  readonly choices: Readonly<Record<string, number>>
  /** Blocks that ended without a free in the recording, since their address was handed out again. */
  readonly unseenFrees: number
  /** Calls that could not be replayed: on a block or heap that CE would not have given, or whose result the recording lacks. */
  readonly notReplayed: number
  /** Processes that were not replayed because of their number, and their calls. */
  readonly processesLeftOut: number
  readonly callsLeftOut: number
  /** Heaps that are not listed because of their number. */
  readonly heapsLeftOut: number
  readonly peakCommitted: number
}

export interface CheckReport {
  readonly version: 1
  readonly trace: {
    readonly name: string
    readonly format: TraceFormat
    readonly gzip: boolean
    /** What positions count. */
    readonly unit: 'line' | 'offset'
    /** Lines or records that are no memory call. */
    readonly skipped: number
    /** Calls that had not returned when the recording ended. */
    readonly unfinished: number
    /** Bytes that the recording device says it lost. */
    readonly lost: number
    /** Call sites of a relay log that lie in the program itself can be told from those in DLLs. */
    readonly programSites: boolean
  }
  /** What is wrong with the input; the report is of what could be read. */
  readonly damage: TraceDamage | null
  readonly target: {
    readonly profile: ProfileName
    readonly title: string
    readonly build: Build
    readonly placement: Placement
    readonly memory: number
    readonly physical: number
  }
  readonly summary: CheckSummary
  readonly processes: readonly ProcessReport[]
  readonly heaps: readonly HeapReport[]
  readonly findings: readonly CheckFinding[]
}
