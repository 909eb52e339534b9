/**
 * Windows Embedded Compact 2013's heap as a library: create a process, call coredll's functions on its threads, see what CE answers.
 */
export { createProcess, attachThread, CeProcess } from './coredll/process.ts'
export type { ProcessOptions } from './coredll/process.ts'
export { CeThread } from './coredll/thread.ts'
export type { PFN_AllocHeapMem, PFN_FreeHeapMem } from './coredll/heap.ts'
export type { Finding, Severity } from './coredll/findings.ts'
export type { CallRecord, CallWriter } from './coredll/record.ts'
export type { Snapshot } from './coredll/snapshot.ts'
export type { BlockInfo, HeapInfo, RegionInfo } from './heap/walk.ts'
export { InvariantError } from './coredll/check.ts'
export { AccessViolation } from './machine/memory.ts'
export type { UserMemory } from './machine/memory.ts'
export type { ShareToken } from './machine/machine.ts'
export { LockTimeoutError } from './machine/section.ts'
export { profiles } from './profile.ts'
export type { Build, Placement, Profile, ProfileName } from './profile.ts'
export * from './constants.ts'
