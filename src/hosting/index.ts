/** The CLR's host memory interfaces: IHostMemoryManager and IHostMalloc under a policy of the host's. */
export { hostReport, openHost } from './manager.ts'
export type { HostReport, IHostMemoryManager, Malloc } from './manager.ts'
export type { HostBlock, IHostMalloc, Memory } from './malloc.ts'
export type { HostFailure, HostPolicy, PerLevel } from './policy.ts'
export type { HostReservation } from './reservations.ts'
export type { ICLRMemoryNotificationCallback } from './notify.ts'
export type { Interface } from '../coredll/unknown.ts'
export type { Range } from './ledger.ts'
